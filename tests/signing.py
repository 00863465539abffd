"""Tokens for tests, signed with RSA keys that are made anew in every run."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

Part = dict[str, Any] | bytes


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """The private key of this name; the same within a run. The one named `small` is smaller than RFC 7518 allows."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if name == "small" else 2048)


def jwk(name: str, **members: Any) -> dict[str, Any]:
    """The key as its issuer publishes it, with the name as its kid. A member that is None is left out."""
    published = {**RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True), "kid": name, "alg": "RS256", "use": "sig"}
    return {name: value for name, value in {**published, **members}.items() if value is not None}


def signed(payload: Part, header: Part | None = None, by: str = "first", algorithm: str = "RS256") -> str:
    """A token over header and payload, which may be bytes that are no JSON."""
    message = unsigned(payload, {"alg": algorithm, "kid": by} if header is None else header, b"").removesuffix(".")
    return sealed(message, by, algorithm)


def sealed(message: str, by: str = "first", algorithm: str = "RS256") -> str:
    """A token of a header and a payload that are encoded already, in whatever way."""
    return f"{message}.{encoded(jwt.get_algorithm_by_name(algorithm).sign(message.encode(), key(by)))}"


def unsigned(payload: Part, header: Part, signature: bytes = b"0123456789") -> str:
    """A token in form, with a signature that nobody made."""
    return ".".join((encoded(header), encoded(payload), encoded(signature)))


def encoded(part: Part) -> str:
    """Base64url without padding, of bytes or of a dictionary as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()
