"""A question costs what it needs: every request to AWS is counted, with real values and with stable words alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.lab import Lab
from labkit.text.terms import OUTPUTS, STABLE
from tests.counting import sent_calls
from tests.labs import lab_at

ADMIN = "GET /AdminUser"
SIGN_IN = ["ListUserPools", "DescribeUserPool", "ListUserPoolClients", "InitiateAuth"]
ROUTE = ["GetApis", "GetRoutes", "GetAuthorizer"]
EVENT = {"userName": "a", "callerContext": {"clientId": "c"}, "request": {"groupConfiguration": {}}}

Ask = Callable[[Lab, dict[str, str]], Any]

COSTS: dict[str, tuple[Ask, list[str]]] = {
    "tokens": (lambda lab, _: lab.tokens("adminuser"), SIGN_IN),
    "password": (lambda lab, _: lab.password("adminuser"), SIGN_IN[:2]),
    "source": (lambda lab, _: lab.source("LambdaForAdminUser"), []),
    "read": (lambda lab, tokens: lab.read(tokens["id"]), []),
    "call as nobody": (lambda lab, _: lab.call(ADMIN), ROUTE[:1]),
    "call with a token": (lambda lab, tokens: lab.call(ADMIN, token=tokens["id"]), ROUTE[:1]),
    "call as a user": (lambda lab, _: lab.call(ADMIN, "adminuser"), SIGN_IN + ROUTE[:1]),
    "explain nobody": (lambda lab, _: lab.explain(ADMIN), ROUTE),
    "explain a token": (lambda lab, tokens: lab.explain(ADMIN, token=tokens["id"]), ROUTE),
    "explain a user": (lambda lab, _: lab.explain(ADMIN, "adminuser", kind="access"), SIGN_IN + ROUTE),
    "access": (lambda lab, _: lab.access(), [*SIGN_IN, "InitiateAuth", *ROUTE]),
    "cause": (lambda lab, tokens: lab.cause(tokens["id"]), ["FilterLogEvents"]),
    "compare": (lambda lab, tokens: lab.compare(tokens["id"], tokens["access"]), ["FilterLogEvents"]),
    "invoke": (lambda lab, _: lab.invoke("Pre-tokenAuthLambda", EVENT), ["GetFunction", "Invoke"]),
    "predicted what-if": (lambda lab, _: lab.what_if("adminuser", send=False), SIGN_IN + ROUTE),
    "what-if": (lambda lab, _: lab.what_if("adminuser"), [*SIGN_IN, *ROUTE, "GetApis"]),
    "attack on the lab's API": (lambda lab, _: lab.attack("none"), [*SIGN_IN, "InitiateAuth", *ROUTE]),
    "attack on the what-if API": (lambda lab, _: lab.attack("scope with a joker"), [*ROUTE, "GetApis"]),
}


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Lab:
    """A whole lab, its what-if API made."""
    made = lab_at(warm_home, "counted")
    made.up()
    made.what_if("adminuser")
    return made


@pytest.mark.parametrize("outputs", ["", STABLE], ids=["real", "stable"])
@pytest.mark.parametrize("name", COSTS)
def test_what_a_question_costs(lab: Lab, name: str, outputs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OUTPUTS, outputs)
    ask, expected = COSTS[name]
    tokens = lab.tokens("adminuser")

    with sent_calls(lab.target) as sent:
        result = ask(lab, tokens)
        assert repr(result)
        assert str(getattr(result, "html", str)()) is not None

    assert sorted(sent) == sorted(expected)


def test_the_whole_bench_signs_in_three_times(lab: Lab) -> None:
    with sent_calls(lab.target) as sent:
        lab.attack_bench()
    assert sorted(sent) == sorted([*SIGN_IN, "InitiateAuth", "InitiateAuth", "RevokeToken", *ROUTE, "GetApis"])
