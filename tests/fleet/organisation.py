"""An AWS organisation whose accounts embedded clouds play: what is sent to AWS arrives at the cloud of its signer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.cloud.protocol import Cloud
from tests.aws_account import AwsAccount, operation, send_really, text
from tests.labs import http_answer

# Where the instructor works: the management account.
OWN = "999900000000"

Answer = Callable[[], AWSResponse | None]


@dataclass
class Organisation:
    """What takes the network's place.

    `asked` names each request with the account that it was made in. `answers` are given in AWS's place to requests of
    that name in that account, if they are not None; `bodies` to requests of that name, told their parameters.
    """

    clouds: dict[str, Cloud]
    management: str = OWN
    states: dict[str, str] = field(default_factory=dict)
    disabled: set[tuple[str, str]] = field(default_factory=set)
    lifetime: timedelta = timedelta(hours=1)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    bodies: dict[str, Callable[[dict[str, list[str]]], AWSResponse]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def send(self, session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request that a client sends to AWS, or to a cloud of this machine."""
        if urlsplit(request.url).hostname == "127.0.0.1":
            return send_really(session, request)
        account, region = _signer(request)
        name = operation(request)
        self.asked.append((account, name))
        answer = self.answers.get((account, name), lambda: None)()
        return answer or self._refused(account, region) or self._answered(account, name, request, session)

    def _refused(self, account: str, region: str) -> AWSResponse | None:
        if (account, region) in self.disabled:
            return query_error("InvalidClientTokenId", "The security token included in the request is invalid", 403)
        return None

    def _answered(self, account: str, name: str, request: AWSPreparedRequest, session: URLLib3Session) -> AWSResponse:
        if name in self.bodies:
            return self.bodies[name](parse_qs(text(request.body)))
        match name:
            case "AssumeRole":
                return self._assumed(parse_qs(text(request.body))["RoleArn"][0])
            case "GetCallerIdentity":
                return _identity(account)
            case "DescribeOrganization":
                return http_answer(200, json.dumps({"Organization": {"MasterAccountId": self.management}}))
            case "DescribeAccount":
                wanted = json.loads(text(request.body))["AccountId"]
                return http_answer(200, json.dumps({"Account": {"Status": self.states.get(wanted, "ACTIVE")}}))
        return AwsAccount(self.clouds[account]).send(session, request)

    def _assumed(self, arn: str) -> AWSResponse:
        account, role = arn.split(":")[4], arn.rsplit("/", 1)[-1]
        if role != "Instructor" or self.states.get(account, "ACTIVE") != "ACTIVE":
            return query_error(
                "AccessDenied", f"User: {OWN} is not authorized to perform: sts:AssumeRole on {arn}", 403
            )
        until = f"{datetime.now(UTC) + self.lifetime:%Y-%m-%dT%H:%M:%SZ}"
        parts = {"AccessKeyId": f"ASIA{account}AAAA", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": until}
        return query_answer("AssumeRole", f"<Credentials>{_xml(parts)}</Credentials>")


def _signer(request: AWSPreparedRequest) -> tuple[str, str]:
    """The account whose credentials signed a request, and the region that it was signed for."""
    signed = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", text(request.headers["Authorization"]))
    assert signed, f"unsigned: {request.url}"
    return (signed[1][4:16] if signed[1].startswith("ASIA") else OWN), signed[2]


def _identity(account: str) -> AWSResponse:
    arn = f"arn:aws:sts::{account}:assumed-role/Instructor/jwt-authorizer-lab"
    if account == OWN:
        arn = f"arn:aws:iam::{OWN}:user/instructor"
    return query_answer("GetCallerIdentity", _xml({"Arn": arn, "UserId": "u", "Account": account}))


def query_answer(name: str, content: str) -> AWSResponse:
    """What IAM and STS answer to an operation."""
    return http_answer(200, f"<{name}Response><{name}Result>{content}</{name}Result></{name}Response>")


def _xml(parts: dict[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())


def query_error(code: str, message: str = "no", status: int = 400) -> AWSResponse:
    """An error as IAM and STS answer it."""
    return http_answer(
        status, f"<ErrorResponse><Error>{_xml({'Code': code, 'Message': message})}</Error></ErrorResponse>"
    )


def json_error(code: str, message: str = "no", status: int = 400) -> AWSResponse:
    """An error as the other services answer it."""
    body = json.dumps({"__type": code, "message": message, "Message": message})
    return http_answer(status, body, {"x-amzn-ErrorType": code})


def play(clouds: dict[str, Cloud], environment: pytest.MonkeyPatch) -> Organisation:
    """Put clouds in the place of AWS, for this process and an instructor's credentials."""
    organisation = Organisation(clouds)
    # A function and not a bound method, so that it is given the session, too.
    environment.setattr(URLLib3Session, "send", lambda session, request: organisation.send(session, request))  # noqa: PLW0108
    credentials = {"AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16, "AWS_SECRET_ACCESS_KEY": "s" * 40}
    for name, value in {**credentials, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        environment.setenv(name, value)
    environment.setattr("botocore.waiter.time.sleep", lambda seconds: None)
    return organisation
