"""An HTTP API as its callers see it: routing, permissions, the function's failures, the event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, eventually, refusal

NOT_FOUND = (404, '{"message":"Not Found"}')
INTERNAL = (500, '{"message":"Internal Server Error"}')

# What the function does is the last part of the path.
ACTOR = """
import json, time

def handler(event, context):
    print(event["version"])
    act = (event.get("rawPath") or event["path"]).rsplit("/", 1)[1]
    if act == "raise":
        raise RuntimeError("a secret of the function")
    if act == "sleep":
        time.sleep(8)
    return {
        "echo": {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)},
        "text": "just text",
        "object": {"a": 1},
        "nothing": None,
        "plain": {"statusCode": 201, "body": "made"},
        "headers": {"statusCode": "202", "headers": {"X-Answer": 42, "X-True": True}, "cookies": ["a=1", "b=2"]},
        "binary": {"statusCode": 200, "isBase64Encoded": True, "body": "aGk="},
        "zz": {"statusCode": "zz"},
        "flag": {"statusCode": True},
        "listed": {"statusCode": 200, "headers": ["a"]},
        "split": {"statusCode": 200, "headers": {"x": "a\\r\\nb: c"}},
        "part": {"statusCode": 200, "body": {"a": 1}},
        "notbase64": {"statusCode": 200, "isBase64Encoded": True, "body": "%"},
    }.get(act, {"statusCode": 200, "body": act})
"""


@dataclass(frozen=True)
class Shop:
    """An API with a function behind it."""

    site: Site
    api: str
    function: str
    integration: str

    def answer(self, path: str, method: str = "GET", **options: Any) -> tuple[int, str]:
        """The status and the body of a call."""
        response = self.site.call(self.api, path, method, **options)
        return response.status_code, response.text

    def event(self, path: str, method: str = "GET", **options: Any) -> dict[str, Any]:
        """The event that the function got."""
        return dict(self.site.call(self.api, path, method, **options).json())


@pytest.fixture(scope="module")
def shop(grounds: Site) -> Shop:
    function, api = grounds.function(ACTOR, Timeout=2), grounds.api()
    integration = grounds.integration(api, function)
    for key in ("GET /{act}", "POST /{act}", "GET /shop/AdminUser", "ANY /any/{rest+}", "HEAD /plain"):
        grounds.route(api, key, integration)
    old = grounds.integration(api, function, PayloadFormatVersion="1.0")
    grounds.route(api, "GET /old/{act}", old)
    grounds.permit_api(function, api)
    grounds.stage(api)
    grounds.stage(api, "dev")
    eventually(lambda: grounds.status(api, "/plain"), 201)
    return Shop(grounds, api, function, integration)


@pytest.mark.parametrize(
    ("act", "status", "media", "body"),
    [
        ("text", 200, "application/json", b"just text"),
        ("object", 200, "application/json", b'{"a": 1}'),
        ("nothing", 200, "application/json", b"null"),
        ("plain", 201, "text/plain; charset=utf-8", b"made"),
        ("headers", 202, "text/plain; charset=utf-8", b""),
        ("binary", 200, "text/plain; charset=utf-8", b"hi"),
    ],
)
@proves("read_function_answer")
def test_what_a_function_returns_is_the_answer(shop: Shop, act: str, status: int, media: str, body: bytes) -> None:
    response = shop.site.call(shop.api, f"/{act}")
    assert (response.status_code, response.headers["content-type"], response.content) == (status, media, body)


@proves("read_function_answer")
def test_headers_become_text_and_cookies_headers(shop: Shop) -> None:
    response = shop.site.call(shop.api, "/headers")
    assert response.headers["x-answer"] == "42"
    assert response.headers["x-true"] == "true"
    assert response.raw.headers.getlist("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("act", ["raise", "sleep", "zz", "flag", "listed", "split", "part", "notbase64"])
@proves("hide_function_failures", "read_function_answer")
def test_a_function_that_fails_is_one_500_that_tells_nothing(shop: Shop, act: str) -> None:
    assert shop.answer(f"/{act}") == INTERNAL


@proves("hide_function_failures")
def test_a_function_that_is_gone_is_a_500(site: Site) -> None:
    function, api = site.function(ACTOR), site.api()
    site.route(api, "GET /text", site.integration(api, function))
    site.permit_api(function, api)
    site.stage(api)
    assert eventually(lambda: site.status(api, "/text"), 200) == 200
    site.client("lambda").delete_function(FunctionName=function)
    assert eventually(lambda: site.status(api, "/text"), 500) == 500


@proves("hide_function_failures")
def test_a_function_slower_than_the_integration_is_a_503(site: Site) -> None:
    function, api = site.function(ACTOR), site.api()
    site.route(api, "GET /sleep", site.integration(api, function, TimeoutInMillis=300))
    site.permit_api(function, api)
    site.stage(api)
    assert eventually(lambda: site.status(api, "/sleep"), 503) == 503


@proves("require_invoke_permission")
@pytest.mark.parametrize(
    ("allowed", "status"),
    [
        ("*", 200),
        ("*/*/text", 200),
        ("$default/GET/text", 200),
        ("*/GET/text", 200),
        ("other/GET/text", 500),
        ("*/POST/text", 500),
        ("*/GET/tex", 500),
        ("*/GET/TEXT", 500),
    ],
)
def test_api_gateway_invokes_what_the_functions_policy_lets_it(
    grounds: Site, shop: Shop, allowed: str, status: int
) -> None:
    api = grounds.api()
    grounds.route(api, "GET /text", grounds.integration(api, shop.function))
    grounds.stage(api)
    grounds.permit_api(shop.function, api, allowed, statement=f"for-{api}")
    assert eventually(lambda: grounds.status(api, "/text"), status) == status


@proves("require_invoke_permission")
def test_a_permission_for_somebody_else_is_none(grounds: Site, shop: Shop) -> None:
    api = grounds.api()
    grounds.route(api, "GET /text", grounds.integration(api, shop.function))
    grounds.stage(api)
    arn = f"arn:aws:execute-api:{grounds.place.region}:{grounds.place.account}:{api}/*"
    grounds.permit(shop.function, "events.amazonaws.com", arn, f"other-{api}")
    assert eventually(lambda: grounds.call(api, "/text").status_code, 500) == 500
    assert grounds.call(api, "/text").text == INTERNAL[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/plain/"),
        ("GET", "/shop/adminuser"),
        ("GET", "/shop/AdminUser/"),
        ("GET", "/shop/AdminUser/more"),
        ("PUT", "/plain"),
        ("OPTIONS", "/plain"),
        ("GET", "/nostage/plain/text"),
        ("GET", "/Dev/plain"),
    ],
)
@proves("find_route")
def test_what_no_route_matches_is_404(shop: Shop, method: str, path: str) -> None:
    assert shop.answer(path, method) == NOT_FOUND


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/shop/AdminUser"),
        ("GET", "//shop/AdminUser"),
        ("GET", "/dev/shop/AdminUser"),
        ("OPTIONS", "/any/a/AdminUser"),
        ("PATCH", "/any/a%20b/AdminUser"),
    ],
)
@proves("find_route")
def test_a_route_matches_a_whole_path_behind_its_stage(shop: Shop, method: str, path: str) -> None:
    assert shop.answer(path, method) == (200, "AdminUser")


@proves("find_route")
def test_head_is_answered_without_a_body(shop: Shop) -> None:
    assert shop.answer("/plain", "HEAD") == (201, "")


@proves("build_event")
def test_the_event_is_payload_format_2(shop: Shop) -> None:
    event = shop.event(
        "/dev/echo?b=2&a=1&a=%C3%BC&empty=",
        "POST",
        data="{}",
        headers={
            "User-Agent": "tests",
            "Content-Type": "application/json",
            "Cookie": "c=1; d=2",
            "X-Twice": "one",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        },
    )
    context = event["requestContext"]
    host = f"{shop.api}.execute-api.{shop.site.place.region}.amazonaws.com"
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", context.pop("requestId"))
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("time"))
    assert isinstance(context.pop("timeEpoch"), int)
    assert context == {
        "accountId": shop.site.place.account,
        "apiId": shop.api,
        "domainName": host,
        "domainPrefix": shop.api,
        "http": {
            "method": "POST",
            "path": "/dev/echo",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "tests",
        },
        "routeKey": "POST /{act}",
        "stage": "dev",
    }
    del event["requestContext"]
    headers = event.pop("headers")
    assert headers["host"] == host
    assert headers["x-twice"] == "one"
    assert headers["content-type"] == "application/json"
    assert "cookie" not in headers
    assert event == {
        "version": "2.0",
        "routeKey": "POST /{act}",
        "rawPath": "/dev/echo",
        "rawQueryString": "b=2&a=1&a=%C3%BC&empty=",
        "cookies": ["c=1", "d=2"],
        "queryStringParameters": {"b": "2", "a": "1,ü", "empty": ""},
        "pathParameters": {"act": "echo"},
        "body": "{}",
        "isBase64Encoded": False,
    }


@proves("build_event")
def test_what_is_empty_is_not_in_the_event_and_bytes_come_in_base64(shop: Shop) -> None:
    empty = shop.event("/echo")
    assert {"body", "cookies", "queryStringParameters", "stageVariables"} & set(empty) == set()
    assert (empty["rawPath"], empty["rawQueryString"], empty["isBase64Encoded"]) == ("/echo", "", False)
    sent = shop.event("/echo", "POST", data=b"\xff\x00", headers={"Content-Type": "application/octet-stream"})
    assert (sent["body"], sent["isBase64Encoded"]) == ("/wA=", True)


@proves("build_event_1")
def test_payload_format_1_is_another_event(shop: Shop) -> None:
    event = shop.event("/dev/old/echo?a=1&a=2", headers={"Cookie": "c=1", "User-Agent": "tests"})
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/old/{act}", "/dev/old/echo")
    assert event["httpMethod"] == "GET"
    assert event["headers"]["cookie"] == "c=1"
    assert event["multiValueHeaders"]["user-agent"] == ["tests"]
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["pathParameters"] == {"act": "echo"}
    assert event["requestContext"]["authorizer"] == {"claims": None, "scopes": None}
    assert (event["requestContext"]["stage"], event["body"], event["isBase64Encoded"]) == ("dev", None, False)


@proves("name_the_request")
def test_answer_and_event_bear_the_same_request_id(shop: Shop) -> None:
    response = shop.site.call(shop.api, "/echo")
    assert response.headers["apigw-requestid"] == response.json()["requestContext"]["requestId"]
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", shop.site.call(shop.api, "/nothere/x").headers["apigw-requestid"])


@proves("limit_request_size")
def test_more_than_ten_kilobytes_of_headers_are_431(shop: Shop) -> None:
    assert shop.answer("/plain", headers={"X-Long": "a" * 9_000})[0] == 201
    assert shop.answer("/plain", headers={"X-Long": "a" * 10_300})[0] == 431
    assert shop.answer("/nothere/x", headers={"X-Long": "a" * 10_300})[0] == 431


@pytest.fixture(scope="module")
def signed_route(grounds: Site, shop: Shop) -> Iterator[str]:
    api = grounds.api()
    grounds.route(api, "GET /plain", grounds.integration(api, shop.function), AuthorizationType="AWS_IAM")
    grounds.permit_api(shop.function, api, statement="iam")
    grounds.stage(api)
    return api


@proves("is_signed")
def test_an_iam_route_asks_for_a_signature(grounds: Site, signed_route: str) -> None:
    assert eventually(lambda: grounds.status(signed_route, "/plain"), 403) == 403
    response = grounds.call(signed_route, "/plain", headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert (response.status_code, response.text) == (403, '{"message":"Forbidden"}')
    assert grounds.status(signed_route, "/plain", headers={"Authorization": "Bearer x"}) == 403


@proves("routes_have_no_lambda_authorizer", "apis_are_http_without_quick_create", "integrations_are_lambda_proxies")
def test_what_is_not_part_of_the_cloud_says_so(site: Site, shop: Shop) -> None:
    gateway = site.client("apigatewayv2")
    custom = {"ApiId": shop.api, "RouteKey": "GET /custom", "AuthorizationType": "CUSTOM"}
    assert refusal(gateway.create_route, **custom)[:2] == ("BadRequestException", 400)
    sockets = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    assert refusal(gateway.create_api, **sockets)[:2] == ("BadRequestException", 400)
    quick = {"Name": "x", "ProtocolType": "HTTP", "Target": site.function_arn(shop.function)}
    assert refusal(gateway.create_api, **quick)[:2] == ("BadRequestException", 400)
    proxy = {"ApiId": shop.api, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET"}
    far = {**proxy, "IntegrationUri": "http://example.com/", "PayloadFormatVersion": "1.0"}
    assert refusal(gateway.create_integration, **far)[:2] == ("BadRequestException", 400)
    unsaid = {"ApiId": shop.api, "IntegrationType": "AWS_PROXY", "IntegrationUri": site.function_arn(shop.function)}
    assert refusal(gateway.create_integration, **unsaid)[:2] == ("BadRequestException", 400)
