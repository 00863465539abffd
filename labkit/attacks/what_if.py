"""What if? A token, the clock, the signing key, the authorizer or the route are changed: which rule decides otherwise?

The changed token is signed by an issuer of our own, since nobody has the user pool's private key, and sent to an API of
our own, which trusts it. In an AWS account there is no such API, and the decision is only predicted.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from labkit.attacks.forgery import GONE, Forgery, In, Means, forge
from labkit.attacks.issuer import Issuer, own_issuer, stranger
from labkit.attacks.what_if_api import served
from labkit.errors import LabError, UsageError
from labkit.questions.arguments import a_text, an_object, texts
from labkit.questions.endpoint import LabApi, ProtectedEndpoint, Question
from labkit.questions.explanation import SIGNS
from labkit.questions.published_keys import PublishedKeys, keys_for
from labkit.questions.sign_in import SignIns
from labkit.questions.words import decision_words, settings_words
from labkit.target.target import Place, Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown
from labkit.text.terms import about, in_words, key_words
from labkit.text.wording import counted, either, quoted
from labkit.tokens.decision import AuthorizerSettings, Decision, RuleResult
from labkit.tokens.jws import numeric_date
from labkit.tokens.token import decode

ROUTE = "GET /WhatIf"
ISSUER_NAME = "$WHAT_IF_ISSUER"
NOT_SENT = "It was not sent."
PREDICTED_ONLY = "Predicted only: the what-if API exists in the embedded cloud, not in an AWS account."
NO_AUDIENCE = "Predicted only: an authorizer cannot be made without an audience."
UNREACHABLE_ISSUER = "Predicted only: an authorizer cannot be made for an issuer whose discovery document is not there."

# How a rule that fails neither before nor after compares.
AS_BEFORE, NOT_REACHED, REACHED = COMPARED = ("as before", "no longer reached", "reached now, and passed")

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

    @classmethod
    def of(
        cls,
        *,
        claims: object,
        without: object,
        header: object,
        key: object,
        hours_later: object,
        issuer: object,
        audience: object,
        scopes: object,
    ) -> Change:
        """A change as a person describes it: None where nothing changes, one text where there may be several.

        Raises:
            UsageError: it makes no sense.
        """
        if key not in SIGNERS:
            raise UsageError(f"Nobody has the key {key!r}.", f"Name one of: {', '.join(SIGNERS)}.")
        if not isinstance(hours_later, int | float) or not math.isfinite(hours_later):
            raise UsageError(f"The clock cannot go {hours_later!r} hours further.", "Give a number: 2, or -0.5.")
        return cls(
            claims=an_object({} if claims is None else claims, "What changes in the claims"),
            without=texts(without, "What is taken out of the claims"),
            header=an_object({} if header is None else header, "What changes in the header"),
            key=key,
            hours_later=hours_later,
            issuer=None if issuer is None else a_text(issuer, "An issuer"),
            audience=None if audience is None else texts(audience, "An audience"),
            scopes=None if scopes is None else texts(scopes, "What a route asks for"),
        )


@dataclass(frozen=True, repr=False)
class WhatIf(Shown):
    """What was changed, the decisions before and after, and what the what-if API answered to the changed request.

    `user`, `route`, `claims` and `endpoint` are what it begins with. `differences` are what, before, after. `observed`
    is None if nothing was sent, and `unsent` says why. `ask` asks the same lab anew, as `lab.what_if` does.
    """

    user: str | None
    route: str
    change: Change
    claims: Mapping[str, Any]
    endpoint: ProtectedEndpoint
    differences: tuple[tuple[str, str, str], ...]
    before: Decision
    after: Decision
    observed: int | None
    unsent: str
    ask: Callable[..., WhatIf] = field(compare=False)

    @property
    def agrees(self) -> bool | None:
        """Whether the what-if API answered as predicted; None if it was not asked."""
        return None if self.observed is None else self.observed == self.after.status

    @property
    def changed_rules(self) -> tuple[str, ...]:
        """The rules whose verdict changes: those that fail now and did not, and those that failed and do not now."""
        pairs = zip(self.before.rules, self.after.rules, strict=True)
        return tuple(was.name for was, now in pairs if (was.verdict == "failed") != (now.verdict == "failed"))

    def blocks(self) -> Iterator[Block]:
        """What was changed, the rules that decide otherwise and how many do not, then the answer."""
        yield sentences("" if self.differences else "Nothing is changed.")
        yield Table(("what", "before", "after"), self.differences, (24, 50, 50))
        changed, pairs = self.changed_rules, list(zip(self.before.rules, self.after.rules, strict=True))
        rows = [(was.name, SIGNS[was.verdict], SIGNS[now.verdict]) for was, now in pairs if was.name in changed]
        yield Table(("rule", "before", "after"), rows)
        others = Counter(_compared(was, now) for was, now in pairs if was.name not in changed)
        counts = "; ".join(f"{counted(others[how], 'other rule')}: {how}" for how in COMPARED if others[how])
        yield sentences(f"{counts}.")
        yield self.answer()

    def answer(self) -> Block:
        """What becomes of the answer, why, and whether the what-if API agrees."""
        return sentences(*_outcome(self.before, self.after), self._observed)

    @property
    def _observed(self) -> str:
        if self.observed is None:
            return self.unsent
        if self.agrees:
            return f"The what-if API answered {self.observed}, as predicted."
        return f"WARNING: the what-if API answered {self.observed}. Believe it, and not the prediction."

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


def _compared(was: RuleResult, now: RuleResult) -> str:
    if was.verdict == now.verdict:
        return AS_BEFORE
    return NOT_REACHED if now.verdict == "not reached" else REACHED


def _outcome(before: Decision, after: Decision) -> list[str]:
    change = f"{before.status} becomes {after.status}" if before.status != after.status else f"It stays {after.status}"
    remedy = [f"What to do: {after.failed.remedy}"] if after.failed else []
    return [f"{change}: {because(after)}", *remedy]


def because(decision: Decision) -> str:
    """Why a request is answered as it is: the rule that fails, what it expected and what it found."""
    rule = decision.failed
    if rule is None:
        return "no rule fails."
    return f"the rule {rule.name} fails. Expected: {rule.expected}. Found: {rule.actual}."


def what_if(
    target: Target, user: str | None, route: str, change: Change, *, ask: Callable[..., WhatIf], send: bool = True
) -> WhatIf:
    """Predict what a change would do, and try it out where that is possible.

    Args:
        target: the lab's place, with a finished lab in it.
        user: whose ID token it begins with; None for a table of defaults.
        route: the route of the lab whose authorizer and scopes it begins with.
        change: what is different.
        ask: asks the same lab anew.
        send: try it out; without it the decision is only predicted.

    Raises:
        LabError: there is no finished lab.
        UsageError: the token does not have a claim that is to be taken out.
    """
    issuer, now = own_issuer(), time.time()
    lab = reached(LabApi(target).protected(Question(route)))
    claims = default_claims(lab, issuer, now) if user is None else _claims_of(target, user, issuer, now)
    _require_claims(claims, change.without)
    changed, token = changed_claims(claims, change), issuer.token(claims)
    base, wanted = (what_if_endpoint(target.place, lab, issuer, one) for one in (Change(), change))
    unsent = _unsent(target, wanted) if send else NOT_SENT
    if not unsent:
        wanted = served(target, wanted)
    headers = (("Authorization", _changed_token(issuer, token, claims, changed, change, now)),)
    request = wanted.request(headers)
    after = wanted.predict(request, now)
    return WhatIf(
        user=user,
        route=route,
        change=change,
        claims=claims,
        endpoint=base,
        differences=tuple(_differences(claims, changed, base, wanted, change)),
        before=base.predict(base.request((("Authorization", token),)), now),
        after=after,
        observed=None if unsent else wanted.send(headers).status_code,
        unsent=unsent,
        ask=ask,
        terms=in_words(
            {issuer.url: ISSUER_NAME},
            decision_words(after, request, decode(headers[0][1]), now),
            settings_words(lab.authorizer),
            key_words(lab.published.keys),
        ),
    )


def reached(lab: ProtectedEndpoint) -> ProtectedEndpoint:
    """Return a route of the lab whose issuer's keys are at hand. LabError if they are not."""
    if not lab.published.reached:
        raise LabError(lab.published.sentence, "See what is wrong: labkit check")
    return lab


def default_claims(lab: ProtectedEndpoint, issuer: Issuer, now: float) -> dict[str, Any]:
    """The table of defaults, filled in for a route of the lab and an issuer."""
    known = {"$ISSUER": issuer.url, "$CLIENT": lab.authorizer.audience[0], "$SCOPE": " ".join(lab.scopes)}
    return dict(Means({}, known, now).filled(dict(DEFAULTS)))


def _require_claims(claims: Mapping[str, Any], without: tuple[str, ...]) -> None:
    """Refuse to take out a claim that is not there: nothing would change, and a wrong name looks like an answer."""
    for name in without:
        if name not in claims:
            nearest = get_close_matches(name, claims, 1)
            said = f"Did you mean {nearest[0]}? It has" if nearest else "It has"
            raise UsageError(f"The token has no claim {name!r} to take out.", f"{said}: {', '.join(claims)}.")


def changed_claims(claims: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The claims with a change made. To send a token later is to send one now whose times all lie as much earlier."""
    merged = {name: value for name, value in {**claims, **change.claims}.items() if name not in change.without}
    return _moved(merged, -change.hours_later * 3600)


def _claims_of(target: Target, user: str, issuer: Issuer, now: float) -> dict[str, Any]:
    """The claims of a user's ID token, as if our issuer had issued them just now."""
    claims = decode(SignIns(target).tokens(user)["id"]).claims
    return {**_moved(claims, int(now) - claims["iat"]), "iss": issuer.url}


def _moved(claims: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The claims with every time in them moved by so many seconds."""
    times = {name: numeric_date(claims.get(name)) for name in TIMES}
    return {**claims, **{name: int(time + seconds) for name, time in times.items() if time is not None}}


def what_if_endpoint(place: Place, lab: ProtectedEndpoint, issuer: Issuer, change: Change) -> ProtectedEndpoint:
    """The route of the what-if API that stands for a route of the lab: our issuer takes the place of the user pool."""
    trusted = issuer.url if change.issuer is None else change.issuer
    audience = lab.authorizer.audience if change.audience is None else change.audience
    scopes = lab.scopes if change.scopes is None else change.scopes
    ours = PublishedKeys(tuple(issuer.key_set["keys"]), "")
    published = ours if trusted == issuer.url else keys_for(place, trusted)
    authorizer = AuthorizerSettings(lab.authorizer.identity_source, trusted, audience)
    return ProtectedEndpoint(ROUTE, "", authorizer, scopes, published)


def _unsent(target: Target, wanted: ProtectedEndpoint) -> str:
    """Why a request cannot be sent; empty if it can."""
    if target.place.kind != "embedded":
        return PREDICTED_ONLY
    if not wanted.authorizer.audience:
        return NO_AUDIENCE
    return "" if wanted.published.keys else UNREACHABLE_ISSUER


def _changed_token(
    issuer: Issuer, token: str, claims: Mapping[str, Any], changed: Mapping[str, Any], change: Change, now: float
) -> str:
    gone = {name: GONE for name in claims if name not in changed}
    forgery = Forgery(header=change.header, claims={**changed, **gone}, by=change.key)
    return forge(forgery, token, Means({"issuer": issuer.key, "stranger": stranger().key}, {}, now))


def _differences(
    claims: Mapping[str, Any],
    changed: Mapping[str, Any],
    base: ProtectedEndpoint,
    wanted: ProtectedEndpoint,
    change: Change,
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
        ("route's scopes", base.scopes, wanted.scopes),
    ):
        if was != now:
            yield what, either(was), either(now) or "none"


def _before(claims: Mapping[str, Any], name: str) -> str:
    """A claim as it was: a time by its distance from the token's own beginning, which is the same in every run."""
    seconds = numeric_date(claims.get(name))
    return about(seconds - claims["iat"]) if name in TIMES and seconds is not None else _value(claims, name)


def _value(claims: Mapping[str, Any], name: str) -> str:
    return quoted(claims[name]) if name in claims else "none"
