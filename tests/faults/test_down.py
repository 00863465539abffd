"""`down` is harmed at any of its calls: the next `down` leaves nothing, and the next `up` builds a whole lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from labkit.errors import LabError
from labkit.removal.receipt import Receipt
from tests.faults.test_up import complaints
from tests.faults.wire import StoppedError, Wire
from tests.removal.account import everything, of_lab


def harmed_down(wire: Wire, name: str, harm: str, number: int) -> tuple[str | None, Receipt | None]:
    """Build a lab and harm its removal: the call that was harmed, if there is one of that number, and the receipt."""
    receipt = None
    wire.lab(name).up()
    wire.harmed(harm, number)
    with suppress(StoppedError, LabError):
        receipt = wire.lab(name).down()
    return (wire.calls[number - 1] if wire.healed() else None), receipt


def left(wire: Wire, name: str) -> dict[str, int]:
    return of_lab(everything(wire.lab(name).target.client), name)


@pytest.mark.parametrize("harm", ["stopped", "lost", "refused"])
def test_the_next_down_leaves_nothing(harm: str, wire: Wire, numbers: Iterator[int], names: Iterator[str]) -> None:
    wrong: dict[object, object] = {}
    for number in numbers:
        name = next(names)
        call, receipt = harmed_down(wire, name, harm, number)
        if receipt and receipt.clean and left(wire, name):
            wrong[number, call] = f"called clean: {left(wire, name)}"
        if not wire.lab(name).down().clean or left(wire, name):
            wrong[number, call] = left(wire, name)
        if call is None:
            break
    assert wrong == {}
    assert number > 35


def test_the_next_up_builds_the_lab_again(wire: Wire, numbers: Iterator[int], names: Iterator[str]) -> None:
    wrong = {}
    for number in numbers:
        name = next(names)
        call, _ = harmed_down(wire, name, "stopped", number)
        wire.lab(name).up()
        if found := complaints(wire, name):
            wrong[number, call] = found
        if call is None:
            break
    assert wrong == {}
    assert number > 35


def test_the_receipt_of_a_resumed_removal_is_that_of_an_undisturbed_one(
    wire: Wire, numbers: Iterator[int], name: str
) -> None:
    wire.lab(name).up()
    undisturbed = wire.lab(name).down().text()
    wrong = {}
    for number in numbers:
        call, _ = harmed_down(wire, name, "stopped", number)
        if call is None:
            break
        resumed = wire.lab(name).down().text()
        if resumed != undisturbed:
            wrong[number, call] = resumed
    assert wrong == {}
    assert number > 35
