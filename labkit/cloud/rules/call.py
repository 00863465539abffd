"""One call of an AWS operation: what it is called, its parameters, and how its service words a refusal.

https://smithy.io/2.0/aws/protocols/index.html describes the protocols.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

from botocore.loaders import Loader

from labkit.cloud.exchange import Answer, Request
from labkit.cloud.rules.memory import Deployments, SignIns, Weather
from labkit.cloud.visits import Visits

JSON_TARGETS = {
    "cognito-idp": "AWSCognitoIdentityProviderService",
    "logs": "Logs_20140328",
    "tagging": "ResourceGroupsTaggingAPI_20170126",
}
QUERY_NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
# The name that a request is signed for, and the service model that describes the operations behind it.
REST_MODELS = {"lambda": "lambda", "apigateway": "apigatewayv2"}
SERVICES = (*JSON_TARGETS, *QUERY_NAMESPACES, *REST_MODELS)


@dataclass(frozen=True)
class Here:
    """What the rules know of the cloud that they are in."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account_id: str
    port: int
    weather: Weather
    deployments: Deployments
    sign_ins: SignIns
    visits: Visits
    now: Callable[[], float]


@dataclass(frozen=True)
class Refusal:
    """An error of AWS: its name, its sentence, its HTTP status."""

    code: str
    message: str
    status: int = 400


@dataclass
class Call:
    """A call of one operation. A rule that changes `params` sets `changed`.

    Attributes:
        service: the name that the request is signed for: one of SERVICES.
        params: the request's JSON body or form, with the labels of its path and its query string.
        region: the region that the request is signed for.
    """

    here: Here
    request: Request
    service: str
    operation: str
    params: dict[str, Any]
    region: str
    changed: bool = False

    def text(self, name: str) -> str:
        """A parameter that should be a string; empty if it is missing or something else."""
        value = self.params.get(name)
        return value if isinstance(value, str) else ""

    def mapping(self, name: str) -> dict[str, Any]:
        """A parameter that should be a structure; empty if it is missing or something else."""
        value = self.params.get(name)
        return value if isinstance(value, dict) else {}


class UnknownCallError(Exception):
    """A request that no operation of its service answers to."""


def read_call(here: Here, request: Request, service: str, region: str) -> Call:
    """Read a request to one of SERVICES.

    Raises:
        UnknownCallError: no operation of the service has this path, or this name.
        ValueError: the body is not what the service's protocol asks for.
    """
    if service in REST_MODELS:
        operation, placed = _rest_operation(service, request)
        # UpdateFunctionCode and the like take JSON; Invoke and its kind take whatever their function does.
        body = {} if operation.startswith("Invoke") else _json_object(request.body)
        return Call(here, request, service, operation, {**body, **placed}, region)
    if request.path != "/":
        raise UnknownCallError(request.path)
    if service in QUERY_NAMESPACES:
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        params = dict(request.parameters) | form
        return Call(here, request, service, str(params.get("Action", "")), params, region)
    target, _, operation = (request.header("x-amz-target") or "").partition(".")
    if target != JSON_TARGETS[service]:
        raise UnknownCallError(target)
    return Call(here, request, service, operation, _json_object(request.body), region)


def are_texts(value: object) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def refused(service: str, refusal: Refusal) -> Answer:
    """A refusal in the words of a service's protocol. `service` may also be one that is not part of this cloud."""
    if service in QUERY_NAMESPACES:
        return refused_in_xml(QUERY_NAMESPACES[service], refusal)
    content = {"__type": refusal.code, "message": refusal.message}
    media = "application/x-amz-json-1.1" if service in JSON_TARGETS else "application/json"
    headers = (("x-amzn-errortype", refusal.code), ("x-amzn-requestid", str(uuid.uuid4())))
    return Answer.of_json(refusal.status, content, *headers, media=media)


def refused_in_xml(namespace: str, refusal: Refusal) -> Answer:
    """A refusal in the words of the Query protocol."""
    text = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>'
        f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Answer(refusal.status, (("content-type", "text/xml"),), text.encode("utf-8", "replace"))


def _json_object(body: bytes) -> dict[str, Any]:
    content = json.loads(body) if body else {}
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def _rest_operation(service: str, request: Request) -> tuple[str, dict[str, str]]:
    """The operation, and the parameters that its model places in the path and in the query string."""
    path, said = request.raw_path.rstrip("/"), request.parameters
    for operation, method, pattern, constants, names in _rest_paths(REST_MODELS[service]):
        found = pattern.fullmatch(path) if method == request.method and constants <= set(said) else None
        if found:
            labels = {name: unquote(value) for name, value in found.groupdict().items()}
            return operation, {name: value for name, value in said if name in names} | labels
    raise UnknownCallError(request.path)


@cache
def service_model(name: str) -> dict[str, Any]:
    """A service as botocore describes it, read once."""
    return dict(Loader().load_service_model(name, "service-2"))


def members(model: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters of an operation of a model, as they are described."""
    return model["shapes"][operation["input"]["shape"]]["members"] if "input" in operation else {}


@cache
def _rest_paths(model: str) -> list[tuple[str, str, re.Pattern[str], set[tuple[str, str]], set[str]]]:
    """Every operation of a service model, the longest address first: its name, its method, its path, what its query
    string always has, and what it may have."""
    loaded = service_model(model)
    listed = sorted(loaded["operations"].items(), key=lambda one: len(one[1]["http"]["requestUri"]), reverse=True)
    paths = []
    for name, operation in listed:
        path, _, constants = operation["http"]["requestUri"].partition("?")
        fixed, may = set(parse_qsl(constants)), _in_query(loaded, operation)
        paths.append((name, operation["http"]["method"], re.compile(_pattern(path)), fixed, may))
    return paths


def _in_query(model: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    described = members(model, operation).values()
    return {member["locationName"] for member in described if member.get("location") == "querystring"}


def _pattern(uri: str) -> str:
    parts = re.split(r"\{([^{}+]+)(\+?)\}", uri.rstrip("/"))
    pattern = re.escape(parts[0])
    for label, greedy, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        name = label.replace("-", "_")
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(rest)
    return pattern
