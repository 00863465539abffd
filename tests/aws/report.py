"""What a real account answered to every inferred row of the conformance table, as a report that can be sent."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from labkit.aws import aws_errors_in_words
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.machine.polling import until
from labkit.settings import Settings
from labkit.target.account import Account
from labkit.target.target import Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown
from tests.aws.calls import CALLS
from tests.aws.grounds import NAME, RUNTIME, Grounds
from tests.aws.probes import DATA_PLANE, NOT_ASKED, Probe

PROBES = (*DATA_PLANE, *CALLS)

PATH, ROLE, ACCOUNT, LAB = "LABKIT_AWS_REPORT", "LABKIT_TEST_ROLE_ARN", "LABKIT_TEST_ACCOUNT", "LABKIT_TEST_NAME"

# An answer that differs is asked for again for so long: what was changed just before may not be served yet.
SECOND_THOUGHTS = 4


@dataclass(frozen=True)
class Answer:
    """What became of a row's question: `confirmed`, `AWS did this instead: ...` or `not asked (why)`.

    `observed` is AWS's own answer, which may say more than was expected.
    """

    row: str
    asks: str
    expected: str
    observed: str
    outcome: str


@dataclass(frozen=True, repr=False)
class AwsReport(Shown):
    """Every answer; who asked, where, when and for how long; and what is left in the account."""

    caller: str
    region: str
    day: str
    seconds: int
    answers: tuple[Answer, ...]
    left: tuple[str, ...]

    @property
    def other(self) -> tuple[Answer, ...]:
        """The answers that confirm nothing."""
        return tuple(answer for answer in self.answers if answer.outcome != "confirmed")

    def blocks(self) -> Iterator[Block]:
        """The numbers, what is not confirmed, and what is left."""
        kinds = Counter(answer.outcome.partition(":")[0].partition(" (")[0] for answer in self.answers)
        yield sentences(
            f"{len(self.answers)} questions, asked on {self.day} in {self.region} with {self.caller}, "
            f"in {self.seconds} seconds.",
            ", ".join(f"{kind}: {number}" for kind, number in kinds.items()) + ".",
            f"Left in the account: {', '.join(self.left)}." if self.left else "Nothing is left in the account.",
        )
        rows = [(answer.row, answer.asks, answer.expected, answer.outcome) for answer in self.other]
        yield Table(("row", "asked", "expected", "answer"), rows, (40, 28, 40, 60))

    def to_dict(self) -> dict[str, Any]:
        """The whole report."""
        return {
            "labkit": version("jwt-authorizer-lab"),
            "caller": self.caller,
            "region": self.region,
            "day": self.day,
            "seconds": self.seconds,
            "left": list(self.left),
            "rows": [vars(answer) for answer in self.answers],
        }

    def write(self) -> Path:
        """Write the report as JSON, and as text beside it. Returns the path of the JSON."""
        path = Path(os.environ.get(PATH) or "aws-report.json").absolute()
        path.write_text(json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        path.with_suffix(".txt").write_text(self.text() + "\n", encoding="utf-8")
        return path


def open_lab(home: Path) -> tuple[Lab, str]:
    """The lab to ask, in the account that the environment names, and in words whose credentials ask.

    Raises:
        LabError: the account is not named, or cannot be reached.
    """
    role = os.environ.get(ROLE)
    settings = Settings("aws", os.environ.get(LAB) or NAME, home, RUNTIME.name, own=False)
    with aws_errors_in_words():
        place = _assumed(role) if role else Account.from_environment()
    target = Target(settings, place, confirmed=False)
    account = os.environ.get(ACCOUNT) or (role.split(":")[4] if role else None)
    if account is None:
        raise LabError(
            f"This would write to AWS account {place.account}, region {place.region}, and nobody has named it.",
            f"Name the account to agree: {ACCOUNT}={place.account}, or the role to ask as: {ROLE}=...",
        )
    target.confirm(account)
    return Lab(
        settings, tell=lambda line: None, target=target
    ), "the role named" if role else "the caller's own credentials"


def _assumed(role: str) -> Account:
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise NoRegionError
    return Account.assumed(session, role, session.region_name)


def run(lab: Lab, caller: str) -> AwsReport:
    """Take away what an interrupted run left, build the lab, ask everything, and take the lab away.

    Raises:
        LabError: the lab cannot be built or taken away.
    """
    started = time.time()
    lab.down()
    try:
        lab.up()
        grounds = Grounds(lab).build()
        answers = [answer_to(probe, grounds) for probe in PROBES]
    finally:
        receipt = lab.down()
    answers += [Answer(row, "", "", "", f"not asked ({why})") for row, why in NOT_ASKED.items()]
    left = tuple(grounds.redacted(f"{thing.kind} {thing.name}") for thing in receipt.left if thing.ours)
    day = datetime.fromtimestamp(started, UTC).date().isoformat()
    return AwsReport(caller, lab.target.place.region, day, round(time.time() - started), tuple(answers), left)


def answer_to(probe: Probe, grounds: Grounds) -> Answer:
    """Ask one question."""
    found = ""
    try:
        if probe.needs_api and grounds.problem:
            raise LabError(grounds.problem, "Run it again.")
        found = until(lambda: grounds.redacted(probe.ask(grounds)), probe.confirmed, seconds=SECOND_THOUGHTS, every=2)
        outcome = "confirmed" if probe.confirmed(found) else f"AWS did this instead: {found}"
    except LabError as error:
        outcome = f"not asked ({error.problem})"
    except (ClientError, BotoCoreError, requests.RequestException, KeyError, ValueError) as error:
        outcome = f"not asked ({type(error).__name__}: {error})"
    return Answer(probe.row, probe.asks, probe.expected, found, grounds.redacted(outcome))
