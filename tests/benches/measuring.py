"""Times of one run, compared with each other: a ratio holds on any machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

Action = Callable[[], object]


class Figure(NamedTuple):
    """What was measured, the figure, and what it should be."""

    what: str
    measured: str
    aim: str = ""


def ratios(actions: Sequence[Action], rounds: int) -> list[float]:
    """How many times as long as the first action each takes, by the median of many rounds that take turns."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, taken in zip(actions, times, strict=True):
            taken.append(seconds(action))
    first, *_ = medians = [statistics.median(taken) for taken in times]
    return [median / first for median in medians]


def seconds(action: Action) -> float:
    """How long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
