"""The task without rails: a third endpoint, from a group to an answer, looked at piece by piece."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from labkit.aws import or_none, until_settled
from labkit.errors import LabError
from labkit.learning.task import checks, resets, solves
from labkit.learning.work import NotYet, Piece, Seen, Workplace
from labkit.machine.polling import until
from labkit.questions.endpoint import Endpoint
from labkit.questions.sign_in import SignIns, user_pool_id
from labkit.removal.removal import execute
from labkit.runtimes import RUNTIMES
from labkit.steps.authorizer import Authorizer, find_authorizer, prerequisites, protection
from labkit.steps.boundary import find_boundary
from labkit.steps.functions import ACTIVE, Functions, named_function, wait
from labkit.steps.given_role import role_arn
from labkit.steps.http_api import SERVICE, ensure_integration, integrations_of, route_statement, routes_of
from labkit.steps.log_groups import ensure_log_group, named_log_groups
from labkit.steps.permissions import ensure_permission, kept_grants
from labkit.steps.roles import ensure_role, named_roles
from labkit.steps.step import Deletion, Left, is_tagged, refuse_foreign
from labkit.steps.users import found_groups, groups_of
from labkit.target import kinds, passwords
from labkit.target.names import (
    AUDITOR,
    AUDITOR_GROUP,
    AUDITOR_USER,
    AUTHORIZER,
    DEFAULT_STAGE,
    REMOVABLE,
    REPORTS,
    ROLE_PATH,
    STAGE,
    calls_of,
    scope,
)
from labkit.target.target import Target

PATH = REPORTS.split(" ", 1)[1]
NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Look:
    """One piece looked at: what is wrong with it, by the name of a sentence in the chapter's data, and what is seen."""

    what: str
    wrong: str | None = None
    found: str = ""

    @property
    def right(self) -> bool | None:
        """Whether nothing is wrong; None if it was not tried."""
        return None if self.wrong == NOT_TRIED else self.wrong is None


@checks("reports")
def reports(place: Workplace, password: str | None = None) -> Seen:
    """Look at each piece of the third endpoint, and call it as nobody, as regularuser and, if it can be, as auditor.

    Args:
        place: where the learner works.
        password: that of auditoruser, if the lab has not been told it yet; it is kept where those of the others are.
    """
    target = place.target
    if password is not None:
        passwords.keep(target, user_pool_id(target), AUDITOR_USER, str(password))
    looks = [*_people(target), *_function(target), *_way(target)]
    pieces = tuple(Piece(look.what, look.right, look.found) for look in looks)
    wrong = [look for look in looks if look.right is False]
    if not wrong:
        return Seen("GET /Reports is there for auditors, and for nobody else.", pieces)
    first = next((look for look in wrong if look.wrong == "open"), wrong[0])
    raise NotYet(first.wrong, found=first.found, pieces=pieces, where=target.names.function(AUDITOR))


def _people(target: Target) -> Iterator[Look]:
    pool_id = user_pool_id(target)
    yield Look(f"group {AUDITOR_GROUP}", None if AUDITOR_GROUP in found_groups(target, pool_id) else "no-group")
    user = target.read("cognito-idp", "admin_get_user", UserPoolId=pool_id, Username=AUDITOR_USER)
    if user is None:
        yield Look(f"user {AUDITOR_USER}", "no-user")
        return
    groups = groups_of(target, pool_id, AUDITOR_USER)
    yield Look(f"groups of {AUDITOR_USER}", None if AUDITOR_GROUP in groups else "not-in-group", ", ".join(groups))
    ready = user.get("UserStatus") == "CONFIRMED" and user.get("Enabled", True)
    state = str(user.get("UserStatus")) if user.get("Enabled", True) else "disabled"
    yield Look(f"sign-in of {AUDITOR_USER}", None if ready else "cannot-sign-in", state)


def _function(target: Target) -> Iterator[Look]:
    name, found = target.names.function(AUDITOR), named_function(target, AUDITOR)
    if found is None:
        yield Look(f"function {name}", "no-function")
        return
    yield Look(f"function {name}")
    role, roles, group = found["Configuration"].get("Role"), named_roles(target), named_log_groups(target).get(AUDITOR)
    own = role == role_arn(target, AUDITOR)
    note = "its own" if own else f"{str(role).rpartition('/')[2]}, which is not its own"
    missing = own and AUDITOR not in roles and not target.settings.role_arn
    wrong = "no-role" if missing else "stray-role" if not own and _is_stray(target, str(role)) else None
    yield Look("role of the function", wrong, note)
    tags = {f"function {name}": found.get("Tags")}
    tags |= {f"role {target.names.role(AUDITOR)}": roles[AUDITOR].get("Tags")} if AUDITOR in roles else {}
    tags |= {f"log group {group['logGroupName']}": group["tags"]} if group else {}
    bare = [what for what, its in tags.items() if not is_tagged(its, target)]
    yield Look("the lab's tag", "no-tag" if bare else None, ", ".join(bare))


def _is_stray(target: Target, role: str) -> bool:
    """Whether a role is on the labs' path under a name that no removal looks for."""
    return f":role{ROLE_PATH}" in role and role not in {target.names.role_arn(function) for function in REMOVABLE}


def _way(target: Target) -> Iterator[Look]:
    """From the route to the function, and then along it."""
    api_id, _, client_id = prerequisites(target)
    route = routes_of(target, api_id).get(REPORTS)
    if route is None:
        yield Look(f"route {REPORTS}", "no-route")
        return
    yield Look(f"route {REPORTS}")
    authorized = _authorizer(target, api_id, route)
    yield authorized
    scopes, wanted = route.get("AuthorizationScopes", []), scope(AUDITOR_GROUP, client_id)
    wrong = None if scopes == [wanted] else "other-scope" if scopes else "no-scope"
    yield Look("scope of the route", wrong, ", ".join(scopes))
    integration = integrations_of(target, api_id).get(str(route.get("Target", "")).removeprefix("integrations/"), {})
    uri = str(integration.get("IntegrationUri", "nothing"))
    behind = target.names.function_arn(AUDITOR) in uri and integration.get("IntegrationType") == "AWS_PROXY"
    yield Look("integration", None if behind else "other-integration", uri.rpartition(":")[2])
    yield _permission(target, api_id)
    if authorized.wrong is None:
        yield from _calls(target, api_id)


def _authorizer(target: Target, api_id: str, route: dict[str, Any]) -> Look:
    what, kind = "authorizer of the route", route.get("AuthorizationType", "NONE")
    if kind == "NONE":
        return Look(what, "open", "NONE")
    authorizer = find_authorizer(target, api_id) or {}
    ours = kind == "JWT" and route.get("AuthorizerId") == authorizer.get("AuthorizerId")
    return Look(what, None if ours else "other-authorizer", AUTHORIZER if ours else kind)


def _permission(target: Target, api_id: str) -> Look:
    """Whether the function's policy lets API Gateway run it for this route, on both stages, and no other account's."""
    kept = [g.source or "" for g in kept_grants(target, AUDITOR).values() if g.principal in (SERVICE, "*")]
    route, what = target.names.route_arn(api_id, REPORTS), "invoke permission"
    if not all(kept):
        return Look(what, "any-source", "from any API of any account")
    fits = all(any(fnmatchcase(call, source) for source in kept) for call in calls_of(route))
    return Look(what, None if fits else "no-permission", ", ".join(kept) or "none")


def _calls(target: Target, api_id: str) -> Iterator[Look]:
    """What the endpoint answers on both stages. Who it is for is asked only if the password is known."""
    pool_id, sign_ins = user_pool_id(target), SignIns(target)
    known = passwords.saved(target, pool_id, AUDITOR_USER) is not None
    asked = (None, 401), ("regularuser", 403), *(((AUDITOR_USER, 200),) if known else ())
    for user, wanted in asked:
        try:
            headers = (("Authorization", sign_ins.tokens(user)["id"]),) if user else ()
        except LabError as error:
            if user == AUDITOR_USER:
                yield Look(f"call of {user}", "cannot-sign-in", error.problem)
                continue
            raise
        for stage in (DEFAULT_STAGE, STAGE):
            path = PATH if stage == DEFAULT_STAGE else f"/{stage}{PATH}"
            send = partial(Endpoint(REPORTS, target.place.api_url(api_id) + path).send, headers)
            status = until(lambda s=send: s().status_code, lambda s, w=wanted: s == w, seconds=target.place.patience)  # type: ignore[misc]
            wrong = None if status == wanted else "not-deployed" if status == 404 else "answer"  # noqa: PLR2004
            yield Look(
                f"{user or 'nobody'}: GET {path}",
                wrong,
                f"{status}, and it should be {wanted}" if wrong else f"{status}",
            )
    if not known:
        yield Look(f"{AUDITOR_USER}: {REPORTS}", NOT_TRIED, 'name the password: check_task("reports", password=...)')


@solves("reports")
def build_reports(place: Workplace) -> None:
    """Build the endpoint as its solution does. What is there already is kept."""
    target = place.target
    target.require_confirmation()
    with target.one_writer():
        until_settled(lambda: _build(target))


def _build(target: Target) -> None:
    api_id, _, client_id = prerequisites(target)
    _build_people(target, user_pool_id(target))
    _build_function(target)
    gateway, routes = target.client("apigatewayv2"), routes_of(target, api_id)
    route, authorizer = routes.get(REPORTS), find_authorizer(target, api_id)
    if authorizer is None:
        raise LabError("The API has no authorizer.", "Build it: labkit up --through authorizer")
    used = str((route or {}).get("Target", "")).removeprefix("integrations/")
    integration_id = ensure_integration(target, api_id, REPORTS, AUDITOR, integrations_of(target, api_id), used)
    settings = {
        "Target": f"integrations/{integration_id}",
        **protection(AUDITOR_GROUP, authorizer["AuthorizerId"], client_id),
    }
    if route is None:
        gateway.create_route(ApiId=api_id, RouteKey=REPORTS, **settings)
    else:
        gateway.update_route(ApiId=api_id, RouteId=route["RouteId"], **settings)
    ensure_permission(target, AUDITOR, route_statement(target, api_id, REPORTS), (kinds.ROUTE, REPORTS))
    Authorizer().ensure(target)  # stage Test is deployed anew


def _build_people(target: Target, pool_id: str) -> None:
    cognito, key = target.client("cognito-idp"), {"UserPoolId": pool_id, "Username": AUDITOR_USER}
    if AUDITOR_GROUP not in found_groups(target, pool_id):
        cognito.create_group(UserPoolId=pool_id, GroupName=AUDITOR_GROUP)
    user = target.read("cognito-idp", "admin_get_user", **key)
    if user is None:
        user = cognito.admin_create_user(**key, MessageAction="SUPPRESS")["User"]
    if user["UserStatus"] != "CONFIRMED" or passwords.saved(target, pool_id, AUDITOR_USER) is None:
        password = passwords.new(target, pool_id, AUDITOR_USER)
        cognito.admin_set_user_password(**key, Password=password, Permanent=True)
        passwords.confirm(target, pool_id, AUDITOR_USER)
    cognito.admin_add_user_to_group(**key, GroupName=AUDITOR_GROUP)


def _build_function(target: Target) -> None:
    names, found, runtime = target.names, named_function(target, AUDITOR), target.settings.runtime
    if found and not is_tagged(found.get("Tags"), target):
        raise refuse_foreign(kinds.FUNCTION, names.function(AUDITOR))
    ensure_log_group(target, AUDITOR, named_log_groups(target).get(AUDITOR))
    if not target.settings.role_arn:
        ensure_role(target, AUDITOR, named_roles(target).get(AUDITOR), find_boundary(target))
    if found is None:
        target.client("lambda").create_function(
            FunctionName=names.function(AUDITOR),
            Runtime=runtime,
            Role=role_arn(target, AUDITOR),
            Handler=RUNTIMES[runtime].handler,
            Code={"ZipFile": _code(RUNTIMES[runtime].file_name)},
            Tags=names.tags,
        )
    wait(target, names.function(AUDITOR), ACTIVE)


def _code(file_name: str) -> bytes:
    """A function that answers with a line, in the language that its file's name tells."""
    answer = '{"statusCode": 200, "body": "The reports"}'
    python = f"def lambda_handler(event, context):\n    return {answer}\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(file_name)
        entry.external_attr = 0o644 << 16  # Lambda's user has to read it
        archive.writestr(
            entry, python if file_name.endswith(".py") else f"export const handler = async () => ({answer});\n"
        )
    return packed.getvalue()


@resets("reports")
def take_reports_away(place: Workplace) -> None:
    """Take away what the task builds, as far as it bears the lab's tag or is a part of the lab."""
    target = place.target
    target.require_confirmation()
    with target.one_writer():
        left = until_settled(lambda: _take_away(target))
    if left:
        raise LabError(
            f"The {left[0].kind} {left[0].name} was not taken away: {left[0].why}.",
            "Delete it yourself, then repeat this.",
        )


def _take_away(target: Target) -> list[Left]:
    """Returns what is left."""
    api_id, pool_id = prerequisites(target)[0], user_pool_id(target)
    gateway, cognito = target.client("apigatewayv2"), target.client("cognito-idp")
    if route := routes_of(target, api_id).get(REPORTS):
        gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for integration_id, integration in integrations_of(target, api_id).items():
        if integration.get("IntegrationUri") == target.names.function_arn(AUDITOR):
            gateway.delete_integration(ApiId=api_id, IntegrationId=integration_id)
    parts = [part for part in Functions().remove(target) if AUDITOR in part.name]
    _, failed = execute(target, [part for part in parts if isinstance(part, Deletion)])
    or_none(cognito.admin_delete_user, UserPoolId=pool_id, Username=AUDITOR_USER)
    or_none(cognito.delete_group, UserPoolId=pool_id, GroupName=AUDITOR_GROUP)
    passwords.refused(target, pool_id, AUDITOR_USER, passwords.saved(target, pool_id, AUDITOR_USER))
    Authorizer().ensure(target)  # stage Test is deployed anew
    return [*failed, *(part for part in parts if isinstance(part, Left))]
