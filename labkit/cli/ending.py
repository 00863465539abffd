"""How a command ends that did not do what it was asked to: two sentences, an exit code, and nothing slow to read in."""

from __future__ import annotations

import json
import sys

from labkit.errors import LabError

INTERRUPTED = 130


def fail(error: LabError, *, as_json: bool) -> int:
    """Print an error as its two sentences; the exit code that it asks for."""
    if as_json:
        print(json.dumps(error.to_dict(), indent=2), flush=True)
    print(f"{error.problem}\n{error.remedy}", file=sys.stderr, flush=True)
    return error.exit_code


def stopped() -> int:
    """Say what Ctrl-C has done; the exit code."""
    error = LabError("Stopped.", "Nothing is lost: the same command goes on where this one stopped.")
    fail(error, as_json="--json" in sys.argv)
    return INTERRUPTED
