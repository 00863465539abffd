"""The wire between labs and their cloud, on which any call can be harmed."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from labkit.lab import Lab
from labkit.settings import Settings
from labkit.target.target import Place, Target
from tests.labs import Refusal

SERVICES = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2", "resourcegroupstaggingapi")
EVERY_CALL = 0

# What a service says to too many calls. https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
THROTTLED = {
    "iam": Refusal("Throttling"),
    "lambda": Refusal("TooManyRequestsException", status=429),
    "logs": Refusal("ThrottlingException"),
    "cognito-idp": Refusal("TooManyRequestsException"),
    "apigatewayv2": Refusal("TooManyRequestsException", status=429),
    "resourcegroupstaggingapi": Refusal("ThrottledException"),
}
UNAVAILABLE = Refusal("ServiceUnavailable", "Try again", 503)


class StoppedError(BaseException):
    """The process ended here. No `except Exception` holds it up."""


@dataclass
class Wire:
    """The clients of one place, shared by its labs one after the other.

    `harm` is what is done to the call of number `to` (EVERY_CALL: to each): `stopped` once it was answered, its first
    request `throttled` or `unavailable`, its first answer `lost`, or `refused` however often it is sent.
    """

    place: Place
    home: Path
    harm: str = ""
    to: int = EVERY_CALL
    calls: list[str] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)
    _own: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for service in SERVICES:
            client = self._clients[service] = self.place.client(service)
            client.meta.events.register("before-call", self._count)
            client.meta.events.register("before-send", functools.partial(self._send, service))
            client.meta.events.register("after-call", self._answered)

    def lab(self, name: str) -> Lab:
        """A lab at the end of this wire, as a new process would open it."""
        settings = Settings("embedded", name, self.home, "python3.13")
        lab = Lab(settings, tell=lambda line: None)
        lab._target = Target(settings, self.place, True, self._clients)
        return lab

    def harmed(self, harm: str, to: int = EVERY_CALL) -> None:
        """Count the calls from here on, and harm one of them or each."""
        self.harm, self.to = harm, to
        self.calls.clear()

    def healed(self) -> bool:
        """Harm nothing more. Tells whether there was a call of that number."""
        self.harm = ""
        return len(self.calls) >= self.to

    def _count(self, model: Any, **_: Any) -> None:
        with self._lock:
            self.calls.append(model.name)
            self._own.number = len(self.calls)

    def _meant(self, *harms: str) -> bool:
        return self.harm in harms and self.to in (EVERY_CALL, self._own.number)

    def _send(self, service: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        first = bytes(request.headers["amz-sdk-request"]).startswith(b"attempt=1")
        if self._meant("refused") or (first and self._meant("unavailable")):
            return UNAVAILABLE.response(self._clients[service])
        if first and self._meant("throttled"):
            return THROTTLED[service].response(self._clients[service])
        if first and self._meant("lost"):
            _answer_of(request)
            raise ConnectionClosedError(endpoint_url=request.url)
        return None

    def _answered(self, **_: Any) -> None:
        if self._meant("stopped"):
            raise StoppedError


def _answer_of(request: AWSPreparedRequest) -> None:
    session = URLLib3Session(proxies={})
    session.send(request)
    session.close()
