"""Keys fetched from where an issuer publishes them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from labkit.cloud.protocol import Cloud
from labkit.errors import LabError
from labkit.questions import published_keys
from labkit.questions.published_keys import PublishedKeys, fetch_keys, keys_for
from labkit.target.embedded import EmbeddedPlace
from tests.signing import jwk


def keys() -> dict[str, Any]:
    return {"keys": [jwk("first"), jwk("other")]}


@contextmanager
def served(status: int, body: bytes, location: str = "") -> Iterator[str]:
    """An HTTP server on loopback that gives one answer, as its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            server.shutdown()
            thread.join()


def test_keys_are_fetched_past_every_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with served(200, json.dumps(keys()).encode()) as address:
        assert fetch_keys("https://issuer.example", address) == keys()


@pytest.mark.parametrize(
    "body",
    [b"", b"noise", b"[]", b"null", b"{}", b'{"keys":{}}', b"\xff\xfe", b"[" * 100_000],
)
def test_an_answer_that_is_no_key_set_is_told(body: bytes) -> None:
    with served(200, body) as address, pytest.raises(LabError) as caught:
        fetch_keys("https://issuer.example", address)
    assert caught.value.problem == f"What {address} serves is no key set."
    assert caught.value.remedy == "See whether https://issuer.example is the issuer that you mean."


@pytest.mark.parametrize(("status", "reason"), [(404, "the answer was 404"), (500, "the answer was 500")])
def test_an_answer_of_an_error_is_told(status: int, reason: str) -> None:
    with served(status, b"") as address, pytest.raises(LabError) as caught:
        fetch_keys("https://issuer.example", address)
    assert caught.value.problem == f"The keys of https://issuer.example cannot be fetched from {address}: {reason}."


def test_a_redirection_is_not_followed() -> None:
    with (
        served(200, json.dumps(keys()).encode()) as elsewhere,
        served(302, b"", elsewhere) as address,
        pytest.raises(LabError) as caught,
    ):
        fetch_keys("https://issuer.example", address)
    assert caught.value.problem == f"What {address} serves is no key set."


def test_a_key_set_that_is_too_large_is_told() -> None:
    # API Gateway takes at most 150,000 bytes.
    with served(200, b" " * 150_001) as address, pytest.raises(LabError) as caught:
        fetch_keys("https://issuer.example", address)
    assert caught.value.problem.endswith(": the answer is larger than 150,000 bytes.")


def test_an_issuer_that_nobody_serves_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody can answer there
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/keys"
        with pytest.raises(LabError) as caught:
            fetch_keys("https://issuer.example", address)
    assert caught.value.problem == (
        f"The keys of https://issuer.example cannot be fetched from {address}: nobody answers there."
    )
    assert caught.value.remedy == "See whether the cloud is running and the address is right, then try again."


def test_an_issuer_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_keys, "PATIENCE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(LabError) as caught:
        fetch_keys("https://issuer.example", f"http://127.0.0.1:{silent.getsockname()[1]}/keys")
    assert caught.value.problem.endswith(": there was no answer in 0.1 seconds.")


@pytest.mark.parametrize("address", ["", "nonsense", "file:///keys.json", "http://", "http://[", "http://127.0.0.1:x/"])
def test_what_is_no_web_address_is_told(address: str) -> None:
    with pytest.raises(LabError) as caught:
        fetch_keys("https://issuer.example", address)
    assert caught.value.problem.endswith(": that is no web address.")


POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd"


@pytest.mark.parametrize(
    ("issuer", "fetched"),
    [
        (POOL, True),
        ("https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_AbCd", True),
        ("https://issuer-cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCd", True),
        ("https://cognito-idp.eusc-de-east-1.amazonaws.com/eusc-de-east-1_AbCd", False),
        ("https://cognito-idp.eu-west-1.amazonaws.eu/eu-west-1_AbCd", False),
        ("https://cognito-idp.eu-west-1.evil.example/eu-west-1_AbCd", False),
        ("https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_AbCd", False),
        (POOL.replace("https", "http"), False),
        (POOL + "\n", False),
        (None, False),
    ],
)
def test_only_a_user_pools_keys_are_fetched(issuer: object, fetched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(published_keys, "published_keys", lambda place, issuer: asked.append(issuer))

    keys_for(EmbeddedPlace(Cloud(1, 1, "http://127.0.0.1:1", "", "", "", "", 0.0), "eu-west-1"), issuer)

    assert asked == ([issuer] if fetched else [])


def test_the_keys_that_sign_are_to_be_had_as_text() -> None:
    pem = PublishedKeys((jwk("first"), {**jwk("other"), "use": "enc"}), "").pem
    assert pem.keys() == {"first"}
    assert pem["first"].startswith(b"-----BEGIN PUBLIC KEY-----\n")
