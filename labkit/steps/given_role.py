"""The one role that an account gives where nobody may make any, as AWS Academy does: used, and never changed.

`LABKIT_ROLE_ARN` names it. The lab reads its trust if it may; if not, Lambda's own answer to CreateFunction tells.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from labkit.aws import DENIED, as_list, error_code, error_message
from labkit.errors import LabError
from labkit.steps.report import Expected
from labkit.steps.status import Resource
from labkit.target import kinds
from labkit.target.target import Target

SERVICE = "lambda.amazonaws.com"
_OTHER, _GONE, _UNREADABLE = "something else", "missing", "may not be read"


def role_arn(target: Target, function: str) -> str:
    """The ARN of the role that a function runs with: the given one, or its own."""
    return target.settings.role_arn or target.names.role_arn(function)


def given_resource(target: Target) -> Resource:
    """The given role among what a lab consists of. AWS is not asked: it may refuse to tell."""
    return Resource(kinds.ROLE, _name(target), found=True, given=True)


def require_given_role(target: Target) -> str:
    """Refuse to build with a given role that is known to be of no use; what is known of its trust. Reads only.

    Raises:
        LabError: there is no such role, or its trust policy does not name Lambda.
    """
    trust = _trust(target)
    if trust == _GONE:
        raise LabError(f"There is no role {target.settings.role_arn}, which is named as the given one.", _CHOOSE)
    if trust == _OTHER:
        raise LabError(f"The trust policy of the given role {_name(target)} does not let Lambda assume it.", _REMEDY)
    return "Lambda may assume it" if trust == SERVICE else "its trust may not be read: Lambda looks at it"


def given_role_row(target: Target) -> Expected:
    """The assertion on the given role. Where its trust may not be read, it holds: Lambda took the role or did not."""
    trust, subject = _trust(target), f"trust of the given role {_name(target)}"
    if trust == _UNREADABLE:
        subject, trust = f"{subject}, which may not be read: Lambda looks at it when a function is made", SERVICE
    return Expected(subject, SERVICE, trust, f"Lambda runs no function with a role that it may not assume. {_REMEDY}")


def given_role_refused(target: Target, error: ClientError) -> LabError | None:
    """What Lambda's refusal of a function says of the given role; None if it is about something else."""
    code, message, arn = error_code(error), error_message(error), target.settings.role_arn
    if arn and code == "InvalidParameterValueException" and "cannot be assumed" in message:
        return LabError(f"Lambda may not assume the given role {arn}, or there is no such role.", _REMEDY)
    if arn and code in DENIED and "iam:PassRole" in message:
        return LabError(
            f"AWS does not let you give the role {_name(target)} to a function: {message}",
            f"{_CHOOSE} You need iam:PassRole on it, as in docs/attendee-policy-given-role.json.",
        )
    return None


def lets_lambda(trust: dict[str, Any]) -> bool:
    """Whether a statement of a trust policy lets Lambda assume the role. Conditions and denials are not weighed."""
    return any(
        statement.get("Effect") == "Allow" and _names_lambda(statement.get("Principal")) and _names_assuming(statement)
        for statement in as_list(trust.get("Statement", []))
    )


def _names_lambda(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and SERVICE in as_list(principal.get("Service")))


def _names_assuming(statement: dict[str, Any]) -> bool:
    return any(fnmatchcase("sts:assumerole", action.lower()) for action in as_list(statement.get("Action", [])))


def _trust(target: Target) -> str:
    try:
        answer = target.read("iam", "get_role", RoleName=_name(target))
    except ClientError as error:
        if error_code(error) in DENIED:
            return _UNREADABLE
        raise
    if answer is None or answer["Role"]["Arn"] != target.settings.role_arn:
        return _GONE
    return SERVICE if lets_lambda(answer["Role"]["AssumeRolePolicyDocument"]) else _OTHER


def _name(target: Target) -> str:
    return str(target.settings.role_arn).rsplit("/", 1)[-1]


_CHOOSE = (
    "Set LABKIT_ROLE_ARN, or a roster's column given_role, to the role that this account has for you: in AWS Academy "
    "it is named LabRole."
)
_REMEDY = (
    "Set LABKIT_ROLE_ARN to a role that Lambda may assume (in AWS Academy: LabRole), or have this one's trust policy "
    f"let {SERVICE} do sts:AssumeRole."
)
