"""From any point of the lab to any other: what comes after is gone, what comes before is sound."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labkit.errors import UsageError
from labkit.lab import Lab
from labkit.learning.goto import steps_to
from labkit.steps import STEPS
from labkit.target.journal import Journal

NAMES = [step.name for step in STEPS]


def test_a_lab_goes_forwards_and_back(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    for where, last in (
        ("04", 2),
        ("authorizer", 3),
        ("http-api", 2),
        ("user-pool", 1),
        ("3", 1),
        ("01", -1),
        ("02", 0),
    ):
        planned = [deletion.to_dict() for deletion in lab.plan_goto(where).deletions]
        arrival = lab.goto(where)
        assert [deletion.to_dict() for deletion in arrival.removed] == planned
        assert [state.found for state in arrival.status.states] == [n <= last for n in range(len(STEPS))], where
        assert Journal(lab.target).reached_steps == NAMES[: last + 1]
        assert all(lab.check(name).passed for name in NAMES[: last + 1])
    lab.up()
    assert lab.check().passed
    lab.down()


def test_a_place_is_a_step_or_a_chapter() -> None:
    assert [step.name for step in steps_to("05")] == NAMES[: NAMES.index("authorizer") + 1]
    assert steps_to("1") == steps_to("00") == ()
    with pytest.raises(UsageError, match="There is no step and no chapter 'nowhere' to go to"):
        steps_to("nowhere")
