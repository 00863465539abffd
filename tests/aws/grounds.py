"""Where the probes are made: a lab, and a second API that trusts keys of this process.

A token that Cognito never signs (no exp, two scope claims, PS256) needs an issuer of our own, and API Gateway takes
only one that it can reach by https. So the second API is its own issuer: a function of the lab serves the discovery
document and the key set through it. It bears the name and the tag of the lab's what-if API, so that `labkit down` takes
it away even where this run was killed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests
from botocore.exceptions import ClientError

from labkit.aws import until_settled
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.machine.polling import until
from labkit.questions.endpoint import Endpoint, Headers, clock
from labkit.runtimes import RUNTIMES
from labkit.target.names import DEFAULT_STAGE, PRE_TOKEN, REGULAR
from labkit.target.target import Target
from tests.cloud.rules.site import zipped
from tests.signing import jwk, signed

RUNTIME = RUNTIMES["python3.13"]
NAME = "conformance"

# For how many seconds a new route is asked for.
PATIENCE = 60

# RFC 7517: keys for signing, one that leaves its algorithm open, two for encryption alone, and one that is too small.
KEYS = [
    jwk("first"),
    jwk("any", alg=None, use=None),
    jwk("encryption", use="enc"),
    jwk("by-operations", use=None, key_ops=["encrypt"]),
    jwk("small"),
]

# What the function does is the last part of the path.
ACTOR = f"""
import json

def {RUNTIME.handler.rpartition(".")[2]}(event, context):
    act = event["rawPath"].rsplit("/", 1)[1]
    if act in DOCUMENTS:
        told = DOCUMENTS[act]
    else:
        told = event["requestContext"].get("authorizer")
    answer = {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": json.dumps(told)}}
    return {{
        "text": "just text",
        "object": {{"a": 1}},
        "plain": {{"statusCode": 201, "body": "made"}},
        "digits": {{"statusCode": "202", "body": "made"}},
        "letters": {{"statusCode": "zz"}},
    }}.get(act, answer)
"""
RAISING = f"""
def {RUNTIME.handler.rpartition(".")[2]}(event, context):
    raise RuntimeError("boom")
"""
UNREADABLE = f"""
def {RUNTIME.handler.rpartition(".")[2]}(event, context):
    return "no event"
"""


@dataclass
class Grounds:
    """A lab that stands, and the second API once it is built.

    Attributes:
        lab: the lab.
        api: the id of the second API.
        problem: why nothing can be asked behind the second API's authorizer, if so.
        ids: the ids of its parts.
        noted: what was asked while it was built, by the probe's row.
    """

    lab: Lab
    api: str = ""
    problem: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        """The lab's place."""
        return self.lab.target

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.target.client(service)

    @cached_property
    def found(self) -> dict[str, str]:
        """The lab's ids."""
        return self.lab.status().ids

    @property
    def url(self) -> str:
        """The second API, which is the issuer that its authorizers trust."""
        return self.target.place.api_url(self.api)

    @cached_property
    def ahead(self) -> float:
        """The seconds by which API Gateway's clock is ahead of this machine's: a token is judged by theirs."""
        return clock(self.send("/act/text").headers) - time.time()

    def token(
        self,
        claims: dict[str, Any] | None = None,
        *,
        without: Sequence[str] = (),
        header: dict[str, Any] | None = None,
        by: str = "first",
        algorithm: str = "RS256",
    ) -> str:
        """A token of the second API's issuer, good but for what is said otherwise."""
        return signed(self.claims(claims, without), header, by, algorithm)

    def claims(self, claims: dict[str, Any] | None = None, without: Sequence[str] = ()) -> dict[str, Any]:
        """The claims of a good token, but for what is said otherwise."""
        good = {"iss": self.url, "aud": "app", "sub": "me", "exp": self.at(600), **(claims or {})}
        return {name: value for name, value in good.items() if name not in without}

    def at(self, seconds: int) -> int:
        """A moment by API Gateway's clock, so many seconds from now."""
        return int(time.time() + self.ahead) + seconds

    def get(self, path: str, token: str | None = None, headers: Headers = (), query: str = "") -> str:
        """The answer to a GET with a token in the Authorization header, or with other headers: see `answered`."""
        return answered(self.send(path, headers if token is None else [("Authorization", token)], query))

    def send(self, path: str, headers: Headers = (), query: str = "") -> requests.Response:
        """The answer to a GET of the second API."""
        return Endpoint(f"GET {path}", f"{self.url}{path}").send(headers, query)

    def seen(self, path: str, token: str, *names: str) -> str:
        """What the function behind a path sees: some claims of the token, and the scopes."""
        jwt = self.send(path, [("Authorization", token)]).json()["jwt"]
        return json.dumps({name: jwt["claims"].get(name, "absent") for name in names} | {"scopes": jwt["scopes"]})

    def refused(self, service: str, operation: str, **parameters: Any) -> str:
        """How AWS refuses a call: `status Name: sentence`, or `done`."""
        try:
            getattr(self.client(service), operation)(**parameters)
        except ClientError as error:
            return told(error)
        return "done"

    def sign_in(self) -> dict[str, Any]:
        """What InitiateAuth takes to sign a user of the lab in."""
        password = self.lab.password("regularuser")
        return {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.found["app_client_id"],
            "AuthParameters": {"USERNAME": "regularuser", "PASSWORD": password},
        }

    def signed_in(self, ending: Callable[[str], bool]) -> str:
        """How a sign-in is refused, once a change of the trigger has arrived; the last answer if it does not."""
        return until(
            lambda: self.refused("cognito-idp", "initiate_auth", **self.sign_in()), ending, seconds=30, every=2
        )

    def trigger(self, code: str) -> None:
        """Put other code into the pre token generation trigger."""
        self._deploy(PRE_TOKEN, code)

    def build(self) -> Grounds:
        """Build the second API. What hinders that is its `problem`: other questions can be asked all the same."""
        try:
            self._make_issuer()
            self._protect()
            answer = self._served("/open", lambda: [("Authorization", self.token())])
            self.problem = "" if answer == "200" else f"a good token of the probes' own issuer gets {answer}"
        except ClientError as error:
            self.problem = f"AWS refused a part of the second API: {error}"
        except LabError as error:
            self.problem = error.problem
        return self

    def _served(self, path: str, headers: Callable[[], Headers] = tuple) -> str:
        """The answer to a GET, asked again until the route is served and lets us in."""

        def ask() -> str:
            try:
                return self.get(path, headers=headers())
            except LabError as error:
                return error.problem

        return until(ask, lambda answer: answer == "200", seconds=PATIENCE)

    def _make_issuer(self) -> None:
        """The API with its open routes, and what can be asked of it only before it has any."""
        gateway, names = self.client("apigatewayv2"), self.target.names
        made = gateway.create_api(Name=names.what_if_api, ProtocolType="HTTP", Tags=names.tags)
        self.api = self.ids["api"] = made["ApiId"]
        self.noted["deployment_needs_a_route"] = self.refused("apigatewayv2", "create_deployment", ApiId=self.api)
        discovery = {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks.json"}
        documents = {"openid-configuration": discovery, "jwks.json": {"keys": KEYS}}
        self._deploy(REGULAR, f"DOCUMENTS = {documents!r}\n{ACTOR}")
        self.client("lambda").add_permission(
            FunctionName=names.function(REGULAR),
            StatementId="probes",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:{names.partition}:execute-api:{names.region}:{names.account}:{self.api}/*",
        )
        for kind in ("integration", "spare_integration"):
            self.ids[kind] = self.make(
                "integration",
                IntegrationType="AWS_PROXY",
                IntegrationUri=names.function_arn(REGULAR),
                PayloadFormatVersion="2.0",
            )
        for path in (*(f"/.well-known/{name}" for name in documents), "/act/{act}"):
            self.route(path)
        stage = {"ApiId": self.api, "StageName": DEFAULT_STAGE, "AutoDeploy": True}
        until_settled(lambda: gateway.create_stage(**stage))
        for name in documents:
            self._served(f"/.well-known/{name}")

    def make(self, kind: str, **settings: Any) -> str:
        """The id of a new part of the second API."""
        create = getattr(self.client("apigatewayv2"), f"create_{kind}")
        return str(until_settled(lambda: create(ApiId=self.api, **settings))[f"{kind.capitalize()}Id"])

    def route(self, path: str, integration: str = "integration", **settings: Any) -> str:
        """The id of a new route of the second API, open unless told otherwise."""
        settings = {"RouteKey": f"GET {path}", "Target": f"integrations/{self.ids[integration]}", **settings}
        return self.make("route", **settings)

    def _protect(self) -> None:
        """The authorizers, which trust the API itself, and the routes that they protect."""
        for name, source in (
            ("header", "$request.header.Authorization"),
            ("query", "$request.querystring.token"),
            ("spare", "$request.header.Authorization"),
        ):
            self.ids[f"{name}_authorizer"] = self.make(
                "authorizer",
                Name=name,
                AuthorizerType="JWT",
                IdentitySource=[source],
                JwtConfiguration={"Issuer": self.url, "Audience": ["app"]},
            )
        for path, authorizer, scopes in (
            ("/open", "header", []),
            ("/scoped", "header", ["read", "write"]),
            ("/query", "query", []),
        ):
            self.route(path, **self._jwt(authorizer), AuthorizationScopes=scopes)
        self.ids["spare_route"] = self.route("/spare", "spare_integration", **self._jwt("spare"))

    def _jwt(self, authorizer: str) -> dict[str, str]:
        return {"AuthorizationType": "JWT", "AuthorizerId": self.ids[f"{authorizer}_authorizer"]}

    def _deploy(self, function: str, code: str) -> None:
        client, name = self.client("lambda"), self.target.names.function(function)
        package = zipped(code, RUNTIME.file_name)
        until_settled(lambda: client.update_function_code(FunctionName=name, ZipFile=package))
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def redacted(self, answer: str) -> str:
        """An answer without the account, tokens, addresses and ids."""
        answer = re.sub(r"eyJ[\w-]+\.[\w.-]+", "<token>", answer).replace(self.url, "<issuer>")
        known = {"account": self.target.place.account, **self.ids, **self.found}
        for name, value in sorted(known.items(), key=lambda pair: -len(pair[1])):
            answer = answer.replace(value, f"<{name}>") if value else answer
        return re.sub(r"\b\d{12}\b", "<account>", answer)


def answered(response: requests.Response) -> str:
    """An answer as one line: the status, and the body and the challenge of a refusal."""
    if response.ok:
        return str(response.status_code)
    return " ".join(filter(None, (str(response.status_code), response.text, response.headers.get("www-authenticate"))))


def told(error: ClientError) -> str:
    """A refusal as one line: `status Name: sentence`.

    Raises:
        LabError: the caller may not ask.
    """
    code, sentence = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code in ("AccessDenied", "AccessDeniedException"):
        raise LabError(f"the caller may not make this call: {sentence}", "Use the attendee's role.")
    return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {code}: {sentence}"
