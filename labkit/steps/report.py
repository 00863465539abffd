"""What a check found: every assertion about a lab, with its reason and its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from labkit.text.blocks import Block, Folded, Table, sentences
from labkit.text.shown import Shown


@dataclass(frozen=True)
class Expected:
    """What a step expects of one setting, what it is, and why that matters."""

    subject: str
    expected: object
    actual: object
    why: str


@dataclass(frozen=True)
class Finding:
    """One assertion about a lab: what should be, what is, why it matters, what to do."""

    step: str
    subject: str
    expected: str
    actual: str
    why: str
    remedy: str

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
        return tuple(assertion for assertion in self.assertions if not assertion.passed)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.findings

    def __add__(self, other: Report) -> Report:
        return Report(self.assertions + other.assertions)

    def blocks(self) -> Iterator[Block]:
        """The failures with their remedies, then what passed."""
        yield sentences(self._summary())
        yield from map(_failed, self.findings)
        yield Folded("What passed", (Table(("passed", "what"), self._passed()),))

    def _summary(self) -> str:
        if self.passed:
            return f"All {len(self.assertions)} checks passed."
        return f"{len(self.findings)} of {len(self.assertions)} checks failed."

    def _passed(self) -> list[tuple[str, str]]:
        """What passed: every assertion of one step, or of several steps how many each."""
        passed = [assertion for assertion in self.assertions if assertion.passed]
        if len({assertion.step for assertion in self.assertions}) == 1:
            return [(assertion.step, assertion.subject) for assertion in passed]
        counts = Counter(assertion.step for assertion in passed)
        return [(step, f"{count} checks") for step, count in counts.items()]

    def to_dict(self) -> dict[str, Any]:
        """`passed`, the failed `findings`, and how many assertions were `checked`."""
        return {
            "passed": self.passed,
            "checked": len(self.assertions),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _failed(finding: Finding) -> Table:
    rows = [
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("why", finding.why),
        ("what to do", finding.remedy),
    ]
    return Table(("FAILED", f"{finding.step}: {finding.subject}"), rows)


def report_on(step: str, rows: Iterable[Expected], remedy: str = "labkit up") -> Report:
    """The report on what a step expects."""
    return Report(
        tuple(Finding(step, row.subject, str(row.expected), str(row.actual), row.why, remedy) for row in rows)
    )
