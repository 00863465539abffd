"""What a check found: every assertion about a lab, with its reason and its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from labkit.text.blocks import Block, Folded, Table, sentences
from labkit.text.shown import Shown
from labkit.text.wording import counted

CALLS = "calls"


@dataclass(frozen=True)
class Expected:
    """What a step expects of one setting, what it is, and why that matters.

    Building the step mends it, unless it is beside the lab's own and has a `remedy` of its own.
    """

    subject: str
    expected: object
    actual: object
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """One assertion about a lab: what should be, what is, why it matters, what to do."""

    step: str
    subject: str
    expected: str
    actual: str
    why: str
    remedy: str
    unknown: bool = False
    """Whether it could not be told from this machine, so that `actual` says why."""

    @property
    def passed(self) -> bool:
        """Whether what is, is what should be."""
        return self.expected == self.actual

    def to_dict(self) -> dict[str, str]:
        """The finding as JSON."""
        return {
            "step": self.step,
            "subject": self.subject,
            "expected": self.expected,
            "actual": self.actual,
            "why": self.why,
            "fix": self.remedy,
        }


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """Every assertion that was looked at. Those that failed come first, each with its reason and its remedy."""

    assertions: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The assertions that failed, in the order of the steps: an earlier one often causes the later ones."""
        return tuple(assertion for assertion in self.assertions if not (assertion.passed or assertion.unknown))

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """The assertions that could not be told from this machine."""
        return tuple(assertion for assertion in self.assertions if assertion.unknown)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.findings

    def __add__(self, other: Report) -> Report:
        return Report(self.assertions + other.assertions)

    def blocks(self) -> Iterator[Block]:
        """The failures with their remedies, what is unknown, then what passed."""
        yield sentences(self._summary())
        yield from starmap(_failed, self._alike())
        yield Table(("NOT KNOWN HERE", "why"), [(f"{f.step}: {f.subject}", f.actual) for f in self.unknown])
        yield sentences(*dict.fromkeys(f.remedy for f in self.unknown))
        yield Folded("What passed", (Table(("passed", "what"), self._passed()),))

    def _alike(self) -> Iterable[tuple[Finding, ...]]:
        """What failed; calls that are answered alike, with one remedy for all, together."""
        groups: dict[Hashable, tuple[Finding, ...]] = {}
        for f in self.findings:
            alike = (f.actual, f.remedy) if f.step == CALLS else f
            groups[alike] = (*groups.get(alike, ()), f)
        return groups.values()

    def _summary(self) -> str:
        every, failed, unknown = len(self.assertions), len(self.findings), len(self.unknown)
        rest = f", {unknown} could not be made" if unknown else ""
        if self.passed:
            return f"{every - unknown} of {every} checks passed{rest}." if rest else f"All {every} checks passed."
        return f"{failed} of {every} checks failed{rest}."

    def _passed(self) -> list[tuple[str, str]]:
        """What passed: every assertion of one step, or of several steps how many each."""
        passed = [assertion for assertion in self.assertions if assertion.passed]
        if len({assertion.step for assertion in self.assertions}) == 1:
            return [(assertion.step, assertion.subject) for assertion in passed]
        counts = Counter(assertion.step for assertion in passed)
        return [(step, f"{count} checks") for step, count in counts.items()]

    def to_dict(self) -> dict[str, Any]:
        """`passed`, the failed `findings`, how many assertions were `checked`, and what is `unknown`."""
        return {
            "passed": self.passed,
            "checked": len(self.assertions),
            "findings": [finding.to_dict() for finding in self.findings],
            "unknown": [finding.to_dict() for finding in self.unknown],
        }


def _failed(finding: Finding, *alike: Finding) -> Table:
    rows = [
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("why", finding.why),
        ("what to do", finding.remedy),
        *([("likewise", counted(len(alike), "more call"))] if alike else ()),
    ]
    return Table(("FAILED", f"{finding.step}: {finding.subject}"), rows)


def report_on(step: str, rows: Iterable[Expected]) -> Report:
    """The report on what a step expects. What it advises builds no further: a chapter may have come only so far."""
    mend = f"labkit up --through {step}"
    return Report(
        tuple(Finding(step, r.subject, str(r.expected), str(r.actual), r.why, r.remedy or mend) for r in rows)
    )
