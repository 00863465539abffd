"""To a step or to a chapter's beginning: what is built up to there, and what is taken away behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from labkit.errors import LabError, UsageError
from labkit.learning.lessons import lessons
from labkit.removal.removal import Plan, execute, plan
from labkit.steps import STEPS
from labkit.steps.status import Status
from labkit.steps.step import Deletion, Step
from labkit.target.journal import Journal
from labkit.target.target import Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown


@dataclass(frozen=True, repr=False)
class Arrival(Shown):
    """What was taken away on the way, and what now stands."""

    removed: tuple[Deletion, ...]
    status: Status

    def blocks(self) -> Iterator[Block]:
        """What was removed, then each step."""
        yield sentences("" if self.removed else "Nothing had to be taken away.")
        yield Table(("removed", "name"), [(deletion.kind, deletion.name) for deletion in self.removed])
        yield Table(("step", "state"), [(s.step, "found" if s.found else "missing") for s in self.status.states])

    def to_dict(self) -> dict[str, Any]:
        """What was `removed`, and the `status`."""
        return {"removed": [deletion.to_dict() for deletion in self.removed], "status": self.status.to_dict()}


def steps_to(where: str) -> tuple[Step, ...]:
    """The steps that stand there.

    Args:
        where: a step, which is the last then; or a chapter's number, as whose reader one then begins.

    Raises:
        UsageError: it is neither.
    """
    names = [step.name for step in STEPS]
    begins = {chapter.chapter: chapter.begins_with for chapter in lessons().chapters}
    last = begins.get(where.zfill(2), where)
    if last is None:
        return ()
    if last not in names:
        known = ", ".join([*names, *begins])
        raise UsageError(f"There is no step and no chapter {where!r} to go to.", f"Name one of: {known}.")
    return STEPS[: names.index(last) + 1]


def plan_back(target: Target, kept: tuple[Step, ...]) -> Plan:
    """What would be taken away so that only some steps are left. Reads only."""
    going = [step for step in STEPS if step not in kept]
    standing = [step for step in going if step.find(target).begun]
    # What has no deletion of its own goes with the step that it is a part of; that one is built again.
    whole = {step.part_of for step in standing}
    return plan(target, [step for step in STEPS if step in going or step.name in whole])


def go_back(target: Target, kept: tuple[Step, ...], tell: Callable[[str], None]) -> tuple[Deletion, ...]:
    """Take away what comes after the steps that are kept. Returns what was removed.

    Raises:
        LabError: something was not removed.
    """
    gone, failed = execute(target, plan_back(target, kept).deletions, tell)
    if failed:
        raise LabError(f"The {failed[0].kind} {failed[0].name} was not removed. {failed[0].why}", "Then repeat this.")
    Journal(target).keep_only([step.name for step in kept])
    return gone
