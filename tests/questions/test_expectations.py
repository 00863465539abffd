"""The calls that a sound lab answers in a known way."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.cloud.protocol import Cloud
from labkit.questions import expectations
from labkit.questions.expectations import check_calls, until
from tests.labs import Clock, lab_at


def test_an_unexpected_answer_is_asked_for_again_until_the_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(expectations, "time", clock)
    answers = iter([404, 404, 500, 200])

    assert until(lambda: next(answers), lambda status: status == 200, deadline=45) == 200  # type: ignore[arg-type,return-value] # any answer will do
    assert clock.slept == [1, 1, 1]
    assert until(lambda: 404, lambda status: status == 200, deadline=45) == 404  # type: ignore[arg-type,return-value] # any answer will do
    assert 45 <= clock.now < 47


def test_a_check_that_cannot_call_says_what_to_do(warm_home: Path, warm_cloud: Cloud) -> None:
    absent = lab_at(warm_home, "not-built")

    report = check_calls(absent.target)

    assert not report.passed
    assert {(finding.step, finding.actual, finding.remedy) for finding in report.findings} == {
        ("calls", "There is no lab yet.", "Build it: labkit up")
    }
