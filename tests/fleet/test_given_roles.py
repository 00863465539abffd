"""A class in accounts that give a role and let nobody make one: looked at, reset and built as any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.fleet.fleet import Fleet
from labkit.fleet.preflight import Preflight
from labkit.fleet.roster import read_roster
from labkit.steps.roles import TRUST_POLICY
from tests.fleet.accounts import ANA, BEN, CEM, Accounts
from tests.fleet.classes import ATTENDEES
from tests.fleet.organisation import query_error
from tests.fleet.test_preflight import Simulator
from tests.policies.test_given_role import POLICY

READS = ("GetRole", "ListRoles")


@pytest.fixture
def given(accounts: Accounts) -> Iterator[Callable[[str], Any]]:
    """The given role of an attendee's account, as its administrator sees it; the roster names it."""
    iam = {attendee: accounts.fleet().lab(attendee).target.client("iam") for attendee in ATTENDEES}
    for client in iam.values():
        client.create_role(RoleName="LabRole", AssumeRolePolicyDocument=json.dumps(TRUST_POLICY))
    accounts.write(ROWS)
    yield lambda attendee: iam[attendee].get_role(RoleName="LabRole")["Role"]
    accounts.aws.answers.clear()
    for client in iam.values():
        client.delete_role(RoleName="LabRole")


ROWS = {attendee: {"given_role": "LabRole"} for attendee in ATTENDEES}


def refuse(accounts: Accounts, *calls: str) -> None:
    """Refuse what a school's account refuses: each write of IAM, and more."""
    for account in (ANA, BEN, CEM):
        for call in ("CreateRole", "DeleteRole", "PutRolePolicy", "TagRole", "UpdateAssumeRolePolicy", *calls):
            accounts.aws.answers[account, call] = lambda: query_error("AccessDenied", "Not you.", 403)


def of_ana(preflight: Preflight) -> dict[str, tuple[bool, str]]:
    found = [s.symptom for s in preflight.symptoms if s.account == ANA]
    return {symptom.subject: (symptom.well, symptom.found) for symptom in found}


@pytest.mark.parametrize("refused", [(), READS], ids=["roles may be read", "no role may be read"])
def test_a_class_of_given_roles_from_preflight_to_reset(
    refused: tuple[str, ...], accounts: Accounts, given: Callable[[str], Any]
) -> None:
    before = [given(attendee) for attendee in ATTENDEES]
    Simulator(accounts.aws, policies=[POLICY])
    refuse(accounts, *refused)

    preflight = accounts.fleet().preflight()
    assert preflight.passed, preflight.text()
    looked = of_ana(preflight)
    assert "IAM roles" not in looked
    assert looked["permissions"][1] == (
        "everything in docs/attendee-policy-given-role.json is allowed, as IAM simulates it"
    )
    read = "its trust may not be read: Lambda looks at it" if refused else "Lambda may assume it"
    assert looked[f"given role arn:aws:iam::{ANA}:role/LabRole"] == (True, read)

    accounts.built("ana")
    status = accounts.fleet().status()
    assert [(s.steps, s.stuck) for s in status.standings] == [("functions", ""), ("nothing", ""), ("nothing", "")]

    report = accounts.fleet().reset(3, "functions")
    assert report.clean, report.text()
    assert {thing["kind"] for thing in report.labs[0].removed} == {"function", "log group"}
    assert [s.stuck for s in accounts.fleet().status().standings] == ["", "", ""]
    assert accounts.fleet().reset(3).clean

    accounts.aws.answers.clear()
    assert [given(attendee) for attendee in ATTENDEES] == before


def test_what_is_wrong_with_a_given_role_is_found_before_the_class(
    accounts: Accounts, given: Callable[[str], Any]
) -> None:
    Simulator(accounts.aws, policies=[POLICY])  # which names the right one
    accounts.write({**ROWS, "ana": {"given_role": "LabRol"}})

    looked = of_ana(accounts.fleet().preflight())

    arn = f"arn:aws:iam::{ANA}:role/LabRol"
    assert looked[f"given role {arn}"] == (False, f"There is no role {arn}, which is named as the given one.")
    assert not looked["permissions"][0]
    assert looked["permissions"][1].endswith("lacks permissions: no policy allows iam:GetRole, iam:PassRole.")


def test_a_reset_that_does_not_know_of_it_leaves_it_too(accounts: Accounts, given: Callable[[str], Any]) -> None:
    accounts.built("ana")
    before = given("ana")
    accounts.write({})

    assert accounts.fleet().reset(3).clean
    assert given("ana") == before
    assert not accounts.stands("ana")


def test_only_who_makes_roles_needs_room_for_them(accounts: Accounts, given: Callable[[str], Any]) -> None:
    Simulator(accounts.aws)
    accounts.write({"ben": {"account": ANA, "lab": f"{accounts.lab}-b", "given_role": "LabRole"}})

    looked = of_ana(accounts.fleet().preflight())

    assert looked["IAM roles"] == (True, "room for 3 more")
    assert looked["user pools"] == (True, "room for 2 more")
    assert f"given role arn:aws:iam::{ANA}:role/LabRole" in looked


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("ana,123456789012,us-east-1,no role!,", "'no role!' is not the ARN or the name of a role."),
        ("ana,123456789012,us-east-1,arn:aws:iam::210987654321:role/LabRole,",
         "arn:aws:iam::210987654321:role/LabRole is of account 210987654321, but the row is for 123456789012."),
        ("ana,123456789012,us-east-1,LabRole,http://127.0.0.1:4566", "The row has an endpoint and a profile or role."),
    ],
)  # fmt: skip
def test_a_row_whose_given_role_cannot_be_used(row: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(f"attendee,account,region,given role,endpoint\n{row}\n")

    assert [bad.problem for bad in read_roster(path).bad] == [problem]


def test_attendees_of_one_account_may_have_different_ones(accounts: Accounts) -> None:
    accounts.write({"ana": {"given_role": "LabRole"}, "ben": {"account": ANA, "lab": "other", "given_role": "a/B"}})
    fleet: Fleet = accounts.fleet()

    assert [fleet.lab(attendee).settings.role_arn for attendee in ATTENDEES] == [
        f"arn:aws:iam::{ANA}:role/LabRole", f"arn:aws:iam::{ANA}:role/a/B", None,
    ]  # fmt: skip
