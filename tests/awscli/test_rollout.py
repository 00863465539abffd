"""The guide's lines that roll accounts out, held against the AWS CLI's own description of its commands."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path

from labkit.fleet.roster import read_roster
from tests.notebooks.rules import ROOT

GUIDE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```shell\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in BLOCKS for line in block.replace("\\\n", "").splitlines() if line.startswith("aws cloudformation")
]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    pair = {"AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16, "AWS_SECRET_ACCESS_KEY": "s" * 40}
    environment = {
        **pair,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    return subprocess.run(
        ["sh", "-euc", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_every_command_is_one_of_the_aws_clis(aws: Path, tmp_path: Path) -> None:
    """It checks what it is given, and answers with an example instead of calling AWS."""
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        alone = re.sub(r" --query '[^']*'", "", command).replace("aws ", f"{aws} ", 1)
        done = run(f"{alone} --generate-cli-skeleton output", tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_the_roster_follows_from_the_accounts(tmp_path: Path) -> None:
    """With a program in the AWS CLI's place that answers as its `--output text` does."""
    told = "Ana Sand\\t111122223333\\nBen\\t044455556666\\n"
    (tmp_path / "aws").write_text(f"#!/bin/sh\nprintf '{told}'\n")
    (tmp_path / "aws").chmod(0o755)
    roster = tmp_path / "class.csv"
    script = next(block for block in BLOCKS if "class.csv" in block).replace("class.csv", str(roster))

    assert run(script, tmp_path).returncode == 0

    read = read_roster(roster)
    assert (len(read.seats), read.bad) == (2, ())
    with roster.open() as file:
        assert list(csv.DictReader(file))[1] == {
            "attendee": "Ben",
            "account": "044455556666",
            "region": "us-east-1",
            "lab": "",
            "role": "LabInstructor",
            "principal": "arn:aws:iam::044455556666:role/LabAttendee",
        }
