"""Nobody becomes more by the attendee's policy: sequences that attackers make end at a refused step.

The sequences are those that are known for these permissions: https://docs.aws.amazon.com/IAM/latest/UserGuide/
access_policies_boundaries.html and parliament's PRIVILEGE_ESCALATION.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.policies.evaluator import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Context, Request, decide

DOCS = Path(__file__).parent.parent.parent / "docs"
ATTENDEE = json.loads((DOCS / "attendee-policy.json").read_text())
BOUNDARY = json.loads((DOCS / "boundary.json").read_text())
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

ACCOUNT = "111122223333"
IAM = f"arn:aws:iam::{ACCOUNT}"
CAP = f"{IAM}:policy/jwt-authorizer-lab-boundary"
OURS, THEIRS = f"{IAM}:role/jwt-authorizer-lab/x", f"{IAM}:role/Administrator"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:lab-LambdaForAdminUser"
THEIR_FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:payments"
POOL = f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_aaaaaaaaa"
API = "arn:aws:apigateway:us-east-1::/apis/a1b2c3d4e5"
LOGS = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group"


def asks(action: str, resource: str, **context: str) -> Request:
    return Request(action, resource, {"aws:RequestedRegion": "us-east-1", **{KEYS[k]: v for k, v in context.items()}})


KEYS = {
    "boundary": "iam:PermissionsBoundary",
    "passed_to": "iam:PassedToService",
    "principal": "lambda:Principal",
    "tagged": "aws:ResourceTag/jwt-authorizer-lab",
    "tagging": "aws:RequestTag/jwt-authorizer-lab",
    "region": "aws:RequestedRegion",
}

TO_LAMBDA = asks("iam:PassRole", OURS, passed_to="lambda.amazonaws.com")
RUN = [TO_LAMBDA, asks("lambda:CreateFunction", FUNCTION), asks("lambda:InvokeFunction", FUNCTION)]
MAKE = asks("iam:CreateRole", OURS, boundary=CAP)

# Steps in their order. The last is the one that must be refused, and those before it are what an attendee may do.
SEQUENCES: dict[str, list[Request]] = {
    "a role without the boundary": [asks("iam:CreateRole", OURS)],
    "a role with another boundary": [asks("iam:CreateRole", OURS, boundary="arn:aws:iam::aws:policy/PowerUserAccess")],
    "a role with a boundary of that name elsewhere": [
        asks("iam:CreateRole", OURS, boundary=f"{IAM}:policy/mine/jwt-authorizer-lab-boundary")
    ],
    "a role elsewhere": [asks("iam:CreateRole", THEIRS, boundary=CAP)],
    "take the boundary away": [MAKE, asks("iam:DeleteRolePermissionsBoundary", OURS, boundary=CAP)],
    "put another in its place": [MAKE, asks("iam:PutRolePermissionsBoundary", OURS, boundary=CAP)],
    "widen the boundary": [MAKE, asks("iam:CreatePolicyVersion", CAP)],
    "choose another version of the boundary": [asks("iam:SetDefaultPolicyVersion", CAP)],
    "delete the boundary": [asks("iam:DeletePolicy", CAP)],
    "make a policy": [asks("iam:CreatePolicy", f"{IAM}:policy/jwt-authorizer-lab-boundary")],
    "attach a managed policy": [MAKE, asks("iam:AttachRolePolicy", OURS, boundary=CAP)],
    "permissions for a role that has no boundary": [asks("iam:PutRolePolicy", OURS)],
    "the trust of a role that has no boundary": [asks("iam:UpdateAssumeRolePolicy", OURS)],
    "the trust of a role elsewhere": [asks("iam:UpdateAssumeRolePolicy", THEIRS, boundary=CAP)],
    "become a role": [asks("iam:UpdateAssumeRolePolicy", OURS, boundary=CAP), asks("sts:AssumeRole", OURS)],
    "a function with an administrator's role": [
        *RUN, asks("iam:PassRole", THEIRS, passed_to="lambda.amazonaws.com")
    ],
    "a machine with a role of the lab": [asks("iam:PassRole", OURS, passed_to="ec2.amazonaws.com")],
    "a role passed to nobody": [asks("iam:PassRole", OURS)],
    "an access key": [asks("iam:CreateAccessKey", f"{IAM}:user/administrator")],
    "a function of another name": [asks("lambda:CreateFunction", THEIR_FUNCTION)],
    "code in somebody's function": [asks("lambda:UpdateFunctionCode", THEIR_FUNCTION)],
    "run somebody's function": [asks("lambda:InvokeFunction", THEIR_FUNCTION)],
    "let everybody run a function": [*RUN, asks("lambda:AddPermission", FUNCTION, principal="*")],
    "let another account run a function": [asks("lambda:AddPermission", FUNCTION, principal="444455556666")],
    "let Cognito run a route's function": [
        asks("lambda:AddPermission", FUNCTION, principal="cognito-idp.amazonaws.com")
    ],
    "put a function on the internet": [asks("lambda:CreateFunctionUrlConfig", FUNCTION)],
    "take over a user pool": [asks("cognito-idp:DescribeUserPool", POOL), asks("cognito-idp:TagResource", POOL)],
    "set a password in a user pool": [asks("cognito-idp:AdminSetUserPassword", POOL)],
    "a trigger for a user pool": [asks("cognito-idp:UpdateUserPool", POOL)],
    "tag a user pool in changing it": [asks("cognito-idp:UpdateUserPool", POOL, tagging="lab")],
    "delete a user pool": [asks("cognito-idp:DeleteUserPool", POOL)],
    "a user pool without the tag": [asks("cognito-idp:CreateUserPool", "*")],
    "delete an API": [asks("apigateway:GET", API), asks("apigateway:DELETE", API)],
    "change an API": [asks("apigateway:PATCH", API)],
    "put an API in the place of one": [asks("apigateway:PUT", API)],
    "tag a REST API": [asks("apigateway:PUT", "arn:aws:apigateway:us-east-1::/tags/any")],
    "read somebody's logs": [asks("logs:FilterLogEvents", f"{LOGS}:/aws/lambda/payments:*")],
    "delete somebody's logs": [asks("logs:DeleteLogGroup", f"{LOGS}:/aws/lambda/payments")],
}  # fmt: skip


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_last_step_is_refused(name: str) -> None:
    *before, last = SEQUENCES[name]

    assert [decide(step, [ATTENDEE]) for step in before] == [ALLOWED] * len(before)
    assert decide(last, [ATTENDEE]) == IMPLICIT_DENY


@pytest.mark.parametrize(
    "request_",
    [
        asks("iam:CreateUser", f"{IAM}:user/me"),
        asks("sts:AssumeRole", THEIRS),
        asks("s3:GetObject", "arn:aws:s3:::bucket/key"),
        asks("lambda:UpdateFunctionCode", FUNCTION),
        asks("logs:PutLogEvents", f"{LOGS}:/aws/lambda/payments:log-stream:x"),
        asks("logs:DeleteLogGroup", f"{LOGS}:/aws/lambda/lab-LambdaForAdminUser"),
    ],
    ids=lambda request: request.action,
)
def test_a_role_of_the_lab_with_every_permission_may_still_do_nothing(request_: Request) -> None:
    """An attendee may give such a role any policy, and run any code with it."""
    assert decide(request_, [EVERYTHING], BOUNDARY) == IMPLICIT_DENY


def test_a_role_of_the_lab_writes_the_logs_of_its_function() -> None:
    stream = asks("logs:PutLogEvents", f"{LOGS}:/aws/lambda/lab-LambdaForAdminUser:log-stream:2026/01/01/[$LATEST]x")
    assert decide(stream, [EVERYTHING], BOUNDARY) == ALLOWED


# What an attendee may do to another in the same account; the guide for instructors says so.
TO_A_NEIGHBOUR = [
    asks("iam:PutRolePolicy", OURS, boundary=CAP, tagged="ben-lab"),
    asks("iam:DeleteRole", OURS, tagged="ben-lab"),
    asks("lambda:UpdateFunctionCode", FUNCTION, tagged="ben-lab"),
    asks("lambda:DeleteFunction", FUNCTION, tagged="ben-lab"),
    asks("lambda:TagResource", FUNCTION, tagged="ben-lab", tagging="ana-lab"),
    asks("logs:DeleteLogGroup", f"{LOGS}:/aws/lambda/ben-lab-LambdaForAdminUser", tagged="ben-lab"),
    asks("cognito-idp:AdminSetUserPassword", POOL, tagged="ben-lab"),
    asks("cognito-idp:DeleteUserPool", POOL, tagged="ben-lab"),
    asks("cognito-idp:UpdateUserPool", POOL, tagged="ben-lab", tagging="ana-lab"),
    asks("apigateway:DELETE", API, tagged="ben-lab"),
    asks("apigateway:PATCH", API, tagged="ben-lab"),
    asks("lambda:CreateFunction", FUNCTION, tagging="ben-lab"),
    asks("cognito-idp:CreateUserPool", "*", tagging="ben-lab"),
]
ANA = {"aws:PrincipalTag/jwt-authorizer-lab-name": "ana-lab", "aws:PrincipalTag/jwt-authorizer-lab-region": "us-east-1"}


def by(principal: Context, request: Request) -> Request:
    return Request(request.action, request.resource, {**principal, **request.context})


@pytest.mark.parametrize("request_", TO_A_NEIGHBOUR, ids=lambda request: request.action)
def test_whose_role_bears_the_labs_name_touches_no_neighbours_lab(request_: Request) -> None:
    assert decide(request_, [ATTENDEE]) == ALLOWED
    assert decide(by(ANA, request_), [ATTENDEE]) == EXPLICIT_DENY


@pytest.mark.parametrize("request_", [MAKE, *RUN, asks("cognito-idp:DeleteUserPool", POOL, tagged="ana-lab")])
def test_whose_role_bears_the_labs_name_builds_that_lab(request_: Request) -> None:
    assert decide(by(ANA, request_), [ATTENDEE]) == ALLOWED


@pytest.mark.parametrize("request_", [*RUN[1:], asks("cognito-idp:CreateUserPool", "*", tagging="ana-lab")])
def test_whose_role_bears_a_region_works_in_that_region(request_: Request) -> None:
    elsewhere = Request(request_.action, request_.resource, {**request_.context, "aws:RequestedRegion": "eu-west-1"})

    assert decide(elsewhere, [ATTENDEE]) == ALLOWED
    assert decide(by(ANA, elsewhere), [ATTENDEE]) == EXPLICIT_DENY


def test_roles_are_of_no_region() -> None:
    in_frankfurt = {**ANA, "aws:PrincipalTag/jwt-authorizer-lab-region": "eu-central-1"}
    assert decide(by(in_frankfurt, MAKE), [ATTENDEE]) == ALLOWED


@pytest.mark.parametrize(
    "request_",
    [
        asks("apigateway:PATCH", f"{API}/routes/abc"),
        asks("apigateway:POST", f"{API}/routes"),
        asks("apigateway:POST", f"arn:aws:apigateway:us-east-1::/tags/{API}"),
    ],
)
def test_every_http_api_stays_open(request_: Request) -> None:
    """Its parts bear no tags and inherit none, and who may create with tags may tag: the instructors' guide says so.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
    """
    assert decide(by(ANA, request_), [ATTENDEE]) == ALLOWED


@pytest.mark.parametrize(
    "statement", [s for s in ATTENDEE["Statement"] if s["Effect"] == "Deny"], ids=lambda statement: statement["Sid"]
)
def test_without_a_denial_a_neighbour_is_open(statement: dict[str, object]) -> None:
    policy = {"Statement": [kept for kept in ATTENDEE["Statement"] if kept is not statement]}
    abroad = [Request(r.action, r.resource, {**r.context, "aws:RequestedRegion": "eu-west-1"}) for r in RUN[1:]]

    assert ALLOWED in [decide(by(ANA, request), [policy]) for request in (*TO_A_NEIGHBOUR, *abroad)]
