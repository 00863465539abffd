"""What a removal would do is what it then does, in an order that AWS accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.lab import Lab
from labkit.removal.removal import plan
from tests.faults.wire import SERVICES
from tests.labs import Calls, lab_at
from tests.removal.account import Client


def test_the_plan_of_a_whole_lab(lab: Lab) -> None:
    lab.up()
    name = lab.settings.name

    found = [(deletion.kind, deletion.name) for deletion in lab.plan_removal().deletions]

    assert found == [
        ("HTTP API", f"{name}-JWTAuth"),
        ("hosted domain", f"{name}-users"),
        ("user pool", f"{name}-users"),
        ("function", f"{name}-Pre-tokenAuthLambda"),
        ("function", f"{name}-LambdaForAdminUser"),
        ("function", f"{name}-LambdaForRegularUser"),
        ("role policy", f"write-own-logs of {name}-Pre-tokenAuthLambda-us-east-1"),
        ("role", f"{name}-Pre-tokenAuthLambda-us-east-1"),
        ("role policy", f"write-own-logs of {name}-LambdaForAdminUser-us-east-1"),
        ("role", f"{name}-LambdaForAdminUser-us-east-1"),
        ("role policy", f"write-own-logs of {name}-LambdaForRegularUser-us-east-1"),
        ("role", f"{name}-LambdaForRegularUser-us-east-1"),
        ("log group", f"/aws/lambda/{name}-Pre-tokenAuthLambda"),
        ("log group", f"/aws/lambda/{name}-LambdaForAdminUser"),
        ("log group", f"/aws/lambda/{name}-LambdaForRegularUser"),
    ]
    lab.down()


def test_a_plan_says_why_each_thing_is_the_labs(lab: Lab) -> None:
    lab.up(through="user-pool")

    pool = next(d for d in lab.plan_removal().deletions if d.kind == "user pool")

    assert pool.to_dict() == {
        "kind": "user pool",
        "name": f"{lab.settings.name}-users",
        "id": lab.status().ids["user_pool_id"],
        "service": "cognito-idp",
        "why": "its name and its tag are this lab's",
    }
    assert [line.split(maxsplit=3) for line in lab.plan_removal().text().splitlines()[2:4]] == [
        ["hosted", "domain", f"{lab.settings.name}-users", "it belongs to the lab's user pool"],
        ["user", "pool", f"{lab.settings.name}-users", "its name and its tag are this lab's"],
    ]
    lab.down()


def test_the_dry_run_names_exactly_the_deletions_that_are_then_made(lab: Lab) -> None:
    lab.up()
    would = lab.plan_removal()
    made = recorded_deletions(lab)

    receipt = lab.down()

    assert made == [(d.service, d.parameters) for d in would.deletions]
    conditional, done = would.text().splitlines(), receipt.text().splitlines()
    assert conditional[0].split() == ["would", "remove", "name", "because"]
    assert done[2].split() == ["removed", "name", "because"]
    assert [line.split() for line in done[4:]] == [line.split() for line in conditional[2:]]


def recorded_deletions(lab: Lab) -> list[tuple[str, dict[str, Any]]]:
    """What a lab's clients ask to be taken away from here on: service and parameters of each call."""
    made: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name.startswith(("Delete", "Detach", "Update", "Put", "Create")):
            made.append((model.service_model.service_name, params))

    for service in SERVICES:
        lab.target.client(service).meta.events.register("provide-client-params", note)
    return made


def test_a_plan_changes_nothing(lab: Lab) -> None:
    lab.up()
    calls = Calls(lab.target)

    lab.plan_removal()

    assert calls.writes == []
    lab.down()


def test_without_a_lab_there_is_nothing_to_remove(lab: Lab) -> None:
    nothing = plan(lab.target)

    assert nothing.text() == "Nothing to remove."
    assert nothing.html() == "<p>Nothing to remove.</p>"
    assert json.dumps(nothing.to_dict()) == '{"deletions": [], "left": []}'
    assert lab.down().text() == f"Nothing of lab {lab.settings.name} is left: a second scan found none of it."


# What it takes at least: 15 deletions; a read of the tag of each of 3 functions, 3 roles, 3 log groups and a pool; the
# inline and the attached policies of 3 roles; who else uses these; and a listing of APIs, pools, roles, log groups and
# event sources, which only so can be found. Then, for the second scan, one listing of each of the 6 kinds and the tag
# index. Not counted: whether a function of another region uses a role takes one listing in each.
FEWEST = 15 + 10 + 6 + 1 + 5 + 7


def test_a_removal_makes_few_calls(lab: Lab) -> None:
    lab.up()
    made: list[str] = []
    for service in SERVICES:
        lab.target.client(service).meta.events.register("before-call", lambda model, **_: made.append(model.name))

    lab.down()

    assert len(made) <= 1.3 * FEWEST, made


def test_the_plan_that_was_agreed_is_executed_and_what_is_new_since_then_is_told(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    agreed = lab.plan_removal()
    lab.up(through="http-api")

    receipt = lab.down(agreed)

    assert receipt.removed == agreed.deletions
    assert not receipt.clean
    assert {left.kind for left in receipt.left} == {"HTTP API", "user pool", "hosted domain"}
    assert lab.down().clean


def test_what_is_no_plan_deletes_nothing(lab: Lab) -> None:
    lab.up(through="functions")
    odd: Any
    for odd in ("user-pool", False, [], "", 0):
        with pytest.raises(UsageError, match="A lab goes as a whole or by a plan"):
            lab.down(odd)
    assert lab.status().states[0].found
    assert lab.down().clean


def test_a_plan_of_another_lab_is_not_executed(lab: Lab, home: Path) -> None:
    other = lab_at(home, f"{lab.settings.name}-other")
    other.up(through="functions")

    with pytest.raises(UsageError, match=r"This plan is of lab .*-other in account"):
        lab.down(other.plan_removal())

    assert other.status().states[0].found
    assert other.down().clean
