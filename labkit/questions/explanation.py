"""Why a request is answered as it is: the authorizer's decision, rule by rule, beside what the endpoint answered."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from requests.utils import default_headers

from labkit.errors import LabError
from labkit.questions.calls import Answer, Caller, method_and_path, send
from labkit.questions.published_keys import PublishedKeys, published_keys
from labkit.steps.http_api import find_api, routes_of
from labkit.target.names import DEFAULT_STAGE
from labkit.target.target import Target
from labkit.text.shown import Shown, html_paragraph, html_table, text_table
from labkit.text.terms import EXACT, Terms, about
from labkit.text.wording import distance, moment, quoted
from labkit.tokens import jws
from labkit.tokens.decision import Authorizer, Decision, Request, Route, RuleResult, decide
from labkit.tokens.token import Token
from labkit.tokens.token import decode as read_token

HEADINGS = ("rule", "verdict", "expected", "actual")
WIDTHS = (18, 14, 46, 46)
SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "not reached": "· not reached"}
ALLOWED = 200
SERVER_ERROR = 500


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """A request, the decision that the rules lead to, and what the endpoint really answered.

    `answer` is None if the request was not sent, and `unsent` says why. `remarks` are sentences: why the rule refused,
    what to do about it, and whatever else is to be known.
    """

    request: str
    caller: str
    stage: str
    decision: Decision
    answer: Answer | None
    unsent: str
    remarks: tuple[str, ...]
    patience: float = 0
    terms: Terms = EXACT

    @property
    def outcome(self) -> str:
        """The predicted status and the rule that leads to it."""
        rule = self.decision.rule
        return f"{self.decision.status}, refused by the rule {rule}" if rule else f"{ALLOWED}, let in by every rule"

    @property
    def agrees(self) -> bool | None:
        """Whether the endpoint answered as predicted; None if it was not asked.

        What a function does after it was called is not the authorizer's: a 5xx agrees with a predicted 200.
        """
        if self.answer is None:
            return None
        let_in = self.decision.status == ALLOWED and self.answer.status >= SERVER_ERROR
        return let_in or self.answer.status == self.decision.status

    @property
    def observed(self) -> str:
        """What the endpoint answered, and whether that was predicted."""
        if self.answer is None:
            return self.unsent
        answered = f"The endpoint answered {self.answer.status} {self.answer.body}".rstrip()
        if not self.agrees:
            return f"WARNING: {answered}, and {self.decision.status} was predicted. {self._doubt}"
        if self.answer.status != self.decision.status:
            return f"{answered}: the authorizer let the request in, and what is behind the route failed."
        return f"{answered}, as predicted."

    @property
    def _doubt(self) -> str:
        if self.stage != DEFAULT_STAGE:
            return f"The stage {self.stage} serves what was last deployed to it: labkit check tells if that is older."
        if self.patience:
            return "A change takes a while to be served: repeat this in a minute, then believe the endpoint."
        return "Believe the endpoint, and look at what it serves: labkit check"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """A row for each rule: name, verdict, expected, actual."""
        say = self.terms.say
        return [(rule.name, SIGNS[rule.verdict], say(rule.expected), say(rule.actual)) for rule in self.decision.rules]

    def sentences(self) -> list[str]:
        """What is said below the rules."""
        return [self.terms.say(sentence) for sentence in (self.observed, *self.remarks)]

    def text(self) -> str:
        """The request and its outcome, a row for each rule, then what was answered and what to do."""
        return "\n\n".join([self.title, text_table(HEADINGS, self.rows(), WIDTHS), "\n".join(self.sentences())])

    def html(self) -> str:
        """The same."""
        table = html_table(HEADINGS, self.rows())
        return "".join([html_paragraph(self.title), table, *map(html_paragraph, self.sentences())])

    @property
    def title(self) -> str:
        """The request, who sends it, and the outcome."""
        return f"{self.request} as {self.caller}: {self.outcome}."

    def in_terms(self, terms: Terms) -> Explanation:
        """The same, told in a lab's terms."""
        return replace(self, terms=terms.plus(self.terms.words))

    def to_dict(self) -> dict[str, Any]:
        """The decision's `status`, `rule` and `rules`, and beside them what was observed."""
        return {
            "request": self.request,
            "caller": self.caller,
            **self.decision.to_dict(),
            "observed_status": self.answer.status if self.answer else None,
            "observed_body": self.answer.body if self.answer else None,
            "agrees": self.agrees,
            "observed": self.observed,
            "remarks": list(self.remarks),
            "curl": self.answer.curl if self.answer else None,
        }


def explain(
    target: Target, route: str, caller: Caller, stage: str = DEFAULT_STAGE, *, observe: bool = True
) -> Explanation:
    """Explain how the lab's API answers a request, by the settings that its route has now.

    Args:
        target: the lab's place.
        route: a route key, `GET /AdminUser` or `GET /RegularUser`.
        caller: who calls.
        stage: `$default` or `Test`.
        observe: send the request as well.

    Raises:
        UsageError: the lab has no such route or stage.
        LabError: the API or the route is gone, or the route has no JWT authorizer.
    """
    method, path = method_and_path(route, stage)
    api_id = api_id_of(target)
    authorizer, scopes = route_settings(target, api_id, route)
    published = published_keys(target.place, authorizer.issuer)
    answer, unsent = _observed(target, route, caller, stage) if observe else (None, "The request was not sent.")
    request = _request(f"{target.place.api_url(api_id)}{path}", method, caller.value)
    now = _clock(answer)
    decision = decide(request, authorizer, Route(route, scopes), published.keys, now)
    token = read_token(caller.value or "")
    return Explanation(
        request=f"{method} {path}",
        caller=caller.label,
        stage=stage,
        decision=decision,
        answer=answer,
        unsent=unsent,
        remarks=tuple(_remarks(decision, token, authorizer, published)),
        patience=target.place.patience,
        terms=EXACT.plus(stable_words(decision, request, token, now)),
    )


def api_id_of(target: Target) -> str:
    """The id of the lab's API."""
    api = find_api(target)
    if api is None:
        raise LabError("There is no HTTP API of this lab: it was not built yet, or it is gone.", "Build it: labkit up")
    return str(api["ApiId"])


def route_settings(target: Target, api_id: str, route_key: str) -> tuple[Authorizer, tuple[str, ...]]:
    """The authorizer and the scopes of a route, as they are configured now."""
    route = routes_of(target, api_id).get(route_key)
    if route is None:
        raise LabError(f"The API has no route {route_key}: whoever calls it gets 404.", "Put it back: labkit up")
    if route.get("AuthorizationType") != "JWT":
        kind = route.get("AuthorizationType", "NONE")
        raise LabError(
            f"{route_key} has no JWT authorizer; its authorization type is {kind}.", "Give it one: labkit up"
        )
    found = target.client("apigatewayv2").get_authorizer(ApiId=api_id, AuthorizerId=route["AuthorizerId"])
    jwt = found["JwtConfiguration"]
    source = next(iter(found.get("IdentitySource", [])), "")
    authorizer = Authorizer(source, jwt.get("Issuer", ""), tuple(jwt.get("Audience", [])))
    return authorizer, tuple(route.get("AuthorizationScopes", []))


def _observed(target: Target, route: str, caller: Caller, stage: str) -> tuple[Answer | None, str]:
    """The endpoint's answer, or why there is none."""
    try:
        return send(target, route, caller, stage), ""
    except LabError as error:
        return None, f"There is no answer to compare: {error.problem}"


def _request(url: str, method: str, authorization: str | None) -> Request:
    """The request as `requests` sends it."""
    parts = urlsplit(url)
    headers = [("Host", parts.netloc), *default_headers().items()]
    if authorization is not None:
        headers.append(("Authorization", authorization.encode(errors="surrogatepass").decode("latin-1")))
    return Request(tuple(headers), (), method, parts.path)


def _clock(answer: Answer | None) -> float:
    """The endpoint's clock: this machine's may be off, and a token is judged by theirs."""
    date = answer.headers.get("date") if answer else None
    return parsedate_to_datetime(date).timestamp() if date else time.time()


def _remarks(decision: Decision, token: Token, authorizer: Authorizer, published: PublishedKeys) -> list[str]:
    remarks = []
    if decision.failed:
        remarks.append(f"What to do: {decision.failed.advice}")
        remarks += _foreign_issuer(decision.failed, token, authorizer)
    return [*remarks, published.sentence]


def _foreign_issuer(failed: RuleResult, token: Token, authorizer: Authorizer) -> list[str]:
    """A key is looked up before the issuer is compared, so a foreign token fails at its key."""
    issuer = token.claims.get("iss")
    if failed.name != "key-id" or issuer in (None, authorizer.issuer):
        return []
    return [f"Its iss is {quoted(issuer)} and the authorizer's issuer is another: hence the unknown key."]


def stable_words(decision: Decision, request: Request, token: Token, now: float) -> dict[str, str]:
    """What is said in place of that which differs from run to run: the clock, the times of the token, its size."""
    words = {moment(now): "now"}
    if decision.rule != "request-size":
        words[f"{request.size:,} bytes"] = "fewer bytes"
    for name in ("exp", "nbf", "iat"):
        seconds = jws.numeric_date(token.claims.get(name))
        if seconds is not None:
            words[f"{moment(seconds)}, {distance(seconds - now)}"] = about(seconds - now)
    return words
