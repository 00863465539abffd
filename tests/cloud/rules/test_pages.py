"""The hosted sign-in: where it leads, what it takes, and to whom it says nothing."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from labkit.cloud.protocol import Cloud
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import PASSWORD, Site

HERE, THERE = "http://localhost:3000/back", "https://evil.example/"


def app(site: Site, **settings: Any) -> str:
    """An app client whose user pool has a domain and a user, `me`, with a mail address."""
    cognito, pool = site.client("cognito-idp"), site.pool(UsernameConfiguration={"CaseSensitive": False})
    prefix = site.name("d").removeprefix("labkit-")
    cognito.create_user_pool_domain(UserPoolId=pool, Domain=prefix)
    site.later(cognito.delete_user_pool_domain, UserPoolId=pool, Domain=prefix)
    site.user(pool, "me")
    cognito.admin_update_user_attributes(
        UserPoolId=pool, Username="me", UserAttributes=[{"Name": "email", "Value": "me@example.com"}]
    )
    return site.app_client(
        pool,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[HERE],
        SupportedIdentityProviders=["COGNITO"],
        **settings,
    )


def get(cloud: Cloud, path: str, *parameters: tuple[str, str]) -> requests.Response:
    """What a page answers."""
    return requests.get(cloud.endpoint_url + path, params=list(parameters), allow_redirects=False, timeout=10)


@proves("logout_leads_to_a_listed_address")
@pytest.mark.parametrize("listed", [None, [], [HERE]])
def test_logout_leads_nowhere_but_to_what_the_app_client_lists(
    cloud: Cloud, site: Site, listed: list[str] | None
) -> None:
    client = app(site, LogoutURLs=listed)
    for address in (THERE, f"{HERE}/x", f"{HERE}?x", HERE.upper(), "//evil.example", "", " " + HERE, "javascript:1"):
        answer = get(cloud, "/logout", ("client_id", client), ("logout_uri", address))
        assert (answer.status_code, answer.headers.get("location")) == (400, None)
    good = get(cloud, "/logout", ("client_id", client), ("logout_uri", HERE))
    assert (good.status_code, good.headers.get("location")) == ((302, HERE) if listed else (400, None))


@proves("parameters_come_once")
@pytest.mark.parametrize("turned", [1, -1])
def test_a_parameter_that_is_there_twice_leads_nowhere(cloud: Cloud, site: Site, turned: int) -> None:
    client = app(site, LogoutURLs=[HERE])
    for path, name in (("/logout", "logout_uri"), ("/oauth2/authorize", "redirect_uri")):
        both = [(name, HERE), (name, THERE)][::turned]
        answer = get(cloud, path, ("client_id", client), ("response_type", "code"), *both)
        assert (answer.status_code, answer.headers.get("location")) == (400, None)
    form = f"client_id={client}&redirect_uri={HERE}&username=me&password={PASSWORD}"
    assert sign_in(cloud, form).status_code == 302
    assert sign_in(cloud, form, query=f"?client_id={client}").status_code == 400


@proves("hosted_sign_in_is_by_password")
def test_no_other_way_than_the_password_leads_in(cloud: Cloud, site: Site) -> None:
    client = app(site, ExplicitAuthFlows=["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    for form in (
        f"auth_flow=USER_AUTH&client_id={client}&redirect_uri={HERE}&username=me",
        f"ua_token=x&client_id={client}&code=123456",
    ):
        assert sign_in(cloud, form).status_code == 400
        assert sign_in(cloud, form, media="text/plain").status_code == 400
    answer = get(cloud, "/oauth2/authorize", ("client_id", client), ("identity_provider", "Google"))
    assert answer.status_code == 400


@proves("hosted_sign_in_needs_a_domain")
@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_without_a_domain_there_is_no_page_whatever_the_form_is_called(cloud: Cloud, site: Site, media: str) -> None:
    pool = site.pool()
    site.user(pool, "me")
    client = site.app_client(pool)
    form = f"client_id={client}&redirect_uri={HERE}&username=me&password={PASSWORD}"
    assert sign_in(cloud, form, media=media).status_code == 404


def sign_in(
    cloud: Cloud, form: str, query: str = "", media: str = "application/x-www-form-urlencoded"
) -> requests.Response:
    """What the sign-in page answers to a form."""
    url, headers = f"{cloud.endpoint_url}/login{query}", {"content-type": media}
    return requests.post(url, form, headers=headers, allow_redirects=False, timeout=10)
