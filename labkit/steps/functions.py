"""Section 1 of the post: an execution role, a log group and a Lambda function, three times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from labkit.machine.side_by_side import side_by_side
from labkit.steps.function_code import Package, is_own, package
from labkit.steps.given_role import given_role_refused, role_arn
from labkit.steps.log_groups import (
    ensure_log_group,
    log_group_removal,
    log_group_rows,
    named_log_groups,
    our_log_groups,
)
from labkit.steps.report import Expected, Report, report_on
from labkit.steps.roles import (
    found_roles,
    named_roles,
    role_builder,
    role_checker,
    role_removal,
    unread_regions,
    users_of_roles,
)
from labkit.steps.status import Resource, State
from labkit.steps.step import OURS, Deletion, Left, Step, Thing, Things, foreign, is_tagged, refuse_foreign
from labkit.target import kinds
from labkit.target.names import FUNCTIONS, REMOVABLE
from labkit.target.target import Target

MEMORY_MB = 256
# Cognito waits five seconds for a trigger, whatever the function's own limit.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
TIMEOUT_SECONDS = 5

# Waiters of boto3: a new function is not pending any more; a changed one is not in progress any more.
ACTIVE, UPDATED = "function_active_v2", "function_updated_v2"


class Functions(Step):
    """Three functions, each with a role that may do no more than it needs."""

    name = "functions"
    title = "Lambda functions"
    section = "Create the Lambda functions"
    services = ("logs", "iam", "lambda")

    def find(self, target: Target) -> State:
        """Log groups and functions that bear the lab's names and tag, roles that bear its names on the labs' path."""
        names = target.names
        groups, roles, *functions = side_by_side(
            partial(our_log_groups, target),
            partial(found_roles, target),
            *(partial(find_function, target, function) for function in FUNCTIONS),
        )
        found = dict(zip(FUNCTIONS, functions, strict=True))
        resources = [
            resource
            for function in FUNCTIONS
            for resource in (
                Resource(kinds.LOG_GROUP, names.log_group(function), function in groups),
                *([roles[function]] if function in roles else []),
                Resource(kinds.FUNCTION, names.function(function), found[function] is not None),
            )
        ]
        return State(self.name, tuple(resources), {f: names.function_arn(f) for f in FUNCTIONS if found[f]})

    def ensure(self, target: Target) -> None:
        """Log groups and roles first, then functions, then one wait for all of them."""
        groups, build_role = side_by_side(partial(named_log_groups, target), partial(role_builder, target))
        side_by_side(*(partial(_prepare, target, f, groups.get(f), build_role) for f in FUNCTIONS))
        waiters = side_by_side(*(partial(ensure_function, target, function) for function in FUNCTIONS))
        for function, waiter in zip(FUNCTIONS, waiters, strict=True):
            if waiter:
                wait(target, target.names.function(function), waiter)

    def check(self, target: Target) -> Report:
        """The settings of each log group, role and function."""
        groups, check_role = side_by_side(partial(our_log_groups, target), partial(role_checker, target))
        rows = side_by_side(*(partial(_rows, target, f, groups, check_role) for f in FUNCTIONS))
        return report_on(self.name, [row for some in rows for row in some])

    def remove(self, target: Target) -> list[Deletion | Left]:
        """What feeds the functions, these, their roles, their log groups: a late call may still write a log line."""
        groups, roles, mappings, *functions = side_by_side(
            partial(named_log_groups, target),
            partial(named_roles, target),
            partial(target.every, "lambda", "list_event_source_mappings", "EventSourceMappings"),
            *(partial(_function_removal, target, function) for function in REMOVABLE),
        )
        own = [part for parts in functions for part in parts]
        theirs = {part.name for part in own if isinstance(part, Left)}
        plan: list[Deletion | Left] = [*_event_source_deletions(target, mappings, theirs), *own]
        going = {part.name for part in plan if isinstance(part, Deletion)}
        users, unread = users_of_roles(target) if roles else ({}, ())
        for role in roles.values():
            plan += role_removal(target, role, users.get(role["Arn"], set()) - going)
        plan += [log_group_removal(target, group) for group in groups.values()]
        return plan + unread_regions(unread)


def _prepare(target: Target, function: str, group: Thing | None, build_role: Callable[[str], None]) -> None:
    ensure_log_group(target, function, group)
    build_role(function)


def named_function(target: Target, function: str) -> dict[str, Any] | None:
    """What GetFunction says of the function that bears a name of ours, somebody else's too, if it exists."""
    return target.read("lambda", "get_function", FunctionName=target.names.function(function))


def find_function(target: Target, function: str) -> dict[str, Any] | None:
    """What GetFunction says of one of the lab's functions, if it exists and bears the lab's tag."""
    found = named_function(target, function)
    return found if found and is_tagged(found.get("Tags"), target) else None


def ensure_function(target: Target, function: str) -> str:
    """Create a function, or mend its code and its configuration.

    Returns:
        What has to be waited for: ACTIVE, UPDATED, or nothing.

    Raises:
        LabError: the function is somebody else's, or may not have the given role.
    """
    try:
        return _made_or_mended(target, function)
    except ClientError as error:
        raise (given_role_refused(target, error) or error) from error


def _made_or_mended(target: Target, function: str) -> str:
    client, found = target.client("lambda"), named_function(target, function)
    code = package(function, target.settings.runtime, target.settings.copy_home)
    settings = _settings(target, function, code)
    if found is None:
        target.deeds.created(kinds.FUNCTION, settings["FunctionName"])
        client.create_function(**settings, Code={"ZipFile": code.content}, Tags=target.names.tags)
        return ACTIVE
    if not is_tagged(found.get("Tags"), target):
        raise refuse_foreign(kinds.FUNCTION, settings["FunctionName"])
    return _mend_function(target, found["Configuration"], settings, code)


def _settings(target: Target, function: str, code: Package) -> dict[str, Any]:
    return {
        "FunctionName": target.names.function(function),
        "Runtime": code.runtime,
        "Role": role_arn(target, function),
        "Handler": code.handler,
        "Timeout": TIMEOUT_SECONDS,
        "MemorySize": MEMORY_MB,
    }


def _mend_function(target: Target, found: dict[str, Any], settings: dict[str, Any], code: Package) -> str:
    client, name = target.client("lambda"), settings["FunctionName"]
    drifted = target.deeds.drifted(kinds.FUNCTION, name, found, settings)
    if drifted:
        wait(target, name, ACTIVE, UPDATED)
        client.update_function_configuration(**settings)
    stale = found.get("CodeSha256") != code.code_sha256
    if stale:
        target.deeds.mended(kinds.FUNCTION, name, "code", "another")
        wait(target, name, ACTIVE, UPDATED)
        client.update_function_code(FunctionName=name, ZipFile=code.content)
    if drifted or stale:
        return UPDATED
    return ACTIVE if found.get("State") == "Pending" else ""


def wait(target: Target, name: str, *waiters: str) -> None:
    """Wait until a function can be invoked and changed. While Pending or InProgress, AWS refuses both."""
    client = target.client("lambda")
    patience = {"Delay": 1, "MaxAttempts": 120} if target.place.kind == "aws" else {"Delay": 0.1, "MaxAttempts": 600}
    for waiter in waiters:
        client.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=patience)


def _rows(target: Target, function: str, groups: Things, check_role: Callable[[str], list[Expected]]) -> list[Expected]:
    return [*log_group_rows(target, function, groups), *check_role(function), *_function_rows(target, function)]


def _function_rows(target: Target, function: str) -> list[Expected]:
    name, found = target.names.function(function), find_function(target, function)
    if found is None:
        return [Expected(f"function {name}", "found", "missing", "Sign-in and the routes need all three functions.")]
    code = package(function, target.settings.runtime, target.settings.copy_home)
    configuration = found["Configuration"]
    same = configuration.get("CodeSha256") == code.code_sha256
    own = is_own(function, target.settings.runtime, target.settings.copy_home)
    source = f"your lambdas/{function}" if own else f"lambdas/{function}"
    subject = f"code of {name}" + (", which is yours and differs from the lab's" if own else "")
    return [
        *(
            Expected(f"{key} of {name}", value, configuration.get(key), _WHY[key])
            for key, value in _settings(target, function, code).items()
            if key in _WHY
        ),
        Expected(subject, source, source if same else "other code", "The lab explains the code in lambdas/."),
    ]


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
        return [Deletion(kinds.FUNCTION, name, name, OURS, "lambda", "delete_function", {"FunctionName": name})]
    if "TagsError" in found:
        return [Left(kinds.FUNCTION, name, name, "its tags may not be read, so it may be this lab's", ours=True)]
    return [foreign(kinds.FUNCTION, name, name)]


def _event_source_deletions(target: Target, mappings: list[dict[str, Any]], theirs: set[str]) -> Iterator[Deletion]:
    """The deletions of what somebody made to feed the lab's functions. AWS keeps that when a function is deleted."""
    ours = {target.names.function(function) for function in REMOVABLE} - theirs
    for mapping in mappings:
        name = mapping.get("FunctionArn", "").partition(":function:")[2].split(":")[0]
        if name in ours and mapping.get("State") != "Deleting":
            kind, why, key = kinds.EVENT_SOURCE_MAPPING, "it feeds a function of the lab's", {"UUID": mapping["UUID"]}
            operation = "delete_event_source_mapping"
            yield Deletion(kind, f"events for {name}", mapping["UUID"], why, "lambda", operation, key)
