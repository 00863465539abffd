"""The receipt of a removal: what was removed of a lab, what was left, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labkit.steps.step import Deletion, Left
from labkit.text.shown import Shown, html_paragraph, html_table, text_table


@dataclass(frozen=True, repr=False)
class Receipt(Shown):
    """What was removed of a lab, what was left and why, where, when (seconds since 1970) and by which version.

    Text and HTML are the same for the same removal on every machine; `full_text` and `full_html` also tell where and
    when, for the files.
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
        return f"{where}, from {_moment(self.started)} to {_moment(self.finished)}, labkit {self.version}"

    def text(self) -> str:
        """The summary, then a line for each thing that was removed or left."""
        tables = _tables("removed", self.removed, "left", self.left)
        return "\n\n".join([self.summary, *(text_table(*table) for table in tables)])

    def html(self) -> str:
        """The summary, then a row for each thing that was removed or left."""
        tables = _tables("removed", self.removed, "left", self.left)
        return html_paragraph(self.summary) + "".join(html_table(*table) for table in tables)

    def full_text(self) -> str:
        """The text under its heading."""
        return f"{self.heading}\n\n{self.text()}"

    def full_html(self) -> str:
        """The HTML under its heading."""
        return html_paragraph(self.heading) + self.html()

    def to_dict(self) -> dict[str, Any]:
        """Everything, the times as ISO 8601."""
        return {
            "lab": self.lab,
            "target": self.place,
            "account": self.account,
            "region": self.region,
            "started": _moment(self.started),
            "finished": _moment(self.finished),
            "version": self.version,
            "clean": self.clean,
            "removed": [deletion.to_dict() for deletion in self.removed],
            "left": [left.to_dict() for left in self.left],
        }


_Table = tuple[tuple[str, str, str], list[tuple[str, str, str]]]


def _tables(removed: str, deletions: Iterable[Deletion], left: str, others: Iterable[Left]) -> list[_Table]:
    """The tables that have rows, each with its header."""
    tables: list[_Table] = [
        ((removed, "name", "because"), [(d.kind, d.name, d.why) for d in deletions]),
        ((left, "name", "because"), [(other.kind, other.name, other.why) for other in others]),
    ]
    return [table for table in tables if table[1]]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
