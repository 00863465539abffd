"""Chapter 07: two famous forgeries, and a verifier that falls for them and others until it is mended."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby
from typing import Any

from labkit.attacks.attack import attempt_named
from labkit.attacks.bench import ROUTE, Bench
from labkit.attacks.forgery import Forgery, In, Means, forge, key_id
from labkit.attacks.issuer import own_issuer
from labkit.attacks.rows import ATTEMPTS, Attempt
from labkit.learning.task import checks
from labkit.learning.work import NotYet, Piece, Seen, Workplace, run
from labkit.questions.endpoint import LabApi, ProtectedEndpoint, Question, clock
from labkit.questions.sign_in import SignIns
from labkit.tokens.decision import Route, decide
from labkit.tokens.jws import PARTS, Jwk, find_key

Verify = Callable[..., Any]


@checks("forge-none")
def forge_none(place: Workplace, unsigned: Callable[[str], Any]) -> str:
    """Look at what the learner's function makes of regularuser's token, then send it to the lab's own API."""
    original = SignIns(place.target).tokens("regularuser")["id"]
    forged = _token(run(unsigned, original))
    header, signature = _read(forged)
    if header.get("alg") != "none":
        raise NotYet("alg", wanted="none", found=header.get("alg"))
    if signature:
        raise NotYet("signature")
    return _fired(place, original, forged)


@checks("forge-hs256")
def forge_hs256(place: Workplace, confused: Callable[[str, bytes], Any]) -> str:
    """The same for a token whose signature is an HMAC of the issuer's public key."""
    original = SignIns(place.target).tokens("regularuser")["id"]
    published = LabApi(place.target).protected(Question(ROUTE)).published
    kid = key_id(original)
    pem = published.pem[kid]
    forged = _token(run(confused, original, pem))
    header, signature = _read(forged)
    if header.get("alg") != "HS256":
        raise NotYet("alg", wanted="HS256", found=header.get("alg"))
    if header.get("kid") != kid:
        raise NotYet("no-kid", found=header.get("kid"))
    if _decoded(signature) != _hmac(pem, forged.rpartition(".")[0]):
        raise NotYet(_slip(signature, forged, original, pem, find_key(published.keys, kid) or {}))
    return _fired(place, original, forged)


_SIGNS = {"padding": r"=", "alphabet": r"[+/]", "blank": r"\s", "other-letters": r"[^\w.-]"}


def _token(made: Any) -> str:
    """What a function made, if it is a token to look at: three parts of base64url."""
    if made is None:
        raise NotYet("nothing")
    if not isinstance(made, str):
        raise NotYet("no-text", found=type(made).__name__)
    count = made.count(".") + 1
    if count != PARTS:
        raise NotYet("last-dot" if count == PARTS - 1 else "parts", found=count)
    for wrong, sign in _SIGNS.items():
        if found := re.search(sign, made, re.ASCII):
            raise NotYet(wrong, found=found[0])
    return made


def _read(token: str) -> tuple[dict[str, Any], str]:
    """The header and the signature of a token whose payload can be read, too."""
    header, payload, signature = token.split(".")
    _object("payload", payload)
    return _object("header", header), signature


def _object(name: str, part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part) or b"")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise NotYet("no-json", where=name)
    return value


def _hmac(secret: bytes, message: str) -> bytes:
    return hmac.digest(secret, message.encode(), "sha256")


def _slip(signature: str, forged: str, original: str, pem: bytes, jwk: Jwk) -> str:
    """Which common mistake made a signature that does not fit."""
    header, payload, _ = forged.split(".")
    signed = f"{header}.{payload}"
    if signature == original.rpartition(".")[2]:
        return "old-signature"
    made: dict[str, tuple[bytes, ...]] = {
        "hex": (_hmac(pem, signed).hex().encode(),),
        "payload-only": tuple(_hmac(pem, part) for part in (payload, header, header + payload)),
        "signed-before": tuple(_hmac(pem, part) for part in (original, original.rpartition(".")[0])),
        "jwk": tuple(_hmac(key, signed) for key in _as_json(jwk)),
        "cut-pem": tuple(_hmac(key, signed) for key in (pem.strip(), *_inside(pem))),
        "no-secret": (hashlib.sha256(signed.encode()).digest(), _hmac(b"", signed)),
    }
    found = {_decoded(signature), signature.encode()}
    return next((name for name, candidates in made.items() if not found.isdisjoint(candidates)), "signature")


def _decoded(part: str) -> bytes | None:
    """The bytes of a part of a token; None if its length is one that base64 cannot have."""
    try:
        return urlsafe_b64decode(f"{part}==")
    except ValueError:
        return None


def _as_json(jwk: Jwk) -> Iterator[bytes]:
    """A key as it is published, with and without blanks, and its modulus alone."""
    for spaces in ((", ", ": "), (",", ":")):
        yield json.dumps(dict(jwk), separators=spaces).encode()
    yield str(jwk.get("n")).encode()


def _inside(pem: bytes) -> tuple[bytes, ...]:
    """A key in PEM without its first and last line: the text between, with and without line breaks, and its bytes."""
    lines = pem.strip().split(b"\n")[1:-1]
    text = b"".join(lines)
    return b"\n".join(lines), text, b64decode(text)


def _fired(place: Workplace, original: str, forged: str) -> str:
    """Send a forged token that has something to gain to the lab's own API. What it answered, and why."""
    if forged.split(".")[1] == original.split(".")[1]:
        raise NotYet("own-payload")
    endpoint = LabApi(place.target).protected(Question(ROUTE))
    headers = (("Authorization", forged),)
    reply = endpoint.send(headers)
    now = clock(reply.headers)
    _require_gain(endpoint, forged, now)
    decision = endpoint.predict(endpoint.request(headers), now)
    if reply.status_code != HTTPStatus.UNAUTHORIZED:
        raise NotYet(say="Your API did not answer 401.", wanted=401, found=reply.status_code)
    return f"sent to your API, it was answered 401, and the rule {decision.rule} stopped it."


def _require_gain(endpoint: ProtectedEndpoint, forged: str, now: float) -> None:
    """Only the signature may be in the way: the claims are judged as if the issuer had signed them."""
    issuer = own_issuer()
    signing = Forgery(header={"alg": "RS256", "kid": issuer.name}, by="issuer")
    signed = forge(signing, forged, Means({"issuer": issuer.key}, {}, now))
    request = endpoint.request((("Authorization", signed),))
    decision = decide(request, endpoint.authorizer, Route(ROUTE, endpoint.scopes), [issuer.jwk], now)
    if failed := decision.failed:
        wrong = "no-gain" if failed.name == "scope" else "spoiled"
        raise NotYet(wrong, where=failed.name, wanted=failed.expected, found=failed.actual)


# The verifier: what gets by these rules may not get in. What only a pedant refuses or takes is not asked of it.

_JUDGED = ("algorithm", "key-id", "signature", "issuer", "audience", "expiry", "not-before", "issued-at", "scope")
_LEFT_OPEN = frozenset(
    {
        "list of more than text",
        "expiry as text",
        "expiry beyond numbers",
        "scopes with tabs",
        "scope as list",
        "scp before scope",
    }
)

# A verifier may allow a minute or two for clocks that differ; the bench's own row ended a second ago.
_LONG_OVER: dict[str, Any] = {"tries": "The token ended an hour ago.", "claims": {"iat": In(-7200), "exp": In(-3600)}}


def _sound(name: str, tries: str, **claims: str) -> Attempt:
    source = "RFC 6749, section 3.3"
    return Attempt(name=name, tries=tries, mechanism=name, claims=claims, by="issuer", source=source)


_GOOD = (
    _sound("as its issuer made it", "The token has two scopes, and the first is the route's."),
    _sound("another order", "The token has two scopes, and the second is the route's.", scope="regular-$CLIENT $SCOPE"),
    _sound("one scope", "The token has the route's scope and no other.", scope="$SCOPE"),
)


def attempts() -> tuple[Attempt, ...]:
    """The attempts on a verifier, in the rules' order."""
    tried = (row for row in ATTEMPTS if row.rule in _JUDGED and row.name not in _LEFT_OPEN)
    return tuple(replace(row, **_LONG_OVER) if row.name == "expired" else row for row in tried)


def good() -> tuple[Attempt, ...]:
    """The tokens that a verifier has to let in."""
    return (*_GOOD, attempt_named("one of many audiences"), attempt_named("unknown claims"))


@checks("verifier")
def verifier(place: Workplace, verify: Verify) -> Seen:
    """Attack the learner's function with the bench's tokens, and see that it still lets the good ones in."""
    if not callable(verify):
        run(verify)
    bench = Bench(place.target)
    refused = [row for row in good() if not _lets_in(bench, row, verify, good=True)]
    tried = attempts()
    let_in = [row for row in tried if _lets_in(bench, row, verify)]
    pieces = tuple(_pieces(tried, let_in, refused))
    if refused:
        raise NotYet("refuses-good", pieces=pieces, where=_described(refused[0]))
    if let_in:
        wanted, found = (f"{count} of {len(tried)}" for count in (0, len(let_in)))
        raise NotYet(let_in[0].rule, pieces=pieces, wanted=wanted, found=found, where=_described(let_in[0]))
    return Seen(f"{len(tried)} attempts, and none gets in; each of the good tokens does.", pieces)


def _lets_in(bench: Bench, row: Attempt, verify: Verify, *, good: bool = False) -> bool:
    """Whether the function lets a token in. One that it stops at is not let in; at a good one it must not stop."""
    judge, token = bench.judge(row), bench.token(row)
    known = token, judge.published.pem, judge.authorizer.issuer
    try:
        verdict = run(verify, *known, judge.authorizer.audience[0], judge.scopes[0])
    except NotYet:
        if good:
            raise
        return False
    if verdict is None and good:
        raise NotYet("no-verdict")
    return bool(verdict)


def _described(row: Attempt) -> str:
    return f"“{row.name}”: {row.tries}"


def _pieces(tried: tuple[Attempt, ...], let_in: list[Attempt], refused: list[Attempt]) -> Iterator[Piece]:
    """For each rule how many attempts are refused and which get in; at the end the good tokens."""
    for rule, rows in groupby(tried, lambda row: row.rule):
        group = list(rows)
        names = [row.name for row in group if row in let_in]
        note = f"gets in: {'; '.join(names)}" if names else ""
        yield Piece(f"{rule}: {len(group) - len(names)} of {len(group)} refused", not names, note)
    names = [row.name for row in refused]
    count = len(good())
    note = f"refused: {'; '.join(names)}" if names else ""
    yield Piece(f"good tokens: {count - len(names)} of {count} let in", not names, note)
