"""What of a run goes to one worker, in its order, and which of it first.

`make test` has three workers for two cores, since each waits now and then.

The mark `xdist_group` is not used: with pytest 9 it was ignored without a word, and a chapter's cells ran apart.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

# What takes longest, so that it is not what one worker ends with while the other has nothing left.
LONGEST = (
    "notebooks/chapters",
    "tests/faults/test_up.py",
    "tests/fleet/test_crash.py",
    "tests/faults/test_down.py",
    "tests/cli/test_homes.py",
    "tests/awscli/test_lines.py",
    "tests/fleet/test_reset.py",
    "tests/browser/test_learning.py",
    "tests/notebooks/test_runs.py",
)

# Each of its tests is a run of its own.
APART = "tests/notebooks/test_runs.py"


class Scopes(LoadScopeScheduling):
    """Gives whole scopes to the workers, in the order in which their tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """The tests that share a worker: those of a file, which share a cloud; the chapters, which share a lab."""
    file = nodeid.split("::", maxsplit=1)[0]
    if re.match(r"notebooks/\d", file):
        return "notebooks/chapters"
    return nodeid if file == APART else file


def rank(nodeid: str) -> int:
    """Its place in the order of scopes: those named in LONGEST first, the others as they were collected."""
    file = scope(nodeid).split("::")[0]
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
