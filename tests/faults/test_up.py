"""`up` is harmed at any of its calls: the next `up` completes the lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from labkit.errors import LabError
from tests.faults.wire import StoppedError, Wire
from tests.labs import settings_report
from tests.removal.account import WHOLE_LAB, everything, of_lab


def complaints(wire: Wire, name: str) -> list[object]:
    """What is wrong with a lab, and what `down` leaves of it."""
    lab = wire.lab(name)
    built = of_lab(everything(lab.target.client), name)
    findings = settings_report(lab).findings
    receipt = lab.down()
    left = of_lab(everything(lab.target.client), name)
    return [*findings, *([] if built == WHOLE_LAB else [built]), *receipt.left, *([left] if left else [])]


@pytest.mark.parametrize("harm", ["stopped", "lost", "refused"])
def test_the_next_up_completes_the_lab(harm: str, wire: Wire, numbers: Iterator[int], names: Iterator[str]) -> None:
    wrong = {}
    for number in numbers:
        name = next(names)
        wire.harmed(harm, number)
        with suppress(StoppedError, LabError):
            wire.lab(name).up()
        if not wire.healed():
            wire.lab(name).down()
            break
        call = wire.calls[number - 1]
        wire.lab(name).up()
        if found := complaints(wire, name):
            wrong[number, call] = found
    assert wrong == {}
    assert number > 80


def test_a_mending_up_that_is_stopped_is_completed_by_the_next(wire: Wire, numbers: Iterator[int], name: str) -> None:
    """New passwords are asked for each time: whichever call is the last, the users can sign in after the next `up`."""
    wrong = {}
    lab = wire.lab(name)
    lab.up()
    for number in numbers:
        wire.harmed("stopped", number)
        with suppress(StoppedError):
            wire.lab(name).up(reset_passwords=True)
        if not wire.healed():
            break
        wire.lab(name).up()
        for user in ("adminuser", "regularuser"):
            try:
                wire.lab(name).tokens(user)
            except LabError as error:
                wrong[number, user] = str(error)
    assert wrong == {}
    assert number > 30
    wire.lab(name).down()


@pytest.mark.parametrize("harm", ["throttled", "unavailable", "lost"])
def test_a_lab_is_built_and_removed_where_each_call_fails_at_first(harm: str, wire: Wire, name: str) -> None:
    wire.harmed(harm)
    lab = wire.lab(name)
    lab.up()
    assert wire.healed()

    assert lab.check().findings == ()
    assert of_lab(everything(lab.target.client), name) == WHOLE_LAB

    wire.harmed(harm)
    receipt = lab.down()
    assert wire.healed()

    assert receipt.left == ()
    assert of_lab(everything(lab.target.client), name) == {}
