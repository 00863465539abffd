"""The policy that is shipped for attendees allows what their lab's calls need, and no action more."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest

from labkit.cloud import process
from labkit.lab import Lab
from labkit.removal.removal import scan
from tests.labs import lab_at
from tests.removal import decoys
from tests.steps.test_damage import DAMAGES, NAME, Damage, Site

ROOT = Path(__file__).parent.parent.parent
POLICY = json.loads((ROOT / "docs" / "attendee-policy.json").read_text())["Statement"]
SERVICES = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2", "resourcegroupstaggingapi")

# What only an instructor's commands do, and what belongs to the embedded cloud.
NOT_AN_ATTENDEES = ("cloud/", "fleet", "guards", "pace", "permissions", "progress", "reach", "rehearsal", "roster")

# AWS evaluates no identity policy for these. https://docs.aws.amazon.com/cognito/latest/developerguide/
# user-pools-API-operations.html and https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = {"initiate_auth", "revoke_token", "get_caller_identity"}

# What a call needs besides the action of its own name: to tag what it creates, to read tags, to pass a role.
# https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html and the services' authorization references
IMPLIED = {
    "CreateFunction": ("lambda:TagResource", "iam:PassRole"),
    "UpdateFunctionConfiguration": ("iam:PassRole",),
    "GetFunction": ("lambda:ListTags",),
    "CreateRole": ("iam:TagRole",),
    "CreateUserPool": ("cognito-idp:TagResource",),
    "CreateLogGroup": ("logs:TagResource",),
}


@dataclass
class Asked:
    """What a lab's clients asked AWS for: actions, each with the ARN that it is about (`*` if with none)."""

    account: str
    actions: set[tuple[str, str]] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    def listen(self, client: Any) -> None:
        client.meta.events.register("before-parameter-build", self._keep)
        client.meta.events.register("before-call", self._note)

    def _keep(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def _note(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        service, name = model.service_model.service_name, model.name
        self.methods.add(boto3_method(name))
        if boto3_method(name) in FREE:
            return
        if service == "apigatewayv2":
            path = params["url_path"].removeprefix("/v2")
            self.actions.add((f"apigateway:{params['method']}", f"arn:aws:apigateway:us-east-1::{path}"))
            if "Tags" in context["asked"]:
                self.actions.add(("apigateway:POST", "arn:aws:apigateway:us-east-1::/tags/any"))
            return
        prefix = {"resourcegroupstaggingapi": "tag"}.get(service, service)
        own = "InvokeFunction" if name == "Invoke" else name
        for action in (f"{prefix}:{own}", *IMPLIED.get(name, ())):
            self.actions.update((action, arn) for arn in self._arns(action, context["asked"]))

    def _arns(self, action: str, asked: dict[str, Any]) -> Iterator[str]:
        if action == "iam:PassRole":
            yield asked["Role"]
        elif "RoleName" in asked:
            yield f"arn:aws:iam::{self.account}:role/jwt-authorizer-lab/{asked['RoleName']}"
        elif "UUID" in asked:
            yield f"arn:aws:lambda:us-east-1:{self.account}:event-source-mapping:{asked['UUID']}"
        elif "FunctionName" in asked:
            yield f"arn:aws:lambda:us-east-1:{self.account}:function:{asked['FunctionName']}"
        elif "logGroupName" in asked:
            group = f"arn:aws:logs:us-east-1:{self.account}:log-group:{asked['logGroupName']}"
            yield from (group, f"{group}:*")
        elif "UserPoolId" in asked or action == "cognito-idp:TagResource":
            pool = asked.get("UserPoolId", "us-east-1_new")
            yield f"arn:aws:cognito-idp:us-east-1:{self.account}:userpool/{pool}"
        else:
            yield asked.get("resourceArn") or asked.get("ResourceArn") or asked.get("Resource") or "*"


def boto3_method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A lab is built, checked, played with, damaged, mended and removed; its calls are kept."""
    home = tmp_path_factory.mktemp("policy") / "home"
    cloud = process.start(home, supervised=True)
    lab, kept = lab_at(home, NAME), Asked(cloud.account_id)
    for service in SERVICES:
        kept.listen(lab.target.client(service))
    lab.up()
    play_with(lab)
    for damage in of_different_repairs():
        damage.do(Site(cloud, lab.status().ids))
        lab.up()
    for spoil in (change_the_payload_format, double_the_app_client, double_pool_and_api, hold_on_to):
        spoil(Site(cloud, lab.status().ids))
        lab.up()
    scan(lab.target)
    assert lab.down().clean
    yield kept
    process.stop(home)


def play_with(lab: Lab) -> None:
    assert lab.target.account_alias is None
    assert lab.check().passed
    lab.invoke("LambdaForAdminUser", {})
    lab.cause(lab.tokens("adminuser")["id"])
    lab.what_if(claims={"scope": "admin"})
    lab.add_to_group("regularuser", "admin")


def of_different_repairs() -> Iterator[Damage]:
    """The damages each of which is mended by a call that none before it was."""
    seen: set[str] = set()
    for damage in DAMAGES:
        if not seen.issuperset(damage.mended_by):
            seen.update(damage.mended_by)
            yield damage


def change_the_payload_format(site: Site) -> None:
    site.gateway.update_integration(**site.admin_integration, PayloadFormatVersion="1.0")


def double_the_app_client(site: Site) -> None:
    """As a lost answer does."""
    site.cognito.create_user_pool_client(**site.pool, ClientName=f"{NAME}-app")


def double_pool_and_api(site: Site) -> None:
    """As lost answers do."""
    client = {"cognito-idp": site.cognito, "apigatewayv2": site.gateway}.__getitem__
    decoys.user_pool(client, f"{NAME}-users", {"jwt-authorizer-lab": NAME})
    decoys.api(client, f"{NAME}-JWTAuth", {"jwt-authorizer-lab": NAME})


def hold_on_to(site: Site) -> None:
    """Make it hard to remove."""
    policy = site.iam.create_policy(PolicyName="more", PolicyDocument=decoys.POLICY)["Policy"]["Arn"]
    site.iam.attach_role_policy(RoleName=f"{NAME}-LambdaForAdminUser-us-east-1", PolicyArn=policy)
    kept = site.cognito.describe_user_pool(**site.pool)["UserPool"]
    settings = {key: kept[key] for key in ("Policies", "LambdaConfig", "UserPoolTags")}
    site.cognito.update_user_pool(**site.pool, DeletionProtection="ACTIVE", **settings)
    decoys.event_source(site.client, f"{NAME}-LambdaForAdminUser")


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(statement: dict[str, Any], action: str, arn: str) -> bool:
    resources = as_list(statement["Resource"])
    return action in as_list(statement["Action"]) and any(fnmatchcase(arn, resource) for resource in resources)


def test_the_actions_are_those_that_the_calls_need(asked: Asked) -> None:
    assert {action for statement in POLICY for action in as_list(statement["Action"])} == {
        action for action, _ in asked.actions
    }


def test_each_call_is_allowed_on_what_it_is_about(asked: Asked) -> None:
    assert {
        (action, arn)
        for action, arn in asked.actions
        if not any(allows(statement, action, arn) for statement in POLICY)
    } == set()


def test_no_resource_is_named_that_no_call_is_about(asked: Asked) -> None:
    arns = {arn for _, arn in asked.actions}
    assert [
        resource
        for statement in POLICY
        for resource in as_list(statement["Resource"])
        if not any(fnmatchcase(arn, resource) for arn in arns)
    ] == []


def test_every_operation_in_the_code_was_asked_for(asked: Asked) -> None:
    """What is called in the code and not above could be missing in the policy."""
    assert operations_in_the_code() - FREE <= asked.methods


def operations_in_the_code() -> set[str]:
    session = boto3.Session("none", "none", region_name="us-east-1")
    known = {name for service in (*SERVICES, "sts") for name in session.client(service).meta.method_to_api_mapping}
    return {
        name
        for module in (ROOT / "labkit").rglob("*.py")
        if not str(module.relative_to(ROOT / "labkit")).startswith(NOT_AN_ATTENDEES)
        for name in names_in(ast.parse(module.read_text()))
        if name in known
    }


def names_in(tree: ast.AST) -> Iterator[str]:
    """Attributes that are called or passed on, and operations that are named in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "_" in node.value:
            yield node.value


def test_what_could_be_abused_is_narrowed_by_conditions() -> None:
    conditions = {statement["Sid"]: statement["Condition"] for statement in POLICY if "Condition" in statement}
    functions = next(statement["Resource"] for statement in POLICY if statement["Sid"] == "Functions")
    assert conditions == {
        "EventSourcesOfTheFunctions": {"ArnLike": {"lambda:FunctionArn": functions}},
        "RolesForLambdaOnly": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        "TriggerRunByCognitoOnly": {"StringEquals": {"lambda:Principal": "cognito-idp.amazonaws.com"}},
        "RoutesRunByApiGatewayOnly": {"StringEquals": {"lambda:Principal": "apigateway.amazonaws.com"}},
        "UserPoolsMadeWithTheTag": {"Null": {"aws:RequestTag/jwt-authorizer-lab": "false"}},
        "UserPoolsWithTheTag": {"Null": {"aws:ResourceTag/jwt-authorizer-lab": "false"}},
    }


def test_the_policy_fits_into_a_managed_policy() -> None:
    """It has room for 6,144 characters besides white space.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    text = (ROOT / "docs" / "attendee-policy.json").read_text()
    assert len("".join(text.split())) <= 6144
