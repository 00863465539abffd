"""What tests build through boto3 in the embedded cloud. Everything goes at the end."""

from __future__ import annotations

import io
import json
import secrets
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import requests
from botocore.exceptions import ClientError

from labkit.target.target import Place

T = TypeVar("T")

PASSWORD = "Tr1ck.y-Pass"
OPEN_ROUTE = {"AuthorizationType": "NONE"}


def trust(service: str = "lambda.amazonaws.com") -> dict[str, Any]:
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(*actions: str) -> dict[str, Any]:
    """A policy that allows actions everywhere."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


WRITES_LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def zipped(code: str, file_name: str = "index.py") -> bytes:
    """A deployment package with one module."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        module = zipfile.ZipInfo(file_name)
        module.external_attr = 0o644 << 16
        file.writestr(module, code)
    return archive.getvalue()


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, int, str]:
    """The name, the HTTP status and the sentence of the error with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    return error["Code"], metadata["HTTPStatusCode"], error["Message"]


def eventually(ask: Callable[[], T], expected: T, seconds: float = 30) -> T:
    """What `ask` returns, asked again until it is what is expected or the time is over."""
    until = time.monotonic() + seconds
    while (answer := ask()) != expected and time.monotonic() < until:
        time.sleep(0.1)
    return answer


@dataclass
class Site:
    """A place to build in, with what was built there."""

    place: Place
    ends: ExitStack = field(default_factory=ExitStack)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        if service not in self.clients:
            self.clients[service] = self.place.client(service)
        return self.clients[service]

    def later(self, call: Callable[..., Any], **parameters: Any) -> None:
        """Make a call at the end; what it should remove may be gone by then."""

        def remove() -> None:
            with suppress(ClientError):
                call(**parameters)

        self.ends.callback(remove)

    def name(self, kind: str) -> str:
        """A name that nothing else has."""
        return f"labkit-test-{kind}-{secrets.token_hex(4)}"

    def role(self, policy: dict[str, Any] | None = None, trusting: str = "lambda.amazonaws.com") -> str:
        """The ARN of a new role."""
        iam, name = self.client("iam"), self.name("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust(trusting)))["Role"]["Arn"]
        self.later(iam.delete_role, RoleName=name)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy or WRITES_LOGS))
        self.later(iam.delete_role_policy, RoleName=name, PolicyName="p")
        return str(arn)

    def function(self, code: str, role: str = "", **settings: Any) -> str:
        """The name of a new function that can be invoked."""
        client, name = self.client("lambda"), settings.pop("FunctionName", self.name("function"))
        settings = {"Runtime": "python3.13", "Handler": "index.handler", "Timeout": 5} | settings
        parameters = {"FunctionName": name, "Role": role or self.role(), "Code": {"ZipFile": zipped(code)}, **settings}
        self._created(lambda: client.create_function(**parameters))
        self.later(client.delete_function, FunctionName=name)
        self.later(self.client("logs").delete_log_group, logGroupName=f"/aws/lambda/{name}")
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return str(name)

    def _created(self, create: Callable[[], Any]) -> None:
        """Create a function, in spite of a role that is not seen yet."""
        for attempt in range(20):
            try:
                create()
                return
            except ClientError as error:
                if "cannot be assumed" not in str(error) or attempt == 19:
                    raise
                time.sleep(0.5)

    def function_arn(self, name: str) -> str:
        """The ARN of a function."""
        return f"arn:aws:lambda:{self.place.region}:{self.place.account}:function:{name}"

    def pool(self, **settings: Any) -> str:
        """The id of a new user pool."""
        client = self.client("cognito-idp")
        pool_id = client.create_user_pool(PoolName=self.name("pool"), **settings)["UserPool"]["Id"]
        self.later(client.delete_user_pool, UserPoolId=pool_id)
        return str(pool_id)

    def pool_arn(self, pool_id: str) -> str:
        """The ARN of a user pool."""
        return f"arn:aws:cognito-idp:{self.place.region}:{self.place.account}:userpool/{pool_id}"

    def app_client(self, pool_id: str, **settings: Any) -> str:
        """The id of a new app client. It allows passwords and refresh tokens unless told otherwise."""
        settings = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]} | settings
        settings = {name: value for name, value in settings.items() if value is not None}
        client = self.client("cognito-idp")
        made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="test", **settings)
        return str(made["UserPoolClient"]["ClientId"])

    def user(self, pool_id: str, name: str, groups: Sequence[str] = (), permanent: bool = True) -> None:
        """A new user with PASSWORD, in groups that are made if they are missing."""
        client, user = self.client("cognito-idp"), {"UserPoolId": pool_id, "Username": name}
        client.admin_create_user(**user, MessageAction="SUPPRESS")
        client.admin_set_user_password(**user, Password=PASSWORD, Permanent=permanent)
        for group in groups:
            with suppress(client.exceptions.GroupExistsException):
                client.create_group(UserPoolId=pool_id, GroupName=group)
            client.admin_add_user_to_group(**user, GroupName=group)

    def sign_in(self, app_client: str, name: str, password: str = PASSWORD) -> dict[str, Any]:
        """What InitiateAuth answers to a user's password."""
        parameters = {"USERNAME": name, "PASSWORD": password}
        return dict(
            self.client("cognito-idp").initiate_auth(
                ClientId=app_client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
            )
        )

    def tokens(self, app_client: str, name: str) -> dict[str, str]:
        """A user's tokens."""
        return dict(self.sign_in(app_client, name)["AuthenticationResult"])

    def api(self) -> str:
        """The id of a new HTTP API, without a stage."""
        client = self.client("apigatewayv2")
        api_id = client.create_api(Name=self.name("api"), ProtocolType="HTTP")["ApiId"]
        self.later(client.delete_api, ApiId=api_id)
        return str(api_id)

    def integration(self, api_id: str, function: str, **settings: Any) -> str:
        """The id of a new Lambda proxy integration."""
        settings = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"} | settings
        uri = self.function_arn(function)
        made = self.client("apigatewayv2").create_integration(ApiId=api_id, IntegrationUri=uri, **settings)
        return str(made["IntegrationId"])

    def route(self, api_id: str, key: str, integration: str, **settings: Any) -> str:
        """The id of a new route, open to everybody unless told otherwise."""
        settings = OPEN_ROUTE | {"Target": f"integrations/{integration}"} | settings
        return str(self.client("apigatewayv2").create_route(ApiId=api_id, RouteKey=key, **settings)["RouteId"])

    def stage(self, api_id: str, name: str = "$default", auto: bool = True) -> None:
        """A new stage."""
        self.client("apigatewayv2").create_stage(ApiId=api_id, StageName=name, AutoDeploy=auto)

    def authorizer(self, api_id: str, issuer: str, *audience: str, **settings: Any) -> str:
        """The id of a new JWT authorizer."""
        settings = {"Name": "jwt", "IdentitySource": ["$request.header.Authorization"]} | settings
        made = self.client("apigatewayv2").create_authorizer(
            ApiId=api_id,
            AuthorizerType="JWT",
            JwtConfiguration={"Issuer": issuer, "Audience": list(audience)},
            **settings,
        )
        return str(made["AuthorizerId"])

    def permit(self, function: str, principal: str, source_arn: str, statement: str = "test") -> None:
        """Let a service invoke a function."""
        self.client("lambda").add_permission(
            FunctionName=function,
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=source_arn,
        )

    def permit_api(self, function: str, api_id: str, rest: str = "*", statement: str = "test") -> None:
        """Let an API invoke a function."""
        arn = f"arn:aws:execute-api:{self.place.region}:{self.place.account}:{api_id}/{rest}"
        self.permit(function, "apigateway.amazonaws.com", arn, statement)

    def url(self, api_id: str, path: str = "") -> str:
        """The URL of a path of an API."""
        return f"{self.place.api_url(api_id)}{path}"

    def call(self, api_id: str, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """Call an API, and leave redirects alone."""
        return requests.request(method, self.url(api_id, path), timeout=30, allow_redirects=False, **options)

    def status(self, api_id: str, path: str, **options: Any) -> int:
        """The status of a call."""
        return self.call(api_id, path, **options).status_code
