"""Where the command `labkit` begins: Ctrl-C is told as a sentence also while the command line is read in."""

from __future__ import annotations

import signal
import sys

from labkit.cli.ending import stopped


def main() -> None:
    """Run a command. Once it has ended, Ctrl-C does not change any more how."""
    try:
        from labkit.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(stopped())
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
