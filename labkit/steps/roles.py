"""The functions' execution roles, each with one policy: write to one's own log group, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from labkit.aws import DENIED, error_code, every
from labkit.machine.side_by_side import side_by_side
from labkit.steps.boundary import find_boundary, role_refused
from labkit.steps.given_role import given_resource, given_role_row, require_given_role
from labkit.steps.report import Expected
from labkit.steps.status import Resource
from labkit.steps.step import OURS, Deletion, Left, Thing, Things, foreign, is_tagged, refuse_foreign
from labkit.target import kinds
from labkit.target.names import FUNCTIONS, REMOVABLE, ROLE_PATH
from labkit.target.target import Target

POLICY = "write-own-logs"

TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def logs_policy(target: Target, function: str) -> dict[str, Any]:
    """What a function may do: write to its own log group, and nothing else.

    It may not create the group. The lab makes it first, with a tag and a retention; a call that comes in after the
    lab is gone then cannot bring an untagged group back.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"{target.names.log_group_arn(function)}:*",
            }
        ],
    }


def listed_roles(target: Target) -> tuple[str, ...]:
    """Which REMOVABLE functions have a role of their name on the labs' path.

    Listed and not asked for: IAM judges GetRole on a role that does not exist by an ARN without the path, so that a
    policy for the path answers AccessDenied where nothing is wrong. A given role is never the lab's. An account that
    gives one may refuse the list too: nobody makes roles there.
    """
    given = target.settings.role_arn
    try:
        roles = target.every("iam", "list_roles", "Roles", PathPrefix=ROLE_PATH, MaxItems=1000)
    except ClientError as error:
        if given and error_code(error) in DENIED:
            return ()
        raise
    names = {role["RoleName"] for role in roles if role["Arn"] != given}
    return tuple(function for function in REMOVABLE if target.names.role(function) in names)


def named_roles(target: Target) -> Things:
    """The roles that bear the lab's names on the labs' path, by function, somebody else's too."""
    listed = listed_roles(target)
    read = (partial(target.read, "iam", "get_role", RoleName=target.names.role(function)) for function in listed)
    answers = zip(listed, side_by_side(*read), strict=True)
    return {function: answer["Role"] for function, answer in answers if answer}


def found_roles(target: Target) -> dict[str, Resource]:
    """The roles among what a lab consists of, by function; a given one stands for all, with the first."""
    if target.settings.role_arn:
        return {FUNCTIONS[0]: given_resource(target)}
    listed = listed_roles(target)
    return {f: Resource(kinds.ROLE, target.names.role(f), f in listed) for f in FUNCTIONS}


def role_builder(target: Target) -> Callable[[str], None]:
    """What ensures a function's role, with all read that it needs; nothing to do where a role is given.

    Raises:
        LabError: the given role is of no use, or the account's boundary says something else. Nothing was made.
    """
    if target.settings.role_arn:
        require_given_role(target)
        return lambda function: None
    roles = named_roles(target)
    boundary = find_boundary(target) if set(FUNCTIONS) - roles.keys() else {}
    return lambda function: ensure_role(target, function, roles.get(function), boundary)


def role_checker(target: Target) -> Callable[[str], list[Expected]]:
    """What tells the assertions on a function's role; of a given one they are told once, with the first."""
    if target.settings.role_arn:
        row = given_role_row(target)
        return lambda function: [row] if function == FUNCTIONS[0] else []
    roles = named_roles(target)
    return lambda function: role_rows(target, function, roles.get(function))


def ensure_role(target: Target, function: str, role: Thing | None, boundary: dict[str, str]) -> None:
    """Create a function's role, or mend its trust and its permissions.

    Args:
        target: the lab's place.
        function: one of the post's FUNCTIONS.
        role: the role as `named_roles` tells it, if it exists.
        boundary: what `find_boundary` tells; a new role is given it.

    Raises:
        LabError: the role is somebody else's, or may not be created without a boundary.
    """
    iam, name = target.client("iam"), target.names.role(function)
    if role is None:
        target.deeds.created(kinds.ROLE, name)
        _create_role(target, name, boundary)
    elif not is_tagged(role.get("Tags"), target):
        raise refuse_foreign(kinds.ROLE, name)
    elif role.get("AssumeRolePolicyDocument") != TRUST_POLICY:
        target.deeds.mended(kinds.ROLE, name, "trust", "something else")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(TRUST_POLICY))
    policy = logs_policy(target, function)
    allowed = _inline_policy(target, name) if role else {}
    if allowed != policy:
        target.deeds.mended(kinds.ROLE, name, "policy", "something else" if allowed else "missing")
        iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(policy))


def _create_role(target: Target, name: str, boundary: dict[str, str]) -> None:
    iam = target.client("iam")
    try:
        iam.create_role(
            RoleName=name,
            Path=ROLE_PATH,
            AssumeRolePolicyDocument=json.dumps(TRUST_POLICY),
            Description="Lets one function of the JWT authorizer lab write its own logs",
            Tags=[{"Key": key, "Value": value} for key, value in target.names.tags.items()],
            **boundary,
        )
    except iam.exceptions.EntityAlreadyExistsException:  # on another path, or the first answer to this call was lost
        if not _is_ours(iam, name, target):
            raise refuse_foreign(kinds.ROLE, name) from None
    except ClientError as error:
        raise (role_refused(error) if error_code(error) in DENIED and not boundary else error) from error


def _is_ours(iam: Any, name: str, target: Target) -> bool:
    """Whether a role that exists is the lab's. One on another path may not be read, and is not."""
    try:
        return is_tagged(iam.get_role(RoleName=name)["Role"].get("Tags"), target)
    except ClientError as error:
        if error_code(error) in DENIED:
            return False
        raise


def _inline_policy(target: Target, role_name: str) -> dict[str, Any]:
    answer = target.read("iam", "get_role_policy", RoleName=role_name, PolicyName=POLICY) or {}
    return dict(answer.get("PolicyDocument", {}))


def role_rows(target: Target, function: str, role: Thing | None) -> list[Expected]:
    """The assertions on a function's role."""
    name = target.names.role(function)
    if role is None or not is_tagged(role.get("Tags"), target):
        return [Expected(f"role {name}", "found", "missing", "A function without a role cannot start.")]
    trusts = role.get("AssumeRolePolicyDocument") == TRUST_POLICY
    policy, further = side_by_side(partial(_inline_policy, target, name), partial(_further_policies, target, name))
    allowed = policy == logs_policy(target, function)
    return [
        Expected(
            f"trust of {name}", "lambda.amazonaws.com", "lambda.amazonaws.com" if trusts else "something else",
            "Lambda runs a function only with a role that lets Lambda assume it.",
        ),
        Expected(
            f"permissions of {name}", "write its own logs", "write its own logs" if allowed else "something else",
            "Without them the function runs but leaves no log; with more, a bug in it could do more.",
        ),
        *further,
    ]  # fmt: skip


def users_of_roles(target: Target) -> tuple[dict[str, set[str]], tuple[str, ...]]:
    """Which functions run with a role, by its ARN: those of this region by name, others by name and region.

    Roles are global, and a published version keeps the role that its function had. A region that is not enabled has
    no functions.

    Returns:
        The functions, and the regions that refuse to tell theirs.
    """
    elsewhere = [region for region in target.place.function_regions() if region != target.place.region]
    clients = [target.place.client("lambda", region) for region in elsewhere]
    here, *there = side_by_side(
        partial(_functions_of, target.client("lambda")), *(partial(_functions_if_told, client) for client in clients)
    )
    users: dict[str, set[str]] = {}
    for where, functions in (("", here), *zip((f" in {region}" for region in elsewhere), there, strict=True)):
        for function in functions or ():
            users.setdefault(function.get("Role", ""), set()).add(f"{function['FunctionName']}{where}")
    return users, tuple(region for region, functions in zip(elsewhere, there, strict=True) if functions is None)


def _functions_of(client: Any) -> list[dict[str, Any]]:
    return list(every(client, "list_functions", "Functions", FunctionVersion="ALL"))


def _functions_if_told(client: Any) -> list[dict[str, Any]] | None:
    """The functions of another region; None if they may not be listed."""
    try:
        return _functions_of(client)
    except ClientError as error:
        return None if error_code(error) in DENIED else []
    except BotoCoreError:
        return []


def unread_regions(regions: tuple[str, ...]) -> list[Left]:
    """What to tell of regions whose functions may not be listed: an organisation may have closed them."""
    why = "they may not be listed, so nobody knows whether one of them ran with a role of this lab"
    return [Left(kinds.FUNCTION, "those of other regions", ", ".join(regions), why, ours=False)] if regions else []


def role_removal(target: Target, role: dict[str, Any], others: Iterable[str]) -> list[Deletion | Left]:
    """The policies of a role, those that somebody added too, then the role; nothing while `others` run with it."""
    name = role["RoleName"]
    if not is_tagged(role.get("Tags"), target):
        return [foreign(kinds.ROLE, name, name)]
    if others:
        why = f"somebody else's function runs with it: {', '.join(sorted(others))}"
        return [Left(kinds.ROLE, name, name, why, ours=True)]
    deletion = Deletion(kinds.ROLE, name, name, OURS, "iam", "delete_role", {"RoleName": name})
    return [*_policy_deletions(target, name), deletion]


def _further_policies(target: Target, role: str) -> list[Expected]:
    """The policies that somebody gave a role of the lab's beside its own. They are told, and left to whoever did."""
    strays = [each for each in _policy_deletions(target, role) if each.parameters.get("PolicyName") != POLICY]
    return [
        Expected(
            f"policy {stray.name}", "none", "there", "With more rights, a bug in the function could do more.",
            "Unless your organisation put it there, take it away in a terminal: "
            f'eval "$(labkit env)"; {_line(stray)}',
        )
        for stray in strays
    ]  # fmt: skip


def _line(deletion: Deletion) -> str:
    options = (f"--{xform_name(name, '-')} {value}" for name, value in deletion.parameters.items())
    return " ".join(["aws iam", deletion.operation.replace("_", "-"), *options])


def _policy_deletions(target: Target, role: str) -> list[Deletion]:
    inline, attached = side_by_side(
        partial(target.every, "iam", "list_role_policies", "PolicyNames", RoleName=role),
        partial(target.every, "iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role),
    )
    return [
        *(
            _policy_deletion(kinds.ROLE_POLICY, role, name, "delete_role_policy", {"PolicyName": name})
            for name in inline
        ),
        *(
            _policy_deletion(
                kinds.ATTACHED_POLICY, role, p["PolicyName"], "detach_role_policy", {"PolicyArn": p["PolicyArn"]}
            )
            for p in attached
        ),
    ]


def _policy_deletion(kind: str, role: str, policy: str, operation: str, key: dict[str, str]) -> Deletion:
    name, parameters = f"{policy} of {role}", {"RoleName": role, **key}
    return Deletion(kind, name, name, "it belongs to a role of the lab's", "iam", operation, parameters, part_of=role)
