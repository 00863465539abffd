"""The control plane of API Gateway's HTTP APIs."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import issuers, state
from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.registry import after, before
from labkit.cloud.rules.state import Record, api

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
API_REFERENCE = "https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/"

METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
ROUTE_KEY = re.compile(rf"\$default|({'|'.join(METHODS)}) /\S*")
STAGE_NAME = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")


@before(
    "apigateway",
    "CreateRoute",
    "UpdateRoute",
    aws='A route key is a method and a path, or "$default".',
    source=GUIDE + "http-api-develop-routes.html",
    ministack="Takes any text.",
)
def route_key_has_method_and_path(call: Call) -> Refusal | None:
    """Any other route key is a 400 BadRequestException."""
    if call.operation == "UpdateRoute" and "routeKey" not in call.params:
        return None
    if ROUTE_KEY.fullmatch(call.text("routeKey")):
        return None
    return Refusal(
        "BadRequestException",
        "The provided route key is not formatted properly for HTTP protocol. "
        'Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"',
    )


@before(
    "apigateway",
    "CreateRoute",
    "UpdateRoute",
    aws="ConflictException: Route with key GET /AdminUser already exists for this API.",
    source="https://github.com/anomalyco/sst/issues/5031",
    confidence="inferred",
    ministack="Makes a second route with the same key.",
)
def route_key_is_unique(call: Call) -> Refusal | None:
    """A second route with the same key is a 409 ConflictException."""
    key, others = call.text("routeKey"), others_of(call, "route")
    if not key or key not in (route["routeKey"] for route in others):
        return None
    return Refusal("ConflictException", f"Route with key {key} already exists for this API", 409)


@before(
    "apigateway",
    "CreateRoute",
    "UpdateRoute",
    aws="BadRequestException: Setting the authorization type to JWT requires a valid JWT authorizer.",
    source="https://github.com/anomalyco/ion/issues/1104",
    confidence="inferred",
    ministack="Makes the route; every call of it is then a 401.",
)
def jwt_route_needs_its_authorizer(call: Call) -> Refusal | None:
    """A route of type JWT names an authorizer of its API: 400 BadRequestException otherwise."""
    owner, route = api(call.text("apiId")), {**named(call, "route"), **call.params}
    if owner is None or route.get("authorizationType") != "JWT" or route.get("authorizerId") in owner.authorizers:
        return None
    return Refusal(
        "BadRequestException",
        "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.",
    )


@before(
    "apigateway",
    "CreateRoute",
    "UpdateRoute",
    aws="A route's target is an integration of its API.",
    source=API_REFERENCE + "apis-apiid-routes.html",
    confidence="inferred",
    ministack="Takes any text; a call of the route is then a 500.",
)
def route_target_is_an_integration(call: Call) -> Refusal | None:
    """A target that is no integration of the API is a 400 BadRequestException."""
    owner, target = api(call.text("apiId")), call.text("target")
    if not owner or not target or target.removeprefix("integrations/") in owner.integrations:
        return None
    return Refusal("BadRequestException", "Invalid integration identifier specified")


@before(
    "apigateway",
    "CreateRoute",
    "UpdateRoute",
    aws="Routes can also be authorized by a Lambda function.",
    source=GUIDE + "http-api-access-control.html",
    ministack="Emulates that in part.",
)
def routes_have_no_lambda_authorizer(call: Call) -> Refusal | None:
    """Only the authorization types NONE, JWT and AWS_IAM are part of this cloud: 400 BadRequestException otherwise."""
    kind = call.params.get("authorizationType", "NONE")
    if kind in ("NONE", "JWT", "AWS_IAM"):
        return None
    return Refusal("BadRequestException", f"Authorization type {kind} is not part of the lab's embedded cloud.")


@before(
    "apigateway",
    "CreateIntegration",
    "UpdateIntegration",
    aws="A Lambda integration needs its payload format version said: 1.0 or 2.0. There are other kinds of integration.",
    source=GUIDE + "http-api-develop-integrations-lambda.html",
    ministack="Takes 2.0 where none is said, and sends 2.0 whatever is said.",
)
def integrations_are_lambda_proxies(call: Call) -> Refusal | None:
    """A Lambda integration says 1.0 or 2.0. Of the other kinds only an HTTP proxy to this machine is here."""
    integration = {**named(call, "integration"), **call.params}
    kind, uri = integration.get("integrationType"), str(integration.get("integrationUri") or "")
    if kind == "HTTP_PROXY" and _on_this_machine(uri):
        return None
    if kind != "AWS_PROXY":
        return Refusal("BadRequestException", f"Integrations of type {kind} are not part of the lab's embedded cloud.")
    if integration.get("payloadFormatVersion") in ("1.0", "2.0"):
        return None
    return Refusal(
        "BadRequestException", "PayloadFormatVersion must be 1.0 or 2.0 for an integration of type AWS_PROXY."
    )


@before(
    "apigateway",
    "DeleteIntegration",
    aws="ConflictException: Cannot delete Integration because it is referenced by the following Routes with Ids: [].",
    source="https://github.com/milliHQ/terraform-aws-next-js/issues/247",
    confidence="inferred",
    ministack="Deletes it.",
)
def integration_in_use_stays(call: Call) -> Refusal | None:
    """An integration that a route points at is not deleted: 409 ConflictException."""
    owner = api(call.text("apiId"))
    target = f"integrations/{call.text('integrationId')}"
    using = [route["routeId"] for route in owner.routes.values() if route["target"] == target] if owner else []
    if not using:
        return None
    message = f"Cannot delete Integration because it is referenced by the following Routes with Ids: {using}"
    return Refusal("ConflictException", message.replace("'", ""), 409)


@after(
    "apigateway",
    "TagResource",
    "UntagResource",
    aws="GetApi, GetApis, GetStage and GetStages tell the tags that a resource has now.",
    source=API_REFERENCE + "tags-resource-arn.html",
    ministack="Tells the tags that it was made with.",
)
def described_tags_are_current(call: Call, answer: Answer) -> None:
    """A tag that was added or taken away is so in every description of the API and of its stages."""
    if answer.good:
        state.refresh_tags(call.here.account_id, call.region)


@after(
    "apigateway",
    "UpdateRoute",
    aws="The authorization type NONE detaches a route from its authorizer; leaving the authorizer out does not.",
    source="https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2184",
    confidence="inferred",
    ministack="Keeps the authorizer.",
)
def open_route_has_no_authorizer(call: Call, answer: Answer) -> Answer | None:
    """A route of type NONE forgets its authorizer, which may then be deleted."""
    route = named(call, "route")
    if route.get("authorizationType") != "NONE" or not route.pop("authorizerId", None):
        return None
    content = answer.json()
    return answer.with_json({name: value for name, value in content.items() if name != "authorizerId"})


@before(
    "apigateway",
    "CreateStage",
    aws="A stage's name has letters, digits, hyphens and underscores, up to 128, or is $default, and occurs once an "
    "API.",
    source=API_REFERENCE + "apis-apiid-stages.html",
    ministack="Takes any name, and puts a second stage in the place of the first.",
)
def stage_name_is_new_and_plain(call: Call) -> Refusal | None:
    """A name of other characters is a 400 BadRequestException, a second stage of one name a 409 ConflictException."""
    name, owner = call.text("stageName"), api(call.text("apiId"))
    if not STAGE_NAME.fullmatch(name):
        return Refusal("BadRequestException", f"Invalid stage name: {name}")
    if owner and name in owner.stages:
        return Refusal("ConflictException", "Stage already exists", 409)
    return None


@before(
    "apigateway",
    "DeleteRoute",
    "DeleteIntegration",
    "DeleteAuthorizer",
    "DeleteStage",
    "DeleteDeployment",
    aws="NotFoundException (404).",
    source=API_REFERENCE + "apis-apiid-routes-routeid.html",
    ministack="Answers 204.",
)
def deleting_needs_something_there(call: Call) -> Refusal | None:
    """Deleting what is not there is a 404 NotFoundException."""
    kind = call.operation.removeprefix("Delete").lower()
    label = "stageName" if kind == "stage" else f"{kind}Id"
    owner = api(call.text("apiId"))
    if owner is None or call.text(label) in getattr(owner, f"{kind}s"):
        return None
    return Refusal("NotFoundException", f"Invalid {kind.capitalize()} identifier specified", 404)


@before(
    "apigateway",
    "CreateApi",
    aws="Target makes an API with a route and a stage in one call; the protocol may also be WEBSOCKET.",
    source=API_REFERENCE + "apis.html",
    ministack="Ignores Target; emulates WebSocket APIs in part.",
)
def apis_are_http_without_quick_create(call: Call) -> Refusal | None:
    """Only HTTP APIs made step by step are part of this cloud: 400 BadRequestException otherwise."""
    if call.params.get("protocolType") == "HTTP" and not call.params.get("target"):
        return None
    return Refusal("BadRequestException", "Quick create and WebSocket APIs are not part of the lab's embedded cloud.")


@after(
    "apigateway",
    "CreateApi",
    aws="ApiEndpoint is the URL at which the API can be called.",
    source=API_REFERENCE + "apis.html",
    ministack="Names a host that this machine does not know.",
)
def endpoint_can_be_called(call: Call, answer: Answer) -> Answer | None:
    """ApiEndpoint is the API's URL on this machine."""
    content = answer.json()
    owner = api(content.get("apiId", "")) if isinstance(content, dict) else None
    if owner is None:
        return None
    owner.record["apiEndpoint"] = f"http://127.0.0.1:{call.here.port}/_aws/execute-api/{owner.id}"
    return answer.with_json({**content, "apiEndpoint": owner.record["apiEndpoint"]})


def others_of(call: Call, kind: str) -> list[Record]:
    """Every other route, or integration, or authorizer of the API that a call names."""
    return [member for key, member in _members(call, kind).items() if key != call.text(f"{kind}Id")]


def named(call: Call, kind: str) -> Record:
    """The route, or integration, or authorizer that a call names; nothing if there is none."""
    return _members(call, kind).get(call.text(f"{kind}Id"), {})


def _members(call: Call, kind: str) -> dict[str, Record]:
    owner = api(call.text("apiId"))
    return getattr(owner, f"{kind}s") if owner else {}


def _on_this_machine(uri: str) -> bool:
    try:
        return urlsplit(uri).scheme == "http" and urlsplit(uri).hostname in issuers.LOOPBACK
    except ValueError:
        return False
