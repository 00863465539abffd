"""Chapter 04: what an authorizer has to be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from labkit.errors import LabError
from labkit.learning.task import checks
from labkit.learning.work import NotYet, Workplace
from labkit.questions.published_keys import published_keys
from labkit.questions.sign_in import SignIns
from labkit.steps.app_client import app_client_id
from labkit.steps.authorizer import IDENTITY_SOURCE
from labkit.steps.http_api import find_api
from labkit.steps.user_pool import find_user_pool
from labkit.target.names import ROUTES, USERS, scope
from labkit.target.target import Target
from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Route, decide
from labkit.tokens.token import decode

GROUPS = [group for _, group in ROUTES.values()]


@dataclass(frozen=True)
class Known:
    """What AWS made up for the lab, and what is taken for something else."""

    issuer: str
    pool: str
    domain: str
    client: str
    client_name: str
    api: str


@checks("authorizer")
def authorizer(place: Workplace, issuer: Any, audience: Any, admin_scope: Any, regular_scope: Any) -> str:
    """Decide real tokens of both users on both routes by what was typed; if that goes wrong, say which value it is."""
    target = place.target
    known = _known(target)
    issuer, audience = _one("issuer", issuer), _one("audience", audience)
    scopes = {"admin_scope": _one("admin_scope", admin_scope), "regular_scope": _one("regular_scope", regular_scope)}
    settings = AuthorizerSettings(IDENTITY_SOURCE, issuer, (audience,))
    fit = _decides_well(target, known, settings, [*scopes.values()])
    mistake = next(_mistakes(known, issuer, audience, scopes), None)
    if fit and not mistake:
        return "decided by these values, each user's token opens what its groups say, and nothing else."
    if mistake and not fit:
        where, typed, wrong = mistake
        raise NotYet(wrong, say=f"{where} is another value.", found=typed, where=where)
    fits = (
        "These values fit your users' tokens and not this lab" if fit else "The values are this lab's, the tokens not"
    )
    raise LabError(
        f"{fits}: your trigger writes other scopes than the lab's own, or a user is in other groups.",
        'Mend the groups: lab.ensure("user-pool"). Look at the trigger: lab.check_task("trigger")',
    )


def _known(target: Target) -> Known:
    pool, api = find_user_pool(target), find_api(target)
    client = app_client_id(target, pool["Id"]) if pool else None
    if not (pool and client and api):
        raise LabError(
            "The user pool, its app client or the HTTP API is missing.",
            'Build them: lab.ensure("user-pool"), then lab.ensure("http-api")',
        )
    names = target.names
    issuer, domain = target.place.issuer(pool["Id"]), names.domain_prefix(pool["Id"])
    return Known(issuer, pool["Id"], domain, client, names.app_client, api["ApiId"])


def _one(where: str, typed: Any) -> str:
    """The one text that was typed, alone or in a list."""
    values = list(typed) if isinstance(typed, list | tuple) else [typed]
    if len(values) != 1:
        raise NotYet("several", found=typed, where=where)
    if not isinstance(values[0], str):
        raise NotYet("no-text", found=type(values[0]).__name__, where=where)
    return values[0]


def _decides_well(target: Target, known: Known, settings: AuthorizerSettings, scopes: list[str]) -> bool:
    """Whether each user's ID token opens the routes of its groups, and no other."""
    sign_ins, keys = SignIns(target), published_keys(target.place, known.issuer).keys
    for user, groups in USERS.items():
        token = sign_ins.tokens(user)["id"]
        for (key, (_, group)), asked in zip(ROUTES.items(), scopes, strict=True):
            request = ApiRequest((("Authorization", token),), (), *key.split(" ", 1))
            decision = decide(request, settings, Route(key, (asked,)), keys, decode(token).claims["iat"])
            if (decision.status == HTTPStatus.OK) != (group in groups):
                return False
    return True


def _mistakes(
    known: Known, issuer: str, audience: str, scopes: dict[str, str]
) -> Iterator[tuple[str, str, str | None]]:
    """Each value that is not the right one: its name, what was typed, and the name of the mistake if it is common."""
    if issuer != known.issuer:
        yield "issuer", issuer, _slip(known.issuer, issuer) or _wrong_issuer(known, issuer)
    if audience != known.client:
        yield "audience", audience, _slip(known.client, audience) or _wrong_audience(known, audience)
    for group, (where, typed) in zip(GROUPS, scopes.items(), strict=True):
        right = scope(group, known.client)
        if typed != right:
            yield where, typed, _slip(right, typed) or _wrong_scope(known, group, typed)


def _slip(right: str, typed: str) -> str | None:
    return _first(("blank", typed.strip() == right), ("unfilled", "{" in typed or "$" in typed))


def _wrong_issuer(known: Known, typed: str) -> str | None:
    bare = typed.removeprefix("https://").removeprefix("http://").rstrip("/")
    return _first(
        ("issuer-discovery", "/.well-known" in typed),
        ("issuer-pool", typed == known.pool),
        ("issuer-domain", known.domain in typed or "amazoncognito.com" in typed),
        ("issuer-slash", typed != known.issuer and typed.rstrip("/") == known.issuer),
        ("issuer-bare", f"https://{bare}" == known.issuer),
        ("case", typed.lower() == known.issuer.lower()),
        ("issuer-host", bare.endswith(f"/{known.pool}")),
    )


def _wrong_audience(known: Known, typed: str) -> str | None:
    return _first(
        ("audience-pool", known.pool in typed),
        ("audience-api", known.api in typed),
        ("audience-user", typed in USERS or typed in GROUPS),
        ("audience-name", typed == known.client_name),
        ("audience-scope", typed in [scope(group, known.client) for group in GROUPS]),
        ("case", typed.lower() == known.client.lower()),
    )


def _wrong_scope(known: Known, group: str, typed: str) -> str | None:
    right, client = scope(group, known.client), known.client
    return _first(
        ("scope-of-the-other", typed in [scope(other, client) for other in GROUPS]),
        ("scope-of-both", all(scope(other, client) in typed for other in GROUPS)),
        ("scope-without-client", typed == group),
        ("scope-without-group", typed == client),
        ("scope-order", typed == f"{client}-{group}"),
        ("scope-pool", typed == scope(group, known.pool)),
        ("scope-user", typed in [scope(user, client) for user in USERS]),
        ("case", typed.lower() == right.lower()),
        ("scope-sign", bool(re.fullmatch(rf"{group}[\W_]*{client}", typed))),
    )


def _first(*mistakes: tuple[str, bool]) -> str | None:
    return next((name for name, made in mistakes if made), None)
