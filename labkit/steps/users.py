"""The user pool's groups and users, and who is in which group."""

from __future__ import annotations

from functools import partial

from labkit.machine.side_by_side import side_by_side
from labkit.steps.report import Expected
from labkit.target import kinds, passwords
from labkit.target.names import GROUPS, USERS
from labkit.target.target import Target


def found_groups(target: Target, user_pool_id: str) -> set[str]:
    """The names of a pool's groups."""
    listed = target.every("cognito-idp", "list_groups", "Groups", UserPoolId=user_pool_id)
    return {group["GroupName"] for group in listed if "GroupName" in group}


def found_users(target: Target, user_pool_id: str) -> set[str]:
    """The names of a pool's users."""
    listed = target.every("cognito-idp", "list_users", "Users", UserPoolId=user_pool_id)
    return {user["Username"] for user in listed if "Username" in user}


def ensure_groups(target: Target, user_pool_id: str) -> None:
    """Create the groups that are missing."""
    found = found_groups(target, user_pool_id)
    missing = [group for group in GROUPS if group not in found]
    for group in missing:
        target.deeds.created(kinds.GROUP, group)
    create = target.client("cognito-idp").create_group
    side_by_side(
        *(
            partial(create, UserPoolId=user_pool_id, GroupName=group, Description=f"May call what asks for {group}")
            for group in missing
        )
    )


def ensure_user(target: Target, user_pool_id: str, user: str) -> None:
    """Create a user, give it a permanent password and its groups, each unless that is so already.

    A user who has a password keeps it, also where this machine does not know it, unless a new one is asked for.
    """
    cognito = target.client("cognito-idp")
    key = {"UserPoolId": user_pool_id, "Username": user}
    found = target.read("cognito-idp", "admin_get_user", **key)
    joined = groups_of(target, user_pool_id, user) if found else set()
    if found is None:
        target.deeds.created(kinds.USER, user)
        # Without SUPPRESS, Cognito tries to send an invitation.
        found = cognito.admin_create_user(**key, MessageAction="SUPPRESS")["User"]
    unfinished = passwords.is_unfinished(target, user_pool_id, user)
    state = "half set" if unfinished else "another" if target.reset_passwords else "set"
    known = {"status": found.get("UserStatus"), "password": state}
    if target.deeds.drifted(kinds.USER, user, known, {"status": "CONFIRMED", "password": "set"}):
        # A permanent password confirms the user, who would otherwise have to change it at the first sign-in.
        password = passwords.new(target, user_pool_id, user)
        cognito.admin_set_user_password(**key, Password=password, Permanent=True)
        passwords.confirm(target, user_pool_id, user)
    if not found.get("Enabled", True):
        target.deeds.mended(kinds.USER, user, "status", "disabled")
        cognito.admin_enable_user(**key)
    target.deeds.drifted(
        kinds.USER, user, {"membership": sorted(joined & set(GROUPS))}, {"membership": sorted(USERS[user])}
    )
    for group in GROUPS:
        if group in USERS[user] and group not in joined:
            cognito.admin_add_user_to_group(**key, GroupName=group)
        if group in joined and group not in USERS[user]:
            cognito.admin_remove_user_from_group(**key, GroupName=group)


def groups_of(target: Target, user_pool_id: str, user: str) -> set[str]:
    """The groups that a user is in."""
    key = {"UserPoolId": user_pool_id, "Username": user}
    groups = target.every("cognito-idp", "admin_list_groups_for_user", "Groups", **key)
    return {group["GroupName"] for group in groups if "GroupName" in group}


def user_rows(target: Target, user_pool_id: str, user: str) -> list[Expected]:
    """The assertions on a user: its status and its groups. Its password is known on one machine only."""
    found = target.read("cognito-idp", "admin_get_user", UserPoolId=user_pool_id, Username=user)
    if found is None:
        return [Expected(f"user {user}", "found", "missing", "The five calls of the post need both users.")]
    groups = ", ".join(sorted(groups_of(target, user_pool_id, user) & set(GROUPS)))
    status = found.get("UserStatus") if found.get("Enabled", True) else "disabled"
    why = "A disabled user gets no token, and one with FORCE_CHANGE_PASSWORD a challenge in its place."
    return [
        Expected(f"status of {user}", "CONFIRMED", status, why),
        Expected(f"groups of {user}", ", ".join(sorted(USERS[user])), groups, "Each group becomes one scope."),
    ]
