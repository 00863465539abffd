"""One HTTP request and its answer, read from and written to ASGI, with the body in one piece."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
# An ASGI application: (scope, receive, send).
App = Callable[..., Coroutine[Any, Any, None]]

# The payload that an HTTP API takes, which is a thousand times what the lab sends to any service.
LARGEST_BODY = 10 * 1024 * 1024


class TooLargeError(Exception):
    """A request's body is larger than LARGEST_BODY."""


class DisconnectedError(Exception):
    """The client left before its request was whole."""


@dataclass(frozen=True)
class Request:
    """An HTTP request. `raw_path` and `query` are as sent, `path` is decoded, header names are in lower case.

    The body is empty until somebody has judged the rest, and reads it.
    """

    method: str
    raw_path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"

    @classmethod
    def head(cls, scope: Scope) -> Request:
        """A request without its body."""
        return cls(
            method=scope["method"],
            raw_path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
            ),
            client=(scope.get("client") or ("127.0.0.1", 0))[0],
        )

    async def whole(self, receive: Receive) -> Request:
        """The same request with the body that its client sends.

        Raises:
            TooLargeError: the body is larger than LARGEST_BODY.
            DisconnectedError: the client is gone.
        """
        return replace(self, body=b"".join([chunk async for chunk in _body(receive)]))

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query string's names and values, decoded, in their order."""
        return parse_qsl(self.query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The only value of a header. None if it is missing, or there more than once."""
        values = self.values(name)
        return values[0] if len(values) == 1 else None

    def values(self, name: str) -> list[str]:
        """Every value of a header, by its name in lower case."""
        return [value for key, value in self.headers if key == name]

    def with_body(self, body: bytes) -> Request:
        """The same request with another body."""
        headers = tuple((name, str(len(body)) if name == "content-length" else value) for name, value in self.headers)
        return replace(self, body=body, headers=headers)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. A header may occur more than once."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @classmethod
    def of_json(cls, status: int, content: Any, *headers: tuple[str, str], media: str = "application/json") -> Answer:
        """An answer with a JSON body, written without spaces as API Gateway does."""
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return cls(status, (("content-type", media), *headers), body)

    @property
    def good(self) -> bool:
        """Whether what was asked for is done."""
        return self.status < 300  # noqa: PLR2004 - an HTTP status

    def json(self) -> Any:
        """The body as JSON, or None if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_json(self, content: Any) -> Answer:
        """The same answer with another JSON body."""
        return replace(self, body=json.dumps(content).encode())

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in self.headers]
        headers.append((b"content-length", str(len(self.body)).encode()))
        headers.append((b"date", formatdate(usegmt=True).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass
class Capture:
    """An ASGI `send` that keeps the answer."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)

    async def send(self, message: Any) -> None:
        """Take one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            self.chunks.append(message.get("body", b""))

    def answer(self) -> Answer:
        """What was sent, without the length, which a change of the body would make wrong, and the server's date."""
        headers = tuple((n, v) for n, v in self.headers if n.lower() not in ("content-length", "date"))
        return Answer(self.status, headers, b"".join(self.chunks))


async def ask(app: App, scope: Scope, request: Request) -> Answer:
    """What an application answers to a request.

    Args:
        app: the ASGI application.
        scope: the scope that the request was read from; the request's own headers take their place in it.
        request: the request, its body included.
    """
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    capture = Capture()
    messages = iter(({"type": "http.request", "body": request.body}, {"type": "http.disconnect"}))

    async def receive() -> Any:
        return next(messages)

    await app({**scope, "headers": headers}, receive, capture.send)
    return capture.answer()


async def skip_body(receive: Receive) -> None:
    """Read a body and keep nothing of it, so that a client which sends before it listens hears its answer."""
    with suppress(TooLargeError, DisconnectedError):
        async for _ in _body(receive):
            pass


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLargeError
        yield chunk
        more = message.get("more_body", False)
