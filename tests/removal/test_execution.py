"""Deletions go on after single failures, wait where AWS asks for it, and take away what others added."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore import xform_name

from labkit.errors import LabError
from labkit.lab import Lab
from labkit.removal.removal import execute, plan
from labkit.steps.step import Deletion
from tests.labs import Calls, Clock, Refusal, change_answers, refuse
from tests.removal import decoys
from tests.removal.account import WHOLE_LAB, Client, everything, of_lab

DENIED = Refusal("AccessDeniedException", "You may not.")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that passes only while somebody sleeps."""
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr("time.sleep", clock.sleep)
    return clock


def left_of(lab: Lab, client: Client) -> dict[str, int]:
    return of_lab(everything(client), lab.settings.name)


def test_policies_that_somebody_added_to_a_role_go_with_it(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    arn = decoys.policy(client, "somebodys-policy")
    client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
    client("iam").put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=decoys.POLICY)

    receipt = lab.down()

    assert [d.name for d in receipt.removed if d.kind == "attached policy"] == [f"somebodys-policy of {role}"]
    assert [d.name for d in receipt.removed if d.kind == "role policy" and "more" in d.name] == [f"more of {role}"]
    assert receipt.left == ()
    assert left_of(lab, client) == {}
    assert client("iam").get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 0


def test_the_deletion_protection_of_the_pool_is_turned_off_and_its_settings_are_kept(lab: Lab, client: Client) -> None:
    lab.up(through="user-pool")
    pool = lab.status().ids["user_pool_id"]
    before = client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
    kept = {key: before[key] for key in ("Policies", "LambdaConfig", "UserPoolTags")}
    client("cognito-idp").update_user_pool(UserPoolId=pool, DeletionProtection="ACTIVE", **kept)
    protection = plan(lab.target).deletions[0]

    receipt = lab.down()

    assert (protection.kind, protection.name) == ("deletion protection", f"{lab.settings.name}-users")
    assert protection.parameters["DeletionProtection"] == "INACTIVE"
    assert kept.items() <= protection.parameters.items()
    assert receipt.left == ()
    assert left_of(lab, client) == {}


def test_a_second_pool_and_a_second_api_of_the_lab_go_too(lab: Lab, client: Client) -> None:
    lab.up()
    tags = {"jwt-authorizer-lab": lab.settings.name}
    decoys.user_pool(client, f"{lab.settings.name}-users", tags, domain=f"second-of-{lab.settings.name}")
    decoys.api(client, f"{lab.settings.name}-JWTAuth", tags)

    receipt = lab.down()

    kinds = [deletion.kind for deletion in receipt.removed]
    assert (kinds.count("HTTP API"), kinds.count("hosted domain"), kinds.count("user pool")) == (2, 2, 2)
    assert receipt.left == ()
    assert left_of(lab, client) == {}


def test_a_protected_log_group_is_left_and_the_receipt_says_how_to_unprotect_it(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    name = f"/aws/lambda/{lab.settings.name}-LambdaForAdminUser"

    def protect(answer: dict[str, Any]) -> None:
        for group in answer["logGroups"]:
            group["deletionProtectionEnabled"] = group["logGroupName"] == name

    change_answers(lab.target, "logs", "DescribeLogGroups", protect)

    receipt = lab.down()

    assert not receipt.clean
    assert [(left.kind, left.name) for left in receipt.left] == [("log group", name)]
    assert receipt.left[0].why == (
        "somebody turned its deletion protection on; to turn it off: aws logs put-log-group-deletion-protection "
        f"--log-group-identifier {name} --no-deletion-protection-enabled"
    )
    client("logs").delete_log_group(logGroupName=name)


def test_a_deletion_that_fails_does_not_stop_the_others(lab: Lab, client: Client) -> None:
    lab.up()
    refused = refuse(lab.target, "lambda", "DeleteFunction", DENIED)

    receipt = lab.down()

    assert not receipt.clean
    assert left_of(lab, client) == {"function": 3, "permission": 3}
    assert {(left.kind, left.why) for left in receipt.left} == {
        ("function", "AWS refused DeleteFunction: You may not."),
    }
    assert receipt.text().startswith(f"Lab {lab.settings.name} is not gone: 3 of its resources are left.")

    refused.clear()
    assert lab.down().clean
    assert left_of(lab, client) == {}


def test_what_a_part_could_not_be_removed_of_is_not_tried(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    refused = refuse(lab.target, "iam", "DeleteRolePolicy", DENIED, times=1)
    calls = Calls(lab.target)

    receipt = lab.down()

    role = f"{lab.settings.name}-Pre-tokenAuthLambda-us-east-1"
    assert calls.made.count("DeleteRole") == 2
    assert [(left.kind, left.name, left.why) for left in receipt.left] == [
        ("role policy", f"write-own-logs of {role}", "AWS refused DeleteRolePolicy: You may not."),
        ("role", role, f"The role policy write-own-logs of {role} was not removed, and belongs to it."),
    ]
    assert refused == []
    assert lab.down().clean


THROTTLED = Refusal("TooManyRequestsException", status=429)
CONFLICT = Refusal(
    "ConflictException", "Unable to complete operation due to concurrent modification. Please try again later.", 409
)
IN_USE = Refusal("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
STILL_THERE = Refusal(
    "InvalidParameterException", "User pool cannot be deleted. It has a domain configured that should be deleted first."
)


@pytest.mark.parametrize(
    ("service", "operation", "refusal", "times"),
    [
        ("lambda", "DeleteFunction", THROTTLED, 8),
        ("apigatewayv2", "DeleteApi", THROTTLED, 8),
        ("apigatewayv2", "DeleteApi", CONFLICT, 3),
        ("iam", "DeleteRole", IN_USE, 3),
        ("cognito-idp", "DeleteUserPool", STILL_THERE, 3),
        ("logs", "DeleteLogGroup", Refusal("OperationAbortedException", "Conflict."), 3),
    ],
    ids=lambda value: value.code if isinstance(value, Refusal) else str(value),
)
def test_what_aws_asks_to_wait_for_is_waited_for(
    service: str, operation: str, refusal: Refusal, times: int, lab: Lab, client: Client, clock: Clock
) -> None:
    lab.up()
    unused = refuse(lab.target, service, operation, refusal, times)

    receipt = lab.down()

    assert unused == []
    assert receipt.left == ()
    assert left_of(lab, client) == {}
    assert clock.slept


@pytest.mark.parametrize(
    ("service", "operation", "refusal"),
    [
        ("apigatewayv2", "DeleteApi", Refusal("NotFoundException", "Invalid API identifier specified", 404)),
        ("cognito-idp", "DeleteUserPoolDomain", Refusal("InvalidParameterException", "No such domain or user pool.")),
        ("iam", "DeleteRolePolicy", Refusal("NoSuchEntity", "The role policy cannot be found.", 404)),
        ("logs", "DeleteLogGroup", Refusal("ResourceNotFoundException", "The log group does not exist.")),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_gone_already_counts_as_removed(
    service: str, operation: str, refusal: Refusal, lab: Lab, clock: Clock
) -> None:
    lab.up()
    removal = plan(lab.target)
    refuse(lab.target, service, operation, refusal, 1)

    told_gone, _ = execute(lab.target, removal.deletions)

    assert xform_name(operation) in [deletion.operation for deletion in told_gone]
    assert execute(lab.target, removal.deletions) == (removal.deletions, ())
    assert len(removal.deletions) == 15
    lab.down()


def test_a_function_whose_tags_may_not_be_read_is_left_and_not_called_foreign(lab: Lab, client: Client) -> None:
    lab.up(through="functions")

    def hide_tags(answer: dict[str, Any]) -> None:
        answer.pop("Tags", None)
        answer["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "You may not."}

    change_answers(lab.target, "lambda", "GetFunction", hide_tags)

    receipt = lab.down()

    assert not receipt.clean
    assert left_of(lab, client)["function"] == 3
    assert {left.why for left in receipt.left if left.kind == "function"} == {
        "its tags may not be read, so it may be this lab's"
    }


def test_a_lab_that_nobody_agreed_to_remove_is_not_touched(lab: Lab, client: Client) -> None:
    lab.up()
    lab.target.confirmed = False

    with pytest.raises(LabError, match="nobody has confirmed it"):
        lab.down()

    assert left_of(lab, client) == WHOLE_LAB
    lab.target.confirmed = True
    lab.down()


def test_every_deletion_can_be_shown_and_kept(lab: Lab) -> None:
    lab.up()
    for deletion in plan(lab.target).deletions:
        assert Deletion(**dataclasses.asdict(deletion)) == deletion
    lab.down()
