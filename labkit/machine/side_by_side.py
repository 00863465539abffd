"""Work side by side in threads, with an order that does not depend on which thread was faster."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
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

    Every job has come to its end when this returns or raises, also after Ctrl-C.

    Raises:
        Exception: what the first job in their order that failed has raised.
    """
    if not jobs:
        return []
    batch = turn()
    pool = ThreadPoolExecutor(len(jobs))
    try:
        futures = [pool.submit(copy_context().run, _at, (*batch, number), job) for number, job in enumerate(jobs)]
        wait(futures)
    finally:
        pool.shutdown()  # Ctrl-C breaks off `wait`, not the threads
    return [future.result() for future in futures]


def _at(place: tuple[int, ...], job: Callable[[], Any]) -> Any:
    _PLACE.set(place)
    return job()
