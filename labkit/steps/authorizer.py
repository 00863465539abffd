"""Section 4 of the post: the JWT authorizer, a scope for each route, and the stages that serve them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from labkit.errors import LabError
from labkit.machine.side_by_side import side_by_side
from labkit.steps.app_client import app_client_id
from labkit.steps.http_api import CLOSED, find_api, integrations_of, routes_of
from labkit.steps.report import Expected, Report, report_on
from labkit.steps.status import Resource, State
from labkit.steps.step import Deletion, Left, Step, Thing, Things
from labkit.steps.user_pool import find_user_pool
from labkit.target import kinds
from labkit.target.names import AUTHORIZER, DEFAULT_STAGE, ROUTES, STAGE, scope
from labkit.target.target import Target

IDENTITY_SOURCE = "$request.header.Authorization"


class Authorizer(Step):
    """Who may call what: tokens of our user pool for our app client, and on each route the scope it asks for."""

    name = "authorizer"
    title = "JWT authorizer"
    section = "Create the JWT authorizer and deploy the API"
    needs = ("user-pool", "http-api")
    services = ("apigatewayv2",)
    part_of = "http-api"

    def find(self, target: Target) -> State:
        """The authorizer of the lab's API, the routes that use it and the stages."""
        api = find_api(target)
        served, stages = _served_and_stages(target, api["ApiId"]) if api else (Served({}, {}, None), {})
        authorizer_id = (served.authorizer or {}).get("AuthorizerId")
        used_by = {k for k, r in served.routes.items() if authorizer_id and r.get("AuthorizerId") == authorizer_id}
        resources = [
            Resource(kinds.AUTHORIZER, AUTHORIZER, authorizer_id is not None),
            *(Resource(kinds.ROUTE_SCOPE, key, key in used_by) for key in ROUTES),
            *(Resource(kinds.STAGE, name, name in stages) for name in (DEFAULT_STAGE, STAGE)),
        ]
        ids = {"authorizer_id": str(authorizer_id)} if authorizer_id else {}
        ids |= {"deployment": served.description} if STAGE in stages else {}
        return State(self.name, tuple(resources), ids)

    def ensure(self, target: Target) -> None:
        """The authorizer, then the routes' scopes, then the stages: nothing is served before it is protected."""
        api_id, issuer, client_id = prerequisites(target)
        found, routes = side_by_side(partial(find_authorizer, target, api_id), partial(routes_of, target, api_id))
        authorizer_id = ensure_authorizer(target, api_id, found, issuer, client_id)
        ensure_protection(target, api_id, routes, authorizer_id, client_id)
        served, stages = _served_and_stages(target, api_id)
        ensure_default_stage(target, api_id, stages.get(DEFAULT_STAGE))
        ensure_deployed_stage(target, api_id, stages.get(STAGE), served.description)

    def check(self, target: Target) -> Report:
        """Issuer, audience and identity source; each route's authorizer and scope; what each stage serves."""
        api, (pool, client_id) = side_by_side(partial(find_api, target), partial(_pool_and_client, target))
        if not (api and pool and client_id):
            why = "The authorizer belongs to the API, trusts the user pool and admits the app client."
            return report_on(self.name, [Expected("API, user pool and app client", "found", "missing", why)])
        served, stages = _served_and_stages(target, api["ApiId"])
        rows = [
            *_authorizer_rows(served.authorizer, target.place.issuer(pool["Id"]), client_id),
            *(row for key in ROUTES for row in _protection_rows(served, key, client_id)),
            *_open_rows(api["ApiId"], served),
            *_stage_rows(target, api["ApiId"], stages, served.description),
        ]
        return report_on(self.name, rows)

    def remove(self, target: Target) -> list[Deletion | Left]:
        """Nothing by itself: authorizer and stages go with the API."""
        return []


def prerequisites(target: Target) -> tuple[str, str, str]:
    """What an authorizer is made of: the API's id, the issuer and the app client's id. LabError if one is missing."""
    api, (pool, client_id) = side_by_side(partial(find_api, target), partial(_pool_and_client, target))
    if not (api and pool and client_id):
        raise LabError(
            "The authorizer needs the HTTP API, the user pool and its app client, and one of them is missing.",
            "Build what comes before: labkit up --through http-api",
        )
    return api["ApiId"], target.place.issuer(pool["Id"]), client_id


def _pool_and_client(target: Target) -> tuple[dict[str, Any] | None, str | None]:
    pool = find_user_pool(target)
    return pool, app_client_id(target, pool["Id"]) if pool else None


@dataclass(frozen=True)
class Served:
    """What decides how an API answers: its routes by route key, its integrations by id, the lab's authorizer."""

    routes: Things
    integrations: Things
    authorizer: dict[str, Any] | None

    @property
    def description(self) -> str:
        """What a deployment of this would be called.

        AWS does not tell what a deployment contains. A digest in its description does, and survives a crash between
        a change and its deployment.
        """
        authorizer = self.authorizer or {}
        content = [
            sorted(({k: r.get(k) for k in _DEPLOYED_OF_ROUTES} for r in self.routes.values()), key=str),
            sorted(({k: i.get(k) for k in _DEPLOYED_OF_INTEGRATIONS} for i in self.integrations.values()), key=str),
            authorizer.get("JwtConfiguration"),
            authorizer.get("IdentitySource"),
        ]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"routes, integrations and authorizer {digest[:16]}"


_DEPLOYED_OF_ROUTES = ("RouteId", "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes")
_DEPLOYED_OF_INTEGRATIONS = ("IntegrationId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion")


def _served_and_stages(target: Target, api_id: str) -> tuple[Served, Things]:
    looks = (routes_of, integrations_of, find_authorizer, stages_of)
    routes, integrations, authorizer, stages = side_by_side(*(partial(look, target, api_id) for look in looks))
    return Served(routes, integrations, authorizer), stages


def find_authorizer(target: Target, api_id: str) -> dict[str, Any] | None:
    """The lab's authorizer, if the API has it."""
    authorizers = target.every("apigatewayv2", "get_authorizers", "Items", ApiId=api_id)
    return next((authorizer for authorizer in authorizers if authorizer.get("Name") == AUTHORIZER), None)


def ensure_authorizer(target: Target, api_id: str, found: Thing | None, issuer: str, client_id: str) -> str:
    """Create the authorizer, or mend the one that was found. Returns its id."""
    client, settings = target.client("apigatewayv2"), authorizer_settings(issuer, client_id)
    if found is None:
        target.deeds.created(kinds.AUTHORIZER, AUTHORIZER)
        return str(client.create_authorizer(ApiId=api_id, **settings)["AuthorizerId"])
    if target.deeds.drifted(kinds.AUTHORIZER, AUTHORIZER, found, settings):
        client.update_authorizer(ApiId=api_id, AuthorizerId=found["AuthorizerId"], **settings)
    return str(found["AuthorizerId"])


def authorizer_settings(issuer: str, client_id: str) -> dict[str, Any]:
    """The authorizer as CreateAuthorizer takes it."""
    return {
        "Name": AUTHORIZER,
        "AuthorizerType": "JWT",
        "IdentitySource": [IDENTITY_SOURCE],
        "JwtConfiguration": {"Audience": [client_id], "Issuer": issuer},
    }


def ensure_protection(target: Target, api_id: str, routes: Things, authorizer_id: str, client_id: str) -> None:
    """Give each route the authorizer and the one scope that it asks for."""
    if missing := [key for key in ROUTES if key not in routes]:
        raise LabError(f"The HTTP API has no route {missing[0]}.", "Build it: labkit up --through http-api")
    for key in ROUTES:
        route, wanted = routes[key], protection(ROUTES[key][1], authorizer_id, client_id)
        if any(route.get(name) != value for name, value in wanted.items()):
            _tell_protection(target, route, wanted)
            target.client("apigatewayv2").update_route(ApiId=api_id, RouteId=route["RouteId"], **wanted)


def _tell_protection(target: Target, route: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A route that is still closed, as it was made, gets its protection; any other is mended."""
    key, another = route["RouteKey"], route.get("AuthorizerId") not in (None, wanted["AuthorizerId"])
    if route.get("AuthorizationType") == CLOSED:
        target.deeds.created(kinds.ROUTE_SCOPE, key)
    elif another:
        target.deeds.mended(kinds.ROUTE_SCOPE, key, "authorizer", "another")
    shown = {name: value for name, value in wanted.items() if name != "AuthorizerId"}
    target.deeds.drifted(kinds.ROUTE_SCOPE, key, route, shown)


def protection(group: str, authorizer_id: str, client_id: str) -> dict[str, Any]:
    """What lets the members of one group alone through a route, as UpdateRoute takes it."""
    return {
        "AuthorizationType": "JWT",
        "AuthorizerId": authorizer_id,
        "AuthorizationScopes": [scope(group, client_id)],
    }


def stages_of(target: Target, api_id: str) -> Things:
    """The stages of an API by name."""
    return {s["StageName"]: s for s in target.every("apigatewayv2", "get_stages", "Items", ApiId=api_id)}


def ensure_default_stage(target: Target, api_id: str, stage: Thing | None) -> None:
    """The `$default` stage, served at the root and deployed by itself: the post's URLs name no stage, and need it."""
    client = target.client("apigatewayv2")
    if stage is None:
        target.deeds.created(kinds.STAGE, DEFAULT_STAGE)
        client.create_stage(ApiId=api_id, StageName=DEFAULT_STAGE, AutoDeploy=True)
    elif not stage.get("AutoDeploy"):
        target.deeds.mended(kinds.STAGE, DEFAULT_STAGE, "AutoDeploy", False)
        client.update_stage(ApiId=api_id, StageName=DEFAULT_STAGE, AutoDeploy=True)


def ensure_deployed_stage(target: Target, api_id: str, stage: Thing | None, wanted: str) -> None:
    """The post's `Test` stage, serving a deployment of the routes and the authorizer as they are now.

    Args:
        target: the lab's place.
        api_id: the API.
        stage: the stage, if it exists.
        wanted: the description of what is to be deployed.
    """
    client = target.client("apigatewayv2")
    if stage is None:
        target.deeds.created(kinds.STAGE, STAGE)
        client.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=False)
    elif stage.get("AutoDeploy"):
        target.deeds.mended(kinds.STAGE, STAGE, "AutoDeploy", True)
        client.update_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=False)
    if _deployed(target, api_id, stage) != wanted:
        target.deeds.mended(kinds.STAGE, STAGE, "deployment", "another")
        client.create_deployment(ApiId=api_id, StageName=STAGE, Description=wanted)


def _deployed(target: Target, api_id: str, stage: Thing | None) -> str:
    """The description of the deployment that a stage serves."""
    deployment_id = (stage or {}).get("DeploymentId")
    if not deployment_id:
        return "nothing"
    deployment = target.read("apigatewayv2", "get_deployment", ApiId=api_id, DeploymentId=deployment_id)
    return str((deployment or {}).get("Description", "something else"))


def _authorizer_rows(found: Thing | None, issuer: str, client_id: str) -> list[Expected]:
    if found is None:
        return [Expected(f"authorizer {AUTHORIZER}", "found", "missing", "It decides who may call.")]
    jwt = found.get("JwtConfiguration", {})
    return [
        Expected("issuer", issuer, jwt.get("Issuer"), "A token whose iss claim is not exactly this is answered 401."),
        Expected("audience", client_id, ", ".join(jwt.get("Audience", [])),
         "A token whose aud claim (or client_id, without aud) is not this is answered 401."),
        Expected("identity source", IDENTITY_SOURCE, ", ".join(found.get("IdentitySource", [])),
         "The authorizer looks for the token here and nowhere else."),
    ]  # fmt: skip


def _protection_rows(served: Served, key: str, client_id: str) -> list[Expected]:
    route, authorizer = served.routes.get(key), served.authorizer or {}
    if route is None:
        return [Expected(f"authorizer of {key}", AUTHORIZER, "no route", "What is not there cannot be protected.")]
    protected = route.get("AuthorizationType") == "JWT" and route.get("AuthorizerId") == authorizer.get("AuthorizerId")
    wanted = scope(ROUTES[key][1], client_id)
    return [
        Expected(f"authorizer of {key}", AUTHORIZER,
         AUTHORIZER if protected else route.get("AuthorizationType", "NONE"),
         "A route without it is open to everybody, or closed to all."),
        Expected(f"scope of {key}", wanted, ", ".join(route.get("AuthorizationScopes", [])) or "none",
         "A valid token without this scope is answered 403; with no scope on the route every valid token passes."),
    ]  # fmt: skip


def _open_rows(api_id: str, served: Served) -> Iterator[Expected]:
    """The routes beside the lab's own that are open to everybody; a browser's OPTIONS has to be. They are a learner's.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    for key, route in served.routes.items():
        if key not in ROUTES and not key.startswith("OPTIONS ") and route.get("AuthorizationType", "NONE") == "NONE":
            named = f"--api-id {api_id} --route-id {route['RouteId']}"
            yield Expected(
                f"authorizer of {key}", "one", "NONE", "Whoever knows its address calls it, without a token.",
                'Give it one, or take it away in a terminal: eval "$(labkit env)"; '
                f"aws apigatewayv2 delete-route {named}",
            )  # fmt: skip


def _stage_rows(target: Target, api_id: str, stages: Things, wanted: str) -> list[Expected]:
    default, test = stages.get(DEFAULT_STAGE), stages.get(STAGE)
    return [
        Expected(f"stage {DEFAULT_STAGE}", "deploys by itself", _default_state(default),
         "It is served at the root, where the post's URLs point."),
        Expected(f"deployment of stage {STAGE}", wanted, _deployed(target, api_id, test) if test else "no stage",
         "A stage without auto-deploy serves what was last deployed to it, whatever changed since."),
    ]  # fmt: skip


def _default_state(stage: Thing | None) -> str:
    if stage is None:
        return "missing"
    return "deploys by itself" if stage.get("AutoDeploy") else "waits to be deployed"
