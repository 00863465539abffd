"""What tests ask of a home folder and of the processes that belong to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def remains(home: Path) -> list[str]:
    """What is in a home folder besides the lock that all starts share."""
    return sorted(path.name for path in home.iterdir() if path.name != "cloud.lock")


def processes(home: Path) -> list[psutil.Process]:
    """The processes that work for the cloud of a home folder: its server and its Lambda workers."""
    return [process for process in psutil.process_iter() if _works_for(process, home)]


def _works_for(process: psutil.Process, home: Path) -> bool:
    try:
        words = (*process.cmdline(), process.cwd(), process.environ().get("HOME", ""))
        works_there = any(str(home / "cloud-") in word for word in words)
        return works_there and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for something that other processes do."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited a minute in vain"
        time.sleep(0.02)


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run Python code in a process of its own, as a kernel or a terminal would."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
