"""The AWS calls that a step made, kept to be shown as the AWS CLI lines that would have made them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import reduce
from http import HTTPStatus
from operator import getitem, itemgetter
from typing import Any

from botocore import xform_name

from labkit.aws import is_read
from labkit.machine.side_by_side import turn

# Where AWS answers a creation with the id that it made up, which later calls name.
_ID_IN_ANSWER = {
    "CreateUserPool": "UserPool.Id",
    "CreateUserPoolClient": "UserPoolClient.ClientId",
    "CreateApi": "ApiId",
    "CreateIntegration": "IntegrationId",
    "CreateRoute": "RouteId",
    "CreateAuthorizer": "AuthorizerId",
}

# What AWS refuses while a new role or a new user pool's issuer is spreading: `aws.SETTLING` says for how long.
_ASKED_AGAIN = frozenset({"CreateFunction", "CreateAuthorizer"})
_AGAIN = "for pause in 0 5 10 15 15; do sleep $pause\n{} && break; done"

# What is waited for after a call, and the parameter that names it.
_WAITS = {
    "CreateRole": ("role-exists", "RoleName"),
    "CreateFunction": ("function-active-v2", "FunctionName"),
    "UpdateFunctionConfiguration": ("function-updated-v2", "FunctionName"),
    "UpdateFunctionCode": ("function-updated-v2", "FunctionName"),
}

# The variables that no call answers: labkit works them out of the ids, once there are any.
_WORKED_OUT = ("DOMAIN", "DEPLOYMENT")
_WORK_OUT = 'eval "$(labkit env)"\n'

_MAKES = re.compile(r"(Admin)?(Create|Add)")
_TAKES_AWAY = re.compile(r"(Admin)?(Delete|Remove)")


@dataclass(frozen=True)
class Command:
    """One call: the CLI's name of the service, the operation as the API names it, its parameters without secrets.

    `made` is the id that AWS made up for what the call created.
    """

    service: str
    operation: str
    parameters: dict[str, Any]
    made: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The command as JSON."""
        return asdict(self)

    def line(self, variables: Mapping[str, str]) -> str:
        """The call as an AWS CLI command that can be pasted into a shell, with what keeps or waits for its result.

        Args:
            variables: shell variables by the value that each stands for, {"abc123": "API_ID"}; the value is
                written as the variable, so that the line says what it means and is the same for every learner.
        """
        options = [_option(name, value, variables) for name, value in self.parameters.items()]
        variable = variables.get(self.made or "")
        if variable:
            options.append(f"--query {_ID_IN_ANSWER[self.operation]} --output text")
        line = " \\\n  ".join([f"aws {self.service} {xform_name(self.operation, '-')}", *options])
        line = f"{variable}=$({line})" if variable else line
        line = _AGAIN.format(line) if self.operation in _ASKED_AGAIN else line
        line = _WORK_OUT + line if any(f'"${name}"' in line for name in _WORKED_OUT) else line
        waiter, name = _WAITS.get(self.operation, ("", ""))
        return f"{line}\n{self._wait(waiter, name, variables)}" if waiter else line

    def _wait(self, waiter: str, name: str, variables: Mapping[str, str]) -> str:
        return f"aws {self.service} wait {waiter} {_option(name, self.parameters[name], variables)}"


def lines(commands: Iterable[Command], variables: Mapping[str, str]) -> list[str]:
    """The lines of calls, in their order, as they would build again what stands now.

    A call about something that is gone is left out: it has an id that no variable stands for, or a later call took it
    away. What was made, lost and made again is made once.

    Args:
        commands: the calls of a lab, the first first.
        variables: as `Command.line` takes them.
    """
    calls = list(commands)
    gone = [call.made for call in calls if call.made and call.made not in variables]
    standing: list[Command] = []
    for call in calls:
        if call.made in gone or any(made in json.dumps(call.parameters) for made in gone):
            continue
        if _TAKES_AWAY.match(call.operation):
            standing = [kept for kept in standing if not _is_about(kept, call)]
        elif not (_MAKES.match(call.operation) and call in standing):
            standing.append(call)
    return [call.line(variables) for call in standing]


def _is_about(call: Command, removal: Command) -> bool:
    """Whether a call names all that a removal names."""
    same = (call.parameters.get(name) == value for name, value in removal.parameters.items())
    return call.service == removal.service and all(same)


def unmade(lines: Iterable[str]) -> list[str]:
    """The variables that lines need, pasted into a shell that knows of no lab, and that no line before sets."""
    made, missing = {"ACCOUNT_ID", *_WORKED_OUT}, dict[str, None]()
    for line in lines:
        missing |= dict.fromkeys(name for name in re.findall(r'"\$([A-Z_]+)"', line) if name not in made)
        made |= set(re.findall(r"^([A-Z_]+)=", line, re.MULTILINE))
    return list(missing)


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

    def _after(self, http_response: Any, parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        if http_response.status_code < HTTPStatus.MULTIPLE_CHOICES and not is_read(model.name):
            parameters = _without_secrets(context.get("labkit_params", {}))
            made = reduce(getitem, path.split("."), parsed) if (path := _ID_IN_ANSWER.get(model.name)) else None
            command = Command(model.service_model.service_name, model.name, parameters, made)
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
