"""Which permissions AWS's calls need: each operation's actions, the resources that they are about, their context.

One row an operation, from the services' pages of the Service Authorization Reference; what that does not say is named.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.policies.evaluator import ALLOWED, Policy, Request, decide

# AWS evaluates no identity policy for these. https://docs.aws.amazon.com/cognito/latest/developerguide/
# user-pools-API-operations.html and https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = {"InitiateAuth", "RespondToAuthChallenge", "RevokeToken", "GetCallerIdentity"}

# What an instructor asks with his own credentials, on the way into an account.
OUTSIDE = {"AssumeRole", "DescribeAccount"}

# What each operation is about, and the actions that it needs besides the one of its own name.
ROWS: dict[str, tuple[str, ...]] = {
    "iam:ListAccountAliases": ("all",),
    "iam:ListRoles": ("all",),
    "iam:CreateRole": ("role", "iam:TagRole"),
    "iam:DeleteRole": ("role",),
    "iam:DeleteRolePolicy": ("role",),
    "iam:DetachRolePolicy": ("role",),
    "iam:GetRole": ("role",),
    "iam:GetRolePolicy": ("role",),
    "iam:ListAttachedRolePolicies": ("role",),
    "iam:ListRolePolicies": ("role",),
    "iam:ListRoleTags": ("role",),
    "iam:PutRolePolicy": ("role",),
    "iam:TagRole": ("role",),
    "iam:UpdateAssumeRolePolicy": ("role",),
    "iam:PassRole": ("passed role",),
    "iam:GetPolicy": ("policy",),
    "iam:GetPolicyVersion": ("policy",),
    "lambda:ListFunctions": ("all",),
    "lambda:ListEventSourceMappings": ("all",),
    "lambda:DeleteEventSourceMapping": ("event source mapping",),
    "lambda:AddPermission": ("function",),
    "lambda:CreateFunction": ("function", "lambda:TagResource", "iam:PassRole"),
    "lambda:DeleteFunction": ("function",),
    # https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html: without ListTags the tags are left out.
    "lambda:GetFunction": ("function", "lambda:ListTags"),
    "lambda:GetPolicy": ("function",),
    "lambda:InvokeFunction": ("function",),
    "lambda:ListTags": ("function",),
    "lambda:RemovePermission": ("function",),
    "lambda:TagResource": ("function",),
    "lambda:UpdateFunctionCode": ("function",),
    "lambda:UpdateFunctionConfiguration": ("function", "iam:PassRole"),
    "logs:DescribeLogGroups": ("all",),
    "logs:CreateLogGroup": ("log group", "logs:TagResource"),
    "logs:DeleteLogGroup": ("log group",),
    "logs:FilterLogEvents": ("log group",),
    "logs:ListTagsForResource": ("log group",),
    "logs:PutRetentionPolicy": ("log group",),
    "logs:TagResource": ("log group",),
    "cognito-idp:ListUserPools": ("all",),
    # It lists no tagging action, whatever tags it is given.
    "cognito-idp:CreateUserPool": ("all",),
    **{
        f"cognito-idp:{operation}": ("user pool",)
        for operation in (
            "AdminAddUserToGroup", "AdminCreateUser", "AdminDeleteUser", "AdminEnableUser", "AdminGetUser",
            "AdminListGroupsForUser", "AdminRemoveUserFromGroup", "AdminSetUserPassword", "CreateGroup",
            "CreateUserPoolClient",
            "CreateUserPoolDomain", "DeleteGroup", "DeleteUserPool", "DeleteUserPoolClient", "DeleteUserPoolDomain",
            "DescribeUserPool", "DescribeUserPoolClient", "ListGroups", "ListTagsForResource",
            "ListUserPoolClients", "ListUsers", "UpdateUserPool", "UpdateUserPoolClient",
        )
    },
    "tag:GetResources": ("all",),
    # What an instructor's commands ask besides.
    "iam:GetAccountSummary": ("all",),
    "iam:SimulatePrincipalPolicy": ("all",),
    "lambda:GetAccountSettings": ("all",),
    "organizations:DescribeOrganization": ("all",),
}  # fmt: skip

# The names of actions that are not those of the service and the operation.
SERVICES = {"resourcegroupstaggingapi": "tag"}
ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}


@dataclass
class Account:
    """What an account is known to hold, as far as permissions depend on it: learned from the calls."""

    id: str
    principal: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    boundaries: dict[str, str] = field(default_factory=dict)
    fed: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def requests(self, client: Any, operation: str, given: dict[str, Any]) -> Iterator[Request]:
        """What IAM is asked before a call is answered."""
        service, region = client.meta.service_model.service_name, client.meta.region_name
        if service == "apigatewayv2":
            yield from self._gateway(client, operation, given)
        elif operation not in FREE | OUTSIDE:
            named = f"{SERVICES.get(service, service)}:{operation}"
            action = ACTIONS.get(named, named)
            for needed in (action, *ROWS[action][1:]):
                for arn in self._resources(ROWS[needed][0], given, region, service):
                    yield Request(needed, arn, self._context(needed, arn, given, region))

    def _gateway(self, client: Any, operation: str, given: dict[str, Any]) -> Iterator[Request]:
        """API Gateway's actions are HTTP methods on paths.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_id-based-policy-examples.html
        CreateApi with tags is satisfied by POST on the tags; CreateStage with tags asks for an action that no
        catalogue lists (aws-amplify/amplify-cli#12316).
        """
        region, model = client.meta.region_name, client.meta.service_model.operation_model(operation)
        members = model.input_shape.members.items() if model.input_shape else ()
        named = {member.serialization.get("name", name): given.get(name) for name, member in members}
        root = f"arn:aws:apigateway:{region}::"
        arn = root + model.http["requestUri"].removeprefix("/v2").format(**named)
        yield Request(f"apigateway:{model.http['method']}", arn, self._context("", arn, given, region))
        if given.get("Tags") and operation == "CreateStage":
            yield Request("apigateway:TagResource", arn, self._context("", arn, given, region))
        elif given.get("Tags"):
            tags = f"{root}/tags/{quote(f'{arn}/new', safe='')}"
            yield Request("apigateway:POST", tags, self._context("", tags, given, region))

    def _resources(self, kind: str, given: dict[str, Any], region: str, service: str) -> Sequence[str]:
        here = f"arn:aws:{service}:{region}:{self.id}"
        match kind:
            case "all":
                return ["*"]
            case "role":
                return [self._role(given)]
            case "passed role":
                return [given["Role"]] if "Role" in given else []
            case "policy":
                return [given["PolicyArn"]]
            case "event source mapping":
                return [f"{here}:event-source-mapping:{given['UUID']}"]
            case "function":
                return [given.get("Resource") or f"{here}:function:{given['FunctionName']}"]
            case "log group":
                group = given.get("resourceArn") or f"{here}:log-group:{given['logGroupName']}"
                return [group, f"{group}:*"]
            case _:
                return [given.get("ResourceArn") or f"{here}:userpool/{given['UserPoolId']}"]

    def _role(self, given: dict[str, Any]) -> str:
        """A role's ARN. AWS knows no path of one that does not exist, and asks without it."""
        path = given.get("Path", "/")
        return self.roles.get(given["RoleName"], f"arn:aws:iam::{self.id}:role{path}{given['RoleName']}")

    def _context(self, action: str, arn: str, given: dict[str, Any], region: str) -> dict[str, str | list[str]]:
        tags = as_dict(given.get("Tags") or given.get("tags") or given.get("UserPoolTags") or {})
        about = {
            "aws:RequestedRegion": "us-east-1" if action.startswith("iam:") else region,
            "iam:PermissionsBoundary": given.get("PermissionsBoundary") or self.boundaries.get(arn),
            "iam:PassedToService": "lambda.amazonaws.com" if action == "iam:PassRole" else None,
            "lambda:Principal": given.get("Principal"),
            "lambda:FunctionArn": self.fed.get(given.get("UUID", "")),
            **{f"aws:PrincipalTag/{key}": value for key, value in self.principal.items()},
            **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
            **{f"aws:ResourceTag/{key}": value for key, value in self.tags.get(arn, {}).items()},
        }
        return {key: value for key, value in about.items() if value is not None}

    def learn(self, client: Any, operation: str, given: dict[str, Any], answer: dict[str, Any]) -> None:
        """Note what an answer tells of roles, boundaries, event sources and tags."""
        for role in [answer.get("Role"), *answer.get("Roles", [])]:
            if isinstance(role, dict):
                self._learn_role(role, given)
        if operation == "DeleteRole":
            self.roles.pop(given["RoleName"], None)
        self.fed.update({m["UUID"]: m["FunctionArn"] for m in answer.get("EventSourceMappings", [])})
        self._learn_tags(client, operation, given, answer)

    def _learn_tags(self, client: Any, operation: str, given: dict[str, Any], answer: dict[str, Any]) -> None:
        here = f"arn:aws:{client.meta.service_model.service_name}:{client.meta.region_name}:{self.id}"
        match operation:
            case "CreateFunction":
                self.tags[answer["FunctionArn"]] = as_dict(given.get("Tags", {}))
            case "CreateLogGroup":
                group = f"{here}:log-group:{given['logGroupName']}"
                self.tags[group] = self.tags[f"{group}:*"] = as_dict(given.get("tags", {}))
            case "CreateApi":
                arn = f"arn:aws:apigateway:{client.meta.region_name}::/apis/{answer['ApiId']}"
                self.tags[arn] = as_dict(given.get("Tags", {}))
            case "CreateUserPool" | "DescribeUserPool":
                pool = answer["UserPool"]
                self.tags[f"{here}:userpool/{pool['Id']}"] = as_dict(pool.get("UserPoolTags") or {})

    def _learn_role(self, role: dict[str, Any], given: dict[str, Any]) -> None:
        self.roles[role["RoleName"]] = role["Arn"]
        told = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") or given.get("PermissionsBoundary")
        if told:
            self.boundaries[role["Arn"]] = told
        if role.get("Tags"):
            self.tags[role["Arn"]] = as_dict(role["Tags"])


def as_dict(tags: Any) -> dict[str, str]:
    """Tags, whichever of their two shapes a service has."""
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


@dataclass
class Gate:
    """Refuses the calls of this process that policies do not allow, as AWS does, and keeps what was asked."""

    account: Account
    policies: Sequence[Policy]
    asked: list[Request] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    _judging: bool = True

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Judge every call that is made inside."""
        make = BaseClient._make_api_call
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", lambda client, *call: self._call(make, client, *call))
            yield

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let every call pass that is made inside, and only learn from it."""
        self._judging = False
        yield
        self._judging = True

    def _call(self, make: Callable[..., Any], client: Any, operation: str, given: dict[str, Any]) -> Any:
        if self._judging:
            self._judge(client, operation, given)
        answer = make(client, operation, given)
        self.account.learn(client, operation, given, answer)
        return answer

    def _judge(self, client: Any, operation: str, given: dict[str, Any]) -> None:
        self.operations.add(operation)
        for request in self.account.requests(client, operation, given):
            self.asked.append(request)
            if (decision := decide(request, self.policies)) != ALLOWED:
                raise refused(request, operation, decision)


def refused(request: Request, operation: str, decision: str) -> ClientError:
    """What boto3 raises where AWS refuses a call."""
    message = f"User is not authorized to perform: {request.action} on resource: {request.resource} ({decision})"
    return ClientError({"Error": {"Code": "AccessDenied", "Message": message}, "ResponseMetadata": {}}, operation)
