"""The second scan: what of a lab still stands, looked for in other ways than the plan of its removal.

The plan asks for each resource by its name and reads the tag that it is given there. This goes through the tag index,
listings and tag lists, and from what it finds on to what belongs to it. The two share no look-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labkit.aws import every, is_absent
from labkit.target.names import FUNCTIONS, ROLE_PATH, TAG_KEY
from labkit.target.target import Target

# What an ARN is of, and which part of it names the thing.
_ARNS = {
    "function": r":lambda:[^:]*:\d*:function:([^:]+)",
    "user pool": r":cognito-idp:[^:]*:\d*:userpool/(.+)",
    "HTTP API": r":apigateway:[^:]*:\d*:/apis/([^/]+)(?:/stages/.+)?",
    "log group": r":logs:[^:]*:\d*:log-group:([^:]+)(?::\*)?",
}


@dataclass(frozen=True)
class Leftover:
    """Something that still stands, what revealed it (`tag`, `name` or `parent`), and whether it is the lab's."""

    kind: str
    name: str
    id: str
    revealed_by: str
    ours: bool


def scan(target: Target) -> tuple[Leftover, ...]:
    """Everything that bears the lab's tag, a name of the lab, or belongs to something that does. Reads only.

    Another region than the lab's is not looked at, nor, for roles, another path: the tag index holds no roles.

    Raises:
        ClientError: AWS refused one of the calls.
    """
    tagged = _tagged(target)
    return (
        *_apis(target),
        *_user_pools(target, tagged["user pool"]),
        *_functions(target, tagged["function"]),
        *_roles(target),
        *_log_groups(target, tagged["log group"]),
        *(Leftover("resource", arn, arn, "tag", ours=True) for arn in tagged["resource"]),
    )


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


def _apis(target: Target) -> Iterator[Leftover]:
    wanted = target.names.api, target.names.what_if_api
    for api in every(target.client("apigatewayv2"), "get_apis", "Items"):
        yield from _judged(target, "HTTP API", api["Name"], api["ApiId"], api.get("Tags", {}), *wanted)


def _user_pools(target: Target, tagged: list[str]) -> Iterator[Leftover]:
    cognito, wanted = target.client("cognito-idp"), target.names.user_pool
    for pool in every(cognito, "list_user_pools", "UserPools", MaxResults=60):
        if pool["Name"] == wanted or pool["Id"] in tagged:
            tags = _tags(cognito.list_tags_for_resource, ResourceArn=target.names.user_pool_arn(pool["Id"]))
            for found in _judged(target, "user pool", pool["Name"], pool["Id"], tags, wanted):
                yield found
                yield from _domains(cognito, found)


def _domains(cognito: Any, pool: Leftover) -> Iterator[Leftover]:
    described = cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"] if pool.ours else {}
    for domain in (described.get("Domain"), described.get("CustomDomain")):
        if domain:
            yield Leftover("hosted domain", pool.name, domain, "parent", ours=True)


def _functions(target: Target, tagged: list[str]) -> Iterator[Leftover]:
    client, names = target.client("lambda"), target.names
    wanted = [names.function(function) for function in FUNCTIONS]
    for name in dict.fromkeys([*wanted, *tagged]):
        arn = f"arn:{names.partition}:lambda:{names.region}:{names.account}:function:{name}"
        yield from _judged(target, "function", name, name, _tags(client.list_tags, Resource=arn), *wanted)


def _roles(target: Target) -> Iterator[Leftover]:
    iam, wanted = target.client("iam"), [target.names.role(function) for function in FUNCTIONS]
    for role in every(iam, "list_roles", "Roles", PathPrefix=ROLE_PATH, MaxItems=1000):
        name = role["RoleName"]
        if name.startswith(f"{target.names.lab}-"):
            tags = _tags(iam.list_role_tags, RoleName=name)
            for found in _judged(target, "role", name, name, tags, *wanted):
                yield found
                yield from _policies(iam, found)


def _policies(iam: Any, role: Leftover) -> Iterator[Leftover]:
    for policy in every(iam, "list_role_policies", "PolicyNames", RoleName=role.name) if role.ours else ():
        name = f"{policy} of {role.name}"
        yield Leftover("role policy", name, name, "parent", ours=True)


def _log_groups(target: Target, tagged: list[str]) -> Iterator[Leftover]:
    logs, names = target.client("logs"), target.names
    wanted = [names.log_group(function) for function in FUNCTIONS]
    listed = every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=names.log_group(""))
    standing = [group["logGroupName"] for group in listed if group["logGroupName"] in wanted]
    for name in dict.fromkeys([*standing, *tagged]):
        arn = f"arn:{names.partition}:logs:{names.region}:{names.account}:log-group:{name}"
        tags = _tags(logs.list_tags_for_resource, resourceArn=arn)
        yield from _judged(target, "log group", name, name, tags, *wanted)


def _tags(operation: Callable[..., Any], **parameters: str) -> dict[str, str] | None:
    """The tags that an operation lists; None if what bears them is gone."""
    try:
        answer = operation(**parameters)
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    tags = answer.get("Tags") or answer.get("tags") or {}
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


def _judged(
    target: Target, kind: str, name: str, resource_id: str, tags: dict[str, str] | None, *wanted: str
) -> Iterator[Leftover]:
    """The leftover that a resource is, if it stands (its tags can be read) and bears the lab's tag or a wanted name."""
    ours = tags is not None and tags.get(TAG_KEY) == target.names.lab
    if ours or (tags is not None and name in wanted):
        yield Leftover(kind, name, resource_id, "tag" if ours else "name", ours)
