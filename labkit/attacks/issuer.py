"""A small OpenID Connect issuer on this machine that signs whatever it is told.

It is there to try things out: it serves from a thread of the calling process, its key is made anew in every process
and kept nowhere, and when the process ends nothing of it is left.
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from cryptography import x509

# OpenID Connect Discovery 1.0, section 4.
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
CERTIFICATE = "/certificate.pem"


class Issuer:
    """An issuer that serves from its creation until `close`, or until the process ends.

    Args:
        name: the `kid` of its key.

    Attributes:
        url: the issuer as tokens name it, which is where it serves. Its path was never another issuer's, so that keys
            that somebody has kept of an earlier one are not taken for its own.
        key: the private key.
        asked: the paths below the URL that were asked for, in their order.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/{name}-{secrets.token_hex(8)}"
        serve = partial(self._server.serve_forever, poll_interval=0.02)  # for so long `close` waits
        threading.Thread(target=serve, name=f"issuer {name}", daemon=True).start()

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public key as it is published (RFC 7517, section 4)."""
        return {
            **RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True),
            "kid": self.name,
            "alg": "RS256",
            "use": "sig",
        }

    @property
    def encryption_key_id(self) -> str:
        """The `kid` under which the key is published a second time, to be used for encryption only."""
        return f"{self.name}-encryption"

    @property
    def key_set(self) -> dict[str, Any]:
        """What it publishes (RFC 7517, section 5)."""
        encryption = {"kty": "RSA", "kid": self.encryption_key_id, "use": "enc", "n": self.jwk["n"], "e": self.jwk["e"]}
        return {"keys": [self.jwk, encryption]}

    @cached_property
    def certificate(self) -> x509.Certificate:
        """A certificate that the issuer gave itself."""
        from cryptography import x509  # noqa: PLC0415 - takes a while, and few tokens bear a certificate

        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        now, day = datetime.now(UTC), timedelta(days=1)
        return builder.not_valid_before(now - day).not_valid_after(now + day).sign(self.key, SHA256())

    @property
    def x5c(self) -> list[str]:
        """The certificate as a token's header can bear it (RFC 7515, section 4.1.6)."""
        return [b64encode(self.certificate.public_bytes(Encoding.DER)).decode()]

    def token(self, claims: Mapping[str, Any]) -> str:
        """A token of exactly these claims."""
        return jwt.encode(dict(claims), self.key, "RS256", headers={"kid": self.name})

    def page(self, path: str) -> bytes | None:
        """What is to be had at a path below the URL, if anything is."""
        self.asked.append(path)
        if path == DISCOVERY:
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"}).encode()
        if path == KEYS:
            return json.dumps(self.key_set).encode()
        return self.certificate.public_bytes(Encoding.PEM) if path == CERTIFICATE else None


@cache
def own_issuer() -> Issuer:
    """The issuer that this process tries things out with."""
    return Issuer("what-if")


@cache
def stranger() -> Issuer:
    """An issuer of this process that nobody trusts."""
    return Issuer("stranger")


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing of who leaves before the answer: this may run behind a notebook."""


class _Handler(BaseHTTPRequestHandler):
    """Serves an issuer's pages to GET, and nothing else."""

    def __init__(self, issuer: Issuer, *args: Any) -> None:
        self.issuer = issuer
        super().__init__(*args)

    def do_GET(self) -> None:
        below = self.path.removeprefix(urlsplit(self.issuer.url).path)
        page = self.issuer.page(below) if below != self.path else None
        self.send_response(HTTPStatus.NOT_FOUND if page is None else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing: this may run behind a notebook."""
