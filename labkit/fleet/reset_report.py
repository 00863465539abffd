"""What became of each lab of a class in a reset, and the report of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from labkit.fleet.roster import BadRow, Seat, bad_rows_html, bad_rows_text
from labkit.removal.removal import Plan
from labkit.text.shown import Shown, html_details, html_paragraph, html_table, text_table
from labkit.text.wording import counted

WAITING = "waiting"
REMOVING = "being removed"
CLEAN = "clean"
QUARANTINED = "quarantined"
LEFT_ALONE = "left alone"
NOT_BUILT = "not built"


@dataclass(frozen=True)
class LabResult:
    """What became of one attendee's lab.

    `state` is one of WAITING, REMOVING, CLEAN, QUARANTINED, LEFT_ALONE (it was not reached, or a guard spoke against
    it: nothing was deleted or no more was) and NOT_BUILT. `removed` and `left` hold what a receipt's `to_dict` does.
    """

    attendee: str
    account: str
    region: str
    lab: str
    state: str = WAITING
    reason: str = ""
    remedy: str = ""
    built: str = ""
    removed: tuple[dict[str, Any], ...] = ()
    left: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, seat: Seat, **more: Any) -> LabResult:
        """The result for a seat."""
        return cls(seat.attendee, seat.account, seat.region, seat.lab, **more)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> LabResult:
        """The result that `to_dict` made this of."""
        return cls(**{**kept, "removed": tuple(kept["removed"]), "left": tuple(kept["left"])})

    def to_dict(self) -> dict[str, Any]:
        """Everything."""
        return {**asdict(self), "removed": list(self.removed), "left": list(self.left)}

    @property
    def good(self) -> bool:
        """Whether the lab is as the reset should leave it."""
        return self.state == CLEAN

    @property
    def outcome(self) -> str:
        """Its state in a few words."""
        return f"{self.state}, built through {self.built}" if self.built else self.state


@dataclass(frozen=True, repr=False)
class ResetReport(Shown):
    """What became of a class, or of one account of it. Times are seconds since 1970, None while it has not ended."""

    labs: tuple[LabResult, ...]
    bad: tuple[BadRow, ...]
    started: float
    finished: float | None
    version: str

    @property
    def clean(self) -> bool:
        """Whether every lab is as the reset should leave it, and every row of the roster could be used."""
        return not self.bad and all(lab.good for lab in self.labs)

    @property
    def accounts(self) -> dict[str, ResetReport]:
        """The report of each account."""
        labs: dict[str, list[LabResult]] = {}
        for lab in self.labs:
            labs.setdefault(lab.account, []).append(lab)
        return {account: replace(self, labs=tuple(its), bad=()) for account, its in labs.items()}

    @property
    def summary(self) -> str:
        """One sentence: how many labs are clean, and what became of the others."""
        states = Counter(lab.state for lab in self.labs)
        clean = states.pop(CLEAN, 0)
        others = [f"{count} {state}" for state, count in states.items()]
        others += [f"{counted(len(self.bad), 'row')} of the roster unusable"] if self.bad else []
        sentence = f"{clean} of {len(self.labs)} labs are clean: two scans found nothing of them."
        return f"{sentence} The rest: {', '.join(others)}." if others else sentence

    @property
    def heading(self) -> str:
        """When and by which version, in one line."""
        ended = f"to {_moment(self.finished)}" if self.finished else "not finished"
        return f"Reset from {_moment(self.started)} {ended}, labkit {self.version}"

    def text(self) -> str:
        """The summary, a line for each lab, then what is left and the rows that could not be used."""
        left = text_table(_LEFT, self._left()) if self._left() else ""
        parts = [self.summary, text_table(_LABS, self._rows()), self._reasons(), left, bad_rows_text(self.bad)]
        return "\n\n".join(part for part in parts if part)

    def html(self) -> str:
        """The summary, a row for each lab, what is left, the rows that could not be used, and what was removed."""
        left = html_table(_LEFT, self._left()) if self._left() else ""
        reasons = "".join(html_paragraph(line) for line in self._reasons().splitlines())
        parts = [html_paragraph(self.summary), html_table(_LABS, self._rows()), reasons, left, bad_rows_html(self.bad)]
        return "".join([*parts, html_details("What was removed", html_table(_REMOVED, self._removed()))])

    def full_text(self) -> str:
        """The text under its heading, with everything that was removed: for a file."""
        return "\n\n".join([self.heading, self.text(), text_table(_REMOVED, self._removed())])

    def full_html(self) -> str:
        """The HTML under its heading, as a page of its own: for a file."""
        title = "<!doctype html><html lang=en><meta charset=utf-8><title>Reset of a class</title>"
        return f"{title}<h1>Reset of a class</h1>{html_paragraph(self.heading)}{self.html()}</html>"

    def to_dict(self) -> dict[str, Any]:
        """Everything, the times as ISO 8601."""
        return {
            "clean": self.clean,
            "started": _moment(self.started),
            "finished": _moment(self.finished) if self.finished else None,
            "version": self.version,
            "labs": [lab.to_dict() for lab in self.labs],
            "rows": [row.to_dict() for row in self.bad],
        }

    def _rows(self) -> list[tuple[str, ...]]:
        return [(n.attendee, n.account, n.region, n.lab, n.outcome, counts(n.removed)) for n in self.labs]

    def _reasons(self) -> str:
        return "\n".join(f"{lab.attendee}: {lab.reason} {lab.remedy}".rstrip() for lab in self.labs if lab.reason)

    def _left(self) -> list[tuple[str, ...]]:
        return [(lab.attendee, thing["kind"], thing["name"], thing["why"]) for lab in self.labs for thing in lab.left]

    def _removed(self) -> list[tuple[str, ...]]:
        return [(n.attendee, gone["kind"], gone["name"], gone["why"]) for n in self.labs for gone in n.removed]


_LABS = ("attendee", "account", "region", "lab", "result", "removed")
_LEFT = ("attendee", "left", "name", "because")
_REMOVED = ("attendee", "removed", "name", "because")


def counts(things: Iterable[Mapping[str, Any]]) -> str:
    """How many there are of each kind: `3 functions, 1 user pool`."""
    kinds = Counter(thing["kind"] for thing in things)
    return ", ".join(counted(count, kind) for kind, count in kinds.items()) or "nothing"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class LabPlan:
    """What a reset would do to one attendee's lab: a plan, or the reason why it would be left alone."""

    seat: Seat
    plan: Plan | None = None
    reason: str = ""
    remedy: str = ""

    @property
    def in_short(self) -> str:
        """What would be removed, by kind."""
        return counts(d.to_dict() for d in self.plan.deletions) if self.plan else "left alone"

    def to_dict(self) -> dict[str, Any]:
        """The attendee, the account, and the plan or the reason."""
        where = {key: getattr(self.seat, key) for key in ("attendee", "account", "region", "lab")}
        what = self.plan.to_dict() if self.plan else {"error": self.reason, "fix": self.remedy}
        return {**where, **what}


@dataclass(frozen=True, repr=False)
class ResetPlan(Shown):
    """What a reset would do to a class. Nothing has been deleted."""

    labs: tuple[LabPlan, ...]
    bad: tuple[BadRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every lab could be looked at and every row of the roster could be used."""
        return not self.bad and all(lab.plan for lab in self.labs)

    @property
    def summary(self) -> str:
        """One sentence: how much would be removed where."""
        plans = [lab.plan for lab in self.labs if lab.plan]
        accounts = {lab.seat.account for lab in self.labs if lab.plan and lab.plan.deletions}
        deletions = sum(len(plan.deletions) for plan in plans)
        size = f"{counted(deletions, 'deletion')} in {counted(len(accounts), 'account')}"
        return f"A reset would make {size}. None is made yet."

    def text(self) -> str:
        """The summary, a line for each lab, then each lab's whole plan."""
        plans = [f"{lab.seat.attendee}\n{lab.plan.text()}" for lab in self.labs if lab.plan and _has_parts(lab.plan)]
        parts = [self.summary, text_table(_PLANS, self._rows()), self._reasons(), bad_rows_text(self.bad), *plans]
        return "\n\n".join(part for part in parts if part)

    def html(self) -> str:
        """The summary, a row for each lab, then each lab's whole plan, folded away."""
        plans = [html_details(n.seat.attendee, n.plan.html()) for n in self.labs if n.plan and _has_parts(n.plan)]
        reasons = "".join(html_paragraph(line) for line in self._reasons().splitlines())
        table = html_table(_PLANS, self._rows())
        return "".join([html_paragraph(self.summary), table, reasons, bad_rows_html(self.bad), *plans])

    def to_dict(self) -> dict[str, Any]:
        """The plan of every lab, and the rows that cannot be used."""
        return {"labs": [lab.to_dict() for lab in self.labs], "rows": [row.to_dict() for row in self.bad]}

    def _rows(self) -> list[tuple[str, ...]]:
        return [(n.seat.attendee, n.seat.account, n.seat.region, n.seat.lab, n.in_short) for n in self.labs]

    def _reasons(self) -> str:
        return "\n".join(f"{n.seat.attendee}: {n.reason} {n.remedy}" for n in self.labs if n.reason)


_PLANS = ("attendee", "account", "region", "lab", "would remove")


def _has_parts(plan: Plan) -> bool:
    return bool(plan.deletions or plan.left)
