"""Take a lab away: plan, execute, prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.aws import or_none, until_settled
from labkit.shown import Shown, html_table, text_table
from labkit.steps import STEPS
from labkit.steps.step import Deletion
from labkit.target import Target


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """Every deletion that takes a lab away, in an order that AWS accepts."""

    deletions: tuple[Deletion, ...]

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(d.kind, d.name, d.why) for d in self.deletions]

    def text(self) -> str:
        """A line for each deletion."""
        return text_table(("would delete", "name", "because"), self._rows()) if self.deletions else "Nothing to delete."

    def html(self) -> str:
        """A row for each deletion."""
        return html_table(("would delete", "name", "because"), self._rows())

    def to_dict(self) -> dict[str, Any]:
        """The `deletions`."""
        return {"deletions": [deletion.to_dict() for deletion in self.deletions]}


def plan(target: Target) -> Plan:
    """Find everything that is this lab's, the last step first. Reads only."""
    return Plan(tuple(deletion for step in reversed(STEPS) for deletion in step.remove(target)))


def execute(target: Target, removal: Plan) -> None:
    """Make every deletion of a plan; what is gone already counts as done."""
    for deletion in removal.deletions:
        operation = getattr(target.client(deletion.service), deletion.operation)
        until_settled(lambda d=deletion, call=operation: or_none(call, **d.parameters))  # type: ignore[misc]
