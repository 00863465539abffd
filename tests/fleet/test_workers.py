"""Work side by side gives its results in order, and once stopped makes no call and waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from labkit.fleet.workers import Stop, StoppedError, in_threads


class Session:
    """The events of a boto3 session."""

    def __init__(self) -> None:
        self.events = self
        self.before_send: Callable[..., None] | None = None

    def register(self, name: str, handler: Callable[..., None]) -> None:
        assert name == "before-send"
        self.before_send = handler


def nothing() -> None:
    pass


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_results_come_in_the_order_of_the_parts(at_once: int) -> None:
    assert in_threads(lambda part: part * 2, range(20), at_once, Stop(), nothing) == [2 * part for part in range(20)]
    assert in_threads(lambda part: part, [], at_once, Stop(), nothing) == []


def test_what_a_part_raises_is_raised_when_all_is_done() -> None:
    done: list[int] = []

    def work(part: int) -> None:
        if part == 1:
            raise ZeroDivisionError
        done.append(part)

    with pytest.raises(ZeroDivisionError):
        in_threads(work, range(5), 2, Stop(), nothing)
    assert sorted(done) == [0, 2, 3, 4]


def test_once_stopped_no_call_is_made_and_nobody_waits() -> None:
    stop, session = Stop(), Session()
    stop.hold(session)
    assert session.before_send is not None
    session.before_send(request=None)

    stop.call()

    with pytest.raises(StoppedError):
        session.before_send(request=None)
    with pytest.raises(StoppedError):
        stop.pause(1000)


def test_an_interruption_waits_for_no_part_that_hangs_and_begins_no_other() -> None:
    begun: list[int] = []
    hanging, released = threading.Event(), threading.Event()

    def work(part: int) -> None:
        begun.append(part)
        hanging.set()
        released.wait()

    def interrupted() -> Any:
        hanging.wait()
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(work, range(5), 1, Stop(), interrupted)
        assert begun == [0]
    finally:
        released.set()
