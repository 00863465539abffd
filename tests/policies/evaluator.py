"""What IAM decides: effects, actions, resources, the conditions that the shipped policies use, and boundaries.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, within one account and
without resource-based policies. What is not known here is an error, so that no policy is judged by half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOWED, IMPLICIT_DENY, EXPLICIT_DENY = "allowed", "implicitDeny", "explicitDeny"

Policy = Mapping[str, Any]
Context = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Request:
    """An action on a resource, with what is known besides: `aws:RequestedRegion`, `iam:PassedToService`, ..."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    def values(self, key: str) -> list[str] | None:
        """The values of a context key, whose name is read in any case; None if it is missing."""
        found = next((value for name, value in self.context.items() if name.lower() == key.lower()), None)
        return [found] if isinstance(found, str) else found


def decide(request: Request, policies: Iterable[Policy], boundary: Policy | None = None) -> str:
    """What IAM decides: `allowed`, `implicitDeny` or `explicitDeny`.

    Args:
        request: what is asked for.
        policies: the principal's identity-based policies.
        boundary: its permissions boundary, which allows nothing by itself but caps what the policies do.
    """
    sides = [[decide_by(policy, request) for policy in policies]]
    if boundary:
        sides.append([decide_by(boundary, request)])
    if any(EXPLICIT_DENY in side for side in sides):
        return EXPLICIT_DENY
    return ALLOWED if all(ALLOWED in side for side in sides) else IMPLICIT_DENY


def decide_by(policy: Policy, request: Request) -> str:
    """What one policy by itself says."""
    effects = {statement["Effect"] for statement in policy["Statement"] if _applies(statement, request)}
    return EXPLICIT_DENY if "Deny" in effects else ALLOWED if "Allow" in effects else IMPLICIT_DENY


def as_list(value: str | list[str]) -> list[str]:
    """What a policy may give alone or as a list."""
    return [value] if isinstance(value, str) else value


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert not unknown, f"the evaluator does not know {unknown}"
    return (
        any(like(request.action.lower(), action.lower()) for action in as_list(statement["Action"]))
        and any(arn_like(request.resource, resource) for resource in as_list(statement["Resource"]))
        and all(
            _holds(operator, key, as_list(values), request)
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def like(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern of `*` (anything) and `?` (one character)."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def arn_like(arn: str, pattern: str) -> bool:
    """Whether an ARN matches a pattern: each of its six parts by itself, so that no `*` reaches over a colon.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    if pattern == "*":
        return True
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(like, parts, patterns))


# How a value of the request is held against one of the policy's. Those of `not` hold where none of the values fits.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": like,
    "ArnLike": arn_like,
}


def _holds(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    found, quantifier, name = request.values(key), "", operator
    if operator == "Null":
        return (found is None) == (wanted == ["true"])
    if ":" in name:
        quantifier, name = name.split(":")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    negated, name = "Not" in name, name.replace("Not", "")
    filled = [_filled(value, request) for value in wanted]
    if None in filled:  # a variable that the request has no value for: the statement does not apply
        return False
    fits = [negated != any(_OPERATORS[name](one, str(value)) for value in filled) for one in found or ()]
    if quantifier == "ForAllValues":
        return all(fits)
    if found is None:
        return negated or if_exists
    return any(fits) if quantifier == "ForAnyValue" else fits == [True]


def _filled(value: str, request: Request) -> str | None:
    """A value with its `${variables}` filled in; None if one has no value.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    for name in re.findall(r"\$\{([^}]+)\}", value):
        given = request.values(name)
        if given is None:
            return None
        value = value.replace(f"${{{name}}}", given[0])
    return value
