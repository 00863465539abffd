"""Signing in to a user pool: flows, challenges, wrong passwords, user names, refresh tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import refresh_tokens, state
from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.memory import FORGOTTEN_SECONDS, Failures
from labkit.cloud.rules.registry import after, before

GUIDE = "https://docs.aws.amazon.com/cognito/latest/developerguide/"
REFERENCE = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/"

SIGN_INS = ("InitiateAuth", "AdminInitiateAuth")
CHALLENGES = ("RespondToAuthChallenge", "AdminRespondToAuthChallenge")
# The user calls that bring an access token in the place of a signature.
WITH_ACCESS_TOKEN = ("GetUser", "UpdateUserAttributes", "ChangePassword", "DeleteUser", "GlobalSignOut")

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
DEFAULT_FLOWS = {"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
LEGACY_FLOWS = {
    "ADMIN_NO_SRP_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH"},
    "CUSTOM_AUTH_FLOW_ONLY": {"ALLOW_CUSTOM_AUTH"},
    "USER_PASSWORD_AUTH": {"ALLOW_USER_PASSWORD_AUTH"},
}
NEEDED_FLOW = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
}
PASSWORD_FLOWS = set(NEEDED_FLOW) - {"CUSTOM_AUTH"}
PASSWORD_CHALLENGES = {"NEW_PASSWORD_REQUIRED", "PASSWORD_VERIFIER"}

SESSION_SECONDS = 180


# First of all, since the rules below look users up by these names.
@before(
    "cognito-idp",
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminGetUser",
    "AdminSetUserPassword",
    "AdminAddUserToGroup",
    "AdminRemoveUserFromGroup",
    "AdminListGroupsForUser",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminUserGlobalSignOut",
    "AdminUpdateUserAttributes",
    *SIGN_INS,
    *CHALLENGES,
    aws="In a pool with CaseSensitive=false user names are one whatever their case; without the setting they are not.",
    source=REFERENCE + "API_UsernameConfigurationType.html",
    ministack="Always tells them apart.",
)
def case_of_user_names(call: Call) -> None:
    """In such a pool the names in a request are put into lower case."""
    pool = _pool(call)
    if not pool or (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") is not False:
        return
    _change(call, ("Username", "USERNAME"), str.lower)


@before(
    "cognito-idp",
    *SIGN_INS,
    aws="InvalidParameterException: USER_PASSWORD_AUTH flow not enabled for this client. An app client that was made "
    "without ExplicitAuthFlows allows refresh, SRP and custom authentication, and no passwords.",
    source=REFERENCE + "API_CreateUserPoolClient.html",
    ministack="Refuses it only where the app client lists its flows.",
)
def flow_is_one_of_the_app_clients(call: Call) -> Refusal | None:
    """A flow that the app client does not allow is a 400 InvalidParameterException."""
    found, flow = state.app_client(call.text("ClientId")), call.text("AuthFlow")
    needed = NEEDED_FLOW.get(flow)
    if not found or needed is None or needed in _allowed(found[0].get("ExplicitAuthFlows") or []):
        return None
    message = f"{flow} flow not enabled for this client" if flow == "USER_PASSWORD_AUTH" else _not_enabled(flow)
    return Refusal("InvalidParameterException", message)


@before(
    "cognito-idp",
    *SIGN_INS,
    *CHALLENGES,
    aws="Users also sign in with codes, passkeys, devices and custom challenges.",
    source=GUIDE + "authentication-flows-selection-sdk.html",
    ministack="Gives tokens for MFA_SETUP and SOFTWARE_TOKEN_MFA to everyone who names a user.",
)
def sign_in_is_by_password(call: Call) -> Refusal | None:
    """Passwords, SRP, refresh tokens and NEW_PASSWORD_REQUIRED are here. Other flows and challenges are refused by
    their names, with or without a session: 400 InvalidParameterException."""
    flow, challenge = call.text("AuthFlow"), call.text("ChallengeName")
    here = flow in PASSWORD_FLOWS if call.operation in SIGN_INS else challenge in PASSWORD_CHALLENGES
    if here:
        return None
    name = (flow or challenge)[:80] or "A sign-in that names no flow or challenge"
    return Refusal("InvalidParameterException", f"{name} is not part of the lab's embedded cloud.")


@before(
    "cognito-idp",
    *CHALLENGES,
    *SIGN_INS,
    aws="A challenge is answered once. RFC 5054 has the server end a sign-in whose A is 0 modulo N.",
    source=REFERENCE + "API_RespondToAuthChallenge.html; https://www.rfc-editor.org/rfc/rfc5054#section-2.5.4",
    confidence="inferred",
    ministack="Gives tokens for one proof as often as it comes, for three minutes; takes any A.",
)
def password_is_proved_once(call: Call) -> Refusal | None:
    """A second answer to one PASSWORD_VERIFIER challenge, right or wrong, is a 400 NotAuthorizedException, an SRP_A
    that is 0 modulo N a 400 InvalidParameterException."""
    value = call.mapping("AuthParameters").get("SRP_A")
    if isinstance(value, str) and re.fullmatch("[0-9a-fA-F]+", value) and int(value, 16) % state.SRP_MODULUS == 0:
        return Refusal("InvalidParameterException", "SRP_A must not be 0 modulo N.")
    block = call.mapping("ChallengeResponses").get("PASSWORD_CLAIM_SECRET_BLOCK")
    if call.text("ChallengeName") != "PASSWORD_VERIFIER" or not isinstance(block, str) or state.answer_challenge(block):
        return None
    return Refusal("NotAuthorizedException", "Incorrect username or password.")


@before(
    "cognito-idp",
    *WITH_ACCESS_TOKEN,
    aws="The access token is required, and an empty one does not match its pattern.",
    source=REFERENCE + "API_GlobalSignOut.html",
    ministack="Answers 200 to a GlobalSignOut without one.",
)
def user_calls_bring_an_access_token(call: Call) -> Refusal | None:
    """Without an access token, or with an empty one, these calls are a 400 InvalidParameterException."""
    if call.text("AccessToken"):
        return None
    return Refusal("InvalidParameterException", "Value at 'accessToken' must satisfy the pattern [A-Za-z0-9-_=.]+")


@before(
    "cognito-idp",
    "RevokeToken",
    "GetTokensFromRefreshToken",
    aws="The call names the app client that the token was issued to, and brings its secret if it has one.",
    source=REFERENCE + "API_RevokeToken.html; " + REFERENCE + "API_GetTokensFromRefreshToken.html",
    ministack="Asks for no secret, and revokes for app clients that do not exist.",
)
def refresh_tokens_belong_to_their_client(call: Call) -> Refusal | None:
    """An unknown app client is a 400 InvalidParameterException, a wrong secret a 400 NotAuthorizedException."""
    found = state.app_client(call.text("ClientId"))
    if not found:
        return Refusal("InvalidParameterException", "Invalid client id provided.")
    secret = found[0].get("ClientSecret") or ""
    if not secret or hmac.compare_digest(secret.encode(), call.text("ClientSecret").encode("utf-8", "replace")):
        return None
    return Refusal("NotAuthorizedException", "Unable to verify the secret of the app client.")


@before(
    "cognito-idp",
    "CreateUserPoolClient",
    "UpdateUserPoolClient",
    aws="Flows of the old kind (ADMIN_NO_SRP_AUTH and the like) and those that begin with ALLOW_ cannot be mixed.",
    source=REFERENCE + "API_CreateUserPoolClient.html",
    confidence="inferred",
    ministack="Takes any list.",
)
def flows_are_of_one_kind(call: Call) -> Refusal | None:
    """Mixed flows are a 400 InvalidParameterException, and so are unknown ones."""
    flows = call.params.get("ExplicitAuthFlows")
    if not isinstance(flows, list):
        return None
    known = [*NEEDED_FLOW.values(), "ALLOW_USER_AUTH", *LEGACY_FLOWS]
    old = [flow for flow in flows if flow in list(LEGACY_FLOWS)]
    if all(flow in known for flow in flows) and len(old) in (0, len(flows)):
        return None
    return Refusal(
        "InvalidParameterException", "ExplicitAuthFlows are unknown, or of the old and the new kind at once."
    )


@before(
    "cognito-idp",
    *CHALLENGES,
    aws="The answer to NEW_PASSWORD_REQUIRED brings the session of that sign-in, within three minutes, and a password "
    "that fits the policy.",
    source=GUIDE + "authentication.html",
    ministack="Sets any password for any user, with any session or none.",
)
def new_password_needs_session_and_policy(call: Call) -> Refusal | None:
    """Without that session NotAuthorizedException, with a weaker password InvalidPasswordException (both 400)."""
    found = state.app_client(call.text("ClientId"))
    if call.text("ChallengeName") != "NEW_PASSWORD_REQUIRED" or not found:
        return None
    answers, session = call.mapping("ChallengeResponses"), call.text("Session")
    user = state.user(found[1], answers.get("USERNAME", ""))
    client_id, signed_in, until = call.here.sign_ins.waiting.get(session, ("", {}, 0.0))
    unused = signed_in is user and user["UserStatus"] == "FORCE_CHANGE_PASSWORD" and until >= call.here.now()
    if not unused or client_id != call.text("ClientId"):
        return Refusal("NotAuthorizedException", "Invalid session for the user.")
    password = answers.get("NEW_PASSWORD")
    if not isinstance(password, str):
        return Refusal("InvalidParameterException", "Missing required parameter NEW_PASSWORD")
    faults = state.password_faults(found[1], password)
    if faults:
        return Refusal("InvalidPasswordException", "Password did not conform with policy: " + "; ".join(faults))
    del call.here.sign_ins.waiting[session]
    return None


@after(
    "cognito-idp",
    *SIGN_INS,
    *CHALLENGES,
    aws="Who signs in with a temporary password gets a challenge and a session in the place of tokens.",
    source=GUIDE + "authentication.html",
    ministack="Gives a session and forgets it.",
)
def session_is_remembered(call: Call, answer: Answer) -> Answer | None:
    """The session of a NEW_PASSWORD_REQUIRED challenge is remembered for three minutes."""
    content = answer.json() if b"NEW_PASSWORD_REQUIRED" in answer.body else None
    found = state.app_client(call.text("ClientId"))
    if not isinstance(content, dict) or content.get("ChallengeName") != "NEW_PASSWORD_REQUIRED" or not found:
        return None
    user = state.user(found[1], content["ChallengeParameters"]["USER_ID_FOR_SRP"])
    waiting, now = call.here.sign_ins.waiting, call.here.now()
    for session in [session for session, (_, _, until) in waiting.items() if until < now]:
        del waiting[session]
    if user:
        waiting[content["Session"]] = call.text("ClientId"), user, now + SESSION_SECONDS
    return None


@before(
    "cognito-idp",
    *SIGN_INS,
    aws="After five wrong passwords a user is locked for a second, after each more twice as long, up to 15 minutes.",
    source=GUIDE + "authentication.html",
    ministack="Never locks.",
)
def locked_user_waits(call: Call) -> Refusal | None:
    """A locked user's passwords are not looked at: NotAuthorizedException, Password attempts exceeded (400)."""
    key = _user_key(call)
    failures = call.here.sign_ins.failures.get(key) if key else None
    if not failures or failures.locked_until() <= call.here.now():
        return None
    return Refusal("NotAuthorizedException", "Password attempts exceeded")


@after(
    "cognito-idp",
    *SIGN_INS,
    aws="A right password, or 15 minutes without a wrong one, makes the earlier ones forgotten.",
    source=GUIDE + "authentication.html",
    ministack="Does not count.",
)
def wrong_passwords_are_counted(call: Call, answer: Answer) -> Answer | None:
    """Wrong passwords are counted for each user, through the API; the hosted sign-in and SRP are not counted."""
    key, store = _user_key(call), call.here.sign_ins.failures
    if not key or not call.text("AuthFlow").endswith("PASSWORD_AUTH"):
        return None
    if answer.good:
        store.pop(key, None)
    elif b"Incorrect username or password." in answer.body:
        now = call.here.now()
        failures = store.setdefault(key, Failures())
        failures.count = 1 if now - failures.last > FORGOTTEN_SECONDS else failures.count + 1
        failures.last = now
    return None


@before(
    "cognito-idp",
    *SIGN_INS,
    "GetTokensFromRefreshToken",
    "RevokeToken",
    aws="A refresh token is encrypted: only Cognito can read it, and an authorizer refuses it like any other text.",
    source=GUIDE + "amazon-cognito-user-pools-using-the-refresh-token.html",
    ministack="Gives a signed JWT, which a JWT authorizer takes for a token.",
)
def refresh_tokens_are_opened(call: Call) -> None:
    """A refresh token of this cloud has five parts; it is opened here, and a token of another form is not one."""
    names = ("REFRESH_TOKEN", "RefreshToken", "Token")
    _change(call, names, lambda token: refresh_tokens.opened(token) or "not a refresh token of this cloud")


@after(
    "cognito-idp",
    *SIGN_INS,
    *CHALLENGES,
    aws="A refresh token is encrypted.",
    source=GUIDE + "amazon-cognito-user-pools-using-the-refresh-token.html",
    ministack="Gives a signed JWT.",
)
def refresh_tokens_are_closed(call: Call, answer: Answer) -> Answer | None:
    """The refresh token of an answer is encrypted before it leaves."""
    content = answer.json() if b'"RefreshToken"' in answer.body else None
    result = content.get("AuthenticationResult") if isinstance(content, dict) else None
    if not isinstance(result, dict) or not isinstance(result.get("RefreshToken"), str):
        return None
    result["RefreshToken"] = refresh_tokens.closed(result["RefreshToken"])
    return answer.with_json(content)


def _allowed(listed: list[str]) -> set[str]:
    if not listed:
        return DEFAULT_FLOWS
    if any(flow in LEGACY_FLOWS for flow in listed):
        # The old settings add a flow to SRP and refresh, which were always on; the last of them takes SRP away.
        always = {"ALLOW_REFRESH_TOKEN_AUTH"} | (
            set() if "CUSTOM_AUTH_FLOW_ONLY" in listed else {"ALLOW_USER_SRP_AUTH"}
        )
        return always.union(*(LEGACY_FLOWS.get(flow, set()) for flow in listed))
    return set(listed)


def _not_enabled(flow: str) -> str:
    plain = flow in ("USER_SRP_AUTH", "CUSTOM_AUTH")
    return f"{flow} is not enabled for the client." if plain else "Auth flow not enabled for this client"


def _pool(call: Call) -> state.Record | None:
    if pool_id := call.text("UserPoolId"):
        return state.user_pool(pool_id)
    found = state.app_client(call.text("ClientId"))
    return found[1] if found else None


def _user_key(call: Call) -> tuple[str, str] | None:
    pool, name = _pool(call), call.mapping("AuthParameters").get("USERNAME")
    user = state.user(pool, name) if pool and isinstance(name, str) else None
    return (pool["Id"], user["Username"]) if pool and user else None


def _change(call: Call, named: tuple[str, ...], change: Callable[[str], str]) -> None:
    """Change each text that a call says under one of these names."""
    for holder in (call.params, call.mapping("AuthParameters"), call.mapping("ChallengeResponses")):
        for name in named:
            if isinstance(old := holder.get(name), str) and (new := change(old)) != old:
                holder[name], call.changed = new, True
