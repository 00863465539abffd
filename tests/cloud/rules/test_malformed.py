"""A thousand malformed requests to every public path: no 5xx, no traceback, and the lab still passes its check."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.cloud import process
from labkit.lab import Lab
from tests.cloud.rules.proof import proves
from tests.labs import lab_at
from tests.signing import encoded, signed

REQUESTS = 1000
OPERATIONS = (
    "InitiateAuth",
    "RespondToAuthChallenge",
    "GetUser",
    "GlobalSignOut",
    "RevokeToken",
    "SignUp",
    "ConfirmSignUp",
    "ForgotPassword",
    "ConfirmForgotPassword",
    "ChangePassword",
    "GetTokensFromRefreshToken",
    "UpdateUserAttributes",
    "AssociateSoftwareToken",
    "VerifySoftwareToken",
    "SetUserMFAPreference",
    "ResendConfirmationCode",
    "DeleteUser",
)
FIELDS = (
    *(
        "ClientId",
        "AuthFlow",
        "AuthParameters",
        "Session",
        "ChallengeName",
        "ChallengeResponses",
        "AccessToken",
        "Token",
    ),
    *(
        "RefreshToken",
        "Username",
        "Password",
        "UserAttributes",
        "ConfirmationCode",
        "ProposedPassword",
        "ClientMetadata",
    ),
    *("SoftwareTokenMfaSettings", "SecretHash", "UserCode"),
)
FLOWS = (
    "USER_PASSWORD_AUTH",
    "REFRESH_TOKEN_AUTH",
    "USER_SRP_AUTH",
    "CUSTOM_AUTH",
    "NEW_PASSWORD_REQUIRED",
    "PASSWORD_VERIFIER",
)
TEXTS = (
    *(
        "",
        " ",
        "x",
        "a.b.c",
        "....",
        "%",
        "%zz",
        "%00",
        "\u00fc",
        "\U0001f600",
        "' OR 1=1 --",
        "../../etc/passwd",
        "\\",
        '"',
        "{}",
    ),
    *(
        "null",
        "[]",
        "0",
        "-1",
        "1e999",
        "NaN",
        "A" * 5000,
        "<script>",
        "${jndi:x}",
        "\u202e",
        "\ud800",
        "Bearer",
        "Basic x",
    ),
)


class Noise:
    """Repeatable nonsense."""

    def __init__(self, seed: int, known: dict[str, str]) -> None:
        self.random = random.Random(seed)
        self.known = known

    def text(self) -> str:
        return self.random.choice((*TEXTS, *self.known.values()))

    def json(self, depth: int = 3) -> Any:
        kind = self.random.randrange(9 if depth else 7)
        if kind < 7:
            return (None, True, 0, -1.5, 10**400, self.text(), self.text())[kind]
        if kind == 7:
            return [self.json(depth - 1) for _ in range(self.random.randrange(4))]
        return {self.text(): self.json(depth - 1) for _ in range(self.random.randrange(4))}

    def parameters(self) -> Any:
        """Parameters of a Cognito call, some of them right."""
        if self.random.random() < 0.1:
            return self.json()
        made = {name: self.json() for name in self.random.sample(FIELDS, self.random.randrange(8))}
        if self.random.random() < 0.7:
            made["ClientId"] = self.known["client"]
        if self.random.random() < 0.7:
            made["AuthFlow"] = made["ChallengeName"] = self.random.choice(FLOWS)
        if self.random.random() < 0.5:
            names = ("USERNAME", "PASSWORD", "REFRESH_TOKEN", "SRP_A", "NEW_PASSWORD", "SECRET_HASH", "ANSWER")
            made["AuthParameters"] = made["ChallengeResponses"] = {name: self.json() for name in names}
            made["AuthParameters"]["USERNAME"] = self.random.choice(("adminuser", self.json()))
        return made

    def body(self) -> bytes:
        """A body: JSON of some kind, a form, deep nesting, bytes."""
        kind = self.random.randrange(6)
        if kind == 0:
            return self.random.randbytes(self.random.randrange(200))
        if kind == 1:
            return b"[" * 100_000
        if kind == 2:
            return "&".join(f"{name}={self.text()}" for name in ("grant_type", "code", "client_id", "x")).encode(
                "utf-8", "replace"
            )
        return json.dumps(self.parameters()).encode()

    def token(self) -> str:
        kind = self.random.randrange(5)
        part = lambda: encoded(json.dumps(self.json()).encode())  # noqa: E731 - said once, used thrice
        if kind == 0:
            return f"{part()}.{part()}.{part()}"
        if kind == 1:
            return signed(json.dumps(self.json()).encode(), {"alg": "RS256", "kid": "first"})
        if kind == 2:
            real = self.known["token"]
            cut = self.random.randrange(len(real))
            return real[:cut] + self.random.choice(("", "A", ".", "=", " ")) + real[cut + 1 :]
        return self.text()

    def header(self, text: str) -> bytes:
        return text.encode("utf-8", "replace").replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"")

    def request(self) -> tuple[str, bytes, list[tuple[str, bytes]], bytes]:
        """Method, target, headers and body."""
        api = f"/_aws/execute-api/{self.known['api']}"
        path = self.random.choice(
            (
                *(
                    "/",
                    "/",
                    "/",
                    "/oauth2/token",
                    "/oauth2/token",
                    "/oauth2/authorize",
                    "/login",
                    "/logout",
                    "/oauth2/userInfo",
                ),
                *(
                    f"{api}/AdminUser",
                    f"{api}/AdminUser",
                    f"{api}/Test/RegularUser",
                    api,
                    f"{api}//",
                    f"{api}/%2e%2e/x",
                ),
                *(
                    "/_labkit/health",
                    f"/{self.known['pool']}/.well-known/jwks.json",
                    "/x/.well-known/openid-configuration",
                ),
            )
        )
        if self.random.random() < 0.4:
            path += f"?{self.random.choice(('client_id', 'code', 'a', '', '%'))}={self.text()}&{self.text()}"
        headers = [("Authorization", self.header(self.random.choice((self.token(), f"Bearer {self.token()}"))))]
        if self.random.random() < 0.6:
            headers.append(
                ("X-Amz-Target", f"AWSCognitoIdentityProviderService.{self.random.choice(OPERATIONS)}".encode())
            )
            headers = headers[1:] if self.random.random() < 0.8 else headers
        media = ("application/x-amz-json-1.1", "application/x-www-form-urlencoded", "text/plain", self.text())
        headers.append(("Content-Type", self.header(self.random.choice(media))))
        if self.random.random() < 0.1:
            headers.append(
                (self.random.choice(("X-Long", "Cookie")), b"a" * self.random.choice((9_000, 12_000, 70_000)))
            )
        if self.random.random() < 0.1:
            headers.append(
                (self.random.choice(("Content-Encoding", "Transfer-Encoding", "Expect", "Authorization")), b"gzip")
            )
        method = self.random.choice(("GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"))
        target = path.encode("utf-8", "replace").replace(b" ", b"%20")
        return method, target, headers, self.body() if method in ("POST", "PUT", "BREW") else b""


def send(port: int, request: tuple[str, bytes, list[tuple[str, bytes]], bytes]) -> tuple[int, bytes]:
    """Send a request as it is; the status and the body of the answer. 0 if the server hung up."""
    method, target, headers, body = request
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: 127.0.0.1:%d" % port, b"Connection: close"]
    lines += [name.encode() + b": " + value for name, value in headers]
    if body and "Transfer-Encoding" not in dict(headers):
        lines.append(b"Content-Length: %d" % len(body))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            return 0, b""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A finished lab in a cloud of its own."""
    home: Path = tmp_path_factory.mktemp("malformed") / "home"
    process.start(home, supervised=True)
    made = lab_at(home, "noise")
    made.up()
    yield made
    process.stop(home)


@proves("nothing_internal_leaks", "decide_token")
def test_a_thousand_malformed_requests_do_no_harm(lab: Lab) -> None:
    cloud = process.find(lab.settings.home)
    assert cloud is not None
    ids, token = lab.status().ids, lab.tokens("adminuser")["id"]
    known = {"client": ids["app_client_id"], "pool": ids["user_pool_id"], "api": ids["api_id"], "token": token}
    noise = Noise(1, known)
    bad = []
    for number in range(REQUESTS):
        request = noise.request()
        status, body = send(cloud.port, request)
        # RFC 9112, section 6.1: a transfer coding that is not known is a 501, wherever it is met.
        refused = status >= 500 and not (status == 501 and "Transfer-Encoding" in dict(request[2]))
        if refused or b"Traceback" in body or b'File "' in body:
            bad.append((number, status, body[:200], request))
    assert bad == []
    assert process.find(lab.settings.home) == cloud
    assert lab.check().findings == ()
