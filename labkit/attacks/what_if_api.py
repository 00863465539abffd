"""The what-if API: a second HTTP API of the lab, in the embedded cloud, with an authorizer that may trust anybody.

It is made when it is needed, and made anew when it is needed otherwise. `down` removes it with the lab, whose own API
is never touched.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from labkit.aws import until_settled
from labkit.cloud.selftest import serve_health_page, settled
from labkit.errors import LabError
from labkit.machine.polling import until
from labkit.questions.endpoint import ProtectedEndpoint
from labkit.steps.http_api import named_apis
from labkit.steps.step import is_tagged
from labkit.target.embedded import EmbeddedPlace
from labkit.target.target import Target
from labkit.tokens.decision import Route

# A new stage answers 404 until its deployment is served.
DEPLOYMENT_SECONDS = 20


def served(target: Target, wanted: ProtectedEndpoint) -> ProtectedEndpoint:
    """Have the what-if API serve a route.

    Args:
        target: the lab's place, the embedded cloud.
        wanted: the route and its authorizer. The cloud must be able to reach the authorizer's issuer.

    Returns:
        The same, with the URL that it is served at.

    Raises:
        LabError: it is not served in time.
        ClientError: it cannot be made.
    """
    sound = [api["ApiId"] for api in _apis(target) if api.get("Description") == _description(wanted)]
    if sound:
        return _at(target, sound[0], wanted)
    endpoint = _at(target, _make(target, wanted), wanted)
    _wait_for(endpoint)
    return endpoint


def remove(target: Target) -> None:
    """Take the what-if API away, if it is there; the next question makes it again."""
    for api in _apis(target):
        target.client("apigatewayv2").delete_api(ApiId=api["ApiId"])


def _apis(target: Target) -> list[dict[str, Any]]:
    named = named_apis(target, target.names.what_if_api)
    return [api for api in named if is_tagged(api.get("Tags"), target)]


def _description(wanted: ProtectedEndpoint) -> str:
    """What the API is for. It is written last, so an API that was not finished is not taken for one that was."""
    authorizer, scopes = wanted.authorizer, ", ".join(wanted.scopes)
    return f"trusts {authorizer.issuer} for {', '.join(authorizer.audience)} with {scopes or 'any scope'}"


def _at(target: Target, api_id: str, wanted: ProtectedEndpoint) -> ProtectedEndpoint:
    return replace(wanted, url=f"{target.place.api_url(api_id)}{wanted.route_key.split(' ')[1]}")


def _make(target: Target, wanted: ProtectedEndpoint) -> str:
    """Make the API anew. Behind its route is a page of the embedded cloud."""
    client, names, place = target.client("apigatewayv2"), target.names, target.place
    assert isinstance(place, EmbeddedPlace)  # noqa: S101 - nobody makes this API in an AWS account
    until_settled(lambda: remove(target))
    api = str(settled(client.create_api, Name=names.what_if_api, ProtocolType="HTTP", Tags=names.tags)["ApiId"])
    route = Route(wanted.route_key, wanted.scopes)
    serve_health_page(client, api, place.cloud, "WhatIf", wanted.authorizer, route)
    settled(client.update_api, ApiId=api, Description=_description(wanted))
    return api


def _wait_for(endpoint: ProtectedEndpoint) -> None:
    """Wait until the route is served. LabError if it is not in time."""
    status = until(
        lambda: endpoint.send(()).status_code,
        lambda status: status != HTTPStatus.NOT_FOUND,
        seconds=DEPLOYMENT_SECONDS,
        every=0.1,
    )
    if status == HTTPStatus.NOT_FOUND:
        raise LabError(f"The what-if API was not served within {DEPLOYMENT_SECONDS} seconds.", "Ask again.")
