"""Section 1 of the post: an execution role, a log group and a Lambda function, three times."""

from __future__ import annotations

import json
from typing import Any

from labkit.aws import every, or_none
from labkit.naming import FUNCTIONS, ROLE_PATH
from labkit.packages import Package, package
from labkit.steps.step import Deletion, Report, Resource, State, Step, assertions, is_tagged, refuse_foreign
from labkit.target import Target

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
        for function in FUNCTIONS:
            ensure_log_group(target, function)
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

    def remove(self, target: Target) -> list[Deletion]:
        """Functions, then roles, then log groups: a late call may still write a log line."""
        plan: list[Deletion] = []
        for function in FUNCTIONS:
            plan += _function_deletions(target, function)
        for function in FUNCTIONS:
            plan += _role_deletions(target, function)
        for name in our_log_groups(target):
            plan.append(_deletion("log group", name, "logs", "delete_log_group", {"logGroupName": name}))
        return plan


def our_log_groups(target: Target) -> dict[str, dict[str, Any]]:
    """The lab's log groups that exist and bear its tag, by name.

    Raises:
        LabError: one of them bears the name without the tag.
    """
    logs = target.client("logs")
    wanted = {target.names.log_group(function) for function in FUNCTIONS}
    prefix = target.names.log_group("")
    found = {}
    for group in every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        if group["logGroupName"] in wanted and is_tagged(_log_group_tags(logs, group), target):
            found[group["logGroupName"]] = group
    return found


def _log_group_tags(logs: Any, group: dict[str, Any]) -> dict[str, str]:
    # ListTagsForResource wants the ARN without the `:*` that DescribeLogGroups puts behind it.
    answer = or_none(logs.list_tags_for_resource, resourceArn=group["arn"].removesuffix(":*"))
    return dict(answer["tags"]) if answer else {}


def ensure_log_group(target: Target, function: str) -> None:
    """Create a function's log group with tag and retention, or mend its retention."""
    logs, name = target.client("logs"), target.names.log_group(function)
    group = our_log_groups(target).get(name)
    if group is None:
        _refuse_foreign_log_group(logs, name)
        logs.create_log_group(logGroupName=name, tags=target.names.tags)
    if group is None or group.get("retentionInDays") != RETENTION_DAYS:
        logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)


def _refuse_foreign_log_group(logs: Any, name: str) -> None:
    for group in every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name):
        if group["logGroupName"] == name:
            raise refuse_foreign("log group", name)


def find_role(target: Target, function: str) -> dict[str, Any] | None:
    """A function's role, if it exists and bears the lab's tag."""
    answer = or_none(target.client("iam").get_role, RoleName=target.names.role(function))
    role = answer["Role"] if answer else None
    return role if role and is_tagged(role.get("Tags"), target) else None


def ensure_role(target: Target, function: str) -> None:
    """Create a function's role, or mend its trust and its permissions."""
    iam, name = target.client("iam"), target.names.role(function)
    role = find_role(target, function)
    if role is None:
        if or_none(iam.get_role, RoleName=name):
            raise refuse_foreign("role", name)
        _create_role(target, iam, name)
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


def find_function(target: Target, function: str) -> dict[str, Any] | None:
    """What GetFunction says of one of the lab's functions, if it exists and bears the lab's tag."""
    answer = or_none(target.client("lambda").get_function, FunctionName=target.names.function(function))
    return answer if answer and is_tagged(answer.get("Tags"), target) else None


def ensure_function(target: Target, function: str) -> bool:
    """Create a function, or mend its code and its configuration. Tells whether anything was done."""
    client, name = target.client("lambda"), target.names.function(function)
    code = package(function, target.settings.runtime)
    settings = _settings(target, function, code)
    found = find_function(target, function)
    if found is None:
        if or_none(client.get_function, FunctionName=name):
            raise refuse_foreign("function", name)
        client.create_function(**settings, Code={"ZipFile": code.content}, Tags=target.names.tags)
        return True
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
    code = package(function, target.settings.runtime)
    configuration = found["Configuration"]
    rows: list[tuple[str, object, object, str]] = [
        (f"{key} of {name}", value, configuration.get(key), _WHY[key])
        for key, value in _settings(target, function, code).items()
        if key in _WHY
    ]
    same = configuration["CodeSha256"] == code.code_sha256
    source = f"lambdas/{function}"
    rows.append((f"code of {name}", source, source if same else "other code", "The lab explains the code in lambdas/."))
    return rows


_WHY = {
    "Runtime": "AWS creates and runs functions of supported runtimes only; the post's nodejs12.x is not one any more.",
    "Role": "The role decides what the code may do.",
    "Handler": "It must name the file and the function that the code has; a wrong one fails at every call.",
    "Timeout": "Cognito waits five seconds for a trigger, no longer.",
}


def _function_deletions(target: Target, function: str) -> list[Deletion]:
    if find_function(target, function) is None:
        return []
    name = target.names.function(function)
    return [_deletion("function", name, "lambda", "delete_function", {"FunctionName": name})]


def _role_deletions(target: Target, function: str) -> list[Deletion]:
    if find_role(target, function) is None:
        return []
    iam, name = target.client("iam"), target.names.role(function)
    policies = list(every(iam, "list_role_policies", "PolicyNames", RoleName=name))
    return [
        *(
            _deletion("role policy", f"{name}/{p}", "iam", "delete_role_policy", {"RoleName": name, "PolicyName": p})
            for p in policies
        ),
        _deletion("role", name, "iam", "delete_role", {"RoleName": name}),
    ]


def _deletion(kind: str, name: str, service: str, operation: str, parameters: dict[str, Any]) -> Deletion:
    return Deletion(kind, name, name, "its name and its tag are this lab's", service, operation, parameters)
