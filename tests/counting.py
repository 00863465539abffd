"""How often AWS is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labkit.target.target import Target

SERVICES = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2", "sts", "resourcegroupstaggingapi")


@contextmanager
def sent_calls(target: Target) -> Iterator[list[str]]:
    """The operations of all requests that a target's clients send meanwhile, repeated ones each time."""
    sent: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        sent.append(event_name.rsplit(".", 1)[-1])

    events = [target.client(service).meta.events for service in SERVICES]
    for emitter in events:
        emitter.register("before-send", note)
    yield sent
    for emitter in events:
        emitter.unregister("before-send", note)
