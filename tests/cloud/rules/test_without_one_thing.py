"""One thing is taken from a finished lab: a caller meets what AWS would answer, and `up` brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from labkit.cloud import process
from labkit.lab import Lab
from tests.labs import lab_at

TRIGGER, ADMIN = "lost-Pre-tokenAuthLambda", "lost-LambdaForAdminUser"
FORBIDDEN, NOT_FOUND = (403, '{"message":"Forbidden"}'), (404, '{"message":"Not Found"}')
UNAUTHORIZED, INTERNAL = (401, '{"message":"Unauthorized"}'), (500, '{"message":"Internal Server Error"}')
HELLO = (200, '"Hello from Admin User"')


@dataclass
class Losing:
    """A finished lab, and what it takes to damage it and to call it."""

    lab: Lab
    token: str

    @property
    def ids(self) -> dict[str, str]:
        return self.lab.status().ids

    def client(self, service: str) -> Any:
        return self.lab.target.client(service)

    @property
    def pool(self) -> dict[str, str]:
        return {"UserPoolId": self.ids["user_pool_id"]}

    @property
    def api(self) -> dict[str, str]:
        return {"ApiId": self.ids["api_id"]}

    @property
    def route(self) -> dict[str, str]:
        routes = self.client("apigatewayv2").get_routes(**self.api)["Items"]
        return {**self.api, "RouteId": next(r["RouteId"] for r in routes if r["RouteKey"] == "GET /AdminUser")}

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        """Call the API."""
        headers = {"Authorization": token} if token else {}
        answer = requests.get(f"{self.lab.target.place.api_url(self.ids['api_id'])}{path}", headers=headers, timeout=10)
        return answer.status_code, answer.text

    def with_old_token(self, path: str = "/AdminUser") -> tuple[int, str]:
        """Call with a token from before the loss."""
        return self.get(path, self.token)

    def signed_in_anew(self, user: str = "adminuser", path: str = "/AdminUser") -> tuple[int, str]:
        """Sign in, and call."""
        return self.get(path, self.lab.tokens(user)["id"])

    def sign_in(self) -> tuple[str, str]:
        """How a sign-in is refused."""
        parameters = {"USERNAME": "adminuser", "PASSWORD": self.lab.password("adminuser")}
        try:
            self.client("cognito-idp").initiate_auth(
                ClientId=self.ids["app_client_id"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
            )
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"]["Message"]
        return "signed in", ""


def stage_anew(lost: Losing) -> None:
    """The stage Test as it was before anything was deployed to it."""
    gateway = lost.client("apigatewayv2")
    tags = gateway.get_stage(**lost.api, StageName="Test")["Tags"]
    gateway.delete_stage(**lost.api, StageName="Test")
    gateway.create_stage(**lost.api, StageName="Test", Tags=tags)


def other_audience(lost: Losing) -> None:
    jwt = {"Issuer": lost.ids["issuer"], "Audience": ["nobody"]}
    authorizer = {**lost.api, "AuthorizerId": lost.ids["authorizer_id"]}
    lost.client("apigatewayv2").update_authorizer(**authorizer, JwtConfiguration=jwt)


def no_trigger(lost: Losing) -> None:
    tags = lost.client("cognito-idp").describe_user_pool(**lost.pool)["UserPool"]["UserPoolTags"]
    lost.client("cognito-idp").update_user_pool(**lost.pool, UserPoolTags=tags)


def no_permission(function: str) -> Callable[[Losing], None]:
    """Remove every statement of a function's policy."""

    def remove(lost: Losing) -> None:
        client = lost.client("lambda")
        for statement in json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]:
            client.remove_permission(FunctionName=function, StatementId=statement["Sid"])

    return remove


UNINVOCABLE = "PreTokenGeneration invocation failed due to error"

LOSSES: list[tuple[str, Callable[[Losing], object], Callable[[Losing], object], object]] = [
    (
        "the API's permission",
        no_permission(ADMIN),
        lambda lost: lost.with_old_token(),
        INTERNAL,
    ),
    (
        "the trigger's permission",
        no_permission(TRIGGER),
        lambda lost: lost.sign_in(),
        ("UnexpectedLambdaException", f"{UNINVOCABLE} AccessDeniedException."),
    ),
    ("the trigger", no_trigger, lambda lost: lost.signed_in_anew(), FORBIDDEN),
    (
        "the trigger's function",
        lambda lost: lost.client("lambda").delete_function(FunctionName=TRIGGER),
        lambda lost: lost.sign_in(),
        ("UnexpectedLambdaException", f"{UNINVOCABLE} ResourceNotFoundException."),
    ),
    (
        "the function",
        lambda lost: lost.client("lambda").delete_function(FunctionName=ADMIN),
        lambda lost: lost.with_old_token(),
        INTERNAL,
    ),
    (
        "the flow",
        lambda lost: lost.client("cognito-idp").update_user_pool_client(
            **lost.pool, ClientId=lost.ids["app_client_id"], ClientName="lost-app"
        ),
        lambda lost: lost.sign_in(),
        ("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"),
    ),
    (
        "the group",
        lambda lost: lost.client("cognito-idp").delete_group(**lost.pool, GroupName="admin"),
        lambda lost: (lost.with_old_token(), lost.signed_in_anew()),
        (HELLO, FORBIDDEN),
    ),
    (
        "the user's permission to sign in",
        lambda lost: lost.client("cognito-idp").admin_disable_user(**lost.pool, Username="adminuser"),
        lambda lost: (lost.with_old_token(), lost.sign_in()),
        (HELLO, ("NotAuthorizedException", "User is disabled.")),
    ),
    ("the deployment", stage_anew, lambda lost: lost.with_old_token("/Test/AdminUser"), NOT_FOUND),
    (
        "the stage $default",
        lambda lost: lost.client("apigatewayv2").delete_stage(**lost.api, StageName="$default"),
        lambda lost: (lost.with_old_token(), lost.with_old_token("/Test/AdminUser")),
        (NOT_FOUND, HELLO),
    ),
    (
        "the route",
        lambda lost: lost.client("apigatewayv2").delete_route(**lost.route),
        lambda lost: (lost.with_old_token(), lost.with_old_token("/Test/AdminUser")),
        (NOT_FOUND, HELLO),
    ),
    (
        "the scope of the route",
        lambda lost: lost.client("apigatewayv2").update_route(**lost.route, AuthorizationScopes=[]),
        lambda lost: (lost.signed_in_anew("regularuser"), lost.signed_in_anew("regularuser", "/Test/AdminUser")),
        (HELLO, FORBIDDEN),
    ),
    (
        "the authorizer of the route",
        lambda lost: lost.client("apigatewayv2").update_route(**lost.route, AuthorizationType="NONE"),
        lambda lost: (lost.get("/AdminUser"), lost.get("/Test/AdminUser")),
        (HELLO, UNAUTHORIZED),
    ),
    ("the audience", other_audience, lambda lost: lost.with_old_token(), UNAUTHORIZED),
]


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Losing]:
    home: Path = tmp_path_factory.mktemp("lost") / "home"
    process.start(home, supervised=True)
    lab = lab_at(home, "lost")
    lab.up()
    yield Losing(lab, lab.tokens("adminuser")["id"])
    process.stop(home)


@pytest.mark.parametrize(("take", "ask", "expected"), [loss[1:] for loss in LOSSES], ids=[loss[0] for loss in LOSSES])
def test_without_one_thing_the_lab_fails_as_on_aws(
    lost: Losing, take: Callable[[Losing], object], ask: Callable[[Losing], object], expected: object
) -> None:
    take(lost)
    assert ask(lost) == expected
    lost.lab.up()
    assert lost.signed_in_anew() == HELLO
