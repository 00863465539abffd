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

HEAVY = ("boto3", "botocore", "requests", "ipywidgets", "IPython", "rich", "yaml", "cryptography", "psutil", "filelock")

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
        (["preflight", "--roster", "none.csv"], "botocore"),
        (["decode", "no token"], ""),
        (["decode", TOKEN], ""),
        (["cloud", "class", "status"], "botocore"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_a_command_loads(words: list[str], loaded: str, tmp_path: Path) -> None:
    assert loaded_by(words, tmp_path) == loaded.split()


def test_what_a_command_loads_before_aws_refuses_it(tmp_path: Path) -> None:
    aws = {"LABKIT_TARGET": "aws", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}

    assert loaded_by(["status"], tmp_path, **aws) == ["boto3", "botocore", "requests", "cryptography"]


def loaded_by(words: list[str], folder: Path, **variables: str) -> list[str]:
    environment = {**os.environ, "LABKIT_HOME": str(folder / "home"), **variables}
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[-1].split()


def test_the_help_names_the_steps() -> None:
    assert ", ".join(step.name for step in STEPS) == STEP_NAMES
