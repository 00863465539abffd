"""What only a real account can tell, asked of one with `make test ARGS="-m aws"`, and here of a stand-in.

What that makes, needs and costs is said in docs/instructors.md, under "Ask a real account".
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.removal.second_scan import scan
from labkit.target.account import Account
from labkit.target.embedded import EmbeddedPlace
from tests import aws_account
from tests.aws import calls, report
from tests.aws.grounds import NAME, Grounds
from tests.aws.probes import NOT_ASKED, Probe
from tests.aws.report import ACCOUNT, LAB, PATH, PROBES, ROLE, AwsReport, open_lab
from tests.cloud import conformance
from tests.policies.calls import Account as Known
from tests.policies.calls import Gate
from tests.policies.test_attendee_policy import BOUNDARY, POLICY, give_boundary
from tests.private_home import private_home


@pytest.mark.aws
def test_what_a_real_account_says(record_property: Callable[[str, object], None], tmp_path: Path) -> None:
    """The report is told at the end of the run, whatever AWS answered. What must not be is that something is left."""
    try:
        made = report.run(*open_lab(tmp_path / "home"))
    except LabError as error:
        pytest.fail(str(error), pytrace=False)
    record_property("report", f"{made.text()}\n\nThe whole report, to be sent back: {made.write()}")
    assert made.left == ()


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that plays AWS: its APIs, key sets and hosted sign-in are reached where it serves them."""
    home = tmp_path_factory.mktemp("aws") / "home"
    cloud = process.start(home, supervised=True)
    give_boundary(cloud, BOUNDARY)
    place = EmbeddedPlace(cloud, "us-east-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROLE, attendees_role(place))  # while clients still reach the cloud by its own name
        aws_account.play(cloud, patch)
        patch.setattr(Account, "api_url", lambda _, api_id: place.api_url(api_id))
        patch.setattr(Account, "keys_url", lambda _, issuer: place.keys_url(issuer))
        patch.setattr(calls, "hosted_url", lambda *_: cloud.endpoint_url)
        yield cloud
    process.stop(home)


def attendees_role(place: EmbeddedPlace) -> str:
    """The ARN of a role that whoever is in the account may assume."""
    trust = {"Effect": "Allow", "Principal": {"AWS": place.account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = place.client("iam").create_role(RoleName="LabAttendee", AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


@pytest.fixture
def opened(stand_in: Cloud, tmp_path: Path) -> Lab:
    """The lab that is asked; nothing of it is built."""
    return open_lab(tmp_path / "home")[0]


@pytest.fixture(scope="module")
def asked(stand_in: Cloud, tmp_path_factory: pytest.TempPathFactory) -> AwsReport:
    """The whole run, by one who may do no more than the attendee whose lab it is."""
    principal = {"jwt-authorizer-lab-name": NAME, "jwt-authorizer-lab-region": "us-east-1"}
    with Gate(Known(stand_in.account_id, principal), [POLICY]).closed():
        return report.run(*open_lab(tmp_path_factory.mktemp("asked") / "home"))


def test_every_inferred_row_is_asked_or_says_why_not() -> None:
    assert {probe.row for probe in PROBES} | set(NOT_ASKED) == conformance.inferred()
    assert {probe.row for probe in PROBES} & set(NOT_ASKED) == set()
    assert len({(probe.row, probe.asks) for probe in PROBES}) == len(PROBES)


def test_the_stand_in_confirms_everything_to_one_who_may_what_an_attendee_may(asked: AwsReport) -> None:
    assert [answer for answer in asked.other if answer.row not in NOT_ASKED] == []
    assert [(answer.row, answer.outcome) for answer in asked.other] == [
        (row, f"not asked ({why})") for row, why in NOT_ASKED.items()
    ]
    assert (asked.caller, asked.left) == ("the role named", ())


def test_the_report_can_be_sent(
    asked: AwsReport, stand_in: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PATH, str(tmp_path / "report.json"))
    path = asked.write()
    text = path.read_text() + path.with_suffix(".txt").read_text()
    assert stand_in.account_id not in text
    assert "eyJ" not in text
    assert len(json.loads(path.read_text())["rows"]) == len(PROBES) + len(NOT_ASKED)
    assert "Nothing is left in the account." in text


def test_an_interrupted_run_is_cleaned_at_the_next_start_and_cleans_itself(
    opened: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, names = opened.target.client("apigatewayv2"), opened.target.names
    gateway.create_api(Name=names.what_if_api, ProtocolType="HTTP", Tags=names.tags)
    build = Lab.up
    standing: list[object] = []

    def interrupted(lab: Lab) -> None:
        standing.extend(scan(lab.target))
        build(lab, "functions")
        raise KeyboardInterrupt

    monkeypatch.setattr(Lab, "up", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report.run(opened, "nobody")
    assert standing == []
    assert scan(opened.target) == ()


def _not_allowed(g: Grounds) -> str:
    raise LabError(f"account {g.target.place.account} says no", "Ask another.")


@pytest.mark.parametrize(
    ("ask", "outcome"),
    [
        (lambda g: f"no, by {g.target.place.account}", "AWS did this instead: no, by <account>"),
        (lambda g: "eyJh.eyJi.c-_", "AWS did this instead: <token>"),
        (lambda g: "400 Name: a sentence", "confirmed"),
        (lambda g: "400 Names: a sentence", "AWS did this instead: 400 Names: a sentence"),
        (_not_allowed, "not asked (account <account> says no)"),
    ],
)
def test_what_differs_and_what_cannot_be_asked_is_told(
    ask: Callable[[Grounds], str], outcome: str, opened: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SECOND_THOUGHTS", 0)
    probe = Probe("row", "something", "400 Name", ask, needs_api=False)
    assert report.answer_to(probe, Grounds(opened)).outcome == outcome


@pytest.mark.parametrize("variable", [ROLE, ACCOUNT, LAB, PATH, "AWS_PROFILE"])
def test_what_says_how_to_ask_reaches_a_run_that_asks_and_no_other(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "told")
    with private_home(keep_aws=True):
        assert os.environ.get(variable) == "told"
    with private_home():
        assert variable not in os.environ


def test_an_account_must_be_named(stand_in: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(ROLE)
    with pytest.raises(LabError, match="nobody has named it"):
        open_lab(tmp_path / "home")
    monkeypatch.setenv(ACCOUNT, "111122223333")
    with pytest.raises(UsageError, match="You named account 111122223333"):
        open_lab(tmp_path / "home")
    monkeypatch.setenv(ACCOUNT, stand_in.account_id)
    assert open_lab(tmp_path / "home")[1] == "the caller's own credentials"
