"""What if? A token, the clock, the signing key, the authorizer or the route are changed: which rule decides otherwise?

The changed token is signed by an issuer of our own, since nobody has the user pool's private key, and sent to an API of
our own, which trusts it. In an AWS account there is no such API, and the decision is only predicted.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from labkit.attacks.forgery import GONE, Forgery, In, Means, forge
from labkit.attacks.issuer import Issuer, own_issuer, stranger
from labkit.attacks.what_if_api import served
from labkit.errors import UsageError
from labkit.questions import sign_in
from labkit.questions.endpoint import Endpoint, lab_endpoint
from labkit.questions.explanation import SIGNS, stable_words
from labkit.questions.published_keys import keys_for
from labkit.target.target import Target
from labkit.text.shown import Shown, html_paragraph, html_table, text_table
from labkit.text.terms import EXACT, Terms, about
from labkit.text.wording import either, quoted
from labkit.tokens import jws
from labkit.tokens.decision import Authorizer, Decision, Route
from labkit.tokens.token import decode

ROUTE = "GET /WhatIf"
ISSUER_NAME = "$WHAT_IF_ISSUER"
NOT_SENT = "It was not sent."
PREDICTED_ONLY = "Predicted only: the what-if API exists in the embedded cloud, not in an AWS account."
NO_AUDIENCE = "Predicted only: an authorizer cannot be made without an audience."
UNREACHABLE_ISSUER = "Predicted only: an authorizer cannot be made for an issuer whose discovery document is not there."

Signer = Literal["issuer", "stranger"]
SIGNERS: tuple[Signer, ...] = ("issuer", "stranger")

# The claims that hold a time.
TIMES = ("auth_time", "iat", "nbf", "exp")

# What our issuer puts into a token unless it is told otherwise: what the lab's user pool would.
DEFAULTS: Mapping[str, Any] = {
    "sub": "00000000-0000-4000-8000-000000000000",
    "cognito:groups": ["admin", "regular"],
    "iss": "$ISSUER",
    "cognito:username": "adminuser",
    "aud": "$CLIENT",
    "token_use": "id",
    "scope": "$SCOPE regular-$CLIENT",
    "auth_time": In(0),
    "iat": In(0),
    "exp": In(3600),
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is different.

    Attributes:
        claims: claims of the token that are put in or replaced.
        without: claims of the token that are taken out.
        header: parameters of the token's header that are put in or replaced.
        key: whose key signs the token, under the issuer's kid: the `issuer`'s, or a `stranger`'s.
        hours_later: how much later the token is sent.
        issuer: the issuer that the authorizer trusts; None for the one that signs the token.
        audience: the audience of the authorizer; None for the lab's.
        scopes: the scopes of the route; None for those of the lab's route.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    key: Signer = "issuer"
    hours_later: float = 0
    issuer: str | None = None
    audience: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, repr=False)
class WhatIf(Shown):
    """What was changed, the decisions before and after, and what the what-if API answered to the changed request.

    `claims` and `endpoint` are what it begins with. `differences` are what, before, after. `observed` is None if
    nothing was sent, and `unsent` says why.
    """

    claims: Mapping[str, Any]
    endpoint: Endpoint
    differences: tuple[tuple[str, str, str], ...]
    before: Decision
    after: Decision
    observed: int | None
    unsent: str = ""
    terms: Terms = EXACT

    @property
    def agrees(self) -> bool | None:
        """Whether the what-if API answered as predicted; None if it was not asked."""
        return None if self.observed is None else self.observed == self.after.status

    @property
    def changed_rules(self) -> tuple[str, ...]:
        """The rules whose verdict changes: those that fail now and did not, and those that failed and do not now."""
        pairs = zip(self.before.rules, self.after.rules, strict=True)
        return tuple(was.name for was, now in pairs if (was.verdict == "failed") != (now.verdict == "failed"))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """A row for each rule: name, verdict before, verdict after, and whether that is a change."""
        pairs = zip(self.before.rules, self.after.rules, strict=True)
        changed = self.changed_rules
        return [
            (was.name, SIGNS[was.verdict], SIGNS[now.verdict], "◀ changed" if was.name in changed else "")
            for was, now in pairs
        ]

    def changes(self) -> list[tuple[str, str, str]]:
        """A row for each thing that was changed: what, before, after."""
        return [(what, self.terms.say(was), self.terms.say(now)) for what, was, now in self.differences]

    def sentences(self) -> list[str]:
        """What follows from it."""
        return [self.terms.say(sentence) for sentence in (*_outcome(self.before, self.after), self._observed)]

    @property
    def _observed(self) -> str:
        if self.observed is None:
            return self.unsent
        if self.agrees:
            return f"The what-if API answered {self.observed}, as predicted."
        return f"WARNING: the what-if API answered {self.observed}. Believe it, and not the prediction."

    def text(self) -> str:
        """What was changed, a row for each rule, then what follows."""
        changes = text_table(_CHANGES, self.changes(), (24, 50, 50)) if self.differences else "Nothing is changed."
        return "\n\n".join([changes, text_table(_VERDICTS, self.rows()), "\n".join(self.sentences())])

    def html(self) -> str:
        """The same."""
        changes = html_table(_CHANGES, self.changes()) if self.differences else html_paragraph("Nothing is changed.")
        return "".join([changes, html_table(_VERDICTS, self.rows()), *map(html_paragraph, self.sentences())])

    def in_terms(self, terms: Terms) -> WhatIf:
        """The same, told in a lab's terms."""
        return replace(self, terms=terms.plus(self.terms.words))

    def to_dict(self) -> dict[str, Any]:
        """The `changes`, both decisions, the `changed_rules` and the `observed_status`."""
        return {
            "changes": [{"what": what, "before": was, "after": now} for what, was, now in self.differences],
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "changed_rules": list(self.changed_rules),
            "observed_status": self.observed,
            "agrees": self.agrees,
            "observed": self._observed,
        }


_CHANGES = ("what", "before", "after")
_VERDICTS = ("rule", "before", "after", "")


def _outcome(before: Decision, after: Decision) -> list[str]:
    change = f"{before.status} becomes {after.status}" if before.status != after.status else f"It stays {after.status}"
    advice = [f"What to do: {after.failed.advice}"] if after.failed else []
    return [f"{change}: {because(after)}", *advice]


def because(decision: Decision) -> str:
    """Why a request is answered as it is: the rule that fails, what it expected and what it found."""
    rule = decision.failed
    if rule is None:
        return "no rule fails."
    return f"the rule {rule.name} fails. Expected: {rule.expected}. Found: {rule.actual}."


def what_if(target: Target, user: str | None, route_key: str, change: Change, *, send: bool = True) -> WhatIf:
    """Predict what a change would do, and try it out where that is possible.

    Args:
        target: the lab's place, with a finished lab in it.
        user: whose ID token it begins with; None for a table of defaults.
        route_key: the route of the lab whose authorizer and scopes it begins with.
        change: what is different.
        send: try it out; without it the decision is only predicted.

    Raises:
        UsageError: the lab has no such user, or the change makes no sense.
        LabError: there is no finished lab.
    """
    _require_sense(change)
    issuer, now = own_issuer(), time.time()
    lab = lab_endpoint(target, route_key)
    claims = default_claims(lab, issuer, now) if user is None else _claims_of(target, user, issuer, now)
    changed = changed_claims(claims, change)
    base, wanted = what_if_endpoint(target, lab, issuer, Change()), what_if_endpoint(target, lab, issuer, change)
    unsent = _unsent(target, wanted) if send else NOT_SENT
    if not unsent:
        wanted = served(target, wanted)
    request = wanted.request(_headers(_token(issuer, claims, changed, change, now)))
    after = wanted.predict(request, now)
    terms = EXACT.plus({**stable_words(after, request, decode(request.headers[0][1]), now), issuer.url: ISSUER_NAME})
    return WhatIf(
        claims=claims,
        endpoint=base,
        differences=tuple(_differences(claims, changed, base, wanted, change)),
        before=base.predict(base.request(_headers(issuer.token(claims))), now),
        after=after,
        observed=None if unsent else wanted.call(request.headers).status_code,
        unsent=unsent,
        terms=terms,
    )


def _require_sense(change: Change) -> None:
    try:
        json.dumps([change.claims, change.header])
    except (TypeError, ValueError) as error:
        raise UsageError(f"A token cannot hold that: {error}.", "Give text, numbers, lists and the like.") from error
    if change.key not in SIGNERS:
        raise UsageError(f"Nobody has the key {change.key!r}.", f"Name one of: {', '.join(SIGNERS)}.")
    if not math.isfinite(change.hours_later):
        raise UsageError("The clock cannot go there.", "Name a number of hours.")


def default_claims(lab: Endpoint, issuer: Issuer, now: float) -> dict[str, Any]:
    """The table of defaults, filled in for a route of the lab and an issuer."""
    known = {"$ISSUER": issuer.url, "$CLIENT": lab.authorizer.audience[0], "$SCOPE": " ".join(lab.route.scopes)}
    return dict(Means({}, known, now).filled(dict(DEFAULTS)))


def changed_claims(claims: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The claims with a change made. To send a token later is to send one now whose times all lie as much earlier."""
    merged = {name: value for name, value in {**claims, **change.claims}.items() if name not in change.without}
    return _moved(merged, -change.hours_later * 3600)


def _claims_of(target: Target, user: str, issuer: Issuer, now: float) -> dict[str, Any]:
    """The claims of a user's ID token, as if our issuer had issued them just now."""
    claims = decode(sign_in.tokens(target, user)["id"]).claims
    return {**_moved(claims, int(now) - claims["iat"]), "iss": issuer.url}


def _moved(claims: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The claims with every time in them moved by so many seconds."""
    times = {name: jws.numeric_date(claims.get(name)) for name in TIMES}
    return {**claims, **{name: int(time + seconds) for name, time in times.items() if time is not None}}


def what_if_endpoint(target: Target, lab: Endpoint, issuer: Issuer, change: Change) -> Endpoint:
    """The route of the what-if API that stands for a route of the lab: our issuer takes the place of the user pool."""
    trusted = issuer.url if change.issuer is None else change.issuer
    audience = lab.authorizer.audience if change.audience is None else change.audience
    scopes = lab.route.scopes if change.scopes is None else change.scopes
    keys = issuer.key_set if trusted == issuer.url else keys_for(target.place, trusted).keys
    return Endpoint(Authorizer(lab.authorizer.identity_source, trusted, audience), Route(ROUTE, scopes), keys)


def _unsent(target: Target, wanted: Endpoint) -> str:
    """Why a request cannot be sent; empty if it can."""
    if target.place.kind != "embedded":
        return PREDICTED_ONLY
    if not wanted.authorizer.audience:
        return NO_AUDIENCE
    return "" if jws.signing_keys(wanted.keys) else UNREACHABLE_ISSUER


def _token(issuer: Issuer, claims: Mapping[str, Any], changed: Mapping[str, Any], change: Change, now: float) -> str:
    gone = {name: GONE for name in claims if name not in changed}
    forgery = Forgery(header=change.header, claims={**changed, **gone}, by=change.key)
    return forge(forgery, issuer.token(claims), Means({"issuer": issuer.key, "stranger": stranger().key}, {}, now))


def _headers(token: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", token),)


def _differences(
    claims: Mapping[str, Any], changed: Mapping[str, Any], base: Endpoint, wanted: Endpoint, change: Change
) -> Iterator[tuple[str, str, str]]:
    """What, before, after."""
    for name, value in change.header.items():
        yield f"header {name}", "as the issuer writes it", quoted(value)
    for name in dict.fromkeys([*claims, *changed]):
        if name in change.without or name in change.claims:
            yield f"claim {name}", _before(claims, name), _value(changed, name)
    if change.hours_later:
        yield "clock", "now", about(change.hours_later * 3600)
    if change.key != "issuer":
        yield "signing key", "the issuer's", "a stranger's"
    for what, was, now in (
        ("authorizer's issuer", (base.authorizer.issuer,), (wanted.authorizer.issuer,)),
        ("authorizer's audience", base.authorizer.audience, wanted.authorizer.audience),
        ("route's scopes", base.route.scopes, wanted.route.scopes),
    ):
        if was != now:
            yield what, either(was), either(now) or "none"


def _before(claims: Mapping[str, Any], name: str) -> str:
    """A claim as it was: a time by its distance from the token's own beginning, which is the same in every run."""
    seconds = jws.numeric_date(claims.get(name))
    return about(seconds - claims["iat"]) if name in TIMES and seconds is not None else _value(claims, name)


def _value(claims: Mapping[str, Any], name: str) -> str:
    return quoted(claims[name]) if name in claims else "none"
