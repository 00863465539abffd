"""Every call of Cognito that comes unsigned, tried without a password: no tokens come, and nothing is changed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
import requests

from labkit.cloud.protocol import Cloud
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import PASSWORD, Site, refusal
from tests.cloud.rules.srp import N, Srp
from tests.cloud.rules.test_sign_in import password, secret_hash

MODEL = botocore.session.Session().get_service_model("cognito-idp")
UNSIGNED = sorted(name for name in MODEL.operation_names if MODEL.operation_model(name).auth_type == "none")
CHALLENGES = sorted(MODEL.shape_for("ChallengeNameType").enum)
FLOWS = sorted(MODEL.shape_for("AuthFlowType").enum)
ALL_FLOWS = [
    *("ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"),
    *("ALLOW_CUSTOM_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
]
NEW = "N3w.pass-word"
SESSIONS = ("none", "guessed", "another's", "used", "used, of oneself")


@dataclass
class Door:
    """A pool with an administrator whose password nobody tells, and what a stranger may know of it."""

    site: Site
    url: str
    pool: str
    client: str
    sessions: dict[str, str]

    def ask(self, operation: str, **parameters: Any) -> requests.Response:
        """Call an operation without a signature."""
        headers = {"x-amz-target": f"AWSCognitoIdentityProviderService.{operation}"}
        return requests.post(self.url, json=parameters, headers=headers, timeout=20)

    def state(self) -> Any:
        """All that there is to know of the users."""
        cognito = self.site.client("cognito-idp")
        users = cognito.list_users(UserPoolId=self.pool)["Users"]
        return sorted((user["Username"], user["UserStatus"], user["UserLastModifiedDate"]) for user in users)


@pytest.fixture(scope="module")
def door(grounds: Site, cloud: Cloud) -> Door:
    pool = grounds.pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    client = grounds.app_client(pool, ExplicitAuthFlows=ALL_FLOWS)
    grounds.user(pool, "admin")
    for name in ("waiting", "other", "done"):
        grounds.user(pool, name, permanent=False)
    made = {name: grounds.sign_in(client, name)["Session"] for name in ("other", "done")}
    respond(grounds, client, "done", made["done"])
    kinds = ("", base64.b64encode(b"x" * 32).decode(), made["other"], made["done"], made["done"])
    return Door(grounds, f"{cloud.endpoint_url}/", pool, client, dict(zip(SESSIONS, kinds, strict=True)))


def respond(site: Site, client: str, name: str, session: str, password: str = NEW) -> Any:
    """Answer NEW_PASSWORD_REQUIRED."""
    return site.client("cognito-idp").respond_to_auth_challenge(
        ClientId=client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=session,
        ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": password},
    )


def guesses(door: Door, name: str, session: str) -> dict[str, Any]:
    """Everything that any of the calls could ask for, but for a password, a token, or a code that came."""
    codes = ("123456", "654321")
    answers = {
        **{"USERNAME": name, "NEW_PASSWORD": NEW, "PASSWORD": "Wr0ng.password", "ANSWER": codes[0], "SRP_A": "2"},
        **{f"{kind}_CODE": codes[0] for kind in ("SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_OTP")},
        **{"SESSION": session, "DEVICE_KEY": "x", "CREDENTIAL": "{}", "REFRESH_TOKEN": forged(door, name)},
        **{"PREFERRED_CHALLENGE": "EMAIL_OTP", "PASSWORD_CLAIM_SECRET_BLOCK": session or "eA=="},
        **{"PASSWORD_CLAIM_SIGNATURE": "eA==", "TIMESTAMP": "Tue Nov 24 10:00:00 UTC 2026"},
    }
    return {
        **{"ClientId": door.client, "Username": name, "Password": NEW, "Session": session, "UserCode": codes[0]},
        **{"ConfirmationCode": codes[1], "AuthParameters": answers, "ChallengeResponses": answers},
        **{"AccessToken": forged(door, name), "PreviousPassword": "x", "ProposedPassword": NEW},
        **{"RefreshToken": forged(door, name), "Token": forged(door, name), "Code": codes[0]},
        "UserAttributes": [{"Name": "email", "Value": "a@example.com"}],
        "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True},
    }


def members(operation: str) -> Any:
    """The parameters of an operation."""
    return MODEL.operation_model(operation).input_shape.members


def forged(door: Door, name: str) -> str:
    """A token that looks right and bears no signature."""
    claims = {"iss": f"https://cognito-idp.us-east-1.amazonaws.com/{door.pool}", "username": name, "exp": 9e9}
    claims |= {"token_use": "access", "client_id": door.client, "scope": "aws.cognito.signin.user.admin"}
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.eA"


def assert_closed(answer: requests.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert 'Token":' not in answer.text


@proves("sign_in_is_by_password", "only_served_operations", "user_calls_bring_an_access_token")
@pytest.mark.parametrize("session", SESSIONS)
def test_no_unsigned_call_gives_tokens_or_changes_anything(door: Door, session: str) -> None:
    before = door.state()
    for name in ("admin", "waiting", "done", "nobody"):
        known = guesses(door, name, door.sessions[session])
        for operation in UNSIGNED:
            for flow in FLOWS:
                for challenge in CHALLENGES if operation == "RespondToAuthChallenge" else ("",):
                    every = {**known, "AuthFlow": flow, "ChallengeName": challenge}
                    answer = door.ask(operation, **{k: v for k, v in every.items() if k in members(operation)})
                    if operation == "InitiateAuth" and flow == "USER_SRP_AUTH":
                        # Who names a user may begin to prove a password; only the proof gives tokens.
                        assert 'Token":' not in answer.text
                    elif operation == "RevokeToken":
                        # A token that is none is revoked as well as not: RFC 7009, section 2.2.
                        assert answer.text == "{}"
                    else:
                        assert_closed(answer)
                if operation not in ("InitiateAuth", "RespondToAuthChallenge"):
                    break
    assert door.state() == before
    assert "AuthenticationResult" in door.site.sign_in(door.client, "admin")


@proves("user_calls_bring_an_access_token")
@pytest.mark.parametrize("token", [None, "", 0, [], {}, "x", "a.b.c", "e30.e30.e30"])
@pytest.mark.parametrize("operation", UNSIGNED)
def test_a_token_that_is_none_is_refused(door: Door, operation: str, token: Any) -> None:
    bodies = [{"AccessToken": token}, {}] if token is None else [{"AccessToken": token}]
    for body in bodies:
        assert_closed(door.ask(operation, **body))


@proves("sign_in_is_by_password")
@pytest.mark.parametrize("challenge", CHALLENGES)
def test_administrators_answer_no_challenge_without_its_session_either(door: Door, challenge: str) -> None:
    for session in door.sessions.values():
        known = guesses(door, "admin", session)
        answers = {k: v for k, v in known["ChallengeResponses"].items() if v}
        asked = {"UserPoolId": door.pool, "ClientId": door.client, "ChallengeName": challenge}
        if session:
            asked["Session"] = session
        call = door.site.client("cognito-idp").admin_respond_to_auth_challenge
        assert refusal(call, **asked, ChallengeResponses=answers)[1] == 400


@proves("new_password_needs_session_and_policy")
def test_a_session_ends_with_the_user_and_with_a_password_that_is_set(site: Site) -> None:
    cognito, pool = site.client("cognito-idp"), site.pool()
    client = site.app_client(pool)
    for end in ("set", "again"):
        site.user(pool, "new", permanent=False)
        session = site.sign_in(client, "new")["Session"]
        if end == "set":
            cognito.admin_set_user_password(UserPoolId=pool, Username="new", Password=PASSWORD, Permanent=True)
        cognito_user = {"UserPoolId": pool, "Username": "new"}
        if end == "again":
            cognito.admin_delete_user(**cognito_user)
            site.user(pool, "new", permanent=False)
        code = refusal(lambda: respond(site, client, "new", session))[0]  # noqa: B023 - called at once
        assert code == "NotAuthorizedException"
        cognito.admin_delete_user(**cognito_user)


# The good ways


def srp(site: Site, pool: str, client: str, name: str, password: str) -> tuple[Srp, dict[str, Any]]:
    """A sign-in by SRP that has been begun, and its challenge."""
    begun = Srp(pool, password)
    answer = site.client("cognito-idp").initiate_auth(
        ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=begun.parameters(name)
    )
    assert answer["ChallengeName"] == "PASSWORD_VERIFIER"
    return begun, answer["ChallengeParameters"]


def proved(site: Site, client: str, proof: dict[str, Any]) -> dict[str, Any]:
    """What answers to the proof of a password."""
    return dict(
        site.client("cognito-idp").respond_to_auth_challenge(
            ClientId=client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=proof
        )
    )


@proves("password_is_proved_once")
def test_a_password_is_proved_once(door: Door) -> None:
    begun, challenge = srp(door.site, door.pool, door.client, "admin", PASSWORD)
    proof = begun.proof(challenge)
    assert "IdToken" in proved(door.site, door.client, proof)["AuthenticationResult"]
    for again in (proof, begun.proof(challenge)):
        code = refusal(lambda: proved(door.site, door.client, again))[0]  # noqa: B023 - called at once
        assert code == "NotAuthorizedException"


@proves("password_is_proved_once")
def test_a_proof_is_of_the_users_own_password(door: Door) -> None:
    door.site.user(door.pool, "mallory")
    begun, challenge = srp(door.site, door.pool, door.client, "admin", "Wr0ng.password")
    assert refusal(lambda: proved(door.site, door.client, begun.proof(challenge)))[0] == "NotAuthorizedException"
    begun, challenge = srp(door.site, door.pool, door.client, "admin", PASSWORD)
    _, theirs = srp(door.site, door.pool, door.client, "mallory", PASSWORD)
    block = {"PASSWORD_CLAIM_SECRET_BLOCK": theirs["SECRET_BLOCK"]}
    assert (
        refusal(lambda: proved(door.site, door.client, begun.proof(challenge) | block))[0] == "NotAuthorizedException"
    )


@proves("password_is_proved_once")
@pytest.mark.parametrize("multiple", [0, 1, 2, 5])
def test_srp_does_not_begin_with_nothing(door: Door, multiple: int) -> None:
    parameters = {"USERNAME": "admin", "SRP_A": f"{N * multiple:x}"}
    begun = {"ClientId": door.client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters}
    assert refusal(door.site.client("cognito-idp").initiate_auth, **begun)[:2] == ("InvalidParameterException", 400)


@proves("sign_in_is_by_password", "session_is_remembered")
def test_the_good_ways_lead_to_tokens_and_end_with_a_sign_out(door: Door) -> None:
    cognito, site, client = door.site.client("cognito-idp"), door.site, door.client
    site.user(door.pool, "good", permanent=False)
    begun, challenge = srp(site, door.pool, client, "good", PASSWORD)
    asked = proved(site, client, begun.proof(challenge))
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert "IdToken" in respond(site, client, "good", asked["Session"])["AuthenticationResult"]
    tokens = site.sign_in(client, "good", NEW)["AuthenticationResult"]
    again = {"REFRESH_TOKEN": tokens["RefreshToken"]}

    def refreshed() -> Any:
        return cognito.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=again)

    assert "IdToken" in refreshed()["AuthenticationResult"]
    answer = cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=tokens["RefreshToken"])
    assert "AccessToken" in answer["AuthenticationResult"]
    access = {"AccessToken": tokens["AccessToken"]}
    assert cognito.get_user(**access)["Username"] == "good"
    cognito.change_password(**access, PreviousPassword=NEW, ProposedPassword=PASSWORD)
    cognito.global_sign_out(**access)
    assert refusal(refreshed)[0] == "NotAuthorizedException"
    assert refusal(cognito.get_user, **access)[0] == "NotAuthorizedException"
    cognito.delete_user(AccessToken=site.tokens(client, "good")["AccessToken"])


@proves("refresh_tokens_belong_to_their_client")
def test_a_refresh_token_asks_for_its_clients_secret(door: Door) -> None:
    cognito, site = door.site.client("cognito-idp"), door.site
    client = site.app_client(door.pool, GenerateSecret=True, ExplicitAuthFlows=ALL_FLOWS)
    described = cognito.describe_user_pool_client(UserPoolId=door.pool, ClientId=client)["UserPoolClient"]
    hashed = secret_hash(described["ClientSecret"], "admin", client)
    tokens = cognito.initiate_auth(**password(client, "admin", SECRET_HASH=hashed))["AuthenticationResult"]
    token, secret = tokens["RefreshToken"], {"ClientSecret": described["ClientSecret"]}
    for wrong in ({}, {"ClientSecret": "x" * 24}):
        refresh = {"ClientId": client, "RefreshToken": token, **wrong}
        assert refusal(cognito.get_tokens_from_refresh_token, **refresh)[0] == "NotAuthorizedException"
        assert refusal(cognito.revoke_token, ClientId=client, Token=token, **wrong)[0] == "NotAuthorizedException"
    assert (
        "IdToken"
        in cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=token, **secret)["AuthenticationResult"]
    )
    assert refusal(cognito.revoke_token, ClientId="nobody", Token=token)[0] == "InvalidParameterException"
    cognito.revoke_token(ClientId=client, Token=token, **secret)
    again = {"ClientId": client, "RefreshToken": token, **secret}
    assert refusal(cognito.get_tokens_from_refresh_token, **again)[0] == "NotAuthorizedException"
