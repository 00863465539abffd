"""Errors that teach: one sentence of what was wrong and where, one of what to do next."""

from __future__ import annotations

import textwrap


class LabError(Exception):
    """Something a person can mend.

    Args:
        problem: one sentence: what was wrong, and where.
        remedy: one sentence: what to do next.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = _printable(problem), _printable(remedy)
        super().__init__(f"{self.problem} {self.remedy}")

    def to_dict(self) -> dict[str, str]:
        """The error as `--json` prints it: `error` (what was wrong) and `fix` (what to do next)."""
        return {"error": self.problem, "fix": self.remedy}

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback: the two sentences, broken between words."""
        return textwrap.wrap(str(self), 90, break_long_words=False, break_on_hyphens=False)


def _printable(sentence: str) -> str:
    """A sentence without what acts on a terminal: names and answers of others may be in it."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in sentence)


class UsageError(LabError):
    """The words of a call were wrong: an unknown user, route, step, stage or setting."""

    exit_code = 2
