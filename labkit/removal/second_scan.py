"""The second scan: what of a lab still stands, looked for in other ways than the plan of its removal.

The plan asks for each resource by its name and reads the tag that it is given there. This goes through the tag index,
listings and tag lists, and from what it finds on to what belongs to it. The two share no look-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from labkit.aws import DENIED, error_code, every, or_none
from labkit.machine.side_by_side import side_by_side
from labkit.steps.step import Left
from labkit.target import kinds
from labkit.target.names import REMOVABLE, ROLE_PATH, TAG_KEY
from labkit.target.target import Target

# What an ARN is of, and which part of it names the thing.
_ARNS = {
    kinds.FUNCTION: r":lambda:[^:]*:\d*:function:([^:]+)",
    kinds.USER_POOL: r":cognito-idp:[^:]*:\d*:userpool/(.+)",
    kinds.HTTP_API: r":apigateway:[^:]*:\d*:/apis/([^/]+)(?:/stages/.+)?",
    kinds.LOG_GROUP: r":logs:[^:]*:\d*:log-group:([^:]+)(?::\*)?",
}

# A role's name as a step of some lab gives it: this one's in another region, too.
_OF_A_STEP = re.compile(rf".+-({'|'.join(REMOVABLE)})-[a-z]+(-[a-z]+)+-\d+")


def scan(target: Target) -> tuple[Left, ...]:
    """Everything that bears the lab's tag, a name of the lab, or belongs to something that does. Reads only.

    Another region than the lab's is not looked at: the tag index and the listings are a region's, and a role's name
    says of which it is. Roles are listed on every path, and outside the labs' own only a name can reveal them: their
    tags may not be read. What bears the lab's tag under a name of its own is not removed, since no step made it; how
    it can be is told.

    Raises:
        ClientError: AWS refused one of the calls.
    """
    tagged = _tagged(target)
    looks = (
        _apis(target),
        _user_pools(target, tagged[kinds.USER_POOL]),
        _functions(target, tagged[kinds.FUNCTION]),
        _roles(target),
        _log_groups(target, tagged[kinds.LOG_GROUP]),
    )
    found = side_by_side(*(partial(list, look) for look in looks))
    others = [Left("resource", arn, arn, _REVEALED.format("tag"), ours=True) for arn in tagged["resource"]]
    return (*(thing for things in found for thing in things), *others)


def other_labs(target: Target, known: Collection[str]) -> tuple[Left, ...]:
    """The labs of this account and region that are not known, told by their roles. Reads only.

    Raises:
        ClientError: AWS refused the call.
    """
    ends = tuple(f"-{function}-{target.names.region}" for function in REMOVABLE)
    names = [role["RoleName"] for role in _all_roles(target) if role.get("Path") == ROLE_PATH]
    labs = {name.removesuffix(end) for name in names for end in ends if name.endswith(end)}
    return tuple(
        Left(kinds.LAB, lab, lab, f"another lab of this account; if it is yours, too: LABKIT_NAME={lab} labkit down",
             ours=False)
        for lab in sorted(labs - {target.names.lab, *known})
    )  # fmt: skip


def _tagged(target: Target) -> dict[str, list[str]]:
    """What the tag index holds under the lab's tag, by kind. It lags, so that each has to be looked at.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    client = target.client("resourcegroupstaggingapi")
    names: dict[str, list[str]] = {kind: [] for kind in (*_ARNS, "resource")}
    wanted = [{"Key": TAG_KEY, "Values": [target.names.lab]}]
    for resource in every(client, "get_resources", "ResourceTagMappingList", TagFilters=wanted):
        kind, name = _kind_and_name(resource["ResourceARN"])
        names[kind].append(name)
    return names


def _kind_and_name(arn: str) -> tuple[str, str]:
    for kind, pattern in _ARNS.items():
        if match := re.search(f"{pattern}$", arn):
            return kind, match[1]
    return "resource", arn


def _apis(target: Target) -> Iterator[Left]:
    wanted = target.names.api, target.names.what_if_api
    for api in every(target.client("apigatewayv2"), "get_apis", "Items"):
        yield from _judged(target, kinds.HTTP_API, api["Name"], api["ApiId"], api.get("Tags", {}), *wanted)


def _user_pools(target: Target, tagged: list[str]) -> Iterator[Left]:
    cognito, wanted = target.client("cognito-idp"), target.names.user_pool
    for pool in every(cognito, "list_user_pools", "UserPools", MaxResults=60):
        name = pool.get("Name", "")
        if name == wanted or pool["Id"] in tagged:
            tags = _tags(cognito.list_tags_for_resource, ResourceArn=target.names.user_pool_arn(pool["Id"]))
            for found in _judged(target, kinds.USER_POOL, name, pool["Id"], tags, wanted):
                yield from _domains(cognito, found)
                yield found


def _domains(cognito: Any, pool: Left) -> Iterator[Left]:
    described = cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"] if pool.ours else {}
    for domain in (described.get("Domain"), described.get("CustomDomain")):
        if domain:
            command = f"aws cognito-idp delete-user-pool-domain --user-pool-id {pool.id} --domain {domain}"
            yield _part(pool, kinds.HOSTED_DOMAIN, pool.name, domain, command)


def _functions(target: Target, tagged: list[str]) -> Iterator[Left]:
    client, names = target.client("lambda"), target.names
    wanted = [names.function(function) for function in REMOVABLE]
    theirs: set[str] = set()
    for name in dict.fromkeys([*wanted, *tagged]):
        arn = f"arn:{names.partition}:lambda:{names.region}:{names.account}:function:{name}"
        for found in _judged(target, kinds.FUNCTION, name, name, _tags(client.list_tags, Resource=arn), *wanted):
            theirs.update(() if found.ours else (name,))
            yield found
    yield from _event_sources(client, [name for name in wanted if name not in theirs])


def _event_sources(client: Any, functions: Collection[str]) -> Iterator[Left]:
    """What feeds the lab's functions. It stays when a function is deleted."""
    for mapping in every(client, "list_event_source_mappings", "EventSourceMappings"):
        name = mapping.get("FunctionArn", "").partition(":function:")[2].split(":")[0]
        if name in functions and mapping.get("State") != "Deleting":
            why = _REVEALED.format("function's name")
            yield Left(kinds.EVENT_SOURCE_MAPPING, f"events for {name}", mapping["UUID"], why, ours=True)


def _roles(target: Target) -> Iterator[Left]:
    iam, wanted = target.client("iam"), [target.names.role(function) for function in REMOVABLE]
    for role in _all_roles(target):
        name = role["RoleName"]
        if role.get("Path") != ROLE_PATH:
            yield from _judged(target, kinds.ROLE, name, name, {}, *wanted)
        elif name in wanted or not _OF_A_STEP.fullmatch(name):
            for found in _judged(target, kinds.ROLE, name, name, _role_tags(iam, name, wanted), *wanted):
                yield from _policies(iam, found)
                yield found


def _role_tags(iam: Any, name: str, wanted: Collection[str]) -> dict[str, str] | None:
    """The tags of a role. One of a name of its own that refuses to tell them is another attendee's."""
    try:
        return _tags(iam.list_role_tags, RoleName=name)
    except ClientError as error:
        if name not in wanted and error_code(error) in DENIED:
            return None
        raise


def _all_roles(target: Target) -> Iterator[dict[str, Any]]:
    """Every role but the given one. Who works with a given role may be refused the list, where nobody makes roles."""
    given = target.settings.role_arn
    try:
        yield from (r for r in every(target.client("iam"), "list_roles", "Roles", MaxItems=1000) if r["Arn"] != given)
    except ClientError as error:
        if not given or error_code(error) not in DENIED:
            raise


def _policies(iam: Any, role: Left) -> Iterator[Left]:
    key, option = {"RoleName": role.name}, f"--role-name {role.name}"
    for policy in every(iam, "list_role_policies", "PolicyNames", **key) if role.ours else ():
        name, command = f"{policy} of {role.name}", f"aws iam delete-role-policy {option} --policy-name {policy}"
        yield _part(role, kinds.ROLE_POLICY, name, name, command)
    for policy in every(iam, "list_attached_role_policies", "AttachedPolicies", **key) if role.ours else ():
        name = f"{policy['PolicyName']} of {role.name}"
        command = f"aws iam detach-role-policy {option} --policy-arn {policy['PolicyArn']}"
        yield _part(role, kinds.ATTACHED_POLICY, name, name, command)


def _log_groups(target: Target, tagged: list[str]) -> Iterator[Left]:
    logs, names = target.client("logs"), target.names
    wanted = [names.log_group(function) for function in REMOVABLE]
    listed = every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=names.log_group(""))
    standing = [group["logGroupName"] for group in listed if group.get("logGroupName") in wanted]
    for name in dict.fromkeys([*standing, *tagged]):
        arn = f"arn:{names.partition}:logs:{names.region}:{names.account}:log-group:{name}"
        tags = _tags(logs.list_tags_for_resource, resourceArn=arn)
        yield from _judged(target, kinds.LOG_GROUP, name, name, tags, *wanted)


def _tags(operation: Callable[..., Any], **parameters: str) -> dict[str, str] | None:
    """The tags that an operation lists; None if what bears them is gone."""
    answer = or_none(operation, **parameters)
    if answer is None:
        return None
    tags = answer.get("Tags") or answer.get("tags") or {}
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


def _judged(
    target: Target, kind: str, name: str, resource_id: str, tags: dict[str, str] | None, *wanted: str
) -> Iterator[Left]:
    """What a resource is, if it stands (its tags can be read) and bears the lab's tag or a wanted name."""
    if tags is not None and tags.get(TAG_KEY) == target.names.lab:
        own = "" if name in wanted else f", under a name of its own{_TO_DELETE}{_BY_HAND[kind]} {resource_id}"
        yield Left(kind, name, resource_id, _REVEALED.format("tag") + own, ours=True)
    elif tags is not None and name in wanted:
        why = f"{_REVEALED.format('name')}; it does not bear the lab's tag"
        yield Left(kind, name, resource_id, why, ours=False)


def _part(parent: Left, kind: str, name: str, resource_id: str, command: str) -> Left:
    """A part of what is the lab's. The command that takes it away is told where its parent's is."""
    by_hand = _TO_DELETE + command if _TO_DELETE in parent.why else ""
    return Left(kind, name, resource_id, _REVEALED.format("parent") + by_hand, ours=True)


_REVEALED = "the second scan found it by its {}"
_TO_DELETE = "; to delete it: "
_BY_HAND = {
    kinds.FUNCTION: "aws lambda delete-function --function-name",
    kinds.USER_POOL: "aws cognito-idp delete-user-pool --user-pool-id",
    kinds.HTTP_API: "aws apigatewayv2 delete-api --api-id",
    kinds.LOG_GROUP: "aws logs delete-log-group --log-group-name",
    kinds.ROLE: "aws iam delete-role --role-name",
}
