"""A process of labkit's dies of SIGKILL in the middle of its work: the next one completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_up import complaints
from tests.faults.wire import Wire


def killed(home: Path, name: str, verb: str, calls: int) -> None:
    command = [sys.executable, "-m", "tests.faults.killed", str(home), name, verb, str(calls)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL


# A log group without retention, a role without policy, a user without password, a route without scope.
@pytest.mark.parametrize("calls", [2, 8, 46, 72])
def test_up_after_a_killed_up(calls: int, wire: Wire, home: Path, name: str) -> None:
    killed(home, name, "up", calls)

    wire.lab(name).up()

    assert wire.lab(name).check().findings == ()
    assert complaints(wire, name) == []


@pytest.mark.parametrize("calls", [21, 23, 30])
def test_down_after_a_killed_down(calls: int, wire: Wire, home: Path, name: str) -> None:
    wire.lab(name).up()
    undisturbed = wire.lab(name).down().text()
    wire.lab(name).up()

    killed(home, name, "down", calls)

    assert wire.lab(name).down().text() == undisturbed


def test_up_after_a_killed_down(wire: Wire, home: Path, name: str) -> None:
    wire.lab(name).up()
    killed(home, name, "down", 25)

    wire.lab(name).up()

    assert wire.lab(name).check().findings == ()
    assert complaints(wire, name) == []
