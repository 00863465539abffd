"""Work side by side in threads, with an order that does not depend on which thread was faster."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import ContextVar, copy_context
from typing import Any

# Where the code that runs now stands among all jobs: the number of each batch, and of the job in it, outermost first.
_PLACE: ContextVar[tuple[int, ...]] = ContextVar("place", default=())
_numbers = itertools.count()


def turn() -> tuple[int, ...]:
    """A sort key for what happens now: by time, but for jobs side by side in the order in which they were given."""
    return (*_PLACE.get(), next(_numbers))


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """Do several jobs at the same time. Returns what they return, in their order.

    Every job that was begun has come to its end when this returns or raises, also after Ctrl-C.

    Raises:
        Exception: what the first job in their order that failed has raised.
    """
    if not jobs:
        return []
    batch = turn()
    futures: list[Future[Any]] = [Future() for _ in jobs]
    # Not an executor's threads: Python would wait at its end for one of those that hangs in a call.
    threads = [
        threading.Thread(target=copy_context().run, args=(_do, (*batch, number), future, job), daemon=True)
        for number, (future, job) in enumerate(zip(futures, jobs, strict=True))
    ]
    try:
        for thread in threads:
            thread.start()
        wait(futures)
    finally:
        for thread in threads:
            if thread.ident is not None:  # it was begun
                thread.join()  # Ctrl-C breaks off `wait`, not the threads
    return [future.result() for future in futures]


def _do(place: tuple[int, ...], future: Future[Any], job: Callable[[], Any]) -> None:
    _PLACE.set(place)
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
