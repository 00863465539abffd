"""AWS accounts are reached through roles, and what is in the way of one is said and stops no other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.awsrequest import AWSResponse

from labkit.fleet.reset_report import ResetReport
from tests.fleet.accounts import ANA, BEN, Accounts
from tests.fleet.organisation import OWN, json_error, query_error


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profiles of an instructor: their own keys, and a role that they may not assume."""
    keys = "aws_access_key_id = AKIAOWN\naws_secret_access_key = s"
    role = f"role_arn = arn:aws:iam::{BEN}:role/Student\nsource_profile = class"
    broken = "[profile broken]\ncredential_process = /nowhere/program"
    (tmp_path / "config").write_text(f"[profile class]\n{keys}\n[profile student]\n{role}\n{broken}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def states(report: ResetReport) -> list[str]:
    return [lab.state for lab in report.labs]


def test_a_role_leads_into_each_account(accounts: Accounts) -> None:
    accounts.built("ana")
    accounts.built("cem")
    accounts.aws.asked.clear()

    report = accounts.fleet().reset(3)

    assert report.clean
    assert [len(lab.removed) for lab in report.labs] == [12, 0, 12]
    assert accounts.aws.asked.count((OWN, "AssumeRole")) == 3
    assert not accounts.stands("ana")


def test_the_credentials_of_a_role_are_renewed_before_they_expire(accounts: Accounts) -> None:
    accounts.built("ana")
    accounts.aws.lifetime = timedelta(minutes=5)  # less than the time that boto3 wants to have left
    accounts.aws.asked.clear()

    assert accounts.fleet().reset(3).clean
    assert accounts.aws.asked.count((OWN, "AssumeRole")) > 30


IN_THE_WAY = {
    "role": (
        {"role": "Student"},
        lambda aws: None,
        f"The role arn:aws:iam::{BEN}:role/Student cannot be assumed: User: {OWN} is not authorized to perform: "
        f"sts:AssumeRole on arn:aws:iam::{BEN}:role/Student",
    ),
    "role of a profile": (
        {"profile": "student", "role": ""},
        lambda aws: None,
        f"AWS refused AssumeRole: User: {OWN} is not authorized to perform: sts:AssumeRole on "
        f"arn:aws:iam::{BEN}:role/Student",
    ),
    "program of a profile": (
        {"profile": "broken"},
        lambda aws: None,
        "Error when retrieving credentials from the profile: [Errno 2] No such file or directory: '/nowhere/program'.",
    ),
    "closed": (
        {},
        lambda aws: aws.states.update({BEN: "SUSPENDED"}),
        f"Account {BEN} is closed: its organisation calls it SUSPENDED.",
    ),
    "region": (
        {"region": "ap-east-1"},
        lambda aws: aws.disabled.add((BEN, "ap-east-1")),
        f"Region ap-east-1 is not enabled in account {BEN}.",
    ),
    "another account": (
        {"role": ""},
        lambda aws: None,
        f"The roster says account {BEN}, but account {OWN} answers.",
    ),
    "profile": (
        {"profile": "nobody", "role": ""},
        lambda aws: None,
        "The config profile (nobody) could not be found.",
    ),
    "alias": (
        {},
        lambda aws: aws.answers.update({(BEN, "ListAccountAliases"): lambda: query_error("AccessDenied", "Not you.")}),
        f"The alias of account {BEN} cannot be read, so it may be production: Not you.",
    ),
    "organisation": (
        {},
        lambda aws: aws.answers.update(
            {(BEN, "DescribeOrganization"): lambda: json_error("AccessDeniedException", "Not you.")}
        ),
        f"Whether account {BEN} is its organisation's management account cannot be told: Not you.",
    ),
}


@pytest.mark.parametrize("obstacle", IN_THE_WAY)
def test_what_is_in_the_way_of_one_account_stops_no_other(obstacle: str, accounts: Accounts) -> None:
    changes, hinder, reason = IN_THE_WAY[obstacle]
    accounts.built("ben")
    accounts.write({"ben": changes})
    hinder(accounts.aws)
    accounts.aws.asked.clear()

    report = accounts.fleet().reset(3)

    assert states(report) == ["clean", "left alone", "clean"]
    assert report.labs[1].reason == reason
    assert report.labs[1].remedy
    assert [name for account, name in accounts.aws.asked if account == BEN and name.startswith("Delete")] == []
    accounts.aws.states.clear()
    accounts.aws.answers.clear()
    accounts.write({})
    assert accounts.stands("ben")


def test_the_management_account_is_reset_only_if_it_is_named_again(accounts: Accounts) -> None:
    accounts.built("ana")
    accounts.aws.management = ANA

    report = accounts.fleet().reset(3)

    assert states(report) == ["left alone", "clean", "clean"]
    assert report.labs[0].reason == f"Account {ANA} is its organisation's management account."
    assert accounts.stands("ana")

    assert accounts.fleet(named_again=frozenset({ANA})).reset(3).clean
    assert not accounts.stands("ana")


def test_an_account_of_no_organisation_is_reset(accounts: Accounts) -> None:
    accounts.aws.answers[ANA, "DescribeOrganization"] = lambda: json_error("AWSOrganizationsNotInUseException")

    assert accounts.fleet().reset(3).clean


def test_credentials_that_expire_in_the_middle(accounts: Accounts) -> None:
    accounts.write({"ben": {"profile": "class"}})
    accounts.built("ana")
    accounts.built("ben")

    def expired() -> AWSResponse:
        return query_error("ExpiredToken", "The security token included in the request is expired", 403)

    def expired_since() -> AWSResponse | None:
        return expired() if (BEN, "DeleteRole") in accounts.aws.asked else None

    for call in ("DeleteRole", "ListRoles", "GetCallerIdentity"):
        accounts.aws.answers[BEN, call] = expired_since

    report = accounts.fleet().reset(3)

    assert states(report) == ["clean", "left alone", "clean"]
    assert report.labs[1].reason == "Your AWS credentials have expired."
    assert "Sign in again: aws sso login --profile class" in report.labs[1].remedy
    assert [thing["kind"] for thing in report.labs[1].removed].count("function") == 3

    accounts.aws.answers.clear()
    assert accounts.fleet().reset(3).clean


def test_the_instructors_own_session_ends(accounts: Accounts) -> None:
    accounts.built("ana")
    accounts.aws.answers[OWN, "AssumeRole"] = lambda: query_error("ExpiredToken", "It is expired", 403)

    report = accounts.fleet().reset(3)

    assert states(report) == ["left alone"] * 3
    assert {lab.reason for lab in report.labs} == {"Your AWS credentials have expired."}


def test_an_endpoint_of_this_machine_does_not_stand_in_for_aws(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.built("ana")
    accounts.aws.asked.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    report = accounts.fleet().reset(3)

    assert states(report) == ["left alone"] * 3
    assert "on this machine" in report.labs[0].reason
    assert accounts.aws.asked == []
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert accounts.stands("ana")


def test_an_account_that_asks_for_fewer_calls_is_reset_all_the_same(accounts: Accounts) -> None:
    accounts.built("ana")
    throttles = iter([query_error("Throttling", "Rate exceeded")])
    accounts.aws.answers[ANA, "DeleteRole"] = lambda: next(throttles, None)
    more = iter([json_error("TooManyRequestsException", "Rate exceeded", 429)])
    accounts.aws.answers[ANA, "GET /v2/apis"] = lambda: next(more, None)

    report = accounts.fleet().reset(3)

    assert report.clean
    assert [next(throttles, None), next(more, None)] == [None, None]
    assert len(report.labs[0].removed) == 12
