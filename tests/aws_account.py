"""An AWS account that an embedded cloud plays: what is sent to AWS's hosts arrives there, signed by one who may."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from labkit.cloud.protocol import Cloud

send_really = URLLib3Session.send

# The credentials of the caller. They are nobody's.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16, "AWS_SECRET_ACCESS_KEY": "s" * 40}


@dataclass
class AwsAccount:
    """What takes the network's place. `asked` names each request, `answers` what is answered in the cloud's place."""

    cloud: Cloud
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[], AWSResponse]] = field(default_factory=dict)

    def send(self, session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request that a client sends to AWS."""
        host = urlsplit(request.url).hostname or ""
        assert host.endswith((".amazonaws.com", ".amazonaws.com.cn")), f"a request went to {host}"
        name = operation(request)
        self.asked.append(name)
        return self.answers[name]() if name in self.answers else self._forwarded(session, request)

    def _forwarded(self, session: URLLib3Session, request: AWSPreparedRequest) -> Any:
        url = urlsplit(request.url)
        target = f"{self.cloud.endpoint_url}{url.path}{'?' if url.query else ''}{url.query}"
        kept = ("content-type", "x-amz-target", "x-amz-content-sha256")
        headers = {name: text(value) for name, value in request.headers.items() if name.lower() in kept}
        again = AWSRequest(method=request.method, url=target, data=request.body, headers=headers)
        signed_for = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", text(request.headers.get("Authorization")))
        if signed_for:
            credentials = Credentials(self.cloud.access_key_id, self.cloud.secret_access_key)
            SigV4Auth(credentials, signed_for[2], signed_for[1]).add_auth(again)
        return send_really(session, again.prepare())


def operation(request: AWSPreparedRequest) -> str:
    """What a request asks for, in its protocol's own words: `GetRole`, `ListUserPools`, `POST /v2/apis`."""
    if target := request.headers.get("X-Amz-Target"):
        return text(target).rsplit(".", 1)[-1]
    if "x-www-form-urlencoded" in text(request.headers.get("Content-Type")):
        return parse_qs(text(request.body))["Action"][0]
    return f"{request.method} {urlsplit(request.url).path}"


def text(value: Any) -> str:
    """A header or a body as text, whichever of its types botocore gives it."""
    return value.decode() if isinstance(value, bytes) else str(value or "")


def play(cloud: Cloud, environment: pytest.MonkeyPatch) -> AwsAccount:
    """Put a cloud in the place of AWS, for this process and its caller's credentials."""
    account = AwsAccount(cloud)
    # A function and not a bound method, so that it is given the session, too.
    environment.setattr(URLLib3Session, "send", lambda session, request: account.send(session, request))  # noqa: PLW0108
    for name, value in {**CREDENTIALS, "AWS_REGION": "us-east-1", "LABKIT_TARGET": "aws"}.items():
        environment.setenv(name, value)
    return account


def main() -> None:
    """Run labkit's command line of this process's arguments before that account: `python -c` of the pty test."""
    import atexit
    import os
    from pathlib import Path

    from labkit.cli import main as cli
    from labkit.cloud import process

    cloud = process.find(Path(os.environ["WARM_HOME"]))
    assert cloud is not None
    account = play(cloud, pytest.MonkeyPatch())
    atexit.register(lambda: Path(os.environ["ASKED"]).write_text(json.dumps(account.asked)))
    cli.main()


if __name__ == "__main__":
    main()
