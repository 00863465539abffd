"""Every attempt, made: rules, endpoint and MiniStack are each compared with what the row says by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from labkit.attacks.attack import AttackReport, attempt_named
from labkit.attacks.bench import Bench, sent
from labkit.attacks.issuer import stranger
from labkit.attacks.rows import ATTEMPTS, Attempt
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.target.embedded import EmbeddedPlace
from labkit.target.target import Target
from tests.labs import lab_at
from tests.ministack_verdict import ministack_status

WHOLE_JWT = re.compile(r"eyJ[\w-]+\.[\w-]*\.(?:[\w-]*\.){0,2}[\w-]{40,}")
SMALL = ("none", "changed payload", "expired", "regular user", "replay", "huge token")


@pytest.fixture(scope="module")
def report(bench: Bench) -> AttackReport:
    return bench.run(ATTEMPTS)


@pytest.mark.parametrize("name", SMALL)
def test_a_few_that_everybody_knows(bench: Bench, name: str) -> None:
    expected = {
        "none": (401, "algorithm"),
        "changed payload": (401, "signature"),
        "expired": (401, "expiry"),
        "regular user": (403, "scope"),
        "replay": (200, None),
        "huge token": (431, "request-size"),
    }
    attack = bench.attack(attempt_named(name))
    assert (attack.decision.status, attack.decision.rule) == expected[name]
    assert attack.observed == expected[name][0]


@pytest.mark.parametrize("number", range(len(ATTEMPTS)), ids=[attempt.name for attempt in ATTEMPTS])
def test_rules_and_endpoint_do_what_the_row_says(report: AttackReport, number: int) -> None:
    attack, attempt = report.attacks[number], ATTEMPTS[number]
    assert (attack.decision.status, attack.decision.rule) == (attempt.status, attempt.rule)
    assert attack.observed == attempt.status


# Where MiniStack's own authorizer ends otherwise than a row: by why it does, with what status and for which rows.
MINISTACK = {
    "takes requests of up to 64 KB": (200, {"huge token", "huge header", "huge query"}),
    "decodes base64 leniently": (200, {"padding", "other alphabet", "second spelling"}),
    "reads JSON as Python does": (200, {"claim twice", "alg twice", "other encoding", "byte order mark"}),
    "sets no limit before Python's own": (200, {"deep nesting"}),
    "never looks at crit": (200, {"critical extension"}),
    "takes every signature for RS256, whatever alg says": (200, {"none, signed", "rs256", "no alg", "alg as list"}),
    "never looks at a key's use": (200, {"key for encryption"}),
    "takes a null for no aud, and goes on to client_id": (200, {"audience null"}),
    "turns every member of an audience into text": (200, {"list of more than text"}),
    "checks exp only where it is there": (200, {"no expiry"}),
    "turns a text into a number": (200, {"expiry as text"}),
    "puts scope and scp together": (200, {"scp before scope"}),
    "converts the claim without a guard, and answers the exception with 500": (
        500,
        {
            *("claims as list", "header as list", "not a number", "expiry null", "expiry beyond numbers"),
            *("not before soon", "issued in a list"),
        },
    ),
}
DIVERGENT = {name: status for status, names in MINISTACK.values() for name in names}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_ministack_does_what_the_row_says_or_differs_as_is_known(bench: Bench, attempt: Attempt) -> None:
    expected = DIVERGENT.get(attempt.name, attempt.status)
    assert ministack_status(bench.endpoint(attempt), *sent(attempt, bench.token(attempt))) == expected


def test_where_ministack_differs_is_a_row_that_expects_something_else() -> None:
    expected = {attempt.name: attempt.status for attempt in ATTEMPTS}
    assert [name for name, status in DIVERGENT.items() if expected[name] == status] == []


@pytest.mark.parametrize("base", ["adminuser", "what-if issuer"])
def test_what_the_attempts_begin_with_is_let_in(bench: Bench, base: Any) -> None:
    control = replace(attempt_named("replay"), base=base)
    assert (bench.attack(control).decision.status, bench.attack(control).observed) == (200, 200)


def test_nobody_fetches_what_a_token_points_at(report: AttackReport) -> None:
    assert report.surprises == ()
    assert stranger().asked == []


def test_the_report_says_what_was_seen(report: AttackReport) -> None:
    assert (
        report.summary == f"{len(ATTEMPTS)} attempts: {len(ATTEMPTS) - 13} refused, 13 let in. Each ended as expected."
    )
    assert [title for title, _ in report.groups()][:3] == [
        "Refused by the rule request-size: 3",
        "Refused by the rule identity-source: 6",
        "Refused by the rule shape: 25",
    ]
    assert report.groups()[-1][0] == "Let in: 13"
    assert sum(len(group) for _, group in report.groups()) == len(ATTEMPTS)


def test_a_surprise_is_not_hidden(report: AttackReport) -> None:
    attack = replace(report.attacks[0], observed=200)
    changed = AttackReport((attack, *report.attacks[1:]))
    assert changed.surprises == (attack,)
    assert "1 did not end as expected." in changed.text()
    assert "200 ✗ expected 431 request-size" in changed.text()
    assert "200 ✗ expected 431 request-size" in changed.html()
    assert changed.groups()[0][0] == "Refused by the rule request-size: 3 ✗ 1 not as expected"


def test_text_html_and_dictionary_tell_every_attempt_and_no_token(report: AttackReport) -> None:
    told = report.to_dict()
    assert [attack["name"] for attack in told["attacks"]] == [attempt.name for attempt in ATTEMPTS]
    assert told["surprises"] == 0
    for face in (report.text(), report.html(), repr(told)):
        assert not WHOLE_JWT.search(face)
        assert not re.search(r"<(style|script|svg)", face)
        assert [attempt.name for attempt in ATTEMPTS if attempt.name not in unescape(face)] == []


@pytest.mark.usefixtures("stable_outputs")
def test_one_attempt_is_told_in_the_labs_terms(lab: Lab) -> None:
    lines = lab.attack("scope with a joker").text().splitlines()
    assert [line for line in lines if not line.startswith("-")] == [
        "scope with a joker",
        "",
        "tries        The scope is a pattern, as in a policy of IAM.",
        "begins with  a good token of the what-if issuer, at the what-if API",
        "trick        pattern",
        'predicted    403, the rule scope fails. Expected: scope "admin-$APP_CLIENT_ID". Found: scope "admin-* *".',
        "observed     403",
        "source       RFC 6749, section 3.3",
    ]


@pytest.mark.usefixtures("stable_outputs")
def test_the_same_is_told_of_every_lab(lab: Lab, twin: Lab) -> None:
    assert twin.attack_bench().text() == lab.attack_bench().text()
    for name in ("huge token", "expired", "the pool's other key"):
        ours, theirs = lab.attack(name), twin.attack(name)
        assert (theirs.text(), theirs.html()) == (ours.text(), ours.html())


def test_rules_can_be_chosen(lab: Lab) -> None:
    assert lab.attack_bench("not-before").summary == "2 attempts: 2 refused, 0 let in. Each ended as expected."
    assert lab.attack_bench("let in").summary == "13 attempts: 0 refused, 13 let in. Each ended as expected."


def test_what_is_not_there_is_named(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no rule named 'sope'. Name one of: request-size"):
        lab.attack_bench("sope")
    with pytest.raises(UsageError, match=r"There is no attempt named 'expird'. Name another: expired"):
        lab.attack("expird")
    with pytest.raises(LabError, match=r"There is no lab."):
        lab_at(tmp_path, "none").attack("none")


def test_a_route_that_lost_its_scope_is_named(lab: Lab) -> None:
    ids, gateway = lab.status().ids, lab.target.client("apigatewayv2")
    route = {"ApiId": ids["api_id"], "RouteId": ids["admin_route_id"]}
    scopes = gateway.get_route(**route)["AuthorizationScopes"]
    gateway.update_route(**route, AuthorizationScopes=[])
    try:
        with pytest.raises(LabError, match="GET /AdminUser asks for no scope, so every good token opens it"):
            lab.attack("none")
        assert lab.what_if(None).observed == 200
    finally:
        gateway.update_route(**route, AuthorizationScopes=scopes)


def test_an_unfinished_lab_says_what_is_missing(home: Path) -> None:
    lab = lab_at(home, "half")
    lab.up(through="http-api")
    with pytest.raises(LabError, match="GET /AdminUser has no JWT authorizer"):
        lab.attack("none")
    lab.down()


@pytest.fixture
def in_an_account(lab: Lab) -> Bench:
    """A bench that takes the lab's cloud for an AWS account."""
    place, folder = lab.target.place, lab.target.folder
    assert isinstance(place, EmbeddedPlace)

    class Account(Target):
        @property
        def folder(self) -> Path:
            return folder

    return Bench(Account(lab.settings, replace(place, kind="aws"), confirmed=False))


def test_in_an_account_only_the_what_if_api_is_missing(in_an_account: Bench) -> None:
    report = in_an_account.run(ATTEMPTS)
    unsent = [attack for attack in report.attacks if attack.observed is None]
    assert {attack.attempt.base for attack in unsent} == {"what-if issuer"}
    assert report.surprises == ()
    assert report.summary.endswith(f"Each ended as expected. {len(unsent)} were only predicted.")
    assert "the what-if API exists in the embedded cloud, not in an AWS account" in unsent[0].text()
    assert "not sent" in report.text()
