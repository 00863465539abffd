"""The AWS calls that a step made, kept to be shown as the AWS CLI lines that would have made them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore import xform_name

# Reading is not building: what only looks is not shown.
_READS = re.compile(r"(Get|List|Describe|Filter|AdminGet|AdminList|Initiate)")


@dataclass(frozen=True)
class Command:
    """One call: the CLI's name of the service, the operation as the API names it, its parameters without secrets."""

    service: str
    operation: str
    parameters: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The command as JSON."""
        return {"service": self.service, "operation": self.operation, "parameters": self.parameters}

    def line(self, variables: Mapping[str, str]) -> str:
        """The call as an AWS CLI command that can be pasted into a shell.

        Args:
            variables: shell variables by the value that each stands for, {"abc123": "API_ID"}; the value is
                written as the variable, so that the line says what it means and is the same for every learner.
        """
        options = [_option(name, value, variables) for name, value in self.parameters.items()]
        return " \\\n  ".join([f"aws {self.service} {xform_name(self.operation, '-')}", *options])


class Recorder:
    """Listens to a boto3 client's events while a step runs."""

    def __init__(self) -> None:
        self._commands: list[Command] | None = None

    def listen(self, client: Any) -> None:
        """Hear every call of a client."""
        events = client.meta.events
        events.register("provide-client-params", self._before, unique_id="labkit-before")
        events.register("after-call", self._after, unique_id="labkit-after")

    @contextmanager
    def recording(self) -> Iterator[list[Command]]:
        """Collect the calls that change something and succeed, until the block ends."""
        commands: list[Command] = []
        self._commands = commands
        try:
            yield commands
        finally:
            self._commands = None

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["labkit_params"] = params

    def _after(self, http_response: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        changed = http_response.status_code < HTTPStatus.MULTIPLE_CHOICES and not _READS.match(model.name)
        if self._commands is not None and changed:
            parameters = _without_secrets(context.get("labkit_params", {}))
            self._commands.append(Command(model.service_model.service_name, model.name, parameters))


def _without_secrets(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that may be kept and shown: a password and a zip file become the commands that give them again."""
    shown = dict(parameters)
    if "Password" in shown:
        shown["Password"] = {"$": f"labkit password {shown['Username']}"}
    if "Code" in shown or "ZipFile" in shown:
        shown.pop("Code", None)
        shown["ZipFile"] = {"$file": f"labkit package {shown['FunctionName']}"}
    return shown


def _option(name: str, value: Any, variables: Mapping[str, str]) -> str:
    flag = f"--{xform_name(name, '-')}"
    match value:
        case bool():
            return flag if value else f"--no-{flag[2:]}"
        case {"$": command}:
            return f'{flag} "$({command})"'
        case {"$file": command}:
            return f'{flag} "fileb://$({command})"'
        # As JSON where it holds a URL: the AWS CLI's version 1 would fetch the URL and take what it finds there.
        case list() if all(isinstance(item, str) and "://" not in item for item in value):
            return " ".join([flag, *(quoted(item, variables) for item in value)])
        case dict() | list():
            return f"{flag} {quoted(json.dumps(value), variables)}"
        case _:
            return f"{flag} {quoted(str(value), variables)}"


def quoted(text: str, variables: Mapping[str, str]) -> str:
    """Quote a word for a POSIX shell, each known value in it written as its variable.

    Args:
        text: the word.
        variables: variable names by value. Everything else in the word stays literal, `$` too.
    """
    known = "|".join(re.escape(value) for value in sorted(variables, key=len, reverse=True) if value)
    pieces = re.split(f"({known})", text) if known else [text]
    return "".join(f'"${variables[piece]}"' if piece in variables else _literal(piece) for piece in pieces) or "''"


def _literal(piece: str) -> str:
    return shlex.quote(piece) if piece else ""
