"""Work in many accounts at a time, which Ctrl-C ends: no further call is made, and none that hangs is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_REFRESH_SECONDS = 0.2

# For how long the calls that are under way are waited for after Ctrl-C.
_LAST_SECONDS = 1.0


class StoppedError(Exception):
    """Work was stopped between two calls, by Ctrl-C for one."""


class Stop:
    """Tells every thread that works on a class when to stop."""

    def __init__(self) -> None:
        self._called = threading.Event()

    def call(self) -> None:
        """Let no further AWS call be made: each raises StoppedError instead."""
        self._called.set()

    def hold(self, session: Any) -> None:
        """Stop every client that a boto3 session makes from now on, too."""
        session.events.register("before-send", self._go_on_or_raise)

    def pause(self, seconds: float) -> None:
        """Wait between two tries. StoppedError if the work was stopped meanwhile."""
        self._called.wait(seconds)
        self._go_on_or_raise()

    def _go_on_or_raise(self, **_: Any) -> None:
        if self._called.is_set():
            raise StoppedError


def in_threads(
    work: Callable[[A], B], parts: Sequence[A], at_once: int, stop: Stop, show: Callable[[], None]
) -> list[B]:
    """Do the same with each part, some at a time. Returns what was given for each, in their order.

    Args:
        work: what is done. What it raises is raised here, when all is done.
        parts: what it is done with.
        at_once: how many threads work.
        stop: called if anything ends this before its time.
        show: called now and then while the work goes on.
    """
    futures: list[Future[B]] = [Future() for _ in parts]
    jobs, taking = zip(futures, parts, strict=True), threading.Lock()
    for _ in range(min(at_once, len(parts))):
        # Not an executor's: Python would wait at its end for a thread of those that hangs in a call.
        threading.Thread(target=_work_off, args=(jobs, taking, work), daemon=True, name="labkit-account").start()
    try:
        while wait(futures, timeout=_REFRESH_SECONDS).not_done:
            show()
        show()
    except BaseException:
        stop.call()
        wait([future for future in futures if not future.cancel()], timeout=_LAST_SECONDS)
        raise
    return [future.result() for future in futures]


def _work_off(jobs: Iterator[tuple[Future[B], A]], taking: threading.Lock, work: Callable[[A], B]) -> None:
    while True:
        with taking:
            job = next(jobs, None)
        if job is None:
            return
        future, part = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work(part))
            except BaseException as error:
                future.set_exception(error)
