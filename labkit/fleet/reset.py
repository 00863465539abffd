"""Reset the labs of one account: remove each, look a second time at all of them, build them again if asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from labkit.aws import aws_errors_in_words, until_settled
from labkit.errors import LabError
from labkit.fleet.accounts import Opened
from labkit.fleet.progress import Progress
from labkit.fleet.reset_record import ResetRecord
from labkit.fleet.reset_report import CLEAN, LEFT_ALONE, NOT_BUILT, QUARANTINED, REMOVING, LabPlan, LabResult
from labkit.fleet.roster import Seat
from labkit.fleet.workers import Stop
from labkit.lab import Lab
from labkit.removal import removal
from labkit.removal.receipt import Receipt
from labkit.target.target import Target

TRIES = 3


def plan_account(opened: Opened) -> list[LabPlan]:
    """What a reset would do to the labs of one account and region. Reads only."""
    return [_plan(opened, seat) for seat in opened.seats]


def _plan(opened: Opened, seat: Seat) -> LabPlan:
    try:
        with aws_errors_in_words(seat.profile):
            return LabPlan(seat, removal.plan(opened.target(seat)))
    except LabError as error:
        return LabPlan(seat, obstacle=error)


class _LeftAloneError(LabError):
    """An account that cannot or may not be entered. Trying again at once would not help."""


@dataclass(frozen=True)
class AccountReset:
    """The reset of one account and region, a lab after the other: AWS counts the calls of all of them together.

    Args:
        opened: the account, with its guards.
        record: told of each lab what became of it.
        progress: told what is going on.
        stop: ends the waiting between two tries.
        through: the step to build each lab through afterwards, if any.
        again: what a person does about a lab that is left, in a sentence.
    """

    opened: Opened
    record: ResetRecord
    progress: Progress
    stop: Stop
    through: str | None
    again: str

    def run(self) -> None:
        """Reset every lab of the account. What goes wrong with one does not stop the others."""
        failed = self._clean(self.opened.seats)
        for _ in range(TRIES - 1):
            if failed:
                self.stop.pause(max(self.opened.target(seat).place.patience for seat in failed) / TRIES)
                failed = self._clean(failed)
        for seat, error in failed.items():
            self._keep(seat, QUARANTINED, LabError(error.problem, f"{error.remedy} {self.again}"))
        if self.through:
            self._build([seat for seat in self.opened.seats if self.record.read(seat).state == CLEAN])
        self._finish()

    def _clean(self, seats: Iterable[Seat]) -> dict[Seat, LabError]:
        """Remove the labs, then look at each again. Returns those that are not clean, and why."""
        removed, failed = self._each(seats, self._remove)
        _, found = self._each(removed, self._look_again)
        return {**failed, **found}

    def _each(
        self, seats: Iterable[Seat], action: Callable[[Seat, Target], None]
    ) -> tuple[list[Seat], dict[Seat, LabError]]:
        """Do something to each lab. Returns the seats where it was done, and those where it failed."""
        done: list[Seat] = []
        failed: dict[Seat, LabError] = {}
        for seat in seats:
            try:
                self._attempt(seat, action)
                done.append(seat)
            except _LeftAloneError as error:
                self._keep(seat, LEFT_ALONE, error)
            except LabError as error:
                failed[seat] = error
        return done, failed

    def _attempt(self, seat: Seat, action: Callable[[Seat, Target], None]) -> None:
        try:
            target = self.opened.target(seat, confirmed=True)
        except LabError as error:
            raise _LeftAloneError(error.problem, error.remedy) from error
        try:
            with aws_errors_in_words(seat.profile):
                action(seat, target)
        except LabError:
            _require_access(target, seat.profile)
            raise

    def _remove(self, seat: Seat, target: Target) -> None:
        self.progress.say(seat, f"removing {seat.lab}")
        known = {seat.lab for seat in self.opened.seats}
        receipt = removal.remove_lab(target, keep=lambda receipt: self._keep_receipt(seat, receipt), known=known)
        for left in receipt.left:
            if left.ours:
                raise LabError(f"The {left.kind} {left.name} is left: {left.why}.", "Mend that first.")

    def _look_again(self, seat: Seat, target: Target) -> None:
        self.progress.say(seat, f"looking again at {seat.lab}")
        for found in until_settled(lambda: removal.scan(target)):
            if found.ours:
                raise LabError(f"The {found.kind} {found.name} was there again.", "See who makes it.")
        self._keep(seat, CLEAN)

    def _build(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            self.progress.say(seat, f"building {seat.lab}")
            try:
                target = self.opened.target(seat, confirmed=True, own_clients=True)
                Lab(target.settings, tell=lambda sentence: None, target=target).up(self.through)
                self._keep(seat, CLEAN, built=self.through or "")
            except LabError as error:
                self._keep(seat, NOT_BUILT, error)

    def _keep_receipt(self, seat: Seat, receipt: Receipt) -> None:
        earlier = self.record.read(seat)
        removed = [*earlier.removed, *(deletion.to_dict() for deletion in receipt.removed)]
        once = {(thing["kind"], thing["id"]): thing for thing in removed}
        left = tuple(left.to_dict() for left in receipt.left)
        self.record.keep(LabResult.of(seat, state=REMOVING, removed=tuple(once.values()), left=left))

    def _keep(self, seat: Seat, state: str, error: LabError | None = None, **more: Any) -> None:
        earlier = self.record.read(seat)
        reason, remedy = (error.problem, error.remedy) if error else ("", "")
        kept = {"removed": earlier.removed, "left": earlier.left, **more}
        self.record.keep(LabResult.of(seat, state=state, reason=reason, remedy=remedy, **kept))

    def _finish(self) -> None:
        states = [self.record.read(seat).state for seat in self.opened.seats]
        worst = next((state for state in (QUARANTINED, LEFT_ALONE, NOT_BUILT) if state in states), CLEAN)
        self.progress.finish(self.opened.seats[0], worst, good=worst == CLEAN)


def _require_access(target: Target, profile: str) -> None:
    """Raise _LeftAloneError if the account does not let us in any more: expired credentials, a closed account."""
    try:
        with aws_errors_in_words(profile):
            target.client("sts").get_caller_identity()
    except LabError as error:
        raise _LeftAloneError(error.problem, error.remedy) from error
