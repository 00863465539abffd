"""User pools and app clients: what updates reset, what cannot be deleted, what cannot be made."""

from __future__ import annotations

import secrets

import pytest

from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, refusal


@proves("pool_update_resets_the_rest")
def test_an_update_of_a_pool_resets_what_it_leaves_out(site: Site) -> None:
    cognito, arn = site.client("cognito-idp"), site.function_arn("nobody")
    pool = site.pool(
        LambdaConfig={"PreTokenGeneration": arn},
        AutoVerifiedAttributes=["email"],
        UserPoolTags={"lab": "test"},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        Policies={"PasswordPolicy": {"MinimumLength": 12}},
        UserPoolTier="LITE",
    )
    cognito.update_user_pool(UserPoolId=pool, UserPoolTags={"lab": "other"})
    now = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert now.get("LambdaConfig", {}) == {}
    assert now.get("AutoVerifiedAttributes", []) == []
    assert now["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    assert now["UserPoolTags"] == {"lab": "other"}
    assert now["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert now["UserPoolTier"] == "LITE"


@proves("client_update_resets_the_rest", "unset_settings_are_not_described")
def test_an_update_of_an_app_client_resets_what_it_leaves_out(site: Site) -> None:
    cognito, pool = site.client("cognito-idp"), site.pool()
    client_id = site.app_client(pool, CallbackURLs=["http://localhost/cb"], AccessTokenValidity=2)
    told = cognito.update_user_pool_client(UserPoolId=pool, ClientId=client_id, ClientName="renamed")
    now = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)["UserPoolClient"]
    assert told["UserPoolClient"] == now
    assert now["ClientName"] == "renamed"
    assert now.get("ExplicitAuthFlows", []) == []
    assert now.get("CallbackURLs", []) == []
    assert "AccessTokenValidity" not in now
    assert "DefaultRedirectURI" not in now


@proves("pool_with_a_domain_stays")
def test_a_pool_with_a_domain_is_not_deleted(site: Site) -> None:
    cognito, pool, prefix = site.client("cognito-idp"), site.pool(), f"test-{secrets.token_hex(6)}"
    cognito.create_user_pool_domain(UserPoolId=pool, Domain=prefix)
    site.later(cognito.delete_user_pool_domain, UserPoolId=pool, Domain=prefix)
    code, status, message = refusal(cognito.delete_user_pool, UserPoolId=pool)
    assert (code, status) == ("InvalidParameterException", 400)
    assert message == "User pool cannot be deleted. It has a domain configured that should be deleted first."
    cognito.delete_user_pool_domain(UserPoolId=pool, Domain=prefix)
    cognito.delete_user_pool(UserPoolId=pool)


@proves("protected_pool_stays")
def test_a_protected_pool_is_not_deleted(site: Site) -> None:
    cognito, pool = site.client("cognito-idp"), site.pool(DeletionProtection="ACTIVE")
    assert refusal(cognito.delete_user_pool, UserPoolId=pool)[:2] == ("InvalidParameterException", 400)
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool)
    assert refusal(cognito.describe_user_pool, UserPoolId=pool)[0] == "ResourceNotFoundException"


@proves("domain_prefix_is_allowed")
@pytest.mark.parametrize("prefix", ["my-aws-lab", "cognito1", "a-", "amazonian"])
def test_a_domain_prefix_keeps_to_the_rules(site: Site, prefix: str) -> None:
    parameters = {"UserPoolId": site.pool(), "Domain": prefix}
    assert refusal(site.client("cognito-idp").create_user_pool_domain, **parameters)[0] == "InvalidParameterException"


@proves("trigger_is_named_once")
def test_one_trigger_has_one_function(site: Site) -> None:
    one, other = site.function_arn("one"), site.function_arn("other")
    both = {
        "PreTokenGeneration": one,
        "PreTokenGenerationConfig": {"LambdaArn": other, "LambdaVersion": "V1_0"},
    }
    create = site.client("cognito-idp").create_user_pool
    assert refusal(create, PoolName="p", LambdaConfig=both)[:2] == ("InvalidParameterException", 400)
