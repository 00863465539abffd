"""The cloud attacked: by programs without its credentials, by web pages, by names that are not its own."""

from __future__ import annotations

import datetime
import http.client
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import psutil
import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import allow, refusal, trust

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GOOD = "2015-03-31/functions"
CREATE = {
    "FunctionName": "stranger",
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::000000000000:role/x",
    "Handler": "index.handler",
    "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
}


def client(cloud: Cloud, service: str, key: str = "", secret: str = "", token: str | None = None) -> Any:
    """A client with credentials of one's own choice; the cloud's by default."""
    return boto3.Session(key or cloud.access_key_id, secret or cloud.secret_access_key, token).client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def raw(cloud: Cloud, method: str, path: str, headers: dict[str, str] | None = None, body: str = "") -> tuple[int, str]:
    """Send a request exactly as given."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": f"127.0.0.1:{cloud.port}"} | (headers or {})).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# Signatures


@proves("refuse_unproved")
def test_the_clouds_own_credentials_are_believed_and_no_others(cloud: Cloud) -> None:
    assert client(cloud, "sts").get_caller_identity()["Account"] == cloud.account_id
    for key, secret in (
        (cloud.access_key_id, "wrong"),
        ("test", "test"),
        (cloud.account_id, "test"),
        ("000000000000", "test"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ):
        assert refusal(client(cloud, "sts", key, secret).get_caller_identity)[1] == 403
        assert refusal(client(cloud, "lambda", key, secret).list_functions)[1] == 403
        assert refusal(client(cloud, "cognito-idp", key, secret).list_user_pools, MaxResults=1)[1] == 403


@proves("refuse_unproved")
def test_the_names_of_the_refusals_are_the_services(cloud: Cloud) -> None:
    wrong, unknown = (cloud.access_key_id, "wrong"), ("AKIAIOSFODNN7EXAMPLE", "x")
    assert refusal(client(cloud, "sts", *wrong).get_caller_identity)[0] == "SignatureDoesNotMatch"
    assert refusal(client(cloud, "lambda", *wrong).list_functions)[0] == "InvalidSignatureException"
    assert refusal(client(cloud, "iam", *unknown).list_roles)[0] == "InvalidClientTokenId"
    assert refusal(client(cloud, "logs", *unknown).describe_log_groups)[0] == "UnrecognizedClientException"


@contextmanager
def assumed_role(cloud: Cloud, *actions: str) -> Iterator[tuple[str, str, str]]:
    """The credentials of a session of a role that may do some actions."""
    iam, document = client(cloud, "iam"), trust()
    document["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{cloud.account_id}:root"}
    role = iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    iam.put_role_policy(RoleName="assumed", PolicyName="p", PolicyDocument=json.dumps(allow(*actions)))
    made = client(cloud, "sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    yield made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]
    iam.delete_role_policy(RoleName="assumed", PolicyName="p")
    iam.delete_role(RoleName="assumed")


@proves("refuse_unproved")
def test_a_session_of_sts_is_believed_with_its_token(cloud: Cloud) -> None:
    with assumed_role(cloud, "sts:GetCallerIdentity") as (key, secret, token):
        assert "assumed-role/assumed/me" in client(cloud, "sts", key, secret, token).get_caller_identity()["Arn"]
        for wrong in ((key, secret), (key, secret, "x"), (key, "wrong", token)):
            assert refusal(client(cloud, "sts", *wrong).get_caller_identity)[1] == 403


@proves("refuse_unproved")
def test_a_session_may_send_what_a_rule_changes_on_its_way(cloud: Cloud) -> None:
    cognito = client(cloud, "cognito-idp")
    pool = cognito.create_user_pool(PoolName="p", UsernameConfiguration={"CaseSensitive": False})["UserPool"]["Id"]
    with assumed_role(cloud, "cognito-idp:*") as session_credentials:
        create = client(cloud, "cognito-idp", *session_credentials).admin_create_user
        assert create(UserPoolId=pool, Username="ANN", MessageAction="SUPPRESS")["User"]["Username"] == "ann"
    cognito.delete_user_pool(UserPoolId=pool)


def signed_request(cloud: Cloud, body: bytes = b"", ago: float = 0.0, **headers: str) -> dict[str, str]:
    """The headers of a signed call of Logs, signed some seconds ago."""
    target = {"x-amz-target": "Logs_20140328.DescribeLogGroups", "content-type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{cloud.endpoint_url}/", {**target, **headers}, body)
    signer = SigV4Auth(Credentials(cloud.access_key_id, cloud.secret_access_key), "logs", "us-east-1")
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: then)
        signer.add_auth(request)
    return dict(request.headers)


def post(cloud: Cloud, headers: dict[str, str], body: bytes = b"{}") -> int:
    """The status of a call."""
    return requests.post(f"{cloud.endpoint_url}/", data=body, headers=headers, timeout=10).status_code


@proves("refuse_unproved")
def test_a_signature_covers_the_body_the_headers_and_the_time(cloud: Cloud) -> None:
    assert post(cloud, signed_request(cloud, b"{}")) == 200
    assert post(cloud, signed_request(cloud, b"{}"), b'{"limit": 1}') == 403
    assert post(cloud, signed_request(cloud, b"{}", ago=240)) == 200
    assert post(cloud, signed_request(cloud, b"{}", ago=330)) == 403
    assert post(cloud, signed_request(cloud, b"{}", ago=-330)) == 403
    good = signed_request(cloud, b"{}")
    assert post(cloud, {**good, "x-amz-target": "Logs_20140328.DeleteLogGroup"}) == 403
    assert post(cloud, {**good, "x-amz-extra": "unsigned"}) == 403
    assert post(cloud, {**good, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}) == 403


@proves("admit_signed_calls")
@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
        "AWS4-ECDSA-P256-SHA256 Credential=test/20200101/lambda/aws4_request, SignedHeaders=host, Signature=00",
        "AWS test:signature",
        "Basic dGVzdDp0ZXN0",
        "Bearer x",
    ],
)
def test_what_only_looks_like_a_signature_is_refused(cloud: Cloud, authorization: str) -> None:
    status, body = raw(cloud, "POST", f"/{GOOD}", {"Authorization": authorization}, json.dumps(CREATE))
    assert status == 403
    assert "Traceback" not in body


@proves("refuse_unproved")
def test_a_presigned_call_counts_for_its_time(cloud: Cloud) -> None:
    def presigned(expires: int, ago: float = 0.0) -> int:
        request = AWSRequest("GET", f"{cloud.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15")
        signer = SigV4QueryAuth(
            Credentials(cloud.access_key_id, cloud.secret_access_key), "sts", "us-east-1", expires=expires
        )
        then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("botocore.auth.get_current_datetime", lambda: then)
            signer.add_auth(request)
        return requests.get(request.url, timeout=10).status_code

    assert presigned(60) == 200
    assert presigned(60, ago=50) == 200
    assert presigned(60, ago=70) == 403
    assert presigned(700_000) == 403


@proves("admit_signed_calls")
def test_nothing_is_done_for_unsigned_calls_but_what_aws_does(cloud: Cloud) -> None:
    status, body = raw(cloud, "POST", f"/{GOOD}", body=json.dumps(CREATE))
    assert (status, json.loads(body)["message"]) == (403, "Missing Authentication Token")
    assert raw(cloud, "POST", "/2015-03-31/functions/stranger/invocations")[0] == 403
    assert raw(cloud, "POST", "/", {"content-type": "application/x-www-form-urlencoded"}, "Action=ListRoles")[0] == 403
    for operation, status in (("ListUserPools", 403), ("AdminCreateUser", 403), ("InitiateAuth", 400)):
        headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
        assert raw(cloud, "POST", "/", headers, "{}")[0] == status
    assert raw(cloud, "POST", "/", {"X-Amz-Target": "AWSCognitoIdentityService.GetId"}, "{}")[0] == 403
    assert client(cloud, "lambda").list_functions()["Functions"] == []


@proves("admit_signed_calls")
def test_the_unsigned_calls_are_those_that_botocore_does_not_sign() -> None:
    from labkit.cloud.rules.strangers import UNSIGNED_COGNITO

    model = botocore.session.Session().get_service_model("cognito-idp")
    unsigned = {name for name in model.operation_names if model.operation_model(name).auth_type == "none"}
    assert unsigned >= UNSIGNED_COGNITO
    assert {"InitiateAuth", "RespondToAuthChallenge", "GetUser", "GlobalSignOut", "RevokeToken"} <= UNSIGNED_COGNITO


# What is not part of this cloud


@proves("only_the_labs_services")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_ministack/health"),
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/ready"),
        ("GET", "/_localstack/health"),
        ("GET", "/_ministack/lambda-code/x"),
        ("GET", "/health"),
        ("GET", "/bucket/key"),
        ("PUT", "/bucket"),
        ("GET", "/"),
        ("GET", "/_aws/ses"),
        ("GET", "/_aws/lambda-url/x/"),
        ("GET", "/restapis/x/y/_user_request_/z"),
        ("GET", "/iceberg/v1/config"),
        ("OPTIONS", "/"),
        ("OPTIONS", "/2015-03-31/functions"),
        ("GET", "/_aws/execute-api"),
    ],
)
def test_pages_of_the_emulator_are_closed(cloud: Cloud, method: str, path: str) -> None:
    assert raw(cloud, method, path)[0] == 403


@proves("only_the_labs_services")
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "list_buckets"),
        ("dynamodb", "list_tables"),
        ("cloudformation", "list_stacks"),
        ("organizations", "describe_organization"),
    ],
)
def test_other_services_say_that_they_are_not_there(cloud: Cloud, service: str, operation: str) -> None:
    assert refusal(getattr(client(cloud, service), operation))[1] == 404


@proves("only_the_labs_services")
def test_a_web_socket_is_refused(cloud: Cloud) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert raw(cloud, "GET", "/_aws/execute-api/abcd1234/x", upgrade)[0] == 403


# Names and pages


PUBLIC = ("/_labkit/health", "/us-east-1_x/.well-known/jwks.json", "/_aws/execute-api/abcd1234/x", "/oauth2/authorize")


@proves("refuse_foreign_host")
@pytest.mark.parametrize("path", [*PUBLIC, f"/{GOOD}", "/"])
@pytest.mark.parametrize(
    "host",
    ["evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}", "[::2]:{port}", "", "a b"],
)
def test_another_name_is_refused_on_every_path(cloud: Cloud, path: str, host: str) -> None:
    assert raw(cloud, "GET", path, {"Host": host.format(port=cloud.port)})[0] in (400, 403)


@proves("refuse_foreign_host")
@pytest.mark.parametrize("path", [*PUBLIC, f"/{GOOD}", "/"])
def test_a_tunnel_is_refused_on_every_path(cloud: Cloud, path: str) -> None:
    assert raw(cloud, "CONNECT", path)[0] == 400


@proves("refuse_foreign_host")
def test_the_machines_own_names_are_known(cloud: Cloud) -> None:
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "abcd1234.execute-api.localhost"):
        assert raw(cloud, "GET", "/_labkit/health", {"Host": f"{host}:{cloud.port}"})[0] in (200, 404)
    host = f"abcd1234.execute-api.localhost:{cloud.port}"
    assert raw(cloud, "GET", "/x", {"Host": host}) == (404, '{"message":"Not Found"}')


@proves("refuse_foreign_host")
@pytest.mark.parametrize("suffix", ["execute-api.localhost", "EXECUTE-API.localhost", "Execute-Api.LocalHost"])
def test_the_host_of_an_api_leads_to_that_api_alone_however_it_is_written(cloud: Cloud, suffix: str) -> None:
    for path in ("/_labkit/health", "/login", "/"):
        answer = raw(cloud, "GET", path, {"Host": f"abcd1234.{suffix}:{cloud.port}"})
        assert answer == (404, '{"message":"Not Found"}')


@proves("refuse_foreign_origin")
@pytest.mark.parametrize("path", [*PUBLIC, f"/{GOOD}", "/"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8888", "https://127.0.0.1"])
def test_another_origin_is_refused_on_every_path(cloud: Cloud, path: str, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert raw(cloud, method, path, {"Origin": origin})[0] == 403


@proves("refuse_foreign_origin")
def test_the_clouds_own_pages_may_send_their_forms(cloud: Cloud) -> None:
    headers = {"Origin": f"http://127.0.0.1:{cloud.port}", "content-type": "application/x-www-form-urlencoded"}
    assert raw(cloud, "POST", "/login", headers, "client_id=nobody")[0] == 400


@proves("refuse_cross_site_requests")
def test_what_another_site_embeds_is_refused_and_its_links_are_not(cloud: Cloud) -> None:
    def status(mode: str, site: str, destination: str, method: str = "GET") -> int:
        headers = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
        return raw(cloud, method, "/_labkit/health", headers)[0]

    for site in ("cross-site", "same-site"):  # another port of this machine is the same site
        assert status("no-cors", site, "image") == 403
        assert status("no-cors", site, "script") == 403
        assert status("cors", site, "empty") == 403
        assert status("navigate", site, "document", "POST") == 403
        assert status("navigate", site, "document") == 200
    assert status("no-cors", "same-origin", "image") == 200
    assert status("navigate", "none", "document") == 200


@proves("refuse_cross_site_requests", "in_no_frame")
@pytest.mark.parametrize(
    "path", ["/_labkit/health", "/login", "/oauth2/authorize", "/_aws/execute-api/abcd1234/x", "/"]
)
def test_nothing_is_shown_in_a_frame(cloud: Cloud, path: str) -> None:
    for destination in ("iframe", "frame", "embed", "object", "fencedframe"):
        for site in ("cross-site", "same-site", "same-origin", "none"):
            headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
            assert raw(cloud, "GET", path, headers)[0] == 403


@proves("in_no_frame")
@pytest.mark.parametrize(
    "path", ["/_labkit/health", "/oauth2/authorize?client_id=x", "/logout", "/x/.well-known/jwks.json"]
)
def test_every_page_says_that_it_may_not_be_framed(cloud: Cloud, path: str) -> None:
    answer = requests.get(cloud.endpoint_url + path, timeout=10)
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


# What is judged before a body is read

BIG = 60_000_000
FOREIGN = {
    "another host": {"Host": "evil.example"},
    "another origin": {"Origin": "https://evil.example"},
    "another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "no signature": {},
    "half a signature": {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
    "another service": {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=00"
    },
}


def send_much(cloud: Cloud, headers: dict[str, str]) -> None:
    """Send a large body for as long as the cloud takes it."""
    lines = {"Host": f"127.0.0.1:{cloud.port}", "Content-Length": str(BIG)} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with suppress(OSError), socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as connection:
        connection.sendall(f"POST /2015-03-31/functions HTTP/1.1\r\n{head}\r\n".encode())
        for _ in range(BIG // 100_000):
            connection.sendall(b"x" * 100_000)


@proves("refuse_foreign_host", "refuse_foreign_origin", "refuse_cross_site_requests", "admit_signed_calls")
def test_a_strangers_body_takes_no_memory(cloud: Cloud) -> None:
    server = psutil.Process(cloud.pid)
    before, most = server.memory_info().rss, 0
    senders = [threading.Thread(target=send_much, args=(cloud, headers)) for headers in FOREIGN.values()]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        most = max(most, server.memory_info().rss)
        time.sleep(0.005)
    assert most - before < 20_000_000


def test_a_body_larger_than_any_of_the_lab_is_refused(cloud: Cloud) -> None:
    def status(size: int) -> int:
        with suppress(ConnectionError):  # it may be shut while the rest is still sent
            return raw(cloud, "POST", "/_aws/execute-api/abcd1234/x", body="x" * size)[0]
        return 413

    assert [status(size) for size in (0, 1024**2, 10 * 1024**2, 10 * 1024**2 + 1)] == [404, 404, 404, 413]


# HTTP/2


@pytest.mark.parametrize(
    "head",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5),
        b"GET /_labkit/health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: H2C\r\n\r\n",
    ],
)
def test_http_2_is_not_spoken(cloud: Cloud, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=10) as connection:
        connection.sendall(head % cloud.port if b"%d" in head else head)
        answer = connection.recv(65_536)
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


@proves("without_cors")
def test_no_answer_lets_another_origin_read_it(cloud: Cloud) -> None:
    made = session(cloud, "us-east-1")
    pool = made.client("cognito-idp").create_user_pool(PoolName="cors")["UserPool"]["Id"]
    for url in (
        f"{cloud.endpoint_url}/{pool}/.well-known/jwks.json",
        f"{cloud.endpoint_url}/{pool}/.well-known/openid-configuration",
        f"{cloud.endpoint_url}/_labkit/health",
        f"{cloud.endpoint_url}/oauth2/userInfo",
    ):
        answer = requests.get(url, timeout=10)
        assert [name for name in answer.headers if name.lower().startswith("access-control")] == []
    told = made.client("cognito-idp").delete_user_pool(UserPoolId=pool)["ResponseMetadata"]["HTTPHeaders"]
    assert [name for name in told if name.startswith("access-control")] == []


@proves("key_set_needs_a_pool")
def test_the_key_set_of_an_unknown_pool_is_not_there(cloud: Cloud) -> None:
    assert raw(cloud, "GET", "/us-east-1_nothere/.well-known/jwks.json")[0] == 404
    assert raw(cloud, "GET", "/us-east-1_nothere/.well-known/openid-configuration")[0] == 404


@contextmanager
def web_page() -> Iterator[str]:
    """The URL of a page of another origin on this machine."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>A page</title>")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


FETCHES = """
async (url) => {
    const tries = {
        keys: () => fetch(url + "/us-east-1_x/.well-known/jwks.json"),
        create: () => fetch(url + "/2015-03-31/functions", {method: "POST", body: "{}"}),
        opaque: () => fetch(url + "/2015-03-31/functions", {method: "POST", body: "{}", mode: "no-cors"}),
        signIn: () => fetch(url + "/", {
            method: "POST", body: "{}",
            headers: {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"},
        }),
        health: () => fetch(url + "/_labkit/health"),
    };
    const seen = {};
    for (const [name, attempt] of Object.entries(tries)) {
        try { const answer = await attempt(); seen[name] = answer.type + " " + answer.status; }
        catch (error) { seen[name] = "blocked"; }
    }
    return seen;
}
"""


@pytest.mark.browser
@proves("refuse_foreign_origin", "without_cors")
def test_a_web_page_in_a_real_browser_gets_nothing(cloud: Cloud, browser: Browser) -> None:
    with web_page() as url:
        page = browser.new_page()
        page.goto(url)
        seen = page.evaluate(FETCHES, cloud.endpoint_url)
        answers: list[int] = []
        page.on("response", lambda response: answers.append(response.status))
        page.evaluate("url => new Image().src = url", f"{cloud.endpoint_url}/_aws/execute-api/abcd1234/x")
        page.evaluate(FETCHES, cloud.endpoint_url)
        page.close()
    assert seen == {
        "keys": "blocked",
        "create": "blocked",
        "opaque": "opaque 0",
        "signIn": "blocked",
        "health": "blocked",
    }
    assert client(cloud, "lambda").list_functions()["Functions"] == []
