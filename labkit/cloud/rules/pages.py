"""What is asked for without credentials: the health of this cloud, key sets, the hosted sign-in."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from labkit.cloud.exchange import Answer, Request
from labkit.cloud.rules import refresh_tokens, state
from labkit.cloud.rules.registry import gate
from labkit.cloud.rules.strangers import KEY_SETS

FORM = "application/x-www-form-urlencoded"


def refuse(request: Request) -> Answer | None:
    """Why a page is not served, or None if it is."""
    return key_set_needs_a_pool(request) or hosted_sign_in_needs_a_domain(request)


@gate(
    "cognito-idp",
    "jwks.json",
    "openid-configuration",
    aws="The key set of a user pool that does not exist is not there.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html",
    confidence="inferred",
    ministack="Looks for an S3 object of that name.",
)
def key_set_needs_a_pool(request: Request) -> Answer | None:
    """The key set and the discovery document of an unknown user pool are answered with 404."""
    found = KEY_SETS.fullmatch(request.raw_path)
    if not found or state.user_pool(found[1]):
        return None
    return Answer.of_json(404, {"message": f"User pool {found[1]} does not exist."})


@gate(
    "cognito-idp",
    "hosted sign-in",
    aws="The pages of the hosted sign-in live on the user pool's domain, and nowhere without one.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain.html",
    confidence="doc",
    ministack="Serves them for every app client, also after the domain was deleted.",
)
def hosted_sign_in_needs_a_domain(request: Request) -> Answer | None:
    """The hosted sign-in of an app client whose user pool has no domain is answered with 404."""
    client_id = dict(request.parameters).get("client_id") or _form(request).get("client_id", "")
    client = state.app_client(client_id) if client_id else None
    if not client or client[1].get("Domain") or client[1].get("CustomDomain"):
        return None
    return Answer.of_json(404, {"message": "This app client's user pool has no domain."})


def opened(request: Request) -> Request:
    """The request with the refresh token in its form as MiniStack made it."""
    form = _form(request)
    if "refresh_token" not in form:
        return request
    form["refresh_token"] = refresh_tokens.opened(form["refresh_token"])
    return request.with_body(urlencode(form).encode())


def closed(answer: Answer) -> Answer:
    """The answer with its refresh token closed to everyone who reads it."""
    content = answer.json() if b'"refresh_token"' in answer.body else None
    if not isinstance(content, dict) or not isinstance(content.get("refresh_token"), str):
        return answer
    return answer.with_json({**content, "refresh_token": refresh_tokens.closed(content["refresh_token"])})


def _form(request: Request) -> dict[str, str]:
    if not (request.header("content-type") or "").startswith(FORM):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
