"""A command loads what it needs: help, wrong words and the reading of a token wait for nothing of AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.cli.terminal import STEP_NAMES
from labkit.steps import STEPS
from tests.signing import signed

HEAVY = ("boto3", "requests", "ipywidgets", "IPython", "rich", "yaml", "cryptography")

PROGRAM = f"""
import atexit, sys
atexit.register(lambda: print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr))
from labkit.cli.main import main
main()
"""

TOKEN = signed({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example12", "token_use": "id"})


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], ""),
        (["--version"], ""),
        (["reset", "--help"], ""),
        (["upp"], ""),
        (["call", "GET /Adminuser"], ""),
        (["token", "admin"], ""),
        (["token", "adminuser", "--kind", "jwt"], ""),
        (["preflight", "--roster", "none.csv"], ""),
        (["decode", "no token"], ""),
        (["decode", TOKEN], ""),
        (["cloud", "class", "status"], ""),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_a_command_loads(words: list[str], loaded: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LABKIT_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1].split() == loaded.split(), done.stderr


def test_the_help_names_the_steps() -> None:
    assert ", ".join(step.name for step in STEPS) == STEP_NAMES
