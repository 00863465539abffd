"""What API Gateway asks of the authorizers of an HTTP API."""

from __future__ import annotations

import re

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import issuers
from labkit.cloud.rules.call import Call, Refusal, are_texts
from labkit.cloud.rules.http_api import GUIDE, named, others_of
from labkit.cloud.rules.registry import after, before
from labkit.cloud.rules.state import api

LAMBDA_SETTINGS = (
    *("authorizerPayloadFormatVersion", "authorizerResultTtlInSeconds", "enableSimpleResponses"),
    *("authorizerUri", "authorizerCredentialsArn"),
)
IDENTITY_SOURCE = re.compile(r"\$request\.(header|querystring)\.[\w-]+")


@before(
    "apigateway",
    "CreateAuthorizer",
    "UpdateAuthorizer",
    aws="A JWT authorizer has one identity source, a header or a query parameter, an issuer and an audience. An "
    "authorizer may also be a Lambda function.",
    source=GUIDE + "http-api-jwt-authorizer.html",
    ministack="Takes a JWT authorizer without any of them; emulates Lambda authorizers in part.",
)
def jwt_authorizer_is_complete(call: Call) -> Refusal | None:
    """An authorizer without one of them is a 400 BadRequestException. Lambda authorizers are not part of this cloud."""
    authorizer = {**named(call, "authorizer"), **call.params}
    if authorizer.get("authorizerType") != "JWT":
        return Refusal("BadRequestException", "Only JWT authorizers are part of the lab's embedded cloud.")
    sources, settings = authorizer.get("identitySource"), authorizer.get("jwtConfiguration")
    if not isinstance(sources, list) or len(sources) != 1 or not IDENTITY_SOURCE.fullmatch(str(sources[0])):
        return Refusal("BadRequestException", "Identity source must be one header or query string of the request.")
    if not isinstance(settings, dict) or not isinstance(settings.get("issuer"), str):
        return Refusal("BadRequestException", "Issuer must be set for a JWT authorizer.")
    if not settings.get("audience") or not are_texts(settings["audience"]):
        return Refusal("BadRequestException", "Audience must be set for a JWT authorizer.")
    return None


@before(
    "apigateway",
    "CreateAuthorizer",
    "UpdateAuthorizer",
    aws="BadRequestException: Invalid issuer: .... Issuer must have a valid discovery endpoint ended with "
    "'/.well-known/openid-configuration'. So the post's `us-east1` fails here.",
    source="https://github.com/haandol/cognito-kakao-example/issues/1",
    confidence="inferred",
    ministack="Takes any issuer; every token is then a 401.",
)
async def issuer_can_be_discovered(call: Call) -> Refusal | None:
    """The issuer is a user pool of this cloud or one on this machine whose discovery document is there, or it is a 400.

    AWS asks for https; an issuer on this machine is reached by http.
    """
    issuer = call.mapping("jwtConfiguration").get("issuer")
    if issuer is None or await issuers.has_discovery_document(str(issuer)):
        return None
    return Refusal(
        "BadRequestException",
        f"Caught exception when connecting to {issuer}/.well-known/openid-configuration for issuer {issuer}. "
        f"Please try again later. Error: Invalid issuer: {issuer}. "
        "Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'",
    )


@before(
    "apigateway",
    "CreateAuthorizer",
    "UpdateAuthorizer",
    aws="Authorizer name must be unique. Authorizer JWTAuth already exists in this RestApi.",
    source="https://github.com/aws/aws-cdk/issues/20170",
    confidence="inferred",
    ministack="Makes a second authorizer of the same name.",
)
def authorizer_name_is_unique(call: Call) -> Refusal | None:
    """A second authorizer of the same name is a 400 BadRequestException."""
    name, others = call.text("name"), others_of(call, "authorizer")
    if not name or name not in (authorizer["name"] for authorizer in others):
        return None
    message = f"Authorizer name must be unique. Authorizer {name} already exists in this RestApi."
    return Refusal("BadRequestException", message)


@after(
    "apigateway",
    "CreateAuthorizer",
    "UpdateAuthorizer",
    aws="A payload format version and a time to live belong to Lambda authorizers. A JWT authorizer has neither.",
    source="https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/apigatewayv2/"
    "authorizer_test.go",
    confidence="maintainer",
    ministack="Describes every authorizer with both.",
)
def jwt_authorizers_have_no_lambda_settings(call: Call, answer: Answer) -> Answer | None:
    """A JWT authorizer is described without the settings of Lambda authorizers."""
    content = answer.json()
    if not answer.good:
        return None
    owner = api(call.text("apiId"))
    for record in (content, owner.authorizers[content["authorizerId"]] if owner else {}):
        for name in LAMBDA_SETTINGS:
            record.pop(name, None)
    return answer.with_json(content)


@before(
    "apigateway",
    "DeleteAuthorizer",
    aws="ConflictException: Cannot delete authorizer '...', is referenced in route: ...",
    source="https://github.com/anomalyco/sst/issues/5586",
    confidence="inferred",
    ministack="Deletes it; every call of the route is then a 401.",
)
def authorizer_in_use_stays(call: Call) -> Refusal | None:
    """An authorizer that a route names is not deleted: 409 ConflictException."""
    owner, authorizer_id = api(call.text("apiId")), call.text("authorizerId")
    users = [r for r in owner.routes.values() if r.get("authorizerId") == authorizer_id] if owner else []
    keys = [route["routeKey"] for route in users if route.get("authorizationType") != "NONE"]
    if not keys:
        return None
    message = f"Cannot delete authorizer '{authorizer_id}', is referenced in route: {', '.join(keys)}"
    return Refusal("ConflictException", message, 409)
