"""What became of attempts to get past the authorizer: what the rules say, what the endpoint says, what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import Any

from labkit.attacks.rows import ATTEMPTS, Attempt, Base
from labkit.attacks.what_if import because
from labkit.errors import UsageError
from labkit.text.blocks import Block, Folded, Table, sentences
from labkit.text.shown import Shown
from labkit.tokens.decision import RULES, Decision

ALLOWED = 200
LET_IN = "let in"

BASES: dict[Base, str] = {
    "adminuser": "adminuser's ID token, at the lab's own API",
    "regularuser": "regularuser's ID token, at the lab's own API",
    "access token": "adminuser's access token, at the lab's own API",
    "refresh token": "adminuser's refresh token, at the lab's own API",
    "signed-out user": "the ID token of a sign-in that was revoked, at the lab's own API",
    "another issuer": "a good token of the what-if issuer, at the lab's own API",
    "what-if issuer": "a good token of the what-if issuer, at the what-if API",
}


@dataclass(frozen=True, repr=False)
class Attack(Shown):
    """An attempt, what the rules say of it, and what the endpoint answered.

    `observed` is None if the attempt was not sent, and `unsent` says why.
    """

    attempt: Attempt
    decision: Decision
    observed: int | None
    unsent: str = ""

    @property
    def agrees(self) -> bool:
        """Whether rules and endpoint do what the attempt's row expects."""
        predicted = (self.decision.status, self.decision.rule)
        return predicted == (self.attempt.status, self.attempt.rule) and self.observed in (None, self.attempt.status)

    def row(self) -> tuple[str, ...]:
        """The attempt's row in a report: name, what it tries, what was predicted, what was observed, the remark."""
        return self.attempt.name, self.attempt.tries, f"{self.decision.status}", self._observed, self.attempt.remark

    @property
    def _observed(self) -> str:
        observed = "not sent" if self.observed is None else f"{self.observed}"
        return observed if self.agrees else f"{observed} ✗ expected {self.attempt.status} {self.attempt.rule or ''}"

    def rows(self) -> list[tuple[str, str]]:
        """Everything about the attempt."""
        attempt, decision = self.attempt, self.decision
        rows = [
            ("tries", attempt.tries),
            ("begins with", BASES[attempt.base]),
            ("trick", attempt.mechanism),
            ("predicted", f"{decision.status}, {because(decision)}"),
            ("observed", self._observed if self.observed else self.unsent),
            ("source", attempt.source),
        ]
        return [*rows, ("remember", attempt.remark)] if attempt.remark else rows

    def blocks(self) -> Iterator[Block]:
        """A line for everything about the attempt."""
        yield sentences(self.attempt.name)
        yield Table((), self.rows(), (12, 100))

    def to_dict(self) -> dict[str, Any]:
        """The attempt's row, the decision, and what was observed."""
        names = ("name", "tries", "mechanism", "base", "status", "rule", "source", "remark")
        return {
            **{name: getattr(self.attempt, name) for name in names},
            "predicted": self.decision.to_dict(),
            "observed_status": self.observed,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, repr=False)
class AttackReport(Shown):
    """What became of many attempts, rule by rule."""

    attacks: tuple[Attack, ...]

    @property
    def surprises(self) -> tuple[Attack, ...]:
        """The attempts that did not end as their rows expect."""
        return tuple(attack for attack in self.attacks if not attack.agrees)

    @property
    def summary(self) -> str:
        """How many attempts were refused and let in, and whether that was expected."""
        let_in = sum(attack.decision.status == ALLOWED for attack in self.attacks)
        unsent = sum(attack.observed is None for attack in self.attacks)
        agreement = f"{len(self.surprises)} did not end as expected." if self.surprises else "Each ended as expected."
        predicted_only = f" {unsent} were only predicted." if unsent else ""
        refused = len(self.attacks) - let_in
        return f"{len(self.attacks)} attempts: {refused} refused, {let_in} let in. {agreement}{predicted_only}"

    def groups(self) -> list[tuple[str, list[Attack]]]:
        """The attempts by the rule that refuses them, in the order of the rules; those that are let in come last."""
        order = [rule.name for rule in RULES]
        attacks = sorted(self.attacks, key=lambda a: order.index(a.attempt.rule) if a.attempt.rule else len(order))
        groups = [(rule, list(group)) for rule, group in groupby(attacks, lambda attack: attack.attempt.rule)]
        return [(_title(rule, group), group) for rule, group in groups]

    def blocks(self) -> Iterator[Block]:
        """The summary, then for each rule a line for each attempt, folded away if there are several rules."""
        yield sentences(self.summary)
        groups = self.groups()
        for title, group in groups:
            yield Folded(title, (_table(group),), titled=True, opened=len(groups) == 1)

    def to_dict(self) -> dict[str, Any]:
        """The `attacks`, and how many were surprises."""
        return {"attacks": [attack.to_dict() for attack in self.attacks], "surprises": len(self.surprises)}


_HEADINGS = ("attempt", "what it tries", "predicted", "observed", "remember")
_WIDTHS = (28, 56, 9, 40, 48)


def _title(rule: str | None, group: Sequence[Attack]) -> str:
    surprises = sum(not attack.agrees for attack in group)
    title = f"Refused by the rule {rule}: {len(group)}" if rule else f"Let in: {len(group)}"
    return f"{title} ✗ {surprises} not as expected" if surprises else title


def _table(attacks: Sequence[Attack]) -> Table:
    """The attempts, without the last column where nothing is to be remembered."""
    columns = len(_HEADINGS) if any(attack.attempt.remark for attack in attacks) else len(_HEADINGS) - 1
    return Table(_HEADINGS[:columns], [attack.row()[:columns] for attack in attacks], _WIDTHS[:columns])


def attempt_named(name: str) -> Attempt:
    """The attempt of a name; UsageError if there is none."""
    for attempt in ATTEMPTS:
        if attempt.name == name:
            return attempt
    near = get_close_matches(str(name), [attempt.name for attempt in ATTEMPTS]) or ["lab.attack_bench() lists them all"]
    raise UsageError(f"There is no attempt named {name!r}.", f"Name another: {', '.join(near)}.")


def chosen(rules: Sequence[str]) -> tuple[Attempt, ...]:
    """The attempts that these rules refuse, or that are `let in`; all that there are if nothing is named.

    Raises:
        UsageError: there is no such rule.
    """
    known = [*(rule.name for rule in RULES), LET_IN]
    for name in rules:
        if name not in known:
            raise UsageError(f"There is no rule named {name!r}.", f"Name one of: {', '.join(known)}.")
    return tuple(attempt for attempt in ATTEMPTS if not rules or (attempt.rule or LET_IN) in rules)
