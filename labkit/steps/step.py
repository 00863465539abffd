"""What a lab step is: a section of the post that can be found, ensured, checked and removed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from labkit.errors import LabError
from labkit.naming import TAG_KEY
from labkit.shown import Shown, html_details, html_paragraph, html_table, text_table
from labkit.target import Target


@dataclass(frozen=True)
class Resource:
    """One thing that a step builds: what kind, under which name, and whether it is there."""

    kind: str
    name: str
    found: bool


@dataclass(frozen=True, repr=False)
class State(Shown):
    """What exists of a step. `ids` holds what AWS made up: `user_pool_id` and the like."""

    step: str
    resources: tuple[Resource, ...]
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether everything that the step builds exists."""
        return bool(self.resources) and all(resource.found for resource in self.resources)

    @property
    def missing(self) -> tuple[Resource, ...]:
        """What does not exist."""
        return tuple(resource for resource in self.resources if not resource.found)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(r.kind, r.name, "found" if r.found else "missing") for r in self.resources]

    def text(self) -> str:
        """A line for each resource."""
        return text_table((self.step, "name", "state"), self._rows())

    def html(self) -> str:
        """A row for each resource."""
        return html_table((self.step, "name", "state"), self._rows())

    def to_dict(self) -> dict[str, Any]:
        """`name` of the step, whether all of it was `found`, and the `ids`."""
        return {"name": self.step, "found": self.found, "ids": dict(self.ids)}


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


OURS = "its name and its tag are this lab's"
FOREIGN = "it bears a name of this lab, but not its tag"


@dataclass(frozen=True)
class Deletion:
    """One call that takes something of the lab away, as data: it can be shown before it is made.

    `name` is the same in every run of the lab, `id` may be one that AWS made up. `part_of` is the id of what it
    belongs to, if AWS does not delete that before it.
    """

    kind: str
    name: str
    id: str
    why: str
    service: str
    operation: str
    parameters: dict[str, Any]
    part_of: str | None = None

    def to_dict(self) -> dict[str, str]:
        """What is deleted, and why it is known to be this lab's."""
        return {"kind": self.kind, "name": self.name, "id": self.id, "service": self.service, "why": self.why}


@dataclass(frozen=True)
class Left:
    """Something that is left alone, and why. If it is `ours`, the lab is not gone while it stands."""

    kind: str
    name: str
    id: str
    why: str
    ours: bool

    def to_dict(self) -> dict[str, Any]:
        """What is left, why, and whether it is this lab's."""
        return {"kind": self.kind, "name": self.name, "id": self.id, "why": self.why, "ours": self.ours}


def foreign(kind: str, name: str, resource_id: str) -> Left:
    """Something that bears a name of ours but not our tag."""
    return Left(kind, name, resource_id, FOREIGN, ours=False)


class Step(ABC):
    """A section of the post, as four verbs over one target."""

    name: str
    title: str
    section: str
    minutes: int
    needs: tuple[str, ...] = ()

    @abstractmethod
    def find(self, target: Target) -> State:
        """What exists, looked up by tag and name. Reads only."""

    @abstractmethod
    def ensure(self, target: Target) -> None:
        """Create what is missing and repair what drifted. Running it twice changes nothing."""

    @abstractmethod
    def check(self, target: Target) -> Report:
        """Every assertion about this step's settings. Reads only."""

    @abstractmethod
    def remove(self, target: Target) -> list[Deletion | Left]:
        """What would take this step away, in an order that AWS accepts, and what is left alone. Reads only."""


def is_tagged(tags: object, target: Target) -> bool:
    """Whether tags say that a resource is this lab's.

    Args:
        tags: {key: value}, or IAM's list of {"Key", "Value"}, or None.
        target: the lab's place.
    """
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    return isinstance(tags, dict) and tags.get(TAG_KEY) == target.names.lab


def refuse_foreign(kind: str, name: str) -> LabError:
    """The error for a resource that bears a name of ours but not our tag."""
    return LabError(
        f"A {kind} named {name} exists already and does not bear this lab's tag, so it is left alone.",
        "Choose another name for the lab (LABKIT_NAME), or delete that resource yourself.",
    )


def assertions(step: str, rows: Iterable[tuple[str, object, object, str]], fix: str = "labkit up") -> Report:
    """Make a report of rows of (subject, expected, actual, why)."""
    return Report(tuple(Finding(step, subject, str(e), str(a), why, fix) for subject, e, a, why in rows))
