"""Our decision against MiniStack's own verdict, on generated tokens: they agree but for divergences with a name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Route, decide
from tests.cloud.rules.issuers import issuer
from tests.signing import jwk, signed, unsigned

# A key for every RSA algorithm.
KEY = jwk("first", alg=None)
AUDIENCE = ("app", "other-app")
FOREVER = 4_102_444_800
TWICE = b'{"iss":"ISSUER","aud":"app","exp":4102444800,"a":1,"a":2}'
LEFT_OUT = "left out"
RIGHT = "the issuer"


@pytest.fixture(scope="module")
def issuer_url() -> Iterator[str]:
    key_set = {"keys": [KEY]}
    discovery = {"issuer": "ISSUER", "jwks_uri": "ISSUER/keys"}
    with issuer({"/.well-known/openid-configuration": discovery, "/keys": key_set}) as url:
        yield url


@dataclass(frozen=True)
class Case:
    """A token and the route that it is sent to, by what is special about them."""

    algorithm: str = "RS256"
    named: Any = "RS256"
    key: str = "first"
    kid: Any = "first"
    claims: dict[str, Any] = field(default_factory=dict)
    payload: bytes | None = None
    header: bytes | None = None
    form: str = "strict"
    bearer: str = ""
    scopes: tuple[str, ...] = ()

    def token(self, url: str) -> str:
        """The token, signed."""
        claims = {"iss": RIGHT, "aud": "app", "exp": FOREVER} | self.claims
        claims = {n: url if v == RIGHT else v for n, v in claims.items() if v != LEFT_OUT}
        header = {"alg": self.named, "kid": self.kid}
        shown = self.header or {name: value for name, value in header.items() if value != LEFT_OUT}
        payload = claims if self.payload is None else self.payload.replace(b"ISSUER", url.encode())
        if self.form == "unsigned":
            return unsigned(payload, shown)
        made = signed(payload, shown, self.key, self.algorithm)
        return {"strict": made, "padded": f"{made}==", "short": made.rpartition(".")[0]}.get(self.form) or standard(
            made
        )


def standard(token: str) -> str:
    """A token whose signature is written in the standard alphabet of base64."""
    return token.rpartition(".")[0] + "." + token.rpartition(".")[2].replace("-", "+").replace("_", "/")


def ours(case: Case, url: str) -> int:
    """Our decision."""
    request = ApiRequest((("Authorization", case.bearer + case.token(url)),), (), "GET", "/x")
    authorizer = AuthorizerSettings("$request.header.Authorization", url, AUDIENCE)
    return decide(request, authorizer, Route("GET /x", case.scopes), [KEY], time.time()).status


def ministacks(case: Case, url: str) -> int:
    """MiniStack's verdict, as its data plane would answer it."""
    from ministack.services import apigateway

    authorizer = {
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": url, "audience": list(AUDIENCE)},
    }
    route = {"authorizationScopes": list(case.scopes)}
    headers = {"authorization": case.bearer + case.token(url)}
    try:
        _, _, refused = asyncio.run(apigateway._validate_jwt_authorizer(route, authorizer, headers, {}))
    except Exception:
        return 500
    return 200 if refused is None else int(refused[0])


def value(case: Case, claim: str) -> Any:
    """A claim of a case."""
    return ({"iss": RIGHT, "aud": "app", "exp": FOREVER} | case.claims).get(claim, LEFT_OUT)


def is_number(number: Any) -> bool:
    """Whether a claim is a number of JSON."""
    return isinstance(number, int | float) and not isinstance(number, bool)


# Each divergence by name: what ours and MiniStack's statuses are, and when it may be so.
DIVERGENCES: dict[str, tuple[set[tuple[int, int]], Callable[[Case], bool]]] = {
    "MiniStack fails where a JSON value is of another kind": (
        {(401, 500)},
        lambda c: (
            bool(c.payload or c.header)
            or any(value(c, n) != LEFT_OUT and not is_number(value(c, n)) for n in ("exp", "nbf", "iat"))
            or any(
                is_number(value(c, n)) and value(c, n) in (float("inf"), float("-inf")) for n in ("exp", "nbf", "iat")
            )
            or any(value(c, n) != value(c, n) for n in ("exp", "nbf", "iat"))
        ),
    ),
    "MiniStack takes a token without exp": ({(401, 200), (401, 403)}, lambda c: value(c, "exp") == LEFT_OUT),
    "MiniStack takes times that are text or true": (
        {(401, 200), (401, 403)},
        lambda c: any(isinstance(value(c, n), str | bool) and value(c, n) != LEFT_OUT for n in ("exp", "nbf", "iat")),
    ),
    "MiniStack does not read alg": ({(401, 200), (401, 403)}, lambda c: c.named != "RS256" and c.algorithm == "RS256"),
    "MiniStack knows no RSA algorithm but RS256": (
        {(200, 401), (403, 401)},
        lambda c: c.algorithm != "RS256" and c.named == c.algorithm,
    ),
    "MiniStack takes base64 that is not strict": (
        {(401, 200), (401, 403)},
        lambda c: c.form in ("padded", "standard"),
    ),
    "MiniStack compares audiences as text": (
        {(401, 200), (401, 403)},
        lambda c: not all(isinstance(a, str) for a in _listed(value(c, "aud"))),
    ),
    "MiniStack adds scp to scope": (
        {(403, 200)},
        lambda c: value(c, "scp") != LEFT_OUT and value(c, "scope") != LEFT_OUT,
    ),
    "MiniStack takes a null aud for none": (
        {(401, 200), (401, 403)},
        lambda c: value(c, "aud") is None and value(c, "client_id") != LEFT_OUT,
    ),
    "MiniStack takes names that are used twice": ({(401, 200), (401, 403)}, lambda c: c.payload == TWICE),
}


def _listed(audience: Any) -> list[Any]:
    return audience if isinstance(audience, list) else [audience]


NUMBERS = st.sampled_from([FOREVER, 1, 0, -1, 1.5, float(FOREVER)])
ODD = st.sampled_from(["abc", str(FOREVER), "1", None, [], {}, True, float("nan"), float("inf"), LEFT_OUT])
AUDIENCES = st.sampled_from(
    ["app", "other-app", "ap", "app ", "APP", ["x", "app"], ["x"], [], LEFT_OUT, None, 1, {"app": 1}, [1, "app"]]
)
ISSUERS = st.sampled_from([RIGHT, RIGHT, RIGHT, "https://example.com", "", None, LEFT_OUT, 1])
SCOPES = st.sampled_from(
    [LEFT_OUT, "", "read", "read write", "reading", "READ", " read", "write  read", "read\twrite", ["read"], None, 1]
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": ISSUERS,
        "aud": AUDIENCES,
        "client_id": st.sampled_from(["app", "nobody", LEFT_OUT]),
        "exp": NUMBERS | ODD,
        "nbf": NUMBERS | ODD,
        "iat": NUMBERS | ODD,
        "scope": SCOPES,
        "scp": SCOPES,
    },
)
CASES = st.builds(
    Case,
    algorithm=st.sampled_from(["RS256", "RS256", "RS256", "RS384", "RS512", "PS256"]),
    named=st.sampled_from(["RS256", "RS256", "RS256", "RS384", "none", "HS256", LEFT_OUT, None, 1]),
    key=st.sampled_from(["first", "first", "first", "second"]),
    kid=st.sampled_from(["first", "first", "first", "second", "", "FIRST", LEFT_OUT, None, 1]),
    claims=CLAIMS,
    payload=st.sampled_from([None, None, None, None, b"[]", b"1", b'"x"', b"null", b"{", TWICE]),
    header=st.sampled_from([None, None, None, None, b"[]", b"null", b"{}", b"{"]),
    form=st.sampled_from(["strict", "strict", "strict", "padded", "standard", "short", "unsigned"]),
    bearer=st.sampled_from(["", "Bearer ", "bearer ", "BEARER  ", "Bearer", "Token "]),
    scopes=st.sampled_from([(), ("read",), ("read", "write")]),
)


WELL_SIGNED = st.builds(Case, claims=CLAIMS, scopes=st.sampled_from([(), ("read",), ("read", "write")]))


@given(case=CASES | CASES | WELL_SIGNED)
@profile(max_examples=900)
def test_our_decision_is_ministacks_but_for_divergences_with_a_name(issuer_url: str, case: Case) -> None:
    pair = ours(case, issuer_url), ministacks(case, issuer_url)
    named = [name for name, (pairs, when) in DIVERGENCES.items() if pair in pairs and when(case)]
    assert pair[0] == pair[1] or named, f"{pair} for {case}"


# An example of each divergence, with the two statuses written down.
EXAMPLES = [
    ("MiniStack fails where a JSON value is of another kind", Case(claims={"exp": "abc"}), 401, 500),
    ("MiniStack fails where a JSON value is of another kind", Case(header=b"null"), 401, 500),
    ("MiniStack takes a token without exp", Case(claims={"exp": LEFT_OUT}), 401, 200),
    ("MiniStack takes times that are text or true", Case(claims={"exp": str(FOREVER)}), 401, 200),
    ("MiniStack does not read alg", Case(named="none"), 401, 200),
    ("MiniStack does not read alg", Case(named="HS256"), 401, 200),
    ("MiniStack knows no RSA algorithm but RS256", Case(algorithm="RS512", named="RS512"), 200, 401),
    ("MiniStack takes base64 that is not strict", Case(form="padded"), 401, 200),
    ("MiniStack compares audiences as text", Case(claims={"aud": [1, "app"]}), 401, 200),
    ("MiniStack adds scp to scope", Case(claims={"scp": "x", "scope": "read"}, scopes=("read",)), 403, 200),
    ("MiniStack takes a null aud for none", Case(claims={"aud": None, "client_id": "app"}), 401, 200),
    ("MiniStack takes names that are used twice", Case(payload=TWICE), 401, 200),
]


@pytest.mark.parametrize(("name", "case", "our_status", "their_status"), EXAMPLES)
def test_each_divergence_is_as_it_is_named(
    issuer_url: str, name: str, case: Case, our_status: int, their_status: int
) -> None:
    assert (ours(case, issuer_url), ministacks(case, issuer_url)) == (our_status, their_status)
    assert name in DIVERGENCES


def test_each_divergence_has_an_example() -> None:
    assert {name for name, *_ in EXAMPLES} == set(DIVERGENCES)
