"""Invoke permissions: which AWS service may run one of the lab's functions, and on whose behalf."""

from __future__ import annotations

import json
from typing import Any

from labkit.steps.report import Expected
from labkit.target.target import Target


def statement(statement_id: str, principal: str, source_arn: str) -> dict[str, str]:
    """The permission as AddPermission takes it.

    Args:
        statement_id: its name among the function's statements; a second of the same name is refused.
        principal: the service, `apigateway.amazonaws.com` and the like.
        source_arn: the one resource that may use it; without it any account's could.
    """
    return {"StatementId": statement_id, "Principal": principal, "SourceArn": source_arn}


def ensure_permission(target: Target, function: str, wanted: dict[str, str], needed_by: tuple[str, str]) -> None:
    """Add a permission to a function unless one says so, in the place of one of its name that says something else.

    Args:
        target: the lab's place.
        function: one of the post's FUNCTIONS.
        wanted: the permission as `statement` tells it.
        needed_by: the kind and the name of the resource that cannot do without it.
    """
    client, name = target.client("lambda"), target.names.function(function)
    statements = kept_statements(target, function)
    if _as_kept(wanted) in statements.values():
        return
    named = statements.get(wanted["StatementId"])
    target.deeds.mended(*needed_by, f"invoke permission of {name}", _told(named) if named else "missing")
    if named:
        client.remove_permission(FunctionName=name, StatementId=wanted["StatementId"])
    client.add_permission(
        FunctionName=name, Action="lambda:InvokeFunction", **wanted, SourceAccount=target.place.account
    )


def remove_permission(target: Target, function: str, wanted: dict[str, str]) -> None:
    """Take a permission from a function, whatever the statements that say so are called."""
    client, name = target.client("lambda"), target.names.function(function)
    for statement_id, said in kept_statements(target, function).items():
        if said == _as_kept(wanted):
            client.remove_permission(FunctionName=name, StatementId=statement_id)


def permission_rows(target: Target, function: str, wanted: dict[str, str]) -> list[Expected]:
    """The assertion that a function bears a permission, under whatever name."""
    statements = kept_statements(target, function)
    said = _as_kept(wanted) in statements.values()
    found = _as_kept(wanted) if said else statements.get(wanted["StatementId"])
    return [
        Expected(
            f"invoke permission of {target.names.function(function)}",
            _told(_as_kept(wanted)),
            _told(found) if found else "missing",
            "A service may run a function only if the function's own policy says so; the console adds this unseen.",
        )
    ]


def _told(kept: tuple[str, str]) -> str:
    return f"{kept[0]} for {kept[1]}"


def _as_kept(wanted: dict[str, str]) -> tuple[str, str]:
    return wanted["Principal"], wanted["SourceArn"]


def kept_statements(target: Target, function: str) -> dict[str, tuple[str, str]]:
    """A function's resource policy: (principal, source ARN) by statement id; no ARN is an empty text."""
    answer = target.read("lambda", "get_policy", FunctionName=target.names.function(function)) or {}
    policy: dict[str, Any] = json.loads(answer.get("Policy", "{}"))
    return {s.get("Sid", ""): (_principal(s), _source_arn(s)) for s in policy.get("Statement", [])}


def _principal(kept: dict[str, Any]) -> str:
    principal = kept.get("Principal", "")
    return str(principal.get("Service", "")) if isinstance(principal, dict) else str(principal)


def _source_arn(kept: dict[str, Any]) -> str:
    condition: dict[str, dict[str, str]] = kept.get("Condition", {})
    return next((test["AWS:SourceArn"] for test in condition.values() if "AWS:SourceArn" in test), "")
