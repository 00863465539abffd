"""An account that gives one role and lets nobody make any: a whole life of a lab there, under what it allows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.removal.second_scan import scan
from labkit.steps import given_role
from labkit.steps.roles import TRUST_POLICY
from tests.aws_account import AwsAccount, play
from tests.labs import Calls, settings_report, standing
from tests.policies.calls import Account, Gate
from tests.policies.evaluator import ALLOWED, IMPLICIT_DENY, Policy, as_list, decide
from tests.policies.test_escalation import SEQUENCES
from tests.target.test_opening import Hurried

DOCS = Path(__file__).parent.parent.parent / "docs"
POLICY = json.loads((DOCS / "attendee-policy-given-role.json").read_text())
ATTENDEE = json.loads((DOCS / "attendee-policy.json").read_text())

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
WRITES = [f"iam:{verb}*" for verb in ("Add", "Attach", "Create", "Delete", "Detach", "Put", "Tag", "Untag", "Update")]
# As a school's account is: everything but the writes of IAM, and roles that may be given and neither read nor listed.
SCHOOL = {
    "Statement": [
        EVERYTHING,
        {"Effect": "Deny", "Action": [*WRITES, "iam:GetRole", "iam:ListRoles", "iam:ListAccountAliases"],
         "Resource": "*"},
    ]
}  # fmt: skip


@pytest.fixture
def lab_role(warm_cloud: Cloud) -> Iterator[str]:
    """The role that the account gives, as AWS Academy does: many services may assume it."""
    iam = session(warm_cloud, "us-east-1").client("iam")
    services = ["ec2.amazonaws.com", "lambda.amazonaws.com"]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    yield iam.create_role(RoleName="LabRole", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.delete_role(RoleName="LabRole")


@pytest.fixture
def aws(warm_cloud: Cloud, lab_role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsAccount:
    """LABKIT_TARGET=aws in that account, with the role that it gives."""
    monkeypatch.setattr("botocore.waiter.time", Hurried())
    for name, value in {"HOME": tmp_path / "home", "NAME": "given", "ROLE_ARN": lab_role}.items():
        monkeypatch.setenv(f"LABKIT_{name}", str(value))
    return play(warm_cloud, monkeypatch)


@pytest.fixture
def iam(aws: AwsAccount) -> Any:
    """IAM as the school's administrator has it."""
    return boto3.Session(region_name="us-east-1").client("iam")


@pytest.fixture
def lab(aws: AwsAccount) -> Iterator[Lab]:
    made = Lab.open(account=aws.cloud.account_id)
    yield made
    assert made.down().clean


def gate_of(aws: AwsAccount, lab_role: str, *policies: Policy) -> Gate:
    account = Account(aws.cloud.account_id)
    account.roles["LabRole"] = lab_role
    return Gate(account, policies)


@pytest.mark.parametrize("policy", [POLICY, SCHOOL], ids=["the shipped policy", "a school's account"])
def test_a_lab_lives_there_and_the_role_stays_as_it_is(
    policy: Policy, aws: AwsAccount, lab_role: str, iam: Any
) -> None:
    before, gate = iam.get_role(RoleName="LabRole")["Role"], gate_of(aws, lab_role, policy)

    with gate.closed():
        lab = Lab.open(account=aws.cloud.account_id)
        assert "given" in lab.find("functions").text()
        assert standing(lab.status()) == []
        assert "in part" not in lab.status().text()

        lab.up()
        assert all(state.found for state in lab.status().states)
        assert settings_report(lab).findings == ()
        second = Calls(lab.target)
        lab.up()
        assert second.writes == []

        functions = lab.target.client("lambda")
        for function in functions.list_functions()["Functions"]:
            if function["FunctionName"].startswith("given-"):
                assert function["Role"] == lab_role
        receipt = lab.down()
        assert receipt.clean
        assert [left for left in receipt.left if left.kind != "lab"] == []
        assert scan(lab.target) == ()

    assert iam.get_role(RoleName="LabRole")["Role"] == before
    assert [request.action for request in gate.asked if request.action.startswith("iam:")]
    assert not {"iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"} & {request.action for request in gate.asked}
    if policy is POLICY:
        judge(gate)


def judge(gate: Gate) -> None:
    """Every call was allowed; and what is only in this policy is needed."""
    assert [request for request in gate.asked if decide(request, [POLICY]) != ALLOWED] == []
    for statement in (s for s in POLICY["Statement"] if s["Sid"].startswith("TheGivenRole")):
        without = {"Statement": [kept for kept in POLICY["Statement"] if kept is not statement]}
        assert any(decide(request, [without]) != ALLOWED for request in gate.asked), statement["Sid"]


def test_the_policy_is_the_attendees_with_the_given_role_in_the_place_of_its_own() -> None:
    own = {s["Sid"] for s in ATTENDEE["Statement"]} - {s["Sid"] for s in POLICY["Statement"]}

    assert own == {"RolesOfTheFunctions", "RolesBehindTheBoundaryOnly", "TheBoundary", "RolesForLambdaOnly"}
    assert [s for s in POLICY["Statement"] if not s["Sid"].startswith("TheGivenRole")] == [
        s for s in ATTENDEE["Statement"] if s["Sid"] not in own
    ]
    allowed = {a for s in POLICY["Statement"] if s["Effect"] == "Allow" for a in as_list(s["Action"])}
    assert {action for action in allowed if action.startswith("iam:")} == {
        "iam:GetRole", "iam:ListAccountAliases", "iam:ListRoles", "iam:PassRole",
    }  # fmt: skip


@pytest.mark.parametrize("name", SEQUENCES)
def test_nobody_becomes_more_by_it_than_the_given_role(name: str) -> None:
    assert decide(SEQUENCES[name][-1], [POLICY]) == IMPLICIT_DENY


def test_a_role_of_the_labs_own_from_before_goes_and_the_given_one_stays(
    aws: AwsAccount, iam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a given one on the labs' path, with the lab's name and tag."""
    monkeypatch.delenv("LABKIT_ROLE_ARN")
    Lab.open(account=aws.cloud.account_id).up("functions")
    given = iam.get_role(RoleName="given-LambdaForAdminUser-us-east-1")["Role"]
    monkeypatch.setenv("LABKIT_ROLE_ARN", given["Arn"])
    lab = Lab.open(account=aws.cloud.account_id)

    lab.up("functions")
    assert lab.check("functions").findings == ()
    receipt = lab.down()

    assert receipt.clean
    assert [left for left in receipt.left if left.kind != "lab"] == []
    assert [d.name for d in receipt.removed if d.kind == "role"] == [
        "given-Pre-tokenAuthLambda-us-east-1", "given-LambdaForRegularUser-us-east-1",
    ]  # fmt: skip
    assert iam.get_role(RoleName=given["RoleName"])["Role"] == given
    monkeypatch.delenv("LABKIT_ROLE_ARN")
    assert Lab.open(account=aws.cloud.account_id).down().clean


def let_nobody_assume(iam: Any) -> None:
    trust = json.loads(json.dumps(TRUST_POLICY).replace("lambda", "ec2"))
    iam.update_assume_role_policy(RoleName="LabRole", PolicyDocument=json.dumps(trust))


def test_a_role_that_lambda_may_not_assume_is_told_before_anything_is_made(lab: Lab, iam: Any) -> None:
    let_nobody_assume(iam)
    calls = Calls(lab.target)

    with pytest.raises(LabError) as error:
        lab.up()

    assert calls.writes == []
    assert error.value.problem == "The trust policy of the given role LabRole does not let Lambda assume it."
    assert "let lambda.amazonaws.com do sts:AssumeRole" in error.value.remedy
    iam.update_assume_role_policy(RoleName="LabRole", PolicyDocument=json.dumps(TRUST_POLICY))
    lab.up("functions")
    assert lab.check("functions").passed
    let_nobody_assume(iam)
    (finding,) = lab.check("functions").findings
    assert (finding.subject, finding.actual) == ("trust of the given role LabRole", "something else")


def test_where_the_trust_may_not_be_read_lambda_tells(lab: Lab, aws: AwsAccount, lab_role: str, iam: Any) -> None:
    let_nobody_assume(iam)

    with gate_of(aws, lab_role, SCHOOL).closed(), pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem == f"Lambda may not assume the given role {lab_role}, or there is no such role."
    assert "let lambda.amazonaws.com do sts:AssumeRole" in error.value.remedy


def test_a_role_that_may_not_be_passed_is_told(lab: Lab, aws: AwsAccount, lab_role: str) -> None:
    denial = {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}

    with gate_of(aws, lab_role, {"Statement": [EVERYTHING, denial]}).closed(), pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem.startswith("AWS does not let you give the role LabRole to a function:")
    assert "docs/attendee-policy-given-role.json" in error.value.remedy


@pytest.mark.parametrize("change", [lambda arn: f"{arn}2", lambda arn: arn.replace("role/", "role/path/")])
def test_a_role_that_does_not_exist_is_told_before_anything_is_made(
    change: Callable[[str], str], aws: AwsAccount, lab_role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_ROLE_ARN", change(lab_role))
    lab = Lab.open(account=aws.cloud.account_id)
    calls = Calls(lab.target)

    with pytest.raises(LabError, match=f"There is no role {change(lab_role)}"):
        lab.up()

    assert calls.writes == []


def test_a_role_of_another_account_is_told_before_anything_is_asked_of_it(
    aws: AwsAccount, lab_role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_ROLE_ARN", lab_role.replace(aws.cloud.account_id, "111122223333"))

    with pytest.raises(UsageError, match=f"your credentials lead to account {aws.cloud.account_id}"):
        Lab.open(account=aws.cloud.account_id)

    assert aws.asked == ["GetCallerIdentity"]


LAMBDA = {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("statement", "lets"),
    [
        ({"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:AssumeRole"}, True),
        ([{"Effect": "Allow", "Principal": LAMBDA, "Action": ["sts:TagSession", "STS:assumeRole"]}], True),
        ({"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:*"}, True),
        ({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}, True),
        ({"Effect": "Deny", "Principal": LAMBDA, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:TagSession"}, False),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}, False),
        ([], False),
    ],
)
def test_whom_a_trust_policy_lets_in(statement: Any, lets: bool) -> None:
    assert given_role.lets_lambda({"Version": "2012-10-17", "Statement": statement}) is lets
