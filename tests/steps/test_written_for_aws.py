"""Answers that AWS gives and the embedded cloud in calm weather does not, put into the lab's clients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from labkit import aws
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.steps import app_client as client_module
from labkit.steps import user_pool
from tests.labs import (
    Calls,
    Clock,
    Refusal,
    break_off,
    change_answers,
    in_pages_of_one,
    lab_at,
    refuse,
    settings_report,
)

NAME = "on-aws"
ADMIN = f"{NAME}-LambdaForAdminUser"

ROLE = Refusal("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
UPDATING = Refusal(
    "ResourceConflictException",
    f"The operation cannot be performed at this time. An update is in progress for resource: {ADMIN}",
    409,
)
CONCURRENT = Refusal(
    "ConflictException",
    "Unable to complete operation due to concurrent modification. Please try again later.",
    409,
)
ISSUER = Refusal(
    "BadRequestException",
    "Caught exception when connecting to https://example.com/.well-known/openid-configuration for issuer "
    "https://example.com. Please try again later. Error: Invalid issuer: https://example.com. "
    "Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'",
)


@pytest.fixture(scope="module")
def built(warm_home: Path) -> Lab:
    """A finished lab. Each test damages it and lets a lab of the same name with clients of its own mend it."""
    lab = lab_at(warm_home, NAME)
    lab.up()
    return lab


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """No pause of labkit's or of the SDK's takes any time."""
    clock = Clock()
    monkeypatch.setattr(aws, "time", clock)
    monkeypatch.setattr("botocore.endpoint.time", clock)
    return clock


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def lab(built: Lab, clock: Clock, told: list[str]) -> Lab:
    return lab_at(built.settings.home, NAME, told=told)


def pool(lab: Lab) -> dict[str, str]:
    return {"UserPoolId": lab.status().ids["user_pool_id"]}


def app_client(lab: Lab) -> dict[str, str]:
    return {**pool(lab), "ClientId": lab.status().ids["app_client_id"]}


def api(lab: Lab) -> dict[str, str]:
    return {"ApiId": lab.status().ids["api_id"]}


def admin_route(lab: Lab) -> dict[str, str]:
    ids = lab.status().ids
    return {"ApiId": ids["api_id"], "RouteId": ids["admin_route_id"]}


def delete_function(lab: Lab) -> None:
    lab.target.client("lambda").delete_function(FunctionName=ADMIN)


def change_timeout(lab: Lab) -> None:
    lab.target.client("lambda").update_function_configuration(FunctionName=ADMIN, Timeout=1)


def change_audience(lab: Lab) -> None:
    ids = lab.status().ids
    lab.target.client("apigatewayv2").update_authorizer(
        ApiId=ids["api_id"],
        AuthorizerId=ids["authorizer_id"],
        JwtConfiguration={"Audience": ["other"], "Issuer": ids["issuer"]},
    )


def change_scope(lab: Lab) -> None:
    lab.target.client("apigatewayv2").update_route(**admin_route(lab), AuthorizationScopes=["other"])


def delete_test_stage(lab: Lab) -> None:
    lab.target.client("apigatewayv2").delete_stage(**api(lab), StageName="Test")


def disable_user(lab: Lab) -> None:
    lab.target.client("cognito-idp").admin_disable_user(**pool(lab), Username="adminuser")


def remove_retention(lab: Lab) -> None:
    lab.target.client("logs").delete_retention_policy(logGroupName=f"/aws/lambda/{ADMIN}")


def remove_role_policy(lab: Lab) -> None:
    lab.target.client("iam").delete_role_policy(RoleName=f"{ADMIN}-us-east-1", PolicyName="write-own-logs")


def detach_trigger(lab: Lab, **settings: Any) -> None:
    """Change the pool's settings to these, and leave the trigger out."""
    cognito = lab.target.client("cognito-idp")
    tags = cognito.describe_user_pool(**pool(lab))["UserPool"]["UserPoolTags"]
    cognito.update_user_pool(**pool(lab), UserPoolTags=tags, **settings)


@pytest.mark.parametrize(
    ("damage", "service", "operation", "refusal", "times", "why"),
    [
        (delete_function, "lambda", "CreateFunction", ROLE, 3, "a new role is spreading"),
        (change_timeout, "lambda", "UpdateFunctionConfiguration", UPDATING, 2, "a function is still being updated"),
        (change_scope, "apigatewayv2", "UpdateRoute", CONCURRENT, 3, "another change to this API is under way"),
        (change_audience, "apigatewayv2", "UpdateAuthorizer", ISSUER, 2,
         "a new user pool's issuer is not published yet"),
    ],
    ids=["role", "function", "API", "issuer"],
)  # fmt: skip
def test_what_settles_by_itself_is_waited_for(
    damage: Callable[[Lab], None], service: str, operation: str, refusal: Refusal, times: int, why: str,
    lab: Lab, built: Lab, told: list[str],
) -> None:  # fmt: skip
    damage(built)
    left = refuse(lab.target, service, operation, refusal, times)

    lab.up()

    assert left == []
    assert told == [f"Waiting: {why}."] * times
    assert settings_report(built).findings == ()


@pytest.mark.parametrize(
    ("damage", "service", "operation", "refusal"),
    [
        (disable_user, "cognito-idp", "AdminEnableUser", Refusal("TooManyRequestsException")),
        (delete_test_stage, "apigatewayv2", "CreateDeployment",
         Refusal("TooManyRequestsException", "Too Many Requests", 429)),
        (remove_role_policy, "iam", "PutRolePolicy", Refusal("Throttling")),
        (delete_function, "lambda", "AddPermission", Refusal("TooManyRequestsException", status=429)),
        (remove_retention, "logs", "PutRetentionPolicy", Refusal("ThrottlingException")),
    ],
    ids=["cognito-idp", "apigatewayv2", "iam", "lambda", "logs"],
)  # fmt: skip
def test_throttling_beyond_the_sdks_patience_is_waited_for(
    damage: Callable[[Lab], None], service: str, operation: str, refusal: Refusal,
    lab: Lab, built: Lab, told: list[str],
) -> None:  # fmt: skip
    damage(built)
    left = refuse(lab.target, service, operation, refusal, times=8)

    lab.up()

    assert left == []
    assert told == ["Waiting: AWS asks for fewer calls a second."]
    assert settings_report(built).findings == ()


def test_a_role_that_never_becomes_assumable_ends_in_a_sentence(
    lab: Lab, built: Lab, clock: Clock, told: list[str]
) -> None:
    delete_function(built)
    refuse(lab.target, "lambda", "CreateFunction", ROLE)

    with pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem == (
        "AWS answered CreateFunction with InvalidParameterValueException: "
        "The role defined for the function cannot be assumed by Lambda."
    )
    assert error.value.remedy == "Repeat the command: it goes on where this one stopped."
    assert set(told) == {"Waiting: a new role is spreading."}
    assert 60 < clock.now <= 65
    built.up()


def test_an_issuer_that_is_never_published_ends_in_a_sentence(lab: Lab, built: Lab, clock: Clock) -> None:
    change_audience(built)
    refuse(lab.target, "apigatewayv2", "UpdateAuthorizer", ISSUER)

    with pytest.raises(LabError, match="AWS answered UpdateAuthorizer with BadRequestException: Caught exception"):
        lab.up()

    assert 45 < clock.now <= 50
    built.up()


def test_credentials_that_expire_halfway_are_named_and_the_next_up_goes_on(lab: Lab, built: Lab) -> None:
    remove_retention(built)
    disable_user(built)
    expired = Refusal("ExpiredTokenException", "The security token included in the request is expired", 400)
    refuse(lab.target, "cognito-idp", "ListUserPools", expired)
    calls = Calls(lab.target)

    with pytest.raises(LabError, match=r"Your AWS credentials have expired\. Sign in again"):
        lab.up()

    assert calls.writes == ["PutRetentionPolicy"]
    calls = Calls(built.target)
    built.up()
    assert calls.writes == ["AdminEnableUser"]


def pending_for(polls: int) -> Callable[[dict[str, Any]], None]:
    """Say Pending in so many answers to GetFunction, then what is true."""
    left = [None] * polls

    def change(parsed: dict[str, Any]) -> None:
        if left and parsed.get("Configuration", {}).get("FunctionName") == ADMIN:
            left.pop()
            parsed["Configuration"]["State"] = "Pending"

    return change


def test_a_function_is_changed_only_once_it_is_active(lab: Lab, built: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    change_timeout(built)
    monkeypatch.setattr("botocore.waiter.time", Clock())
    change_answers(lab.target, "lambda", "GetFunction", pending_for(5))
    calls = Calls(lab.target)

    lab.ensure("functions")

    before = calls.made[: calls.made.index("UpdateFunctionConfiguration")]
    assert before.count("GetFunction") >= 6
    assert settings_report(built).findings == ()


def test_a_function_that_was_left_pending_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Clock()
    monkeypatch.setattr("botocore.waiter.time", waiting)
    change_answers(lab.target, "lambda", "GetFunction", pending_for(4))

    lab.ensure("functions")

    assert len(waiting.slept) == 3


def test_a_function_that_fails_to_start_ends_in_a_sentence(
    lab: Lab, built: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_timeout(built)
    monkeypatch.setattr("botocore.waiter.time", Clock())
    change_answers(lab.target, "lambda", "GetFunction", lambda parsed: parsed["Configuration"].update(State="Failed"))

    with pytest.raises(LabError, match="Waiter FunctionActiveV2 failed: Waiter encountered a terminal failure state"):
        lab.up()
    built.up()


LISTS = {
    "cognito-idp": ["ListUserPools", "ListUserPoolClients", "ListGroups", "ListUsers", "AdminListGroupsForUser"],
    "apigatewayv2": ["GetApis", "GetRoutes", "GetIntegrations", "GetAuthorizers", "GetStages"],
    "logs": ["DescribeLogGroups"],
}


def test_what_is_on_a_later_page_is_found(lab: Lab, built: Lab) -> None:
    # Others come first and last: of whatever a page holds one of, the lab's must be found.
    cognito, gateway = built.target.client("cognito-idp"), built.target.client("apigatewayv2")
    for number in range(2):
        cognito.create_user_pool(PoolName=f"other-{number}")
        cognito.create_user_pool_client(**pool(built), ClientName=f"other-{number}")
        gateway.create_api(Name=f"other-{number}", ProtocolType="HTTP")
    asked = {
        operation: in_pages_of_one(lab.target, service, operation)
        for service, operations in LISTS.items()
        for operation in operations
    }
    calls = Calls(lab.target)

    status = lab.up().to_dict()

    assert calls.writes == []
    assert status == built.status().to_dict()
    assert settings_report(lab).findings == ()
    assert [operation for operation, tokens in asked.items() if not tokens] == ["GetAuthorizers"]


def test_an_update_of_the_pool_keeps_what_it_was_not_asked_to_change(lab: Lab, built: Lab) -> None:
    other_trigger = lab.target.names.function_arn("LambdaForAdminUser")
    detach_trigger(
        built,
        AutoVerifiedAttributes=["email"],
        DeletionProtection="ACTIVE",
        AccountRecoverySetting={"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
        LambdaConfig={"PostConfirmation": other_trigger},
        Policies={"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 3}},
    )

    lab.up()

    kept = built.target.client("cognito-idp").describe_user_pool(**pool(built))["UserPool"]
    assert kept["AutoVerifiedAttributes"] == ["email"]
    assert kept["DeletionProtection"] == "ACTIVE"
    assert kept["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Priority": 1, "Name": "verified_email"}]
    assert kept["LambdaConfig"]["PostConfirmation"] == other_trigger
    assert kept["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"] == 3
    assert kept["UserPoolTags"] == {"jwt-authorizer-lab": NAME}
    assert settings_report(lab).findings == ()


def test_an_update_of_the_app_client_keeps_what_it_was_not_asked_to_change(lab: Lab, built: Lab) -> None:
    cognito = built.target.client("cognito-idp")
    chosen = {
        "IdTokenValidity": 5,
        "AccessTokenValidity": 10,
        "TokenValidityUnits": {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"},
        "RefreshTokenValidity": 2,
        "LogoutURLs": ["http://localhost:8000/bye"],
        "ReadAttributes": ["email"],
        "EnableTokenRevocation": False,
    }
    cognito.update_user_pool_client(**app_client(built), ClientName=f"{NAME}-app", **chosen)

    lab.up()

    kept = cognito.describe_user_pool_client(**app_client(built))["UserPoolClient"]
    assert {key: kept[key] for key in chosen} == chosen
    assert settings_report(lab).findings == ()
    cognito.update_user_pool_client(**app_client(built), ClientName=f"{NAME}-app")
    built.up()


def test_a_redirect_that_the_lab_does_not_allow_is_not_kept(lab: Lab, built: Lab) -> None:
    cognito = built.target.client("cognito-idp")
    other = "http://localhost:9000/other"
    cognito.update_user_pool_client(
        **app_client(built), ClientName=f"{NAME}-app", CallbackURLs=[other], DefaultRedirectURI=other
    )

    lab.up()

    assert not cognito.describe_user_pool_client(**app_client(built))["UserPoolClient"].get("DefaultRedirectURI")


def test_all_that_an_update_would_reset_is_known() -> None:
    service = botocore.session.get_session().get_service_model("cognito-idp")

    def members(operation: str) -> set[str]:
        return set(service.operation_model(operation).input_shape.members)

    def told(operation: str, result: str) -> set[str]:
        return set(service.operation_model(operation).output_shape.members[result].members)

    assert members("UpdateUserPool") == {*user_pool._UPDATABLE, "UserPoolId", "PoolName"}
    assert members("UpdateUserPoolClient") == (
        told("DescribeUserPoolClient", "UserPoolClient") - client_module._ONLY_TOLD_OF_CLIENTS
    )


def test_a_change_is_deployed_even_if_a_crash_came_between(lab: Lab, built: Lab) -> None:
    change_scope(built)
    built.target.client("apigatewayv2").create_deployment(**api(built), StageName="Test", Description="other")
    break_off(lab.target, "apigatewayv2", "CreateDeployment")
    with pytest.raises(KeyboardInterrupt):
        lab.up()
    assert [finding.subject for finding in settings_report(built).findings] == ["deployment of stage Test"]

    calls = Calls(built.target)
    built.up()

    assert calls.writes == ["CreateDeployment"]
    assert built.check().findings == ()


def test_a_double_that_a_lost_answer_left_is_deleted(lab: Lab, built: Lab) -> None:
    before = built.status().ids
    lab.target.client("apigatewayv2").create_integration(
        **api(built),
        IntegrationType="AWS_PROXY",
        IntegrationUri=built.target.names.function_arn("LambdaForAdminUser"),
        IntegrationMethod="POST",
        PayloadFormatVersion="2.0",
    )
    calls = Calls(lab.target)

    lab.up()

    assert calls.writes == ["DeleteIntegration"]
    assert lab.status().ids == before


def make_log_group(lab: Lab) -> None:
    lab.target.client("logs").create_log_group(logGroupName=f"/aws/lambda/{lab.settings.name}-Pre-tokenAuthLambda")


def make_role(lab: Lab) -> None:
    lab.target.client("iam").create_role(
        RoleName=f"{lab.settings.name}-Pre-tokenAuthLambda-us-east-1", AssumeRolePolicyDocument="{}"
    )


def untag_function(lab: Lab) -> None:
    lab.ensure("functions")
    arn = lab.target.names.function_arn("Pre-tokenAuthLambda")
    lab.target.client("lambda").untag_resource(Resource=arn, TagKeys=["jwt-authorizer-lab"])


@pytest.mark.parametrize(
    ("make", "what", "name"),
    [
        (make_log_group, "log group", "/aws/lambda/{}-Pre-tokenAuthLambda"),
        (make_role, "role", "{}-Pre-tokenAuthLambda-us-east-1"),
        (untag_function, "function", "{}-Pre-tokenAuthLambda"),
    ],
)
def test_what_bears_the_name_but_not_the_tag_is_left_alone(
    make: Callable[[Lab], None], what: str, name: str, new_lab: Callable[..., Lab]
) -> None:
    lab = new_lab()
    make(lab)
    calls = Calls(lab.target)

    with pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem == (
        f"A {what} named {name.format(lab.settings.name)} exists already and does not bear this lab's tag, "
        "so it is left alone."
    )
    assert "LABKIT_NAME" in error.value.remedy
    # What is made for the other functions beside it comes to its end.
    assert set(calls.writes) <= {"CreateLogGroup", "PutRetentionPolicy", "CreateRole", "PutRolePolicy"}


def test_a_user_pool_without_the_tag_is_somebody_elses(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    cognito = lab.target.client("cognito-idp")
    theirs = cognito.create_user_pool(PoolName=f"{lab.settings.name}-users")["UserPool"]["Id"]

    lab.up(through="user-pool")

    assert lab.status().ids["user_pool_id"] != theirs
    assert cognito.list_users(UserPoolId=theirs)["Users"] == []


OPTIONAL = {
    ("cognito-idp", "ListUserPools"): ("UserPools", ["CreationDate", "LastModifiedDate", "LambdaConfig"]),
    ("cognito-idp", "DescribeUserPool"): ("UserPool", ["CreationDate", "Name", "Arn", "EstimatedNumberOfUsers"]),
    ("cognito-idp", "DescribeUserPoolClient"): ("UserPoolClient", ["CreationDate", "LastModifiedDate"]),
    ("apigatewayv2", "GetApis"): ("Items", ["CreatedDate", "ApiEndpoint"]),
    ("logs", "DescribeLogGroups"): ("logGroups", ["arn", "creationTime", "storedBytes"]),
    ("iam", "GetRole"): ("Role", ["CreateDate", "RoleLastUsed", "Description"]),
}


def test_what_an_answer_need_not_hold_is_not_missed(lab: Lab, built: Lab) -> None:
    """AWS's models require almost no member of an answer."""

    def without(member: str, optional: list[str]) -> Callable[[dict[str, Any]], None]:
        def change(answer: dict[str, Any]) -> None:
            things = answer.get(member, [])
            for thing in things if isinstance(things, list) else [things]:
                for name in optional:
                    thing.pop(name, None)

        return change

    for (service, operation), (member, optional) in OPTIONAL.items():
        change_answers(lab.target, service, operation, without(member, optional))
    calls = Calls(lab.target)

    lab.up()

    assert calls.writes == []
    assert settings_report(lab).findings == ()
    assert lab.plan_removal().to_dict() == built.plan_removal().to_dict()


def test_roles_are_listed_before_one_is_asked_for(new_lab: Callable[..., Lab]) -> None:
    """IAM judges GetRole on what does not exist by an ARN without its path: AccessDenied under a policy on the path."""
    lab = new_lab()
    calls = Calls(lab.target)

    lab.status()
    lab.check()
    lab.plan_removal()
    lab.up(through="functions")

    assert "GetRole" not in calls.made
    assert "ListRoles" in calls.made
