"""What an account holds as AWS's API shows it, read without labkit's code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

# A kind, and the name of the resource with the ids of what is in it behind.
Key = tuple[str, str]
Client = Callable[[str], Any]

# One whole lab.
WHOLE_LAB = {
    "HTTP API": 1,
    "route": 2,
    "integration": 2,
    "authorizer": 1,
    "stage": 2,
    "user pool": 1,
    "hosted domain": 1,
    "app client": 1,
    "group": 2,
    "user": 2,
    "function": 3,
    "permission": 3,
    "role": 3,
    "role policy": 3,
    "log group": 3,
}


def everything(client: Client) -> dict[Key, Any]:
    """Every resource of the kinds that a lab has, each described."""
    return dict(part for read in (_apis, _user_pools, _functions, _roles, _log_groups) for part in read(client))


def of_lab(found: dict[Key, Any], lab: str) -> dict[str, int]:
    """How many resources of each kind bear a name that begins with a lab's."""
    ours = (f"{lab}-", f"/aws/lambda/{lab}-")
    return dict(Counter(kind for kind, name in found if name.startswith(ours)))


def _apis(client: Client) -> Iterator[tuple[Key, Any]]:
    gateway = client("apigatewayv2")
    for api in _all(gateway, "get_apis", "Items"):
        name = f"{api['Name']}/{api['ApiId']}"
        yield ("HTTP API", name), api
        for kind, operation, key in _IN_APIS:
            for part in _all(gateway, operation, "Items", ApiId=api["ApiId"]):
                yield (kind, f"{name}/{part[key]}"), part


_IN_APIS = (
    ("route", "get_routes", "RouteId"),
    ("integration", "get_integrations", "IntegrationId"),
    ("authorizer", "get_authorizers", "AuthorizerId"),
    ("stage", "get_stages", "StageName"),
)


def _user_pools(client: Client) -> Iterator[tuple[Key, Any]]:
    cognito = client("cognito-idp")
    for listed in _all(cognito, "list_user_pools", "UserPools", MaxResults=60):
        key, name = {"UserPoolId": listed["Id"]}, f"{listed['Name']}/{listed['Id']}"
        pool = cognito.describe_user_pool(**key)["UserPool"]
        yield ("user pool", name), pool
        if "Domain" in pool:
            yield ("hosted domain", f"{name}/{pool['Domain']}"), pool["Domain"]
        for app_client in _all(cognito, "list_user_pool_clients", "UserPoolClients", **key):
            described = cognito.describe_user_pool_client(**key, ClientId=app_client["ClientId"])
            yield ("app client", f"{name}/{app_client['ClientId']}"), described["UserPoolClient"]
        for group in _all(cognito, "list_groups", "Groups", **key):
            yield ("group", f"{name}/{group['GroupName']}"), group
        for user in _all(cognito, "list_users", "Users", **key):
            yield ("user", f"{name}/{user['Username']}"), user


def _functions(client: Client) -> Iterator[tuple[Key, Any]]:
    functions = client("lambda")
    for listed in _all(functions, "list_functions", "Functions"):
        name = listed["FunctionName"]
        found = functions.get_function(FunctionName=name)
        yield ("function", name), (found["Configuration"], found.get("Tags"))
        for statement in _policy(functions, name):
            yield ("permission", f"{name}/{statement['Sid']}"), statement


def _policy(functions: Any, name: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"])
    except functions.exceptions.ResourceNotFoundException:
        return []


def _roles(client: Client) -> Iterator[tuple[Key, Any]]:
    iam = client("iam")
    for listed in _all(iam, "list_roles", "Roles"):
        name = listed["RoleName"]
        role = iam.get_role(RoleName=name)["Role"]
        role.pop("RoleLastUsed", None)
        yield ("role", name), role
        for policy in _all(iam, "list_role_policies", "PolicyNames", RoleName=name):
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            yield ("role policy", f"{name}/{policy}"), document
        for attached in _all(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
            yield ("attached policy", f"{name}/{attached['PolicyName']}"), attached


def _log_groups(client: Client) -> Iterator[tuple[Key, Any]]:
    logs = client("logs")
    for group in _all(logs, "describe_log_groups", "logGroups"):
        tags = logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
        yield ("log group", group["logGroupName"]), (group, tags)


def _all(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    pages = client.get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page.get(key, [])]
