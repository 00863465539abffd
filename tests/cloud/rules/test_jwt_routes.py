"""Routes that ask for a token: what a caller sees of the authorizer's decision."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest

from tests.cloud.rules.issuers import issuer
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, eventually
from tests.signing import signed

UNAUTHORIZED = '{"message":"Unauthorized"}'
ECHO = """
import json

def handler(event, context):
    print("called")
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""


@dataclass(frozen=True)
class Gate:
    """An API with JWT routes, and the issuer that they trust."""

    site: Site
    api: str
    issuer: str

    def token(self, **claims: Any) -> str:
        """A token of the issuer; a claim that is None is left out."""
        now = int(time.time())
        all_claims = {"iss": self.issuer, "aud": "app", "sub": "me", "iat": now, "exp": now + 600, **claims}
        return signed({name: value for name, value in all_claims.items() if value is not None})

    def get(self, path: str, token: str | None = None, **options: Any) -> tuple[int, str, str | None]:
        """Status, body and challenge."""
        headers = {} if token is None else {"Authorization": token}
        response = self.site.call(self.api, path, headers=headers, **options)
        return response.status_code, response.text, response.headers.get("www-authenticate")


@pytest.fixture(scope="module")
def gate(grounds: Site) -> Iterator[Gate]:
    with issuer() as url:
        function, api = grounds.function(ECHO), grounds.api()
        integration = grounds.integration(api, function)
        by_header = grounds.authorizer(api, url, "app", "other-app")
        by_query = grounds.authorizer(api, url, "app", Name="q", IdentitySource=["$request.querystring.token"])
        for key, authorizer, scopes in (
            ("GET /open", by_header, []),
            ("GET /scoped", by_header, ["read", "write"]),
            ("GET /query", by_query, []),
        ):
            jwt = {"AuthorizationType": "JWT", "AuthorizerId": authorizer, "AuthorizationScopes": scopes}
            grounds.route(api, key, integration, **jwt)
        grounds.permit_api(function, api)
        grounds.stage(api)
        yield Gate(grounds, api, url)


@proves("decide_token")
def test_a_good_token_gets_through_with_or_without_bearer(gate: Gate) -> None:
    assert gate.get("/open", gate.token())[0] == 200
    assert gate.get("/open", f"Bearer {gate.token()}")[0] == 200
    assert gate.get("/open", f"bearer {gate.token(aud='other-app')}")[0] == 200
    assert gate.get("/open", gate.token(aud=None, client_id="app"))[0] == 200
    assert gate.get("/query", params={"token": gate.token()})[0] == 200


@proves("decide_token")
@pytest.mark.parametrize(
    ("around", "harmless"),
    [
        (b"%c%b", b"\t "),
        (b"%cBearer %b", b"\t "),
        (b"Bearer%c%b", b" "),
        (b"Bearer %c%b", b" "),
        (b"Bearer %b%c", b"\t "),
        (b"%b%c", b"\t "),
    ],
)
def test_every_byte_around_a_token_but_http_s_own_blanks_is_refused(gate: Gate, around: bytes, harmless: bytes) -> None:
    token, path = gate.token().encode(), urlsplit(gate.site.url(gate.api, "/open"))
    statuses = {}
    for byte in range(1, 256):
        parts = (byte, token) if around.index(b"%c") < around.index(b"%b") else (token, byte)
        statuses[byte] = raw_status(path, around % parts)
    # \n ends the header: one that begins the value leaves a token alone on a line, which is no header.
    assert bytes(byte for byte, status in statuses.items() if status == 200) == harmless
    assert set(statuses.values()) <= {200, 400, 401}


def raw_status(url: SplitResult, authorization: bytes) -> int:
    """The status of a GET with a header as it is, which no client would send."""
    request = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\nAuthorization: %b\r\n\r\n"
    with socket.create_connection((str(url.hostname), url.port or 80), timeout=20) as connection:
        connection.sendall(request % (url.path.encode(), url.netloc.encode(), authorization))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status


@proves("decide_token", "read_claims")
def test_512_levels_of_nesting_reach_the_function_and_more_are_a_401(gate: Gate) -> None:
    def status(levels: int) -> int:
        value = json.loads("[" * levels + "]" * levels)
        return gate.get("/open", gate.token(nested=value))[0]

    assert [status(levels) for levels in (1, 100, 511, 512, 900)] == [200, 200, 200, 401, 401]


@proves("decide_token")
def test_no_token_is_a_401_with_a_bare_challenge(gate: Gate) -> None:
    assert gate.get("/open") == (401, UNAUTHORIZED, "Bearer")
    assert gate.get("/query", gate.token()) == (401, UNAUTHORIZED, "Bearer")


INVALID = 'Bearer scope="" error="invalid_token"'
NOT_THREE_PARTS = f'{INVALID} error_description="token contains an invalid number of segments"'
WRONG_AUDIENCE = f'{INVALID} error_description="the token does not have a valid audience"'


@proves("decide_token")
def test_the_challenge_says_what_aws_says(gate: Gate) -> None:
    assert gate.get("/open", "not-a-token") == (401, UNAUTHORIZED, NOT_THREE_PARTS)
    assert gate.get("/open", gate.token(aud="nobody")) == (401, UNAUTHORIZED, WRONG_AUDIENCE)
    assert gate.get("/open", gate.token(exp=1)) == (401, UNAUTHORIZED, INVALID)
    assert gate.get("/open", gate.token(iss="https://example.com")) == (401, UNAUTHORIZED, INVALID)


@proves("decide_token")
def test_a_missing_scope_is_a_403_without_a_challenge(gate: Gate) -> None:
    assert gate.get("/scoped", gate.token()) == (403, '{"message":"Forbidden"}', None)
    assert gate.get("/scoped", gate.token(scope="reading"))[0] == 403
    assert gate.get("/scoped", gate.token(scope="other write"))[0] == 200
    assert gate.get("/scoped", gate.token(scp=["read"]))[0] == 200


@proves("find_route")
def test_an_unknown_route_is_404_before_any_token_is_asked_for(gate: Gate) -> None:
    assert gate.get("/nothere") == (404, '{"message":"Not Found"}', None)


@proves("read_claims")
def test_claims_reach_the_function_as_text(gate: Gate) -> None:
    token = gate.token(
        iat=1,
        exp=4_102_444_800,
        yes=True,
        no=None,
        list=["a", 2, True],
        nested={"a": [1]},
        half=1.5,
        scope="read extra",
    )
    answer = gate.site.call(gate.api, "/scoped", headers={"Authorization": token})
    assert answer.json() == {
        "jwt": {
            "claims": {
                "iss": gate.issuer,
                "aud": "app",
                "sub": "me",
                "iat": "1",
                "exp": "4102444800",
                "yes": "true",
                "list": "[a 2 true]",
                "nested": '{"a": [1]}',
                "half": "1.5",
                "scope": "read extra",
            },
            "scopes": ["read", "extra"],
        }
    }
    assert gate.site.call(gate.api, "/open", headers={"Authorization": token}).json()["jwt"]["scopes"] is None


@proves("read_claims")
def test_a_null_claim_does_not_reach_the_function(gate: Gate) -> None:
    now = int(time.time())
    token = signed({"iss": gate.issuer, "aud": "app", "exp": now + 600, "nothing": None})
    claims = gate.site.call(gate.api, "/open", headers={"Authorization": token}).json()["jwt"]["claims"]
    assert claims == {"iss": gate.issuer, "aud": "app", "exp": str(now + 600)}


@proves("decide_token")
def test_an_issuer_that_is_gone_is_a_401(grounds: Site) -> None:
    with issuer() as url:
        api = grounds.api()
        jwt = {"AuthorizationType": "JWT", "AuthorizerId": grounds.authorizer(api, url, "app")}
        grounds.route(api, "GET /x", grounds.integration(api, "nobody"), **jwt)
        grounds.stage(api)
    token = signed({"iss": url, "aud": "app", "exp": int(time.time()) + 600})
    assert eventually(lambda: grounds.status(api, "/x", headers={"Authorization": token}), 401) == 401
