"""Who of a class is at which step, and who is stuck on what: every lab's settings, without its calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from labkit.aws import aws_errors_in_words
from labkit.errors import LabError
from labkit.fleet.accounts import Opened
from labkit.fleet.roster import BadRow, OfAClass, Seat, bad_rows
from labkit.runtimes import RUNTIMES
from labkit.steps import STEPS
from labkit.steps.functions import find_function
from labkit.steps.report import Finding
from labkit.target.names import PRE_TOKEN
from labkit.target.target import Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.wording import counted


@dataclass(frozen=True)
class Standing:
    """Where one attendee stands: the steps that exist, what is wrong with them, or why that cannot be told.

    `halfway` names what is missing of a step that was begun, `obstacle` is why the lab could not be looked at.
    """

    seat: Seat
    built: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    halfway: str = ""
    obstacle: LabError | None = None

    @property
    def done(self) -> bool:
        """Whether everything is built and nothing is wrong."""
        return len(self.built) == len(STEPS) and not self.stuck

    @property
    def steps(self) -> str:
        """The steps that exist, in words."""
        if self.obstacle:
            return "unknown"
        return "everything" if len(self.built) == len(STEPS) else ", ".join(self.built) or "nothing"

    @property
    def stuck(self) -> str:
        """What is wrong, in a few words; empty if nothing is."""
        if self.obstacle:
            return self.obstacle.problem
        more = f" and {len(self.findings) - 1} more" if len(self.findings) > 1 else ""
        return f"{self.findings[0].step}: {self.findings[0].subject}{more}" if self.findings else self.halfway

    @property
    def remedy(self) -> str:
        """What to do about it; empty if nothing is wrong."""
        if self.obstacle or not self.stuck:
            return self.obstacle.remedy if self.obstacle else ""
        step = self.halfway.partition(":")[0]
        return self.findings[0].remedy if self.findings else f"labkit up --through {step}"

    def to_dict(self) -> dict[str, Any]:
        """The attendee, the account, the steps and what is wrong."""
        return {
            **self.seat.where,
            "built": list(self.built),
            "stuck": self.stuck or None,
            "fix": self.remedy or None,
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, repr=False)
class ClassStatus(OfAClass):
    """Where every attendee stands."""

    standings: tuple[Standing, ...]
    bad: tuple[BadRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every lab could be looked at."""
        return not self.bad and not any(standing.obstacle for standing in self.standings)

    @property
    def summary(self) -> str:
        """One sentence: how many are done, and how many need help."""
        done, stuck = sum(s.done for s in self.standings), sum(bool(s.stuck) for s in self.standings)
        return f"{done} of {counted(len(self.standings), 'attendee')} finished, {stuck} stuck."

    def blocks(self) -> list[Block]:
        """The summary, a row for each attendee, and the rows of the roster that cannot be used."""
        rows = [(s.seat.attendee, s.seat.account, s.seat.lab, s.steps, s.stuck, s.remedy) for s in self.standings]
        header = ("attendee", "account", "lab", "has built", "stuck on", "what to do")
        return [sentences(self.summary), Table(header, rows), bad_rows(self.bad)]

    def to_dict(self) -> dict[str, Any]:
        """The `attendees`, and the `rows` of the roster that cannot be used."""
        return {"attendees": [s.to_dict() for s in self.standings], "rows": [row.to_dict() for row in self.bad]}


def standings(opened: Opened) -> list[Standing]:
    """Where the attendees of one account and region stand. Reads only."""
    return [_standing(opened, seat) for seat in opened.seats]


def _standing(opened: Opened, seat: Seat) -> Standing:
    try:
        target = opened.target(seat)
        with aws_errors_in_words(seat.profile):
            return _look(_in_its_runtime(target), seat)
    except LabError as error:
        return Standing(seat, obstacle=error)


def _look(target: Target, seat: Seat) -> Standing:
    states = [step.find(target) for step in STEPS]
    built = tuple(state.step for state in states if state.found)
    findings = tuple(finding for step in STEPS if step.name in built for finding in step.check(target).findings)
    begun = [state for state in states if state.begun and not state.found]
    halfway = f"{begun[0].step}: no {begun[0].missing[0].kind} {begun[0].missing[0].name}" if begun else ""
    return Standing(seat, built, findings, halfway)


def _in_its_runtime(target: Target) -> Target:
    """The target, with the runtime that the attendee chose: either is right."""
    found = find_function(target, PRE_TOKEN)
    runtime = found["Configuration"].get("Runtime") if found else None
    return replace(target, settings=replace(target.settings, runtime=runtime)) if runtime in RUNTIMES else target
