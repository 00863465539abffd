"""How many requests a lab sends to AWS, counted where botocore sends them: what is tried again counts again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labkit.target.target import Target

SERVICES = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2", "sts", "resourcegroupstaggingapi")


@contextmanager
def sent_calls(target: Target) -> Iterator[list[str]]:
    """Collect the operations that are sent until the block ends, by all clients of a target."""
    sent: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    for service in SERVICES:
        target.client(service).meta.events.register("before-send", note, unique_id=f"count-{id(sent)}")
    try:
        yield sent
    finally:
        for service in SERVICES:
            target.client(service).meta.events.unregister("before-send", unique_id=f"count-{id(sent)}")
