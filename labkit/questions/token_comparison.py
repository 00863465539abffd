"""Two tokens side by side: where they differ, what made them differ, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.questions.trigger_run import V1_CHANGES, Cause, find_cause, groups_of, user_of
from labkit.questions.words import token_words
from labkit.target.target import Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown
from labkit.text.terms import Terms, in_words
from labkit.text.wording import quoted
from labkit.tokens.token import Difference, Token, compare, decode

WIDTHS = (18, 48, 48)

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

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every difference, those that decide what a token opens first."""
        return compare(self.left, self.right)

    def blocks(self) -> Iterator[Block]:
        """A row for each difference that means something, then what made it and what follows."""
        rows = [_row(difference) for difference in self._telling]
        runs = dict.fromkeys(cause.run for cause in self.causes)
        yield Table(self._headings(), rows, WIDTHS)
        yield sentences(
            LEFT_OUT if rows else "", *(run.sentence for run in runs if run), *lessons(self.left, self.right)
        )

    @property
    def _telling(self) -> list[Difference]:
        if self.left.problem or self.right.problem:
            return []
        return [difference for difference in self.differences if difference.name not in ALWAYS_NEW]

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


def _row(difference: Difference) -> tuple[str, str, str]:
    name = difference.name if difference.part == "claims" else f"{difference.name} (header)"
    return name, difference.left or "none", difference.right or "none"


def compare_tokens(target: Target, left: str, right: str) -> Comparison:
    """Compare two tokens, with what the trigger's log says of those that it changed.

    Args:
        target: the place of the lab whose trigger it is.
        left: a token.
        right: another.
    """
    both = decode(left), decode(right)
    causes = tuple(find_cause(target, token) for token in both if token.kind == "id")
    return Comparison(*both, causes, terms=_terms(*both))


def _terms(left: Token, right: Token) -> Terms:
    """The words for the ids in both. What would be called the same on both sides is `another` on the right."""
    words = token_words(left) | token_words(right)
    for token, word in ((right, "<another key>"), (left, "<one key>")):
        words |= {quoted(token.header["kid"]): word} if "kid" in token.header else {}
    terms = in_words(words)
    pairs = [(d.left, d.right) for d in compare(left, right) if d.left and d.right]
    return in_words({b: "another" for a, b in pairs if terms.say(a) == terms.say(b)}, words)


def label(token: Token) -> str:
    """Whose token it is, and of which kind."""
    user = user_of(token)
    return f"{user}'s {KIND_NAMES[token.kind]}" if user else KIND_NAMES[token.kind]


def lessons(left: Token, right: Token) -> Iterator[str]:
    """What follows from the difference of two tokens, a sentence each."""
    problems = [token.problem for token in (left, right) if token.problem]
    if problems:
        yield f"One of the two is no token: {problems[0]}"
    elif not (left.signed and right.signed):
        yield "An encrypted token is among them: only its issuer can read what it says, and it opens no API."
    elif left.claims.get("iss") != right.claims.get("iss"):
        yield "They come from different issuers, and an authorizer trusts one."
    elif {left.kind, right.kind} == {"id", "access"}:
        yield f"{V1_CHANGES} The access token keeps the scope that Cognito wrote, and client_id stands for aud."
    elif left.kind == right.kind == "access" and user_of(left) != user_of(right):
        yield f"{V1_CHANGES} An access token has the scope that Cognito wrote, whoever signed in."
    elif user_of(left) != user_of(right):
        yield "The groups decide: the trigger makes a scope of each, and a route asks for one of the scopes."
    elif groups_of(left) != groups_of(right):
        yield (
            "The groups changed between the two sign-ins. The older token still says what was true then, and works "
            "until it expires: the authorizer looks at signature and clock, and asks the user pool nothing."
        )
    else:
        yield "They say the same about the same user: either opens what the other opens, as long as it is valid."
