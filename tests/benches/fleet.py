"""The reset of a class: many accounts at a time, and many labs in one account."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.fleet import rehearsal
from labkit.fleet.fleet import Fleet
from labkit.settings import Settings
from tests.benches.measuring import Figure, seconds
from tests.fleet.unseen import unseen

ACCOUNTS = 30
LABS = (50, 100, 200)

# How long AWS takes to answer a call of a control plane from another continent, in seconds.
ROUND_TRIP = 0.08


def figures() -> Iterator[Figure]:
    """A class in as many accounts, then classes that share one."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        settings = Settings("embedded", "jwt-lab", Path(folder), "python3.13")
        try:
            yield from _many_accounts(settings)
            yield from _one_account(settings)
        finally:
            rehearsal.stop(settings.home)


def _many_accounts(settings: Settings) -> Iterator[Figure]:
    taken = seconds(lambda: rehearsal.start(ACCOUNTS, settings.home, supervised=True))
    yield Figure(f"start of {ACCOUNTS} fake accounts, in seconds", f"{taken:.1f}")
    roster = rehearsal.status(settings.home).roster
    one, many = _resets(roster, settings)
    yield Figure(f"reset of {ACCOUNTS} accounts one after the other, in seconds", f"{one:.1f}")
    yield Figure("the same 16 at a time, in seconds", f"{many:.1f}")
    yield Figure("how many times faster on this machine's processors", f"{one / many:.1f}")
    with _each_call(lambda: time.sleep(ROUND_TRIP)):
        one, many = _resets(roster, settings)
    yield Figure(f"the same at {ROUND_TRIP * 1e3:.0f} ms a call, one after the other", f"{one:.1f}")
    yield Figure("16 at a time", f"{many:.1f}")
    yield Figure("how many times faster", f"{one / many:.1f}", "at least 4")


def _resets(roster: Path, settings: Settings, **options: Any) -> tuple[float, float]:
    """How long a reset of finished labs takes with one account at a time, and with sixteen."""
    return _reset(roster, settings, at_once=1, **options), _reset(roster, settings, at_once=16, **options)


def _reset(roster: Path, settings: Settings, **options: Any) -> float:
    _build(roster, settings)
    fleet = Fleet(roster, settings, display=unseen, **options)
    return seconds(lambda: fleet.reset(len(fleet.roster.accounts)))


def _build(roster: Path, settings: Settings) -> None:
    fleet = Fleet(roster, settings, display=unseen)
    fleet.reset(len(fleet.roster.accounts), "authorizer")


@contextmanager
def _each_call(action: Callable[[], object]) -> Iterator[None]:
    """Do something before each AWS call."""
    send: Callable[[Any, AWSPreparedRequest], AWSResponse] = URLLib3Session.send

    def sent(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        action()
        return send(session, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", sent)
        yield


def _one_account(settings: Settings) -> Iterator[Figure]:
    fake = rehearsal.start(1, settings.home, supervised=True).accounts[0]
    assert fake.cloud is not None
    memory, calls = [], []
    for labs in LABS:
        roster, made = settings.home / f"{labs}.csv", list[None]()
        _write(roster, [(f"a{n}", fake.account, "us-east-1", f"lab-{n}", fake.cloud.endpoint_url) for n in range(labs)])
        _build(roster, settings)
        with _each_call(lambda made=made: made.append(None)):
            taken = seconds(lambda roster=roster: Fleet(roster, settings, display=unseen).reset(1))
        calls.append(len(made) / labs)
        memory.append(psutil.Process().memory_info().rss / 2**20)
        yield Figure(f"reset of {labs} labs in one account, in seconds a lab", f"{taken / labs:.2f}")
        yield Figure(f"reset of {labs} labs in one account, in calls a lab", f"{calls[-1]:.1f}")
    yield Figure(
        f"calls for a lab among {LABS[-1]} against a lab among {LABS[0]}", f"{calls[-1] / calls[0]:.2f}", "1.3"
    )
    yield Figure(f"memory after {LABS[0]} labs, in MB", f"{memory[0]:.0f}")
    yield Figure(f"memory after {sum(LABS)} labs, in MB", f"{memory[-1]:.0f}", "the same")


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("attendee", "account", "region", "lab", "endpoint"), *rows])
