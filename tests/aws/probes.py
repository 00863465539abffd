"""What is asked of a real account: for each inferred row of the conformance table a question, or why there is none.

`expected` is what the embedded cloud answers, so the same questions can be asked of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labkit.questions.endpoint import Endpoint
from labkit.tokens.decision import BODIES, LARGEST_REQUEST, WRONG_AUDIENCE, WRONG_PARTS
from tests.aws.grounds import Grounds
from tests.signing import encoded, sealed, signed

Ask = Callable[[Grounds], str]


@dataclass(frozen=True)
class Probe:
    """One question about a row.

    Attributes:
        row: the row's name in the table.
        asks: what is asked, in words.
        expected: what the embedded cloud answers. Where it is a status and a name, any sentence may follow.
        ask: asks, and returns the answer.
        needs_api: whether it is asked of the second API behind its authorizer.
    """

    row: str
    asks: str
    expected: str
    ask: Ask
    needs_api: bool = True

    def confirmed(self, answer: str) -> bool:
        """Whether an answer is the expected one."""
        return answer == self.expected or answer.startswith(f"{self.expected}: ")


GOOD = "200"
BARE = f"401 {BODIES[401]} Bearer"
INVALID = f'{BARE} scope="" error="invalid_token"'
NOT_THREE_PARTS = f'{INVALID} error_description="{WRONG_PARTS}"'
NO_AUDIENCE = f'{INVALID} error_description="{WRONG_AUDIENCE}"'
FORBIDDEN = f"403 {BODIES[403]}"
TOO_LARGE = f"431 {BODIES[431]}"
FAILED = '500 {"message":"Internal Server Error"}'

NOT_ASKED = {
    "browser_apps": "the embedded cloud does not do it, and no answer of the lab rests on it",
    "http_2": "the embedded cloud does not do it, and no answer of the lab rests on it",
    "one_request_says_one_thing": "AWS's services have a host each, so there is nothing to mix up",
    "permissions_take_time": "it depends on the moment: a run that sees no delay proves nothing",
    "principal_can_be_somebody": "an attendee may give permissions to the lab's two services only",
    "trigger_failures_at_the_token_endpoint": "it takes a person who signs in at Cognito's page in a browser",
}


def _sized(size: int) -> Ask:
    """A request of so many bytes: the request line, with the path as AWS sees it, and the values of the headers."""

    def ask(g: Grounds) -> str:
        headers = [("Authorization", g.token())]
        room = size - Endpoint("GET /open", urlsplit(g.url)._replace(path="/open").geturl()).request(headers).size
        return g.get("/open", headers=[*headers, ("X-Long", "a" * room)])

    return ask


def _token(claims: dict[str, Any] | None = None, path: str = "/open", **more: Any) -> Ask:
    return lambda g: g.get(path, g.token(claims, **more))


def _later(claim: str, seconds: int) -> Ask:
    """A token with a claim that is a moment so many seconds from now."""
    return lambda g: g.get("/open", g.token({claim: g.at(seconds)}))


def _around(before: str, after: str = "") -> Ask:
    return lambda g: g.get("/open", f"{before}{g.token()}{after}")


def _without_a_word(claims: dict[str, Any], old: bytes, new: bytes) -> Ask:
    """A signed payload with bytes in it that `json.dumps` would not write."""
    return lambda g: g.get("/open", signed(json.dumps(g.claims(claims)).encode().replace(old, new)))


def _recoded(change: Callable[[str], str]) -> Ask:
    """A token whose payload is encoded otherwise, and signed so."""
    header = encoded({"alg": "RS256", "kid": "first"})
    return lambda g: g.get("/open", sealed(f"{header}.{change(encoded(g.claims({'sub': '?>~?>~?>~?'})))}"))


def _loose(g: Grounds) -> str:
    """The last character of a signature of 256 bytes has four bits to spare."""
    token = g.token()
    return g.get("/open", token[:-1] + chr(ord(token[-1]) + 1))


def _nested(levels: int) -> Any:
    return json.loads("[" * levels + "]" * levels)


def _act(act: str) -> Ask:
    """What a caller gets of a function's answer: status, type and body."""

    def ask(g: Grounds) -> str:
        response = g.send(f"/act/{act}")
        return f"{response.status_code} {response.headers.get('content-type')} {response.text}"

    return ask


ODD = {"number": 7, "half": 1.5, "yes": True, "list": ["a", 2, True], "nested": {"a": [1]}, "nothing": None}

DATA_PLANE = (
    Probe("request-size", f"a good token in {LARGEST_REQUEST:,} bytes", GOOD, _sized(LARGEST_REQUEST)),
    Probe("request-size", "one byte more", TOO_LARGE, _sized(LARGEST_REQUEST + 1)),
    Probe("request-size", "12,000 bytes", TOO_LARGE, _sized(12_000)),
    Probe("identity-source", "no token", BARE, lambda g: g.get("/open")),
    Probe("identity-source", "an empty Authorization header", BARE, lambda g: g.get("/open", "")),
    Probe("identity-source", "Bearer alone", BARE, lambda g: g.get("/open", "Bearer")),
    Probe("identity-source", "a bare token", GOOD, _around("")),
    Probe("identity-source", "Bearer before it", GOOD, _around("Bearer ")),
    Probe("identity-source", "bearer", GOOD, _around("bearer ")),
    Probe("identity-source", "BEARER", GOOD, _around("BEARER ")),
    Probe("identity-source", "two blanks after Bearer", GOOD, _around("Bearer  ")),
    Probe("identity-source", "a tab after Bearer", INVALID, _around("Bearer\t")),
    Probe("identity-source", "no blank after Bearer", INVALID, _around("Bearer")),
    Probe("identity-source", "another scheme, Basic", INVALID, _around("Basic ")),
    Probe("identity-source", "blanks and a tab around it", GOOD, _around(" \t", "\t ")),
    Probe("identity-source", "a no-break space before it", INVALID, _around("\xa0")),
    Probe(
        "identity-source",
        "the header's name in small letters",
        GOOD,
        lambda g: g.get("/open", headers=[("authorization", g.token())]),
    ),
    Probe(
        "identity-source",
        "the header twice",
        BARE,
        lambda g: g.get("/open", headers=[("Authorization", g.token())] * 2),
    ),
    Probe("identity-source", "a query parameter", GOOD, lambda g: g.get("/query", query=f"token={g.token()}")),
    Probe(
        "identity-source",
        "the query parameter twice",
        BARE,
        lambda g: g.get("/query", query="&".join([f"token={g.token()}"] * 2)),
    ),
    Probe("shape", "one word", NOT_THREE_PARTS, lambda g: g.get("/open", "word")),
    Probe("shape", "a fourth part", NOT_THREE_PARTS, _around("", ".x")),
    Probe("shape", "a payload with padding", INVALID, _recoded(lambda part: part + "=" * (-len(part) % 4 or 4))),
    Probe(
        "shape",
        "the standard alphabet, with + and /",
        INVALID,
        _recoded(lambda part: part.replace("-", "+").replace("_", "/")),
    ),
    Probe("shape", "loose bits at the end", INVALID, _loose),
    Probe("shape", "a name twice", INVALID, _without_a_word({"sub": "x"}, b'"sub"', b'"sub": "y", "sub"')),
    Probe("shape", "a text that is no UTF-8", INVALID, _without_a_word({"sub": "#"}, b"#", b"\xff")),
    Probe(
        "shape",
        "a critical extension",
        INVALID,
        _token(header={"alg": "RS256", "kid": "first", "crit": ["x"], "x": 1}),
    ),
    Probe("shape", "511 levels of nesting", GOOD, _token({"deep": _nested(511)})),
    Probe("shape", "600 levels of nesting", INVALID, _token({"deep": _nested(600)})),
    Probe("shape", "a payload that is a list", INVALID, lambda g: g.get("/open", signed(b"[]"))),
    Probe("shape", "a header that is a list", INVALID, lambda g: g.get("/open", signed(g.claims(), b"[]"))),
    *(
        Probe("algorithm", f"{name} by a key that leaves it open", GOOD, _token(by="any", algorithm=name))
        for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    ),
    Probe("algorithm", "RS512 by a key for RS256", INVALID, _token(algorithm="RS512")),
    Probe("algorithm", "alg none", INVALID, _token(header={"alg": "none", "kid": "first"})),
    Probe("key-id", "a key with use enc", INVALID, _token(by="encryption")),
    Probe("key-id", "a key with key_ops encrypt", INVALID, _token(by="by-operations")),
    Probe("key-id", "no kid", INVALID, _token(header={"alg": "RS256"})),
    Probe("signature", "a key of 1,024 bits", INVALID, _token(by="small")),
    Probe("audience", "an aud that is an object", NO_AUDIENCE, _token({"aud": {"app": 1}})),
    Probe("audience", "an aud with a number beside the right one", NO_AUDIENCE, _token({"aud": ["app", 1]})),
    Probe("audience", "a null aud, and a right client_id", NO_AUDIENCE, _token({"aud": None, "client_id": "app"})),
    Probe("audience", "a right client_id alone", GOOD, _token({"client_id": "app"}, without=["aud"])),
    Probe("expiry", "expired 2 seconds ago", INVALID, _later("exp", -2)),
    Probe("expiry", "expired 45 seconds ago", INVALID, _later("exp", -45)),
    Probe("expiry", "expired 4 minutes ago", INVALID, _later("exp", -240)),
    Probe("expiry", "no exp", INVALID, _token(without=["exp"])),
    Probe("expiry", "an exp that is text", INVALID, _token({"exp": "4102444800"})),
    Probe("expiry", "an exp that is no number", INVALID, _token({"exp": float("nan")})),
    Probe("expiry", "an exp with a fraction", GOOD, _token({"exp": 4102444800.5})),
    *(
        probe
        for row, claim in (("not-before", "nbf"), ("issued-at", "iat"))
        for probe in (
            Probe(row, f"{claim} in 20 seconds", INVALID, _later(claim, 20)),
            Probe(row, f"{claim} in 4 minutes", INVALID, _later(claim, 240)),
            Probe(row, f"{claim} in 4 hours", INVALID, _later(claim, 14_400)),
            Probe(row, f"{claim} that is text", INVALID, _token({claim: "1"})),
            Probe(row, f"{claim} that is an object", INVALID, _token({claim: {}})),
        )
    ),
    Probe("scope", "no scope", FORBIDDEN, _token(path="/scoped")),
    Probe("scope", "scope with one of the route's", GOOD, _token({"scope": "other read"}, "/scoped")),
    Probe("scope", "a right scope and a wrong scp", FORBIDDEN, _token({"scope": "read", "scp": "x"}, "/scoped")),
    Probe("scope", "a wrong scope and a right scp", GOOD, _token({"scope": "x", "scp": ["read"]}, "/scoped")),
    Probe("scope", "an empty scp before a right scope", FORBIDDEN, _token({"scope": "read", "scp": []}, "/scoped")),
    Probe("scope", "a scope that is a list", FORBIDDEN, _token({"scope": ["read"]}, "/scoped")),
    Probe("scope", "an scp that is text", GOOD, _token({"scp": "read write"}, "/scoped")),
    Probe(
        "read_claims",
        "odd claims, on a route with scopes",
        '{"number": "7", "half": "1.5", "yes": "true", "list": "[a 2 true]", "nested": "{\\"a\\": [1]}", '
        '"nothing": "absent", "scopes": ["read", "extra"]}',
        lambda g: g.seen("/scoped", g.token({"scope": "read extra", **ODD}), *ODD),
    ),
    Probe(
        "read_claims",
        "scopes on a route without",
        '{"sub": "me", "scopes": null}',
        lambda g: g.seen("/open", g.token({"scope": "read"}), "sub"),
    ),
    Probe("read_function_answer", "text", "200 application/json just text", _act("text")),
    Probe("read_function_answer", "an object without statusCode", '200 application/json {"a": 1}', _act("object")),
    Probe("read_function_answer", "statusCode 201", "201 text/plain; charset=utf-8 made", _act("plain")),
    Probe("read_function_answer", "statusCode as text", "202 text/plain; charset=utf-8 made", _act("digits")),
    Probe(
        "read_function_answer",
        "statusCode zz",
        '500 application/json {"message":"Internal Server Error"}',
        _act("letters"),
    ),
)
