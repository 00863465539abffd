"""A program at a terminal of its own, in front of which a test sits."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios

import pytest

from tests.notebooks.rules import ROOT


class Terminal:
    """A Python module as a program, at a terminal of 40 lines of 200 characters. `printed` is what was read of it."""

    def __init__(self, module: str, *words: str, **environment: str) -> None:
        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, b"\x28\x00\xc8\x00\x00\x00\x00\x00")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=other, stdout=other, stderr=other, cwd=ROOT, env={**os.environ, **environment},
            # Its own controlling terminal: Ctrl-C is then a signal.
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )  # fmt: skip
        os.close(other)
        self.printed = ""

    def read_until(self, words: str) -> None:
        """Read on until these words came, or the program has ended."""
        while words not in self.printed and (more := self._more()):
            self.printed += more.decode(errors="replace").replace("\r", "")

    def _more(self) -> bytes:
        if not select.select([self._end], [], [], 60)[0]:
            self._process.kill()
            pytest.fail(f"Nothing came for a minute after: {self.printed}")
        try:
            return os.read(self._end, 4096)
        except OSError:  # Linux's way to say that nobody is at the other end
            return b""

    def type(self, line: str) -> None:
        """Type a line, which ends with \\n, or a key."""
        os.write(self._end, line.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, and again if nothing comes of it: Python is deaf for a moment just before it reads a line."""
        for _ in range(12):
            self.type("\x03")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
                return

    def end(self) -> int:
        """Read to the end. Returns the program's exit code."""
        self.read_until("no such words")
        os.close(self._end)
        return self._process.wait(60)
