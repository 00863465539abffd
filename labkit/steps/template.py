"""The lab as one AWS CloudFormation template, made of what the steps build.

What CloudFormation cannot say is left to `labkit up`, which finds the stack's resources by their names and tags: the
users' passwords, the hosted domain (its prefix follows from the pool's id), and the functions' code and handler in the
lab's own form, since inline code is packed by AWS, in a file called `index`.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from labkit.errors import UsageError
from labkit.runtimes import RUNTIMES
from labkit.settings import Settings
from labkit.steps.app_client import APP_CLIENT_SETTINGS
from labkit.steps.authorizer import authorizer_settings, protection
from labkit.steps.function_code import source_file
from labkit.steps.functions import MEMORY_MB, TIMEOUT_SECONDS
from labkit.steps.http_api import integration_settings, route_statement
from labkit.steps.log_groups import RETENTION_DAYS
from labkit.steps.roles import POLICY, TRUST_POLICY, logs_policy
from labkit.steps.user_pool import pool_settings, trigger_statement
from labkit.target.account import Account
from labkit.target.names import DEFAULT_STAGE, FUNCTIONS, GROUPS, PRE_TOKEN, ROLE_PATH, ROUTES, STAGE, USERS
from labkit.target.target import Target

Resources = dict[str, dict[str, Any]]

# The lab's names in whatever account, region and partition the template is deployed to.
_ANYWHERE = Account(None, "${AWS::Region}", "${AWS::AccountId}", "${AWS::Partition}")

_INTRINSIC = re.compile(r"\$\{[\w:.]+\}")


def template(settings: Settings) -> dict[str, Any]:
    """The lab of these settings as a template, as plain data.

    Raises:
        UsageError: inline code is of Python alone; Lambda takes that of Node.js for a CommonJS module.
    """
    runtime = RUNTIMES[settings.runtime]
    if runtime.program:
        others = ", ".join(name for name, one in RUNTIMES.items() if not one.program)
        raise UsageError(
            f"A template cannot hold the functions of {runtime.name} as they are.", f"LABKIT_RUNTIME={others}"
        )
    target = Target(settings, _ANYWHERE, confirmed=False)
    resources = {**_functions(target), **_user_pool(target), **_api(target)}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The JWT authorizer lab {settings.name}. Then run labkit up, which adds what is missing here.",
        "Parameters": {
            "BoundaryArn": {
                "Type": "String",
                "Description": "A permissions boundary for the functions' roles, where the account asks for one.",
                "Default": "",
            }
        },
        "Conditions": {"HasBoundary": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BoundaryArn"}, ""]}]}},
        "Resources": _with_intrinsics(resources),
        "Outputs": {"ApiUrl": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}},
    }


def as_yaml(document: dict[str, Any]) -> str:
    """A template as YAML, with the functions' code as it stands in their files."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True))


class _Dumper(yaml.SafeDumper):
    """Writes what has several lines as such, and repeats rather than refers."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


# What holds data goes with the stack, which CloudFormation's linter wants said.
_HOLDS_DATA = ("Logs::LogGroup", "Cognito::UserPool")
_GOES = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}


def _resource(kind: str, properties: dict[str, Any], *after: str) -> dict[str, Any]:
    depends = {"DependsOn": list(after)} if after else {}
    goes = _GOES if kind in _HOLDS_DATA else {}
    return {"Type": f"AWS::{kind}", **depends, **goes, "Properties": properties}


def _functions(target: Target) -> Resources:
    made: Resources = {}
    names, runtime = target.names, RUNTIMES[target.settings.runtime]
    tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
    for function in FUNCTIONS:
        its = _id(function)
        made[f"{its}Logs"] = _resource(
            "Logs::LogGroup",
            {"LogGroupName": names.log_group(function), "RetentionInDays": RETENTION_DAYS, "Tags": tags},
        )
        made[f"{its}Role"] = _resource(
            "IAM::Role",
            {
                "RoleName": names.role(function),
                "Path": ROLE_PATH,
                "Description": "Lets one function of the JWT authorizer lab write its own logs",
                "AssumeRolePolicyDocument": TRUST_POLICY,
                "PermissionsBoundary": {"Fn::If": ["HasBoundary", {"Ref": "BoundaryArn"}, {"Ref": "AWS::NoValue"}]},
                "Policies": [{"PolicyName": POLICY, "PolicyDocument": logs_policy(target, function)}],
                "Tags": tags,
            },
        )
        code = source_file(function, runtime.name).read_text(encoding="utf-8")
        made[its] = _resource(
            "Lambda::Function",
            {
                "FunctionName": names.function(function),
                "Runtime": runtime.name,
                "Role": names.role_arn(function),
                "Handler": f"index.{runtime.handler.rpartition('.')[2]}",
                "Timeout": TIMEOUT_SECONDS,
                "MemorySize": MEMORY_MB,
                "Code": {"ZipFile": code},
                "Tags": tags,
            },
            f"{its}Role",
            f"{its}Logs",
        )
    return made


def _user_pool(target: Target) -> Resources:
    pool, trigger = "${UserPool}", _id(PRE_TOKEN)
    made = {
        "UserPool": _resource(
            "Cognito::UserPool",
            {
                "UserPoolName": target.names.user_pool,
                **pool_settings(target),
                "UsernameConfiguration": {"CaseSensitive": False},
                "UserPoolTags": target.names.tags,
            },
            trigger,
        ),
        "TriggerPermission": _permission(target, PRE_TOKEN, trigger_statement(target, pool)),
        "AppClient": _resource(
            "Cognito::UserPoolClient",
            {"ClientName": target.names.app_client, "UserPoolId": pool, **APP_CLIENT_SETTINGS},
        ),
    }
    for group in GROUPS:
        settings = {"UserPoolId": pool, "GroupName": group, "Description": f"May call what asks for {group}"}
        made[f"Group{group.title()}"] = _resource("Cognito::UserPoolGroup", settings)
    for user, groups in USERS.items():
        # Without SUPPRESS, Cognito tries to send an invitation.
        key = {"UserPoolId": pool, "Username": user}
        made[_id(user)] = _resource("Cognito::UserPoolUser", {**key, "MessageAction": "SUPPRESS"})
        for group in groups:
            made[f"{_id(user)}In{group.title()}"] = _resource(
                "Cognito::UserPoolUserToGroupAttachment",
                {**key, "GroupName": group},
                _id(user),
                f"Group{group.title()}",
            )
    return made


def _api(target: Target) -> Resources:
    api, names = "${Api}", target.names
    made = {"Api": _resource("ApiGatewayV2::Api", {"Name": names.api, "ProtocolType": "HTTP", "Tags": names.tags})}
    routes = []
    for key, (function, group) in ROUTES.items():
        its = f"{_id(function)}Integration"
        made[its] = _resource("ApiGatewayV2::Integration", {"ApiId": api, **integration_settings(target, function)})
        made[f"{_id(function)}Permission"] = _permission(target, function, route_statement(target, api, key))
        routes.append(f"{_id(function)}Route")
        made[routes[-1]] = _resource(
            "ApiGatewayV2::Route",
            {
                "ApiId": api,
                "RouteKey": key,
                "Target": f"integrations/${{{its}}}",
                **protection(group, "${Authorizer}", "${AppClient}"),
            },
        )
    return made | {
        "Authorizer": _resource(
            "ApiGatewayV2::Authorizer",
            {"ApiId": api, **authorizer_settings("${UserPool.ProviderURL}", "${AppClient}")},
        ),
        # A deployment is of the routes that are there when it is made.
        "Deployment": _resource("ApiGatewayV2::Deployment", {"ApiId": api}, *routes),
        "DefaultStage": _resource(
            "ApiGatewayV2::Stage", {"ApiId": api, "StageName": DEFAULT_STAGE, "AutoDeploy": True}, *routes
        ),
        "TestStage": _resource(
            "ApiGatewayV2::Stage",
            {"ApiId": api, "StageName": STAGE, "AutoDeploy": False, "DeploymentId": "${Deployment.DeploymentId}"},
        ),
    }


def _permission(target: Target, function: str, wanted: dict[str, str]) -> dict[str, Any]:
    return _resource(
        "Lambda::Permission",
        {
            "FunctionName": target.names.function(function),
            "Action": "lambda:InvokeFunction",
            "Principal": wanted["Principal"],
            "SourceArn": wanted["SourceArn"],
            "SourceAccount": target.place.account,
        },
        _id(function),
    )


def _id(name: str) -> str:
    """A name as CloudFormation takes it for a logical id: letters and digits."""
    cleaned = re.sub(r"[^A-Za-z0-9]", "", name)
    return cleaned[0].upper() + cleaned[1:]


def _with_intrinsics(value: Any) -> Any:
    """The same with each text that names something of the stack as a function of CloudFormation's."""
    match value:
        case dict():
            return {key: _with_intrinsics(part) if key != "ZipFile" else part for key, part in value.items()}
        case list():
            return [_with_intrinsics(part) for part in value]
        case str() if whole := _INTRINSIC.fullmatch(value):
            name = whole[0][2:-1]
            return {"Fn::GetAtt": name.split(".")} if "." in name else {"Ref": name}
        case str() if _INTRINSIC.search(value):
            return {"Fn::Sub": value}
    return value
