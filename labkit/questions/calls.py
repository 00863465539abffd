"""One HTTP request to the lab's API: as a curl line, and as what came back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from labkit.questions.endpoint import Endpoint, LabApi, Question
from labkit.questions.sign_in import SignIns
from labkit.target.target import Target
from labkit.text.blocks import Block, Code, Table
from labkit.text.shown import Shown
from labkit.text.terms import about
from labkit.tokens.jws import numeric_date
from labkit.tokens.token import decode


@dataclass(frozen=True, repr=False)
class Reply(Shown):
    """What came back for one request.

    `curl` is the command that sends the same request. `note` says what is known of a refusal and what to do about it.
    """

    request: str
    caller: str
    status: int
    body: str
    headers: Mapping[str, str]
    curl: str
    note: str = ""

    def blocks(self) -> Iterator[Block]:
        """The curl line, then status and body."""
        challenge = self.headers.get("www-authenticate", "")
        rows = [("request", self.request), ("caller", self.caller), ("status", f"{self.status}"), ("body", self.body)]
        rows += [row for row in (("www-authenticate", challenge), ("note", self.note)) if row[1]]
        yield Code(f"$ {self.curl}")
        yield Table((), rows)

    def to_dict(self) -> dict[str, Any]:
        """`status`, `body`, `headers` (names in lower case), `curl` and `note`."""
        return {
            "status": self.status,
            "body": self.body,
            "headers": dict(self.headers),
            "curl": self.curl,
            "note": self.note,
        }


def call(target: Target, question: Question) -> Reply:
    """Send one request to a route of the lab's API. LabError if there is no lab, or its API cannot be reached."""
    return send(LabApi(target).endpoint(question), question, SignIns(target))


def send(endpoint: Endpoint, question: Question, sign_ins: SignIns) -> Reply:
    """Send a question to its endpoint. LabError if whoever asks cannot sign in, or the endpoint cannot be reached."""
    headers = question.headers(sign_ins)
    response = endpoint.send(headers)
    return Reply(
        request=question.request,
        caller=question.caller,
        status=response.status_code,
        body=response.text,
        headers={name.lower(): value for name, value in response.headers.items()},
        curl=question.curl,
        note=_expired(dict(headers), time.time()) if response.status_code == HTTPStatus.UNAUTHORIZED else "",
    )


def _expired(headers: Mapping[str, str], now: float) -> str:
    """That a token was good once: the commonest reason why what worked an hour ago is refused."""
    expiry = numeric_date(decode(headers.get("Authorization", "")).claims.get("exp"))
    if expiry is None or expiry > now:
        return ""
    return (
        f"The token expired {about(expiry - now)}. Get a fresh one: lab.tokens(USER), or labkit token USER in a shell."
    )
