"""One of the lab's functions, run once by hand: what it was given, what it answered, what it logged."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import LabError
from labkit.runtimes import RUNTIMES, Runtime
from labkit.steps.function_code import source_file
from labkit.steps.functions import find_function
from labkit.target.target import Target
from labkit.text.blocks import Block, Code
from labkit.text.shown import Shown


@dataclass(frozen=True, repr=False)
class Invocation(Shown):
    """What a function answered to an event, and the line that it logged."""

    function: str
    answer: Any
    log: str

    def blocks(self) -> Iterator[Block]:
        """The answer as JSON, then the log line."""
        yield Code(f"{self.function} answered\n{json.dumps(self.answer, indent=2)}")
        yield Code(f"and logged\n{self.log}")

    def to_dict(self) -> dict[str, Any]:
        """`function`, `answer` and `log`."""
        return {"function": self.function, "answer": self.answer, "log": self.log}


@dataclass(frozen=True, repr=False)
class Source(Shown):
    """The code of a function as it is deployed."""

    path: str
    code: str
    runtime: Runtime

    def blocks(self) -> Iterator[Block]:
        """The path below the project's folder as a comment, then the code."""
        yield Code(f"{self.runtime.comment} {self.path}\n\n{self.code}", self.runtime.language)

    def to_dict(self) -> dict[str, Any]:
        """`path`, `code` and `runtime`."""
        return {"path": self.path, "code": self.code, "runtime": self.runtime.name}


def source(function: str, runtime: str, home: Path | None = None) -> Source:
    """The code of one of the post's functions in a runtime: as the learner's copy has it, where the home knows one."""
    file = source_file(function, runtime, home)
    code = file.read_text(encoding="utf-8").rstrip()
    return Source(f"lambdas/{function}/{file.name}", code, RUNTIMES[runtime])


def invoke(target: Target, function: str, event: dict[str, Any]) -> Invocation:
    """Run a function with an event, as its owner may.

    Args:
        target: the lab's place.
        function: one of the post's names, `Pre-tokenAuthLambda` and the like.
        event: what the function is given, JSON.

    Raises:
        LabError: the function does not exist, or it failed.
    """
    if find_function(target, function) is None:
        raise LabError(f"The function {function} does not exist yet.", "Build it: labkit up --through functions")
    answer = target.client("lambda").invoke(
        FunctionName=target.names.function(function), LogType="Tail", Payload=json.dumps(event).encode()
    )
    payload = _payload(function, answer["Payload"].read())
    if "FunctionError" in answer:
        raise _failed(function, payload, event)
    return Invocation(function, payload, _own_lines(base64.b64decode(answer.get("LogResult", "")).decode()))


def _failed(function: str, payload: Any, event: dict[str, Any]) -> LabError:
    """What a function failed at: at what it looked for in the event and did not find there, or at something else."""
    why = payload.get("errorMessage") if isinstance(payload, dict) else payload
    looked_for = _LOOKED_FOR.fullmatch(str(why))
    if looked_for and f"{json.dumps(looked_for[1])}:" not in json.dumps(event):
        return LabError(f"{function} looked for {looked_for[1]!r}, and the event that you gave it has none.", _TRY)
    return LabError(f"{function} failed: {why or 'it does not say why'}.", _TRY)


def _payload(function: str, answered: bytes) -> Any:
    """What a function answered: JSON, or nothing."""
    try:
        return json.loads(answered or b"null")
    except ValueError as error:
        told = answered.decode(errors="replace")[:200]
        raise LabError(f"{function} answered what is no JSON: {told}", _REMEDY) from error


# What Python's KeyError says, and Node.js of a member of what is not there.
_LOOKED_FOR = re.compile(r"(?:Cannot read properties of (?:undefined|null) \(reading )?'([^']+)'\)?")
_TRY = (
    "Give it an event such as AWS sends: chapter 01 has one for the trigger, and the functions behind the routes take "
    "{}. If it fails then, too, mend lambdas/ and deploy it: labkit up --through functions"
)
_REMEDY = "Mend lambdas/, then: labkit up --through functions"


def _own_lines(log: str) -> str:
    """What the function itself logged: without the lines that Lambda puts around every run."""
    lambdas = ("START ", "END ", "REPORT ", "INIT_START ")
    return "\n".join(line for line in log.splitlines() if line and not line.startswith(lambdas))
