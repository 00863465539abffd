"""The pre token generation trigger: what it may change, and how its failures read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from labkit.cloud.protocol import Cloud
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import PASSWORD, Site, eventually, refusal

# What the trigger does is the name of the user.
TRIGGER = """
import time

RESERVED = (
    *("aud", "exp", "iat", "iss", "sub", "token_use", "jti", "auth_time", "origin_jti", "event_id"),
    "cognito:username",
)

def v1(event, add=None, suppress=None, groups=None):
    event["response"] = {"claimsOverrideDetails": {
        "claimsToAddOrOverride": add or {},
        "claimsToSuppress": suppress or [],
        "groupOverrideDetails": {"groupsToOverride": groups},
    }}
    return event

def v2(event, part, **details):
    event["response"] = {"claimsAndScopeOverrideDetails": {part: details}}
    return event

def handler(event, context):
    print(event["triggerSource"], event["userName"])
    groups = event["request"]["groupConfiguration"]["groupsToOverride"]
    scopes = {"scope": " ".join(f"{group}-{event['callerContext']['clientId']}" for group in groups)}
    name = event["userName"]
    if name == "raises":
        raise ValueError("no luck")
    if name == "slow":
        time.sleep(9)
    return {
        "reserved": lambda: v1(event, {claim: "stolen" for claim in RESERVED} | {"mine": "1"}, ["sub", "email"]),
        "grouped": lambda: v1(event, groups=["other"]),
        "number": lambda: v1(event, {"mine": 1}),
        "none": lambda: None,
        "junk": lambda: "junk",
        "empty": lambda: {},
        "shape": lambda: {**event, "response": "x"},
        "unchanged": lambda: event,
        "access": lambda: v2(event, "accessTokenGeneration",
                             claimsToAddOrOverride={"mine": 1, "scope": "no", "sub": "no"},
                             scopesToAdd=["read", "write"], scopesToSuppress=["aws.cognito.signin.user.admin"]),
        "audience": lambda: v2(event, "accessTokenGeneration",
                               claimsToAddOrOverride={"aud": event["callerContext"]["clientId"]}),
        "stranger": lambda: v2(event, "accessTokenGeneration", claimsToAddOrOverride={"aud": "somebody"}),
        "identity": lambda: v2(event, "idTokenGeneration", claimsToAddOrOverride={"list": [1, True]}),
    }.get(name, lambda: v1(event, scopes))()
"""

UNINVOCABLE = "PreTokenGeneration invocation failed due to error"
UNRECOGNIZABLE = ("InvalidLambdaResponseException", 400, "Unrecognizable lambda output")


def claims(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


@dataclass(frozen=True)
class Trigger:
    """A function, and a pool of each version of its event."""

    site: Site
    function: str
    pools: dict[str, str]
    app_clients: dict[str, str]

    def tokens(self, name: str, version: str = "V1_0") -> tuple[dict[str, Any], dict[str, Any]]:
        """What a user's ID token and access token say. The user is made if it is missing."""
        self.known(name, version)
        tokens = self.site.tokens(self.app_clients[version], name)
        return claims(tokens["IdToken"]), claims(tokens["AccessToken"])

    def known(self, name: str, version: str = "V1_0") -> None:
        """Make a user if it is missing."""
        cognito = self.site.client("cognito-idp")
        try:
            cognito.admin_get_user(UserPoolId=self.pools[version], Username=name)
        except cognito.exceptions.UserNotFoundException:
            self.site.user(self.pools[version], name, ["admin", "regular"])

    def runs(self, name: str) -> int:
        """How often the trigger ran for a user's sign-in by password."""
        group = f"/aws/lambda/{self.function}"
        events = self.site.client("logs").filter_log_events(logGroupName=group)["events"]
        return sum(f"TokenGeneration_Authentication {name}" in event["message"] for event in events)

    def refusal(self, name: str, version: str = "V1_0") -> tuple[str, int, str]:
        """How a user's sign-in is refused."""
        self.known(name, version)
        parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
        initiate = self.site.client("cognito-idp").initiate_auth
        flow = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        return refusal(initiate, ClientId=self.app_clients[version], **flow)


@pytest.fixture(scope="module")
def trigger(grounds: Site) -> Trigger:
    function = grounds.function(TRIGGER, Timeout=2)
    pools, app_clients = {}, {}
    for version in ("V1_0", "V2_0"):
        config = {"LambdaArn": grounds.function_arn(function), "LambdaVersion": version}
        legacy = {"PreTokenGeneration": grounds.function_arn(function)}
        config = legacy if version == "V1_0" else {"PreTokenGenerationConfig": config}
        pools[version] = grounds.pool(LambdaConfig=config)
        app_clients[version] = grounds.app_client(pools[version])
        grounds.permit(function, "cognito-idp.amazonaws.com", grounds.pool_arn(pools[version]), f"pool-{version}")
    made = Trigger(grounds, function, pools, app_clients)
    eventually(lambda: bool(made.tokens("ann")), True)
    return made


def test_groups_become_the_scope_of_the_id_token(trigger: Trigger) -> None:
    identity, access = trigger.tokens("ann")
    client_id = trigger.app_clients["V1_0"]
    assert identity["scope"] == f"admin-{client_id} regular-{client_id}"
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert identity["cognito:groups"] == access["cognito:groups"] == ["admin", "regular"]


@proves("trigger_runs_once_for_both_tokens")
def test_reserved_claims_stay_as_they_are(trigger: Trigger) -> None:
    identity, _ = trigger.tokens("reserved")
    assert identity["mine"] == "1"
    assert "stolen" not in identity.values()
    assert identity["token_use"] == "id"
    assert "sub" in identity


@proves("trigger_runs_once_for_both_tokens")
def test_the_trigger_runs_once_and_changes_the_groups_of_both_tokens(trigger: Trigger) -> None:
    identity, access = trigger.tokens("grouped")
    assert identity["cognito:groups"] == access["cognito:groups"] == ["other"]
    assert eventually(lambda: trigger.runs("grouped"), 1) == 1


@proves("trigger_runs_once_for_both_tokens")
def test_version_2_changes_the_access_token(trigger: Trigger) -> None:
    _, access = trigger.tokens("access", "V2_0")
    assert (access["scope"], access["mine"]) == ("read write", 1)
    assert access["sub"] != "no"
    assert trigger.tokens("audience", "V2_0")[1]["aud"] == trigger.app_clients["V2_0"]
    assert "aud" not in trigger.tokens("stranger", "V2_0")[1]
    assert trigger.tokens("identity", "V2_0")[0]["list"] == [1, True]


@proves("trigger_runs_once_for_both_tokens")
def test_version_2_ignores_an_answer_in_the_form_of_version_1(trigger: Trigger) -> None:
    assert "scope" not in trigger.tokens("ann", "V2_0")[0]


@proves("trigger_failures_have_three_names")
def test_a_trigger_that_raises_is_a_validation_error(trigger: Trigger) -> None:
    message = "PreTokenGeneration failed with error no luck."
    assert trigger.refusal("raises") == ("UserLambdaValidationException", 400, message)
    # No SDK tries a 400 again.
    assert eventually(lambda: trigger.runs("raises"), 1) == 1


@proves("trigger_failures_have_three_names")
def test_a_trigger_that_takes_too_long_is_a_validation_error(trigger: Trigger) -> None:
    code, status, message = trigger.refusal("slow")
    assert (code, status) == ("UserLambdaValidationException", 400)
    assert re.search(r"Task timed out after 2\.00 seconds", message)


@pytest.mark.parametrize("name", ["none", "junk", "empty", "shape", "number"])
@proves("trigger_failures_have_three_names")
def test_a_trigger_that_answers_badly_is_an_invalid_response(trigger: Trigger, name: str) -> None:
    assert trigger.refusal(name) == UNRECOGNIZABLE


def test_a_trigger_that_changes_nothing_is_fine(trigger: Trigger) -> None:
    assert "scope" not in trigger.tokens("unchanged")[0]


@proves("trigger_failures_have_three_names")
def test_a_trigger_without_permission_or_gone_is_an_unexpected_error(grounds: Site, trigger: Trigger) -> None:
    cognito = grounds.client("cognito-idp")
    pool = grounds.pool(LambdaConfig={"PreTokenGeneration": grounds.function_arn(trigger.function)})
    client_id = grounds.app_client(pool)
    grounds.user(pool, "ann")
    sign_in = {"ClientId": client_id, "AuthFlow": "USER_PASSWORD_AUTH"}
    sign_in |= {"AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}}
    denied = ("UnexpectedLambdaException", 400, f"{UNINVOCABLE} AccessDeniedException.")
    assert refusal(cognito.initiate_auth, **sign_in) == denied
    cognito.update_user_pool(UserPoolId=pool, LambdaConfig={"PreTokenGeneration": grounds.function_arn("nobody")})
    assert refusal(cognito.initiate_auth, **sign_in)[:2] == ("UnexpectedLambdaException", 400)


@pytest.fixture(scope="module")
def hosted(grounds: Site, trigger: Trigger) -> Iterator[tuple[str, str]]:
    """A pool with a domain and an app client for the code grant."""
    pool = grounds.pool(LambdaConfig={"PreTokenGeneration": grounds.function_arn(trigger.function)})
    grounds.permit(trigger.function, "cognito-idp.amazonaws.com", grounds.pool_arn(pool), "hosted")
    client_id = grounds.app_client(
        pool,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        CallbackURLs=["http://localhost/cb"],
        SupportedIdentityProviders=["COGNITO"],
    )
    for name in ("ann", "raises"):
        grounds.user(pool, name, ["admin"])
    prefix = f"test-{secrets.token_hex(6)}"
    grounds.client("cognito-idp").create_user_pool_domain(UserPoolId=pool, Domain=prefix)
    yield pool, client_id
    grounds.client("cognito-idp").delete_user_pool_domain(UserPoolId=pool, Domain=prefix)


def code_of(cloud: Cloud, client_id: str, name: str) -> dict[str, str]:
    """The parameters with which a user's hosted sign-in gets its tokens."""
    form = {"client_id": client_id, "redirect_uri": "http://localhost/cb", "scope": "openid email"}
    login = form | {"response_type": "code", "username": name, "password": PASSWORD}
    redirect = requests.post(f"{cloud.endpoint_url}/login", data=login, timeout=10, allow_redirects=False)
    assert redirect.status_code == 302
    code = parse_qs(urlsplit(redirect.headers["location"]).query)["code"][0]
    return form | {"grant_type": "authorization_code", "code": code}


# The hosted pages of an account are on another host, behind a page with a form.


@proves("hosted_refresh_keeps_groups")
def test_the_hosted_refresh_keeps_groups_and_scope(cloud: Cloud, hosted: tuple[str, str]) -> None:
    url, client_id = f"{cloud.endpoint_url}/oauth2/token", hosted[1]
    first = requests.post(url, data=code_of(cloud, client_id, "ann"), timeout=10).json()
    assert claims(first["id_token"])["scope"] == f"admin-{client_id}"
    assert first["refresh_token"].count(".") == 4
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": first["refresh_token"]}
    again = requests.post(url, data=form, timeout=10).json()
    assert claims(again["id_token"])["scope"] == f"admin-{client_id}"
    assert claims(again["id_token"])["cognito:groups"] == claims(again["access_token"])["cognito:groups"] == ["admin"]
    forged = requests.post(url, data={**form, "refresh_token": "a.b.c.d.e"}, timeout=10)
    assert (forged.status_code, forged.json()["error"]) == (400, "invalid_grant")


@proves("tokens_name_their_event")
def test_tokens_name_the_sign_in_that_they_are_from(cloud: Cloud, hosted: tuple[str, str], trigger: Trigger) -> None:
    (identity, access), (other, _) = trigger.tokens("ann"), trigger.tokens("ann")
    assert identity["event_id"] == access["event_id"] != other["event_id"]
    assert "version" not in identity | access
    answer = requests.post(f"{cloud.endpoint_url}/oauth2/token", data=code_of(cloud, hosted[1], "ann"), timeout=10)
    tokens = answer.json()
    again = {"grant_type": "refresh_token", "client_id": hosted[1], "refresh_token": tokens["refresh_token"]}
    refreshed = requests.post(f"{cloud.endpoint_url}/oauth2/token", data=again, timeout=10).json()
    for made in (tokens, refreshed):
        identity, access = claims(made["id_token"]), claims(made["access_token"])
        assert identity["event_id"] == access["event_id"] == claims(tokens["id_token"])["event_id"]
        assert (access["version"], identity.get("version")) == (2, None)


@proves("trigger_failures_at_the_token_endpoint")
def test_a_trigger_that_raises_is_a_400_at_the_token_endpoint(cloud: Cloud, hosted: tuple[str, str]) -> None:
    form = code_of(cloud, hosted[1], "raises")
    answer = requests.post(f"{cloud.endpoint_url}/oauth2/token", data=form, timeout=10)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": "UserLambdaValidationException: PreTokenGeneration failed with error no luck.",
    }


@proves("hosted_sign_in_needs_a_domain")
def test_the_hosted_pages_of_a_pool_without_a_domain_are_not_there(cloud: Cloud, trigger: Trigger) -> None:
    query = {"client_id": trigger.app_clients["V1_0"], "response_type": "code", "redirect_uri": "http://localhost/cb"}
    answer = requests.get(f"{cloud.endpoint_url}/oauth2/authorize", params=query, timeout=10)
    assert answer.status_code == 404
