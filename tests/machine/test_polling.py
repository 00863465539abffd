"""Asking again until an answer is good, or until patience ends."""

from __future__ import annotations

import pytest

from labkit.machine import polling
from labkit.machine.polling import until
from tests.labs import Clock


def test_it_is_asked_again_until_the_answer_is_good_or_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(polling, "time", clock)
    answers = iter([404, 404, 500, 200])

    assert until(lambda: next(answers), lambda status: status == 200, seconds=45) == 200
    assert clock.slept == [1, 1, 1]
    assert until(lambda: 404, lambda status: status == 200, seconds=45, every=2) == 404
    assert 48 <= clock.now < 52


def test_who_has_no_patience_asks_once() -> None:
    assert until(lambda: "no", lambda answer: answer == "yes", seconds=-1) == "no"
