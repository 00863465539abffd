"""Chapter 03: the permission with which API Gateway runs a function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from labkit.errors import LabError
from labkit.learning.task import checks, resets, solves
from labkit.learning.work import NotYet, Workplace
from labkit.steps.http_api import SERVICE, find_api, route_statement
from labkit.steps.permissions import ACTION, Grant, ensure_permission, kept_grants
from labkit.target import kinds
from labkit.target.names import ROUTES, calls_of
from labkit.target.target import Target

ROUTE, OTHER_ROUTE = ROUTES
FUNCTION = ROUTES[ROUTE][0]
ANOTHER_API = "a1b2c3d4e5"


@checks("invoke-permission")
def invoke_permission(place: Workplace, permission: Any) -> str:
    """Ask of a permission which calls it allows. If it is those of the route alone, the function gets it."""
    target = place.target
    names, api_id = target.names, _api_id(target)
    grant = _read(permission)
    for mistake, found in _mistakes(grant):
        raise NotYet(mistake, found=found)
    here, elsewhere = calls_of(names.route_arn(api_id, ROUTE)), calls_of(names.route_arn(ANOTHER_API, ROUTE))
    if any(grant.allows(SERVICE, call, names.account) for call in elsewhere):
        raise NotYet("every-api", found=grant.source)
    if not all(grant.allows(SERVICE, call, names.account) for call in here) or _begin(grant) != _begin_of(here[0]):
        wrong = _wrong_source(grant, api_id, here, names.account)
        raise NotYet(wrong, say="The account is not that of your API.", found=grant.source)
    solve(place)
    said = f"API Gateway may run {names.function(FUNCTION)} for {ROUTE} on every stage, and for no other API."
    if grant.allows(SERVICE, calls_of(names.route_arn(api_id, OTHER_ROUTE))[0], names.account):
        said += f" Yours would serve {OTHER_ROUTE}, too; the lab has put in the one that names the route."
    return said


@solves("invoke-permission")
def solve(place: Workplace) -> None:
    """Give the function its permission."""
    target = place.target
    wanted = route_statement(target, _api_id(target), ROUTE)
    target.require_confirmation()
    with target.one_writer():
        ensure_permission(target, FUNCTION, wanted, (kinds.ROUTE, ROUTE))


@resets("invoke-permission")
def reset(place: Workplace) -> None:
    """Take every permission from the function with which the lab's API could run it, whatever its name."""
    target = place.target
    name, call = target.names.function(FUNCTION), calls_of(target.names.route_arn(_api_id(target), ROUTE))[0]
    target.require_confirmation()
    with target.one_writer():
        for statement_id, grant in kept_grants(target, FUNCTION).items():
            if grant.allows(SERVICE, call, target.place.account):
                target.client("lambda").remove_permission(FunctionName=name, StatementId=statement_id)


def _api_id(target: Target) -> str:
    api = find_api(target)
    if api is None:
        raise LabError("There is no HTTP API yet.", 'Build it: lab.ensure("http-api")')
    return str(api["ApiId"])


def _read(permission: Any) -> Grant:
    unreadable = NotYet("no-permission", found=json.dumps(permission, default=str))
    if not isinstance(permission, dict) or not {"Principal", "Action"} <= permission.keys():
        raise unreadable
    if permission.get("Effect", "Allow") != "Allow":
        raise NotYet(say="This forbids the call.", wanted="Allow", found=permission["Effect"])
    try:
        grant = Grant.of(permission)
    except AttributeError:  # a condition that is none
        raise unreadable from None
    if not isinstance(grant.source, str | None):
        raise unreadable
    return grant


def _mistakes(grant: Grant) -> Iterator[tuple[str, str]]:
    """The wrong answers that need no look at the API."""
    if grant.principal == "*":
        yield "every-principal", grant.principal
    elif grant.principal != SERVICE:
        yield "half-principal" if f"{grant.principal}.amazonaws.com" == SERVICE else "other-service", grant.principal
    if grant.action.lower() != ACTION.lower():
        yield "every-action" if "*" in grant.action else "other-action", grant.action
    if grant.source is None:
        yield "no-source", "no SourceArn"


def _begin_of(arn: str) -> list[str]:
    """Partition, service, region and account. Lambda takes no wildcard there."""
    return arn.split(":", 5)[:5]


def _begin(grant: Grant) -> list[str]:
    return _begin_of(grant.source or "")


def _wrong_source(grant: Grant, api_id: str, calls: list[str], account: str) -> str | None:
    """The name of what is wrong with a source ARN that does not fit every call of the route."""
    begin, wanted = _begin(grant), _begin_of(calls[0])
    if begin[:1] + begin[2:3] != wanted[:1] + wanted[2:3]:
        return "other-arn"
    if begin != wanted:
        return "elsewhere"
    api, _, route = str(grant.source).split(":", 5)[-1].partition("/")
    if api != api_id:
        return "other-api"
    if any(grant.allows(SERVICE, call, account) for call in calls):
        return "one-stage"
    if grant.account not in (None, account):
        return None
    return "no-route" if route.count("/") < 2 else "other-route"  # noqa: PLR2004 - stage, method and path
