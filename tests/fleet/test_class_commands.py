"""The commands for a class: what they print, how they end, and that a person types the number of accounts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from labkit.cli import main as cli
from labkit.fleet import rehearsal
from tests.fleet.classes import Classroom
from tests.labs import NAME_A_STEP
from tests.notebooks.rules import ROOT
from tests.terminal import Terminal

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def labkit(classroom: Classroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line over the class in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("LABKIT_HOME", str(classroom.home))

    def run(*words: str, roster: bool = True) -> tuple[int, str, str]:
        more = ["--roster", str(classroom.roster)] if roster else []
        monkeypatch.setattr(sys, "argv", ["labkit", *words, *more])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return run


def test_a_class_from_preflight_to_report(classroom: Classroom, labkit: Run) -> None:
    code, out, _ = labkit("preflight", "--json")
    assert (code, json.loads(out)["passed"]) == (0, True)

    code, out, _ = labkit("reset", "--execute", "--yes", "--accounts", "3", "--through", "functions", "--json")
    assert (code, [lab["built"] for lab in json.loads(out)["labs"]]) == (0, ["functions"] * 3)

    code, out, _ = labkit("status", "--json")
    assert (code, [who["built"] for who in json.loads(out)["attendees"]]) == (0, [["functions"]] * 3)

    code, out, _ = labkit("reset", "--json")
    assert (code, [len(lab["deletions"]) for lab in json.loads(out)["labs"]]) == (0, [12] * 3)
    assert classroom.standing()["ana"] == ["functions"]

    code, out, err = labkit("reset", "--execute", "--yes")
    assert (code, out.splitlines()[0]) == (0, "3 of 3 labs are clean: two scans found nothing of them.")
    assert "111100000002 us-east-1: clean\n" in err

    code, again, err = labkit("report")
    assert (code, again) == (0, out)
    assert "Its files: " in err


def test_it_is_no_success_if_a_row_cannot_be_used(classroom: Classroom, labkit: Run) -> None:
    classroom.write([classroom.row("ana"), classroom.row("ben", region="mars")])

    for words in (["preflight"], ["status"], ["reset"], ["reset", "--execute", "--yes"], ["report"]):
        code, out, _ = labkit(*words)
        assert (code, "AWS has no region 'mars' with Cognito user pools." in out) == (1, True), words


NOBODY = (
    "This would remove the labs of 3 attendees in 3 accounts, and nobody has confirmed it.\n"
    "Look at the plan first. To agree, say how many accounts the roster has: --yes --accounts 3 in a terminal, "
    "reset(3) in a notebook.\n"
)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["reset", "--execute"], NOBODY),
        (["reset", "--execute", "--yes", "--accounts", "2"], NOBODY.replace("nobody has confirmed it", "you said 2")),
        (["reset", "--through", "functions"],
         "--through says what to build after a reset.\nGive --execute, too, or leave it out.\n"),
        (["reset", "--execute", "--yes", "--through", "api"],
         f"The lab has no step 'api'.\n{NAME_A_STEP}\n"),
        (["reset", "--protect", "me"], "'me' is not an account id.\nIt is a text of 12 digits, and nothing else.\n"),
        (["reset", "--management", "1"], "'1' is not an account id.\nIt is a text of 12 digits, and nothing else.\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_call_that_is_wrong(words: list[str], told: str, classroom: Classroom, labkit: Run) -> None:
    assert labkit(*words) == (2, "", told)


def test_no_roster_and_no_reset_yet(classroom: Classroom, labkit: Run) -> None:
    code, out, _ = labkit("report", "--json")
    assert (code, json.loads(out)["error"]) == (1, "This machine has made no reset of the roster class.csv.")
    assert labkit("reset", "--roster", "none.csv", roster=False)[0] == 2


def test_the_protect_option_keeps_an_account(classroom: Classroom, labkit: Run) -> None:
    code, out, _ = labkit("reset", "--execute", "--yes", "--protect", "111100000002", "--json")

    assert (code, [lab["state"] for lab in json.loads(out)["labs"]]) == (1, ["clean", "left alone", "clean"])


def at_terminal(classroom: Classroom, *words: str) -> Terminal:
    """labkit at a terminal, over the class."""
    home, roster = str(classroom.home), str(classroom.roster)
    return Terminal("labkit.cli.main", *words, "--roster", roster, LABKIT_HOME=home, TERM="xterm")


def test_a_person_sees_the_plan_and_types_the_number_of_accounts(classroom: Classroom) -> None:
    classroom.of("ana").up("functions")
    terminal = at_terminal(classroom, "reset", "--execute")
    terminal.read_until("Type the number of accounts in the roster to go on:")
    assert "A reset would make 12 deletions in 1 account. None is made yet." in terminal.printed

    terminal.type("3\n")

    assert terminal.end() == 0
    assert "3 of 3 done, 0 at work, 0 waiting" in terminal.printed
    assert "3 of 3 labs are clean: two scans found nothing of them." in terminal.printed
    assert classroom.standing()["ana"] == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [(lambda terminal: terminal.type("2\n"), 2), (Terminal.interrupt, 130)],
    ids=["another number", "Ctrl-C"],
)
def test_whatever_else_a_person_types_deletes_nothing(
    answer: Callable[[Terminal], None], code: int, classroom: Classroom
) -> None:
    classroom.of("ana").up("functions")
    terminal = at_terminal(classroom, "reset", "--execute")
    terminal.read_until("Type the number of accounts in the roster to go on:")

    answer(terminal)

    assert terminal.end() == code
    assert "Traceback" not in terminal.printed
    assert classroom.standing()["ana"] == ["functions"]
    assert classroom.fleet().reset(3).clean


@pytest.mark.parametrize("where", ["anywhere", "beside others"])
@pytest.mark.parametrize(
    "verb", [["preflight"], ["status"], ["reset", "--execute", "--yes", "--accounts", "3"]], ids=lambda verb: verb[0]
)
def test_ctrl_c_waits_for_no_call_that_hangs(verb: list[str], where: str, classroom: Classroom) -> None:
    endpoint = classroom.row("ben")["endpoint"]
    command = [sys.executable, "-m", "tests.fleet.hanging", *verb, "--roster", classroom.roster, endpoint, where]
    running = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "LABKIT_HOME": str(classroom.home)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == "hanging\n"

    running.send_signal(signal.SIGINT)

    _, err = running.communicate(timeout=30)  # the call itself would hang for ever
    assert running.returncode == 130
    assert err.endswith("Stopped.\nNothing is lost: the same command goes on where this one stopped.\n")


def test_a_class_to_practise_on(
    labkit: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("practice") / "home"
    monkeypatch.setenv("LABKIT_HOME", str(home))
    try:
        words = ["cloud", "class", "start", "1", "--weather", "rough", "--seed", "3", "--json"]
        code, out, _ = labkit(*words, roster=False)
        started = json.loads(out)
        assert (code, started["roster"]) == (0, f"{home}/rehearsal/roster.csv")
        assert started["accounts"][0]["endpoint_url"].startswith("http://127.0.0.1:")

        assert labkit("cloud", "class", "status", roster=False)[1].count("111100000001") == 1
        cloud = rehearsal.running(home, "111100000001")
        assert cloud is not None
        assert cloud.weather == "rough"
        assert labkit("preflight", "--roster", started["roster"], roster=False)[0] == 0
        assert labkit("cloud", "class", "start", "0", roster=False)[0] == 2
    finally:
        code, out, _ = labkit("cloud", "class", "stop", roster=False)
    assert (code, out) == (0, "Stopped 1 fake account.\n")
    assert labkit("cloud", "class", "stop", roster=False)[1] == "No class was being rehearsed.\n"
    assert json.loads(labkit("cloud", "class", "status", "--json", roster=False)[1]) == {"roster": None, "accounts": []}
    assert not (home / "rehearsal").exists()
