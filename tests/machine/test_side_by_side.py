"""Jobs side by side: in a fixed order, and over when the caller goes on."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from labkit.machine.side_by_side import side_by_side, turn


def test_results_come_in_the_order_of_the_jobs() -> None:
    barrier = threading.Barrier(3)

    assert side_by_side(*(lambda n=n: (barrier.wait(5), n)[1] for n in range(3))) == [0, 1, 2]
    assert side_by_side() == []


def test_turns_follow_the_code_and_not_the_clock() -> None:
    turns = [("before", turn())]

    def job(name: str, pause: float) -> None:
        time.sleep(pause)
        turns.append((name, turn()))
        if len(name) == 1:
            side_by_side(*(partial(job, f"{name}{part}", (2 - part) / 50) for part in (1, 2)))
        turns.append((f"{name} end", turn()))

    side_by_side(partial(job, "a", 0.06), partial(job, "b", 0))
    turns.append(("after", turn()))

    expected = ["a", "a1", "a1 end", "a2", "a2 end", "a end"]
    ordered = [name for name, _ in sorted(turns, key=lambda entry: entry[1])]
    assert ordered == ["before", *expected, *(name.replace("a", "b") for name in expected), "after"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_first_failure_is_raised_when_all_have_ended(error: type[BaseException]) -> None:
    ended: list[str] = []

    def fail(message: str) -> None:
        raise error(message)

    with pytest.raises(error, match="one"):
        side_by_side(lambda: (time.sleep(0.1), ended.append("slow")), partial(fail, "one"), partial(fail, "two"))

    assert ended == ["slow"]


def test_after_ctrl_c_every_job_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labkit.machine.side_by_side.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(lambda: (time.sleep(0.1), ended.append("slow")), lambda: ended.append("quick"))

    assert sorted(ended) == ["quick", "slow"]
