"""Labs in a warm cloud, the AWS calls that they make, and answers that AWS could give in the cloud's place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

from labkit.lab import Lab
from labkit.runtimes import RUNTIMES
from labkit.settings import Settings
from labkit.steps import STEPS
from labkit.steps.report import Report
from labkit.steps.status import Status
from labkit.target.target import Target

STEP_NAMES = [step.name for step in STEPS]
NAME_A_STEP = f"Name one of: {', '.join(STEP_NAMES)}."
NAME_A_RUNTIME = f"Set it to {' or '.join(RUNTIMES)}."
SERVICES = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2")
READS = ("Get", "List", "Describe", "AdminGet", "AdminList")


def lab_at(home: Path, name: str, runtime: str = "python3.13", told: list[str] | None = None) -> Lab:
    """A lab in the cloud of a home folder, with clients of its own. What it tells is kept in `told`."""
    kept = [] if told is None else told
    return Lab(Settings("embedded", name, home, runtime), tell=kept.append)


def standing(status: Status) -> list[str]:
    """The names of the steps that are found."""
    return [state.step for state in status.states if state.found]


def settings_report(lab: Lab) -> Report:
    """What `check` says of every setting, without the calls."""
    report = Report(())
    for step in STEPS:
        report += lab.check(step.name)
    return report


@dataclass
class Calls:
    """The operations that a lab's clients ask for, in their order, counted once however often they are sent."""

    target: Target
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for service in SERVICES:
            self.target.client(service).meta.events.register("before-call", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.made.append(model.name)

    @property
    def writes(self) -> list[str]:
        """Those that change something."""
        return [name for name in self.made if not name.startswith(READS)]


@dataclass(frozen=True)
class Refusal:
    """An error as AWS answers it."""

    code: str
    message: str = "Rate exceeded"
    status: int = 400

    def response(self, client: Any) -> AWSResponse:
        """The HTTP answer in the protocol of the client's service."""
        if client.meta.service_model.resolved_protocol == "query":
            error = f"<Error><Type>Sender</Type><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
            return http_answer(self.status, f"<ErrorResponse>{error}</ErrorResponse>")
        body = json.dumps({"__type": self.code, "message": self.message})
        return http_answer(self.status, body, {"x-amzn-ErrorType": self.code})


def http_answer(status: int, body: str, headers: dict[str, str] | None = None) -> AWSResponse:
    """An answer as botocore gets it from the network."""
    return AWSResponse("http://aws", status, headers or {}, _Body(body.encode()))


@dataclass
class _Body:
    content: bytes

    def stream(self) -> list[bytes]:
        return [self.content]


def refuse(target: Target, service: str, operation: str, refusal: Refusal, times: int = 10**6) -> list[Refusal]:
    """Answer the next so many requests for an operation with an error. Returns those that were not used yet."""
    client, left = target.client(service), [refusal] * times

    def answer(**_: Any) -> AWSResponse | None:
        return left.pop().response(client) if left else None

    client.meta.events.register(_event("before-send", client, operation), answer)
    return left


def change_answers(target: Target, service: str, operation: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every answer to an operation before the lab sees it."""
    client = target.client(service)
    client.meta.events.register(_event("after-call", client, operation), lambda parsed, **_: change(parsed))


def break_off(target: Target, service: str, operation: str) -> None:
    """Stop, as Ctrl-C would, when an operation is to be called."""

    def stop(**_: Any) -> None:
        raise KeyboardInterrupt

    client = target.client(service)
    client.meta.events.register(_event("before-call", client, operation), stop)


def in_pages_of_one(target: Target, service: str, operation: str) -> list[str]:
    """Cut every answer to a list operation into pages of one item. Returns the page tokens that were asked for."""
    client, asked = target.client(service), []
    paginator = client.get_paginator(_method(operation))._pagination_cfg
    token_in, token_out, items = paginator["input_token"], paginator["output_token"], paginator["result_key"]

    def begin(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
        context["page"] = int(params.get(token_in, 0))
        if token_in in params:
            asked.append(params[token_in])
        return {name: value for name, value in params.items() if name != token_in}

    def cut(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        page, everything = context["page"], parsed[items]
        parsed[items] = everything[page : page + 1]
        if page + 1 < len(everything):
            parsed[token_out] = str(page + 1)

    client.meta.events.register(_event("provide-client-params", client, operation), begin)
    client.meta.events.register(_event("after-call", client, operation), cut)
    return asked


def _event(name: str, client: Any, operation: str) -> str:
    return f"{name}.{client.meta.service_model.service_id.hyphenize()}.{operation}"


def _method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Seconds since the clock began."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds
