"""A class: the labs of many attendees in many accounts, looked at and reset in parallel."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from labkit.errors import LabError, UsageError
from labkit.fleet.accounts import Opened, Reach
from labkit.fleet.guards import Guards, account_ids, protected_accounts
from labkit.fleet.preflight import Preflight, look_at
from labkit.fleet.progress import Display, Progress, suitable_display
from labkit.fleet.reset import AccountReset, plan_account
from labkit.fleet.reset_record import ResetRecord, latest, one_at_a_time
from labkit.fleet.reset_report import ResetPlan, ResetReport
from labkit.fleet.roster import Roster, Seat, read_roster
from labkit.fleet.status import ClassStatus, standings
from labkit.fleet.workers import Stop, in_threads
from labkit.lab import Lab
from labkit.settings import Settings
from labkit.steps.building import step_named
from labkit.text.wording import counted, moment

T = TypeVar("T")

# Most of the time is spent waiting for AWS. Each account has a few connections of its own.
AT_ONCE = 16


class Fleet:
    """The labs of a class, as its roster names them.

    Args:
        path: the roster, a CSV or YAML file.
        settings: where this machine keeps its files, and the runtime.
        guards: accounts that must not be reset.
        tell: told what a person should know while the work goes on.
        display: shows the progress.
        at_once: how many accounts are worked on at a time.
        stop: ends the work, for tests to wait for nothing.

    Raises:
        UsageError: the roster cannot be read.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        guards: Guards | None = None,
        tell: Callable[[str], None] = print,
        display: Display | None = None,
        at_once: int = AT_ONCE,
        stop: Stop | None = None,
    ) -> None:
        self.path = path
        self.settings = settings
        self.roster: Roster = read_roster(path)
        self.guards = guards or Guards(protected_accounts(settings.home))
        self.in_rehearsal = all(seat.endpoint for seat in self.roster.seats)
        self._tell = tell
        self._display = display or suitable_display()
        self._at_once = at_once
        self._stop = stop

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        protect: Collection[str] = (),
        management: Collection[str] = (),
        tell: Callable[[str], None] = print,
    ) -> Fleet:
        """The class of a roster, with the environment's settings.

        Args:
            path: the roster, a CSV or YAML file.
            protect: ids of accounts that must not be reset, besides those in `<LABKIT_HOME>/protected-accounts.txt`.
            management: ids of management accounts that may be reset although they are.
            tell: told what a person should know while the work goes on.

        Raises:
            UsageError: the roster or a setting is wrong.
        """
        if not isinstance(path, str | Path):
            problem = f"A roster is named by the path of its file, and this is a {type(path).__name__}."
            raise UsageError(problem, "Of a class that you practise on it is: practice.roster")
        settings = Settings.from_environment()
        guards = Guards(protected_accounts(settings.home, protect), account_ids(management))
        return cls(Path(path), settings, guards=guards, tell=tell)

    def __repr__(self) -> str:
        bad = f", {counted(len(self.roster.bad), 'row')} unusable" if self.roster.bad else ""
        return f"class of {self._size()}{bad}"

    def _size(self) -> str:
        seats, accounts = len(self.roster.seats), len(self.roster.accounts)
        return f"{counted(seats, 'attendee')} in {counted(accounts, 'account')}"

    def lab(self, attendee: str) -> Lab:
        """The lab of one attendee, to look at or to help with.

        Raises:
            UsageError: nobody of that name is in the roster.
            LabError: the account cannot be reached.
        """
        for seat in self.roster.seats:
            if seat.attendee == attendee:
                opened = Opened(Reach(self.settings, Stop()), (seat,))
                target = opened.target(seat, confirmed=bool(seat.endpoint))
                return Lab(target.settings, target=target)
        there = ", ".join(seat.attendee for seat in self.roster.seats)
        raise UsageError(f"The roster has no attendee {attendee!r}.", f"Name one of: {there}.")

    def preflight(self) -> Preflight:
        """Whether every account is ready for the class. Reads only."""
        symptoms = self._each_account(lambda opened, *_: look_at(opened, self.guards))
        return Preflight(tuple(symptoms), self.roster.bad)

    def status(self) -> ClassStatus:
        """Where every attendee stands. Reads only."""
        found = {standing.seat: standing for standing in self._each_account(lambda opened, *_: standings(opened))}
        return ClassStatus(tuple(found[seat] for seat in self.roster.seats), self.roster.bad)

    def plan_reset(self) -> ResetPlan:
        """What `reset` would delete. Reads only."""
        plans = self._each_account(lambda opened, *_: plan_account(opened), self.guards)
        found = {plan.seat: plan for plan in plans}
        return ResetPlan(tuple(found[seat] for seat in self.roster.seats), self.roster.bad)

    def reset(self, accounts: int | None, through: str | None = None) -> ResetReport:
        """Remove every lab of the roster, look a second time, and build them again if asked to.

        If the last reset of this roster was killed, its report also tells what that one removed. What stands is asked
        of AWS alone, as if there had been none. The report is also written to files.

        Args:
            accounts: how many accounts the roster has, to agree.
            through: the last step to build for the next class; none by default.

        Raises:
            UsageError: that is not how many accounts there are, or there is no such step.
            LabError: another process is resetting this class.
        """
        self.require(accounts)
        if through is not None:
            step_named(through)
        with one_at_a_time(self.settings.home, self.path):
            return self._reset(ResetRecord.of(self.settings.home, self.path), through)

    def _reset(self, record: ResetRecord, through: str | None) -> ResetReport:
        if record.goes_on:
            self._tell(f"Going on with the reset begun at {moment(record.started)}; every lab is looked at anew.")

        def reset_account(opened: Opened, progress: Progress, stop: Stop) -> list[None]:
            AccountReset(opened, record, progress, stop, through, self._again(through)).run()
            return []

        self._each_account(reset_account, self.guards)
        record.finish()
        report = record.report(self.roster)
        record.write(report)
        return report

    def _again(self, through: str | None) -> str:
        look = f"labkit reset --roster {shlex.quote(str(self.path.absolute()))}"
        build = f" --through {through}" if through else ""
        return f"To look: `{look}`. To try again: `{look} --execute{build}`."

    def report(self) -> ResetReport:
        """The report of the last reset of this roster, also of one that was killed.

        Raises:
            LabError: there was none on this machine.
        """
        return self._last_reset().report(self.roster)

    def report_files(self) -> Path:
        """The folder of the last reset's report: `class.html` and `class.json`, and the same for each account.

        Raises:
            LabError: there was none on this machine.
        """
        record = self._last_reset()
        if record.finished is None or not record.files.exists():  # it was killed before it could write them
            record.write(record.report(self.roster))
        return record.files

    def _last_reset(self) -> ResetRecord:
        record = latest(self.settings.home, self.path)
        if record is None:
            problem = f"This machine has made no reset of the roster {self.path.name}."
            raise LabError(problem, "See what one would do: labkit reset --roster FILE")
        return record

    def require(self, accounts: int | None) -> None:
        """Refuse to go on unless somebody named the number of accounts. UsageError if it is another number."""
        there_are = len(self.roster.accounts)
        if accounts != there_are:
            named = "nobody has confirmed it" if accounts is None else f"you said {accounts!r}"
            raise UsageError(
                f"This would remove the labs of {self._size()}, and {named}.",
                "Look at the plan first. To agree, say how many accounts the roster has: --yes --accounts "
                f"{there_are} in a terminal, reset({there_are}) in a notebook.",
            )

    def _each_account(self, work: Callable[[Opened, Progress, Stop], list[T]], guards: Guards | None = None) -> list[T]:
        """Do something in every account and region, some at a time. Returns all that it gave, in the roster's order."""
        stop, progress = self._stop or Stop(), Progress(self.roster.groups)
        reach = Reach(self.settings, stop, progress.listen)

        def one(group: tuple[Seat, ...]) -> list[T]:
            progress.say(group[0], "at work")
            given = work(Opened(reach, group, guards), progress, stop)
            progress.finish(group[0])
            return given

        with self._display(progress) as show:
            parts = in_threads(one, self.roster.groups, self._at_once, stop, show)
        return [given for part in parts for given in part]
