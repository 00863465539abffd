"""What a principal may do, held against the policy that the lab ships: by IAM's simulation, or else by dry calls."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from labkit.aws import DENIALS, DENIED, as_list, error_code, error_message, every, is_absent
from labkit.errors import LabError
from labkit.machine.resources import resource
from labkit.steps.boundary import boundary_arn
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target

POLICY = resource("docs/attendee-policy.json")

# Where the account gives a role; that one stands in the place of this.
GIVEN_ROLE_POLICY = resource("docs/attendee-policy-given-role.json")
GIVEN_ROLE = "arn:aws:iam::*:role/LabRole"

# Why IAM's simulator says no, and what helps.
_REASONS = {
    "a policy of the organisation does not allow": DENIALS["service control policy"],
    "its permissions boundary does not allow": DENIALS["permissions boundary"],
    "one of its policies denies": DENIALS["explicit deny"],
    "no policy allows": DENIALS[""],
}

# A read of each service that the lab uses.
_DRY_CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("iam", "list_roles", {"MaxItems": 1}),
    ("lambda", "list_functions", {"MaxItems": 1}),
    ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    ("apigatewayv2", "get_apis", {"MaxResults": "1"}),
    ("logs", "describe_log_groups", {"limit": 1}),
    ("resourcegroupstaggingapi", "get_resources", {}),
)


def look(target: Target, principal: str = "") -> str:
    """Whether a principal may do all that the lab needs. Reads only.

    Args:
        target: a lab in the principal's account.
        principal: the ARN of a role or user; whoever makes these calls by default.

    Returns:
        What was found, in a few words.

    Raises:
        LabError: it may not, or that cannot be told.
        ClientError: AWS refused another call.
    """
    if target.place.kind == "embedded":
        return "the embedded cloud asks nobody for permission"
    arn = principal or _caller(target)
    if arn.endswith(":root"):
        return "the root user may do everything"
    try:
        denied = dict(_denied(target, arn))
    except ClientError as error:
        return _without_simulation(target, principal, error)
    if denied:
        reasons = [reason for reason in _REASONS if reason in denied.values()]
        told = (f"{reason} {', '.join(sorted(a for a in denied if denied[a] == reason))}" for reason in reasons)
        raise LabError(f"{arn} lacks permissions: {'; '.join(told)}.", " ".join(_REASONS[reason] for reason in reasons))
    return f"everything in docs/{_policy(target).name} is allowed, as IAM simulates it"


def _policy(target: Target) -> Path:
    return GIVEN_ROLE_POLICY if target.settings.role_arn else POLICY


def _caller(target: Target) -> str:
    """The ARN of the role or user that makes these calls. A session's ARN lacks its role's path."""
    arn = str(target.client("sts").get_caller_identity()["Arn"])
    session = re.fullmatch(r"arn:[^:]+:sts::\d+:assumed-role/([^/]+)/.*", arn)
    if not session:
        return arn
    try:
        return str(target.client("iam").get_role(RoleName=session[1])["Role"]["Arn"])
    except ClientError:
        return f"arn:{target.place.partition}:iam::{target.place.account}:role/{session[1]}"


def _denied(target: Target, arn: str) -> Iterator[tuple[str, str]]:
    """The actions of the shipped policy that a simulation denies, each with the reason.

    One resource at a time, since the decision on several is one for all; and with the region, which is taken to be
    us-east-1 otherwise. https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    text = _policy(target).read_text(encoding="utf-8").replace(GIVEN_ROLE, target.settings.role_arn or GIVEN_ROLE)
    for statement in json.loads(text)["Statement"]:
        for pattern in as_list(statement["Resource"]) if statement["Effect"] == "Allow" else ():
            results = every(
                target.client("iam"),
                "simulate_principal_policy",
                "EvaluationResults",
                PolicySourceArn=arn,
                ActionNames=as_list(statement["Action"]),
                ResourceArns=[_example(target, pattern)],
                ContextEntries=list(_context(target, statement.get("Condition", {}))),
            )
            yield from ((result["EvalActionName"], _reason(result)) for result in results if not _allowed(result))


def _allowed(result: dict[str, Any]) -> bool:
    by_resource = [told["EvalResourceDecision"] for told in result.get("ResourceSpecificResults", [])]
    return all(decision == "allowed" for decision in by_resource or [result["EvalDecision"]])


def _reason(result: dict[str, Any]) -> str:
    organisation, boundary, denial, nothing = _REASONS
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return organisation
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return boundary
    return denial if result["EvalDecision"] == "explicitDeny" else nothing


def _example(target: Target, pattern: str) -> str:
    """A resource of this lab that a pattern of the policy is about, or the pattern itself."""
    return next((arn for arn in _resources(target) if fnmatch.fnmatchcase(arn, pattern)), pattern)


def _resources(target: Target) -> Iterator[str]:
    names = target.names
    for function in FUNCTIONS:
        yield from (names.function_arn(function), names.role_arn(function), names.log_group_arn(function))
        yield f"{names.log_group_arn(function)}:*"
    yield names.user_pool_arn(f"{names.region}_aaaaaaaaa")
    yield boundary_arn(target)
    yield f"arn:{names.partition}:lambda:{names.region}:{names.account}:event-source-mapping:a1b2c3"
    apis = f"arn:{names.partition}:apigateway:{names.region}::/apis"
    yield from (apis, f"{apis}/a1b2c3d4e5")
    for part in _PARTS_OF_APIS:
        yield from (f"{apis}/a1b2c3d4e5/{part}", f"{apis}/a1b2c3d4e5/{part}/f6g7h8")
    yield f"arn:{names.partition}:apigateway:{names.region}::/tags/{apis}/a1b2c3d4e5"


_PARTS_OF_APIS = ("authorizers", "deployments", "integrations", "routes", "stages")


def _context(target: Target, condition: Mapping[str, Mapping[str, str | list[str]]]) -> Iterator[dict[str, Any]]:
    """The region, and what a statement's conditions ask for, as if it were so."""
    yield _entry("aws:RequestedRegion", target.place.region)
    for operator, tests in condition.items():
        for key, values in tests.items():
            # A test for Null says whether the key is missing. The lab's tags are the keys that must not be.
            yield _entry(key, target.names.lab if operator == "Null" else _example(target, as_list(values)[0]))


def _entry(key: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}


def _without_simulation(target: Target, principal: str, error: ClientError) -> str:
    if is_absent(error):
        raise LabError(f"There is no {principal}.", "Mend the column principal of the roster.") from error
    if error_code(error) not in DENIED:
        raise error
    if principal:
        raise LabError(
            f"What {principal} may do cannot be told: {error_message(error)}",
            "Permit iam:SimulatePrincipalPolicy to your role there.",
        ) from error
    # Who gives a role may refuse to list any.
    for service, operation, parameters in _DRY_CALLS[1:] if target.settings.role_arn else _DRY_CALLS:
        getattr(target.client(service), operation)(**parameters)
    return "it may list everything; what else it may do cannot be told without iam:SimulatePrincipalPolicy"
