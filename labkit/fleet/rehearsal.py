"""A class of fake accounts on this machine, to practise on: each is an embedded cloud in a process of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.errors import LabError, UsageError
from labkit.fleet.reset_record import forget_resets
from labkit.fleet.roster import DEFAULT_LAB, OfAClass
from labkit.machine.private_files import remove_files, write_text
from labkit.settings import Settings
from labkit.target.embedded import region_from_environment
from labkit.target.journal import forget_embedded
from labkit.text.blocks import Block, Table, sentences

T = TypeVar("T")

MOST_ACCOUNTS = 99
ROSTER_FILE = "roster.csv"

# Starting an account keeps a processor busy for most of a second.
_AT_ONCE = 8


@dataclass(frozen=True)
class FakeAccount:
    """One account of the class, and the cloud that answers for it, if it runs."""

    attendee: str
    account: str
    cloud: Cloud | None


@dataclass(frozen=True, repr=False)
class Rehearsal(OfAClass):
    """The accounts of a rehearsed class, and the roster that leads to them."""

    accounts: tuple[FakeAccount, ...]
    roster: Path

    def blocks(self) -> list[Block]:
        """A row for each account."""
        rows = [(a.attendee, a.account, a.cloud.endpoint_url if a.cloud else "not running") for a in self.accounts]
        return [Table(("attendee", "account", "endpoint"), rows) if rows else sentences(_NOTHING)]

    def to_dict(self) -> dict[str, Any]:
        """The path of the `roster`, and the `accounts` with their `endpoint_url` (null if one does not run)."""
        accounts = [
            {"attendee": a.attendee, "account": a.account, "endpoint_url": a.cloud.endpoint_url if a.cloud else None}
            for a in self.accounts
        ]
        return {"roster": str(self.roster) if self.accounts else None, "accounts": accounts}


_NOTHING = "No class is being rehearsed. Start one: labkit cloud class start N"


def start(
    size: int, home: Path | None = None, *, weather: str = "calm", seed: int = 0, supervised: bool = False
) -> Rehearsal:
    """Start a class, or bring the one that runs to another size, and write its roster.

    Args:
        size: how many accounts, each with one attendee.
        home: the lab's home folder; the environment's by default.
        weather: calm, or rough: slow and moody, as AWS can be. An account that runs keeps its own.
        seed: repeats a rough weather.
        supervised: end the accounts when this process ends. Otherwise each ends after two hours without a request.

    Raises:
        UsageError: no such size.
        LabError: an account cannot be started, for want of memory or disk for one, or another roster is in the way.
    """
    if not isinstance(size, int) or not 1 <= size <= MOST_ACCOUNTS:
        raise UsageError(f"A class of {size!r} cannot be rehearsed.", f"Ask for 1 to {MOST_ACCOUNTS} accounts.")
    home = home or Settings.from_environment().home
    roster = _folder(home) / ROSTER_FILE
    if roster.exists() and not _accounts(home):
        raise LabError(f"{roster} is in the way: labkit did not write it.", "Move it away.")
    wanted = [_account_id(number) for number in range(1, size + 1)]
    _each(lambda account: _remove(account_home(home, account)), [a for a in _accounts(home) if a not in wanted])

    def started(account: str) -> None:
        folder = account_home(home, account)
        process.start(folder, account_id=account, weather=weather, seed=seed, supervised=supervised)

    _each(started, wanted)
    rehearsal = status(home)
    write_text(rehearsal.roster, _roster(rehearsal.accounts))
    return rehearsal


def status(home: Path | None = None) -> Rehearsal:
    """The class as it is. Starts and stops nothing."""
    home = home or Settings.from_environment().home
    clouds = _each(lambda account: running(home, account), _accounts(home))
    accounts = zip(_accounts(home), clouds, strict=True)
    fakes = tuple(FakeAccount(_attendee(account), account, cloud) for account, cloud in accounts)
    return Rehearsal(fakes, _folder(home) / ROSTER_FILE)


def stop(home: Path | None = None) -> int:
    """Stop every account of the class and remove all that is in it, its resets too. Returns how many there were."""
    home = home or Settings.from_environment().home
    accounts = _accounts(home)
    _each(lambda account: _remove(account_home(home, account)), accounts)
    forget_resets(home, _folder(home) / ROSTER_FILE)
    remove_files(_folder(home), [ROSTER_FILE] if accounts else [])
    return len(accounts)


def running(home: Path, account: str) -> Cloud | None:
    """The cloud of a fake account, if it runs."""
    return process.find(account_home(home, account))


def account_home(home: Path, account: str) -> Path:
    """The folder of a fake account: the LABKIT_HOME of its attendee."""
    return _folder(home) / account


def _folder(home: Path) -> Path:
    return home / "rehearsal"


def _account_id(number: int) -> str:
    return f"1111000000{number:02}"


def _attendee(account: str) -> str:
    return f"attendee-{account[-2:]}"


def _accounts(home: Path) -> list[str]:
    """The accounts of the class, in order, whether they run or not. Each has the lock of its cloud."""
    return sorted(lock.parent.name for lock in _folder(home).glob(f"1111000000??/{process.LOCK_FILE}"))


def _remove(folder: Path) -> None:
    process.stop(folder)
    forget_embedded(folder)
    remove_files(folder, [process.LOCK_FILE])


def _each(action: Callable[[str], T], accounts: Iterable[str]) -> list[T]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(action, accounts))


def _roster(accounts: Iterable[FakeAccount]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("attendee", "account", "region", "lab", "endpoint"))
    for fake in accounts:
        endpoint = fake.cloud.endpoint_url if fake.cloud else ""
        writer.writerow((fake.attendee, fake.account, region_from_environment(), DEFAULT_LAB, endpoint))
    return text.getvalue()
