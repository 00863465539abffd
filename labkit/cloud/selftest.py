"""The proof that a cloud does its work: one good token gets through a JWT authorizer.

A badly set up MiniStack answers 401 to every token without a word, so this is asked before anyone relies on it.
"""

from __future__ import annotations

import http
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labkit.aws import until_settled
from labkit.cloud.http import get
from labkit.cloud.protocol import HEALTH_PATH, Cloud
from labkit.cloud.session import session
from labkit.errors import LabError
from labkit.machine.polling import until
from labkit.tokens.decision import AuthorizerSettings, Route

SERVICES = ("cognito-idp", "apigatewayv2")

_NAME = "labkit-self-test"
_REGION = "us-east-1"
_REMEDY = "Install the lab's packages again, then start the cloud again: make install"

# A stage with automatic deployment answers 404 until its first deployment is there.
_DEPLOYMENT_SECONDS = 20.0


def check(cloud: Cloud) -> None:
    """Sign in to a new user pool, call a protected route with the token, and remove all that this took.

    Raises:
        LabError: the cloud refuses a good token, or a call that this needs.
    """
    try:
        status = _status_of_a_good_token(cloud)
    except (BotoCoreError, ClientError, OSError) as error:
        raise LabError(f"The embedded cloud failed its self-test: {_first_line(error)}", _REMEDY) from error
    if status != http.HTTPStatus.OK:
        raise LabError(f"The embedded cloud failed its self-test: it answered {status} to a good token.", _REMEDY)


def _status_of_a_good_token(cloud: Cloud) -> int:
    cognito, gateway = map(session(cloud, _REGION).client, SERVICES)
    with ExitStack() as undo:
        app_client_id, issuer, token = _sign_in(cognito, undo)
        api_id = _protected_api(gateway, undo, cloud, issuer, app_client_id)
        return _call(cloud, api_id, token)


def _sign_in(cognito: Any, undo: ExitStack) -> tuple[str, str, str]:
    """Make a user pool, an app client and a user: the app client's id, the issuer, and the user's ID token."""
    pool = cognito.create_user_pool(PoolName=_NAME)["UserPool"]["Id"]
    undo.callback(cognito.delete_user_pool, UserPoolId=pool)
    app_client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=_NAME,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    # Cognito's default policy asks for a lower and an upper case letter, a digit and a symbol.
    password = f"aA1!{secrets.token_urlsafe(16)}"
    cognito.admin_create_user(UserPoolId=pool, Username=_NAME, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=_NAME, Password=password, Permanent=True)
    answer = cognito.initiate_auth(
        ClientId=app_client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": _NAME, "PASSWORD": password},
    )
    issuer = f"https://cognito-idp.{_REGION}.amazonaws.com/{pool}"
    return app_client, issuer, answer["AuthenticationResult"]["IdToken"]


def _protected_api(gateway: Any, undo: ExitStack, cloud: Cloud, issuer: str, audience: str) -> str:
    api = str(gateway.create_api(Name=_NAME, ProtocolType="HTTP")["ApiId"])
    undo.callback(settled, gateway.delete_api, ApiId=api)
    authorizer = AuthorizerSettings("$request.header.Authorization", issuer, (audience,))
    serve_health_page(gateway, api, cloud, _NAME, authorizer, Route("GET /token", ()))
    return api


def serve_health_page(
    gateway: Any, api: str, cloud: Cloud, name: str, authorizer: AuthorizerSettings, route: Route
) -> None:
    """Have an HTTP API serve the cloud's own health page, which needs no permission, to who gets past an authorizer.

    Args:
        gateway: the client of API Gateway.
        api: the API's id.
        cloud: the cloud that both are in.
        name: what the authorizer is called.
        authorizer: what it trusts.
        route: the route, and the scopes that it asks for.
    """
    integration = settled(
        gateway.create_integration,
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=f"{cloud.endpoint_url}{HEALTH_PATH}",
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    authorizer_id = settled(
        gateway.create_authorizer,
        ApiId=api,
        Name=name,
        AuthorizerType="JWT",
        IdentitySource=[authorizer.identity_source],
        JwtConfiguration={"Issuer": authorizer.issuer, "Audience": list(authorizer.audience)},
    )["AuthorizerId"]
    settled(
        gateway.create_route,
        ApiId=api,
        RouteKey=route.key,
        AuthorizationType="JWT",
        AuthorizerId=authorizer_id,
        AuthorizationScopes=list(route.scopes),
        Target=f"integrations/{integration}",
    )
    settled(gateway.create_stage, ApiId=api, StageName="$default", AutoDeploy=True)


def settled(operation: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any]:
    """Call an operation again while API Gateway answers that another change is under way."""
    return until_settled(lambda: operation(**parameters))


def _call(cloud: Cloud, api_id: str, token: str) -> int:
    """The status of a call with `token`, once the stage is deployed."""
    path, headers = f"/_aws/execute-api/{api_id}/token", {"Authorization": token}
    return until(
        lambda: get(cloud.port, path, headers)[0],
        lambda status: status != http.HTTPStatus.NOT_FOUND,
        seconds=_DEPLOYMENT_SECONDS,
        every=0.1,
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
