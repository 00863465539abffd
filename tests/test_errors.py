"""Errors speak in two sentences, in a notebook, too."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.errors import LabError, in_notebook
from labkit.lab import Lab
from labkit.settings import Settings
from labkit.target.passwords import RESET

RAISE = 'from labkit.errors import LabError; raise LabError("There is no lab.", "Build it: labkit up")'


def test_a_notebook_shows_the_sentences_and_no_traceback(tmp_path: Path) -> None:
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "--quick", "-c", RAISE]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (shown.stdout + shown.stderr).strip() == "There is no lab. Build it: lab.up()"


def test_a_long_sentence_is_broken_between_words() -> None:
    lines = LabError("One " * 30 + "end.", "Do this.")._render_traceback_()
    assert " ".join(lines) == ("One " * 30 + "end. Do this.")
    assert max(len(line) for line in lines) == 87


@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("labkit up", "lab.up()"),
        ("labkit up --through http-api", 'lab.up("http-api")'),
        ("labkit up --reset-passwords", "lab.up(reset_passwords=True)"),
        ("labkit up --through user-pool --reset-passwords", 'lab.up("user-pool", reset_passwords=True)'),
        ("labkit check --step functions", 'lab.check("functions")'),
        ("labkit status", "lab.status()"),
        ("labkit down", "lab.down()"),
    ],
)
def test_a_notebook_names_its_own_verb(command: str, call: str) -> None:
    verb, words = call.removeprefix("lab.").split("(", 1)
    arguments = eval(f"(lambda *a, **k: (a, k))({words}", {})

    inspect.signature(getattr(Lab, verb)).bind(None, *arguments[0], **arguments[1])
    assert in_notebook(f"Build it: {command}") == f"Build it: {call}"
    assert in_notebook(f"{command}, then `{command}`.") == f"{call}, then `{call}`."
    assert LabError("It is not there.", f"Do: {command}").to_dict()["fix"] == f"Do: {command}"
    assert str(LabError("It is not there.", f"Do: {command}")) == f"It is not there. Do: {command}"


@pytest.mark.parametrize(
    "text",
    [
        "LABKIT_NAME=ana labkit down",
        "To give up: lab.up(), or labkit up.",
        "labkit up --through functions --yes",
        "labkit up --account 1",
        "labkit token adminuser",
        "labkit cloud stop",
        "my-labkit-up, labkit updates",
    ],
)
def test_what_belongs_into_a_shell_stays(text: str) -> None:
    assert in_notebook(text) == text


def test_what_a_lab_tells_meanwhile_is_told_in_the_notebooks_words(capsys: pytest.CaptureFixture[str]) -> None:
    Lab(Settings.from_environment()).tell(f"This machine does not know the password. {RESET}")
    told = capsys.readouterr().out
    assert 'lab.up("user-pool", reset_passwords=True)' in told
    assert "labkit" not in told


def test_a_remedy_of_more_sentences_is_told_in_the_notebooks_words() -> None:
    assert in_notebook(RESET).startswith(
        'Set new ones for the lab\'s users: lab.up("user-pool", reset_passwords=True). Then nobody'
    )
