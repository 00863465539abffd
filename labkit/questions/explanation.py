"""Why a request is answered as it is: the authorizer's decision, rule by rule, beside what the endpoint answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.errors import LabError
from labkit.questions.calls import Reply, send
from labkit.questions.endpoint import LabApi, ProtectedEndpoint, Question, clock
from labkit.questions.sign_in import SignIns
from labkit.questions.words import decision_words, place_words, settings_words, token_words
from labkit.target.names import DEFAULT_STAGE
from labkit.target.target import Place, Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown
from labkit.text.terms import in_words, key_words
from labkit.text.wording import quoted
from labkit.tokens.decision import AuthorizerSettings, Decision, RuleResult
from labkit.tokens.token import Token, decode

HEADINGS = ("rule", "verdict", "expected", "actual")
WIDTHS = (18, 14, 46, 46)
SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "not reached": "· not reached"}
ABOUT_THE_ISSUER = ("key-id", "signature", "issuer")
ALLOWED = 200
SERVER_ERROR = 500


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """A request, the decision that the rules lead to, and what the endpoint really answered.

    `reply` is None if the request was not sent, and `unsent` says why. `remarks` are sentences: why the rule refused,
    what to do about it, and whatever else is to be known.
    """

    request: str
    caller: str
    stage: str
    decision: Decision
    reply: Reply | None
    unsent: str
    remarks: tuple[str, ...]
    patience: float = 0

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
        if self.reply is None:
            return None
        let_in = self.decision.status == ALLOWED and self.reply.status >= SERVER_ERROR
        return let_in or self.reply.status == self.decision.status

    @property
    def observed(self) -> str:
        """What the endpoint answered, and whether that was predicted."""
        if self.reply is None:
            return self.unsent
        answered = f"The endpoint answered {self.reply.status} {self.reply.body}".rstrip()
        if not self.agrees:
            return f"WARNING: {answered}, and {self.decision.status} was predicted. {self._doubt}"
        if self.reply.status != self.decision.status:
            return f"{answered}: the authorizer let the request in, and what is behind the route failed."
        return f"{answered}, as predicted."

    @property
    def _doubt(self) -> str:
        if self.stage != DEFAULT_STAGE:
            return f"The stage {self.stage} serves what was last deployed to it: labkit check tells if that is older."
        if self.patience:
            return "A change takes a while to be served: repeat this in a minute, then believe the endpoint."
        return "Believe the endpoint, and look at what it serves: labkit check"

    def blocks(self) -> Iterator[Block]:
        """The request and its outcome, a row for each rule, then what was answered and what to do."""
        yield sentences(self.title)
        rows = [(rule.name, SIGNS[rule.verdict], rule.expected, rule.actual) for rule in self.decision.rules]
        yield Table(HEADINGS, rows, WIDTHS)
        yield sentences(self.observed, *self.remarks)

    @property
    def title(self) -> str:
        """The request, who sends it, and the outcome."""
        return f"{self.request} as {self.caller}: {self.outcome}."

    def to_dict(self) -> dict[str, Any]:
        """The decision's `status`, `rule` and `rules`, and beside them what was observed."""
        return {
            "request": self.request,
            "caller": self.caller,
            **self.decision.to_dict(),
            "observed_status": self.reply.status if self.reply else None,
            "observed_body": self.reply.body if self.reply else None,
            "agrees": self.agrees,
            "observed": self.observed,
            "remarks": list(self.remarks),
            "curl": self.reply.curl if self.reply else None,
        }


def explain(target: Target, question: Question, *, observe: bool = True) -> Explanation:
    """Explain how the lab's API answers a question, by the settings that its route has now.

    Args:
        target: the lab's place.
        question: who calls which route.
        observe: send the request as well.

    Raises:
        LabError: whoever asks cannot sign in, the API or the route is gone, or the route has no JWT authorizer.
    """
    return explain_with(target.place, LabApi(target), SignIns(target), question, observe=observe)


def explain_with(
    place: Place, api: LabApi, sign_ins: SignIns, question: Question, *, observe: bool = True
) -> Explanation:
    """Explain one of several questions, which share what was read of the API and the users' sign-ins."""
    endpoint, headers = api.protected(question), question.headers(sign_ins)
    reply, unsent = _observed(endpoint, question, sign_ins) if observe else (None, "The request was not sent.")
    request, now = endpoint.request(headers), clock(reply.headers if reply else {})
    decision, token = endpoint.predict(request, now), decode(dict(headers).get("Authorization", ""))
    return Explanation(
        request=question.request,
        caller=question.caller,
        stage=question.stage,
        decision=decision,
        reply=reply,
        unsent=unsent,
        remarks=tuple(_remarks(decision, token, endpoint)),
        patience=place.patience,
        terms=in_words(
            decision_words(decision, request, token, now),
            token_words(token) or settings_words(endpoint.authorizer),
            key_words(endpoint.published.keys),
            place_words(place),
        ),
    )


def _observed(endpoint: ProtectedEndpoint, question: Question, sign_ins: SignIns) -> tuple[Reply | None, str]:
    """The endpoint's reply, or why there is none."""
    try:
        return send(endpoint, question, sign_ins), ""
    except LabError as error:
        return None, f"There is no answer to compare: {error.problem}"


def _remarks(decision: Decision, token: Token, endpoint: ProtectedEndpoint) -> Iterator[str]:
    if decision.failed:
        yield f"What to do: {decision.failed.remedy}"
        yield from _foreign_issuer(decision.failed, token, endpoint.authorizer)
    if not endpoint.published.reached or decision.rule in ABOUT_THE_ISSUER:
        yield endpoint.published.sentence


def _foreign_issuer(failed: RuleResult, token: Token, authorizer: AuthorizerSettings) -> Iterator[str]:
    """A key is looked up before the issuer is compared, so a foreign token fails at its key."""
    issuer = token.claims.get("iss")
    if failed.name == "key-id" and issuer not in (None, authorizer.issuer):
        yield f"Its iss is {quoted(issuer)} and the authorizer's issuer is another: hence the unknown key."
