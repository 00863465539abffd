"""An account's permissions boundary is found by its name and given to every role, or is said to be wrong or missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labkit.errors import LabError
from labkit.lab import Lab
from labkit.removal.second_scan import scan
from labkit.steps.boundary import DOCUMENT, NAME
from tests.labs import Calls, Refusal, lab_at, refuse
from tests.removal import decoys

ROLE = "bounded-Pre-tokenAuthLambda-us-east-1"


@pytest.fixture
def make_boundary(warm_home: Path) -> Iterator[Callable[[str], str]]:
    """Makes the boundary in the account, as an administrator does, with this document."""
    iam, made = lab_at(warm_home, "administrator").target.client("iam"), []

    def make(document: str) -> str:
        made.append(iam.create_policy(PolicyName=NAME, PolicyDocument=document)["Policy"]["Arn"])
        return str(made[0])

    yield make
    for arn in made:
        iam.delete_policy(PolicyArn=arn)


def test_a_role_is_given_the_boundary_of_its_account(warm_home: Path, make_boundary: Callable[[str], str]) -> None:
    lab, boundary = lab_at(warm_home, "bounded"), make_boundary(DOCUMENT.read_text())

    lab.up("functions")

    role = lab.target.client("iam").get_role(RoleName=ROLE)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert lab.check("functions").findings == ()
    assert lab.down().clean


def test_an_account_without_a_boundary_needs_none(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()

    lab.up("functions")

    role = lab.target.client("iam").get_role(RoleName=f"{lab.settings.name}-Pre-tokenAuthLambda-us-east-1")["Role"]
    assert "PermissionsBoundary" not in role
    assert lab.down().clean


def test_a_boundary_that_says_something_else_is_told_before_anything_is_made(
    new_lab: Callable[..., Lab], make_boundary: Callable[[str], str]
) -> None:
    lab, arn = new_lab(), make_boundary(decoys.POLICY)
    calls = Calls(lab.target)

    with pytest.raises(LabError) as error:
        lab.up()

    assert calls.writes == []
    assert error.value.problem == (
        f"The policy {NAME} of account {lab.target.place.account} does not say what docs/boundary.json says."
    )
    assert f"--policy-arn {arn} --policy-document file://docs/boundary.json" in error.value.remedy
    mend = {"PolicyArn": arn, "PolicyDocument": DOCUMENT.read_text(), "SetAsDefault": True}
    version = lab.target.client("iam").create_policy_version(**mend)["PolicyVersion"]["VersionId"]
    assert version == "v2"
    lab.up("functions")
    assert lab.down().clean
    lab.target.client("iam").delete_policy_version(PolicyArn=arn, VersionId="v1")


SCP = "User: a is not authorized to perform: b on resource: c with an explicit deny in a service control policy"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("logs", "CreateLogGroup"),
        ("iam", "CreateRole"),
        ("lambda", "CreateFunction"),
        ("cognito-idp", "CreateUserPool"),
        ("apigatewayv2", "CreateApi"),
    ],
)
def test_what_an_organisation_denies_is_told_as_such_and_nothing_stays(
    service: str, operation: str, new_lab: Callable[..., Lab]
) -> None:
    lab = new_lab()
    refuse(
        lab.target,
        service,
        operation,
        Refusal("AccessDenied" if service == "iam" else "AccessDeniedException", SCP, 403),
    )

    with pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem == f"AWS refused {operation}: {SCP}"
    assert error.value.remedy.startswith(
        "Ask whoever keeps the organisation's policies: one of them does not allow it."
    )
    assert ("LABKIT_ROLE_ARN" in error.value.remedy) == (operation == "CreateRole")
    assert lab.down().clean
    assert scan(lab.target) == ()


def test_a_role_that_is_refused_for_want_of_a_boundary_is_told_so(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    refuse(lab.target, "iam", "CreateRole", Refusal("AccessDenied", "not authorized", 403))

    with pytest.raises(LabError, match=f"this account has no policy {NAME}") as error:
        lab.up()

    assert "set LABKIT_ROLE_ARN" in error.value.remedy
    assert f"aws iam create-policy --policy-name {NAME}" in error.value.remedy
    assert lab.down().clean
