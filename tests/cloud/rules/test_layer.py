"""The layer itself: what it is made for, what it reads, how much of it."""

from __future__ import annotations

import asyncio
import importlib.metadata
from typing import Any

import pytest

from labkit.cloud import exchange
from labkit.cloud.exchange import Answer, DisconnectedError, Request, TooLargeError
from labkit.cloud.layer import wrap
from labkit.errors import LabError

SCOPE = {
    "method": "POST",
    "raw_path": b"/a%20b",
    "query_string": b"x=1&x=%C3%BC&y",
    "headers": [(b"Host", b"h"), (b"X-Twice", b"1"), (b"x-twice", b"2")],
}


def read(*messages: dict[str, Any]) -> Request:
    """Read a request whose body comes in these messages."""
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return asyncio.run(Request.head(SCOPE).whole(receive))


def test_a_request_is_read_whole() -> None:
    request = read(
        {"type": "http.request", "body": b"one ", "more_body": True},
        {"type": "http.request", "body": b"two"},
    )
    assert (request.path, request.body) == ("/a b", b"one two")
    assert request.parameters == [("x", "1"), ("x", "ü"), ("y", "")]
    assert (request.header("host"), request.header("x-twice"), request.header("nothere")) == ("h", None, None)
    assert request.values("x-twice") == ["1", "2"]


def test_a_body_that_is_too_large_or_breaks_off_is_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_BODY", 3)
    with pytest.raises(TooLargeError):
        read({"type": "http.request", "body": b"four"})
    with pytest.raises(DisconnectedError):
        read({"type": "http.disconnect"})


def test_json_is_written_as_api_gateway_writes_it() -> None:
    assert Answer.of_json(401, {"message": "Unauthorized"}).body == b'{"message":"Unauthorized"}'


def test_another_ministack_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9.9")
    with pytest.raises(LabError, match=r"MiniStack 9\.9\.9 is installed, .* written for 1\.5\.33"):
        wrap(None, None, 0)  # type: ignore[arg-type]
