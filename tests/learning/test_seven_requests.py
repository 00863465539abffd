"""The quiz of chapter 05: the right answer of each question is what the authorizer's rules, or the cloud, answer."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.learning.lessons import lessons
from labkit.learning.tasks.chapter_03 import ROUTE
from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Route, decide
from tests.signing import encoded, jwk, signed

QUESTIONS = lessons().quizzes["seven-requests"].questions
NOW, CLIENT, ISSUER = (
    1_795_384_800,
    "1example23456789abcdefghij",
    "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A",
)
ADMIN, REGULAR = f"admin-{CLIENT}", f"regular-{CLIENT}"
BOTH = f"{ADMIN} {REGULAR}"


def token(scope: str | None = BOTH, by: str = "first", **changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": NOW - 600, "exp": NOW + 3_000, "scope": scope, **changes}
    return signed({name: value for name, value in claims.items() if value is not None}, by=by)


def forged() -> str:
    """A token of regularuser with another payload."""
    header, _, signature = token(REGULAR).split(".")
    payload = encoded({"iss": ISSUER, "aud": CLIENT, "iat": NOW - 600, "exp": NOW + 3_000, "scope": ADMIN})
    return f"{header}.{payload}.{signature}"


# What is sent in each question: the value of the header Authorization.
SENT: dict[str, str | None] = {
    "q-nothing": None,
    "q-other-header": None,
    "q-other-door": token(REGULAR),
    "q-access": token("aws.cognito.signin.user.admin", aud=None, client_id=CLIENT),
    "q-bearer": f"Bearer {token(REGULAR)}",
    "q-two-groups": token(),
    "q-only-admin": token(ADMIN),
    "q-no-group": token(None),
    "q-group-alone": token("admin regular"),
    "q-expired": token(exp=NOW - 3 * 3_600),
    "q-expired-and-other": token(REGULAR, exp=NOW - 3 * 3_600),
    "q-other-client": token(ADMIN, aud="another"),
    "q-other-pool": token(ADMIN, by="stranger", iss=f"{ISSUER}nother"),
    "q-changed": forged(),
    "q-signed-out": token(),
    "q-taken-out": token(),
    "q-put-in": token(REGULAR),
    "q-no-permission-no-scope": token(REGULAR),
}

# What does not come to the authorizer, or not from it; test_chapter_03.py asks the cloud for these.
BESIDE = {
    "q-small-letter": "404, no route matches",
    "q-post": "404, no route matches",
    "q-no-permission": "500, the function could not be run",
}


def said(name: str) -> str:
    question = QUESTIONS[name]
    return question.options[question.right].text


@pytest.mark.parametrize("name", SENT)
def test_the_right_answer_is_that_of_the_rules(name: str) -> None:
    key = QUESTIONS[name].shown.split("\n")[0]
    headers = (("X-Token", token()),) if SENT[name] is None else (("Authorization", str(SENT[name])),)
    settings = AuthorizerSettings("$request.header.Authorization", ISSUER, (CLIENT,))
    route = Route(key, (ADMIN if key == ROUTE else REGULAR,))
    decision = decide(ApiRequest(headers, (), *key.split(" ")), settings, route, {"keys": [jwk("first")]}, NOW)
    refused = f"refused by the rule {decision.rule}" if decision.rule else "let in by every rule"
    assert said(name) == f"{decision.status}, {refused}"


def test_every_question_is_compared() -> None:
    assert QUESTIONS.keys() == SENT.keys() | BESIDE.keys()
    assert {name: said(name) for name in BESIDE} == BESIDE
