"""Tokens read, explained, verified and compared on this machine. A whole token is never shown, only what it says."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import tzinfo
from typing import Any, Literal, cast

from labkit.text.wording import distance, moment, named, printable, quoted
from labkit.tokens import claims, jws
from labkit.tokens.jws import Jws, Keys, MalformedError

Kind = Literal["id", "access", "refresh", "unknown"]
Part = Literal["header", "claims"]
State = Literal["valid", "invalid", "unknown key", "cannot be checked"]

# An HTTP API takes requests of 10,240 bytes: what is ten times as long is no token, and is not worth reading.
LONGEST_TEXT = 102_400
ENCRYPTED_PARTS = 5


# The claims that decide what a token opens come first in a comparison.
DECIDING = ("iss", "aud", "client_id", "token_use", "scope", "scp", "cognito:groups", "exp")
LISTS_IN_WORDS = ("scope", "scp")

KINDS: dict[Kind, str] = {
    "id": "An ID token: it tells an app who the user is",
    "access": "An access token: it tells an API what the user may do",
    "refresh": "A refresh token: it gets new tokens from its issuer and opens nothing else",
    "unknown": "A token that does not say of what kind it is",
}


@dataclass(frozen=True)
class Token:
    """A text read as a token, none of it verified.

    `header` and `claims` are empty where they cannot be read. `signature` is only its beginning. `problem` is None, or
    a sentence: what is wrong with the text, and at which character. `signed` is there if the text is a signed token.
    """

    raw: str = field(repr=False)
    header: dict[str, Any]
    claims: dict[str, Any]
    signature: str
    kind: Kind
    problem: str | None = None
    signed: Jws | None = field(default=None, repr=False, compare=False)

    @property
    def sentence(self) -> str:
        """What the text is, in a sentence."""
        if self.problem and not self.claims:
            return f"Not a token that can be read. {self.problem}"
        if not self.problem and not self.signed:
            return f"{KINDS[self.kind]}. It is encrypted, and only its issuer can read it."
        return f"{KINDS[self.kind]}. {self.problem or ''}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """The token as `--json` prints it, without the token itself."""
        names = ("kind", "sentence", "problem", "header", "claims", "signature")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ClaimNote:
    """A claim explained: its value as JSON text, a sentence about it, and for a time when that is and how far off."""

    name: str
    value: str
    sentence: str
    source: str
    when: str = ""
    distance: str = ""

    def to_dict(self) -> dict[str, str]:
        """The note as `--json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class SignatureCheck:
    """What is to be said of a token's signature, as a word and as a sentence."""

    state: State
    sentence: str

    def to_dict(self) -> dict[str, str]:
        """The verdict as `--json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Where two tokens differ: a claim or header parameter, its two values as JSON text, and what is meant.

    A value is None where the token has no such claim. `only_left` and `only_right` are the words of a scope or the
    members of a list that one token has and the other has not.
    """

    part: Part
    name: str
    left: str | None
    right: str | None
    sentence: str
    only_left: tuple[str, ...] = ()
    only_right: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The difference as `--json` prints it."""
        return asdict(self)


def decode(text: str) -> Token:
    """Read a text as a token, with `Bearer`, blanks and line breaks around it or not. Nothing is raised."""
    if len(text) > LONGEST_TEXT:
        return _unreadable(f"It has {len(text):,} characters: no token is as long, and no API would take it.")
    given = jws.bare(text.strip())
    raw = "".join(given.split())
    if not raw:
        return _unreadable("There is no token: the text is empty.")
    start = text.index(given)
    problem = _broken_line(given, start)
    try:
        signed = jws.parse(raw, start)
    except MalformedError as error:
        return _partly_read(raw, problem or str(error))
    kind = _kind(signed.header, signed.claims)
    return Token(raw, signed.header, signed.claims, _cut_signature(raw), kind, problem, signed)


def describe(token: Token, now: float, zone: tzinfo | None = None) -> tuple[ClaimNote, ...]:
    """Explain every claim of a token, in the token's order.

    Args:
        token: the token, as `decode` read it.
        now: the reader's clock, in seconds since 1970.
        zone: the reader's time zone; None for the zone of this machine.
    """
    return tuple(_note(name, value, claims.claim(name), now, zone) for name, value in token.claims.items())


def describe_header(token: Token) -> tuple[ClaimNote, ...]:
    """Explain every parameter of a token's header, in the token's order."""
    encrypted = "enc" in token.header
    notes = ((name, value, claims.parameter(name, encrypted=encrypted)) for name, value in token.header.items())
    return tuple(_note(*note, 0, None) for note in notes)


def verify(token: Token, keys: Keys) -> SignatureCheck:
    """Verify a token's signature against a key set. Says nothing about its claims: an expired token can be valid.

    Args:
        token: the token, as `decode` read it.
        keys: the published key set (JWKS) of the issuer that it should come from, or the keys of the set.
    """
    signed = token.signed
    if signed is None:
        return SignatureCheck("cannot be checked", f"There is no signature to check. {token.problem or token.sentence}")
    algorithm, key_id = signed.header.get("alg"), signed.header.get("kid")
    if algorithm not in jws.RSA_ALGORITHMS:
        return SignatureCheck(
            "cannot be checked",
            f"Published keys check RSA signatures, and the header says {named(signed.header, 'alg')}.",
        )
    key = jws.find_key(jws.signing_keys(keys), key_id)
    if key is None:
        return SignatureCheck(
            "unknown key", f"The issuer publishes no such key: the header says {named(signed.header, 'kid')}."
        )
    if jws.is_signed_by(signed, key):
        return SignatureCheck(
            "valid", f"The key {quoted(key_id)} of the issuer made the signature, and nothing was changed since."
        )
    return SignatureCheck(
        "invalid", f"The key {quoted(key_id)} did not make this signature for this header and payload."
    )


def compare(left: Token, right: Token) -> tuple[Difference, ...]:
    """List where two tokens differ.

    Returns:
        First the claims that decide what a token opens, then the other claims by name, then the header's parameters.
    """
    return (*_differences("claims", left.claims, right.claims), *_differences("header", left.header, right.header))


def cut(raw: str) -> str:
    """A token so that it can be shown: the beginnings of header and payload, nothing of the signature."""
    header, *rest = jws.bare(raw).split(".", 2)
    shown = [_beginning(header), *(_beginning(part) for part in rest[:1]), *("…" for _ in rest[1:])]
    return ".".join(shown)


def _unreadable(problem: str) -> Token:
    return Token("", {}, {}, "", "unknown", problem)


def _partly_read(raw: str, problem: str) -> Token:
    """What can still be read of a text that is no signed token."""
    parts = raw.split(".", ENCRYPTED_PARTS)
    header = _try("header", parts[0])
    if len(parts) == ENCRYPTED_PARTS and "enc" in header:
        # RFC 7516, section 7.1. Cognito's refresh tokens are such; their header says that they hold a token.
        return Token(raw, header, {}, "", "refresh" if header.get("cty") == "JWT" else "unknown")
    payload = _try("payload", parts[1]) if len(parts) > 1 else {}
    if len(parts) == 1 and "alg" not in header:  # RFC 7515, section 4.1.1: so it is no header, but a payload alone
        header, payload = payload, header
    return Token(raw, header, payload, _cut_signature(raw), _kind(header, payload), problem)


def _try(name: str, part: str) -> dict[str, Any]:
    try:
        return jws.json_part(name, part)
    except MalformedError:
        return {}


def _broken_line(given: str, start: int) -> str | None:
    blank = re.search(r"\s", given)
    return f"There is a blank or line break at character {start + blank.start() + 1}." if blank else None


def _kind(header: dict[str, Any], payload: dict[str, Any]) -> Kind:
    use = payload.get("token_use")
    if use in ("id", "access", "refresh"):
        return cast(Kind, use)
    return "access" if header.get("typ") == "at+jwt" else "unknown"  # RFC 9068, section 2.1


def _note(name: str, value: Any, claim: claims.Claim, now: float, zone: tzinfo | None) -> ClaimNote:
    name = printable(name)
    seconds = jws.numeric_date(value) if claim.is_time else None
    if seconds is None:
        return ClaimNote(name, quoted(value), claim.sentence, claim.source)
    return ClaimNote(name, quoted(value), claim.sentence, claim.source, moment(seconds, zone), distance(seconds - now))


def _differences(part: Part, left: dict[str, Any], right: dict[str, Any]) -> list[Difference]:
    names = sorted(left.keys() | right.keys(), key=_by_weight)
    return [_difference(part, name, left, right) for name in names if _differ(left, right, name)]


def _by_weight(name: str) -> tuple[int, str]:
    return (DECIDING.index(name) if name in DECIDING else len(DECIDING), name)


def _difference(part: Part, name: str, left: dict[str, Any], right: dict[str, Any]) -> Difference:
    known = claims.claim(name) if part == "claims" else claims.parameter(name)
    left_words, right_words = _words(name, left.get(name)), _words(name, right.get(name))
    return Difference(
        part,
        printable(name),
        quoted(left[name]) if name in left else None,
        quoted(right[name]) if name in right else None,
        known.sentence,
        tuple(printable(word) for word in left_words if word not in right_words),
        tuple(printable(word) for word in right_words if word not in left_words),
    )


def _differ(left: dict[str, Any], right: dict[str, Any], name: str) -> bool:
    # Compared as JSON text, because to Python 1, 1.0 and true are equal.
    return (name in left) != (name in right) or _as_text(left[name]) != _as_text(right[name])


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _words(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and name in LISTS_IN_WORDS:
        return tuple(value.split())
    return tuple(member for member in value if isinstance(member, str)) if isinstance(value, list) else ()


def _beginning(part: str) -> str:
    # Of a short text less, so that a password given by mistake is not shown either.
    shown = part[: min(10, len(part) // 3)]
    return f"{shown if shown.isprintable() else ''}…"


def _cut_signature(raw: str) -> str:
    signature = raw.split(".", 2)[-1] if raw.count(".") > 1 else ""
    return f"{_beginning(signature)} ({len(signature)} characters)" if signature else ""
