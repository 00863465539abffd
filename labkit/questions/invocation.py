"""One of the lab's functions, run once by hand: what it was given, what it answered, what it logged."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import LabError, UsageError
from labkit.steps.function_code import source_file
from labkit.steps.functions import find_function
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target
from labkit.text.shown import Shown, html_text


@dataclass(frozen=True, repr=False)
class Invocation(Shown):
    """What a function answered to an event, and the line that it logged."""

    function: str
    answer: Any
    log: str

    def text(self) -> str:
        """The answer as JSON, then the log line."""
        return f"{self.function} answered\n{json.dumps(self.answer, indent=2)}\n\nand logged\n{self.log}"

    def html(self) -> str:
        """The same, keeping its shape."""
        return html_text(self.text())

    def to_dict(self) -> dict[str, Any]:
        """`function`, `answer` and `log`."""
        return {"function": self.function, "answer": self.answer, "log": self.log}


@dataclass(frozen=True, repr=False)
class Source(Shown):
    """The code of a function as it is deployed."""

    path: str
    code: str

    def text(self) -> str:
        """The path below the project's folder, then the code."""
        return f"# {self.path}\n\n{self.code}"

    def html(self) -> str:
        """The same, keeping its shape."""
        return html_text(self.text())

    def to_dict(self) -> dict[str, Any]:
        """`path` and `code`."""
        return {"path": self.path, "code": self.code}


def known_function(function: str) -> str:
    """Return `function` if it is one of the post's three; UsageError if not."""
    if function not in FUNCTIONS:
        raise UsageError(f"The lab has no function {function!r}.", f"Name one of: {', '.join(FUNCTIONS)}.")
    return function


def source(function: str, runtime: str, home: Path | None = None) -> Source:
    """The code of one of the post's functions in a runtime: as the learner's copy has it, where the home knows one."""
    file = source_file(known_function(function), runtime, home)
    return Source(f"lambdas/{function}/{file.name}", file.read_text(encoding="utf-8").rstrip())


def invoke(target: Target, function: str, event: dict[str, Any]) -> Invocation:
    """Run a function with an event, as its owner may.

    Args:
        target: the lab's place.
        function: one of the post's names, `Pre-tokenAuthLambda` and the like.
        event: what the function is given, JSON.

    Raises:
        LabError: the function does not exist, or it failed.
    """
    if find_function(target, known_function(function)) is None:
        raise LabError(f"The function {function} does not exist yet.", "Build it: labkit up --through functions")
    answer = target.client("lambda").invoke(
        FunctionName=target.names.function(function), LogType="Tail", Payload=json.dumps(event).encode()
    )
    payload = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise LabError(f"{function} failed: {payload.get('errorMessage')}.", "Mend lambdas/, then: labkit up")
    return Invocation(function, payload, _own_lines(base64.b64decode(answer.get("LogResult", "")).decode()))


def _own_lines(log: str) -> str:
    """What the function itself logged: without the lines that Lambda puts around every run."""
    lambdas = ("START ", "END ", "REPORT ", "INIT_START ")
    return "\n".join(line for line in log.splitlines() if line and not line.startswith(lambdas))
