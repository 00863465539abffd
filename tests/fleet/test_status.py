"""Who is at which step, and who is stuck on what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labkit.fleet.preflight import AccountSymptom, Preflight
from labkit.fleet.reset_report import LabResult, ResetPlan, ResetReport
from labkit.fleet.roster import BadRow, Roster
from labkit.fleet.status import ClassStatus
from labkit.lab import Lab
from labkit.target.doctor import Symptom
from labkit.target.passwords import RESET, PasswordError
from tests.fleet.accounts import Accounts
from tests.fleet.classes import Classroom


def test_where_each_attendee_stands(classroom: Classroom) -> None:
    classroom.of("ana").up()
    classroom.of("ben").up("http-api")
    api_id = classroom.of("ben").up("http-api").ids["api_id"]

    status = classroom.fleet().status()

    assert status.summary == "1 of 3 attendees finished, 0 stuck."
    assert [(s.seat.attendee, s.steps, s.stuck, s.done) for s in status.standings] == [
        ("ana", "everything", "", True),
        ("ben", "functions, user-pool, http-api", "", False),
        ("cem", "nothing", "", False),
    ]
    assert status.to_dict()["attendees"][1]["built"] == ["functions", "user-pool", "http-api"]

    gateway = classroom.client("ben", "apigatewayv2")
    route = next(r for r in gateway.get_routes(ApiId=api_id)["Items"] if r["RouteKey"] == "GET /AdminUser")
    gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    function = f"{classroom.lab}-LambdaForRegularUser"
    classroom.client("ana", "lambda").update_function_configuration(FunctionName=function, Handler="wrong.handler")

    status = classroom.fleet().status()

    assert [(s.stuck, s.remedy) for s in status.standings] == [
        (f"functions: Handler of {function}", "labkit up --through functions"),
        ("http-api: no route GET /AdminUser", "labkit up --through http-api"),
        ("", ""),
    ]
    assert status.summary == "0 of 3 attendees finished, 2 stuck."
    assert classroom.fleet().reset(3).clean


def test_what_an_instructor_is_shown_names_a_terminals_verbs() -> None:
    """There is no `lab` in an instructor's notebook."""
    lab = LabResult("ana", "111100000001", "us-east-1", "jwt-lab", reason="No route.", remedy="Build it: labkit up")
    bad = BadRow(2, "ben", "No lab.", "Build it: labkit up")
    symptom = AccountSymptom("111100000001", "us-east-1", Symptom("lab", False, "No lab.", "Build it: labkit up"))
    of_rows = (ResetPlan((), (bad,)), Roster((), (bad,)), ClassStatus((), (bad,)))
    for result in (ResetReport((lab,), (), 0, 1, ""), Preflight((symptom,), ()), *of_rows):
        assert "Build it: labkit up" in result._repr_html_()


def test_either_runtime_is_right(classroom: Classroom) -> None:
    lab = classroom.of("ana")
    in_node = replace(lab.target, settings=replace(lab.settings, runtime="nodejs22.x"))
    Lab(in_node.settings, tell=lambda sentence: None, target=in_node).up("functions")

    (standing, *_) = classroom.fleet().status().standings

    assert (standing.steps, standing.stuck) == ("functions", "")
    assert classroom.fleet().reset(3).clean


def test_a_lab_that_cannot_be_looked_at(classroom: Classroom) -> None:
    classroom.write(
        [classroom.row("ana"), classroom.row("ben", endpoint="http://127.0.0.1:1"), classroom.row("cem", account="")]
    )

    status = classroom.fleet().status()

    assert not status.passed
    assert [(s.steps, s.stuck) for s in status.standings] == [
        ("nothing", ""),
        ("unknown", "No fake account 111100000002 answers at http://127.0.0.1:1."),
    ]
    assert [(row.attendee, row.problem) for row in status.bad] == [("cem", "The row has no account.")]
    assert "The row has no account." in status.text()
    assert "The row has no account." in status.html()


def test_who_keeps_the_passwords_at_home_is_done_and_not_stuck(accounts: Accounts) -> None:
    accounts.at_home("ana").up()

    status = accounts.fleet().status()

    ana = status.standings[0]
    assert (ana.steps, ana.stuck, ana.done) == ("everything", "", True)
    assert status.summary == "1 of 3 attendees finished, 0 stuck."
    assert "password" not in status.text()


def test_an_instructor_s_up_ends_nobody_s_sign_ins(classroom: Classroom) -> None:
    ana, helped = classroom.at_home("ana"), classroom.of("ana")
    ana.up()
    told = list[str]()
    helped.tell = told.append
    ana.target.client("cognito-idp").admin_remove_user_from_group(
        UserPoolId=ana.status().ids["user_pool_id"], Username="adminuser", GroupName="admin"
    )

    helped.up()

    assert told == [f"This machine does not know the password of adminuser and regularuser. {RESET}"]
    assert ana.check("user-pool").passed
    assert ana.tokens("adminuser")
    told.clear()
    helped.up(reset_passwords=True)
    assert "Nobody can sign in with the present ones any more." in told[0]
    assert [finding.subject for finding in ana.check("user-pool").findings] == [
        "password of adminuser",
        "password of regularuser",
    ]
    assert classroom.fleet().status().standings[0].done
    assert classroom.fleet().reset(3).clean
    ana.down()


def test_a_rehearsal_shows_what_an_instructor_sees_of_labs_on_other_machines(classroom: Classroom) -> None:
    ana = classroom.at_home("ana")
    ana.up()

    with pytest.raises(PasswordError, match="not known on this machine"):
        classroom.of("ana").password("adminuser")
    assert classroom.fleet().status().standings[0].done
    assert ana.tokens("adminuser")
    assert classroom.fleet().reset(3, through="user-pool").clean

    assert classroom.of("ana").tokens("adminuser")
    with pytest.raises(PasswordError, match="not known on this machine"):
        ana.tokens("adminuser")
    ana.up(reset_passwords=True)
    assert ana.check().passed
    assert classroom.fleet().status().standings[0].done
    assert classroom.fleet().reset(3).clean
    ana.down()
