"""What became of each lab of a class in a reset, and the report of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labkit.errors import LabError
from labkit.fleet.roster import WHERE, BadRow, OfAClass, Seat, bad_rows
from labkit.removal.removal import Plan
from labkit.text.blocks import Block, Folded, Table, html_escaped, sentences, text_of
from labkit.text.wording import counted, iso, moment, visible

STYLE_SHEET = Path(__file__).with_name("report.css")

WAITING = "waiting"
REMOVING = "being removed"
CLEAN = "clean"
QUARANTINED = "quarantined"
LEFT_ALONE = "left alone"
NOT_BUILT = "not built"

# What `LabResult.to_dict` writes.
_THING = dict.fromkeys(("kind", "name", "id", "why"), str)
RESULT = {
    **dict.fromkeys((*WHERE, "state", "reason", "remedy", "built"), str),
    "removed": [_THING],
    "left": [_THING],
}


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
        known = {name: kept[name] for name in RESULT}
        return cls(**{**known, "removed": tuple(kept["removed"]), "left": tuple(kept["left"])})

    def to_dict(self) -> dict[str, Any]:
        """Everything."""
        return {**asdict(self), "removed": list(self.removed), "left": list(self.left)}

    @property
    def good(self) -> bool:
        """Whether the lab is as the reset should leave it."""
        return self.state == CLEAN

    @property
    def entered(self) -> bool:
        """Whether anything was done in its account."""
        return self.state not in (WAITING, LEFT_ALONE) or bool(self.removed)

    @property
    def where(self) -> tuple[str, str, str, str]:
        """Whose it is, and where."""
        return self.attendee, self.account, self.region, self.lab

    @property
    def outcome(self) -> str:
        """Its state in a few words."""
        return f"{self.state}, built through {self.built}" if self.built else self.state


@dataclass(frozen=True, repr=False)
class ResetReport(OfAClass):
    """What became of a class, or of one account of it. Times are seconds since 1970, None while it has not ended."""

    labs: tuple[LabResult, ...]
    bad: tuple[BadRow, ...]
    started: float
    finished: float | None
    version: str

    @property
    def clean(self) -> bool:
        """Whether the reset has ended, every lab is as it should leave it, and every row of the roster was used."""
        return self.finished is not None and not self.bad and all(lab.good for lab in self.labs)

    @property
    def accounts(self) -> dict[str, ResetReport]:
        """The report of each account in which anything was done."""
        labs: dict[str, list[LabResult]] = {}
        for lab in self.labs:
            labs.setdefault(lab.account, []).append(lab)
        entered = {account: its for account, its in labs.items() if any(lab.entered for lab in its)}
        return {account: replace(self, labs=tuple(its), bad=()) for account, its in entered.items()}

    @property
    def summary(self) -> str:
        """One sentence, or two: how many labs are clean, and what became of the others."""
        states = Counter(lab.state for lab in self.labs)
        clean = states.pop(CLEAN, 0)
        others = [f"{count} {state}" for state, count in states.items()]
        others += [f"{counted(len(self.bad), 'row')} of the roster unusable"] if self.bad else []
        rest = f" The rest: {', '.join(others)}." if others else ""
        if self.finished is None:
            return f"This reset is not finished: {clean} of {counted(len(self.labs), 'lab')} clean so far.{rest}"
        if len(self.labs) == 1 and not self.bad:
            (lab,) = self.labs
            proof = ": two scans found nothing of it" if lab.good else ""
            return f"The lab {lab.lab} of {lab.attendee} is {lab.outcome}{proof}."
        return f"{clean} of {counted(len(self.labs), 'lab')} are clean: two scans found nothing of them.{rest}"

    @property
    def heading(self) -> str:
        """When and by which version, in one line."""
        ended = f"to {moment(self.finished)}" if self.finished else "not finished"
        return f"Reset from {moment(self.started)} {ended}, labkit {self.version}"

    def blocks(self) -> list[Block]:
        """The summary, a row for each lab, why some are not clean, what is left, unusable rows, what was removed."""
        left = [(lab.attendee, thing["kind"], thing["name"], thing["why"]) for lab in self.labs for thing in lab.left]
        gone = [
            (lab.attendee, thing["kind"], thing["name"], thing["why"]) for lab in self.labs for thing in lab.removed
        ]
        reasons = [f"{lab.attendee}: {lab.reason} {lab.remedy}".rstrip() for lab in self.labs if lab.reason]
        return [
            sentences(self.summary),
            self._results(),
            sentences(*reasons),
            Table(("attendee", "left", "name", "because"), left),
            bad_rows(self.bad),
            Folded("What was removed", (Table(("attendee", "removed", "name", "because"), gone),)),
        ]

    def text(self) -> str:
        """The same, without what was removed: a terminal folds nothing away."""
        return text_of(self.blocks()[:-1], self.terms.say)

    def page(self) -> str:
        """A page of its own, to be handed over or printed: all of it with ids and times, and nothing folded away."""
        title = "Reset of a class" if len({lab.account for lab in self.labs}) > 1 else "Reset of an account"
        reasons = [(*lab.where, lab.reason, lab.remedy) for lab in self.labs if lab.reason]
        sections: list[tuple[str, Block]] = [
            ("Every lab", self._results()),
            ("What to do", Table((*WHERE, "why", "what to do"), reasons)),
            ("Rows of the roster that could not be used", bad_rows(self.bad)),
            ("What is left", self._things("left")),
            ("What was removed", self._things("removed")),
        ]
        page = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE_SHEET.read_text(encoding='utf-8')}</style></head><body>",
            f"<h1>{title}</h1><p>{html_escaped(self.heading)}</p>",
            f'<p class="{"good" if self.clean else "bad"}">{html_escaped(self.summary)}</p>',
            *(f"<h2>{name}</h2><div>{block.html()}</div>" for name, block in sections if block.html()),
            "</body></html>",
        ]
        return visible("\n".join(page))

    def _results(self) -> Table:
        rows = [(*lab.where, lab.outcome, counts(lab.removed)) for lab in self.labs]
        return Table((*WHERE, "result", "removed"), rows)

    def _things(self, which: str) -> Table:
        """What was removed or is left, with the ids that AWS gave it."""
        rows = [
            (*lab.where, *(thing[part] for part in ("kind", "name", "id", "why")))
            for lab in self.labs
            for thing in getattr(lab, which)
        ]
        return Table((*WHERE, "kind", "name", "id", "because"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything, the times as ISO 8601."""
        return {
            "clean": self.clean,
            "started": iso(self.started),
            "finished": iso(self.finished) if self.finished else None,
            "version": self.version,
            "labs": [lab.to_dict() for lab in self.labs],
            "rows": [row.to_dict() for row in self.bad],
        }


def counts(things: Iterable[Mapping[str, Any]]) -> str:
    """How many there are of each kind: `3 functions, 1 user pool`."""
    kinds = Counter(thing["kind"] for thing in things)
    return ", ".join(counted(count, kind) for kind, count in kinds.items()) or "nothing"


@dataclass(frozen=True)
class LabPlan:
    """What a reset would do to one attendee's lab: a plan, or the reason why it would be left alone."""

    seat: Seat
    plan: Plan | None = None
    obstacle: LabError | None = None

    @property
    def in_short(self) -> str:
        """What would be removed, by kind."""
        return counts(d.to_dict() for d in self.plan.deletions) if self.plan else "left alone"

    def to_dict(self) -> dict[str, Any]:
        """The attendee, the account, and the plan or the reason."""
        what = self.plan.to_dict() if self.plan else {}
        return {**self.seat.where, **what, **(self.obstacle.to_dict() if self.obstacle else {})}


@dataclass(frozen=True, repr=False)
class ResetPlan(OfAClass):
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

    def blocks(self) -> list[Block]:
        """The summary, a row for each lab, why some would be left alone, then each lab's whole plan."""
        rows = [(*lab.seat.where.values(), lab.in_short) for lab in self.labs]
        obstacles = [f"{n.seat.attendee}: {n.obstacle}" for n in self.labs if n.obstacle]
        plans = [(n.seat.attendee, n.plan) for n in self.labs if n.plan and (n.plan.deletions or n.plan.left)]
        return [
            sentences(self.summary),
            Table((*WHERE, "would remove"), rows),
            sentences(*obstacles),
            bad_rows(self.bad),
            *(Folded(attendee, tuple(plan.blocks()), titled=True) for attendee, plan in plans),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The plan of every lab, and the rows that cannot be used."""
        return {"labs": [lab.to_dict() for lab in self.labs], "rows": [row.to_dict() for row in self.bad]}
