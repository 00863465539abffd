"""What is in the way of a class is found before it, with what to do about it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from labkit.fleet.accounts import Opened, Reach
from labkit.fleet.guards import Guards
from labkit.fleet.preflight import Note, Preflight, look_at
from labkit.fleet.workers import Stop
from tests.fleet.accounts import ANA, Accounts
from tests.fleet.classes import Classroom
from tests.fleet.organisation import Organisation, json_error, query_answer, query_error
from tests.labs import http_answer
from tests.notebooks.rules import ROOT
from tests.policies.evaluator import ALLOWED, Request, as_list, decide, decide_by
from tests.removal import decoys

ALLOWED_ALL = "everything in docs/attendee-policy.json is allowed, as IAM simulates it"


def wrong(preflight: Preflight) -> list[tuple[str, str, str]]:
    assert all(s.symptom.remedy for s in preflight.symptoms if not s.symptom.well)
    return [(s.account, s.symptom.subject, s.symptom.found) for s in preflight.symptoms if not s.symptom.well]


def test_accounts_that_are_ready(classroom: Classroom) -> None:
    preflight = classroom.fleet().preflight()

    assert preflight.passed
    assert preflight.text().startswith("3 of 3 accounts ready.")
    subjects = [s.symptom.subject for s in preflight.symptoms if s.account == "111100000001"]
    assert subjects == [
        "identity", "guards", "permissions", "IAM roles", "user pools", "HTTP APIs", "concurrent executions",
        "runtime", "leftovers",
    ]  # fmt: skip


def test_what_an_earlier_class_left(classroom: Classroom) -> None:
    lab = classroom.lab
    classroom.of("ana").up("functions")
    decoys.log_group(lambda service: classroom.client("ben", service), f"/aws/lambda/{lab}-LambdaForAdminUser")

    assert wrong(classroom.fleet().preflight()) == [
        ("111100000001", "leftovers",
         f"The lab {lab} of ana stands already: 3 functions, 3 role policies, 3 roles, 3 log groups."),
        ("111100000002", "leftovers",
         f"The log group /aws/lambda/{lab}-LambdaForAdminUser (/aws/lambda/{lab}-LambdaForAdminUser) has a name of the "
         f"lab {lab} but not its tag, so that lab cannot be built."),
    ]  # fmt: skip

    classroom.client("ben", "logs").delete_log_group(logGroupName=f"/aws/lambda/{lab}-LambdaForAdminUser")
    classroom.write([classroom.row("ana", lab="another")])
    preflight = classroom.fleet().preflight()
    assert preflight.passed
    assert ("111100000001", "other labs", f"not in the roster, and left alone: {lab}") in notes(preflight)
    assert f"not in the roster, and left alone: {lab}" in preflight.text()
    classroom.write([classroom.row("ana")])
    assert classroom.fleet().reset(1).clean


def notes(preflight: Preflight) -> list[tuple[str, str, str]]:
    found = [s for s in preflight.symptoms if isinstance(s.symptom, Note)]
    return [(s.account, s.symptom.subject, s.symptom.found) for s in found]


def test_everything_that_is_found_in_an_account_is_told(classroom: Classroom) -> None:
    client = lambda service: classroom.client("ana", service)  # noqa: E731
    mine, hers = classroom.lab, f"{classroom.lab}-hers"
    classroom.write([classroom.row("ana"), classroom.row("ana", attendee="eva", lab=hers)])
    classroom.of("ana").up("functions")
    classroom.of("eva").up("functions")
    pool = decoys.user_pool(client, f"{mine}-users", {})
    api = client("apigatewayv2").create_api(Name=f"{hers}-JWTAuth", ProtocolType="HTTP")["ApiId"]
    role = client("iam").create_role(RoleName=f"{mine}-stranger", AssumeRolePolicyDocument="{}")["Role"]["RoleName"]

    preflight = classroom.fleet().preflight()

    assert [found for _, _, found in wrong(preflight)] == [
        f"The lab {lab} of {attendee} stands already: 3 functions, 3 role policies, 3 roles, 3 log groups."
        for lab, attendee in ((mine, "ana"), (hers, "eva"))
    ]
    told = [found for _, subject, found in notes(preflight) if subject == "leftovers"]
    assert told == [
        f"The {kind} {name} ({thing}) has a name of the lab {lab} but not its tag. Both can stand side by side; "
        "a reset leaves it alone."
        for kind, name, thing, lab in (
            ("user pool", f"{mine}-users", pool, mine),
            ("HTTP API", f"{hers}-JWTAuth", api, hers),
        )
    ]
    assert all(found in preflight.text() and found in preflight.html() for found in told)
    assert classroom.fleet().reset(1).clean
    classroom.of("ana").up()  # they are in nobody's way
    assert classroom.fleet().reset(1).clean
    client("cognito-idp").delete_user_pool(UserPoolId=pool)
    client("apigatewayv2").delete_api(ApiId=api)
    client("iam").delete_role(RoleName=role)


def test_one_way_that_is_closed_hides_nothing_behind_another(accounts: Accounts) -> None:
    Simulator(accounts.aws)
    accounts.built("ana")
    accounts.write({"ben": {"account": ANA, "lab": f"{accounts.lab}-b", "role": "Nobody"}})

    found = [subject for account, subject, _ in wrong(accounts.fleet().preflight()) if account == ANA]

    assert found == ["way in of ben", "leftovers"]


def test_an_account_that_cannot_be_entered_or_must_not_be_reset(classroom: Classroom) -> None:
    classroom.write(
        [classroom.row("ana", endpoint="http://127.0.0.1:1"), classroom.row("ben"), classroom.row("cem", region="x")]
    )
    guards = Guards(protected=frozenset({"111100000002"}))

    preflight = classroom.fleet(guards=guards).preflight()

    assert wrong(preflight) == [
        ("111100000001", "way in of ana", "No fake account 111100000001 answers at http://127.0.0.1:1."),
        ("111100000002", "guards", "Account 111100000002 is on the protect list."),
    ]
    assert preflight.summary == "0 of 2 accounts ready."
    assert [row.attendee for row in preflight.bad] == ["cem"]


SHIPPED = json.loads((ROOT / "docs" / "attendee-policy.json").read_text())


class Simulator:
    """Answers SimulatePrincipalPolicy with the simulator's habits, and remembers what it was asked.

    The region is us-east-1 unless it is given, ARNs are taken literally, and several resources get one decision. The
    principal has `policies`, a `boundary` if given, and not the actions `denied`.
    """

    def __init__(self, aws: Organisation, *denied: str, **principal: Any) -> None:
        self.denied = denied
        self.policies = principal.get("policies", [SHIPPED])
        self.boundary = principal.get("boundary")
        self.organisation = principal.get("organisation", {"Statement": [{**ANYTHING, "Effect": "Allow"}]})
        self.asked: list[dict[str, list[str]]] = []
        aws.bodies["SimulatePrincipalPolicy"] = self

    def __call__(self, asked: dict[str, list[str]]) -> AWSResponse:
        self.asked.append(asked)
        names = members(asked, "ContextEntries", r"\.ContextKeyName")
        values = members(asked, "ContextEntries", r"\.ContextKeyValues\.member\.1")
        context = {"aws:RequestedRegion": "us-east-1", **dict(zip(names, values, strict=True))}
        results = "".join(
            self._result(action, [Request(action, arn, context) for arn in members(asked, "ResourceArns")])
            for action in members(asked, "ActionNames")
        )
        return query_answer("SimulatePrincipalPolicy", f"<EvaluationResults>{results}</EvaluationResults>")

    def _result(self, action: str, requests: list[Request]) -> str:
        decisions = [
            "implicitDeny" if action in self.denied else decide(request, self.policies, self.boundary)
            for request in requests
        ]
        by_organisation = all(decide_by(self.organisation, request) == ALLOWED for request in requests)
        by_boundary = self.boundary is None or all(decide_by(self.boundary, r) == ALLOWED for r in requests)
        if not by_organisation:
            decisions = ["implicitDeny"] * len(requests)
        told = "".join(f"<member><EvalResourceDecision>{d}</EvalResourceDecision></member>" for d in decisions)
        return (
            f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{max(decisions)}</EvalDecision>"
            f"<ResourceSpecificResults>{told}</ResourceSpecificResults>"
            f"<OrganizationsDecisionDetail><AllowedByOrganizations>{str(by_organisation).lower()}"
            "</AllowedByOrganizations></OrganizationsDecisionDetail>"
            f"<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>{str(by_boundary).lower()}"
            "</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail></member>"
        )


ANYTHING = {"Action": "*", "Resource": "*"}


def members(asked: dict[str, list[str]], name: str, part: str = "") -> list[str]:
    wanted = re.compile(rf"{name}\.member\.\d+{part}")
    return [value for key, values in asked.items() for value in values if wanted.fullmatch(key)]


def permissions(accounts: Accounts) -> list[tuple[str, bool, str]]:
    symptoms = [s.symptom for s in accounts.fleet().preflight().symptoms if s.account == ANA]
    return [(s.subject, s.well, s.found) for s in symptoms if s.subject.startswith("permissions")]


def test_every_action_of_the_shipped_policy_is_simulated_on_resources_of_the_lab(accounts: Accounts) -> None:
    simulator = Simulator(accounts.aws)

    assert permissions(accounts) == [("permissions", True, ALLOWED_ALL)]

    asked = [part for part in simulator.asked if part["PolicySourceArn"] == [f"arn:aws:iam::{ANA}:role/Instructor"]]
    allows = [statement for statement in SHIPPED["Statement"] if statement["Effect"] == "Allow"]
    assert {action for part in asked for action in members(part, "ActionNames")} == {
        action for statement in allows for action in as_list(statement["Action"])
    }
    assert {len(members(part, "ResourceArns")) for part in asked} == {1}
    named = {arn.removesuffix(":*") for part in asked for arn in members(part, "ResourceArns")} - {"*"}
    assert [arn for arn in named if "*" in arn] == []


def test_another_region_is_simulated_as_that_region(accounts: Accounts) -> None:
    """An organisation's policy for regions is the usual reason why the simulator's own region misleads."""
    only = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    Simulator(accounts.aws, organisation={"Statement": [{**ANYTHING, "Effect": "Allow", "Condition": only}]})
    accounts.write({"ana": {"region": "eu-central-1"}})

    assert permissions(accounts) == [("permissions", True, ALLOWED_ALL)]


STUDENT = f"arn:aws:iam::{ANA}:role/people/student"
ALL = {"Statement": [{**ANYTHING, "Effect": "Allow"}]}
NOT_IAM = {"Statement": [{**ANYTHING, "Effect": "Allow"}, {"Effect": "Deny", "Action": "iam:P*", "Resource": "*"}]}
NO_LAMBDA = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in (
    "apigateway:*", "cognito-idp:*", "iam:*", "logs:*", "tag:*", "lambda:A*", "lambda:D*", "lambda:G*", "lambda:I*",
    "lambda:L*", "lambda:R*", "lambda:T*", "lambda:U*",
)]}  # fmt: skip


@pytest.mark.parametrize(
    ("denied", "principal", "why", "remedy"),
    [
        (["iam:PassRole", "lambda:CreateFunction"], {}, "no policy allows iam:PassRole, lambda:CreateFunction",
         "Ask for the permissions that docs/attendee-policy.json lists"),
        ([], {"policies": [NOT_IAM]}, "one of its policies denies iam:PassRole, iam:PutRolePolicy", "denial"),
        ([], {"policies": [ALL], "boundary": NO_LAMBDA},
         "its permissions boundary does not allow lambda:CreateFunction", "boundary widened"),
        ([], {"policies": [ALL], "organisation": NO_LAMBDA},
         "a policy of the organisation does not allow lambda:CreateFunction", "Ask whoever keeps the organisation"),
        (["tag:GetResources"], {"policies": [NOT_IAM]},
         "one of its policies denies iam:PassRole, iam:PutRolePolicy; no policy allows tag:GetResources", "denial"),
    ],
)  # fmt: skip
def test_what_an_attendee_may_not_do_is_named_with_the_reason(
    denied: list[str], principal: dict[str, Any], why: str, remedy: str, accounts: Accounts
) -> None:
    Simulator(accounts.aws, *denied, **principal)
    accounts.write({"ana": {"principal": STUDENT}})

    assert permissions(accounts) == [(f"permissions of {STUDENT}", False, f"{STUDENT} lacks permissions: {why}.")]
    found = [s.symptom for s in accounts.fleet().preflight().symptoms if s.account == ANA]
    assert remedy in next(s.remedy for s in found if s.subject.startswith("permissions of"))


@pytest.mark.parametrize(
    ("code", "principal", "found"),
    [
        ("AccessDenied", "", (True, "it may list everything; what else it may do cannot be told without "
                                    "iam:SimulatePrincipalPolicy")),
        ("AccessDenied", f"arn:aws:iam::{ANA}:user/student",
         (False, f"What arn:aws:iam::{ANA}:user/student may do cannot be told: Not you.")),
        ("NoSuchEntity", f"arn:aws:iam::{ANA}:user/student", (False, f"There is no arn:aws:iam::{ANA}:user/student.")),
    ],
)  # fmt: skip
def test_where_nothing_can_be_simulated(code: str, principal: str, found: tuple[bool, str], accounts: Accounts) -> None:
    accounts.aws.answers[ANA, "SimulatePrincipalPolicy"] = lambda: query_error(code, "Not you.", 403)
    accounts.write({"ana": {"principal": principal}})

    assert [told[1:] for told in permissions(accounts)] == [found]


def test_a_dry_call_that_is_denied(accounts: Accounts) -> None:
    accounts.aws.answers[ANA, "SimulatePrincipalPolicy"] = lambda: query_error("AccessDenied", "Not you.", 403)
    accounts.aws.answers[ANA, "ListUserPools"] = lambda: json_error("AccessDeniedException", "Not you.")

    assert permissions(accounts) == [("permissions", False, "AWS refused ListUserPools: Not you.")]


def test_quotas(accounts: Accounts) -> None:
    Simulator(accounts.aws)
    roles = "<entry><key>Roles</key><value>998</value></entry><entry><key>RolesQuota</key><value>1000</value></entry>"
    accounts.aws.answers[ANA, "GetAccountSummary"] = lambda: query_answer(
        "GetAccountSummary", f"<SummaryMap>{roles}</SummaryMap>"
    )
    limits = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 1}}
    accounts.aws.answers[ANA, "GET /2016-08-19/account-settings"] = lambda: http_answer(200, json.dumps(limits))

    assert wrong(accounts.fleet().preflight()) == [
        (ANA, "IAM roles", "The account has 998 IAM roles of at most 1000, and the class needs 3 more."),
        (ANA, "concurrent executions",
         "The account has 9 reserved concurrent executions of at most 10, and the class needs 2 more."),
    ]  # fmt: skip


def test_a_runtime_that_has_ended(classroom: Classroom) -> None:
    fleet = classroom.fleet()
    opened = Opened(Reach(fleet.settings, Stop()), fleet.roster.groups[0])

    for day, well in ((date(2029, 6, 30), True), (date(2029, 7, 1), False)):
        symptoms = {s.symptom.subject: s.symptom for s in look_at(opened, Guards(), day)}
        assert symptoms["runtime"].well is well
