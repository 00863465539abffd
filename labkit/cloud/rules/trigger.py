"""The pre token generation trigger: when it runs, what it may change, and how its failures read.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from labkit.cloud.rules import state
from labkit.cloud.rules.call import Here, are_texts
from labkit.cloud.rules.data_plane import may_invoke
from labkit.cloud.rules.registry import gate, patch

PAGE = "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html"
TRIGGERS = (
    "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html"
)

Claims = dict[str, Any]

ID = "id"
ACCESS = "access"
# What a sign-in through the API gives its access token, and nothing else does.
API_SCOPE = "aws.cognito.signin.user.admin"

# The claims that a trigger cannot change; nor any other whose name begins with `cognito:`.
RESERVED = {
    *("acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat"),
    *("identities", "iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version"),
}

_answers = threading.local()


class TriggerError(Exception):
    """A trigger that keeps a user from signing in. `code` is Cognito's name for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@patch(
    "cognito-idp",
    "services.cognito",
    "_apply_pretoken_trigger",
    aws="The trigger runs once a sign-in. Version 1 changes the ID token, and the groups of both tokens; later "
    "versions both tokens, and the access token's scopes.",
    source=PAGE,
    ministack="Runs it for each token, and changes the groups of the ID token only.",
)
def trigger_runs_once_for_both_tokens(
    here: Here, _: Callable[..., Claims], pool_id: str, claims: Claims, token_type: str, **details: Any
) -> Claims:
    """The trigger runs for the access token, which is made first, and its answer serves for the ID token too."""
    claims = tokens_name_their_event(claims, token_type, details["scope"])
    pool = state.user_pool(pool_id)
    arn, version = _trigger(pool) if pool else ("", "")
    if pool is None or not arn or (details["trigger_source"].endswith("ClientCredentials") and version != "V3_0"):
        return claims
    remembered = getattr(_answers, "last", None)
    if token_type == ID and remembered and remembered[0] == claims.get("origin_jti"):
        answer, _answers.last = remembered[1], None
    else:
        event = state.trigger_event(pool_id=pool_id, version=version, **details)
        answer = read_trigger_answer(here, pool, arn, event)
        _answers.last = (claims.get("origin_jti"), answer)
    overrides = _part(answer, "claimsOverrideDetails" if version == "V1_0" else "claimsAndScopeOverrideDetails")
    groups = _groups(overrides)
    claims = (_v1 if version == "V1_0" else _v2)(overrides, claims, token_type)
    return claims if groups is None else {**claims, "cognito:groups": groups}


@gate(
    "cognito-idp",
    aws="Both tokens name the sign-in that they come from: event_id. An access token of the hosted sign-in has version "
    "2; AWS's sample shows it, with the scopes of such a token.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/"
    "amazon-cognito-user-pools-using-the-access-token.html",
    confidence="inferred",
    ministack="Has neither.",
)
def tokens_name_their_event(claims: Claims, token_type: str, scope: str) -> Claims:
    """A user's tokens have one event_id a sign-in, refreshed tokens too; the hosted sign-in's access tokens have
    version 2."""
    hosted = {"version": 2} if token_type == ACCESS and scope != API_SCOPE else {}
    user = "username" in claims or "cognito:username" in claims
    event = {"event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, claims["origin_jti"]))} if user else {}
    return {**claims, **event, **hosted}


@patch(
    "cognito-idp",
    "services.cognito",
    "_run_idp_handler",
    aws="UserLambdaValidationException: PreTokenGeneration failed with error .... UnexpectedLambdaException: "
    "PreTokenGeneration invocation failed due to error AccessDeniedException. InvalidLambdaResponseException: "
    "Unrecognizable lambda output. All of them are 400, which no SDK tries again.",
    source=TRIGGERS,
    confidence="inferred",
    ministack="500 InternalError to the first, which SDKs try five times; does not notice the others.",
)
def trigger_failures_have_three_names(
    _: Here, original: Callable[..., Any], handler: Any, action: str, data: Mapping[str, Any]
) -> Any:
    """One that raises, one that is gone or may not be invoked, one that answers badly: three errors, each a 400."""
    try:
        return original(handler, action, data)
    except TriggerError as error:
        body = json.dumps({"__type": error.code, "message": str(error)}).encode()
        return 400, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}, body


@patch(
    "cognito-idp",
    "services.cognito",
    "_oauth2_token",
    aws="The hosted sign-in's token endpoint answers 400 with an OAuth error.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html",
    confidence="inferred",
    ministack="500 InternalError.",
)
def trigger_failures_at_the_token_endpoint(_: Here, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A failing trigger is answered with 400 invalid_request and the trigger's error as its description."""
    try:
        return original(*args, **kwargs)
    except TriggerError as error:
        body = json.dumps({"error": "invalid_request", "error_description": f"{error.code}: {error}"}).encode()
        return 400, {"Content-Type": "application/json"}, body


@patch(
    "cognito-idp",
    "services.cognito",
    "_fake_token",
    aws="A refresh runs the trigger with the user's groups of that moment, also in the hosted sign-in.",
    source=PAGE,
    ministack="Forgets the groups in the hosted sign-in's refresh: the tokens have none, and no scope.",
)
def hosted_refresh_keeps_groups(
    _: Here, original: Callable[..., str], sub: str, pool_id: str, client_id: str, *args: Any, **details: Any
) -> str:
    """Tokens are always made with the groups that the user is in."""
    pool = state.user_pool(pool_id) if details.get("groups") is None and details.get("username") else None
    user = state.user(pool, details["username"]) if pool else None
    if user:
        details["groups"] = user["_groups"]
        details.setdefault("user_attrs", state.attributes(user))
    return original(sub, pool_id, client_id, *args, **details)


def read_trigger_answer(here: Here, pool: state.Record, arn: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a trigger, and return the `response` part of what it returned.

    Raises:
        TriggerError: the function is gone, may not be invoked, raises, or does not return its event.
    """
    region, account_id = pool["Arn"].split(":")[3:5]
    function = state.function(account_id, region, arn)
    if function is None:
        raise _uninvocable("ResourceNotFoundException")
    if not may_invoke(here, function, "cognito-idp.amazonaws.com", pool["Arn"]):
        raise _uninvocable("AccessDeniedException")
    if function["config"].get("StateReasonCode") == "Creating":
        raise _uninvocable("ResourceConflictException")
    result = state.run(function, event)
    if result.get("error"):
        body = result.get("body")
        reason = body.get("errorMessage") if isinstance(body, Mapping) else body
        raise TriggerError("UserLambdaValidationException", f"PreTokenGeneration failed with error {reason}.")
    returned = result.get("body")
    response = returned.get("response") if isinstance(returned, Mapping) else None
    if not isinstance(response, Mapping):
        raise _unrecognizable()
    return response


def _v1(overrides: Mapping[str, Any], claims: Claims, token_type: str) -> Claims:
    if token_type != ID:
        return claims
    added = _part(overrides, "claimsToAddOrOverride")
    if not all(isinstance(value, str) for value in added.values()):
        raise _unrecognizable()
    return _changed(claims, added, _names(overrides, "claimsToSuppress"))


def _v2(overrides: Mapping[str, Any], claims: Claims, token_type: str) -> Claims:
    part = _part(overrides, "accessTokenGeneration" if token_type == ACCESS else "idTokenGeneration")
    added = dict(_part(part, "claimsToAddOrOverride"))
    suppressed = _names(part, "claimsToSuppress")
    if token_type == ACCESS:
        added.pop("scope", None)
        suppressed = [name for name in suppressed if name != "scope"]
        kept = [s for s in str(claims.get("scope", "")).split() if s not in _names(part, "scopesToSuppress")]
        claims = {**claims, "scope": " ".join(dict.fromkeys([*kept, *_names(part, "scopesToAdd")]))}
    return _changed(claims, added, suppressed, audience=claims.get("client_id"))


def _changed(claims: Claims, added: Mapping[str, Any], suppressed: list[str], audience: object = None) -> Claims:
    """The claims with a trigger's changes, as far as it may. An access token may get its app client as its `aud`."""
    changed = {**claims, **{name: value for name, value in added.items() if not _is_reserved(name)}}
    if audience is not None and added.get("aud") == audience:
        changed["aud"] = audience
    return {name: value for name, value in changed.items() if name not in suppressed or _is_reserved(name)}


def _is_reserved(claim: str) -> bool:
    return claim in RESERVED or claim.startswith("cognito:")


def _trigger(pool: state.Record) -> tuple[str, str]:
    config = pool.get("LambdaConfig") or {}
    newer = config.get("PreTokenGenerationConfig") or {}
    if newer.get("LambdaArn"):
        return newer["LambdaArn"], newer.get("LambdaVersion") or "V1_0"
    return config.get("PreTokenGeneration") or "", "V1_0"


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = holder.get(name)
    if part is None:
        return {}
    if not isinstance(part, Mapping):
        raise _unrecognizable()
    return part


def _names(holder: Mapping[str, Any], name: str) -> list[str]:
    names = [] if holder.get(name) is None else holder[name]
    if not are_texts(names):
        raise _unrecognizable()
    return list(names)


def _groups(overrides: Mapping[str, Any]) -> list[str] | None:
    details = _part(overrides, "groupOverrideDetails")
    return _names(details, "groupsToOverride") if details.get("groupsToOverride") is not None else None


def _uninvocable(reason: str) -> TriggerError:
    return TriggerError("UnexpectedLambdaException", f"PreTokenGeneration invocation failed due to error {reason}.")


def _unrecognizable() -> TriggerError:
    return TriggerError("InvalidLambdaResponseException", "Unrecognizable lambda output")
