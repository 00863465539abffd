"""A process that does one verb of a lab, and kills itself once so many AWS calls were answered."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.faults.wire import SERVICES
from tests.labs import lab_at


def main(home: str, name: str, verb: str, calls: str) -> None:
    lab, left = lab_at(Path(home), name), int(calls)

    def answered(**_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    for service in SERVICES:
        lab.target.client(service).meta.events.register("after-call", answered)
    getattr(lab, verb)()


if __name__ == "__main__":
    main(*sys.argv[1:])
