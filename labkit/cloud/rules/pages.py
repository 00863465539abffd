"""What is asked for without credentials: the health of this cloud, key sets, the hosted sign-in."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from labkit.cloud.exchange import Answer, Request
from labkit.cloud.rules import refresh_tokens, state
from labkit.cloud.rules.registry import gate
from labkit.cloud.rules.strangers import KEY_SETS


def refuse(request: Request) -> Answer | None:
    """Why a page is not served, or None if it is."""
    return (
        key_set_needs_a_pool(request)
        or parameters_come_once(request)
        or hosted_sign_in_needs_a_domain(request)
        or hosted_sign_in_is_by_password(request)
        or logout_leads_to_a_listed_address(request)
    )


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
    ministack="Serves them for every app client, also after the domain was deleted.",
)
def hosted_sign_in_needs_a_domain(request: Request) -> Answer | None:
    """The hosted sign-in of an app client whose user pool has no domain is answered with 404."""
    client = state.app_client(_parameters(request).get("client_id", ""))
    if not client or client[1].get("Domain") or client[1].get("CustomDomain"):
        return None
    return Answer.of_json(404, {"message": "This app client's user pool has no domain."})


@gate(
    "cognito-idp",
    "hosted sign-in",
    aws="A parameter that is there twice makes a request invalid.",
    source="https://www.rfc-editor.org/rfc/rfc6749#section-3.1",
    confidence="inferred",
    ministack="Takes the first of them.",
)
def parameters_come_once(request: Request) -> Answer | None:
    """A name that a request to the hosted sign-in has twice, in its query or its form, makes it invalid (400)."""
    names = [name for name, _ in _named(request)]
    return _invalid("A parameter is there more than once.") if len(names) > len(set(names)) else None


@gate(
    "cognito-idp",
    "hosted sign-in",
    aws="Managed login offers codes by mail, passkeys and other identity providers where the user pool does.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html",
    ministack="Takes the code 123456 of everybody who has a mail address.",
)
def hosted_sign_in_is_by_password(request: Request) -> Answer | None:
    """Other ways to sign in than by password are not emulated (400)."""
    other = {"auth_flow", "ua_token", "identity_provider", "idp_identifier"} & _parameters(request).keys()
    return _invalid("This cloud's hosted sign-in knows passwords only.") if other else None


@gate(
    "cognito-idp",
    "GET /logout",
    aws="The address to go on to is one that the app client lists.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html",
    ministack="Leads to any address if the app client lists none.",
)
def logout_leads_to_a_listed_address(request: Request) -> Answer | None:
    """A logout_uri that is not among the app client's LogoutURLs is answered with 400."""
    given = _parameters(request)
    client = state.app_client(given.get("client_id", ""))
    if request.raw_path != "/logout" or (client and given.get("logout_uri") in client[0].get("LogoutURLs", ())):
        return None
    return _invalid("logout_uri is not one of the app client's sign-out addresses.")


@gate(
    "every page",
    aws="Managed login cannot be framed.",
    source="https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
    confidence="ours",
    ministack="Says nothing.",
)
def in_no_frame(answer: Answer) -> Answer:
    """No page of this cloud may be shown in a frame: whoever typed a password there would not see to whom."""
    forbidden = (("x-frame-options", "DENY"), ("content-security-policy", "frame-ancestors 'none'"))
    return replace(answer, headers=(*answer.headers, *forbidden))


def opened(request: Request) -> Request:
    """The request with the refresh token in its form as MiniStack made it."""
    form = dict(_form(request))
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


def _invalid(reason: str) -> Answer:
    return Answer.of_json(400, {"error": "invalid_request", "error_description": reason})


def _parameters(request: Request) -> dict[str, str]:
    return dict(_named(request))


def _named(request: Request) -> list[tuple[str, str]]:
    return [*request.parameters, *_form(request)]


def _form(request: Request) -> list[tuple[str, str]]:
    """The form that a page is sent, whatever media type it claims: MiniStack does not look at that either."""
    return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
