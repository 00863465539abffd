"""A route of an API, asked: the only code that makes a question a request, sends it, predicts it and writes its curl.

What is asked is a `Question`. An `Endpoint` knows where it goes; a `ProtectedEndpoint` knows also what the authorizer
will say. Reading the first from the lab costs one AWS call, the second two more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.utils import default_headers
from urllib3 import HTTPHeaderDict

from labkit.errors import LabError, UsageError
from labkit.machine.loopback import leads_here
from labkit.questions.arguments import a_token, known_kind, known_route, known_stage, known_user
from labkit.questions.published_keys import PublishedKeys, published_keys
from labkit.questions.sign_in import SignIns
from labkit.steps.http_api import find_api, routes_of
from labkit.target.names import DEFAULT_STAGE
from labkit.target.target import Target
from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Decision, Route, decide

Headers = Sequence[tuple[str, str]]

TIMEOUT_SECONDS = 35  # an HTTP API answers within 30, or says so itself

# RFC 9110, section 5.5. Half of a surrogate pair is no character at all.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BROKEN = UsageError(
    "The token holds a line break or another character that no header may hold.", "Copy it again, in one piece."
)


@dataclass(frozen=True)
class Question:
    """Who calls which route.

    Attributes:
        route: a route key, `GET /AdminUser` or `GET /RegularUser`.
        user: who signs in for it; None for nobody.
        kind: which of the user's tokens is sent: `id`, `access` or `refresh`.
        bearer: whether `Bearer ` stands before the user's token.
        stage: `$default` or `Test`.
        token: a value of the Authorization header, in place of a user's token.

    Raises:
        UsageError: the lab has no such route, user or stage, there is no such token, or both user and token are given.
    """

    route: str
    user: str | None = None
    kind: str = "id"
    bearer: bool = False
    stage: str = DEFAULT_STAGE
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        known_route(self.route)
        known_stage(self.stage)
        known_kind(self.kind)
        if self.user is not None:
            known_user(self.user)
        if self.token is not None:
            a_token(self.token)
            if self.user is not None:
                raise UsageError("A user and a token exclude each other.", "Give one of them, or none.")

    @property
    def caller(self) -> str:
        """Who calls, in words."""
        if self.token is not None:
            return "the bearer of a token"
        if self.user is None or (self.kind == "id" and not self.bearer):
            return self.user or "nobody"
        return f"{self.user} ({'Bearer, ' if self.bearer else ''}{self.kind} token)"

    def headers(self, sign_ins: SignIns) -> Headers:
        """The Authorization header, if there is one. Whoever asks as a user is signed in for it."""
        if self.token is not None:
            return (("Authorization", _one_byte_each(self.token)),)
        if self.user is None:
            return ()
        return (("Authorization", f"{self._prefix}{sign_ins.tokens(self.user)[self.kind]}"),)

    @property
    def request(self) -> str:
        """The method, and the path under the API's URL."""
        method, path = self.route.split(" ", 1)
        return f"{method} {path if self.stage == DEFAULT_STAGE else f'/{self.stage}{path}'}"

    @property
    def curl(self) -> str:
        """The command that sends the same request, without the token itself."""
        method, path = self.request.split(" ", 1)
        words = ["curl"] + ([] if method == "GET" else ["-X", method])
        words += [f'-H "Authorization: {self._in_a_shell}"'] if self._in_a_shell else []
        return " ".join([*words, f'"$API_URL{path}"'])

    @property
    def _in_a_shell(self) -> str:
        if self.token is not None:
            return "$TOKEN"
        option = "" if self.kind == "id" else f" --kind {self.kind}"
        return f"{self._prefix}$(labkit token {self.user}{option})" if self.user else ""

    @property
    def _prefix(self) -> str:
        return "Bearer " if self.bearer else ""


def _one_byte_each(value: str) -> str:
    """A header's value, one byte a character. A terminal hands on bytes that are no UTF-8 as surrogates."""
    try:
        return value.encode(errors="surrogateescape").decode("latin-1")
    except UnicodeEncodeError as error:
        raise _BROKEN from error


@dataclass(frozen=True)
class Endpoint:
    """Where a route is called: `url` is empty if it exists only in thought."""

    route_key: str
    url: str
    _session: requests.Session = field(default_factory=requests.Session, compare=False, repr=False, kw_only=True)

    def request(self, headers: Headers, query: str = "") -> ApiRequest:
        """A request as the API gets it: with the headers that every request of ours has.

        Args:
            headers: names and values, a name more than once if need be.
            query: the query string, encoded.
        """
        parts, method = urlsplit(self.url), self.route_key.split(" ")[0]
        path = parts.path or self.route_key.split(" ")[1]
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        sent = (("Host", parts.netloc), *default_headers().items(), *headers)
        return ApiRequest(sent, parameters, method, path, f"{path}?{query}" if query else path)

    def send(self, headers: Headers, query: str = "") -> requests.Response:
        """Send that request.

        Raises:
            UsageError: a header holds what none may hold.
            LabError: nobody answers there.
        """
        if any(_UNSENDABLE.search(value) for _, value in headers):
            raise _BROKEN
        # A proxy serves for the way out of this machine, and ~/.netrc must not add credentials of its own.
        self._session.trust_env = not leads_here(self.url)
        url = f"{self.url}?{query}" if query else self.url
        request = requests.Request(self.route_key.split(" ")[0], url).prepare()
        # The type says that a name occurs once; urllib3 sends what is here.
        request.headers = cast(Any, HTTPHeaderDict([*default_headers().items(), *headers]))
        settings = self._session.merge_environment_settings(url, {}, False, None, None)
        try:
            return self._session.send(request, timeout=TIMEOUT_SECONDS, allow_redirects=False, **settings)
        except requests.RequestException as error:
            raise LabError(
                f"The API did not answer at {self.url}.", "See what is left of the lab: labkit status"
            ) from error


@dataclass(frozen=True)
class ProtectedEndpoint(Endpoint):
    """A route with a JWT authorizer: its settings, the scopes of the route, and the keys of the issuer."""

    authorizer: AuthorizerSettings
    scopes: tuple[str, ...]
    published: PublishedKeys

    def predict(self, request: ApiRequest, now: float) -> Decision:
        """What the rules say of a request at a time, in seconds since 1970."""
        return decide(request, self.authorizer, Route(self.route_key, self.scopes), self.published.keys, now)


def clock(headers: Mapping[str, str]) -> float:
    """The clock of whoever answered, in seconds since 1970: this machine's may be off, and a token is judged by theirs.

    Args:
        headers: those of the answer; none if there was no answer.
    """
    date = headers.get("date")
    return parsedate_to_datetime(date).timestamp() if date else time.time()


class LabApi:
    """The lab's API as it is configured now, read as far as it is asked for, and each part once.

    Args:
        target: the lab's place.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._authorizers: dict[str, tuple[AuthorizerSettings, PublishedKeys]] = {}

    def endpoint(self, question: Question) -> Endpoint:
        """Where a question goes. LabError if there is no API."""
        return Endpoint(question.route, self._url(question))

    def protected(self, question: Question) -> ProtectedEndpoint:
        """Where a question goes, with what decides there.

        Raises:
            LabError: the API or the route is gone, or the route has no JWT authorizer.
        """
        route = self._route(question.route)
        authorizer, published = self._authorizer(route["AuthorizerId"])
        scopes = tuple(route.get("AuthorizationScopes", []))
        return ProtectedEndpoint(question.route, self._url(question), authorizer, scopes, published)

    def _url(self, question: Question) -> str:
        return f"{self._target.place.api_url(self._id)}{question.request.split(' ', 1)[1]}"

    @cached_property
    def _id(self) -> str:
        api = find_api(self._target)
        if api is None:
            raise LabError(
                "There is no HTTP API of this lab: it was not built yet, or it is gone.",
                "Build it: labkit up --through http-api",
            )
        return str(api["ApiId"])

    @cached_property
    def _routes(self) -> dict[str, dict[str, Any]]:
        return routes_of(self._target, self._id)

    def _route(self, key: str) -> dict[str, Any]:
        route = self._routes.get(key)
        if route is None:
            raise LabError(f"The API has no route {key}: whoever calls it gets 404.", "Put it back: labkit up")
        kind = route.get("AuthorizationType", "NONE")
        if kind != "JWT":
            raise LabError(
                f"{key} has no JWT authorizer; its authorization type is {kind}.",
                "Give it one: labkit up --through authorizer",
            )
        return route

    def _authorizer(self, authorizer_id: str) -> tuple[AuthorizerSettings, PublishedKeys]:
        if authorizer_id not in self._authorizers:
            client = self._target.client("apigatewayv2")
            found = client.get_authorizer(ApiId=self._id, AuthorizerId=authorizer_id)
            jwt, sources = found["JwtConfiguration"], found.get("IdentitySource", [])
            issuer = jwt.get("Issuer", "")
            settings = AuthorizerSettings(next(iter(sources), ""), issuer, tuple(jwt.get("Audience", [])))
            self._authorizers[authorizer_id] = settings, published_keys(self._target.place, issuer)
        return self._authorizers[authorizer_id]
