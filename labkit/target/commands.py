"""The AWS calls that a step made, kept to be shown as the AWS CLI lines that would have made them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from operator import itemgetter
from typing import Any

from botocore import xform_name

from labkit.aws import is_read
from labkit.machine.side_by_side import turn


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
    """Keeps the calls of boto3 clients that change something and succeed. Reading is not building."""

    def __init__(self) -> None:
        self._heard: list[tuple[tuple[int, ...], Command]] = []

    @property
    def commands(self) -> list[Command]:
        """The calls in the order of the code that made them, whichever of its threads was faster."""
        return [command for _, command in sorted(self._heard, key=itemgetter(0))]

    @contextmanager
    def listening(self, clients: Iterable[Any]) -> Iterator[None]:
        """Hear every call of some clients until the block ends."""
        handlers = {"provide-client-params": self._before, "after-call": self._after}
        with ExitStack() as stack:
            for client in clients:
                for event, handler in handlers.items():
                    client.meta.events.register(event, handler)
                    stack.callback(client.meta.events.unregister, event, handler)
            yield

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["labkit_params"] = params

    def _after(self, http_response: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        if http_response.status_code < HTTPStatus.MULTIPLE_CHOICES and not is_read(model.name):
            parameters = _without_secrets(context.get("labkit_params", {}))
            command = Command(model.service_model.service_name, model.name, parameters)
            self._heard.append((turn(), command))


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
