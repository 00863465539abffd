"""Who may call what: every kind of caller on every route, as predicted and as the endpoint answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.questions.endpoint import LabApi, Question
from labkit.questions.explanation import Explanation, explain_with
from labkit.questions.sign_in import SignIns
from labkit.target.names import ROUTES
from labkit.target.target import Target
from labkit.text.blocks import Block, Table
from labkit.text.shown import Shown

HEADINGS = ("caller", "route", "predicted", "observed", "agreement", "the same with curl")

# User and kind of token.
CALLERS = ((None, "id"), ("regularuser", "id"), ("adminuser", "id"), ("adminuser", "access"))


@dataclass(frozen=True, repr=False)
class Access(Shown):
    """An explanation for each caller on each route, callers first."""

    explanations: tuple[Explanation, ...]

    def blocks(self) -> Iterator[Block]:
        """A row for each caller on each route."""
        yield Table(HEADINGS, [_row(explanation) for explanation in self.explanations])

    def to_dict(self) -> dict[str, Any]:
        """The `calls`, each as an explanation."""
        return {"calls": [explanation.to_dict() for explanation in self.explanations]}


def _row(told: Explanation) -> tuple[str, ...]:
    curl = told.reply.curl if told.reply else ""
    return told.caller, told.request, f"{told.decision.status}", observed_status(told), agreement(told), curl


def observed_status(explanation: Explanation) -> str:
    """The status that the endpoint answered, as text."""
    return str(explanation.reply.status) if explanation.reply else "none"


def agreement(explanation: Explanation) -> str:
    """Whether prediction and observation agree, as a sign and a word."""
    return {True: "✓ as predicted", False: "✗ not as predicted", None: "· not sent"}[explanation.agrees]


def access(target: Target) -> Access:
    """Call every route as nobody, as each user, and with an access token.

    Raises:
        LabError: there is no lab, or a part of it is gone.
    """
    api, sign_ins = LabApi(target), SignIns(target)
    questions = (Question(route, user, kind) for user, kind in CALLERS for route in ROUTES)
    return Access(tuple(explain_with(target.place, api, sign_ins, question) for question in questions))
