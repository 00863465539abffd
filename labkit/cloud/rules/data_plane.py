"""The data plane of an HTTP API: from a request to the answer of the function behind its route."""

from __future__ import annotations

import asyncio
import base64
import http
import logging
import os
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from labkit.cloud import http as loopback
from labkit.cloud.exchange import Answer, Request
from labkit.cloud.rules import issuers, signature, state
from labkit.cloud.rules.call import Here
from labkit.cloud.rules.memory import Deployed
from labkit.cloud.rules.proxy_event import BadAnswerError, Visit, build_event, build_event_1, read_function_answer
from labkit.cloud.rules.registry import gate
from labkit.cloud.rules.signature import UnreadableError
from labkit.tokens import decision
from labkit.tokens.decision import Decision

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"

log = logging.getLogger(__name__)


def _message(status: int, text: str) -> Answer:
    return Answer.of_json(status, {"message": text})


NOT_FOUND = _message(404, "Not Found")
FORBIDDEN = _message(403, "Forbidden")
INTERNAL = _message(500, "Internal Server Error")
UNAVAILABLE = _message(503, "Service Unavailable")


async def answer(here: Here, request: Request, api_id: str, raw_path: str) -> Answer:
    """Answer a request to an HTTP API.

    Args:
        here: this cloud.
        request: the request as it came.
        api_id: the API that its host or the beginning of its path names.
        raw_path: the rest of its path, as sent.
    """
    request_id = base64.b64encode(os.urandom(11)).decode()
    return name_the_request(await _answer(here, request, api_id, raw_path, request_id), request_id)


async def _answer(here: Here, request: Request, api_id: str, raw_path: str, request_id: str) -> Answer:
    asked = _asked(request, raw_path)
    if refusal := limit_request_size(asked):
        return refusal
    api = state.api(api_id)
    found = find_route(here, api, request, raw_path, request_id) if api else None
    if found is None:
        return NOT_FOUND
    visit, deployed = found
    kind = visit.route.get("authorizationType")
    if kind == "AWS_IAM" and not is_signed(here, request):
        return FORBIDDEN
    verdict = await decide_token(here, visit, deployed, asked) if kind == "JWT" else None
    if verdict and verdict.status != http.HTTPStatus.OK:
        return _refused(verdict)
    return await _integrate(here, visit, deployed, verdict)


@gate(
    "execute-api",
    "every route",
    aws="The request line and the values of the headers are at most 10,240 bytes together.",
    source=GUIDE + "http-api-quotas.html",
    ministack="Takes 64 KB.",
)
def limit_request_size(asked: decision.ApiRequest) -> Answer | None:
    """A larger request is answered with 431, before it is looked at."""
    if asked.size <= decision.LARGEST_REQUEST:
        return None
    return Answer(431, (("content-type", "application/json"),), decision.BODIES[431].encode())


@gate(
    "execute-api",
    "every route",
    aws="A path that begins with the name of a stage belongs to that stage, any other to $default. A route matches "
    "the whole path. What matches no route of what is deployed is 404 Not Found, before any authorization.",
    source=GUIDE + "http-api-develop-routes.html",
    ministack="Serves what is not deployed, takes /AdminUser/ for /AdminUser, and answers OPTIONS itself with 403.",
)
def find_route(
    here: Here, api: state.Api, request: Request, raw_path: str, request_id: str
) -> tuple[Visit, Deployed] | None:
    """The route of a request, as its stage has it deployed; OPTIONS is a method like any other."""
    path = "/" + state.decode_path(raw_path).lstrip("/")
    first, slash, rest = path[1:].partition("/")
    stage, path = (first, slash + rest or "/") if first in api.stages else ("$default", path)
    deployed = here.deployments.served(api.id, stage, here.now()) if stage in api.stages else None
    matched = state.match_route(deployed.routes, request.method, path) if deployed else None
    if deployed is None or matched is None:
        return None
    return Visit(api, stage, path, *matched, request, request_id, here.now()), deployed


@gate(
    "execute-api",
    "JWT routes",
    aws="Identity source, shape, algorithm, key id, signature, issuer, audience, expiry, not before, issued at, then "
    "one of the route's scopes: 401 Unauthorized with a challenge, 403 Forbidden without the scope, never 5xx.",
    source=GUIDE + "http-api-jwt-authorizer.html",
    ministack="Decides most tokens so, sends no challenge, answers 500 to some malformed tokens, and takes tokens "
    "without an exp, with another alg in the header, or with a signature in another alphabet.",
)
async def decide_token(here: Here, visit: Visit, deployed: Deployed, asked: decision.ApiRequest) -> Decision:
    """Every JWT route is decided by `labkit.tokens.decision`, which lists its rules with their sources."""
    record = deployed.authorizers.get(visit.route.get("authorizerId", ""), {})
    settings = record.get("jwtConfiguration", {})
    issuer = str(settings.get("issuer"))
    authorizer = decision.AuthorizerSettings(
        record.get("identitySource", [""])[0], issuer, tuple(settings.get("audience", ()))
    )
    route = decision.Route(visit.route["routeKey"], tuple(visit.route.get("authorizationScopes", ())))
    return decision.decide(asked, authorizer, route, await issuers.keys(issuer, here.now()), here.now())


@gate(
    "execute-api",
    "AWS_IAM routes",
    aws="A request that is not signed by credentials of the account, for execute-api, is 403 Forbidden.",
    source=GUIDE + "http-api-access-control-iam.html",
    ministack="Does not look at the signature.",
)
def is_signed(here: Here, request: Request) -> bool:
    """The request is signed by this cloud's credentials or by a session; the caller's policies are not looked at."""
    try:
        claim = signature.read(request)
    except UnreadableError:
        return False
    return claim is not None and claim.service == "execute-api" and signature.refuse(request, claim, here) is None


@gate(
    "execute-api",
    "every route",
    aws="API Gateway may invoke a function only as far as the function's policy says, by the ARN "
    "arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH. Otherwise 500 Internal Server Error.",
    source=GUIDE + "http-api-troubleshooting-lambda.html",
    ministack="Invokes the function.",
)
def require_invoke_permission(here: Here, visit: Visit, function: state.Record) -> bool:
    """A function whose policy does not let API Gateway invoke it is not invoked; in rough weather new ones lag."""
    method, _, path = visit.route["routeKey"].rpartition(" ")
    arn = f"arn:aws:execute-api:{visit.api.region}:{visit.api.account_id}:{visit.api.id}/{visit.stage}/"
    arn += f"{visit.request.method}{path}" if method else path
    return may_invoke(here, function, "apigateway.amazonaws.com", arn)


def may_invoke(here: Here, function: state.Record, service: str, source_arn: str) -> bool:
    """Whether a service may invoke a function by those permissions that have settled."""
    arn = function["config"]["FunctionArn"]
    settled = [
        statement
        for statement in state.permissions(function)
        if here.weather.settled("permission", f"{arn} {statement['Sid']}", here.now())
    ]
    return state.may_invoke(function, settled, service, source_arn, here.account_id)


@gate(
    "execute-api",
    "every route",
    aws="A function that is gone, raises, times out or answers what is no answer is 500 Internal Server Error; the "
    "reason is in the function's log only.",
    source=GUIDE + "http-api-troubleshooting-lambda.html",
    ministack="Answers 502 with the function's ARN, or with the text of its exception.",
)
async def hide_function_failures(function: state.Record | None, event: dict[str, Any], seconds: float) -> Answer:
    """All of these are one and the same 500; a function that is throttled or slower than the integration is a 503."""
    if function is None:
        return INTERNAL
    try:
        result = await asyncio.wait_for(state.invoke(function, event), seconds)
    except TimeoutError:
        return UNAVAILABLE
    if result.get("throttle"):
        return UNAVAILABLE
    if result.get("error"):
        return INTERNAL
    try:
        return read_function_answer(result.get("body"))
    except BadAnswerError:
        return INTERNAL


@gate(
    "execute-api",
    "every route",
    aws="Every answer bears apigw-requestid, 16 characters, which the access log and the function's event bear too.",
    source=GUIDE + "http-api-troubleshooting-jwt.html",
    ministack="Bears it, but the event has another id.",
)
def name_the_request(given: Answer, request_id: str) -> Answer:
    """Every answer of an API bears the id of its request."""
    return replace(given, headers=(*given.headers, ("apigw-requestid", request_id)))


async def _integrate(here: Here, visit: Visit, deployed: Deployed, verdict: Decision | None) -> Answer:
    target = str(visit.route.get("target", "")).removeprefix("integrations/")
    integration = deployed.integrations.get(target)
    if integration is None:
        return INTERNAL
    if integration["integrationType"] == "HTTP_PROXY":
        return await asyncio.to_thread(_fetch, visit.request, integration["integrationUri"])
    function = state.function(visit.api.account_id, visit.api.region, integration["integrationUri"])
    if function and not require_invoke_permission(here, visit, function):
        return INTERNAL
    event = (
        build_event_1(visit, verdict) if integration["payloadFormatVersion"] == "1.0" else build_event(visit, verdict)
    )
    return await hide_function_failures(function, event, integration["timeoutInMillis"] / 1000)


def _fetch(request: Request, uri: str) -> Answer:
    """What a page on this machine answers. `rules.http_api` lets no other into an integration."""
    parts = urlsplit(uri)
    try:
        status, body = loopback.get(parts.port or 80, parts.path or "/")
    except OSError:
        log.info("No answer from %s to %s", uri, request.method)
        return UNAVAILABLE
    return Answer(status, (("content-type", "application/json"),), body)


def _asked(request: Request, raw_path: str) -> decision.ApiRequest:
    target = raw_path + (f"?{request.query}" if request.query else "")
    path = state.decode_path(raw_path)
    return decision.ApiRequest(request.headers, tuple(request.parameters), request.method, path, target)


def _refused(verdict: Decision) -> Answer:
    challenge = (("www-authenticate", verdict.www_authenticate),) if verdict.www_authenticate else ()
    return Answer(verdict.status, (("content-type", "application/json"), *challenge), verdict.body.encode())
