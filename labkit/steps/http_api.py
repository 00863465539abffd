"""Section 3 of the post: an HTTP API with two routes, each with a Lambda function behind it."""

from __future__ import annotations

from functools import partial
from typing import Any

from labkit.aws import newest_first, was_repeated
from labkit.machine.side_by_side import side_by_side
from labkit.steps.permissions import ensure_permission, permission_rows, statement
from labkit.steps.report import Expected, Report, report_on
from labkit.steps.status import Resource, State
from labkit.steps.step import OURS, Deletion, Left, Step, Thing, Things, foreign, is_tagged
from labkit.target import kinds
from labkit.target.names import ROUTES
from labkit.target.target import Target

PERMISSION, SERVICE = "http-api-runs-the-function", "apigateway.amazonaws.com"
CLOSED = "AWS_IAM"  # the authorization type of a route that has no authorizer yet


class HttpApi(Step):
    """What may be called: two routes. Until the next step gives them an authorizer they let nobody in."""

    name = "http-api"
    title = "HTTP API"
    section = "Create the HTTP API and its routes"
    needs = ("functions",)
    services = ("apigatewayv2", "lambda")

    def find(self, target: Target) -> State:
        """The API that bears the lab's name and tag, its routes and their integrations."""
        api = find_api(target)
        routes, integrations = _inside(target, api["ApiId"]) if api else ({}, {})
        resources = [
            Resource(kinds.HTTP_API, target.names.api, api is not None),
            *(Resource(kinds.ROUTE, key, bool(routes.get(key, {}).get("Target"))) for key in ROUTES),
        ]
        ids = {"api_id": api["ApiId"], "api_url": target.place.api_url(api["ApiId"])} if api else {}
        for key, (function, group) in ROUTES.items():
            if key in routes:
                ids[f"{group}_route_id"] = routes[key]["RouteId"]
            if integration_id := _integration_id(target, function, routes.get(key), integrations):
                ids[f"{group}_integration_id"] = integration_id
        return State(self.name, tuple(resources), ids)

    def ensure(self, target: Target) -> None:
        """The API, then for each route its integration, itself and the function's invoke permission."""
        api_id = ensure_api(target)
        routes, integrations = _inside(target, api_id)
        used = {key: str(route.get("Target", "")).removeprefix("integrations/") for key, route in routes.items()}
        for key, (function, _) in ROUTES.items():
            # Changes of one API at the same time are refused with a ConflictException, so its routes take turns.
            used[key], _ = side_by_side(
                partial(_ensure_way, target, api_id, key, integrations, used.get(key), routes.get(key)),
                partial(ensure_permission, target, function, route_statement(target, api_id, key), (kinds.ROUTE, key)),
            )
        delete_doubles(target, api_id, integrations, set(used.values()))

    def check(self, target: Target) -> Report:
        """Each route, what stands behind it, and whether the API may run it."""
        api = find_api(target)
        if api is None:
            why = "Without it there is nothing to call."
            return report_on(self.name, [Expected(f"HTTP API {target.names.api}", "found", "missing", why)])
        routes, integrations = _inside(target, api["ApiId"])
        rows = side_by_side(
            *(partial(_route_rows, target, api["ApiId"], key, routes.get(key), integrations) for key in ROUTES)
        )
        return report_on(self.name, [row for some in rows for row in some])

    def remove(self, target: Target) -> list[Deletion | Left]:
        """The API and the what-if API: routes, integrations, authorizers, stages and deployments go with them."""
        return [
            api_deletion(api)
            if is_tagged(api.get("Tags"), target)
            else foreign(kinds.HTTP_API, api["Name"], api["ApiId"])
            for api in named_apis(target, target.names.what_if_api, target.names.api)
        ]


def named_apis(target: Target, *names: str) -> list[dict[str, Any]]:
    """Every API that bears one of the names, somebody else's too, in the names' order, the newest of each first."""
    apis = target.every("apigatewayv2", "get_apis", "Items")
    newest = newest_first((api for api in apis if api["Name"] in names), "CreatedDate")
    return sorted(newest, key=lambda api: names.index(api["Name"]))


def our_apis(target: Target) -> list[dict[str, Any]]:
    """Every HTTP API that bears the lab's name and tag, the newest first (more than one only after a lost answer)."""
    return [api for api in named_apis(target, target.names.api) if is_tagged(api.get("Tags"), target)]


def find_api(target: Target) -> dict[str, Any] | None:
    """The lab's HTTP API as GetApis tells it, if it exists."""
    return next(iter(our_apis(target)), None)


def routes_of(target: Target, api_id: str) -> Things:
    """The routes of an API by route key, `GET /AdminUser` and the like."""
    return {r["RouteKey"]: r for r in target.every("apigatewayv2", "get_routes", "Items", ApiId=api_id)}


def integrations_of(target: Target, api_id: str) -> Things:
    """The integrations of an API by id."""
    items = target.every("apigatewayv2", "get_integrations", "Items", ApiId=api_id)
    return {integration["IntegrationId"]: integration for integration in items}


def _inside(target: Target, api_id: str) -> list[Any]:
    """An API's routes and integrations."""
    return side_by_side(partial(routes_of, target, api_id), partial(integrations_of, target, api_id))


def _integration_id(target: Target, function: str, route: Thing | None, integrations: Things) -> str | None:
    """The id of the integration that a route uses, or, before there is a route, of one with the route's function."""
    if route is not None:
        return str(route.get("Target", "")).removeprefix("integrations/") or None
    uri = target.names.function_arn(function)
    return next((i for i, found in integrations.items() if found.get("IntegrationUri") == uri), None)


def ensure_api(target: Target) -> str:
    """Create the HTTP API. Returns its id. A second API of ours is deleted."""
    client, apis = target.client("apigatewayv2"), our_apis(target)
    for extra in apis[1:]:
        target.deeds.mended(kinds.HTTP_API, target.names.api, "a second one", "there")
        client.delete_api(ApiId=extra["ApiId"])
    if apis:
        return str(apis[0]["ApiId"])
    target.deeds.created(kinds.HTTP_API, target.names.api)
    created = client.create_api(Name=target.names.api, ProtocolType="HTTP", Tags=target.names.tags)
    return ensure_api(target) if was_repeated(created) else str(created["ApiId"])


def _ensure_way(
    target: Target, api_id: str, key: str, integrations: Things, used: str | None, route: Thing | None
) -> str:
    """The integration, then the route that leads to it. Returns the integration's id."""
    integration_id = ensure_integration(target, api_id, key, ROUTES[key][0], integrations, used)
    ensure_route(target, api_id, key, integration_id, route)
    return integration_id


def ensure_integration(
    target: Target, api_id: str, key: str, function: str, integrations: Things, used: str | None
) -> str:
    """Create the Lambda proxy integration of a route's function, or mend it.

    Args:
        target: the lab's place.
        api_id: the API.
        key: the route.
        function: the one behind it.
        integrations: the API's integrations by id.
        used: the id of the one that the function's route uses; of several that fit, this one is kept.

    Returns:
        Its id.
    """
    client, settings = target.client("apigatewayv2"), integration_settings(target, function)
    same = [i for i, found in integrations.items() if found.get("IntegrationUri") == settings["IntegrationUri"]]
    if not same:
        target.deeds.mended(kinds.ROUTE, key, "integration", "missing")
        return str(client.create_integration(ApiId=api_id, **settings)["IntegrationId"])
    kept = used if used in same else same[0]
    if target.deeds.drifted(kinds.ROUTE, key, integrations[kept], settings):
        client.update_integration(ApiId=api_id, IntegrationId=kept, **settings)
    return kept


def delete_doubles(target: Target, api_id: str, integrations: Things, used: set[str]) -> None:
    """Delete the integrations of the lab's functions that no route uses."""
    ours = {target.names.function_arn(function) for function, _ in ROUTES.values()}
    for integration_id, found in integrations.items():
        if integration_id not in used and found.get("IntegrationUri") in ours:
            target.client("apigatewayv2").delete_integration(ApiId=api_id, IntegrationId=integration_id)


def integration_settings(target: Target, function: str) -> dict[str, Any]:
    """The Lambda proxy integration of a function, as CreateIntegration takes it."""
    return {
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": target.names.function_arn(function),
        "IntegrationMethod": "POST",
        "PayloadFormatVersion": "2.0",
    }


def ensure_route(target: Target, api_id: str, key: str, integration_id: str, route: Thing | None) -> None:
    """Create a route, closed to everybody until it gets its authorizer, or point it at its integration again."""
    client, wanted = target.client("apigatewayv2"), f"integrations/{integration_id}"
    if route is None:
        target.deeds.created(kinds.ROUTE, key)
        # Not NONE: with an auto-deploying stage in place that would leave the route open until the next step.
        client.create_route(ApiId=api_id, RouteKey=key, Target=wanted, AuthorizationType=CLOSED)
    elif route.get("Target") != wanted:
        target.deeds.mended(kinds.ROUTE, key, "integration", "another" if route.get("Target") else "missing")
        client.update_route(ApiId=api_id, RouteId=route["RouteId"], Target=wanted)


def route_statement(target: Target, api_id: str, key: str) -> dict[str, str]:
    """The permission with which the API runs the function behind a route."""
    return statement(PERMISSION, SERVICE, target.names.route_arn(api_id, key))


def _route_rows(target: Target, api_id: str, key: str, route: Thing | None, integrations: Things) -> list[Expected]:
    function = ROUTES[key][0]
    if route is None:
        return [Expected(f"route {key}", "found", "missing", "A call that no route matches is answered 404.")]
    integration_id = str(route.get("Target", "")).removeprefix("integrations/")
    integration = integrations.get(integration_id, {})
    wanted = integration_settings(target, function)
    return [
        *(
            Expected(
                f"{name} behind {key}", value, integration.get(name, "missing"), "The route hands its calls to this."
            )
            for name, value in wanted.items()
        ),
        *permission_rows(target, function, route_statement(target, api_id, key)),
    ]


def api_deletion(api: dict[str, Any]) -> Deletion:
    """The deletion that takes an HTTP API and all that is in it away."""
    key = {"ApiId": api["ApiId"]}
    return Deletion(kinds.HTTP_API, api["Name"], api["ApiId"], OURS, "apigatewayv2", "delete_api", key)
