"""What a reset of a class has done so far, kept on this machine, so that one that was killed can tell all of it.

AWS alone knows what stands. This remembers what was removed: a folder for each reset, a file for each lab in it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labkit.fleet.reset_report import RESULT, WAITING, LabResult, ResetReport
from labkit.fleet.roster import Roster, Seat
from labkit.machine import locks
from labkit.machine.private_files import private_folder, read_object, write_json, write_text
from labkit.machine.shapes import is_moment

_RUN = "run.json"
_SHAPE = {"started": is_moment, "finished": lambda value: value is None or is_moment(value)}


class ResetRecord:
    """One reset of the class of a roster."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "report"
        self.goes_on = False
        self._folder = folder
        self._labs = folder / "labs"
        self._run = read_object(folder / _RUN, _SHAPE)

    @classmethod
    def of(cls, home: Path, roster: Path) -> ResetRecord:
        """The reset to go on with, if the last one of this roster did not end, or a new one.

        Args:
            home: the lab's home folder (`Settings.home`).
            roster: the roster's path.
        """
        last = latest(home, roster)
        if last and last.finished is None:
            last._begin_again()
            return last
        record = cls(_folder(home, roster) / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}")
        record._write(started=time.time(), finished=None)
        return record

    def _begin_again(self) -> None:
        """Believe nothing of what the labs were when the reset was ended. What it removed stays told."""
        for kept in filter(None, map(self._read, self._labs.glob("*.json"))):
            self.keep(replace(kept, state=WAITING, reason="", remedy="", built=""))
        self.goes_on = True

    @property
    def started(self) -> float:
        """When the reset began, in seconds since 1970."""
        return float(self._run["started"])

    @property
    def finished(self) -> float | None:
        """When the reset ended, in seconds since 1970; None if it did not."""
        return self._run.get("finished")

    def read(self, seat: Seat) -> LabResult:
        """What is known of a seat's lab: that it is waiting, if nothing else is."""
        return self._read(self._file(seat.account, seat.region, seat.lab)) or LabResult.of(seat)

    def _read(self, file: Path) -> LabResult | None:
        """What a file tells of the lab that it is named after."""
        kept = read_object(file, RESULT)
        result = LabResult.from_dict(kept) if kept else None
        return result if result and file == self._file(result.account, result.region, result.lab) else None

    def keep(self, result: LabResult) -> None:
        """Remember what became of a lab."""
        write_json(self._file(result.account, result.region, result.lab), result.to_dict())

    def finish(self) -> None:
        """The reset has ended."""
        self._write(started=self.started, finished=time.time())

    def report(self, roster: Roster) -> ResetReport:
        """The report of the labs of a roster."""
        results = tuple(map(self.read, roster.seats))
        return ResetReport(results, roster.bad, self.started, self.finished, version("jwt-authorizer-lab"))

    def write(self, report: ResetReport) -> None:
        """Write a report of the class, `class.html` and `class.json`, and one of each account in which it worked."""
        for name, part in {"class": report, **report.accounts}.items():
            write_text(self.files / f"{name}.html", part.page() + "\n")
            write_text(self.files / f"{name}.json", json.dumps(part.to_dict(), indent=1) + "\n")

    def _file(self, *words: str) -> Path:
        return self._labs / f"{'-'.join(words)}.json"

    def _write(self, **run: Any) -> None:
        self._run = run
        private_folder(self._folder)
        write_json(self._folder / _RUN, run)


def one_at_a_time(home: Path, roster: Path) -> AbstractContextManager[None]:
    """Let nobody else on this machine reset the class of a roster meanwhile. BusyError if somebody does."""
    file = private_folder(_folder(home, roster)) / "lock"
    return locks.one_at_a_time(file, "Another labkit is resetting this class.", "Let it finish, then repeat this.")


def latest(home: Path, roster: Path) -> ResetRecord | None:
    """The last reset of the class of a roster, if there was one."""
    runs = sorted(run for run in _folder(home, roster).glob(f"*/{_RUN}") if read_object(run, _SHAPE))
    return ResetRecord(runs[-1].parent) if runs else None


def forget_resets(home: Path, roster: Path) -> None:
    """Remove the records and reports of every reset of a roster's class."""
    shutil.rmtree(_folder(home, roster), ignore_errors=True)
    with suppress(OSError):
        (home / "resets").rmdir()


def _folder(home: Path, roster: Path) -> Path:
    digest = hashlib.sha256(str(roster.resolve()).encode()).hexdigest()[:8]
    return home / "resets" / f"{roster.stem}-{digest}"
