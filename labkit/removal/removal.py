"""Take a lab away: plan, execute, prove that nothing is left, and write a receipt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from types import NoneType
from typing import Any

from labkit.aws import aws_errors_in_words, or_none, until_settled
from labkit.errors import LabError, UsageError
from labkit.machine.polling import until
from labkit.machine.private_files import read_object, write_json
from labkit.machine.shapes import is_moment
from labkit.removal.receipt import Receipt, left_table, removed_table
from labkit.removal.second_scan import other_labs, scan
from labkit.steps import STEPS
from labkit.steps.step import Deletion, Left, Step
from labkit.target import kinds
from labkit.target.journal import Journal
from labkit.target.target import Target
from labkit.text.blocks import Block, sentences
from labkit.text.shown import Shown

__all__ = ["Plan", "Receipt", "execute", "plan", "remove_lab", "scan"]

Tell = Callable[[str], None]

_RESCAN_SECONDS = 3


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """Every deletion that takes a lab away, in an order that AWS accepts, and what is left alone.

    `lab`, `account` and `region` say which lab's plan it is.
    """

    lab: str
    account: str
    region: str
    deletions: tuple[Deletion, ...]
    left: tuple[Left, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """A row for each deletion, and for each thing that is left alone."""
        yield sentences("" if self.deletions or self.left else "Nothing to remove.")
        yield removed_table("would remove", self.deletions)
        yield left_table("would leave", self.left, self.region)

    def to_dict(self) -> dict[str, Any]:
        """The `deletions`, and what is `left`."""
        return {"deletions": [d.to_dict() for d in self.deletions], "left": [left.to_dict() for left in self.left]}


def plan(target: Target, steps: Collection[Step] = STEPS) -> Plan:
    """Find what is this lab's, or of some of its steps, the last first, and what only looks like it. Reads only.

    Ours is what bears both a name of the lab and its tag; what cannot be tagged is ours through a parent that does.

    Raises:
        ClientError: AWS refused one of the calls.
    """
    parts = [part for step in reversed(STEPS) if step in steps for part in step.remove(target)]
    deletions = tuple(part for part in parts if isinstance(part, Deletion))
    left = tuple(part for part in parts if isinstance(part, Left))
    return Plan(target.names.lab, target.names.account, target.names.region, deletions, left)


def execute(
    target: Target, deletions: Iterable[Deletion], tell: Tell = lambda line: None
) -> tuple[tuple[Deletion, ...], tuple[Left, ...]]:
    """Make every deletion. What is gone already counts as done.

    One that fails stops nothing but the deletion of what it is a part of.

    Args:
        target: the lab's place.
        deletions: what is deleted, in this order.
        tell: told what is waited for and what failed.

    Returns:
        What is gone, and what is left with the reason.
    """
    gone: list[Deletion] = []
    failed: list[tuple[Deletion, str]] = []
    for deletion in deletions:
        part = next((part for part, _ in failed if part.part_of == deletion.id), None)
        if part:
            failed.append((deletion, f"The {part.kind} {part.name} was not removed, and belongs to it."))
        elif problem := _problem(target, deletion, tell):
            failed.append((deletion, problem))
        else:
            gone.append(deletion)
    return tuple(gone), tuple(Left(d.kind, d.name, d.id, why, ours=True) for d, why in failed)


def _problem(target: Target, deletion: Deletion, tell: Tell) -> str:
    """Make a deletion. Returns why it failed; nothing if the thing is gone."""
    operation = getattr(target.client(deletion.service), deletion.operation)
    try:
        with aws_errors_in_words():
            until_settled(
                lambda: or_none(operation, **deletion.parameters), waiting=lambda why: tell(f"Waiting: {why}.")
            )
    except LabError as error:
        tell(f"The {deletion.kind} {deletion.name} was not removed. {error.problem}")
        return error.problem
    return ""


def remove_lab(
    target: Target,
    tell: Tell = lambda line: None,
    keep: Callable[[Receipt], None] = lambda receipt: None,
    *,
    agreed: Plan | None = None,
    known: Collection[str] | None = None,
) -> Receipt:
    """Take everything of the lab away, prove it with a second scan, and forget what this machine knows of the lab.

    If an earlier removal was killed, the receipt also tells what that one removed.

    Args:
        target: the lab's place; writing to it is agreed to.
        tell: told what is waited for and what failed.
        keep: given the receipt before this machine forgets the lab, so that a crash in between loses nothing.
        agreed: the plan that somebody has seen and agreed to; without it one is made.
        known: the labs that may stand in this account and region; another one is told as left. None if any may.

    Raises:
        ClientError: AWS refused to tell what there is. Nothing was deleted then.
        UsageError: what was agreed to is no plan, or another lab's.
    """
    removal, record = plan(target) if agreed is None else _of_this_lab(agreed, target), _Record(target)
    earlier = record.removed_before(removal)
    started = record.begin(earlier, removal)
    gone, failed = execute(target, removal.deletions, tell)
    again, found = _proof(target, {(d.kind, d.id) for d in (*earlier, *gone)}, tell)
    others = () if known is None else _told(target, lambda: other_labs(target, known))
    names, kind = target.names, target.place.kind
    removed, left = (*earlier, *gone, *again), _once([*removal.left, *failed, *found, *others])
    receipt = Receipt(
        names.lab, kind, names.account, names.region, started, time.time(), version("jwt-authorizer-lab"), removed, left
    )
    keep(receipt)
    Journal(target).forget()
    return receipt


def _of_this_lab(agreed: Plan, target: Target) -> Plan:
    names = target.names
    if not isinstance(agreed, Plan):
        raise UsageError(
            f"A lab goes as a whole or by a plan, and {agreed!r} is none.", "Look first: plan_removal(). Then: down()"
        )
    if (agreed.lab, agreed.account, agreed.region) != (names.lab, names.account, names.region):
        raise UsageError(
            f"This plan is of lab {agreed.lab} in account {agreed.account}, region {agreed.region}, and not of this.",
            "Make one of this lab: plan_removal()",
        )
    return agreed


def _once(left: Iterable[Left]) -> tuple[Left, ...]:
    """Each thing once, with the first reason given."""
    first: dict[tuple[str, str], Left] = {}
    for thing in left:
        first.setdefault((thing.kind, thing.id), thing)
    return tuple(first.values())


def _proof(target: Target, gone: set[tuple[str, str]], tell: Tell) -> tuple[tuple[Deletion, ...], tuple[Left, ...]]:
    """Scan a second time, and remove what came back meanwhile.

    Args:
        target: the lab's place.
        gone: kind and id of what was removed.
        tell: told what is waited for.

    Returns:
        What had to be removed again, and what is left.
    """
    found = _scan(target, gone, tell)
    back = [thing for thing in found if _came_back(target, thing, gone)]
    if not back:
        return (), found
    again, failed = execute(target, map(_second_deletion, back), tell)
    return again, (*failed, *_scan(target, gone, tell))


def _came_back(target: Target, thing: Left, gone: set[tuple[str, str]]) -> bool:
    """Whether it is a log group that was made anew, as Lambda does for a late call: it has the name and no tag."""
    if thing.ours or thing.kind != kinds.LOG_GROUP or (thing.kind, thing.id) not in gone:
        return False
    arn = target.names.log_group_arn(thing.id.removeprefix(target.names.log_group("")))
    answer = target.read("logs", "list_tags_for_resource", resourceArn=arn)
    return answer is not None and not answer.get("tags")


def _second_deletion(group: Left) -> Deletion:
    why, key = "it came back under the name of the lab's, which was just removed", {"logGroupName": group.id}
    return Deletion(group.kind, group.name, group.id, why, "logs", "delete_log_group", key)


def _scan(target: Target, gone: set[tuple[str, str]], tell: Tell) -> tuple[Left, ...]:
    """What the second scan finds. What was just removed may be listed for a while, with its tag."""
    return until(
        lambda: _told(target, lambda: scan(target)),
        lambda found: not any(thing.ours and (thing.kind, thing.id) in gone for thing in found),
        seconds=target.place.patience,
        every=_RESCAN_SECONDS,
        waiting=lambda: tell("Waiting: what was removed is still listed."),
    )


def _told(target: Target, look: Callable[[], tuple[Left, ...]]) -> tuple[Left, ...]:
    """What a look finds. One that AWS refuses hides nothing of what was removed before it."""
    try:
        with aws_errors_in_words():
            return until_settled(look)
    except LabError as error:
        why = f"what is left could not be told: {error.problem}"
        return (Left("second scan", target.names.lab, target.names.lab, why, ours=True),)


_DELETION = {**dict.fromkeys(("kind", "name", "id", "why", "service", "operation"), str), "parameters": dict,
             "part_of": (str, NoneType)}  # fmt: skip
_SHAPE = {"place": str, "started": is_moment, "deletions": [_DELETION]}


class _Record:
    """What a removal is about to delete, kept until it is over: one that was killed is not forgotten."""

    def __init__(self, target: Target) -> None:
        self._file = target.folder / "removal.json"
        self._place = f"{target.place.account} {target.place.region}"
        kept = read_object(self._file, _SHAPE)
        self._kept = kept if kept.get("place") == self._place else {}

    def removed_before(self, removal: Plan) -> list[Deletion]:
        """What an earlier removal was to delete and a new plan does not find any more."""
        standing = Counter((deletion.kind, deletion.name) for deletion in removal.deletions)
        removed = []
        for deletion in (Deletion(*map(kept.get, _DELETION)) for kept in self._kept.get("deletions", [])):
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
