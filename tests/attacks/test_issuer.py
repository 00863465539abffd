"""The issuer that tries things out: what it publishes verifies what it signs, and it leaves nothing behind."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from cryptography import x509

from labkit.attacks.issuer import Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer("test")
    yield made
    made.close()


def test_its_discovery_document_leads_to_keys_that_verify_its_tokens(issuer: Issuer) -> None:
    document = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=5).json()
    assert document["issuer"] == issuer.url
    keys = jwt.PyJWKClient(document["jwks_uri"])
    token = issuer.token({"iss": issuer.url, "aud": "a", "n": 1})
    key = keys.get_signing_key_from_jwt(token)
    assert key.key_id == "test"
    assert jwt.decode(token, key, ["RS256"], audience="a")["n"] == 1


def test_it_publishes_its_key_for_encryption_under_another_name(issuer: Issuer) -> None:
    signing, encryption = requests.get(f"{issuer.url}/.well-known/jwks.json", timeout=5).json()["keys"]
    assert (signing["kid"], signing["use"], signing["alg"]) == ("test", "sig", "RS256")
    assert (encryption["kid"], encryption["use"], encryption["n"]) == ("test-encryption", "enc", signing["n"])
    assert set(signing) == {"kty", "n", "e", "kid", "use", "alg", "key_ops"}


def test_its_certificate_bears_its_key(issuer: Issuer) -> None:
    served = x509.load_pem_x509_certificate(requests.get(f"{issuer.url}/certificate.pem", timeout=5).content)
    in_a_header = x509.load_der_x509_certificate(base64.b64decode(issuer.x5c[0]))
    assert served.public_key() == in_a_header.public_key() == issuer.key.public_key()


def test_it_serves_nothing_else_and_remembers_what_was_asked_for(issuer: Issuer) -> None:
    origin = f"http://{urlsplit(issuer.url).netloc}"
    assert requests.get(f"{issuer.url}/key", timeout=5).status_code == 404
    assert requests.get(f"{origin}/.well-known/openid-configuration", timeout=5).status_code == 404
    assert requests.post(issuer.url, timeout=5).status_code == 501
    assert issuer.asked[0] == "/key"


def test_it_listens_on_loopback_until_it_is_closed() -> None:
    issuer = Issuer("test")
    address = ("127.0.0.1", urlsplit(issuer.url).port or 0)
    assert issuer.url.startswith("http://127.0.0.1:")
    socket.create_connection(address, timeout=5).close()
    issuer.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("issuer"))


def test_no_two_have_a_key_or_an_address_in_common(issuer: Issuer) -> None:
    other = Issuer("test")
    other.close()
    assert other.jwk["n"] != issuer.jwk["n"]
    assert urlsplit(other.url).path != urlsplit(issuer.url).path


def test_nothing_is_printed_of_who_leaves_before_the_answer(issuer: Issuer, capfd: pytest.CaptureFixture[str]) -> None:
    address = urlsplit(issuer.url)
    for _ in range(20):
        with socket.create_connection((str(address.hostname), address.port or 0)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(f"GET {address.path}/certificate.pem HTTP/1.0\r\n\r\n".encode())
    issuer.close()
    assert capfd.readouterr().err == ""
