"""Tokens made otherwise than their issuer made them, as data: what is changed, and who signs.

A value in a forgery may hold names that stand for what is known only when the token is made: `$SCOPE` and the like.
A value that is such a name and nothing else becomes what the name stands for, a JSON object even; a name inside a
text becomes text. `In(seconds)` becomes a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any, Literal, NamedTuple

import jwt
from jwt.utils import base64url_decode, base64url_encode

Signer = Literal["kept", "issuer", "stranger", "stranger's curve", "public key", "a word", "nobody"]
Part = Literal["header", "claims", "encoded header", "encoded claims", "signature"]


class In(NamedTuple):
    """A time so many seconds from now, in seconds since 1970, or in `times` as many units."""

    seconds: float
    times: int = 1


class Gone:
    """In place of a value: the claim or parameter is taken out."""

    def __repr__(self) -> str:
        return "GONE"


GONE = Gone()


class Edit(NamedTuple):
    """A change to the text of a part: every match of a regular expression becomes something else.

    `header` and `claims` are JSON text; those two and `encoded …`, base64url, are changed before the token is signed,
    `signature`, base64url, after.
    """

    part: Part
    find: str
    put: str


@dataclass(frozen=True, kw_only=True)
class Forgery:
    """How a token differs from the one that it begins with.

    Attributes:
        header: parameters that are put in, replaced or taken out (GONE).
        claims: claims likewise.
        charset: the encoding of the claims, UTF-8 in every sound token.
        edits: changes to the text of the parts, in their order.
        by: who signs: `kept` leaves the old signature, `public key` makes an HMAC of the issuer's public key.
        algorithm: the algorithm that signs, whatever the header says.
    """

    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    charset: str = "utf-8"
    edits: tuple[Edit, ...] = ()
    by: Signer = "kept"
    algorithm: str = "RS256"


@dataclass(frozen=True)
class Means:
    """What a forger has: `keys` by who signs, `known` by name (`$SCOPE`), and a clock in seconds since 1970."""

    keys: Mapping[str, Any]
    known: Mapping[str, Any]
    now: float

    def filled(self, value: Any) -> Any:
        """A value with what its names stand for."""
        match value:
            case In(seconds, times):
                return int((self.now + seconds) * times)
            case str():
                return self.known[value] if value in self.known else self._text(value)
            case list():
                return [self.filled(member) for member in value]
            case dict():
                return {name: self.filled(member) for name, member in value.items()}
        return value

    def _text(self, value: str) -> str:
        return Template(value).safe_substitute({name.removeprefix("$"): text for name, text in self.known.items()})


def forge(forgery: Forgery, original: str, means: Means) -> str:
    """Make a token out of another.

    Args:
        forgery: what is changed. Where nothing is, the part stays as it was to the character.
        original: the token that it begins with.
        means: keys and values.
    """
    header, claims, signature = original.split(".", 2)
    header = _part("header", header, forgery.header, forgery, means)
    claims = _part("claims", claims, forgery.claims, forgery, means)
    if forgery.by != "kept":
        signature = _signature(f"{header}.{claims}".encode(), forgery, means)
    return f"{header}.{claims}.{_edited('signature', signature, forgery, means)}"


def key_id(token: str) -> str:
    """The `kid` of a token that is known to be sound."""
    return str(json.loads(base64url_decode(token.split(".", 1)[0]))["kid"])


def _part(
    name: Literal["header", "claims"], encoded: str, changes: Mapping[str, Any], forgery: Forgery, means: Means
) -> str:
    charset = forgery.charset if name == "claims" else "utf-8"
    if changes or charset != "utf-8" or any(edit.part == name for edit in forgery.edits):
        text = base64url_decode(encoded).decode()
        text = json.dumps(_changed(json.loads(text), changes, means), separators=(",", ":")) if changes else text
        encoded = base64url_encode(_edited(name, text, forgery, means).encode(charset)).decode()
    return _edited("encoded header" if name == "header" else "encoded claims", encoded, forgery, means)


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any], means: Means) -> dict[str, Any]:
    merged = {**members, **{name: means.filled(value) for name, value in changes.items()}}
    return {name: value for name, value in merged.items() if value is not GONE}


def _edited(part: Part, text: str, forgery: Forgery, means: Means) -> str:
    for edit in forgery.edits:
        if edit.part == part:
            text = re.sub(edit.find, str(means.filled(edit.put)), text)
    return text


def _signature(message: bytes, forgery: Forgery, means: Means) -> str:
    if forgery.by == "nobody":
        return ""
    signature = jwt.get_algorithm_by_name(forgery.algorithm).sign(message, means.keys[forgery.by])
    return base64url_encode(signature).decode()
