"""A class of fake accounts starts, grows, shrinks and ends, each account apart from the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.errors import UsageError
from labkit.fleet import rehearsal
from labkit.fleet.fleet import Fleet
from labkit.fleet.roster import read_roster
from labkit.settings import Settings
from tests.cloud.homes import processes, wait_until
from tests.fleet.unseen import unseen


def accounts(home: Path) -> list[str]:
    return [fake.account for fake in rehearsal.status(home).accounts]


def test_a_class_is_brought_to_a_size_and_ends_without_a_trace(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        first = rehearsal.start(1, home, supervised=True)
        grown = rehearsal.start(2, home, supervised=True)
        assert accounts(home) == ["111100000001", "111100000002"]
        assert grown.accounts[0].cloud == first.accounts[0].cloud

        shrunk = rehearsal.start(1, home, supervised=True)
        assert accounts(home) == ["111100000001"]
        assert shrunk.accounts == first.accounts
        assert (home / "rehearsal" / "roster.csv").stat().st_mode & 0o777 == 0o600

        Fleet(shrunk.roster, Settings("embedded", "jwt-lab", home, "python3.13"), display=unseen).reset(1)
    finally:
        stopped = rehearsal.stop(home)

    assert stopped == 1
    assert processes(home) == []
    assert list(home.iterdir()) == []
    assert rehearsal.status(home).text() == "No class is being rehearsed. Start one: labkit cloud class start N"


def test_the_roster_leads_to_accounts_of_their_own(practice: rehearsal.Rehearsal) -> None:
    seats = read_roster(practice.roster).seats

    assert [(seat.attendee, seat.account, seat.region, seat.lab) for seat in seats] == [
        ("attendee-01", "111100000001", "us-east-1", "jwt-lab"),
        ("attendee-02", "111100000002", "us-east-1", "jwt-lab"),
        ("attendee-03", "111100000003", "us-east-1", "jwt-lab"),
    ]
    clouds = [fake.cloud for fake in practice.accounts]
    assert [cloud.account_id for cloud in clouds if cloud] == ["111100000001", "111100000002", "111100000003"]
    assert len({cloud.pid for cloud in clouds if cloud}) == 3
    assert len({cloud.secret_access_key for cloud in clouds if cloud}) == 3


def test_an_attendee_who_is_not_there_is_told_who_is(practice: rehearsal.Rehearsal) -> None:
    with pytest.raises(UsageError, match="Name one of: attendee-01, attendee-02, attendee-03"):
        Fleet.open(practice.roster).lab("attendee-9")


def test_a_class_is_opened_by_its_roster_and_not_by_itself(practice: rehearsal.Rehearsal) -> None:
    itself: Any = practice
    with pytest.raises(UsageError, match=r"Rehearsal\. .*practice\.roster"):
        Fleet.open(itself)


def test_an_account_that_was_killed_starts_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        (fake,) = rehearsal.start(1, home, supervised=True).accounts
        assert fake.cloud is not None
        psutil.Process(fake.cloud.pid).kill()
        wait_until(lambda: rehearsal.status(home).accounts[0].cloud is None)
        assert "not running" in rehearsal.status(home).text()

        (again,) = rehearsal.start(1, home, supervised=True).accounts

        assert again.account == fake.account
        assert again.cloud is not None
        assert again.cloud.instance != fake.cloud.instance
    finally:
        rehearsal.stop(home)
    assert processes(home) == []


@pytest.mark.parametrize("size", [0, -1, 100, "4", 2.5, None])
def test_a_size_that_cannot_be(size: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"A class of {size!r} cannot be rehearsed"):
        rehearsal.start(size, tmp_path / "home")

    assert not (tmp_path / "home").exists()
