"""What passes between an HTTP API and its function: the event in payload format 2.0, and the function's answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labkit.cloud.exchange import Answer, Request
from labkit.cloud.rules import state
from labkit.cloud.rules.registry import gate
from labkit.tokens.decision import Decision

LAMBDA_GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"
CLAIMS_SEEN = "https://github.com/floci-io/floci/pull/2011"

STATUS = re.compile(r"[1-5][0-9]{2}")
TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Visit:
    """A request that found its route.

    `path` is the request's path behind the stage, decoded; `labels` are the values of the route's path parameters.
    """

    api: state.Api
    stage: str
    path: str
    route: Mapping[str, Any]
    labels: Mapping[str, str]
    request: Request
    request_id: str
    seconds: float


@gate(
    "execute-api",
    "event",
    aws="The event names the stage in rawPath, joins repeated headers and query parameters with commas, lists "
    "cookies, and leaves out what is empty.",
    source=LAMBDA_GUIDE,
    ministack="Leaves the stage out of rawPath, keeps the last of repeated headers, and does not list cookies.",
)
def build_event(visit: Visit, decision: Decision | None) -> dict[str, Any]:
    """The function gets the event of payload format 2.0 with AWS's host name in it."""
    request, route_key = visit.request, visit.route["routeKey"]
    domain = f"{visit.api.id}.execute-api.{visit.api.region}.amazonaws.com"
    raw_path = visit.path if visit.stage == "$default" else f"/{visit.stage}{visit.path}"
    body, is_base64 = _body(request)
    context = {
        "accountId": visit.api.account_id,
        "apiId": visit.api.id,
        "authorizer": {"jwt": read_claims(visit, decision)} if decision else None,
        "domainName": domain,
        "domainPrefix": visit.api.id,
        "http": {
            "method": request.method,
            "path": raw_path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.client,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": visit.request_id,
        "routeKey": route_key,
        "stage": visit.stage,
        "time": datetime.fromtimestamp(visit.seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(visit.seconds * 1000),
    }
    event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": request.query,
        "cookies": [cookie.strip() for value in request.values("cookie") for cookie in value.split(";")],
        "headers": _joined((n, v) for n, v in request.headers if n not in ("cookie", "host")) | {"host": domain},
        "queryStringParameters": _joined(request.parameters),
        "requestContext": {name: value for name, value in context.items() if value is not None},
        "pathParameters": dict(visit.labels),
        "stageVariables": visit.api.stages[visit.stage].get("stageVariables"),
        "body": body,
    }
    return {name: value for name, value in event.items() if value or name == "rawQueryString"} | {
        "isBase64Encoded": is_base64
    }


@gate(
    "execute-api",
    "event",
    aws="Every claim reaches the function as text: numbers and booleans written out, a list as [a b], a structure as "
    "JSON; a null claim does not. The scopes are all of the token's on a route that asks for scopes, and null on one "
    "that does not.",
    source=CLAIMS_SEEN,
    confidence="inferred",
    ministack="Hands over the claims so, and an empty list of scopes where AWS has null.",
)
def read_claims(visit: Visit, decision: Decision) -> dict[str, Any]:
    """The verified claims as text, and the scopes."""
    claims = {name: claim_text(value) for name, value in (decision.claims or {}).items() if value is not None}
    scoped = bool(visit.route.get("authorizationScopes"))
    return {"claims": claims, "scopes": list(decision.scopes) if scoped else None}


def claim_text(value: Any) -> str:
    """A claim as a function gets it."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else json.dumps(value)
    texts = []
    for member in value:  # no comprehension: its calls would add up to Python's limit before `jws.DEEPEST` levels
        texts.append(claim_text(member))
    return f"[{' '.join(texts)}]"


@gate(
    "execute-api",
    "event",
    aws="An integration of payload format 1.0 gets the event of REST APIs, with the claims beside the scopes.",
    source=LAMBDA_GUIDE,
    ministack="Sends the event of format 2.0.",
)
def build_event_1(visit: Visit, decision: Decision | None) -> dict[str, Any]:
    """The function gets the event of payload format 1.0."""
    modern = build_event(visit, decision)
    context, labels = modern["requestContext"], modern.get("pathParameters")
    resource = visit.route["routeKey"].rpartition(" ")[2]
    headers = modern["headers"] | _joined((n, v) for n, v in visit.request.headers if n == "cookie")
    query = visit.request.parameters
    return {
        "version": "1.0",
        "resource": resource,
        "path": modern["rawPath"],
        "httpMethod": visit.request.method,
        "headers": headers,
        "multiValueHeaders": {name: visit.request.values(name) or [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": {name: [v for n, v in query if n == name] for name, _ in query} or None,
        "requestContext": {
            **{
                name: context[name]
                for name in ("accountId", "apiId", "domainName", "domainPrefix", "requestId", "stage")
            },
            "authorizer": context.get("authorizer", {}).get("jwt", {"claims": None, "scopes": None}),
            "extendedRequestId": visit.request_id,
            "httpMethod": visit.request.method,
            "identity": {"sourceIp": visit.request.client, "userAgent": visit.request.header("user-agent") or ""},
            "path": modern["rawPath"],
            "protocol": "HTTP/1.1",
            "requestTime": context["time"],
            "requestTimeEpoch": context["timeEpoch"],
            "resourcePath": resource,
        },
        "pathParameters": labels,
        "stageVariables": modern.get("stageVariables"),
        "body": modern.get("body"),
        "isBase64Encoded": modern["isBase64Encoded"],
    }


class BadAnswerError(Exception):
    """A function's answer is not one that an HTTP API understands."""


@gate(
    "execute-api",
    "answer",
    aws="An answer with a statusCode is taken apart; its content-type is text/plain unless it names one. Any other "
    "answer is a 200 with it as the body, in application/json. A statusCode that is no number is a 500.",
    source=LAMBDA_GUIDE,
    confidence="inferred",
    ministack="Always falls back to application/json, and answers a bad statusCode with a 500 and an empty body.",
)
def read_function_answer(returned: Any) -> Answer:
    """The HTTP answer that a function's returned value stands for."""
    if not isinstance(returned, Mapping) or "statusCode" not in returned:
        body = returned if isinstance(returned, str) else json.dumps(returned, ensure_ascii=False)
        return Answer(200, (("content-type", "application/json"),), body.encode("utf-8", "replace"))
    headers = _headers(returned.get("headers"))
    if "content-type" not in (name for name, _ in headers):
        headers.insert(0, ("content-type", "text/plain; charset=utf-8"))
    cookies = returned.get("cookies") or []
    if not isinstance(cookies, list):
        raise BadAnswerError("cookies")
    headers += [("set-cookie", str(cookie)) for cookie in cookies]
    return Answer(_status(returned["statusCode"]), tuple(headers), _answer_body(returned))


def _body(request: Request) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media.startswith("text/") or media in TEXT_TYPES:
        return request.body.decode("utf-8", "replace"), False
    return base64.b64encode(request.body).decode(), True


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _status(value: Any) -> int:
    if not STATUS.fullmatch(str(value)):
        raise BadAnswerError("statusCode")
    return int(value)


def _headers(given: Any) -> list[tuple[str, str]]:
    if not isinstance(given or {}, Mapping):
        raise BadAnswerError("headers")
    headers = [(str(name).lower(), _header_text(value)) for name, value in (given or {}).items()]
    if any(character in name + value for name, value in headers for character in "\r\n\0"):
        raise BadAnswerError("headers")
    return [(name, value) for name, value in headers if name not in ("content-length", "transfer-encoding")]


def _header_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _answer_body(returned: Mapping[str, Any]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadAnswerError("body")
    if not returned.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise BadAnswerError("body") from None
