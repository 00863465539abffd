"""Two tokens side by side: where they differ, what made them differ, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.questions.trigger_run import V1_CHANGES, Cause, groups_of, user_of
from labkit.text.shown import Shown, html_paragraph, html_table, text_table
from labkit.text.terms import EXACT, Terms
from labkit.tokens import token as tokens
from labkit.tokens.token import Difference, Token

WIDTHS = (18, 44, 44)

# What is new in every token says nothing about the difference between two.
ALWAYS_NEW = frozenset({"jti", "iat", "exp", "auth_time", "origin_jti", "event_id"})
LEFT_OUT = "Left out is what is new in every token: its own id, its times, the id of its sign-in."

KIND_NAMES = {"id": "ID token", "access": "access token", "refresh": "refresh token", "unknown": "token"}


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two tokens, and for each what its trigger's log says, where it was found."""

    left: Token
    right: Token
    causes: tuple[Cause, ...] = ()
    terms: Terms = EXACT

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every difference, those that decide what a token opens first."""
        return tokens.compare(self.left, self.right)

    def text(self) -> str:
        """A row for each difference that means something, then what made it and what follows."""
        table = [text_table(self._headings(), self._rows(), WIDTHS)] if self._rows() else []
        return "\n\n".join([*table, "\n".join(self._sentences())])

    def html(self) -> str:
        """The same."""
        table = [html_table(self._headings(), self._rows())] if self._rows() else []
        return "".join([*table, *map(html_paragraph, self._sentences())])

    def to_dict(self) -> dict[str, Any]:
        """Every one of the `differences`, the `causes` that were found, and the `lessons`."""
        return {
            "differences": [difference.to_dict() for difference in self.differences],
            "causes": [cause.to_dict() for cause in self.causes],
            "lessons": list(lessons(self.left, self.right)),
        }

    def _headings(self) -> tuple[str, str, str]:
        names = label(self.left), label(self.right)
        return ("what differs", *names) if names[0] != names[1] else ("what differs", f"first: {names[0]}", "second")

    def _rows(self) -> list[tuple[str, str, str]]:
        if self.left.problem or self.right.problem:
            return []
        return [self._row(difference) for difference in self.differences if difference.name not in ALWAYS_NEW]

    def _row(self, difference: Difference) -> tuple[str, str, str]:
        left, right = (self.terms.say(value or "none") for value in (difference.left, difference.right))
        name = difference.name if difference.part == "claims" else f"{difference.name} (header)"
        return name, left, right if right != left else "another"

    def _sentences(self) -> list[str]:
        left_out = [LEFT_OUT] if self._rows() else []
        runs = dict.fromkeys(cause.run for cause in self.causes)
        said = [self.terms.say(run.sentence) for run in runs if run]
        return [*left_out, *said, *lessons(self.left, self.right)]


def label(token: Token) -> str:
    """Whose token it is, and of which kind."""
    user = user_of(token)
    return f"{user}'s {KIND_NAMES[token.kind]}" if user else KIND_NAMES[token.kind]


def lessons(left: Token, right: Token) -> Iterator[str]:
    """What follows from the difference of two tokens, a sentence each."""
    problems = [token.problem for token in (left, right) if token.problem]
    if problems:
        yield f"One of the two is no token: {problems[0]}"
    elif left.claims.get("iss") != right.claims.get("iss"):
        yield "They come from different issuers, and an authorizer trusts one."
    elif {left.kind, right.kind} == {"id", "access"}:
        yield f"{V1_CHANGES} The access token keeps the scope that Cognito wrote, and client_id stands for aud."
    elif user_of(left) != user_of(right):
        yield "The groups decide: the trigger makes a scope of each, and a route asks for one of the scopes."
    elif groups_of(left) != groups_of(right):
        yield (
            "The groups changed between the two sign-ins. The older token still says what was true then, and works "
            "until it expires: the authorizer looks at signature and clock, and asks the user pool nothing."
        )
    else:
        yield "They say the same about the same user: either opens what the other opens."
