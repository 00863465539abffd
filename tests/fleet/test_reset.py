"""A reset takes away the labs of the roster and nothing else, proves it twice, and says of each what became of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.errors import LabError, UsageError
from labkit.fleet import rehearsal
from labkit.fleet.fleet import Fleet
from labkit.fleet.guards import Guards
from labkit.settings import Settings
from tests.cloud.homes import wait_until
from tests.fleet.classes import ATTENDEES, Classroom
from tests.fleet.unseen import unseen
from tests.labs import lab_at
from tests.removal import decoys
from tests.removal.account import everything

WHOLE_LAB = "1 HTTP API, 1 hosted domain, 1 user pool, 3 functions, 3 role policies, 3 roles, 3 log groups"


def accounts(classroom: Classroom) -> list[dict[Any, Any]]:
    """All that is in each account."""
    return [everything(lambda service, a=a: classroom.client(a, service)) for a in ATTENDEES]


def test_a_plan_deletes_nothing_and_a_reset_makes_just_its_deletions(classroom: Classroom) -> None:
    classroom.of("ana").up()
    classroom.of("ben").up("user-pool")
    before = accounts(classroom)

    plan = classroom.fleet().plan_reset()

    assert accounts(classroom) == before
    assert plan.passed
    assert [lab.in_short for lab in plan.labs] == [WHOLE_LAB, WHOLE_LAB.removeprefix("1 HTTP API, "), "nothing"]
    assert plan.summary == "A reset would make 29 deletions in 2 accounts. None is made yet."

    report = classroom.fleet().reset(3)

    assert report.clean
    assert report.summary == "3 of 3 labs are clean: two scans found nothing of them."
    planned = [[(d.kind, d.id) for d in lab.plan.deletions] for lab in plan.labs if lab.plan]
    assert [[(thing["kind"], thing["id"]) for thing in lab.removed] for lab in report.labs] == planned
    assert classroom.standing() == {"ana": [], "ben": [], "cem": []}


def test_what_is_not_in_the_roster_survives(classroom: Classroom) -> None:
    client = lambda service: classroom.client("ana", service)  # noqa: E731
    neighbour = lab_at(classroom.home / "rehearsal" / "111100000001", f"{classroom.lab}-2")
    neighbour.up()
    pool = decoys.user_pool(client, f"{classroom.lab}-users", decoys.ANOTHER_LABS)
    group = f"/aws/lambda/{classroom.lab}-LambdaForAdminUser-mine"
    decoys.log_group(client, group)
    before = everything(client)
    classroom.of("ana").up()

    report = classroom.fleet().reset(3)

    assert report.clean
    assert everything(client) == before
    assert [(thing["kind"], thing["name"], thing["ours"]) for thing in report.labs[0].left] == [
        ("user pool", f"{classroom.lab}-users", False),
        ("lab", f"{classroom.lab}-2", False),
    ]
    neighbour.down()
    client("cognito-idp").delete_user_pool(UserPoolId=pool)
    client("logs").delete_log_group(logGroupName=group)


def test_many_labs_in_one_account(classroom: Classroom) -> None:
    rows = [classroom.row("ana", attendee=f"guest-{n}", lab=f"{classroom.lab}-g{n}") for n in (1, 2, 3)]
    classroom.write([*rows, classroom.row("ben")])
    fleet = classroom.fleet()
    for guest in ("guest-1", "guest-2"):
        classroom.of(guest).up("functions")

    report = fleet.reset(2)

    assert [lab.outcome for lab in report.labs] == ["clean"] * 4
    assert [len(lab.removed) for lab in report.labs] == [12, 12, 0, 0]
    assert [len(part.labs) for part in report.accounts.values()] == [3, 1]


def test_the_labs_are_built_again_for_the_next_class(classroom: Classroom) -> None:
    classroom.of("ana").up()

    report = classroom.fleet().reset(3, "user-pool")

    assert [lab.outcome for lab in report.labs] == ["clean, built through user-pool"] * 3
    assert [len(lab.removed) for lab in report.labs] == [15, 0, 0]
    assert classroom.standing() == {name: ["functions", "user-pool"] for name in ATTENDEES}
    assert classroom.fleet().reset(3).clean


def test_a_lab_that_will_not_go_is_tried_three_times_and_quarantined(classroom: Classroom) -> None:
    classroom.of("ana").up("functions")
    classroom.of("ben").up("functions")
    role = f"{classroom.lab}-LambdaForAdminUser-us-east-1"
    arn = classroom.client("ana", "iam").get_role(RoleName=role)["Role"]["Arn"]
    stranger = f"stranger-{classroom.lab}"
    decoys.function(lambda service: classroom.client("ana", service), stranger, arn)

    report = classroom.fleet().reset(3)

    assert [lab.state for lab in report.labs] == ["quarantined", "clean", "clean"]
    assert not report.clean
    assert report.summary == "2 of 3 labs are clean: two scans found nothing of them. The rest: 1 quarantined."
    assert report.labs[0].reason == f"The role {role} is left: somebody else's function runs with it: {stranger}."
    look = f"labkit reset --roster {classroom.roster}"
    assert report.labs[0].remedy == f"Mend that first. To look: `{look}`. To try again: `{look} --execute`."
    assert len(classroom.stop.waited) == 2
    assert len(report.labs[0].removed) == 10

    classroom.client("ana", "lambda").delete_function(FunctionName=stranger)
    again = classroom.fleet().reset(3)
    assert [lab.state for lab in again.labs] == ["clean"] * 3
    assert [thing["kind"] for thing in again.labs[0].removed] == ["role policy", "role"]


def test_an_account_that_looks_like_production_is_left_alone(classroom: Classroom) -> None:
    alias = "acme-production"
    for attendee in ("ana", "ben"):
        classroom.of(attendee).up("functions")
    iam = classroom.client("ben", "iam")
    iam.create_account_alias(AccountAlias=alias)
    try:
        plan = classroom.fleet().plan_reset()
        report = classroom.fleet().reset(3)
    finally:
        iam.delete_account_alias(AccountAlias=alias)

    assert [lab.in_short for lab in plan.labs][1] == "left alone"
    assert [lab.state for lab in report.labs] == ["clean", "left alone", "clean"]
    assert report.labs[1].reason == f"Account 111100000002 is called {alias}, which looks like production."
    assert classroom.standing()["ben"] == ["functions"]
    assert classroom.fleet().reset(3).clean


def test_a_protected_account_is_left_alone(classroom: Classroom) -> None:
    classroom.of("cem").up("functions")
    guards = Guards(protected=frozenset({"111100000003"}))

    report = classroom.fleet(guards=guards).reset(3)

    assert [lab.state for lab in report.labs] == ["clean", "clean", "left alone"]
    assert report.labs[2].reason == "Account 111100000003 is on the protect list."
    assert classroom.standing()["cem"] == ["functions"]
    assert classroom.fleet().reset(3).clean


def test_the_protect_list_is_a_file(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(classroom.home))
    file = classroom.home / "protected-accounts.txt"
    file.write_text("# ours\n111100000002  # the shop\n\n")
    try:
        fleet = Fleet.open(classroom.roster, protect=["111100000003"])
        assert fleet.guards.protected == {"111100000002", "111100000003"}
        assert Fleet(classroom.roster, classroom.settings).guards.protected == {"111100000002"}

        file.write_text("the shop\n")
        with pytest.raises(UsageError, match="'the shop' is not an account id"):
            Fleet.open(classroom.roster)
    finally:
        file.unlink()


@pytest.mark.parametrize("number", [None, 0, 2, 4])
def test_nothing_is_deleted_unless_the_number_of_accounts_is_right(number: int | None, classroom: Classroom) -> None:
    classroom.of("ana").up("functions")

    with pytest.raises(UsageError, match="3 attendees in 3 accounts"):
        classroom.fleet().reset(number)
    with pytest.raises(UsageError, match="no step 'api'"):
        classroom.fleet().reset(3, "api")

    assert classroom.standing()["ana"] == ["functions"]
    assert classroom.fleet().reset(3).clean


def test_rows_that_cannot_be_used_are_reported_and_the_others_proceed(classroom: Classroom) -> None:
    classroom.of("ben").up("functions")
    classroom.write(
        [
            classroom.row("ana", account="1111"),
            classroom.row("ben"),
            classroom.row("cem", attendee="dan", account="111100000009"),
            classroom.row("cem", attendee="eva", lab="another", endpoint="http://127.0.0.1:1"),
        ]
    )

    report = classroom.fleet().reset(3)

    assert [(row.line, row.attendee) for row in report.bad] == [(2, "ana")]
    endpoint = classroom.row("cem")["endpoint"]
    assert [(lab.attendee, lab.state, lab.reason) for lab in report.labs] == [
        ("ben", "clean", ""),
        ("dan", "left alone", f"No fake account 111100000009 answers at {endpoint}."),
        ("eva", "left alone", "No fake account 111100000003 answers at http://127.0.0.1:1."),
    ]
    assert not report.clean
    assert "The account id 1111 has 4 digits instead of 12." in report.text()


def test_a_class_of_five_thousand_rows(classroom: Classroom) -> None:
    classroom.of("ana").up("functions")
    strangers = [classroom.row("cem", attendee=f"guest-{n}", account=f"2222{n:08}") for n in range(4998)]
    classroom.write([classroom.row("ana"), *strangers, classroom.row("ben")])

    report = classroom.fleet().reset(5000)

    assert [report.labs[0].state, report.labs[4999].state] == ["clean", "clean"]
    assert {lab.state for lab in report.labs[1:4999]} == {"left alone"}
    assert len(report.labs[0].removed) == 12


def test_an_account_that_ends_in_the_middle_stops_no_other(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", Settings("embedded", "jwt-lab", tmp_path / "home", "python3.13")
    try:
        practice = rehearsal.start(2, home, supervised=True)
        fleet = Fleet(practice.roster, settings, display=unseen)
        for attendee in ("attendee-01", "attendee-02"):
            fleet.lab(attendee).up("functions")
        cloud = practice.accounts[1].cloud
        assert cloud is not None
        psutil.Process(cloud.pid).kill()
        wait_until(lambda: rehearsal.running(home, "111100000002") is None)

        report = fleet.reset(2)

        assert [lab.state for lab in report.labs] == ["clean", "left alone"]
        assert report.labs[1].remedy.startswith("Start the class again")
    finally:
        rehearsal.stop(home)


def test_the_report_is_kept_in_files_for_the_class_and_each_account(classroom: Classroom) -> None:
    with pytest.raises(LabError, match=r"has made no reset of the roster class\.csv"):
        classroom.fleet().report()
    classroom.of("ana").up("functions")

    report = classroom.fleet().reset(3)
    folder = classroom.fleet().report_files()

    assert classroom.fleet().report().to_dict() == report.to_dict()
    names = ["111100000001", "111100000002", "111100000003", "class"]
    files = sorted(path.name for path in folder.iterdir() if path.stem in names)
    assert files == [f"{name}.{ending}" for name in names for ending in ("html", "json")]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()} == {0o600}
    assert json.loads((folder / "class.json").read_text()) == report.to_dict()
    page = (folder / "111100000001.html").read_text()
    for part in (
        f"The lab {classroom.lab} of ana is clean: two scans found nothing of it.",
        f"<td>{classroom.lab}-LambdaForAdminUser</td>",
        "its name and its tag are this lab&#x27;s",
        "us-east-1",
        f"labkit {report.version}",
    ):
        assert part in re.sub(' style="[^"]*"', "", page)
    assert "ben" not in page
    assert report.labs[0].removed[0]["id"] in (folder / "class.html").read_text()


def test_no_report_of_an_account_in_which_nothing_was_done(classroom: Classroom) -> None:
    guards = Guards(protected=frozenset({"111100000002"}))

    report = classroom.fleet(guards=guards).reset(3)

    assert list(report.accounts) == ["111100000001", "111100000003"]
    assert not list(classroom.fleet().report_files().glob("111100000002.*"))
    assert report.started < (report.finished or 0)
