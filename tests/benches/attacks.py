"""The whole attack bench against the endpoint of a finished lab."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from labkit.attacks.rows import ATTEMPTS
from labkit.cloud import process
from labkit.lab import Lab
from tests.benches.measuring import Figure, seconds
from tests.labs import lab_at


def figures() -> Iterator[Figure]:
    """A first run, which makes the what-if API and fetches its keys, and a second."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        home = Path(folder)
        process.start(home, supervised=True)
        try:
            yield from _figures(lab_at(home, "bench"))
        finally:
            process.stop(home)


def _figures(lab: Lab) -> Iterator[Figure]:
    lab.up()
    first, second = seconds(lab.attack_bench), seconds(lab.attack_bench)
    yield Figure(f"{len(ATTEMPTS)} attacks, predicted and sent, the first time, in seconds", f"{first:.2f}", "5")
    yield Figure(f"{len(ATTEMPTS)} attacks, predicted and sent, once more, in seconds", f"{second:.2f}")
    yield Figure("a what-if, predicted and sent, in milliseconds", f"{seconds(lab.what_if) * 1e3:.0f}")
