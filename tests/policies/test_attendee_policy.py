"""The policy that is shipped for attendees allows what their lab's calls need, and not a statement more."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.lab import Lab
from labkit.learning.faults.table import FAULTS
from labkit.removal.second_scan import scan
from labkit.steps.boundary import NAME as BOUNDARY_NAME
from tests.labs import lab_at
from tests.policies.calls import FREE, Account, Gate
from tests.policies.evaluator import ALLOWED, Request, arn_like, as_list, decide, like
from tests.removal import decoys
from tests.steps.test_damage import DAMAGES, NAME, Damage, Site

ROOT = Path(__file__).parent.parent.parent
POLICY = json.loads((ROOT / "docs" / "attendee-policy.json").read_text())
BOUNDARY = (ROOT / "docs" / "boundary.json").read_text()
ALLOWS = [statement for statement in POLICY["Statement"] if statement["Effect"] == "Allow"]
REGIONS = ("us-east-1", "eu-central-1")

# What only an instructor's commands do, and what belongs to the embedded cloud.
NOT_AN_ATTENDEES = ("cloud/", "fleet/", "cli/class_commands")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """What a lab asks AWS for behind a gate that allows what the policy does, from an empty account to an empty one.

    It is built, checked, played with, damaged, mended and removed; and once more; and in another region.
    """
    home = tmp_path_factory.mktemp("policy") / "home"
    cloud = process.start(home, supervised=True)
    give_boundary(cloud, BOUNDARY)
    made = Gate(Account(cloud.account_id), [POLICY])
    with made.closed(), pytest.MonkeyPatch.context() as environment:
        live(lab_at(home, NAME), made, cloud)
        for region in REGIONS:
            environment.setenv("AWS_REGION", region)
            build_and_remove(lab_at(home, NAME))
    yield made
    process.stop(home)


def give_boundary(cloud: Cloud, document: str) -> None:
    """Make the boundary as an administrator of the account does."""
    session(cloud, "us-east-1").client("iam").create_policy(PolicyName=BOUNDARY_NAME, PolicyDocument=document)


def build_and_remove(lab: Lab) -> None:
    lab.status()
    lab.up()
    assert lab.check().passed
    assert lab.down().clean


def live(lab: Lab, gate: Gate, cloud: Cloud) -> None:
    lab.status()
    lab.up()
    play_with(lab)
    for damage in of_different_repairs():
        with gate.open():
            damage.do(Site(cloud, lab.status().ids))
        lab.up()
    for spoil in (change_the_payload_format, double_the_app_client, double_pool_and_api, hold_on_to):
        with gate.open():
            spoil(Site(cloud, lab.status().ids))
        lab.up()
    scan(lab.target)
    assert lab.down().clean


def play_with(lab: Lab) -> None:
    assert lab.target.account_alias is None
    assert lab.check().passed
    assert lab.call("GET /AdminUser", "adminuser").status == 200
    lab.explain("GET /AdminUser", "regularuser")
    lab.invoke("LambdaForAdminUser", {})
    lab.cause(lab.tokens("adminuser")["id"])
    lab.what_if(claims={"scope": "admin"})
    lab.end_what_if()
    lab.add_to_group("regularuser", "admin")
    ids = lab.status().ids
    for fault in FAULTS.values():
        if fault.in_account:
            fault.make(lab.target, ids)
    lab.up()
    lab.solve("reports")
    assert lab.check_task("reports").passed
    lab.reset_task("reports")


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
    queue = f"arn:aws:sqs:us-east-1:{site.cloud.account_id}:queue"
    site.functions.create_event_source_mapping(FunctionName=f"{NAME}-LambdaForAdminUser", EventSourceArn=queue)
    policy = site.iam.create_policy(PolicyName="more", PolicyDocument=decoys.POLICY)["Policy"]["Arn"]
    site.iam.attach_role_policy(RoleName=f"{NAME}-LambdaForAdminUser-us-east-1", PolicyArn=policy)
    kept = site.cognito.describe_user_pool(**site.pool)["UserPool"]
    settings = {key: kept[key] for key in ("Policies", "LambdaConfig", "UserPoolTags")}
    site.cognito.update_user_pool(**site.pool, DeletionProtection="ACTIVE", **settings)


def test_every_call_is_allowed(gate: Gate) -> None:
    """As it was made: one that is refused ends in AccessDenied, and a lab behind the gate would not stand."""
    assert {request.context["aws:RequestedRegion"] for request in gate.asked} >= set(REGIONS)
    assert [request for request in gate.asked if decide(request, [POLICY]) != ALLOWED] == []


@pytest.mark.parametrize("statement", ALLOWS, ids=lambda statement: statement["Sid"])
def test_without_a_statement_something_fails(statement: dict[str, Any], gate: Gate) -> None:
    policy = {"Statement": [kept for kept in POLICY["Statement"] if kept is not statement]}
    assert any(decide(request, [policy]) != ALLOWED for request in gate.asked)


def test_no_action_and_no_resource_is_named_that_no_call_needs(gate: Gate) -> None:
    unneeded = [
        (statement["Sid"], name)
        for statement in ALLOWS
        for name in (*as_list(statement["Action"]), *as_list(statement["Resource"]))
        if not any(is_about(name, request) for request in gate.asked)
    ]
    assert unneeded == []


def is_about(name: str, request: Request) -> bool:
    return like(request.action, name) or arn_like(request.resource, name)


def test_every_operation_in_the_code_was_asked_for(gate: Gate) -> None:
    """What is called in the code and not above could be missing in the policy."""
    asked = {boto3_method(operation) for operation in (*gate.operations, *FREE)}
    assert operations_in_the_code() - asked == set()


def operations_in_the_code() -> set[str]:
    services = ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2", "resourcegroupstaggingapi", "sts")
    made = boto3.Session("none", "none", region_name="us-east-1")
    known = {name for service in services for name in made.client(service).meta.method_to_api_mapping}
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


def boto3_method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def test_it_fits_into_a_managed_policy() -> None:
    """It has room for 6,144 characters besides white space.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    text = (ROOT / "docs" / "attendee-policy.json").read_text()
    assert len("".join(text.split())) <= 6144
