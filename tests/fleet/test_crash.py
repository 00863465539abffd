"""A reset that was killed anywhere is completed by the next one, whose report tells all that both removed."""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.errors import LabError
from labkit.fleet.reset_record import one_at_a_time
from labkit.fleet.reset_report import ResetReport
from tests.asked import ALL_FAULTS
from tests.fleet.classes import ATTENDEES, Classroom

# After how many calls one is killed: after each where all faults are asked for.
EVERY = 1 if ALL_FAULTS else 25

send_really = URLLib3Session.send


class EndedError(BaseException):
    """The process ended here. No `except Exception` holds it up."""


@contextmanager
def ended_after(calls: int, interrupt: type[BaseException] = EndedError) -> Iterator[list[str]]:
    """End whoever makes so many calls, the last of them answered. Gives what was asked for."""
    asked: list[str] = []

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        answer = send_really(session, request)
        asked.append(request.url)
        if len(asked) >= calls:
            raise interrupt
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", send)
        yield asked


def but_for_times_and_ids(report: ResetReport) -> Any:
    """What a report says, without what is different for each reset and for each lab that is built."""
    told = report.to_dict()
    assert told.pop("started") <= told.pop("finished")
    for lab in told["labs"]:
        for thing in (*lab["removed"], *lab["left"]):
            del thing["id"]
    return told


@pytest.fixture
def alone(classroom: Classroom) -> Classroom:
    """A class of one."""
    classroom.write([classroom.row("ana")])
    return classroom


@pytest.mark.parametrize("through", [None, "functions"])
def test_a_reset_that_ends_after_any_call_is_completed(through: str | None, alone: Classroom) -> None:
    alone.of("ana").up()
    undisturbed = but_for_times_and_ids(alone.fleet().reset(1, through))

    for calls in itertools.count(1, EVERY):
        alone.of("ana").up()
        with ended_after(calls) as asked:
            if not stopped(alone, through):
                break

        report = alone.fleet().reset(1, through)

        assert but_for_times_and_ids(report) == undisturbed
        assert len(asked) >= calls  # what goes side by side is not ended at once

    assert calls > 50
    assert alone.fleet().reset(1).clean


def stopped(classroom: Classroom, through: str | None) -> bool:
    """Reset a class, and tell whether it was ended."""
    try:
        classroom.fleet().reset(1, through)
    except EndedError:
        return True
    return False


@pytest.mark.parametrize("calls", [30, 70])
def test_a_reset_that_was_really_killed_is_completed(calls: int, classroom: Classroom) -> None:
    build(classroom)
    undisturbed = but_for_times_and_ids(classroom.fleet().reset(3))
    build(classroom)

    command = [sys.executable, "-m", "tests.fleet.killed", classroom.roster, classroom.home, str(calls)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    assert not classroom.fleet().report().clean
    assert classroom.fleet().report().finished is None

    assert but_for_times_and_ids(classroom.fleet().reset(3)) == undisturbed


def build(classroom: Classroom) -> None:
    for attendee, through in zip(ATTENDEES, (None, "functions", "functions"), strict=True):
        classroom.of(attendee).up(through)


def test_a_reset_is_not_continued_after_it_has_ended(alone: Classroom) -> None:
    alone.of("ana").up("functions")
    first = alone.fleet().reset(1)
    second = alone.fleet().reset(1)

    assert [len(lab.removed) for report in (first, second) for lab in report.labs] == [12, 0]


def test_ctrl_c_ends_all_accounts_before_their_next_call(classroom: Classroom) -> None:
    build(classroom)
    fleet = classroom.fleet(display=interrupted, stop=None)

    with pytest.raises(KeyboardInterrupt):
        fleet.reset(3)
    assert fleet.report().finished is None

    report = classroom.fleet().reset(3)
    assert report.clean
    assert [len(lab.removed) for lab in report.labs] == [15, 12, 12]


@contextmanager
def interrupted(progress: Any) -> Iterator[Any]:
    """A display at which a person presses Ctrl-C when the first thing was removed."""

    def show() -> None:
        if any(line.removed for line in progress.lines.values()):
            raise KeyboardInterrupt

    yield show


@pytest.mark.parametrize("first", [None, "functions"])
@pytest.mark.parametrize("then", [None, "functions"])
def test_what_a_reset_that_was_ended_had_cleaned_is_looked_at_anew(
    first: str | None, then: str | None, classroom: Classroom
) -> None:
    build(classroom)
    with pytest.raises(KeyboardInterrupt):
        classroom.fleet(display=interrupted_after_the_first, at_once=1, stop=None).reset(3, first)
    ana = classroom.fleet().report().labs[0]
    assert (ana.state, ana.built) == ("clean", first or "")
    classroom.of("ana").up("functions")
    role = f"{classroom.lab}-LambdaForAdminUser-us-east-1"
    everything = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    iam = classroom.client("ana", "iam")
    iam.put_role_policy(RoleName=role, PolicyName="mine", PolicyDocument=everything)
    said: list[str] = []

    report = classroom.fleet(tell=said.append).reset(3, then)

    assert report.clean
    assert [re.sub(r"at \S+ \S+ UTC", "at TIME", sentence) for sentence in said] == [
        "Going on with the reset begun at TIME; every lab is looked at anew."
    ]
    assert ("role policy", f"mine of {role}") in [(thing["kind"], thing["name"]) for thing in report.labs[0].removed]
    assert classroom.standing()["ana"] == ([then] if then else [])
    if then:
        assert "mine" not in iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert classroom.fleet(tell=said.append).reset(3).clean
    assert len(said) == 1


@contextmanager
def interrupted_after_the_first(progress: Any) -> Iterator[Any]:
    """A display at which a person presses Ctrl-C when the first account is done."""

    def show() -> None:
        if any(line.finished for line in progress.lines.values()):
            raise KeyboardInterrupt

    yield show


def test_the_report_of_a_reset_that_was_ended_says_so(classroom: Classroom) -> None:
    build(classroom)
    with pytest.raises(KeyboardInterrupt):
        classroom.fleet(display=interrupted_after_the_first, at_once=1, stop=None).reset(3)
    fleet = classroom.fleet()

    assert not fleet.report().clean
    # The second may be clean, too, before the display looks at the first.
    assert re.match("This reset is not finished: [12] of 3 labs clean so far", fleet.report().summary)
    assert "not finished" in (fleet.report_files() / "class.html").read_text()
    assert fleet.reset(3).clean


def test_a_clean_record_of_every_lab_is_no_clean_report_before_the_end(alone: Classroom) -> None:
    report = alone.fleet().reset(1)

    assert report.clean
    assert not replace(report, finished=None).clean
    shutil.rmtree(alone.fleet().report_files())  # as if it was ended before it could write them
    assert (alone.fleet().report_files() / "class.html").exists()


def test_one_reset_of_a_class_at_a_time(alone: Classroom) -> None:
    with one_at_a_time(alone.home, alone.roster), pytest.raises(LabError, match="Another labkit is resetting"):
        alone.fleet().reset(1)

    assert alone.fleet().reset(1).clean
