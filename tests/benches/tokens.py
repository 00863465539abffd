"""Reading, verifying and tracing a token, against bare PyJWT on the same tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import jwt

from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Route, decide
from labkit.tokens.token import decode, verify
from tests.benches.measuring import Figure, ratios, seconds
from tests.signing import jwk, key, signed

TOKENS, ROUNDS = 200, 25
ISSUER, CLIENT = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example12", "1example23456789exampleabc"


def figures() -> Iterator[Figure]:
    """Each as a ratio to what PyJWT needs for the same."""
    given = [_token(number) for number in range(TOKENS)]
    _, decoded = ratios([_each(_pyjwt_decode, given), _each(decode, given)], ROUNDS)
    _, verified, traced = ratios([_each(_pyjwt_verify, given), _each(_verify, given), _each(_trace, given)], ROUNDS)
    yield Figure("decode a token, times PyJWT", f"{decoded:.2f}", "1.3")
    yield Figure("decode and verify a token, times PyJWT", f"{verified:.2f}", "1.3")
    yield Figure("the whole trace of a token, times PyJWT's verification", f"{traced:.2f}", "2")
    yield Figure("the whole trace of a token, in microseconds", f"{seconds(_each(_trace, given)) / TOKENS * 1e6:.0f}")


def _each(action: Callable[[str], object], given: list[str]) -> Callable[[], object]:
    def run() -> None:
        for token in given:
            action(token)

    return run


def _token(number: int) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT, "token_use": "id", "iat": now, "exp": now + 3600, "sub": f"user {number}"}
    return signed({**claims, "cognito:groups": ["admin", "regular"], "scope": f"admin-{CLIENT} regular-{CLIENT}"})


KEYS = {"keys": [jwk("second"), jwk("first")]}
PUBLIC_KEY = key("first").public_key()
AUTHORIZER = AuthorizerSettings("$request.header.Authorization", ISSUER, (CLIENT,))
ROUTE = Route("GET /AdminUser", (f"admin-{CLIENT}",))


def _pyjwt_decode(token: str) -> None:
    jwt.decode(token, options={"verify_signature": False})


def _pyjwt_verify(token: str) -> None:
    jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"], audience=CLIENT, issuer=ISSUER)


def _verify(token: str) -> None:
    assert verify(decode(token), KEYS).state == "valid"


def _trace(token: str) -> None:
    request = ApiRequest((("Authorization", token),), (), "GET", "/AdminUser")
    assert decide(request, AUTHORIZER, ROUTE, KEYS, time.time()).status == 200
