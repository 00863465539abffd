"""One HTTP request to the lab's API: as a curl line, and as what came back. And the calls that the post makes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from labkit.errors import LabError, UsageError
from labkit.machine.loopback import is_loopback
from labkit.questions.sign_in import NO_LAB, known_user, tokens
from labkit.steps.http_api import find_api
from labkit.target.names import DEFAULT_STAGE, ROUTES, STAGE
from labkit.target.target import Target
from labkit.text.shown import Shown, html_table, text_table
from labkit.text.terms import about
from labkit.tokens.jws import numeric_date
from labkit.tokens.token import decode

STAGES = (DEFAULT_STAGE, STAGE)
TIMEOUT_SECONDS = 35  # an HTTP API answers within 30, or says so itself


@dataclass(frozen=True)
class Caller:
    """Who calls: what the Authorization header holds, and how to write that in a shell without the token itself."""

    label: str
    value: str | None = field(repr=False)
    shell: str | None


@dataclass(frozen=True, repr=False)
class Answer(Shown):
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

    def _rows(self) -> list[tuple[str, str]]:
        challenge = self.headers.get("www-authenticate")
        rows = [("request", self.request), ("caller", self.caller), ("status", f"{self.status}"), ("body", self.body)]
        rows += [("www-authenticate", challenge)] if challenge else []
        return [*rows, ("note", self.note)] if self.note else rows

    def text(self) -> str:
        """The curl line, then status and body."""
        return f"$ {self.curl}\n{text_table((), self._rows())}"

    def html(self) -> str:
        """The curl line, then status and body."""
        return html_table(("", ""), [("curl", self.curl), *self._rows()])

    def to_dict(self) -> dict[str, Any]:
        """`status`, `body`, `headers` (names in lower case), `curl` and `note`."""
        return {
            "status": self.status,
            "body": self.body,
            "headers": dict(self.headers),
            "curl": self.curl,
            "note": self.note,
        }


def anonymous() -> Caller:
    """A caller without a token."""
    return Caller("nobody", None, None)


def signed_in(target: Target, user: str, kind: str = "id", *, bearer: bool = False) -> Caller:
    """A user who has just signed in.

    Args:
        target: the lab's place.
        user: `adminuser` or `regularuser`.
        kind: which of the tokens is sent: `id`, `access` or `refresh`.
        bearer: put `Bearer ` before it.
    """
    prefix = "Bearer " if bearer else ""
    option = "" if kind == "id" else f" --kind {kind}"
    token = tokens(target, known_user(user))[kind]
    return Caller(_label(user, kind, bearer=bearer), prefix + token, f"{prefix}$(labkit token {user}{option})")


def _label(user: str, kind: str, *, bearer: bool) -> str:
    return f"{user} ({'Bearer, ' if bearer else ''}{kind} token)" if bearer or kind != "id" else user


def with_token(value: str) -> Caller:
    """A caller who sends this value of the Authorization header."""
    return Caller("the bearer of a token", value, "$TOKEN")


def send(target: Target, route: str, caller: Caller, stage: str = DEFAULT_STAGE) -> Answer:
    """Send one request to a route of the lab's API.

    Args:
        target: the lab's place.
        route: a route key, `GET /AdminUser` or `GET /RegularUser`.
        caller: who sends it.
        stage: `$default` or `Test`.

    Raises:
        UsageError: the lab has no such route or stage.
        LabError: there is no lab, or its API cannot be reached.
    """
    method, path = method_and_path(route, stage)
    api = find_api(target)
    if api is None:
        raise NO_LAB
    response = _request(method, f"{target.place.api_url(api['ApiId'])}{path}", caller.value)
    return Answer(
        request=f"{method} {path}",
        caller=caller.label,
        status=response.status_code,
        body=response.text,
        headers={name.lower(): value for name, value in response.headers.items()},
        curl=_curl(method, path, caller),
        note=_expired(caller.value, time.time()) if response.status_code == HTTPStatus.UNAUTHORIZED else "",
    )


def method_and_path(route: str, stage: str) -> tuple[str, str]:
    """The method of a route, and its path under the API's URL on a stage.

    Raises:
        UsageError: the lab has no such route or stage.
    """
    method, path = known_route(route).split(" ", 1)
    return method, path if known_stage(stage) == DEFAULT_STAGE else f"/{stage}{path}"


def _expired(value: str | None, now: float) -> str:
    """That a token was good once: the commonest reason why what worked an hour ago is refused."""
    expiry = numeric_date(decode(value).claims.get("exp")) if value else None
    if expiry is None or expiry > now:
        return ""
    return (
        f"The token expired {about(expiry - now)}. Get a fresh one: lab.tokens(USER), or labkit token USER in a shell."
    )


def known_route(route: str) -> str:
    """Return `route` if the lab's API has it; UsageError if not."""
    if route not in ROUTES:
        raise UsageError(f"The lab's API has no route {route!r}.", f"Name one of: {', '.join(ROUTES)}.")
    return route


def known_stage(stage: str) -> str:
    """Return `stage` if the lab's API has it; UsageError if not."""
    if stage not in STAGES:
        raise UsageError(f"The lab's API has no stage {stage!r}.", f"Name one of: {', '.join(STAGES)} (case matters).")
    return stage


def _request(method: str, url: str, authorization: str | None) -> requests.Response:
    session = requests.Session()
    # A proxy serves for the way out of this machine, and ~/.netrc must not add credentials of its own.
    session.trust_env = not is_loopback(urlsplit(url).hostname)
    session.auth = lambda request: request
    try:
        # A terminal hands on bytes that are no UTF-8 as surrogates.
        headers = {} if authorization is None else {"Authorization": authorization.encode(errors="surrogateescape")}
        if "\0" in (authorization or ""):  # which requests lets through
            raise requests.exceptions.InvalidHeader
        return session.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS)
    except (requests.exceptions.InvalidHeader, UnicodeEncodeError) as error:
        raise UsageError("The token holds a line break or another character that no header may hold.",
                         "Copy it again, in one piece.") from error  # fmt: skip
    except requests.RequestException as error:
        raise LabError(f"The API did not answer at {url}.", "See what is left of the lab: labkit status") from error


def _curl(method: str, path: str, caller: Caller) -> str:
    words = ["curl"] + ([] if method == "GET" else ["-X", method])
    words += [f'-H "Authorization: {caller.shell}"'] if caller.shell else []
    return " ".join([*words, f'"$API_URL{path}"'])
