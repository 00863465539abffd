"""A route with a JWT authorizer: what it answers by the rules, and what it really answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests
from urllib3 import HTTPHeaderDict

from labkit.errors import LabError
from labkit.machine.loopback import is_loopback
from labkit.questions.calls import TIMEOUT_SECONDS
from labkit.questions.explanation import api_id_of, route_settings
from labkit.questions.published_keys import published_keys
from labkit.target.target import Target
from labkit.tokens.decision import Authorizer, Decision, Request, Route, decide
from labkit.tokens.jws import Keys

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Endpoint:
    """A protected route.

    Attributes:
        authorizer: the settings of its authorizer.
        route: its key and its scopes.
        keys: what the authorizer's issuer publishes.
        url: where it is called; empty if it only exists in thought.
    """

    authorizer: Authorizer
    route: Route
    keys: Keys
    url: str = ""
    _session: requests.Session = field(default_factory=requests.Session, compare=False, repr=False)

    def request(self, headers: Headers, query: str = "") -> Request:
        """A request as the authorizer sees it.

        Args:
            headers: names and values, a name more than once if need be.
            query: the query string, encoded.
        """
        method, path = self.route.key.split(" ")
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        return Request(tuple(headers), parameters, method, path, f"{path}?{query}" if query else path)

    def predict(self, request: Request, now: float) -> Decision:
        """What the rules say of a request at a time, in seconds since 1970."""
        return decide(request, self.authorizer, self.route, self.keys, now)

    def call(self, headers: Headers, query: str = "") -> requests.Response:
        """Send a request with exactly these headers, and those without which there is no HTTP.

        Raises:
            LabError: nobody answers there.
        """
        url = f"{self.url}?{query}" if query else self.url
        # A proxy serves for the way out of this machine, and ~/.netrc must not add credentials of its own.
        self._session.trust_env = not is_loopback(urlsplit(url).hostname)
        request = requests.Request("GET", url).prepare()
        # The type says that a name occurs once; urllib3 sends what is here.
        request.headers = cast(Any, HTTPHeaderDict(list(headers)))
        settings = self._session.merge_environment_settings(url, {}, False, None, None)
        try:
            return self._session.send(request, timeout=TIMEOUT_SECONDS, allow_redirects=False, **settings)
        except requests.RequestException as error:
            raise LabError(f"The API did not answer at {self.url}.", "See what is left: labkit status") from error


def clock(answer: requests.Response | None) -> float:
    """The clock of whoever answered, in seconds since 1970: this machine's may be off."""
    date = answer.headers.get("date") if answer is not None else None
    return parsedate_to_datetime(date).timestamp() if date else time.time()


def lab_endpoint(target: Target, route_key: str) -> Endpoint:
    """A route of the lab's own API, as it is configured now.

    Raises:
        LabError: the API or the route is gone, the route has no JWT authorizer, or its issuer's keys are out of reach.
    """
    api_id = api_id_of(target)
    authorizer, scopes = route_settings(target, api_id, route_key)
    published = published_keys(target.place, authorizer.issuer)
    if not published.reached:
        raise LabError(published.sentence, "See what is wrong: labkit check")
    url = f"{target.place.api_url(api_id)}{route_key.split(' ')[1]}"
    return Endpoint(authorizer, Route(route_key, scopes), published.keys, url)
