"""The guide for instructors tells what is so: its lines for practice run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from labkit.fleet.roster import OPTIONAL, REQUIRED, read_roster
from tests.cloud.homes import processes
from tests.notebooks.rules import ROOT

GUIDE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_practice_can_be_pasted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "LABKIT_HOME": str(home), "PATH": path}

    command = ["bash", "-euo", "pipefail", "-c", blocks("sh")[0]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert blocks("text")[0] in done.stdout
    assert processes(home) == []
    assert not (home / "rehearsal").exists()


def test_every_other_command_is_one(tmp_path: Path) -> None:
    commands = [line.split("#")[0].split() for block in blocks("sh")[1:] for line in block.splitlines()]
    assert len(commands) == 7
    for command in commands:
        environment = {**os.environ, "LABKIT_HOME": str(tmp_path)}
        words = [sys.executable, "-m", "labkit.cli.main", *command[1:]]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (command[0], done.returncode) == ("labkit", 2)
        assert done.stderr.startswith("The roster class.csv cannot be read: No such file or directory.")


def test_the_example_rosters_are_rosters(tmp_path: Path) -> None:
    for ending in ("csv", "yaml"):
        path = tmp_path / f"class.{ending}"
        path.write_text(blocks(ending)[0], encoding="utf-8")
        assert read_roster(path).bad == ()


def test_every_column_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE) == [*REQUIRED, *OPTIONAL]
