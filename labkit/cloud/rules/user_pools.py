"""The control plane of Cognito user pools."""

from __future__ import annotations

import copy
import re
from typing import Any

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import state
from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.registry import after, before

GUIDE = "https://docs.aws.amazon.com/cognito/latest/developerguide/"
REFERENCE = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/"

DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
RESERVED = ("aws", "amazon", "cognito")

# What a setting is when an update leaves it out. The tier is kept; so are, as measured, the password policy and the MFA
# setting: https://github.com/go-to-k/cdkd/issues/2675
POOL_DEFAULTS: dict[str, Any] = {
    "AccountRecoverySetting": {},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
    "AutoVerifiedAttributes": [],
    "DeletionProtection": "INACTIVE",
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "EmailVerificationMessage": "",
    "EmailVerificationSubject": "",
    "LambdaConfig": {},
    "SmsAuthenticationMessage": "",
    "SmsConfiguration": {},
    "SmsVerificationMessage": "",
    "UserPoolTags": {},
}
CLIENT_DEFAULTS: dict[str, Any] = {
    "AccessTokenValidity": None,
    "AllowedOAuthFlows": [],
    "AllowedOAuthFlowsUserPoolClient": False,
    "AllowedOAuthScopes": [],
    "AnalyticsConfiguration": None,
    "AuthSessionValidity": 3,
    "CallbackURLs": [],
    "DefaultRedirectURI": None,
    "EnablePropagateAdditionalUserContextData": False,
    "EnableTokenRevocation": True,
    "ExplicitAuthFlows": [],
    "IdTokenValidity": None,
    "LogoutURLs": [],
    "PreventUserExistenceErrors": "LEGACY",
    "ReadAttributes": [],
    "RefreshTokenValidity": 30,
    "SupportedIdentityProviders": [],
    "TokenValidityUnits": {},
    "WriteAttributes": [],
}


@after(
    "cognito-idp",
    "UpdateUserPool",
    aws="If you don't provide a value for an attribute, Amazon Cognito sets it to its default value. Leaving "
    "LambdaConfig out detaches every trigger; the tier alone is kept.",
    source=REFERENCE + "API_UpdateUserPool.html",
    ministack="Keeps what the call leaves out.",
)
def pool_update_resets_the_rest(call: Call, answer: Answer) -> Answer | None:
    """What the call leaves out is set to its default, tags included, but for those three."""
    pool = state.user_pool(call.text("UserPoolId"))
    if pool and answer.good:
        pool.update({name: copy.deepcopy(value) for name, value in POOL_DEFAULTS.items() if name not in call.params})
    return None


@after(
    "cognito-idp",
    "UpdateUserPoolClient",
    aws="An update sets what it leaves out to its default.",
    source=REFERENCE + "API_UpdateUserPoolClient.html",
    ministack="Keeps what the call leaves out.",
)
def client_update_resets_the_rest(call: Call, answer: Answer) -> Answer | None:
    """Every setting of the app client that the call leaves out is set to its default."""
    found = state.app_client(call.text("ClientId"))
    if not found or not answer.good:
        return None
    client = found[0]
    client.update({name: copy.deepcopy(value) for name, value in CLIENT_DEFAULTS.items() if name not in call.params})
    return answer.with_json({"UserPoolClient": {name: value for name, value in client.items() if value is not None}})


@after(
    "cognito-idp",
    "CreateUserPoolClient",
    "DescribeUserPoolClient",
    aws="A setting that an app client does not have is not in its description.",
    source=REFERENCE + "API_UserPoolClientType.html",
    confidence="inferred",
    ministack="Describes it as an empty text, which an update then refuses.",
)
def unset_settings_are_not_described(call: Call, answer: Answer) -> Answer | None:
    """Settings that are empty texts are left out of an app client's description."""
    content = answer.json()
    client = content.get("UserPoolClient") if isinstance(content, dict) else None
    if not isinstance(client, dict):
        return None
    return answer.with_json({"UserPoolClient": {name: value for name, value in client.items() if value != ""}})


@before(
    "cognito-idp",
    "DeleteUserPool",
    aws="User pool cannot be deleted. It has a domain configured that should be deleted first.",
    source=REFERENCE + "API_DeleteUserPool.html",
    confidence="inferred",
    ministack="Deletes it, and the domain with it.",
)
def pool_with_a_domain_stays(call: Call) -> Refusal | None:
    """A user pool with a domain is not deleted: 400 InvalidParameterException."""
    pool = state.user_pool(call.text("UserPoolId"))
    if not pool or not (pool.get("Domain") or pool.get("CustomDomain")):
        return None
    message = "User pool cannot be deleted. It has a domain configured that should be deleted first."
    return Refusal("InvalidParameterException", message)


@before(
    "cognito-idp",
    "DeleteUserPool",
    aws="A pool with deletion protection is not deleted until an UpdateUserPool switches it off.",
    source=REFERENCE + "API_DeleteUserPool.html",
    ministack="Deletes it.",
)
def protected_pool_stays(call: Call) -> Refusal | None:
    """A user pool with deletion protection is not deleted: 400 InvalidParameterException."""
    pool = state.user_pool(call.text("UserPoolId"))
    if not pool or pool.get("DeletionProtection") != "ACTIVE":
        return None
    message = "The user pool cannot be deleted because deletion protection is activated. Deactivate it first."
    return Refusal("InvalidParameterException", message)


@before(
    "cognito-idp",
    "CreateUserPoolDomain",
    aws="A prefix has lower-case letters, digits and inner hyphens, up to 63, and none of aws, amazon and cognito in "
    "it.",
    source=GUIDE + "cognito-user-pools-assign-domain-prefix.html",
    ministack="Takes any text.",
)
def domain_prefix_is_allowed(call: Call) -> Refusal | None:
    """Any other prefix is a 400 InvalidParameterException."""
    prefix = call.text("Domain")
    if "CustomDomainConfig" in call.params:
        return None
    if DOMAIN.fullmatch(prefix) and not any(word in prefix for word in RESERVED):
        return None
    return Refusal("InvalidParameterException", f"Domain {prefix} cannot be used: see the rules for domain prefixes.")


@before(
    "cognito-idp",
    "CreateUserPool",
    "UpdateUserPool",
    aws="PreTokenGeneration and PreTokenGenerationConfig.LambdaArn name the same function where both are given.",
    source=REFERENCE + "API_LambdaConfigType.html",
    ministack="Takes both, and uses the second.",
)
def trigger_is_named_once(call: Call) -> Refusal | None:
    """Two different functions for one trigger are a 400 InvalidParameterException."""
    config = call.mapping("LambdaConfig")
    newer = config.get("PreTokenGenerationConfig")
    old, new = config.get("PreTokenGeneration"), newer.get("LambdaArn") if isinstance(newer, dict) else None
    if not old or not new or old == new:
        return None
    return Refusal("InvalidParameterException", "PreTokenGeneration and PreTokenGenerationConfig name two functions.")


@before(
    "cognito-idp",
    "CreateUserPool",
    "UpdateUserPool",
    aws="A pool can ask for a second factor.",
    source=GUIDE + "user-pool-settings-mfa.html",
    ministack="Takes the setting, and gives tokens without a second factor to users who have set up none.",
)
def pools_have_no_second_factor(call: Call) -> Refusal | None:
    """MfaConfiguration is OFF, or a 400 InvalidParameterException."""
    setting = call.params.get("MfaConfiguration", "OFF")
    if setting == "OFF":
        return None
    message = "A second factor (MfaConfiguration) is not part of the lab's embedded cloud."
    return Refusal("InvalidParameterException", message)


@before(
    "cognito-idp",
    "AdminCreateUser",
    "AdminUpdateUserAttributes",
    "UpdateUserAttributes",
    aws="Attributes did not conform to the schema: shoe: Attribute does not exist in the schema. What is not mutable "
    "cannot be updated, and users prove a new address with a code.",
    source="https://github.com/aws-amplify/amplify-flutter/issues/509; " + GUIDE + "user-pool-settings-attributes.html",
    ministack="Takes any attribute, and lets users change their own sub and say that an address is verified.",
)
def attributes_are_in_the_schema(call: Call) -> Refusal | None:
    """An attribute outside the pool's schema, or an update of one that cannot change, is a 400
    InvalidParameterException. No code leaves this cloud, so users cannot change their e-mail address or telephone."""
    pool = state.user_pool(call.text("UserPoolId")) or state.pool_of_token(call.text("AccessToken"))
    listed = call.params.get("UserAttributes") or []
    if pool is None:
        return None
    if not isinstance(listed, list) or not all(isinstance(a, dict) and isinstance(a.get("Name"), str) for a in listed):
        return Refusal("InvalidParameterException", "UserAttributes must be a list of names and values.")
    mutable, names = state.attribute_names(pool), [attribute["Name"] for attribute in listed]
    fixed = [name for name in names if not mutable.get(name, True)] if call.operation != "AdminCreateUser" else []
    if call.operation == "UpdateUserAttributes":
        fixed += [name for name in names if name.startswith(("email", "phone_number"))]
    faults = [f"{name}: Attribute does not exist in the schema." for name in names if name not in mutable]
    faults += [f"user.{name}: Attribute cannot be updated." for name in fixed]
    if not faults:
        return None
    return Refusal("InvalidParameterException", "Attributes did not conform to the schema: " + "\n".join(faults))
