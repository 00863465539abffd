"""How long a lab takes to build in an account that is far away: its calls go side by side where AWS allows it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labkit.cloud import process
from labkit.lab import Lab
from labkit.settings import Settings
from tests.benches.measuring import Figure, seconds
from tests.counting import SERVICES

# How long AWS takes to answer a call of a control plane from another continent, in seconds.
ROUND_TRIP = 0.08


def figures() -> Iterator[Figure]:
    """`up` from nothing, and `up` of a lab that stands."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        home = Path(folder)
        try:
            process.start(home, supervised=True)
            for what in ("from nothing", "again"):
                yield from _figures(Lab(Settings("embedded", "far-away", home, "python3.13"), tell=str), what)
        finally:
            process.stop(home)


def _figures(lab: Lab, what: str) -> Iterator[Figure]:
    taken: list[float] = []
    waits: list[float] = []
    began = threading.local()

    def before(**_: Any) -> None:
        began.at = time.perf_counter()
        time.sleep(ROUND_TRIP)

    def after(parsed: dict[str, Any], **_: Any) -> None:
        pending = parsed.get("Configuration", {}).get("State") == "Pending"
        (waits if pending else taken).append(time.perf_counter() - began.at)

    for service in SERVICES:
        events = lab.target.client(service).meta.events
        events.register("before-send", before)
        events.register("after-call", after)
    whole = seconds(lab.up) - sum(waits) - PAUSE * len(waits)
    aim = "0.6" if what == "from nothing" else ""
    yield Figure(f"up {what} at {ROUND_TRIP * 1e3:.0f} ms a call, in seconds", f"{whole:.1f}")
    yield Figure(f"its {len(taken)} calls one after the other", f"{sum(taken):.1f}")
    yield Figure("how much of that it takes", f"{whole / sum(taken):.2f}", aim)


# Between two looks at a function that is not ready yet.
PAUSE = 0.1
