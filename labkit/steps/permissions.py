"""Invoke permissions: which AWS service may run one of the lab's functions, and on whose behalf."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from labkit.steps.report import Expected
from labkit.target.target import Target

ACTION = "lambda:InvokeFunction"


@dataclass(frozen=True)
class Grant:
    """What a permission says: who may do what, and on whose behalf. None as `source` or `account` is anybody's."""

    principal: str
    action: str
    source: str | None
    account: str | None = None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Grant:
        """A permission as AddPermission takes it, or as a statement of a policy says it."""
        principal, tests = kept.get("Principal", ""), kept.get("Condition") or {}
        named = {key.lower().removeprefix("aws:"): v for test in tests.values() for key, v in test.items()}
        source, account = (_one(kept.get(key, named.get(key.lower()))) for key in ("SourceArn", "SourceAccount"))
        who = next(iter(principal.values()), "") if isinstance(principal, dict) else principal
        return cls(str(_one(who)), str(_one(kept.get("Action", ""))), source, account)

    def allows(self, service: str, source: str, account: str) -> bool:
        """Whether a service may run the function on behalf of a source. `*` and `?` match any, also `/`."""
        return (
            self.principal in (service, "*")
            and fnmatchcase(ACTION.lower(), self.action.lower())
            and self.account in (None, account)
            and (self.source is None or fnmatchcase(source, self.source.replace("[", "[[]")))
        )

    @property
    def words(self) -> str:
        """Who may run it for what; with the action or the account, if that is another than it should be."""
        who = "anybody" if self.principal == "*" else self.principal
        said = f"{who} for {self.source or 'anything'}"
        said += f" in the account {self.account}" if self.account else ""
        return said if self.action == ACTION else f"{said} ({self.action})"


def _one(said: Any) -> Any:
    """What a policy says alone or as the one member of a list, which is the same."""
    return said[0] if isinstance(said, list) and len(said) == 1 else said


def statement(statement_id: str, principal: str, source_arn: str) -> dict[str, str]:
    """The permission as AddPermission takes it.

    Args:
        statement_id: its name among the function's statements; a second of the same name is refused.
        principal: the service, `apigateway.amazonaws.com` and the like.
        source_arn: the one resource that may use it; without it any account's could.
    """
    return {"StatementId": statement_id, "Principal": principal, "SourceArn": source_arn}


def ensure_permission(target: Target, function: str, wanted: dict[str, str], needed_by: tuple[str, str]) -> None:
    """Have a function's policy say one permission, and no more than that beside what a learner's own routes need.

    Args:
        target: the lab's place.
        function: one of the post's FUNCTIONS.
        wanted: the permission as `statement` tells it.
        needed_by: the kind and the name of the resource that cannot do without it.
    """
    client, name = target.client("lambda"), target.names.function(function)
    grants = kept_grants(target, function)
    strays = _strays(grants, wanted)
    said = any(_serves(grant, wanted) for key, grant in grants.items() if key not in strays)
    if strays or not said:
        target.deeds.mended(*needed_by, f"invoke permission of {name}", _told(grants))
    for statement_id in strays:
        client.remove_permission(FunctionName=name, StatementId=statement_id)
    if not said:
        client.add_permission(FunctionName=name, Action=ACTION, **wanted, SourceAccount=target.place.account)


def remove_permission(target: Target, function: str, wanted: dict[str, str]) -> None:
    """Take a permission from a function, whatever the statements that say so are called, and whatever more they say."""
    client, name = target.client("lambda"), target.names.function(function)
    for statement_id, grant in kept_grants(target, function).items():
        if _serves(grant, wanted):
            client.remove_permission(FunctionName=name, StatementId=statement_id)


def permission_rows(target: Target, function: str, wanted: dict[str, str]) -> list[Expected]:
    """The assertion that a function bears a permission, under whatever name, and no other."""
    grants, expected = kept_grants(target, function), _grant(wanted)
    sound = any(_serves(grant, wanted) for grant in grants.values()) and not _strays(grants, wanted)
    return [
        Expected(
            f"invoke permission of {target.names.function(function)}",
            expected.words,
            expected.words if sound else _told(grants),
            "A service may run a function only if the function's own policy says so; the console adds this unseen. "
            "Whoever else it names runs the function past the authorizer.",
        )
    ]


def kept_grants(target: Target, function: str) -> dict[str, Grant]:
    """What a function's resource policy says, by statement id. The lab's own account goes without saying."""
    answer = target.read("lambda", "get_policy", FunctionName=target.names.function(function)) or {}
    policy: dict[str, Any] = json.loads(answer.get("Policy", "{}"))
    grants = {kept.get("Sid", ""): Grant.of(kept) for kept in policy.get("Statement", [])}
    here = target.place.account
    return {name: replace(grant, account=None) if grant.account == here else grant for name, grant in grants.items()}


def _grant(wanted: dict[str, str]) -> Grant:
    return Grant(wanted["Principal"], ACTION, wanted["SourceArn"])


def _serves(grant: Grant, wanted: dict[str, str]) -> bool:
    """Whether a permission says what is wanted, as the console does with any method, too; or more of the same API."""
    call = wanted["SourceArn"].replace("/*/", "/any-stage/", 1)
    return grant == _grant(wanted) or (_of_the_api(grant, wanted) and grant.allows(wanted["Principal"], call, ""))


def _of_the_api(grant: Grant, wanted: dict[str, str]) -> bool:
    """Whether a permission lets the same API run the function, for whatever routes. A user pool has none."""
    api = wanted["SourceArn"].partition("/*/")[0]
    return (grant.source or "").startswith(f"{api}/") and grant == replace(_grant(wanted), source=grant.source)


def _strays(grants: dict[str, Grant], wanted: dict[str, str]) -> list[str]:
    """The statements that say something else.

    What lets the same API run the function for another route stays: that is a learner's own, and what its authorizer
    refuses does not reach the function. It only may not bear the name of what is wanted.
    """
    return [
        name
        for name, grant in grants.items()
        if grant != _grant(wanted) and (name == wanted["StatementId"] or not _of_the_api(grant, wanted))
    ]


def _told(grants: dict[str, Grant]) -> str:
    """What a policy says, each once."""
    return ", ".join(sorted({grant.words for grant in grants.values()})) or "missing"
