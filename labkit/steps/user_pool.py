"""Section 2 of the post: user pool, app client, hosted domain, trigger, groups and users."""

from __future__ import annotations

import json
from typing import Any

from labkit.aws import every, or_none, was_repeated
from labkit.steps.permissions import ensure_permission, permission_rows, statement
from labkit.steps.report import Report, assertions
from labkit.steps.status import Resource, State
from labkit.steps.step import OURS, Deletion, Left, Step, foreign, is_tagged
from labkit.target import passwords
from labkit.target.names import GROUPS, PRE_TOKEN, USERS
from labkit.target.target import Target

PERMISSION = "cognito-runs-the-trigger"

PASSWORD_POLICY = {
    "MinimumLength": 12,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
}

# What UpdateUserPool takes of what DescribeUserPool tells. It resets whatever it is not given.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-updating.html
_UPDATABLE = (
    "Policies", "DeletionProtection", "LambdaConfig", "AutoVerifiedAttributes", "SmsVerificationMessage",
    "EmailVerificationMessage", "EmailVerificationSubject", "VerificationMessageTemplate",
    "SmsAuthenticationMessage", "UserAttributeUpdateSettings", "MfaConfiguration", "DeviceConfiguration",
    "EmailConfiguration", "SmsConfiguration", "UserPoolTags", "AdminCreateUserConfig", "UserPoolAddOns",
    "AccountRecoverySetting", "UserPoolTier", "KeyConfiguration", "IssuerConfiguration",
)  # fmt: skip

# What DescribeUserPoolClient tells and UpdateUserPoolClient does not take; the rest it resets, too.
_ONLY_TOLD_OF_CLIENTS = frozenset({"ClientSecret", "CreationDate", "LastModifiedDate"})

CALLBACK_URL = "http://localhost:8000/callback"

APP_CLIENT_SETTINGS: dict[str, Any] = {
    # Through the API the default set has no password sign-in; the post's own calls need it.
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "SupportedIdentityProviders": ["COGNITO"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["phone", "email", "openid", "profile"],
    "CallbackURLs": [CALLBACK_URL],
    "PreventUserExistenceErrors": "ENABLED",
}


class UserPool(Step):
    """Who may call: users in groups, and a trigger that writes their groups into the ID token's scope claim."""

    name = "user-pool"
    title = "Cognito user pool"
    section = "Create the user pool, its app client, trigger, groups and users"
    minutes = 15
    needs = ("functions",)

    def find(self, target: Target) -> State:
        """The pool that bears the lab's name and tag, and everything in it."""
        pool = find_user_pool(target)
        client = find_app_client(target, pool["Id"]) if pool else None
        domain = (pool or {}).get("Domain")
        inside = _found_inside(target, pool["Id"]) if pool else set()
        resources = [
            Resource("user pool", target.names.user_pool, pool is not None),
            Resource("app client", target.names.app_client, client is not None),
            Resource("hosted domain", "one prefix", domain is not None),
            *(Resource("group", group, group in inside) for group in GROUPS),
            *(Resource("user", user, user in inside) for user in USERS),
        ]
        ids = {"user_pool_id": pool["Id"], "issuer": target.place.issuer(pool["Id"])} if pool else {}
        ids |= {"app_client_id": client["ClientId"]} if client else {}
        ids |= {"domain": str(domain)} if domain else {}
        return State(self.name, tuple(resources), ids)

    def ensure(self, target: Target) -> None:
        """The pool with its trigger first; the trigger's permission names the pool, so it comes second."""
        pool = ensure_user_pool(target)
        user_pool_id = str(pool["Id"])
        ensure_permission(target, PRE_TOKEN, _trigger_statement(target, user_pool_id))
        ensure_app_client(target, user_pool_id)
        if not pool.get("Domain"):
            target.client("cognito-idp").create_user_pool_domain(
                Domain=target.names.domain_prefix(user_pool_id), UserPoolId=user_pool_id
            )
        for group in GROUPS:
            ensure_group(target, user_pool_id, group)
        for user in USERS:
            ensure_user(target, user_pool_id, user)

    def check(self, target: Target) -> Report:
        """The pool's settings, the trigger and its permission, the app client, every membership."""
        pool = find_user_pool(target)
        if pool is None:
            why = "It holds the users and signs their tokens."
            return assertions(self.name, [(f"user pool {target.names.user_pool}", "found", "missing", why)])
        rows = [
            *_pool_rows(target, pool),
            *permission_rows(target, PRE_TOKEN, _trigger_statement(target, pool["Id"])),
            *_app_client_rows(target, pool["Id"]),
            *(row for user in USERS for row in _user_rows(target, pool["Id"], user)),
        ]
        return assertions(self.name, rows)

    def remove(self, target: Target) -> list[Deletion | Left]:
        """The domain, then the pool with its trigger and all that is in it, for every pool of this lab."""
        plan: list[Deletion | Left] = []
        for pool in named_user_pools(target):
            ours = is_tagged(pool.get("UserPoolTags"), target)
            plan += pool_deletions(pool) if ours else [foreign("user pool", pool["Name"], pool["Id"])]
        return plan


def named_user_pools(target: Target) -> list[dict[str, Any]]:
    """Every user pool that bears the lab's name, somebody else's too, the newest first."""
    cognito = target.client("cognito-idp")
    listed = every(cognito, "list_user_pools", "UserPools", MaxResults=60)
    named = [pool["Id"] for pool in listed if pool["Name"] == target.names.user_pool]
    answers = (or_none(cognito.describe_user_pool, UserPoolId=pool_id) for pool_id in named)
    pools = [answer["UserPool"] for answer in answers if answer]
    return sorted(pools, key=lambda pool: pool["CreationDate"], reverse=True)


def our_user_pools(target: Target) -> list[dict[str, Any]]:
    """Every user pool that bears the lab's name and tag, the newest first.

    There is more than one only after the answer to CreateUserPool was lost and the call was sent again.
    """
    return [pool for pool in named_user_pools(target) if is_tagged(pool.get("UserPoolTags"), target)]


def find_user_pool(target: Target) -> dict[str, Any] | None:
    """The lab's user pool as DescribeUserPool tells it, if it exists."""
    return next(iter(our_user_pools(target)), None)


def ensure_user_pool(target: Target) -> dict[str, Any]:
    """Create the user pool with its trigger, or mend it. Returns it. A second pool of ours is deleted."""
    pools = our_user_pools(target)
    for extra in pools[1:]:
        for deletion in pool_deletions(extra):
            getattr(target.client(deletion.service), deletion.operation)(**deletion.parameters)
    if pools:
        _mend_user_pool(target, pools[0])
        return pools[0]
    created = target.client("cognito-idp").create_user_pool(
        PoolName=target.names.user_pool,
        **_pool_settings(target),
        UsernameConfiguration={"CaseSensitive": False},
        UserPoolTags=target.names.tags,
    )
    return ensure_user_pool(target) if was_repeated(created) else dict(created["UserPool"])


def _pool_settings(target: Target) -> dict[str, Any]:
    return {
        "Policies": {"PasswordPolicy": PASSWORD_POLICY},
        "LambdaConfig": {"PreTokenGeneration": target.names.function_arn(PRE_TOKEN)},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    }


def _mend_user_pool(target: Target, pool: dict[str, Any]) -> None:
    drifted = [key for key, actual, expected in _pool_differences(target, pool) if actual != expected]
    if not drifted:
        return
    settings = _merged(_updatable(pool), _pool_settings(target))
    settings["LambdaConfig"].pop("PreTokenGenerationConfig", None)  # the version 1.0 of the event is the default
    target.client("cognito-idp").update_user_pool(UserPoolId=pool["Id"], **settings)


def _merged(kept: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What is kept with what is wanted in its place, at every depth: other triggers stay, and so on."""
    return kept | {k: _merged(kept.get(k, {}), v) if isinstance(v, dict) else v for k, v in wanted.items()}


def _updatable(pool: dict[str, Any]) -> dict[str, Any]:
    """The settings of a pool as UpdateUserPool takes them."""
    settings = {key: pool[key] for key in _UPDATABLE if pool.get(key)}
    if "AdminCreateUserConfig" in settings:
        told, not_taken = settings["AdminCreateUserConfig"], "UnusedAccountValidityDays"
        settings["AdminCreateUserConfig"] = {key: value for key, value in told.items() if key != not_taken}
    return settings


def _pool_differences(target: Target, pool: dict[str, Any]) -> list[tuple[str, object, object]]:
    policy = pool.get("Policies", {}).get("PasswordPolicy", {})
    admin_only = pool.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly")
    return [
        ("trigger", _trigger(pool), target.names.function_arn(PRE_TOKEN)),
        ("password policy", {key: policy.get(key) for key in PASSWORD_POLICY}, PASSWORD_POLICY),
        ("sign-up", admin_only, True),
    ]


def _trigger(pool: dict[str, Any]) -> str:
    """The pre token generation trigger; one with another event version would ignore the function's answer."""
    configuration = pool.get("LambdaConfig", {})
    version = configuration.get("PreTokenGenerationConfig", {}).get("LambdaVersion", "V1_0")
    arn = configuration.get("PreTokenGeneration", "none")
    return str(arn) if version == "V1_0" else f"{arn} ({version})"


def _trigger_statement(target: Target, user_pool_id: str) -> dict[str, str]:
    return statement(PERMISSION, "cognito-idp.amazonaws.com", target.names.user_pool_arn(user_pool_id))


def named_app_clients(target: Target, user_pool_id: str) -> list[dict[str, Any]]:
    """Every app client of a pool that bears the lab's name, the newest first: more than one after a lost answer."""
    cognito = target.client("cognito-idp")
    listed = every(cognito, "list_user_pool_clients", "UserPoolClients", UserPoolId=user_pool_id)
    clients = [
        cognito.describe_user_pool_client(UserPoolId=user_pool_id, ClientId=client["ClientId"])["UserPoolClient"]
        for client in listed
        if client["ClientName"] == target.names.app_client
    ]
    return sorted(clients, key=lambda client: client["CreationDate"], reverse=True)


def find_app_client(target: Target, user_pool_id: str) -> dict[str, Any] | None:
    """The lab's app client as DescribeUserPoolClient tells it, if it exists."""
    return next(iter(named_app_clients(target, user_pool_id)), None)


def ensure_app_client(target: Target, user_pool_id: str) -> None:
    """Create the app client, or mend it; of several the newest is kept."""
    cognito, clients = target.client("cognito-idp"), named_app_clients(target, user_pool_id)
    for double in clients[1:]:
        cognito.delete_user_pool_client(UserPoolId=user_pool_id, ClientId=double["ClientId"])
    if not clients:
        cognito.create_user_pool_client(
            UserPoolId=user_pool_id, ClientName=target.names.app_client, GenerateSecret=False, **APP_CLIENT_SETTINGS
        )
    elif any(expected != actual for _, expected, actual in _client_differences(clients[0])):
        cognito.update_user_pool_client(**_mended_client(clients[0]))


def _mended_client(client: dict[str, Any]) -> dict[str, Any]:
    """All settings of an app client, ours in their places: UpdateUserPoolClient resets what it is not given."""
    settings = {key: value for key, value in client.items() if key not in _ONLY_TOLD_OF_CLIENTS} | APP_CLIENT_SETTINGS
    if settings.get("DefaultRedirectURI") not in settings["CallbackURLs"]:
        settings.pop("DefaultRedirectURI", None)  # it must be one of them
    return settings


def _client_differences(client: dict[str, Any]) -> list[tuple[str, object, object]]:
    return [(key, _comparable(expected), _comparable(client.get(key))) for key, expected in APP_CLIENT_SETTINGS.items()]


def _comparable(value: object) -> object:
    return ", ".join(sorted(value)) if isinstance(value, list) else value


def ensure_group(target: Target, user_pool_id: str, group: str) -> None:
    """Create a group, unless it exists."""
    cognito = target.client("cognito-idp")
    if or_none(cognito.get_group, UserPoolId=user_pool_id, GroupName=group) is None:
        cognito.create_group(UserPoolId=user_pool_id, GroupName=group, Description=f"May call what asks for {group}")


def ensure_user(target: Target, user_pool_id: str, user: str) -> None:
    """Create a user, give it a permanent password and its groups, each unless that is so already."""
    cognito = target.client("cognito-idp")
    key = {"UserPoolId": user_pool_id, "Username": user}
    found = or_none(cognito.admin_get_user, **key)
    if found is None:
        # Without SUPPRESS, Cognito tries to send an invitation.
        found = cognito.admin_create_user(**key, MessageAction="SUPPRESS")["User"]
    if found["UserStatus"] != "CONFIRMED" or passwords.saved(target, user_pool_id, user) is None:
        # A permanent password confirms the user, who would otherwise have to change it at the first sign-in.
        password = passwords.new(target, user_pool_id, user)
        cognito.admin_set_user_password(**key, Password=password, Permanent=True)
        passwords.confirm(target, user_pool_id, user)
    if not found["Enabled"]:
        cognito.admin_enable_user(**key)
    joined = _groups_of(target, user_pool_id, user)
    for group in GROUPS:
        if group in USERS[user] and group not in joined:
            cognito.admin_add_user_to_group(**key, GroupName=group)
        if group in joined and group not in USERS[user]:
            cognito.admin_remove_user_from_group(**key, GroupName=group)


def _groups_of(target: Target, user_pool_id: str, user: str) -> set[str]:
    groups = every(
        target.client("cognito-idp"), "admin_list_groups_for_user", "Groups", UserPoolId=user_pool_id, Username=user
    )
    return {group["GroupName"] for group in groups}


def _found_inside(target: Target, user_pool_id: str) -> set[str]:
    cognito = target.client("cognito-idp")
    groups = every(cognito, "list_groups", "Groups", UserPoolId=user_pool_id)
    users = every(cognito, "list_users", "Users", UserPoolId=user_pool_id)
    return {group["GroupName"] for group in groups} | {user["Username"] for user in users}


def _pool_rows(target: Target, pool: dict[str, Any]) -> list[tuple[str, object, object, str]]:
    whys = {
        "trigger": "Only the pre token generation trigger writes the scope claim; without it every call is 403.",
        "password policy": "The lab's passwords are made to fit it.",
        "sign-up": "Nobody but you should make users here.",
    }
    rows: list[tuple[str, object, object, str]] = [
        (f"{subject} of {pool['Name']}", _flat(expected), _flat(actual), whys[subject])
        for subject, actual, expected in _pool_differences(target, pool)
    ]
    domain = "one prefix" if pool.get("Domain") else "missing"
    rows.append((f"hosted domain of {pool['Name']}", "one prefix", domain, "Sign-in pages would be served there."))
    return rows


def _flat(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _app_client_rows(target: Target, user_pool_id: str) -> list[tuple[str, object, object, str]]:
    name, client = target.names.app_client, find_app_client(target, user_pool_id)
    if client is None:
        return [(f"app client {name}", "found", "missing", "Users sign in through it, and its id is the audience.")]
    secret = "a secret" if client.get("ClientSecret") else "none"
    return [
        *(
            (f"{key} of {name}", expected, actual, _CLIENT_WHY.get(key, "The post builds it so."))
            for key, expected, actual in _client_differences(client)
        ),
        (f"client secret of {name}", "none", secret, "With a secret every sign-in would also need a SECRET_HASH."),
    ]


_CLIENT_WHY = {
    "ExplicitAuthFlows": "Without ALLOW_USER_PASSWORD_AUTH the sign-in with user name and password is refused.",
    "PreventUserExistenceErrors": "A wrong user name must not be told apart from a wrong password.",
}


def _user_rows(target: Target, user_pool_id: str, user: str) -> list[tuple[str, object, object, str]]:
    found = or_none(target.client("cognito-idp").admin_get_user, UserPoolId=user_pool_id, Username=user)
    if found is None:
        return [(f"user {user}", "found", "missing", "The five calls of the post need both users.")]
    kept = "kept" if passwords.saved(target, user_pool_id, user) else "not kept"
    groups = ", ".join(sorted(_groups_of(target, user_pool_id, user) & set(GROUPS)))
    status = found["UserStatus"] if found["Enabled"] else "disabled"
    return [
        (f"status of {user}", "CONFIRMED", status, "FORCE_CHANGE_PASSWORD answers sign-in with a challenge, no token."),
        (f"groups of {user}", ", ".join(sorted(USERS[user])), groups, "Each group becomes one scope."),
        (f"password of {user}", "kept", kept, "Cognito does not tell it again."),
    ]


def pool_deletions(pool: dict[str, Any]) -> list[Deletion]:
    """The deletions that take a user pool away. AWS refuses to delete a pool that is protected or has a domain."""
    name, pool_id, key = pool["Name"], pool["Id"], {"UserPoolId": pool["Id"]}
    deletions = []
    if pool.get("DeletionProtection") == "ACTIVE":
        settings = {**key, **_updatable(pool), "DeletionProtection": "INACTIVE"}
        deletions.append(_part_deletion("deletion protection", pool, pool_id, "update_user_pool", settings))
    for domain in (pool.get("Domain"), pool.get("CustomDomain")):
        if domain:
            parameters = {"Domain": domain, **key}
            deletions.append(_part_deletion("hosted domain", pool, domain, "delete_user_pool_domain", parameters))
    return [*deletions, Deletion("user pool", name, pool_id, OURS, "cognito-idp", "delete_user_pool", key)]


def _part_deletion(
    kind: str, pool: dict[str, Any], part_id: str, operation: str, parameters: dict[str, Any]
) -> Deletion:
    why = "it belongs to the lab's user pool"
    return Deletion(kind, pool["Name"], part_id, why, "cognito-idp", operation, parameters, part_of=pool["Id"])
