"""Every operation of the lab's services is either served or refused by its name; a request is of one service only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import boto3
import botocore.session
import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.rules.call import JSON_TARGETS, QUERY_NAMESPACES, SERVICES
from labkit.cloud.rules.operations import SERVED
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import allow, trust, zipped

MODELS = {"apigateway": "apigatewayv2", "tagging": "resourcegroupstaggingapi"}
OPERATIONS = {
    service: botocore.session.Session().get_service_model(MODELS.get(service, service)) for service in SERVICES
}
EVERY = [(service, name) for service, model in OPERATIONS.items() for name in model.operation_names]
TEXTS = {"Path": "/", "PolicyDocument": json.dumps(allow("s3:*")), "AssumeRolePolicyDocument": json.dumps(trust())}


class Furnished:
    """A cloud of its own, with one of everything, and what can be asked of it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.session = boto3.Session(cloud.access_key_id, cloud.secret_access_key)
        self.clients = {service: self.client(service) for service in SERVICES}
        self.ids = self.furnish()

    def client(self, service: str) -> Any:
        config = Config(
            parameter_validation=False, inject_host_prefix=False, retries={"total_max_attempts": 1}, proxies={}
        )
        name = MODELS.get(service, service)
        return self.session.client(name, "us-east-1", endpoint_url=self.cloud.endpoint_url, config=config)

    def furnish(self) -> dict[str, str]:
        """Make one of everything; the values of the parameters that name it."""
        iam, functions, gateway = self.clients["iam"], self.clients["lambda"], self.clients["apigateway"]
        role = iam.create_role(RoleName="one", AssumeRolePolicyDocument=json.dumps(trust()))["Role"]["Arn"]
        code = {"ZipFile": zipped("handler = print")}
        functions.create_function(FunctionName="one", Role=role, Runtime="python3.13", Handler="index.x", Code=code)
        functions.get_waiter("function_active_v2").wait(FunctionName="one", WaiterConfig={"Delay": 0.1})
        api = gateway.create_api(Name="one", ProtocolType="HTTP")["ApiId"]
        gateway.create_stage(ApiId=api, StageName="one")
        uri = f"arn:aws:lambda:us-east-1:{self.cloud.account_id}:function:one"
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        route = gateway.create_route(ApiId=api, RouteKey="GET /one", Target=f"integrations/{integration}")["RouteId"]
        self.clients["logs"].create_log_group(logGroupName="one")
        cognito = self.clients["cognito-idp"]
        pool = cognito.create_user_pool(PoolName="one")["UserPool"]["Id"]
        cognito.admin_create_user(UserPoolId=pool, Username="one", MessageAction="SUPPRESS")
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="one")["UserPoolClient"]["ClientId"]
        return {
            **{"apiid": api, "routeid": route, "integrationid": integration, "userpoolid": pool, "clientid": client},
            "": "one",
            **{"resource": uri, "resourcearn": f"arn:aws:apigateway:us-east-1::/apis/{api}"},
        }

    def everything(self) -> Any:
        """All that is there."""
        gateway, api = self.clients["apigateway"], self.ids["apiid"]
        cognito, pool = self.clients["cognito-idp"], self.ids["userpoolid"]
        found = [
            *(gateway.get_apis()["Items"], gateway.get_stages(ApiId=api)["Items"]),
            *(gateway.get_routes(ApiId=api)["Items"], gateway.get_integrations(ApiId=api)["Items"]),
            self.clients["iam"].get_account_authorization_details(),
            self.clients["iam"].list_account_aliases()["AccountAliases"],
            *(self.clients["lambda"].list_functions()["Functions"], self.clients["logs"].describe_log_groups()),
            *(cognito.list_users(UserPoolId=pool)["Users"], cognito.list_user_pools(MaxResults=60)["UserPools"]),
            cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"],
        ]
        for answer in found:
            answer.pop("ResponseMetadata", None) if isinstance(answer, dict) else None
        return json.loads(json.dumps(found, default=str))

    def value(self, shape: Any, name: str, ids: dict[str, str]) -> Any:
        """A value for a parameter: the id of what is there, or something that fits its type."""
        if shape.type_name == "structure":
            return {
                key: self.value(member, key, ids)
                for key, member in shape.members.items()
                if key in shape.required_members
            }
        if shape.type_name in ("list", "map"):
            return [] if shape.type_name == "list" else {}
        if shape.type_name in ("integer", "long", "double", "float", "timestamp"):
            return 1
        texts = {"boolean": True, "blob": b"x"}
        return texts.get(shape.type_name, TEXTS.get(name) or ids.get(name.lower(), ids.get("", "nothing-there")))

    def ask(self, service: str, operation: str, ids: dict[str, str]) -> tuple[int, str, str]:
        """Call an operation; the status, and the error's name and sentence."""
        model = OPERATIONS[service].operation_model(operation)
        if service == "lambda" and ids:
            ids = {**ids, "resourcearn": ids["resource"]}
        parameters = self.value(model.input_shape, "", ids) if model.input_shape else {}
        try:
            answer = self.clients[service]._make_api_call(operation, parameters)
        except ClientError as error:
            told, metadata = error.response["Error"], error.response["ResponseMetadata"]
            return metadata["HTTPStatusCode"], told["Code"], told["Message"]
        return answer["ResponseMetadata"]["HTTPStatusCode"], "", ""


NOTHING: dict[str, str] = {}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    home = tmp_path_factory.mktemp("operations") / "home"
    yield Furnished(process.start(home, supervised=True))
    process.stop(home)


def test_the_list_names_operations_that_there_are() -> None:
    assert {(service, name) for service, listed in SERVED.items() for name in listed} <= set(EVERY)


@proves("only_served_operations")
def test_what_is_not_on_the_list_is_refused_by_its_name_and_does_nothing(furnished: Furnished) -> None:
    before, wrong = furnished.everything(), []
    for service, operation in EVERY:
        if operation not in SERVED[service]:
            status, code, message = furnished.ask(service, operation, furnished.ids)
            # The two calls of STS that no SDK signs do not get as far.
            unsigned = OPERATIONS[service].operation_model(operation).auth_type == "none" and service == "sts"
            if unsigned and (status, code) == (403, "MissingAuthenticationToken"):
                continue
            if not (code == "NotPartOfThisCloud" and f" {operation} " in message and status == 400):
                wrong.append((service, operation, status, code, message))
    assert wrong == []
    assert furnished.everything() == before


@proves("only_served_operations")
def test_what_is_on_the_list_is_there(furnished: Furnished) -> None:
    wrong = []
    for service, operation in EVERY:
        if operation in SERVED[service]:
            status, code, message = furnished.ask(service, operation, NOTHING)
            unknown = code in ("NotPartOfThisCloud", "InvalidAction", "UnknownOperationException", "InvalidRequest")
            if status >= 500 or unknown or "Unknown" in message or "path" in message:
                wrong.append((service, operation, status, code, message))
    assert wrong == []


# One service signed, another answered

TARGETS = {
    "cognito-idp": ("CreateUserPool", {"PoolName": "mark"}),
    "logs": ("CreateLogGroup", {"logGroupName": "mark"}),
    "tagging": ("TagResources", {"ResourceARNList": [], "Tags": {"mark": "mark"}}),
}
ACTIONS = {
    "iam": {"Action": "CreateAccountAlias", "Version": "2010-05-08", "AccountAlias": "mark"},
    "sts": {"Action": "GetSessionToken", "Version": "2011-06-15"},
}
PATHS = {
    "lambda": ("DELETE", "/2015-03-31/functions/one", {}),
    "apigateway": ("POST", "/v2/apis", {"name": "mark", "protocolType": "HTTP"}),
}
CONNECTIONS = requests.Session()
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@dataclass
class Marks:
    """A request as one service reads it."""

    method: str = "POST"
    path: str = "/"
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def with_marks(self, other: Marks, *which: str) -> Marks:
        """The same with some of another's parts, added where both have some."""
        parts = {name: getattr(other, name) for name in which}
        for name in {"query", "headers"} & set(which):
            parts[name] = getattr(self, name) | parts[name]
        return replace(self, **parts)


def reading(service: str) -> Marks:
    """A harmless call of a service."""
    if service in JSON_TARGETS:
        calls = {"cognito-idp": "ListUserPools", "logs": "DescribeLogGroups", "tagging": "GetResources"}
        headers = {"x-amz-target": f"{JSON_TARGETS[service]}.{calls[service]}"}
        return Marks(headers=headers | {"content-type": "application/x-amz-json-1.1"}, body='{"MaxResults": 1}')
    if service in QUERY_NAMESPACES:
        call = {"iam": "ListRoles", "sts": "GetCallerIdentity"}[service]
        return Marks(headers=FORM, body=urlencode({"Action": call, "Version": ACTIONS[service]["Version"]}))
    return Marks("GET", {"lambda": "/2015-03-31/functions", "apigateway": "/v2/apis"}[service])


def changing(service: str) -> Marks:
    """A call of a service that changes something."""
    if service in JSON_TARGETS:
        operation, parameters = TARGETS[service]
        headers = {"x-amz-target": f"{JSON_TARGETS[service]}.{operation}"}
        return Marks(headers=headers | {"content-type": "application/x-amz-json-1.1"}, body=json.dumps(parameters))
    if service in QUERY_NAMESPACES:
        return Marks(query=ACTIONS[service], headers=FORM, body=urlencode(ACTIONS[service]))
    method, path, parameters = PATHS[service]
    return Marks(method, path, body=json.dumps(parameters))


def mixtures(signed: str, other: str) -> Iterator[Marks]:
    """Requests of one service with every combination of the marks of another."""
    own, foreign = reading(signed), changing(other)
    names = ("method", "path", "query", "headers", "body")
    made = [own.with_marks(foreign, *which) for count in range(6) for which in combinations(names, count)]
    made += [foreign.with_marks(own, name) for name in ("query", "headers")]
    yield from {repr(marks): marks for marks in made}.values()
    if foreign.headers.get("x-amz-target"):
        yield replace(own, headers={"X-AMZ-TARGET": foreign.headers["x-amz-target"], **own.headers}, body=foreign.body)


class Presigned(SigV4QueryAuth):  # type: ignore[misc]  # botocore comes without types
    """A signature in the query string, which leaves the body where it is."""

    def _modify_request_before_signing(self, request: Any) -> None:
        body, request.data = request.data, b""
        super()._modify_request_before_signing(request)
        request.data = body


def send(cloud: Cloud, service: str, marks: Marks, presigned: bool) -> requests.Response:
    """Sign a request for a service and send it."""
    query = f"?{urlencode(marks.query)}" if marks.query else ""
    request = AWSRequest(marks.method, f"{cloud.endpoint_url}{marks.path}{query}", marks.headers, marks.body)
    credentials = Credentials(cloud.access_key_id, cloud.secret_access_key)
    signer = Presigned if presigned else SigV4Auth
    signer(credentials, service, "us-east-1").add_auth(request)
    headers = dict(request.headers)
    return CONNECTIONS.request(marks.method, request.url, headers=headers, data=marks.body.encode(), timeout=20)


@proves("the_signed_service_answers", "one_request_says_one_thing", "admit_signed_calls")
@pytest.mark.parametrize("signed", SERVICES)
def test_a_request_signed_for_one_service_does_nothing_in_another(furnished: Furnished, signed: str) -> None:
    before = furnished.everything()
    for other in SERVICES:
        if other != signed:
            for marks in mixtures(signed, other):
                for presigned in (False, True):
                    answer = send(furnished.cloud, signed, marks, presigned)
                    assert answer.status_code < 500, (marks, answer.text)
                    assert "<SessionToken>" not in answer.text, marks
    assert furnished.everything() == before


@proves("admit_signed_calls")
@pytest.mark.parametrize("signed", SERVICES)
def test_a_signature_names_one_service_and_stands_in_one_place(furnished: Furnished, signed: str) -> None:
    cloud, before = furnished.cloud, furnished.everything()
    for other in set(SERVICES) - {signed}:
        marks = changing(other)
        good = AWSRequest(marks.method, f"{cloud.endpoint_url}{marks.path}", marks.headers, marks.body)
        SigV4Auth(Credentials(cloud.access_key_id, cloud.secret_access_key), signed, "us-east-1").add_auth(good)
        own = good.headers["Authorization"]
        scope = own.partition("Credential=")[2].partition(",")[0]
        foreign = f"Credential={scope.replace(f'/{signed}/', f'/{other}/')}"
        algorithm, _, rest = own.partition(" ")
        for text in (
            f"{algorithm} {foreign}, {rest}",
            f"{algorithm} {rest}, {foreign}",
            f"{algorithm} X{foreign}, {rest}",
            own.replace("SignedHeaders=", f"SignedHeaders={foreign};"),
            own.replace("SignedHeaders=", "SignedHeaders=;"),
            own.replace("SignedHeaders=", "SignedHeaders=x-not-there;"),
            own.replace("SignedHeaders=", f"SignedHeaders={foreign}, SignedHeaders="),
        ):
            headers = dict(good.headers) | {"Authorization": text}
            answer = requests.request(marks.method, good.url, headers=headers, data=marks.body.encode(), timeout=20)
            assert answer.status_code == 403, (text, answer.text)
        twice = AWSRequest(marks.method, f"{cloud.endpoint_url}{marks.path}", marks.headers, marks.body)
        Presigned(Credentials(cloud.access_key_id, cloud.secret_access_key), signed, "us-east-1").add_auth(twice)
        headers = dict(twice.headers) | {"Authorization": f"Bearer {foreign}"}
        answer = requests.request(marks.method, twice.url, headers=headers, data=marks.body.encode(), timeout=20)
        assert answer.status_code == 403
    assert furnished.everything() == before


@proves("one_request_says_one_thing")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v2/apis/{api}%2Fstages%2Fone"),
        ("DELETE", "/v2/apis/{api}%252Fstages%252Fone"),
        ("DELETE", "/v2/apis/{api}/stages%2Fone"),
        ("DELETE", "/v2/apis/{api}%2froutes/x"),
        ("DELETE", "/2015-03-31/functions/one%2Fpolicy"),
        ("DELETE", "/2015-03-31/functions/x%252F..%252Fone"),
        ("GET", "/2015-03-31/functions/one%252Fpolicy"),
    ],
)
def test_a_path_is_encoded_once_and_has_its_own_parts(furnished: Furnished, method: str, path: str) -> None:
    before = furnished.everything()
    marks = Marks(method, path.format(api=furnished.ids["apiid"]))
    service = "apigateway" if path.startswith("/v2") else "lambda"
    assert 400 <= send(furnished.cloud, service, marks, presigned=False).status_code < 500
    assert furnished.everything() == before


@proves("one_request_says_one_thing")
def test_a_parameter_is_said_once(furnished: Furnished) -> None:
    body = urlencode({"Action": "CreateAccountAlias", "AccountAlias": "mark"})
    for query, form, headers in (
        ({"Action": "ListRoles"}, body, FORM),
        ({}, f"Action=ListRoles&{body}", FORM),
        ({}, f"{body}&Action=ListRoles", FORM),
        ({}, body, {"content-type": "text/plain"}),
        ({}, body, {**FORM, "content-encoding": "gzip"}),
        ({}, f"{len(body):x}\r\n{body}\r\n0\r\n\r\n", {**FORM, "content-encoding": "aws-chunked"}),
        ({}, f"{len(body):x}\r\n{body}\r\n0\r\n\r\n", {**FORM, "x-amz-decoded-content-length": str(len(body))}),
    ):
        answer = send(furnished.cloud, "iam", Marks(query=query, headers=headers, body=form), presigned=False)
        assert answer.status_code == 400
        assert "InvalidRequest" in answer.text or "names no operation" in answer.text
    assert furnished.clients["iam"].list_account_aliases()["AccountAliases"] == []


@proves("one_request_says_one_thing")
def test_a_query_string_adds_nothing_to_a_body(furnished: Furnished) -> None:
    """What a rule looks at is what MiniStack does."""
    api, query = furnished.ids["apiid"], {"authorizationType": "NONE", "routeKey": "GET /fine"}
    body = json.dumps({"routeKey": "nonsense", "authorizationType": "JWT"})
    marks = Marks(path=f"/v2/apis/{api}/routes", query=query, body=body)
    assert send(furnished.cloud, "apigateway", marks, presigned=False).status_code == 400
