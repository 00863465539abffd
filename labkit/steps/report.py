"""What a check found: every assertion about a lab, with its reason and its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labkit.text.shown import Shown, html_details, html_paragraph, html_table, text_table


@dataclass(frozen=True)
class Finding:
    """One assertion about a lab: what should be, what is, why it matters, what to do."""

    step: str
    subject: str
    expected: str
    actual: str
    why: str
    fix: str

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
            "fix": self.fix,
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

    def _passed(self) -> list[tuple[str, str]]:
        """What passed: every assertion of one step, or of several steps how many each."""
        passed = [assertion for assertion in self.assertions if assertion.passed]
        if len({assertion.step for assertion in self.assertions}) == 1:
            return [(assertion.step, assertion.subject) for assertion in passed]
        counts = Counter(assertion.step for assertion in passed)
        return [(step, f"{count} checks") for step, count in counts.items()]

    def _summary(self) -> str:
        if self.passed:
            return f"All {len(self.assertions)} checks passed."
        return f"{len(self.findings)} of {len(self.assertions)} checks failed."

    def text(self) -> str:
        """The failures with their remedies, then what passed."""
        failed = [_failure_text(finding) for finding in self.findings]
        passed = text_table(("passed", "what"), self._passed()) if self._passed() else ""
        parts = [self._summary(), *failed, passed]
        return "\n\n".join(part for part in parts if part)

    def html(self) -> str:
        """The failures in a table with their remedies, then what passed."""
        failed = [(f.step, f.subject, f.expected, f.actual, f.why, f.fix) for f in self.findings]
        return "".join(
            [
                html_paragraph(self._summary()),
                html_table(("failed", "what", "expected", "actual", "why", "what to do"), failed) if failed else "",
                html_details("What passed", html_table(("passed", "what"), self._passed())) if self._passed() else "",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """`passed`, the failed `findings`, and how many assertions were `checked`."""
        return {
            "passed": self.passed,
            "checked": len(self.assertions),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _failure_text(finding: Finding) -> str:
    return (
        f"FAILED  {finding.step}: {finding.subject}\n"
        f"  expected    {finding.expected}\n"
        f"  actual      {finding.actual}\n"
        f"  why         {finding.why}\n"
        f"  what to do  {finding.fix}"
    )


def assertions(step: str, rows: Iterable[tuple[str, object, object, str]], fix: str = "labkit up") -> Report:
    """Make a report of rows of (subject, expected, actual, why)."""
    return Report(tuple(Finding(step, subject, str(e), str(a), why, fix) for subject, e, a, why in rows))
