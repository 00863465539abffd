"""A signed token in compact form: parsed strictly, verified with the RSA keys that its issuer publishes.

Sources: RFC 7515 (signed tokens), RFC 7517 (keys), RFC 7518 (algorithms), RFC 7519 (claims).
The cryptography is that of PyJWT and `cryptography`.
"""

from __future__ import annotations

import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labkit.text.wording import counted, quoted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Jwk = Mapping[str, Any]
Keys = Mapping[str, Any] | Sequence[Jwk]

# RFC 7518, sections 3.3 and 3.5.
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
PARTS = 3

# Half of what Python's own readers and writers take before they give up (their limit is 1,000 calls).
DEEPEST = 512

# RFC 7518, sections 3.3 and 3.5: a smaller RSA key must not be used.
SMALLEST_KEY = 2048

# HTTP's optional white space (RFC 9110, section 5.6.3). Python's own idea of a blank has 27 more characters.
BLANKS = " \t"

NOT_BASE64URL = re.compile(r"[^A-Za-z0-9_-]")
JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKET = re.compile(r"[][{}]")
LONG_NUMBER = re.compile(r"\d{640,}")


class MalformedError(ValueError):
    """A text is no signed token. The message is a sentence: what is wrong with it, and at which character."""


@dataclass(frozen=True, slots=True)
class Jws:
    """The parts of a signed token, decoded and not yet verified. `signed` is what the signature is over."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def bare(value: str) -> str:
    """The token in the value of an Authorization header: without blanks around it and without `Bearer`, in any case.

    Blanks are spaces and tabs; behind `Bearer`, spaces alone (RFC 9110, section 11.4).
    """
    value = value.strip(BLANKS)
    scheme, _, rest = value.partition(" ")
    return rest.lstrip(" ") if scheme.lower() == "bearer" else value


def parse(token: str, start: int = 0) -> Jws:
    """Split and decode a signed token (RFC 7515, section 7.1; RFC 7519, section 7.2).

    Args:
        token: the token alone, without `Bearer`.
        start: how many characters stand before the token, so that positions are counted in the whole text.

    Raises:
        MalformedError: the token is not three parts of base64url without padding, its header or its payload is not one
            JSON object with every name used once, or its header names a critical extension (RFC 7515, section 4.1.11).
    """
    parts = token.split(".", PARTS)
    if len(parts) != PARTS:
        found = counted(token.count(".") + 1, "part")
        raise MalformedError(f"It has {found}, and a signed token has 3, separated by dots.")
    header_text, payload_text, signature_text = parts
    payload_start = start + len(header_text) + 1
    header = json_part("header", header_text, start)
    claims = json_part("payload", payload_text, payload_start)
    signature = _base64url("signature", signature_text, payload_start + len(payload_text) + 1)
    if "crit" in header:
        raise MalformedError(
            f"Its header asks for extensions that nobody here knows: crit is {quoted(header['crit'])}."
        )
    return Jws(header, claims, f"{header_text}.{payload_text}".encode(), signature)


def json_part(name: str, text: str, start: int = 0) -> dict[str, Any]:
    """Decode the header or the payload of a token.

    Args:
        name: what a sentence calls the part.
        text: the part, in base64url.
        start: how many characters stand before it.

    Raises:
        MalformedError: it is not the base64url of one JSON object in UTF-8.
    """
    data = _base64url(name, text, start)
    try:
        json_text = data.decode()
        _refuse_depth(json_text)
        value = _JSON.decode(json_text)
    except UnicodeDecodeError as error:
        raise MalformedError(f"The {name} is not text in UTF-8: see its byte {error.start + 1}.") from None
    except json.JSONDecodeError as error:
        raise MalformedError(f"The {name} is not JSON: {_said(error)}, at character {error.pos + 1} of it.") from None
    except _NotStrictError as error:
        raise MalformedError(f"The {name} {error}.") from None
    except ValueError:
        raise MalformedError(f"The {name} holds a number of too many digits{_long_number(json_text)}.") from None
    if not isinstance(value, dict):
        raise MalformedError(f"The {name} is not a JSON object but {quoted(value, 40)}.")
    return value


def signing_keys(keys: Keys) -> tuple[Jwk, ...]:
    """The RSA keys of a key set that may verify signatures (RFC 7517, sections 4.1 to 4.3).

    Args:
        keys: a JWK set as its issuer publishes it, or a sequence of JWKs. Members of another kind are passed over.
    """
    members = keys.get("keys") if isinstance(keys, Mapping) else keys
    if not isinstance(members, Sequence):
        return ()
    return tuple(key for key in members if isinstance(key, Mapping) and _may_verify(key))


def find_key(keys: Sequence[Jwk], key_id: Any) -> Jwk | None:
    """The first of the keys that bears the id, which is compared exactly."""
    if not isinstance(key_id, str):
        return None
    return next((key for key in keys if key.get("kid") == key_id), None)


def is_signed_by(token: Jws, key: Jwk) -> bool:
    """Whether the key made the token's signature with the RSA algorithm that the token's header names.

    False for an algorithm of another family, for one that is not the key's own (RFC 7517, section 4.4), and for a key
    that cannot be read or is smaller than SMALLEST_KEY bits.
    """
    algorithm = token.header.get("alg")
    modulus, exponent = key.get("n"), key.get("e")
    if algorithm not in RSA_ALGORITHMS or key.get("alg") not in (None, algorithm):
        return False
    if not isinstance(modulus, str) or not isinstance(exponent, str):
        return False
    public_key = _public_key(modulus, exponent)
    import jwt  # noqa: PLC0415 - only who checks a signature waits for it

    return public_key is not None and jwt.get_algorithm_by_name(algorithm).verify(
        token.signed, public_key, token.signature
    )


def numeric_date(value: Any) -> float | None:
    """A claim's value as seconds since 1970 (RFC 7519, section 2), or None if it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _base64url(name: str, text: str, start: int) -> bytes:
    try:
        data = urlsafe_b64decode(f"{text}==")
    except ValueError:  # a length that base64 cannot have, or characters that are not ASCII
        raise _not_base64url(name, text, start) from None
    # The library skips what is not base64, and takes the standard alphabet: only a text that comes back is strict.
    if urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise _not_base64url(name, text, start)
    return data


def _not_base64url(name: str, text: str, start: int) -> MalformedError:
    if wrong := NOT_BASE64URL.search(text):
        place = start + wrong.start() + 1
        return MalformedError(f"The {name} holds {quoted(wrong[0])} at character {place}, which is not base64url.")
    end = start + len(text)
    return MalformedError(f"The {name} cannot end as it does at character {end}: something was cut off or changed.")


class _NotStrictError(Exception):
    """What a strict reader refuses in JSON: the end of a sentence that begins with the part."""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 7515, section 4, and RFC 7519, section 4, let a parser refuse a name that is used twice.
    value = dict(members)
    if len(value) != len(members):
        [(twice, _)] = Counter(name for name, _ in members).most_common(1)
        raise _NotStrictError(f"uses the name {quoted(twice, 40)} twice")
    return value


def _constant(name: str) -> Any:
    raise _NotStrictError(f"holds {name}, which JSON does not have")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for bracket in BRACKET.finditer(_without_strings(text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            place = bracket.start() + 1
            raise _NotStrictError(f"is nested more than {DEEPEST} levels deep, at character {place} of it")


def _long_number(text: str) -> str:
    found = LONG_NUMBER.search(_without_strings(text))
    return f", at character {found.start() + 1} of it" if found else ""


def _without_strings(text: str) -> str:
    return JSON_STRING.sub(lambda string: " " * len(string[0]), text)


def _said(error: json.JSONDecodeError) -> str:
    words = error.msg.removesuffix(" at").removesuffix(" starting")
    return words[:1].lower() + words[1:]


def _may_verify(key: Jwk) -> bool:
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("kty") == "RSA"
        and key.get("use") in (None, "sig")
        and isinstance(operations, list)
        and "verify" in operations
    )


@lru_cache(maxsize=256)
def _public_key(modulus: str, exponent: str) -> RSAPublicKey | None:
    import jwt  # noqa: PLC0415 - only who checks a signature waits for the cryptography
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    except (jwt.InvalidKeyError, ValueError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_KEY else None
