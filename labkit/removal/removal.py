"""Take a lab away: plan, execute, prove that nothing is left, and write a receipt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from labkit.aws import explained, or_none, until_settled
from labkit.errors import LabError
from labkit.machine.private_files import read_json, write_json
from labkit.removal.receipt import Receipt, _tables
from labkit.removal.second_scan import Leftover, scan
from labkit.steps import STEPS
from labkit.steps.step import Deletion, Left
from labkit.target.journal import Journal
from labkit.target.target import Target
from labkit.text.shown import Shown, html_paragraph, html_table, text_table

__all__ = ["Leftover", "Outcome", "Plan", "Receipt", "execute", "plan", "remove_lab", "scan"]

Tell = Callable[[str], None]

_RESCAN_SECONDS = 3


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """Every deletion that takes a lab away, in an order that AWS accepts, and what is left alone."""

    deletions: tuple[Deletion, ...]
    left: tuple[Left, ...] = ()

    def text(self) -> str:
        """A line for each deletion, and for each thing that is left alone."""
        tables = _tables("would remove", self.deletions, "would leave", self.left)
        return "\n\n".join(text_table(*table) for table in tables) or _NOTHING

    def html(self) -> str:
        """A row for each deletion, and for each thing that is left alone."""
        tables = _tables("would remove", self.deletions, "would leave", self.left)
        return "".join(html_table(*table) for table in tables) or html_paragraph(_NOTHING)

    def to_dict(self) -> dict[str, Any]:
        """The `deletions`, and what is `left`."""
        return {"deletions": [d.to_dict() for d in self.deletions], "left": [left.to_dict() for left in self.left]}


_NOTHING = "Nothing to remove."


@dataclass(frozen=True)
class Outcome:
    """What became of a deletion: `problem` is the sentence of its failure, None if the thing is gone."""

    deletion: Deletion
    problem: str | None = None


def plan(target: Target) -> Plan:
    """Find everything that is this lab's, the last step first, and what only looks like it. Reads only.

    Ours is what bears both a name of the lab and its tag; what cannot be tagged is ours through a parent that does.

    Raises:
        ClientError: AWS refused one of the calls.
    """
    parts = [part for step in reversed(STEPS) for part in step.remove(target)]
    return Plan(
        tuple(part for part in parts if isinstance(part, Deletion)),
        tuple(part for part in parts if isinstance(part, Left)),
    )


def execute(target: Target, removal: Plan, tell: Tell = lambda line: None) -> tuple[Outcome, ...]:
    """Make every deletion of a plan. What is gone already counts as done.

    One that fails stops nothing but the deletion of what it is a part of.

    Args:
        target: the lab's place.
        removal: the plan.
        tell: told what is waited for and what failed.
    """
    outcomes: list[Outcome] = []
    for deletion in removal.deletions:
        part = next((o.deletion for o in outcomes if o.problem and o.deletion.part_of == deletion.id), None)
        if part:
            outcomes.append(Outcome(deletion, f"The {part.kind} {part.name} was not removed, and belongs to it."))
        else:
            outcomes.append(_outcome(target, deletion, tell))
    return tuple(outcomes)


def _outcome(target: Target, deletion: Deletion, tell: Tell) -> Outcome:
    operation = getattr(target.client(deletion.service), deletion.operation)
    try:
        with explained():
            until_settled(
                lambda: or_none(operation, **deletion.parameters), waiting=lambda why: tell(f"Waiting: {why}.")
            )
    except LabError as error:
        tell(f"The {deletion.kind} {deletion.name} was not removed. {error.problem}")
        return Outcome(deletion, error.problem)
    return Outcome(deletion)


def remove_lab(
    target: Target, tell: Tell = lambda line: None, keep: Callable[[Receipt], None] = lambda receipt: None
) -> Receipt:
    """Take everything of the lab away, prove it with a second scan, and forget what this machine knows of the lab.

    If an earlier removal was killed, the receipt also tells what that one removed.

    Args:
        target: the lab's place; writing to it is agreed to.
        tell: told what is waited for and what failed.
        keep: given the receipt before this machine forgets the lab, so that a crash in between loses nothing.

    Raises:
        ClientError: AWS refused to tell what there is. Nothing was deleted then.
    """
    removal, record = plan(target), _Record(target)
    earlier = record.removed_before(removal)
    started = record.begin(earlier, removal)
    outcomes = execute(target, removal, tell)
    removed = (*earlier, *(outcome.deletion for outcome in outcomes if outcome.problem is None))
    left = _once([*removal.left, *_failed(outcomes), *_proof(target, removed, tell)])
    names, kind = target.names, target.place.kind
    receipt = Receipt(names.lab, kind, names.account, names.region, started, time.time(), _version(), removed, left)
    keep(receipt)
    Journal(target).forget()
    return receipt


def _failed(outcomes: Iterable[Outcome]) -> list[Left]:
    failures = [(outcome.deletion, outcome.problem) for outcome in outcomes if outcome.problem]
    return [Left(deletion.kind, deletion.name, deletion.id, problem, ours=True) for deletion, problem in failures]


def _version() -> str:
    return version("jwt-authorizer-lab")


def _once(left: Iterable[Left]) -> tuple[Left, ...]:
    """Each thing once, with the first reason given."""
    first: dict[tuple[str, str], Left] = {}
    for thing in left:
        first.setdefault((thing.kind, thing.id), thing)
    return tuple(first.values())


def _proof(target: Target, removed: Iterable[Deletion], tell: Tell) -> list[Left]:
    """What the second scan finds. What was just removed may be listed for a while."""
    gone, until = {(deletion.kind, deletion.id) for deletion in removed}, time.monotonic() + target.place.patience
    while True:
        try:
            with explained():
                found = until_settled(lambda: scan(target))
        except LabError as error:
            why = f"what is left could not be told: {error.problem}"
            return [Left("second scan", target.names.lab, target.names.lab, why, ours=True)]
        if time.monotonic() >= until or not any((thing.kind, thing.id) in gone for thing in found):
            return [_left(thing) for thing in found]
        tell("Waiting: what was removed is still listed.")
        time.sleep(_RESCAN_SECONDS)


def _left(found: Leftover) -> Left:
    why = f"the second scan found it by its {found.revealed_by}"
    return Left(
        found.kind, found.name, found.id, why if found.ours else f"{why}; it does not bear the lab's tag", found.ours
    )


class _Record:
    """What a removal is about to delete, kept until it is over: one that was killed is not forgotten."""

    def __init__(self, target: Target) -> None:
        self._file = target.folder / "removal.json"
        self._place = f"{target.place.account} {target.place.region}"
        kept = read_json(self._file)
        self._kept: dict[str, Any] = kept if isinstance(kept, dict) and kept.get("place") == self._place else {}

    def removed_before(self, removal: Plan) -> list[Deletion]:
        """What an earlier removal was to delete and a new plan does not find any more."""
        standing = Counter((deletion.kind, deletion.name) for deletion in removal.deletions)
        removed = []
        for deletion in (Deletion(**kept) for kept in self._kept.get("deletions", [])):
            if standing[deletion.kind, deletion.name]:
                standing[deletion.kind, deletion.name] -= 1
            else:
                removed.append(deletion)
        return removed

    def begin(self, earlier: list[Deletion], removal: Plan) -> float:
        """Keep what is to be deleted. Returns when the removal began, in seconds since 1970."""
        started = float(self._kept["started"]) if earlier else time.time()
        if removal.deletions:
            deletions = [vars(deletion) for deletion in (*earlier, *removal.deletions)]
            write_json(self._file, {"place": self._place, "started": started, "deletions": deletions})
        return started
