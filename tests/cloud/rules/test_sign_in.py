"""Signing in: flows, secrets, challenges, wrong passwords, user names, refresh tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import PASSWORD, Site, refusal

FLOW_OFF = ("InvalidParameterException", 400, "USER_PASSWORD_AUTH flow not enabled for this client")
WRONG = ("NotAuthorizedException", 400, "Incorrect username or password.")
LOCKED = ("NotAuthorizedException", 400, "Password attempts exceeded")


@pytest.fixture(scope="module")
def pool(grounds: Site) -> str:
    made = grounds.pool()
    grounds.user(made, "ann", ["admin"])
    return made


def password(client_id: str, name: str = "ann", text: str = PASSWORD, **more: str) -> dict[str, Any]:
    """The parameters of a sign-in by password."""
    parameters = {"USERNAME": name, "PASSWORD": text, **more}
    return {"ClientId": client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}


def secret_hash(secret: str, name: str, client_id: str) -> str:
    """What an app client with a secret sends with a user's name."""
    digest = hmac.new(secret.encode(), f"{name}{client_id}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@proves("flow_is_one_of_the_app_clients")
@pytest.mark.parametrize(
    "flows", [None, ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], ["CUSTOM_AUTH_FLOW_ONLY"]]
)
def test_passwords_need_their_flow(grounds: Site, pool: str, flows: list[str] | None) -> None:
    client_id = grounds.app_client(pool, ExplicitAuthFlows=flows)
    assert refusal(grounds.client("cognito-idp").initiate_auth, **password(client_id)) == FLOW_OFF


@proves("flow_is_one_of_the_app_clients")
def test_the_old_name_of_the_flow_allows_passwords_too(grounds: Site, pool: str) -> None:
    client_id = grounds.app_client(pool, ExplicitAuthFlows=["USER_PASSWORD_AUTH"])
    assert "IdToken" in grounds.tokens(client_id, "ann")


@proves("flow_is_one_of_the_app_clients")
def test_administrators_and_refresh_need_their_flows(grounds: Site, pool: str) -> None:
    cognito = grounds.client("cognito-idp")
    client_id = grounds.app_client(pool, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    by_admin = {**password(client_id), "UserPoolId": pool, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}
    assert refusal(cognito.admin_initiate_auth, **by_admin)[:2] == ("InvalidParameterException", 400)
    again = {"REFRESH_TOKEN": grounds.tokens(client_id, "ann")["RefreshToken"]}
    refresh = {"ClientId": client_id, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": again}
    assert refusal(cognito.initiate_auth, **refresh)[:2] == ("InvalidParameterException", 400)


@proves("flows_are_of_one_kind")
@pytest.mark.parametrize("flows", [["USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]])
def test_old_and_new_flows_are_not_mixed(grounds: Site, pool: str, flows: list[str]) -> None:
    create = grounds.client("cognito-idp").create_user_pool_client
    parameters = {"UserPoolId": pool, "ClientName": "c", "ExplicitAuthFlows": flows}
    assert refusal(create, **parameters)[:2] == ("InvalidParameterException", 400)


def test_a_client_secret_asks_for_its_hash(grounds: Site, pool: str) -> None:
    cognito, client_id = grounds.client("cognito-idp"), grounds.app_client(pool, GenerateSecret=True)
    secret = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)["UserPoolClient"]["ClientSecret"]
    code, status, message = refusal(cognito.initiate_auth, **password(client_id))
    assert (code, status) == ("NotAuthorizedException", 400)
    assert message == f"Client {client_id} is configured with secret but SECRET_HASH was not received"
    assert refusal(cognito.initiate_auth, **password(client_id, SECRET_HASH="x"))[0] == "NotAuthorizedException"
    right = password(client_id, SECRET_HASH=secret_hash(secret, "ann", client_id))
    assert "IdToken" in cognito.initiate_auth(**right)["AuthenticationResult"]


@proves("new_password_needs_session_and_policy", "session_is_remembered")
def test_a_temporary_password_is_changed_within_its_session(grounds: Site, pool: str) -> None:
    cognito, client_id = grounds.client("cognito-idp"), grounds.app_client(pool)
    grounds.user(pool, "new", permanent=False)
    challenge = grounds.sign_in(client_id, "new")
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    def answer(text: str, session: str, name: str = "new") -> dict[str, Any]:
        responses = {"USERNAME": name, "NEW_PASSWORD": text}
        name = challenge["ChallengeName"]
        return {"ClientId": client_id, "ChallengeName": name, "Session": session, "ChallengeResponses": responses}

    respond, session = cognito.respond_to_auth_challenge, challenge["Session"]
    assert refusal(respond, **answer("N3w.pass-word", "x" * 40))[:2] == ("NotAuthorizedException", 400)
    assert refusal(respond, **answer("N3w.pass-word", session, "ann"))[:2] == ("NotAuthorizedException", 400)
    assert refusal(respond, **answer("x", session))[:2] == ("InvalidPasswordException", 400)
    assert "IdToken" in respond(**answer("N3w.pass-word", session))["AuthenticationResult"]
    assert refusal(respond, **answer("An0ther.pass-word", session))[0] == "NotAuthorizedException"
    assert "AuthenticationResult" in grounds.sign_in(client_id, "new", "N3w.pass-word")


@pytest.mark.parametrize("text", ["Sh0rt.", "noupper1.", "NOLOWER1.", "NoDigits.", "NoSymbol1"])
def test_administrators_keep_to_the_password_policy(grounds: Site, pool: str, text: str) -> None:
    cognito = grounds.client("cognito-idp")
    set_password = {"UserPoolId": pool, "Username": "ann", "Password": text, "Permanent": True}
    assert refusal(cognito.admin_set_user_password, **set_password)[:2] == ("InvalidPasswordException", 400)
    create = {"UserPoolId": pool, "Username": "bob", "TemporaryPassword": text, "MessageAction": "SUPPRESS"}
    assert refusal(cognito.admin_create_user, **create)[:2] == ("InvalidPasswordException", 400)


@proves("locked_user_waits", "wrong_passwords_are_counted")
def test_five_wrong_passwords_lock_a_user_for_a_while(grounds: Site, pool: str) -> None:
    cognito, client_id = grounds.client("cognito-idp"), grounds.app_client(pool)
    grounds.user(pool, "clumsy")
    for _ in range(5):
        assert refusal(cognito.initiate_auth, **password(client_id, "clumsy", "Wr0ng.pass")) == WRONG
    assert refusal(cognito.initiate_auth, **password(client_id, "clumsy")) == LOCKED
    assert "IdToken" in grounds.tokens(client_id, "ann")


@proves("case_of_user_names")
def test_the_case_of_user_names_counts_only_where_the_pool_says_so(site: Site) -> None:
    strict, lenient = site.pool(), site.pool(UsernameConfiguration={"CaseSensitive": False})
    for pool in (strict, lenient):
        site.user(pool, "Ann")
    assert refusal(site.client("cognito-idp").initiate_auth, **password(site.app_client(strict), "ann"))[1] == 400
    assert "IdToken" in site.tokens(site.app_client(lenient), "ANN")
    again = {"UserPoolId": lenient, "Username": "ann", "MessageAction": "SUPPRESS"}
    assert refusal(site.client("cognito-idp").admin_create_user, **again)[:2] == ("UsernameExistsException", 400)
    site.client("cognito-idp").admin_create_user(**{**again, "UserPoolId": strict})


@proves("case_of_user_names", "locked_user_waits", "new_password_needs_session_and_policy")
def test_where_case_does_not_count_it_does_so_nowhere(site: Site) -> None:
    cognito, pool = site.client("cognito-idp"), site.pool(UsernameConfiguration={"CaseSensitive": False})
    client_id = site.app_client(pool)
    site.user(pool, "clumsy")
    for _ in range(5):
        assert refusal(cognito.initiate_auth, **password(client_id, "Clumsy", "Wr0ng.pass")) == WRONG
    assert refusal(cognito.initiate_auth, **password(client_id, "CLUMSY")) == LOCKED
    site.user(pool, "new", permanent=False)
    session = site.sign_in(client_id, "New")["Session"]
    responses = {"USERNAME": "NEW", "NEW_PASSWORD": "N3w.pass-word"}
    challenge = {"ClientId": client_id, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    answer = cognito.respond_to_auth_challenge(**challenge, ChallengeResponses=responses)
    assert "IdToken" in answer["AuthenticationResult"]


@proves("refresh_tokens_are_opened", "refresh_tokens_are_closed")
def test_a_refresh_token_tells_nothing_and_refreshes(grounds: Site, pool: str) -> None:
    cognito, client_id = grounds.client("cognito-idp"), grounds.app_client(pool)
    token = grounds.tokens(client_id, "ann")["RefreshToken"]
    assert token.count(".") == 4
    assert b"client_id" not in base64.urlsafe_b64decode(token.split(".")[3] + "==")

    def refresh(text: str) -> dict[str, Any]:
        return {"ClientId": client_id, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": text}}

    assert set(cognito.initiate_auth(**refresh(token))["AuthenticationResult"]) >= {"IdToken", "AccessToken"}
    assert refusal(cognito.initiate_auth, **refresh(token[:-4] + "AAAA"))[:2] == ("NotAuthorizedException", 400)
    assert refusal(cognito.initiate_auth, **refresh("a.b.c"))[:2] == ("NotAuthorizedException", 400)
    cognito.revoke_token(ClientId=client_id, Token=token)
    assert refusal(cognito.initiate_auth, **refresh(token))[:2] == ("NotAuthorizedException", 400)
