"""The task of chapter 04: what is typed is tried on real tokens; each common wrong value is met with its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.learning.tasks import chapter_04
from tests.labs import lab_at

TASK = "authorizer"
RIGHT: dict[str, Any] = {
    "issuer": "https://cognito-idp.us-east-1.amazonaws.com/POOL",
    "audience": "CLIENT",
    "admin_scope": "admin-CLIENT",
    "regular_scope": "regular-CLIENT",
}


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A lab as chapter 04 finds it: there is no authorizer yet."""
    lab = lab_at(warm_home, "tasks-04")
    lab.up("http-api")
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def ids(lab: Lab) -> dict[str, str]:
    """What AWS made up, by the word that stands for it here."""
    known = lab.environment()
    return {
        "POOL": known["USER_POOL_ID"],
        "CLIENT": known["APP_CLIENT_ID"],
        "DOMAIN": known["DOMAIN"],
        "API": known["API_ID"],
    }


TRAPS: list[tuple[str, dict[str, Any]]] = [
    ("no-text", {"issuer": None}),
    ("no-text", {"audience": {"id": "CLIENT"}}),
    ("several", {"audience": ["CLIENT", "POOL"]}),
    ("several", {"admin_scope": []}),
    ("case", {"issuer": "https://Cognito-IDP.us-east-1.amazonaws.com/POOL"}),
    ("case", {"regular_scope": "Regular-CLIENT"}),
    ("case", {"admin_scope": "ADMIN-CLIENT"}),
    ("blank", {"issuer": "https://cognito-idp.us-east-1.amazonaws.com/POOL\n"}),
    ("blank", {"audience": " CLIENT"}),
    ("blank", {"admin_scope": "admin-CLIENT "}),
    ("unfilled", {"issuer": "https://cognito-idp.{region}.amazonaws.com/{pool_id}"}),
    ("unfilled", {"audience": "$APP_CLIENT_ID"}),
    ("unfilled", {"regular_scope": "regular-{client_id}"}),
    ("issuer-slash", {"issuer": "https://cognito-idp.us-east-1.amazonaws.com/POOL/"}),
    ("issuer-bare", {"issuer": "cognito-idp.us-east-1.amazonaws.com/POOL"}),
    ("issuer-bare", {"issuer": "http://cognito-idp.us-east-1.amazonaws.com/POOL"}),
    ("issuer-discovery", {"issuer": "https://cognito-idp.us-east-1.amazonaws.com/POOL/.well-known/jwks.json"}),
    ("issuer-discovery", {"issuer": "cognito-idp.us-east-1.amazonaws.com/POOL/.well-known/openid-configuration"}),
    ("issuer-pool", {"issuer": "POOL"}),
    ("issuer-domain", {"issuer": "https://DOMAIN.auth.us-east-1.amazoncognito.com"}),
    ("issuer-domain", {"issuer": "DOMAIN"}),
    ("issuer-host", {"issuer": "https://cognito-idp.us-east-1.amazonaws.com//POOL"}),
    ("issuer-host", {"issuer": "https://cognito-idp.us-east1.amazonaws.com/POOL"}),
    ("issuer-host", {"issuer": "https://cognito-idp.eu-west-1.amazonaws.com/POOL"}),
    ("audience-pool", {"audience": "POOL"}),
    ("audience-pool", {"audience": "https://cognito-idp.us-east-1.amazonaws.com/POOL"}),
    ("audience-api", {"audience": "API"}),
    ("audience-api", {"audience": "https://API.execute-api.us-east-1.amazonaws.com"}),
    ("audience-user", {"audience": "adminuser"}),
    ("audience-user", {"audience": "admin"}),
    ("audience-name", {"audience": "tasks-04-app"}),
    ("audience-scope", {"audience": "admin-CLIENT"}),
    ("scope-of-the-other", {"admin_scope": "regular-CLIENT", "regular_scope": "admin-CLIENT"}),
    ("scope-of-the-other", {"regular_scope": "admin-CLIENT"}),
    ("scope-of-both", {"admin_scope": "admin-CLIENT regular-CLIENT"}),
    ("scope-without-client", {"admin_scope": "admin"}),
    ("scope-without-group", {"regular_scope": "CLIENT"}),
    ("scope-order", {"admin_scope": "CLIENT-admin"}),
    ("scope-pool", {"admin_scope": "admin-POOL"}),
    ("scope-user", {"admin_scope": "adminuser-CLIENT"}),
    ("scope-sign", {"admin_scope": "admin:CLIENT"}),
    ("scope-sign", {"admin_scope": "admin_CLIENT"}),
    ("scope-sign", {"regular_scope": "regularCLIENT"}),
    ("scope-sign", {"regular_scope": "regular - CLIENT"}),
]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    if isinstance(value, str):
        for word, real in ids.items():
            value = value.replace(word, real)
    return value


def work(ids: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {name: filled(value, ids) for name, value in {**RIGHT, **changes}.items()}


@pytest.mark.parametrize(("trap", "changes"), TRAPS)
def test_each_common_wrong_value_is_met_with_its_sentence(
    lab: Lab, ids: dict[str, str], trap: str, changes: dict[str, Any]
) -> None:
    verdict = lab.check_task(TASK, **work(ids, **changes))
    where = next(iter(changes))
    said = lessons().tasks[TASK].wrong[trap].format(found=verdict.found, where=where)
    assert (verdict.outcome, verdict.sentence) == ("not yet", said)


def test_every_sentence_has_its_trap() -> None:
    assert lessons().tasks[TASK].wrong.keys() == {trap for trap, _ in TRAPS}


@pytest.mark.parametrize("name", RIGHT)
def test_an_unknown_wrong_value_is_told_by_its_name(lab: Lab, ids: dict[str, str], name: str) -> None:
    verdict = lab.check_task(TASK, **work(ids, **{name: "something else"}))
    assert (verdict.outcome, verdict.sentence) == ("not yet", f"{name} is another value.")


def test_another_group_is_not_called_another_sign(lab: Lab, ids: dict[str, str]) -> None:
    verdict = lab.check_task(TASK, **work(ids, admin_scope="admins-CLIENT"))
    assert verdict.sentence == "admin_scope is another value."


@pytest.mark.parametrize("changes", [{}, {"audience": ["CLIENT"]}, {"admin_scope": ["admin-CLIENT"]}])
def test_the_right_values_pass_before_there_is_an_authorizer(
    lab: Lab, ids: dict[str, str], changes: dict[str, Any]
) -> None:
    assert lab.check_task(TASK, *work(ids, **changes).values()).passed


def test_the_lab_takes_the_same_values(lab: Lab, ids: dict[str, str]) -> None:
    lab.ensure("authorizer")
    assert lab.check("authorizer").passed
    assert lab.check_task(TASK, **work(ids)).passed


@pytest.mark.parametrize(("fit", "changes"), [(False, {}), (True, {"admin_scope": "admin:CLIENT"})])
def test_a_trigger_that_writes_other_scopes_than_the_labs_makes_nothing_right_or_wrong(
    lab: Lab, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch, fit: bool, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(chapter_04, "_decides_well", lambda *_: fit)
    verdict = lab.check_task(TASK, **work(ids, **changes))
    assert (verdict.outcome, 'lab.check_task("trigger")' in verdict.sentence) == ("could not check", True)


def test_before_there_is_a_pool_nothing_is_judged(warm_home: Path) -> None:
    verdict = lab_at(warm_home, "tasks-04-empty").check_task(TASK, *RIGHT.values())
    assert (verdict.outcome, 'lab.ensure("user-pool")' in verdict.sentence) == ("could not check", True)
