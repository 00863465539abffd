"""The names of one lab's resources, as AWS and the post write them."""

from __future__ import annotations

import re

import pytest

from labkit.target.names import FUNCTIONS, Names, scope

NAMES = Names("jwt-lab", "123456789012", "eu-west-1")


def test_the_posts_names_stand_behind_the_labs_name() -> None:
    assert [NAMES.function(function) for function in FUNCTIONS] == [
        "jwt-lab-Pre-tokenAuthLambda",
        "jwt-lab-LambdaForAdminUser",
        "jwt-lab-LambdaForRegularUser",
    ]
    assert NAMES.api == "jwt-lab-JWTAuth"
    assert NAMES.user_pool == "jwt-lab-users"
    assert NAMES.app_client == "jwt-lab-app"
    assert NAMES.tags == {"jwt-authorizer-lab": "jwt-lab"}


def test_a_role_bears_its_region_because_roles_are_global() -> None:
    assert NAMES.role("LambdaForAdminUser") == "jwt-lab-LambdaForAdminUser-eu-west-1"


def test_arns_are_as_aws_writes_them() -> None:
    assert NAMES.function_arn("LambdaForAdminUser") == (
        "arn:aws:lambda:eu-west-1:123456789012:function:jwt-lab-LambdaForAdminUser"
    )
    assert NAMES.role_arn("LambdaForAdminUser") == (
        "arn:aws:iam::123456789012:role/jwt-authorizer-lab/jwt-lab-LambdaForAdminUser-eu-west-1"
    )
    assert NAMES.log_group_arn("LambdaForAdminUser") == (
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/jwt-lab-LambdaForAdminUser"
    )
    assert NAMES.user_pool_arn("eu-west-1_AbCd") == "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCd"
    # Any stage; without the stage's name in the path, and with case as in the route.
    assert NAMES.route_arn("a1b2c3", "GET /AdminUser") == (
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/GET/AdminUser"
    )


def test_another_partition_has_arns_of_its_own() -> None:
    china = Names("jwt-lab", "123456789012", "cn-north-1", "aws-cn")

    assert china.function_arn("LambdaForAdminUser").startswith("arn:aws-cn:lambda:cn-north-1:")


def test_a_scope_is_made_as_the_trigger_makes_it() -> None:
    assert scope("admin", "1a2b3c") == "admin-1a2b3c"


@pytest.mark.parametrize(
    ("lab", "begins"),
    [
        ("jwt-lab", "jwt-lab-"),
        ("my-aws-lab", "lab-"),
        ("amazonian", "lab-"),
        ("cognito-1", "lab-"),
        ("laws", "lab-"),
        ("a" * 24, "a" * 24 + "-"),
    ],
)
def test_a_domain_prefix_is_one_that_cognito_takes(lab: str, begins: str) -> None:
    prefix = Names(lab, "123456789012", "eu-west-1").domain_prefix("eu-west-1_AbCd")

    # https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", prefix)
    assert not re.search("aws|amazon|cognito", prefix)
    assert re.fullmatch(re.escape(begins) + "[0-9a-f]{10}", prefix)


def test_two_pools_or_accounts_never_want_the_same_domain() -> None:
    other_account = Names("jwt-lab", "210987654321", "eu-west-1")

    prefixes = {
        NAMES.domain_prefix("eu-west-1_AbCd"),
        NAMES.domain_prefix("eu-west-1_EfGh"),
        other_account.domain_prefix("eu-west-1_AbCd"),
    }
    assert len(prefixes) == 3
    assert NAMES.domain_prefix("eu-west-1_AbCd") in prefixes
