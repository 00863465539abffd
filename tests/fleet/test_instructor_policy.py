"""The two policies of an instructor's role allow what preflight, status and reset ask an account for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.cloud.session import session
from labkit.steps.boundary import DOCUMENT, NAME
from tests.fleet.accounts import ANA, Accounts
from tests.notebooks.rules import ROOT
from tests.policies.calls import Account, Gate
from tests.policies.evaluator import ALLOWED, Request, decide

BOTH = [json.loads((ROOT / "docs" / f"{who}-policy.json").read_text()) for who in ("attendee", "instructor")]


@pytest.fixture
def gate(accounts: Accounts) -> Iterator[Gate]:
    """What an instructor asks an account for, behind a gate that allows what the two policies do.

    The first lab was built before the account had the boundary, by somebody who may do that.
    """
    accounts.roster.write_text(f"attendee,account,region,lab,role\nana,{ANA},us-east-1,{accounts.lab},Instructor\n")
    made = Gate(Account(ANA), BOTH)
    with made.closed():
        with made.open():
            accounts.built("ana")
            iam = session(accounts.aws.clouds[ANA], "us-east-1").client("iam")
            boundary = iam.create_policy(PolicyName=NAME, PolicyDocument=DOCUMENT.read_text())["Policy"]["Arn"]
        fleet = accounts.fleet()
        fleet.preflight()
        fleet.status()
        assert fleet.reset(1, "functions").clean
        assert fleet.reset(1).clean
    yield made
    iam.delete_policy(PolicyArn=boundary)


def test_every_call_is_allowed_and_each_statement_is_needed(gate: Gate) -> None:
    # The path of one's own role is looked up where that is allowed, and is taken to be none where it is not.
    asked = [request for request in gate.asked if not request.resource.endswith(":role/Instructor")]

    def refused(*without: Any) -> list[Request]:
        policies = [{"Statement": [s for s in policy["Statement"] if s not in without]} for policy in BOTH]
        return [request for request in asked if decide(request, policies) != ALLOWED]

    assert refused() == []
    assert all(refused(statement) for statement in BOTH[1]["Statement"])
