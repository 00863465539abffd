"""Asking again until an answer is good, or until patience ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    action: Callable[[], T],
    good: Callable[[T], bool],
    *,
    seconds: float,
    every: float = 1,
    waiting: Callable[[], None] = lambda: None,
) -> T:
    """Repeat an action until its answer is good or its time is up. Returns the last answer, good or not.

    Args:
        action: what is asked; at least once.
        good: whether an answer will do.
        seconds: for how long to ask again.
        every: the pause between two questions, in seconds.
        waiting: told before each pause.
    """
    deadline = time.monotonic() + seconds
    answer = action()
    while not good(answer) and time.monotonic() < deadline:
        waiting()
        time.sleep(every)
        answer = action()
    return answer
