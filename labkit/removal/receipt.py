"""The receipt of a removal: what was removed of a lab, what was left, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from labkit.steps.step import Deletion, Left
from labkit.text.blocks import Block, Table, sentences, text_of
from labkit.text.shown import Shown
from labkit.text.wording import iso


@dataclass(frozen=True, repr=False)
class Receipt(Shown):
    """What was removed of a lab, what was left and why, where, when (seconds since 1970) and by which version.

    Text and HTML are the same for the same removal on every machine, if it left nothing; `full_text` also tells where
    and when.
    """

    lab: str
    place: str
    account: str
    region: str
    started: float
    finished: float
    version: str
    removed: tuple[Deletion, ...]
    left: tuple[Left, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing of the lab is left. What is somebody else's does not count."""
        return not any(left.ours for left in self.left)

    @property
    def summary(self) -> str:
        """One sentence: whether anything of the lab is left."""
        if self.clean:
            return f"Nothing of lab {self.lab} is left: a second scan found none of it."
        count = sum(left.ours for left in self.left)
        return f"Lab {self.lab} is not gone: {count} of its resources {'is' if count == 1 else 'are'} left."

    @property
    def heading(self) -> str:
        """Where, when and by which version, in one line."""
        where = f"account {self.account}, region {self.region}"
        return f"{where}, from {iso(self.started)} to {iso(self.finished)}, labkit {self.version}"

    def blocks(self) -> Iterator[Block]:
        """The summary, then a row for each thing that was removed or left."""
        yield sentences(self.summary)
        yield removed_table("removed", self.removed)
        yield left_table("left", self.left, self.region)

    def full_text(self) -> str:
        """The text under its heading."""
        return text_of([sentences(self.heading), *self.blocks()])

    def to_dict(self) -> dict[str, Any]:
        """Everything, the times as ISO 8601."""
        return {
            "lab": self.lab,
            "target": self.place,
            "account": self.account,
            "region": self.region,
            "started": iso(self.started),
            "finished": iso(self.finished),
            "version": self.version,
            "clean": self.clean,
            "removed": [deletion.to_dict() for deletion in self.removed],
            "left": [left.to_dict() for left in self.left],
        }


def removed_table(heading: str, deletions: Iterable[Deletion]) -> Table:
    """A row for each deletion."""
    return Table((heading, "name", "because"), [(d.kind, d.name, d.why) for d in deletions])


def left_table(heading: str, left: Iterable[Left], region: str) -> Table:
    """A row for each thing that is left, with all that it takes to find it."""
    rows = [(thing.kind, thing.name, thing.id, region, thing.why) for thing in left]
    return Table((heading, "name", "id", "region", "because"), rows)
