"""The task of chapter 03: which permissions let the lab's API run its function, and nobody else; and what a 500 is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.target.names import ADMIN
from tests.labs import lab_at

TASK = "invoke-permission"


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A finished lab."""
    lab = lab_at(warm_home, "tasks-03")
    lab.up()
    yield lab
    lab.down()


ARN = "arn:aws:execute-api:us-east-1:ACCOUNT:API"
RIGHT = {
    "Principal": "apigateway.amazonaws.com",
    "Action": "lambda:InvokeFunction",
    "SourceArn": f"{ARN}/*/GET/AdminUser",
}


def changed(**members: Any) -> dict[str, Any]:
    """The right permission with other members; None takes one away."""
    return {name: value for name, value in {**RIGHT, **members}.items() if value is not None}


def from_source(arn: str) -> dict[str, Any]:
    return changed(SourceArn=arn)


TRAPS: list[tuple[str, Any]] = [
    ("no-permission", f"{ARN}/*/GET/AdminUser"),
    ("no-permission", changed(Principal=None)),
    ("no-permission", changed(SourceArn=["a", "b"])),
    ("no-permission", changed(Condition="none")),
    ("every-principal", changed(Principal="*")),
    ("half-principal", changed(Principal="apigateway")),
    ("other-service", changed(Principal="cognito-idp.amazonaws.com")),
    ("other-service", changed(Principal={"Service": "lambda.amazonaws.com"})),
    ("other-service", changed(Principal={"AWS": "ACCOUNT"})),
    ("every-action", changed(Action="lambda:*")),
    ("every-action", changed(Action="*")),
    ("other-action", changed(Action="lambda:Invoke")),
    ("other-action", changed(Action="InvokeFunction")),
    ("other-action", changed(Action="execute-api:Invoke")),
    ("no-source", changed(SourceArn=None)),
    ("every-api", from_source("*")),
    ("every-api", from_source("arn:aws:execute-api:us-east-1:ACCOUNT:*")),
    ("every-api", from_source("arn:aws:execute-api:*:*:*/*/GET/AdminUser")),
    ("other-arn", from_source("API")),
    ("other-arn", from_source("arn:aws:apigateway:us-east-1::/apis/API")),
    ("other-arn", from_source("arn:aws:lambda:us-east-1:ACCOUNT:function:tasks-03-LambdaForAdminUser")),
    ("other-arn", from_source("https://API.execute-api.us-east-1.amazonaws.com/AdminUser")),
    ("elsewhere", from_source("arn:aws:execute-api:eu-west-1:ACCOUNT:API/*/GET/AdminUser")),
    ("elsewhere", from_source("arn:aws:execute-api:us-east-1:999999999999:API/*/GET/AdminUser")),
    ("elsewhere", from_source("arn:aws:execute-api:*:ACCOUNT:API/*/GET/AdminUser")),
    ("other-api", from_source("arn:aws:execute-api:us-east-1:ACCOUNT:zyxwvu9876/*/GET/AdminUser")),
    ("one-stage", from_source(f"{ARN}/$default/GET/AdminUser")),
    ("one-stage", from_source(f"{ARN}/Test/*")),
    ("no-route", from_source(ARN)),
    ("no-route", from_source(f"{ARN}/")),
    ("no-route", from_source(f"{ARN}/Test")),
    ("no-route", from_source(f"{ARN}/*/GET")),
    ("other-route", from_source(f"{ARN}/*/GET/adminuser")),
    ("other-route", from_source(f"{ARN}/*/POST/AdminUser")),
    ("other-route", from_source(f"{ARN}/*/GET//AdminUser")),
    ("other-route", from_source(f"{ARN}/*/GET/RegularUser")),
    ("other-route", from_source(f"{ARN}/*/GET/[A]dminUser")),
]


def for_lab(lab: Lab, permission: Any) -> Any:
    ids = lab.status().ids
    text = json.dumps(permission).replace("ACCOUNT", lab.target.names.account)
    return json.loads(text.replace("API", ids["api_id"]))


@pytest.mark.parametrize(("trap", "permission"), TRAPS)
def test_each_common_wrong_permission_is_met_with_its_sentence(lab: Lab, trap: str, permission: Any) -> None:
    verdict = lab.check_task(TASK, for_lab(lab, permission))
    said = lessons().tasks[TASK].wrong[trap].format(found=verdict.found)
    assert (verdict.outcome, verdict.sentence) == ("not yet", said)


def test_a_wrong_permission_changes_nothing(lab: Lab) -> None:
    lab.reset_task(TASK)
    lab.check_task(TASK, for_lab(lab, from_source(f"{ARN}/Test/*")))
    assert not lab.check("http-api").passed
    lab.solve(TASK)
    assert lab.check("http-api").passed


def test_every_sentence_has_its_trap() -> None:
    assert lessons().tasks[TASK].wrong.keys() == {trap for trap, _ in TRAPS}


POLICY_STATEMENT = {
    "Sid": "mine",
    "Effect": "Allow",
    "Principal": {"Service": "apigateway.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Condition": {"ArnLike": {"aws:SourceArn": f"{ARN}/*/*/AdminUser"}},
}
OF_LISTS = POLICY_STATEMENT | {
    "Principal": {"Service": ["apigateway.amazonaws.com"]},
    "Action": ["lambda:InvokeFunction"],
    "Condition": {"ArnLike": {"aws:SourceArn": [f"{ARN}/*/*/AdminUser"]}},
}


@pytest.mark.parametrize(
    ("permission", "wide"),
    [
        (RIGHT, False),
        (changed(Action="lambda:invokeFunction"), False),
        (changed(FunctionName="tasks-03-LambdaForAdminUser", StatementId="x", SourceAccount="ACCOUNT"), False),
        (from_source(f"{ARN}/*/*/AdminUser"), False),
        (from_source(f"{ARN}/*/GET/Admin????"), False),
        (from_source(f"{ARN}/*"), True),
        (from_source(f"{ARN}/*/*/*"), True),
        (POLICY_STATEMENT, False),
        (OF_LISTS, False),
    ],
)
def test_every_right_permission_passes_and_mends_the_lab(lab: Lab, permission: Any, wide: bool) -> None:
    lab.reset_task(TASK)
    verdict = lab.check_task(TASK, for_lab(lab, permission))
    assert (verdict.outcome, "too" in verdict.sentence) == ("passed", wide)
    assert lab.check("http-api").passed


@pytest.mark.parametrize(
    ("permission", "said"),
    [
        (changed(Effect="Deny"), "This forbids the call."),
        (changed(SourceAccount="999999999999"), "The account is not that of your API."),
    ],
)
def test_a_permission_that_allows_no_call_does_not_pass(lab: Lab, permission: Any, said: str) -> None:
    verdict = lab.check_task(TASK, for_lab(lab, permission))
    assert (verdict.outcome, verdict.sentence) == ("not yet", said)


def test_without_its_permission_the_function_is_a_500_behind_the_authorizer(lab: Lab) -> None:
    calls: dict[tuple[str, str | None], int] = {
        ("GET /AdminUser", None): 401,
        ("GET /AdminUser", "regularuser"): 403,
        ("GET /AdminUser", "adminuser"): 500,
        ("GET /RegularUser", "adminuser"): 200,
    }
    lab.reset_task(TASK)
    assert {call: lab.call(*call).status for call in calls} == calls
    lab.solve(TASK)
    assert lab.call("GET /AdminUser", "adminuser").status == 200


def test_a_permission_is_found_by_what_it_says(lab: Lab) -> None:
    of_my_own = for_lab(lab, from_source(f"{ARN}/*"))
    of_another = for_lab(lab, from_source("arn:aws:execute-api:us-east-1:ACCOUNT:zyxwvu9876/*"))
    client, name = lab.target.client("lambda"), lab.target.names.function(ADMIN)
    client.add_permission(FunctionName=name, StatementId="of-my-own", **of_my_own)
    client.add_permission(FunctionName=name, StatementId="of-another", **of_another)
    lab.reset_task(TASK)
    policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["of-another"]
    assert lab.call("GET /AdminUser", "adminuser").status == 500
    lab.reset_task(TASK)
    client.remove_permission(FunctionName=name, StatementId="of-another")
    lab.solve(TASK)


def test_before_there_is_an_api_nothing_is_judged(warm_home: Path) -> None:
    lab = lab_at(warm_home, "tasks-03-empty")
    verdict = lab.check_task(TASK, RIGHT)
    assert (verdict.outcome, 'lab.ensure("http-api")' in verdict.sentence) == ("could not check", True)


@pytest.mark.parametrize(("method", "path"), [("GET", "/Reports"), ("GET", "/adminUser"), ("POST", "/AdminUser")])
def test_what_is_no_route_is_a_404_whoever_calls(lab: Lab, method: str, path: str) -> None:
    token = lab.tokens("adminuser")["id"]
    url = lab.status().ids["api_url"] + path
    answers = [requests.request(method, url, headers=h, timeout=10) for h in ({}, {"Authorization": token})]
    assert [answer.status_code for answer in answers] == [404, 404]
