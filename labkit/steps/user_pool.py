"""Section 2 of the post: user pool, app client, hosted domain, trigger, groups and users."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from labkit.aws import newest_first, was_repeated
from labkit.machine.side_by_side import side_by_side
from labkit.steps.app_client import app_client_id, app_client_rows, ensure_app_client
from labkit.steps.permissions import ensure_permission, permission_rows, statement
from labkit.steps.report import Expected, Report, report_on
from labkit.steps.status import Resource, State
from labkit.steps.step import OURS, Deletion, Left, Step, foreign, is_tagged
from labkit.steps.users import ensure_groups, ensure_user, found_groups, found_users, user_rows
from labkit.target import kinds
from labkit.target.names import GROUPS, PRE_TOKEN, USERS
from labkit.target.target import Target

PERMISSION = "cognito-runs-the-trigger"
ONE_PREFIX = "one prefix"
BY_ADMINISTRATORS = "by administrators only"

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


class UserPool(Step):
    """Who may call: users in groups, and a trigger that writes their groups into the ID token's scope claim."""

    name = "user-pool"
    title = "Cognito user pool"
    section = "Create the user pool, its app client, trigger, groups and users"
    needs = ("functions",)
    services = ("cognito-idp", "lambda")

    def find(self, target: Target) -> State:
        """The pool that bears the lab's name and tag, and everything in it."""
        pool = find_user_pool(target)
        client_id, groups, users = _inside(target, pool["Id"]) if pool else (None, set(), set())
        domain = (pool or {}).get("Domain")
        resources = [
            Resource(kinds.USER_POOL, target.names.user_pool, pool is not None),
            Resource(kinds.APP_CLIENT, target.names.app_client, client_id is not None),
            Resource(kinds.HOSTED_DOMAIN, ONE_PREFIX, domain is not None),
            *(Resource(kinds.GROUP, group, group in groups) for group in GROUPS),
            *(Resource(kinds.USER, user, user in users) for user in USERS),
        ]
        ids = {"user_pool_id": pool["Id"], "issuer": target.place.issuer(pool["Id"])} if pool else {}
        ids |= {"app_client_id": client_id} if client_id else {}
        ids |= {"domain": str(domain)} if domain else {}
        return State(self.name, tuple(resources), ids)

    def ensure(self, target: Target) -> None:
        """The pool with its trigger first; the trigger's permission names the pool, so it comes second."""
        pool = ensure_user_pool(target)
        user_pool_id = str(pool["Id"])
        side_by_side(
            partial(ensure_permission, target, PRE_TOKEN, trigger_statement(target, user_pool_id), _pool(target)),
            partial(_ensure_client_and_domain, target, pool),
            partial(ensure_groups, target, user_pool_id),
        )
        side_by_side(*(partial(ensure_user, target, user_pool_id, user) for user in USERS))

    def check(self, target: Target) -> Report:
        """The pool's settings, the trigger and its permission, the app client, every membership."""
        pool = find_user_pool(target)
        if pool is None:
            why = "It holds the users and signs their tokens."
            missing = Expected(f"user pool {target.names.user_pool}", "found", "missing", why)
            return report_on(self.name, [missing])
        rows = side_by_side(
            partial(_pool_rows, target, pool),
            partial(permission_rows, target, PRE_TOKEN, trigger_statement(target, pool["Id"])),
            partial(app_client_rows, target, pool["Id"]),
            *(partial(user_rows, target, pool["Id"], user) for user in USERS),
        )
        return report_on(self.name, [row for some in rows for row in some])

    def remove(self, target: Target) -> list[Deletion | Left]:
        """The domain, then the pool with its trigger and all that is in it, for every pool of this lab."""
        plan: list[Deletion | Left] = []
        for pool in named_user_pools(target):
            ours = is_tagged(pool.get("UserPoolTags"), target)
            plan += pool_deletions(pool) if ours else [foreign(kinds.USER_POOL, pool["Name"], pool["Id"])]
        return plan


def _pool(target: Target) -> tuple[str, str]:
    return kinds.USER_POOL, target.names.user_pool


def _inside(target: Target, user_pool_id: str) -> list[Any]:
    looks = (app_client_id, found_groups, found_users)
    return side_by_side(*(partial(look, target, user_pool_id) for look in looks))


def named_user_pools(target: Target) -> list[dict[str, Any]]:
    """Every user pool that bears the lab's name, somebody else's too, the newest first."""
    listed = target.every("cognito-idp", "list_user_pools", "UserPools", MaxResults=60)
    named = [pool["Id"] for pool in listed if pool.get("Name") == target.names.user_pool]
    read = (partial(target.read, "cognito-idp", "describe_user_pool", UserPoolId=pool_id) for pool_id in named)
    answers = zip(named, side_by_side(*read), strict=True)
    pools = [{"Id": i, "Name": target.names.user_pool} | answer["UserPool"] for i, answer in answers if answer]
    return newest_first(pools, "CreationDate")


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
        target.deeds.mended(*_pool(target), "a second one", "there")
        for deletion in pool_deletions(extra):
            getattr(target.client(deletion.service), deletion.operation)(**deletion.parameters)
    if pools:
        _mend_user_pool(target, pools[0])
        return pools[0]
    target.deeds.created(*_pool(target))
    created = target.client("cognito-idp").create_user_pool(
        PoolName=target.names.user_pool,
        **pool_settings(target),
        UsernameConfiguration={"CaseSensitive": False},
        UserPoolTags=target.names.tags,
    )
    return ensure_user_pool(target) if was_repeated(created) else dict(created["UserPool"])


def pool_settings(target: Target) -> dict[str, Any]:
    """What CreateUserPool and UpdateUserPool both take."""
    return {
        "Policies": {"PasswordPolicy": PASSWORD_POLICY},
        "LambdaConfig": {"PreTokenGeneration": target.names.function_arn(PRE_TOKEN)},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    }


def _mend_user_pool(target: Target, pool: dict[str, Any]) -> None:
    differences = _pool_differences(target, pool)
    found, wanted = ({row[0]: row[which] for row in differences} for which in (1, 2))
    if not target.deeds.drifted(*_pool(target), found, wanted):
        return
    settings = _merged(updatable(pool), pool_settings(target))
    settings["LambdaConfig"].pop("PreTokenGenerationConfig", None)  # the version 1.0 of the event is the default
    target.client("cognito-idp").update_user_pool(UserPoolId=pool["Id"], **settings)


def _merged(kept: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What is kept with what is wanted in its place, at every depth: other triggers stay, and so on."""
    return kept | {k: _merged(kept.get(k, {}), v) if isinstance(v, dict) else v for k, v in wanted.items()}


def updatable(pool: dict[str, Any]) -> dict[str, Any]:
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
        ("sign-up", BY_ADMINISTRATORS if admin_only else "open to everybody", BY_ADMINISTRATORS),
    ]


def _trigger(pool: dict[str, Any]) -> str:
    """The pre token generation trigger; one with another event version would ignore the function's answer."""
    configuration = pool.get("LambdaConfig", {})
    version = configuration.get("PreTokenGenerationConfig", {}).get("LambdaVersion", "V1_0")
    arn = configuration.get("PreTokenGeneration", "none")
    return str(arn) if version == "V1_0" else f"{arn} ({version})"


def _ensure_client_and_domain(target: Target, pool: dict[str, Any]) -> None:
    """One after the other: changes of one pool at the same time may be refused."""
    ensure_app_client(target, pool["Id"])
    if not pool.get("Domain"):
        target.deeds.created(kinds.HOSTED_DOMAIN, ONE_PREFIX)
        target.client("cognito-idp").create_user_pool_domain(
            Domain=target.names.domain_prefix(pool["Id"]), UserPoolId=pool["Id"]
        )


def trigger_statement(target: Target, user_pool_id: str) -> dict[str, str]:
    """The permission with which Cognito runs the trigger."""
    return statement(PERMISSION, "cognito-idp.amazonaws.com", target.names.user_pool_arn(user_pool_id))


def _pool_rows(target: Target, pool: dict[str, Any]) -> list[Expected]:
    name, domain = pool["Name"], ONE_PREFIX if pool.get("Domain") else "missing"
    return [
        *(
            Expected(f"{subject} of {name}", _flat(expected), _flat(actual), _WHY[subject])
            for subject, actual, expected in _pool_differences(target, pool)
        ),
        Expected(f"hosted domain of {name}", ONE_PREFIX, domain, "Sign-in pages would be served there."),
    ]


_WHY = {
    "trigger": "Only the pre token generation trigger writes the scope claim; without it every call is 403.",
    "password policy": "The lab's passwords are made to fit it.",
    "sign-up": "Nobody but you should make users here.",
}


def _flat(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def pool_deletions(pool: dict[str, Any]) -> list[Deletion]:
    """The deletions that take a user pool away. AWS refuses to delete a pool that is protected or has a domain."""
    name, pool_id, key = pool["Name"], pool["Id"], {"UserPoolId": pool["Id"]}
    deletions = []
    if pool.get("DeletionProtection") == "ACTIVE":
        settings = {**key, **updatable(pool), "DeletionProtection": "INACTIVE"}
        deletions.append(_part_deletion(kinds.DELETION_PROTECTION, pool, pool_id, "update_user_pool", settings))
    for domain in (pool.get("Domain"), pool.get("CustomDomain")):
        if domain:
            parameters = {"Domain": domain, **key}
            deletions.append(_part_deletion(kinds.HOSTED_DOMAIN, pool, domain, "delete_user_pool_domain", parameters))
    return [*deletions, Deletion(kinds.USER_POOL, name, pool_id, OURS, "cognito-idp", "delete_user_pool", key)]


def _part_deletion(
    kind: str, pool: dict[str, Any], part_id: str, operation: str, parameters: dict[str, Any]
) -> Deletion:
    why = "it belongs to the lab's user pool"
    return Deletion(kind, pool["Name"], part_id, why, "cognito-idp", operation, parameters, part_of=pool["Id"])
