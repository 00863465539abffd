"""What if something were different: the rule that decides then, and the what-if API's agreement."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labkit.attacks.what_if import Change, changed_claims
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from tests.labs import lab_at

NOTHING: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("change", "status", "rule"),
    [
        ({}, 200, None),
        ({"claims": {"scope": "nothing"}}, 403, "scope"),
        ({"without": "scope"}, 403, "scope"),
        ({"without": ["exp", "scope"]}, 401, "expiry"),
        ({"without": "aud"}, 401, "audience"),
        ({"claims": {"aud": "another"}}, 401, "audience"),
        ({"claims": {"iss": "https://issuer.example"}}, 401, "issuer"),
        ({"claims": {"iss": None}}, 401, "issuer"),
        ({"claims": {"nbf": 4_000_000_000}}, 401, "not-before"),
        ({"claims": {"iat": 4_000_000_000}}, 401, "issued-at"),
        ({"claims": {"n": float("nan")}}, 401, "shape"),
        ({"claims": {"n": "x" * 20_000}}, 431, "request-size"),
        ({"header": {"alg": "none"}}, 401, "algorithm"),
        ({"header": {"kid": "another"}}, 401, "key-id"),
        ({"key": "stranger"}, 401, "signature"),
        ({"hours_later": 0.9}, 200, None),
        ({"hours_later": 1.1}, 401, "expiry"),
        ({"hours_later": -1}, 401, "issued-at"),
        ({"audience": "another"}, 401, "audience"),
        ({"scopes": "another"}, 403, "scope"),
        ({"scopes": NOTHING}, 200, None),
    ],
)
def test_a_change_fails_its_rule_and_the_api_agrees(
    lab: Lab, change: dict[str, Any], status: int, rule: str | None
) -> None:
    result = lab.what_if("adminuser", **change)
    assert (result.after.status, result.after.rule) == (status, rule)
    assert result.observed == status
    assert result.agrees is True
    assert result.changed_rules == ((rule,) if rule else ())
    assert (result.before.status, result.before.rule) == (200, None)


def test_what_was_refused_can_be_let_in(lab: Lab) -> None:
    client = lab.status().ids["app_client_id"]
    assert lab.what_if("regularuser").observed == 403
    result = lab.what_if("regularuser", claims={"scope": f"admin-{client}"})
    assert (result.before.rule, result.after.rule, result.observed) == ("scope", None, 200)
    assert result.changed_rules == ("scope",)
    assert lab.what_if("regularuser", route="GET /RegularUser").observed == 200


def test_without_a_user_it_begins_with_a_table(lab: Lab) -> None:
    assert lab.what_if(None).observed == 200
    assert lab.what_if(None, without="exp").after.rule == "expiry"


@pytest.mark.parametrize(("name", "begin"), [("scop", "Did you mean scope? It has: sub, "), ("zzz", "It has: sub, ")])
def test_a_claim_that_is_not_there_cannot_be_taken_out(lab: Lab, name: str, begin: str) -> None:
    with pytest.raises(UsageError) as error:
        lab.what_if(without=["exp", name])

    assert error.value.problem == f"The token has no claim {name!r} to take out."
    assert error.value.remedy.startswith(begin)


def test_an_issuer_that_publishes_nothing_is_only_predicted(lab: Lab) -> None:
    result = lab.what_if(issuer="https://issuer.example")
    assert (result.after.status, result.after.rule) == (401, "key-id")
    assert result.observed is None
    assert result.agrees is None
    assert "Predicted only: an authorizer cannot be made" in result.text()


def test_an_authorizer_without_an_audience_is_only_predicted(lab: Lab) -> None:
    result = lab.what_if(audience=())
    assert (result.after.status, result.after.rule, result.observed) == (401, "audience", None)
    assert "Predicted only: an authorizer cannot be made without an audience." in result.text()


def test_an_authorizer_that_trusts_the_user_pool_knows_no_other_key(lab: Lab) -> None:
    result = lab.what_if(issuer=lab.status().ids["issuer"])
    assert (result.after.rule, result.observed) == ("key-id", 401)


def test_a_decision_can_be_only_predicted(lab: Lab) -> None:
    result = lab.what_if(without="exp", send=False)
    assert (result.after.rule, result.observed) == ("expiry", None)
    assert result.text().endswith("\nIt was not sent.")


def test_in_an_account_it_is_only_predicted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(lab.target), "folder", lab.target.folder)
    monkeypatch.setattr(lab.target.place, "kind", "aws")
    result = lab.what_if(hours_later=2)
    assert (result.after.rule, result.observed) == ("expiry", None)
    assert "Predicted only: the what-if API exists in the embedded cloud, not in an AWS account." in result.text()


def test_to_send_later_is_to_send_what_began_earlier() -> None:
    claims = {"iat": 1_000, "exp": 4_600, "nbf": 1_000, "auth_time": 900, "sub": "u", "n": 7}
    later = {"iat": -6_200, "exp": -2_600, "nbf": -6_200, "auth_time": -6_300, "sub": "u", "n": 7}
    assert changed_claims(claims, Change(hours_later=2)) == later


@pytest.mark.usefixtures("stable_outputs")
def test_text_tells_the_change_the_rules_and_the_answer(lab: Lab) -> None:
    assert lab.what_if("adminuser", without="scope").text() == (
        "what         before                                         after\n"
        "-----------  ---------------------------------------------  -------\n"
        'claim scope  "admin-$APP_CLIENT_ID regular-$APP_CLIENT_ID"  none\n'
        "\n"
        "rule    before    after\n"
        "------  --------  --------\n"
        "scope   ✓ passed  ✗ failed\n"
        "\n"
        "11 other rules: as before.\n\n"
        '200 becomes 403: the rule scope fails. Expected: scope "admin-$APP_CLIENT_ID". Found: no scope.\n'
        "What to do: Give the user one of these scopes, then sign in again: an old token keeps its old scopes.\n"
        "The what-if API answered 403, as predicted."
    )


@pytest.mark.parametrize(
    ("change", "rows", "others"),
    [
        ({}, [], "12 other rules: as before."),
        ({"hours_later": 2}, ["expiry"], "8 other rules: as before; 3 other rules: no longer reached."),
        ({"user": "regularuser", "without": "iss"}, ["issuer", "scope"], "6 other rules: as before; 4"),
        ({"user": "regularuser", "scopes": NOTHING}, ["scope"], "11 other rules: as before."),
    ],
)
def test_only_rules_that_decide_otherwise_have_a_row(
    lab: Lab, change: dict[str, Any], rows: list[str], others: str
) -> None:
    result = lab.what_if(**change, send=False)
    told = [rule.name for rule in result.after.rules if f"\n{rule.name} " in result.text()]
    assert (told, others in result.text()) == (rows, True)
    assert others in result.html()


def test_html_and_dictionary_say_the_same(lab: Lab) -> None:
    result = lab.what_if("adminuser", key="stranger", audience=["a", "b"])
    assert "<td" in result.html()
    for words in (
        "a stranger&#x27;s",
        "&quot;a&quot; or &quot;b&quot;",
        "6 other rules: no longer reached",
        "200 becomes 401",
    ):
        assert words in result.html()
    told = result.to_dict()
    assert [change["what"] for change in told["changes"]] == ["signing key", "authorizer's audience"]
    assert told["changed_rules"] == ["signature"]
    assert (told["after"]["status"], told["after"]["rule"], told["observed_status"]) == (401, "signature", 401)


@pytest.mark.usefixtures("stable_outputs")
def test_the_same_is_told_of_every_lab_at_every_time(lab: Lab, twin: Lab) -> None:
    told = _told(lab)
    time.sleep(1.1)
    assert _told(lab) == _told(twin) == told


def _told(lab: Lab) -> str:
    changes: list[dict[str, Any]] = [
        {"hours_later": 2},
        {"without": "exp"},
        {"claims": {"iss": "x"}},
        {"scopes": "x", "issuer": lab.status().ids["issuer"]},
    ]
    told = "".join(result.text() + result.html() for result in (lab.what_if(**change) for change in changes))
    assert not re.search(r"eyJ[\w-]+\.[\w-]*\.[\w-]{40,}|127\.0\.0\.1|\d{4}-\d\d-\d\d", told)
    return told


def test_a_disagreement_is_not_hidden(lab: Lab) -> None:
    result = lab.what_if()
    wrong = replace(result, observed=500)
    assert wrong.agrees is False
    assert "WARNING: the what-if API answered 500." in wrong.text()
    assert "WARNING: the what-if API answered 500." in wrong.html()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"user": "nobody"}, "The lab has no user 'nobody'."),
        ({"route": "GET /Nothing"}, "The lab has no route 'GET /Nothing'."),
        ({"claims": {"n": {1, 2}}}, "What changes in the claims cannot hold that"),
        ({"key": "mine"}, "Nobody has the key 'mine'."),
        ({"hours_later": float("inf")}, "The clock cannot go inf hours further."),
    ],
)
def test_what_makes_no_sense_is_said(lab: Lab, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        lab.what_if(**change)


def test_without_a_lab_there_is_nothing_to_change(tmp_path: Path) -> None:
    with pytest.raises(
        LabError,
        match=re.escape("There is no lab. Begin with chapter 01, or build all of it: labkit up"),
    ):
        lab_at(tmp_path, "none").what_if()
