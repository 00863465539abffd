"""Errors that teach: one sentence of what was wrong and where, one of what to do next."""

from __future__ import annotations

import re
import textwrap

# A verb of the lab as remedies name it, which is for a terminal. Kept are lines of a shell, with a variable or other
# options, and what names both: `lab.up(), or labkit up`.
_VERB = re.compile(
    r"(?P<kept>\w+=\S+ |, or )?\blabkit (?P<verb>up|check|status|down)(?![\w-])"
    r"(?: --(?:through|step) (?P<step>[\w-]+))?(?P<reset> --reset-passwords)?(?![\w-]| -)"
)


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
        return textwrap.wrap(in_notebook(str(self)), 90, break_long_words=False, break_on_hyphens=False)


def in_notebook(text: str) -> str:
    """A text for a notebook, where `labkit up --through functions` is `lab.up("functions")`."""
    return _VERB.sub(_called, text)


def _called(command: re.Match[str]) -> str:
    if command["kept"]:
        return command[0]
    step = f'"{command["step"]}"' if command["step"] else ""
    return f"lab.{command['verb']}({', '.join(filter(None, (step, command['reset'] and 'reset_passwords=True')))})"


def _printable(sentence: str) -> str:
    """A sentence without what acts on a terminal: names and answers of others may be in it."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in sentence)


class UsageError(LabError):
    """The words of a call were wrong: an unknown user, route, step, stage or setting."""

    exit_code = 2
