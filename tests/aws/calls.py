"""The probes of AWS's calls: what is refused, in which words. The last ones harm the lab, which goes next."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import requests
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from labkit.target.names import DEFAULT_STAGE, PRE_TOKEN, REGULAR, ROLE_PATH
from labkit.target.target import Target
from labkit.tokens.token import decode
from tests.aws.grounds import RAISING, UNREADABLE, Grounds
from tests.aws.probes import Ask, Probe
from tests.cloud.rules.srp import Srp

NO_ID = "aaaaaaa"
NOWHERE = "https://cognito-idp.us-east1.amazonaws.com/us-east1_AAAAAAAAA"
NOT_FOUND_THERE = (
    f"400 BadRequestException: Caught exception when connecting to {NOWHERE}/.well-known/openid-configuration for "
    f"issuer {NOWHERE}. Please try again later. Error: Invalid issuer: {NOWHERE}. "
    "Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'"
)
NEEDS_AUTHORIZER = (
    "400 BadRequestException: Invalid authorizer ID specified. "
    "Setting the authorization type to JWT requires a valid JWT authorizer."
)


def hosted_url(target: Target, domain: str) -> str:
    """The URL of the hosted sign-in."""
    return f"https://{domain}.auth.{target.place.region}.amazoncognito.com"


def _gateway(operation: str, **parameters: Any) -> Ask:
    """A call about the second API. A parameter `$NAME` is one of the grounds' ids."""

    def ask(g: Grounds) -> str:
        filled = {
            k: g.ids[v[1:]] if str(v).startswith("$") and v != DEFAULT_STAGE else v for k, v in parameters.items()
        }
        return g.refused("apigatewayv2", operation, ApiId=g.api, **filled)

    return ask


def _authorizer(name: str, issuer: str = "") -> Ask:
    return lambda g: g.refused(
        "apigatewayv2",
        "create_authorizer",
        ApiId=g.api,
        Name=name,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer or g.url, "Audience": ["app"]},
    )


def _opened(g: Grounds) -> str:
    """Open a route, and read whether it still names its authorizer."""
    route = {"ApiId": g.api, "RouteId": g.ids["spare_route"]}
    g.client("apigatewayv2").update_route(**route, AuthorizationType="NONE")
    found = g.client("apigatewayv2").get_route(**route)
    return "an authorizer" if found.get("AuthorizerId") else "no authorizer"


def _no_pool(g: Grounds) -> str:
    place = g.target.place
    return str(requests.get(place.keys_url(place.issuer(f"{place.region}_AAAAAAAAA")), timeout=30).status_code)


def _twice(g: Grounds) -> str:
    query = [("response_type", "code"), *[("client_id", g.found["app_client_id"])] * 2]
    url = f"{hosted_url(g.target, g.found['domain'])}/oauth2/authorize"
    return str(requests.get(url, params=query, timeout=30, allow_redirects=False).status_code)


def _srp(g: Grounds) -> str:
    """Prove a password, and send the same proof again."""
    srp = Srp(g.found["user_pool_id"], g.lab.password("regularuser"))
    client = {"ClientId": g.found["app_client_id"]}
    challenge = g.client("cognito-idp").initiate_auth(
        AuthFlow="USER_SRP_AUTH", AuthParameters=srp.parameters("regularuser"), **client
    )
    proof = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": srp.proof(challenge["ChallengeParameters"])}
    once, again = (g.refused("cognito-idp", "respond_to_auth_challenge", **proof, **client) for _ in range(2))
    return f"{once}, then {again}"


def _zero(g: Grounds) -> str:
    parameters = {"USERNAME": "regularuser", "SRP_A": "0"}
    begin = {"AuthFlow": "USER_SRP_AUTH", "ClientId": g.found["app_client_id"], "AuthParameters": parameters}
    return g.refused("cognito-idp", "initiate_auth", **begin)


def _unreadable(g: Grounds) -> str:
    """A body that is no JSON, sent to a call that takes no signature."""
    headers = {
        "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        "Content-Type": "application/x-amz-json-1.1",
    }
    url = f"{g.client('cognito-idp').meta.endpoint_url}/"
    answer = URLLib3Session().send(AWSRequest("POST", url, data=b"{", headers=headers).prepare())
    return f"{answer.status_code} {json.loads(answer.content).get('__type')}"


def _event(g: Grounds) -> str:
    tokens = [decode(token).claims for kind, token in g.lab.tokens("regularuser").items() if kind != "refresh"]
    events = {str(claims.get("event_id")) for claims in tokens}
    return "one event_id" if len(events) == 1 and "None" not in events else f"{len(events)} event_ids"


def _unset(g: Grounds) -> str:
    ask = g.client("cognito-idp").describe_user_pool_client
    described = ask(UserPoolId=g.found["user_pool_id"], ClientId=g.found["app_client_id"])["UserPoolClient"]
    return ", ".join(sorted(name for name, value in described.items() if value in ("", None))) or "none is empty"


def _mixed(g: Grounds) -> str:
    flows = ["ADMIN_NO_SRP_AUTH", "ALLOW_USER_SRP_AUTH"]
    pool = {"UserPoolId": g.found["user_pool_id"], "ClientName": "probe"}
    return g.refused("cognito-idp", "create_user_pool_client", ExplicitAuthFlows=flows, **pool)


def _no_role(g: Grounds) -> str:
    names = g.target.names
    role = f"arn:{names.partition}:iam::{names.account}:role{ROLE_PATH}{names.lab}-nobody"
    change = {"FunctionName": names.function(REGULAR), "Role": role}
    return g.refused("lambda", "update_function_configuration", **change)


def _trigger(code: str, ending: str) -> Ask:
    def ask(g: Grounds) -> str:
        g.trigger(code)
        return g.signed_in(lambda answer: ending in answer)

    return ask


def _not_permitted(g: Grounds) -> str:
    """Take every permission of the trigger away, and sign in."""
    name = g.target.names.function(PRE_TOKEN)
    policy = g.target.read("lambda", "get_policy", FunctionName=name)
    for statement in json.loads(policy["Policy"])["Statement"] if policy else []:
        g.client("lambda").remove_permission(FunctionName=name, StatementId=statement["Sid"])
    return g.signed_in(lambda answer: "UnexpectedLambda" in answer)


def _pool(g: Grounds) -> str:
    return g.refused("cognito-idp", "delete_user_pool", UserPoolId=g.found["user_pool_id"])


_plain = partial(Probe, needs_api=False)

CALLS = (
    _plain(
        "deployment_needs_a_route",
        "a deployment of an API without routes",
        "400 BadRequestException: Unable to deploy API because no routes exist in this API",
        lambda g: g.noted["deployment_needs_a_route"],
    ),
    _plain(
        "deployment_needs_its_stage",
        "a deployment to an unknown stage",
        "404 NotFoundException",
        _gateway("create_deployment", StageName="nothere"),
    ),
    _plain(
        "route_key_is_unique",
        "a second route with one key",
        "409 ConflictException: Route with key GET /act/{act} already exists for this API",
        _gateway("create_route", RouteKey="GET /act/{act}"),
    ),
    _plain(
        "jwt_route_needs_its_authorizer",
        "a JWT route with an unknown authorizer",
        NEEDS_AUTHORIZER,
        _gateway("create_route", RouteKey="GET /x", AuthorizationType="JWT", AuthorizerId=NO_ID),
    ),
    _plain(
        "jwt_route_needs_its_authorizer",
        "a JWT route without one",
        NEEDS_AUTHORIZER,
        _gateway("create_route", RouteKey="GET /y", AuthorizationType="JWT"),
    ),
    _plain(
        "route_target_is_an_integration",
        "a route to an unknown integration",
        "400 BadRequestException",
        _gateway("create_route", RouteKey="GET /z", Target=f"integrations/{NO_ID}"),
    ),
    _plain(
        "issuer_can_be_discovered",
        "an authorizer that trusts us-east1",
        NOT_FOUND_THERE,
        _authorizer("nowhere", NOWHERE),
    ),
    Probe(
        "authorizer_name_is_unique",
        "a second authorizer of one name",
        "400 BadRequestException: Authorizer name must be unique. Authorizer header already exists in this RestApi.",
        _authorizer("header"),
    ),
    Probe(
        "integration_in_use_stays",
        "the deletion of an integration in use",
        "409 ConflictException: Cannot delete Integration because it is referenced by the following Routes with Ids: "
        "[<spare_route>]",
        _gateway("delete_integration", IntegrationId="$spare_integration"),
    ),
    Probe(
        "authorizer_in_use_stays",
        "the deletion of an authorizer in use",
        "409 ConflictException: Cannot delete authorizer '<spare_authorizer>', is referenced in route: GET /spare",
        _gateway("delete_authorizer", AuthorizerId="$spare_authorizer"),
    ),
    Probe("open_route_has_no_authorizer", "a route set to NONE", "no authorizer", _opened),
    Probe(
        "open_route_has_no_authorizer",
        "the deletion of the authorizer that it had",
        "done",
        _gateway("delete_authorizer", AuthorizerId="$spare_authorizer"),
    ),
    _plain("key_set_needs_a_pool", "the key set of no user pool", "404", _no_pool),
    _plain("parameters_come_once", "the hosted sign-in with client_id twice", "400", _twice),
    _plain("nothing_internal_leaks", "a body that is no JSON", "400 SerializationException", _unreadable),
    _plain("tokens_name_their_event", "both tokens of one sign-in", "one event_id", _event),
    _plain(
        "unset_settings_are_not_described", "the app client's settings that are empty texts", "none is empty", _unset
    ),
    _plain("password_is_proved_once", "one proof of a password, twice", "done, then 400 NotAuthorizedException", _srp),
    _plain("password_is_proved_once", "an SRP_A that is 0", "400 InvalidParameterException", _zero),
    _plain("flows_are_of_one_kind", "an app client with flows of both kinds", "400 InvalidParameterException", _mixed),
    _plain(
        "lambda_can_assume_the_role",
        "a function with a role that does not exist",
        "400 InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.",
        _no_role,
    ),
    _plain(
        "trigger_failures_have_three_names",
        "a trigger that raises",
        "400 UserLambdaValidationException: PreTokenGeneration failed with error boom.",
        _trigger(RAISING, "UserLambda"),
    ),
    _plain(
        "trigger_failures_have_three_names",
        "a trigger that answers badly",
        "400 InvalidLambdaResponseException: Unrecognizable lambda output",
        _trigger(UNREADABLE, "InvalidLambda"),
    ),
    _plain(
        "trigger_failures_have_three_names",
        "a trigger that may not be invoked",
        "400 UnexpectedLambdaException: PreTokenGeneration invocation failed due to error AccessDeniedException.",
        _not_permitted,
    ),
    _plain(
        "pool_with_a_domain_stays",
        "the deletion of a user pool with a domain",
        "400 InvalidParameterException: User pool cannot be deleted. "
        "It has a domain configured that should be deleted first.",
        _pool,
    ),
)
