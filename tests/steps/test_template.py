"""The lab as a template: what it says is what `up` makes, and what it cannot say is what `up` then adds."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import yaml

from labkit.cloud.protocol import Cloud
from labkit.errors import UsageError
from labkit.lab import Lab
from labkit.settings import Settings
from labkit.steps.template import as_yaml, template
from tests.aws_account import play
from tests.labs import Calls, settings_report

Document = dict[str, Any]

# What an inline function cannot be: the lab's own file, and so its handler.
OF_INLINE_CODE = {"Handler", "Code"}
# As API and template call the same thing.
AS_TOLD = {"LogGroupName": "logGroupName", "RetentionInDays": "retentionInDays", "UserPoolName": "Name"}
# A template names these by another resource, and `made` looked them up under that.
KEYS = {"ApiId", "UserPoolId", "FunctionName", "Tags", "UserPoolTags"}


def resolved(value: Any, ids: dict[str, str]) -> Any:
    """A value of a template with its references in the words of an account where the lab stands."""
    match value:
        case {"Ref": name}:
            return ids[name]
        case {"Fn::GetAtt": path}:
            return ids[".".join(path)]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda use: ids[use[1]], text)
        case {"Fn::If": [_, _, other]}:
            return resolved(other, ids)
        case dict():
            return {key: resolved(part, ids) for key, part in value.items()}
        case list():
            return [resolved(part, ids) for part in value]
    return value


def as_map(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else tags


class Made:
    """What a lab's place tells of what `up` made, by the type of a template's resource."""

    def __init__(self, lab: Lab) -> None:
        self.client, self.lab = lab.target.client, lab
        found = lab.status().ids
        place = lab.target.place
        self.api, self.pool, self.app = found["api_id"], found["user_pool_id"], found["app_client_id"]
        integrations = self.client("apigatewayv2").get_integrations(ApiId=self.api)["Items"]
        (self.test,) = [s for s in self.stages() if s["StageName"] == "Test"]
        self.ids = {
            "AWS::Region": place.region,
            "AWS::AccountId": place.account,
            "AWS::Partition": place.partition,
            "AWS::NoValue": "",
            "Api": self.api,
            "UserPool": self.pool,
            "UserPool.ProviderURL": found["issuer"],
            "AppClient": self.app,
            "Authorizer": found["authorizer_id"],
            "Deployment.DeploymentId": self.test["DeploymentId"],
        } | {f"{i['IntegrationUri'].rsplit('-', 1)[1]}Integration": i["IntegrationId"] for i in integrations}

    def stages(self) -> list[Document]:
        return list(self.client("apigatewayv2").get_stages(ApiId=self.api)["Items"])

    def of(self, kind: str, p: Document) -> Document:
        """What is told of the resource of a type that has these properties."""
        service, _, what = kind.removeprefix("AWS::").partition("::")
        return dict(getattr(self, f"{service}_{what}".lower())(p))

    def logs_loggroup(self, p: Document) -> Document:
        (group,) = self.client("logs").describe_log_groups(logGroupNamePrefix=p["LogGroupName"])["logGroups"]
        return dict(group)

    def iam_role(self, p: Document) -> Document:
        iam, name = self.client("iam"), p["RoleName"]
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        told = iam.get_role_policy(RoleName=name, PolicyName=policy)
        policies = [{"PolicyName": policy, "PolicyDocument": told["PolicyDocument"]}]
        return {**iam.get_role(RoleName=name)["Role"], "Policies": policies, "PermissionsBoundary": ""}

    def lambda_function(self, p: Document) -> Document:
        return dict(self.client("lambda").get_function(FunctionName=p["FunctionName"])["Configuration"])

    def lambda_permission(self, p: Document) -> Document:
        policy = json.loads(self.client("lambda").get_policy(FunctionName=p["FunctionName"])["Policy"])
        (statement,) = policy["Statement"]
        condition = {key: value for test in statement["Condition"].values() for key, value in test.items()}
        return {
            "Action": statement["Action"],
            "Principal": statement["Principal"]["Service"],
            "SourceArn": condition["AWS:SourceArn"],
            "SourceAccount": condition["AWS:SourceAccount"],
        }

    def cognito_userpool(self, p: Document) -> Document:
        told = self.client("cognito-idp").describe_user_pool(UserPoolId=self.pool)["UserPool"]
        return {**told, "Policies": {"PasswordPolicy": _within(told["Policies"]["PasswordPolicy"], p["Policies"])}}

    def cognito_userpoolclient(self, p: Document) -> Document:
        ask = self.client("cognito-idp").describe_user_pool_client
        return dict(ask(UserPoolId=self.pool, ClientId=self.app)["UserPoolClient"])

    def cognito_userpoolgroup(self, p: Document) -> Document:
        ask = self.client("cognito-idp").get_group
        return dict(ask(UserPoolId=self.pool, GroupName=p["GroupName"])["Group"])

    def cognito_userpooluser(self, p: Document) -> Document:
        told = self.client("cognito-idp").admin_get_user(UserPoolId=self.pool, Username=p["Username"])
        return {**told, "MessageAction": "SUPPRESS"}  # which nobody tells afterwards

    def cognito_userpoolusertogroupattachment(self, p: Document) -> Document:
        ask = self.client("cognito-idp").admin_list_groups_for_user
        groups = ask(UserPoolId=self.pool, Username=p["Username"])["Groups"]
        return {**p, "GroupName": next(g["GroupName"] for g in groups if g["GroupName"] == p["GroupName"])}

    def apigatewayv2_api(self, p: Document) -> Document:
        return dict(self.client("apigatewayv2").get_api(ApiId=self.api))

    def apigatewayv2_integration(self, p: Document) -> Document:
        items = self.client("apigatewayv2").get_integrations(ApiId=self.api)["Items"]
        return next(item for item in items if item["IntegrationUri"] == p["IntegrationUri"])

    def apigatewayv2_route(self, p: Document) -> Document:
        items = self.client("apigatewayv2").get_routes(ApiId=self.api)["Items"]
        return next(item for item in items if item["RouteKey"] == p["RouteKey"])

    def apigatewayv2_authorizer(self, p: Document) -> Document:
        (authorizer,) = self.client("apigatewayv2").get_authorizers(ApiId=self.api)["Items"]
        return dict(authorizer)

    def apigatewayv2_stage(self, p: Document) -> Document:
        return next(stage for stage in self.stages() if stage["StageName"] == p["StageName"])

    def apigatewayv2_deployment(self, p: Document) -> Document:
        return {}


def _within(told: Document, wanted: Document) -> Document:
    return {key: told[key] for key in wanted["PasswordPolicy"]}


def test_what_the_template_says_is_what_up_makes(built: Lab) -> None:
    made, differing = Made(built), []
    for name, resource in template(built.settings)["Resources"].items():
        wanted = resolved(resource["Properties"], made.ids)
        told = made.of(resource["Type"], wanted)
        for key, value in wanted.items():
            if key not in KEYS | OF_INLINE_CODE and told.get(AS_TOLD.get(key, key)) != value:
                differing.append((name, key, value, told.get(AS_TOLD.get(key, key))))
    assert differing == []


def test_everything_of_the_lab_is_in_the_template(built: Lab) -> None:
    kinds = [resource["Type"].rpartition("::")[2] for resource in template(built.settings)["Resources"].values()]
    counted = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counted == {
        "LogGroup": 3, "Role": 3, "Function": 3, "Permission": 3, "UserPool": 1, "UserPoolClient": 1,
        "UserPoolGroup": 2, "UserPoolUser": 2, "UserPoolUserToGroupAttachment": 3, "Api": 1, "Integration": 2,
        "Route": 2, "Authorizer": 1, "Deployment": 1, "Stage": 2,
    }  # fmt: skip


def test_every_part_bears_the_labs_tag_where_it_can(built: Lab) -> None:
    tags = built.target.names.tags
    for resource in template(built.settings)["Resources"].values():
        given = resource["Properties"].get("Tags", resource["Properties"].get("UserPoolTags"))
        assert given is None or as_map(given) == tags


def test_it_reads_as_yaml_with_the_code_as_it_stands(labkit: Callable[..., tuple[int, str, str]]) -> None:
    code, printed, _ = labkit("template")
    assert code == 0
    assert yaml.safe_load(printed) == json.loads(labkit("template", "--json")[1])
    assert "ZipFile: |" in printed
    assert max(len(r["Properties"].get("Code", {}).get("ZipFile", "")) for r in _resources(printed)) <= 4096


def _resources(printed: str) -> list[Document]:
    return list(yaml.safe_load(printed)["Resources"].values())


def test_functions_of_another_language_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nodejs22\.x as they are"):
        template(Settings("aws", "jwt-lab", tmp_path, "nodejs22.x"))


# What MiniStack's own CloudFormation has no type for, and what names it.
NOT_ON_MINISTACK = ("Cognito::UserPoolUser", "Cognito::UserPoolUserToGroupAttachment", "ApiGatewayV2::Deployment")


def for_ministack(document: Document) -> Document:
    resources = {n: r for n, r in document["Resources"].items() if r["Type"][5:] not in NOT_ON_MINISTACK}
    del resources["TestStage"]["Properties"]["DeploymentId"]
    # It does not know the attribute ProviderURL of a user pool either.
    issuer = {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"}
    resources["Authorizer"]["Properties"]["JwtConfiguration"]["Issuer"] = issuer
    return {**document, "Resources": resources}


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[Cloud]:
    """MiniStack alone, without the lab's layer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "PERSIST_STATE": "0"}
    own |= {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "DOCKER_HOST": f"unix://{tmp_path / 'no-docker'}"}
    own |= dict.fromkeys(("HOME", "TMPDIR", "STATE_DIR"), str(tmp_path)) | {"MINISTACK_ACCOUNT_ID": "123456789012"}
    server = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env=os.environ | own,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with suppress(requests.ConnectionError):
                requests.get(url, timeout=5)
                break
            time.sleep(0.1)
        yield Cloud(server.pid, port, url, "123456789012", "AKIA" + "M" * 16, "m" * 40, "ministack", time.time())
    finally:
        server.terminate()
        server.wait(20)


# By the template's own words, and the users by MiniStack's gap.
LEFT_TO_UP = {
    "Handler", "code", "hosted domain", "deployment", "user adminuser", "user regularuser",
}  # fmt: skip


def test_what_was_deployed_is_found_and_completed(
    ministack: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings("aws", "stack-lab", tmp_path / "home", "python3.13")
    keys = {"aws_access_key_id": ministack.access_key_id, "aws_secret_access_key": ministack.secret_access_key}
    deploy = boto3.client("cloudformation", "us-east-1", endpoint_url=ministack.endpoint_url, **keys)
    body = as_yaml(for_ministack(template(settings)))
    deploy.create_stack(StackName="lab", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    deploy.get_waiter("stack_create_complete").wait(StackName="lab", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    play(ministack, monkeypatch)
    lab = Lab(settings, tell=lambda told: None)
    lab.target.confirm(ministack.account_id)
    findings = {finding.subject.partition(" of ")[0] for finding in settings_report(lab).findings}
    assert findings == LEFT_TO_UP

    calls = Calls(lab.target)
    lab.up()
    assert not {"CreateFunction", "CreateRole", "CreateUserPool", "CreateApi", "CreateRoute"} & set(calls.made)
    # Which deployment a stage serves is what MiniStack does not tell without the lab's layer.
    assert [finding.subject for finding in settings_report(lab).findings] == ["deployment of stage Test"]
