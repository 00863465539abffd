"""Classes that tests make of the fake accounts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.fleet.fleet import Fleet
from labkit.fleet.guards import Guards
from labkit.fleet.rehearsal import FakeAccount, Rehearsal, account_home
from labkit.fleet.workers import Stop
from labkit.lab import Lab
from labkit.settings import Settings
from tests.fleet.unseen import unseen

ATTENDEES = ("ana", "ben", "cem")
COLUMNS = ("attendee", "account", "region", "lab", "principal", "endpoint")


class Impatience(Stop):
    """Keeps nobody waiting, and remembers for how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        super().pause(0)


@dataclass
class Classroom:
    """ana, ben and cem, each with a lab in one of three fake accounts; `roster` is their file."""

    practice: Rehearsal
    roster: Path
    lab: str
    stop: Impatience = field(default_factory=Impatience)

    def __post_init__(self) -> None:
        self.write([self.row(attendee) for attendee in ATTENDEES])

    @property
    def home(self) -> Path:
        """The home folder of the instructor."""
        return self.practice.roster.parent.parent

    @property
    def settings(self) -> Settings:
        """The settings of the instructor."""
        return Settings("embedded", "jwt-lab", self.home, "python3.13")

    def account(self, attendee: str) -> FakeAccount:
        """The fake account of an attendee."""
        return self.practice.accounts[ATTENDEES.index(attendee)]

    def row(self, attendee: str, /, **changes: str) -> dict[str, str]:
        """The row of an attendee in the roster."""
        fake = self.account(attendee)
        assert fake.cloud is not None
        endpoint = fake.cloud.endpoint_url
        kept = {"attendee": attendee, "account": fake.account, "region": "us-east-1", "lab": self.lab}
        return {**kept, "endpoint": endpoint, **changes}

    def write(self, rows: Sequence[dict[str, str]]) -> None:
        """Write the roster."""
        with self.roster.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def fleet(self, **options: Any) -> Fleet:
        """The class as its roster is now."""
        given = {"display": unseen, "stop": self.stop, "guards": Guards(), **options}
        return Fleet(self.roster, self.settings, **given)

    def of(self, attendee: str) -> Lab:
        """The lab of an attendee."""
        lab = self.fleet().lab(attendee)
        lab.tell = lambda sentence: None
        return lab

    def at_home(self, attendee: str) -> Lab:
        """The lab of an attendee, who works on it in a home of their own."""
        home = account_home(self.home, self.account(attendee).account)
        return Lab(Settings("embedded", self.lab, home, "python3.13"), tell=lambda sentence: None)

    def client(self, attendee: str, service: str) -> Any:
        """A client in an attendee's account."""
        return self.of(attendee).target.client(service)

    def standing(self) -> dict[str, list[str]]:
        """The steps of each attendee's lab of which anything exists."""
        return {
            attendee: [s.step for s in self.of(attendee).status().states if any(r.found for r in s.resources)]
            for attendee in ATTENDEES
        }
