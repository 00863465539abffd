"""Who may call what: every kind of caller on every route, as predicted and as the endpoint answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from labkit.questions.calls import Caller, anonymous, signed_in
from labkit.questions.explanation import Explanation, explain
from labkit.target.names import ROUTES
from labkit.target.target import Target
from labkit.text.shown import Shown, html_table, text_table
from labkit.text.terms import Terms

HEADINGS = ("caller", "route", "predicted", "observed", "", "the same with curl")


@dataclass(frozen=True, repr=False)
class Access(Shown):
    """An explanation for each caller on each route, callers first."""

    explanations: tuple[Explanation, ...]

    def text(self) -> str:
        """A row for each caller on each route."""
        return text_table(HEADINGS, self.rows())

    def html(self) -> str:
        """The same."""
        return html_table(HEADINGS, self.rows())

    def to_dict(self) -> dict[str, Any]:
        """The `calls`, each as an explanation."""
        return {"calls": [explanation.to_dict() for explanation in self.explanations]}

    def rows(self) -> list[tuple[str, ...]]:
        """A row for each call: caller, route, predicted status, observed status, whether they agree, curl line."""
        return [
            (
                e.caller,
                e.request,
                f"{e.decision.status}",
                observed_status(e),
                agreement(e),
                e.answer.curl if e.answer else "",
            )
            for e in self.explanations
        ]

    def in_terms(self, terms: Terms) -> Access:
        """The same, told in a lab's terms."""
        return replace(self, explanations=tuple(e.in_terms(terms) for e in self.explanations))


def observed_status(explanation: Explanation) -> str:
    """The status that the endpoint answered, as text."""
    return str(explanation.answer.status) if explanation.answer else "none"


def agreement(explanation: Explanation) -> str:
    """Whether prediction and observation agree, as a sign and a word."""
    return {True: "✓ as predicted", False: "✗ not as predicted", None: "· not sent"}[explanation.agrees]


def access(target: Target) -> Access:
    """Call every route as nobody, as each user, and with an access token.

    Raises:
        LabError: there is no lab, or a part of it is gone.
    """
    return Access(tuple(explain(target, route, caller) for caller in _callers(target) for route in ROUTES))


def _callers(target: Target) -> tuple[Caller, ...]:
    return (
        anonymous(),
        signed_in(target, "regularuser"),
        signed_in(target, "adminuser"),
        signed_in(target, "adminuser", "access"),
    )
