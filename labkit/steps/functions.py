"""Section 1 of the post: an execution role, a log group and a Lambda function, three times."""

from __future__ import annotations

import json
from typing import Any

from labkit.aws import every, or_none
from labkit.steps.function_code import Package, is_own, package
from labkit.steps.report import Report, assertions
from labkit.steps.status import Resource, State
from labkit.steps.step import OURS, Deletion, Left, Step, foreign, is_tagged, refuse_foreign
from labkit.target.names import FUNCTIONS, ROLE_PATH
from labkit.target.target import Target

RETENTION_DAYS = 7
POLICY = "write-own-logs"
MEMORY_MB = 256
# Cognito waits five seconds for a trigger, whatever the function's own limit.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
TIMEOUT_SECONDS = 5

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


class Functions(Step):
    """Three functions, each with a role that may do no more than it needs."""

    name = "functions"
    title = "Lambda functions"
    section = "Create the Lambda functions"
    minutes = 10

    def find(self, target: Target) -> State:
        """Log groups, roles and functions that bear the lab's names and tag."""
        resources = []
        ids = {}
        groups = our_log_groups(target)
        for function in FUNCTIONS:
            names = target.names
            found = find_function(target, function)
            resources += [
                Resource("log group", names.log_group(function), names.log_group(function) in groups),
                Resource("role", names.role(function), find_role(target, function) is not None),
                Resource("function", names.function(function), found is not None),
            ]
            if found:
                ids[function] = found["Configuration"]["FunctionArn"]
        return State(self.name, tuple(resources), ids)

    def ensure(self, target: Target) -> None:
        """Log groups first, then roles, then functions, then one wait for all of them."""
        groups = named_log_groups(target)
        for function in FUNCTIONS:
            ensure_log_group(target, function, groups.get(target.names.log_group(function)))
            ensure_role(target, function)
        changed = [target.names.function(f) for f in FUNCTIONS if ensure_function(target, f)]
        for name in changed:
            wait_until_active(target, name)

    def check(self, target: Target) -> Report:
        """The settings of each log group, role and function."""
        rows: list[tuple[str, object, object, str]] = []
        groups = our_log_groups(target)
        for function in FUNCTIONS:
            rows += _log_group_rows(target, function, groups)
            rows += _role_rows(target, function)
            rows += _function_rows(target, function)
        return assertions(self.name, rows)

    def remove(self, target: Target) -> list[Deletion | Left]:
        """Functions, then roles, then log groups: a late call may still write a log line."""
        plan = [part for function in FUNCTIONS for part in _function_removal(target, function)]
        going = {part.name for part in plan if isinstance(part, Deletion)}
        roles = {f: role for f in FUNCTIONS if (role := named_role(target, f))}
        users = _users_of_roles(target) if roles else {}
        for role in roles.values():
            plan += _role_removal(target, role, sorted(users.get(role["Arn"], set()) - going))
        groups = named_log_groups(target)
        plan += [_log_group_removal(target, groups[n]) for n in map(target.names.log_group, FUNCTIONS) if n in groups]
        return plan


def named_log_groups(target: Target) -> dict[str, dict[str, Any]]:
    """The log groups that bear the lab's names, somebody else's too, by name, each with its `tags`."""
    logs = target.client("logs")
    wanted = {target.names.log_group(function) for function in FUNCTIONS}
    listed = every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=target.names.log_group(""))
    return {
        group["logGroupName"]: {**group, "tags": _log_group_tags(logs, group)}
        for group in listed
        if group["logGroupName"] in wanted
    }


def our_log_groups(target: Target) -> dict[str, dict[str, Any]]:
    """The log groups that bear the lab's names and its tag, by name."""
    return {name: group for name, group in named_log_groups(target).items() if is_tagged(group["tags"], target)}


def _log_group_tags(logs: Any, group: dict[str, Any]) -> dict[str, str]:
    # ListTagsForResource wants the ARN without the `:*` that DescribeLogGroups puts behind it.
    answer = or_none(logs.list_tags_for_resource, resourceArn=group["arn"].removesuffix(":*"))
    return dict(answer["tags"]) if answer else {}


def ensure_log_group(target: Target, function: str, group: dict[str, Any] | None) -> None:
    """Create a function's log group with tag and retention, or mend its retention.

    Args:
        target: the lab's place.
        function: one of the post's FUNCTIONS.
        group: the log group as `named_log_groups` tells it, if it exists.

    Raises:
        LabError: the log group is somebody else's.
    """
    logs, name = target.client("logs"), target.names.log_group(function)
    if group is None:
        logs.create_log_group(logGroupName=name, tags=target.names.tags)
    elif not is_tagged(group["tags"], target):
        raise refuse_foreign("log group", name)
    if group is None or group.get("retentionInDays") != RETENTION_DAYS:
        logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)


def named_role(target: Target, function: str) -> dict[str, Any] | None:
    """The role that bears the name of a function's, somebody else's too, if it exists."""
    answer = or_none(target.client("iam").get_role, RoleName=target.names.role(function))
    return answer["Role"] if answer else None


def find_role(target: Target, function: str) -> dict[str, Any] | None:
    """A function's role, if it exists and bears the lab's tag."""
    role = named_role(target, function)
    return role if role and is_tagged(role.get("Tags"), target) else None


def ensure_role(target: Target, function: str) -> None:
    """Create a function's role, or mend its trust and its permissions.

    Raises:
        LabError: the role is somebody else's.
    """
    iam, name, role = target.client("iam"), target.names.role(function), named_role(target, function)
    if role is None:
        _create_role(target, iam, name)
    elif not is_tagged(role.get("Tags"), target):
        raise refuse_foreign("role", name)
    elif role["AssumeRolePolicyDocument"] != TRUST_POLICY:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(TRUST_POLICY))
    policy = logs_policy(target, function)
    if role is None or _inline_policy(iam, name) != policy:
        iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(policy))


def _create_role(target: Target, iam: Any, name: str) -> None:
    iam.create_role(
        RoleName=name,
        Path=ROLE_PATH,
        AssumeRolePolicyDocument=json.dumps(TRUST_POLICY),
        Description="Lets one function of the JWT authorizer lab write its own logs",
        Tags=[{"Key": key, "Value": value} for key, value in target.names.tags.items()],
    )


def _inline_policy(iam: Any, role_name: str) -> dict[str, Any] | None:
    answer = or_none(iam.get_role_policy, RoleName=role_name, PolicyName=POLICY)
    return answer["PolicyDocument"] if answer else None


def named_function(target: Target, function: str) -> dict[str, Any] | None:
    """What GetFunction says of the function that bears a name of ours, somebody else's too, if it exists."""
    answer: dict[str, Any] | None = or_none(
        target.client("lambda").get_function, FunctionName=target.names.function(function)
    )
    return answer


def find_function(target: Target, function: str) -> dict[str, Any] | None:
    """What GetFunction says of one of the lab's functions, if it exists and bears the lab's tag."""
    found = named_function(target, function)
    return found if found and is_tagged(found.get("Tags"), target) else None


def ensure_function(target: Target, function: str) -> bool:
    """Create a function, or mend its code and its configuration. Tells whether anything was done.

    Raises:
        LabError: the function is somebody else's.
    """
    client, found = target.client("lambda"), named_function(target, function)
    code = package(function, target.settings.runtime, target.settings.copy_home)
    settings = _settings(target, function, code)
    if found is None:
        client.create_function(**settings, Code={"ZipFile": code.content}, Tags=target.names.tags)
        return True
    if not is_tagged(found.get("Tags"), target):
        raise refuse_foreign("function", settings["FunctionName"])
    return _mend_function(target, found["Configuration"], settings, code)


def _settings(target: Target, function: str, code: Package) -> dict[str, Any]:
    return {
        "FunctionName": target.names.function(function),
        "Runtime": code.runtime,
        "Role": target.names.role_arn(function),
        "Handler": code.handler,
        "Timeout": TIMEOUT_SECONDS,
        "MemorySize": MEMORY_MB,
    }


def _mend_function(target: Target, found: dict[str, Any], settings: dict[str, Any], code: Package) -> bool:
    client, name = target.client("lambda"), settings["FunctionName"]
    drifted = any(found.get(key) != value for key, value in settings.items())
    if drifted:
        wait_until_active(target, name)
        client.update_function_configuration(**settings)
    stale = found["CodeSha256"] != code.code_sha256
    if stale:
        wait_until_active(target, name)
        client.update_function_code(FunctionName=name, ZipFile=code.content)
    return drifted or stale or found.get("State") == "Pending"


def wait_until_active(target: Target, name: str) -> None:
    """Wait until a function can be invoked and changed. While Pending or InProgress, AWS refuses both."""
    client = target.client("lambda")
    patience = {"Delay": 1, "MaxAttempts": 120} if target.place.kind == "aws" else {"Delay": 0.1, "MaxAttempts": 600}
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=patience)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=patience)


def _log_group_rows(target: Target, function: str, groups: dict[str, Any]) -> list[tuple[str, object, object, str]]:
    name = target.names.log_group(function)
    actual = groups[name].get("retentionInDays", "for ever") if name in groups else "missing"
    return [(f"retention of {name}, in days", RETENTION_DAYS, actual, "Logs cost money for as long as they are kept.")]


def _role_rows(target: Target, function: str) -> list[tuple[str, object, object, str]]:
    name, role = target.names.role(function), find_role(target, function)
    if role is None:
        return [(f"role {name}", "found", "missing", "A function without a role cannot start.")]
    trusts = role["AssumeRolePolicyDocument"] == TRUST_POLICY
    allowed = _inline_policy(target.client("iam"), name) == logs_policy(target, function)
    return [
        (f"trust of {name}", "lambda.amazonaws.com", "lambda.amazonaws.com" if trusts else "something else",
         "Lambda runs a function only with a role that lets Lambda assume it."),
        (f"permissions of {name}", "write its own logs", "write its own logs" if allowed else "something else",
         "Without them the function runs but leaves no log; with more, a bug in it could do more."),
    ]  # fmt: skip


def _function_rows(target: Target, function: str) -> list[tuple[str, object, object, str]]:
    name, found = target.names.function(function), find_function(target, function)
    if found is None:
        return [(f"function {name}", "found", "missing", "Sign-in and the routes need all three functions.")]
    code = package(function, target.settings.runtime, target.settings.copy_home)
    configuration = found["Configuration"]
    rows: list[tuple[str, object, object, str]] = [
        (f"{key} of {name}", value, configuration.get(key), _WHY[key])
        for key, value in _settings(target, function, code).items()
        if key in _WHY
    ]
    same = configuration["CodeSha256"] == code.code_sha256
    own = is_own(function, target.settings.runtime, target.settings.copy_home)
    source = f"your lambdas/{function}" if own else f"lambdas/{function}"
    subject = f"code of {name}" + (", which is yours and differs from the lab's" if own else "")
    rows.append((subject, source, source if same else "other code", "The lab explains the code in lambdas/."))
    return rows


_WHY = {
    "Runtime": "AWS creates and runs functions of supported runtimes only; the post's nodejs12.x is not one any more.",
    "Role": "The role decides what the code may do.",
    "Handler": "It must name the file and the function that the code has; a wrong one fails at every call.",
    "Timeout": "Cognito waits five seconds for a trigger, no longer.",
}


def _function_removal(target: Target, function: str) -> list[Deletion | Left]:
    found, name = named_function(target, function), target.names.function(function)
    if found is None:
        return []
    if is_tagged(found.get("Tags"), target):
        return [Deletion("function", name, name, OURS, "lambda", "delete_function", {"FunctionName": name})]
    if "TagsError" in found:
        return [Left("function", name, name, "its tags may not be read, so it may be this lab's", ours=True)]
    return [foreign("function", name, name)]


def _users_of_roles(target: Target) -> dict[str, set[str]]:
    """The names of the region's functions by the ARN of their role."""
    users: dict[str, set[str]] = {}
    for function in every(target.client("lambda"), "list_functions", "Functions"):
        users.setdefault(function["Role"], set()).add(function["FunctionName"])
    return users


def _role_removal(target: Target, role: dict[str, Any], others: list[str]) -> list[Deletion | Left]:
    """The policies of a role, those that somebody added too, then the role; nothing while `others` run with it."""
    name = role["RoleName"]
    if not is_tagged(role.get("Tags"), target):
        return [foreign("role", name, name)]
    if others:
        return [Left("role", name, name, f"somebody else's function runs with it: {', '.join(others)}", ours=True)]
    return [
        *_policy_deletions(target.client("iam"), name),
        Deletion("role", name, name, OURS, "iam", "delete_role", {"RoleName": name}),
    ]


def _policy_deletions(iam: Any, role: str) -> list[Deletion]:
    inline = every(iam, "list_role_policies", "PolicyNames", RoleName=role)
    attached = every(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [
        *(_policy_deletion("role policy", role, p, "delete_role_policy", {"PolicyName": p}) for p in inline),
        *(
            _policy_deletion(
                "attached policy", role, p["PolicyName"], "detach_role_policy", {"PolicyArn": p["PolicyArn"]}
            )
            for p in attached
        ),
    ]


def _policy_deletion(kind: str, role: str, policy: str, operation: str, key: dict[str, str]) -> Deletion:
    name, parameters = f"{policy} of {role}", {"RoleName": role, **key}
    return Deletion(kind, name, name, "it belongs to a role of the lab's", "iam", operation, parameters, part_of=role)


def _log_group_removal(target: Target, group: dict[str, Any]) -> Deletion | Left:
    kind, name = "log group", group["logGroupName"]
    if not is_tagged(group["tags"], target):
        return foreign(kind, name, name)
    if group.get("deletionProtectionEnabled"):
        why = (
            "somebody turned its deletion protection on; to turn it off: aws logs put-log-group-deletion-protection "
            f"--log-group-identifier {name} --no-deletion-protection-enabled"
        )
        return Left(kind, name, name, why, ours=True)
    return Deletion(kind, name, name, OURS, "logs", "delete_log_group", {"logGroupName": name})
