"""A class in AWS accounts that the fake accounts play."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from labkit.fleet.fleet import Fleet
from labkit.fleet.guards import Guards
from labkit.lab import Lab
from labkit.settings import Settings
from labkit.target.target import Target
from tests.fleet.classes import ATTENDEES, Impatience
from tests.fleet.organisation import Organisation
from tests.fleet.unseen import unseen

ANA, BEN, CEM = "111100000001", "111100000002", "111100000003"


class Accounts:
    """ana, ben and cem, each with a lab in an AWS account that the instructor enters through a role."""

    def __init__(self, aws: Organisation, folder: Path, lab: str) -> None:
        self.aws = aws
        self.lab = lab
        self.roster = folder / "class.csv"
        self._settings = Settings("aws", "jwt-lab", folder / "home", "python3.13")
        self.write({})

    def write(self, changes: dict[str, dict[str, str]]) -> None:
        """Write the roster, with changes to some attendees' rows."""
        columns = ("attendee", "account", "region", "lab", "profile", "role", "given_role", "principal")
        with self.roster.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for attendee, account in zip(ATTENDEES, (ANA, BEN, CEM), strict=True):
                row = {"attendee": attendee, "account": account, "region": "us-east-1", "role": "Instructor"}
                writer.writerow({"lab": self.lab, **row, **changes.get(attendee, {})})

    def fleet(self, **guards: frozenset[str]) -> Fleet:
        """The class, in no time."""
        return Fleet(self.roster, self._settings, guards=Guards(**guards), display=unseen, stop=Impatience())

    def built(self, attendee: str) -> Lab:
        """The lab of an attendee, its functions built."""
        lab = self.fleet().lab(attendee)
        lab.target.confirm(lab.target.place.account)
        lab.up("functions")
        return lab

    def at_home(self, attendee: str) -> Lab:
        """The lab of an attendee, who works on it on a machine of their own."""
        target = self.fleet().lab(attendee).target
        settings = replace(target.settings, home=self.roster.parent / attendee, own=True)
        return Lab(settings, tell=lambda sentence: None, target=Target(settings, target.place, confirmed=True))

    def stands(self, attendee: str) -> bool:
        """Whether anything of an attendee's lab is there."""
        states = self.fleet().lab(attendee).status().states
        return any(resource.found for state in states for resource in state.resources)
