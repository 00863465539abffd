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


@proves("pools_have_no_second_factor")
@pytest.mark.parametrize("setting", ["ON", "OPTIONAL"])
def test_a_pool_asks_for_no_second_factor(site: Site, setting: str) -> None:
    cognito, pool = site.client("cognito-idp"), site.pool(MfaConfiguration="OFF")
    made = refusal(cognito.create_user_pool, PoolName="mfa", MfaConfiguration=setting)
    assert made[:2] == ("InvalidParameterException", 400)
    changed = refusal(cognito.update_user_pool, UserPoolId=pool, MfaConfiguration=setting)
    assert changed[:2] == ("InvalidParameterException", 400)
    assert cognito.get_user_pool_mfa_config(UserPoolId=pool)["MfaConfiguration"] == "OFF"


@proves("attributes_are_in_the_schema")
def test_users_have_the_attributes_of_the_schema(site: Site) -> None:
    cognito = site.client("cognito-idp")
    fixed = {"Name": "badge", "AttributeDataType": "String", "Mutable": False}
    pool = site.pool(Schema=[fixed, {"Name": "team", "AttributeDataType": "String", "Mutable": True}])
    unknown = [{"Name": "shoe", "Value": "43"}, {"Name": "custom:hat", "Value": "57"}]
    code, status, message = refusal(
        cognito.admin_create_user, UserPoolId=pool, Username="ann", MessageAction="SUPPRESS", UserAttributes=unknown
    )
    assert (code, status) == ("InvalidParameterException", 400)
    assert message.startswith("Attributes did not conform to the schema: shoe: Attribute does not exist in the schema.")
    site.user(pool, "ann")
    known = [{"Name": "custom:badge", "Value": "1"}, {"Name": "email", "Value": "bob@example.com"}]
    cognito.admin_create_user(UserPoolId=pool, Username="bob", MessageAction="SUPPRESS", UserAttributes=known)
    access = site.tokens(site.app_client(pool), "ann")["AccessToken"]
    theirs = {"UserPoolId": pool, "Username": "ann"}
    for name in ("shoe", "custom:badge", "sub", "cognito:groups", "custom:"):
        wrong = [{"Name": name, "Value": "1"}]
        for call, whose in (
            (cognito.admin_update_user_attributes, theirs),
            (cognito.update_user_attributes, {"AccessToken": access}),
        ):
            assert refusal(call, **whose, UserAttributes=wrong)[:2] == ("InvalidParameterException", 400)
    for name in ("email", "email_verified", "phone_number", "phone_number_verified"):
        wrong = [{"Name": name, "Value": "true"}]
        assert refusal(cognito.update_user_attributes, AccessToken=access, UserAttributes=wrong)[1] == 400
    cognito.update_user_attributes(AccessToken=access, UserAttributes=[{"Name": "custom:team", "Value": "red"}])
    now = {a["Name"]: a["Value"] for a in cognito.admin_get_user(**theirs)["UserAttributes"]}
    assert now.pop("custom:team") == "red"
    assert set(now) == {"sub"}
