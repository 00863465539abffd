"""The tasks of chapter 06: open they fail, solved they pass, and each common wrong answer is met with its sentence."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from tests.labs import lab_at


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A finished lab."""
    lab = lab_at(warm_home, "tasks-06")
    lab.up()
    yield lab
    lab.down()


def claims_of(token: str, part: int = 1, decode: Callable[[str], bytes] = base64.urlsafe_b64decode) -> Any:
    text = token.split(".")[part]
    return json.loads(decode(text + "=" * (-len(text) % 4)))


def swapped(regular: str, admin: str) -> str:
    header, _, signature = regular.split(".")
    return ".".join([header, admin.split(".")[1], signature])


def test_the_solutions_pass(lab: Lab) -> None:
    assert lab.check_task("take-apart", claims_of).passed
    verdict = lab.check_task("forge-payload", swapped)
    assert (verdict.outcome, "401" in verdict.sentence, "signature" in verdict.sentence) == ("passed", True, True)


TAKEN_APART: dict[str, Callable[[str], Any]] = {
    "nothing": lambda token: None,
    "header": lambda token: claims_of(token, part=0),
    "text": lambda token: json.dumps(claims_of(token)),
}
FORGED: dict[str, Callable[[str, str], Any]] = {
    "nothing": lambda regular, admin: None,
    "no-text": lambda regular, admin: (regular, admin),
    "parts": lambda regular, admin: regular + ".more",
    "own-payload": lambda regular, admin: regular,
    "whole-token": lambda regular, admin: admin,
    "made-up": lambda regular, admin: ".".join([regular.split(".")[0], admin.split(".")[1], "c2lnbmVk"]),
}


@pytest.mark.parametrize("trap", TAKEN_APART)
def test_a_token_wrongly_taken_apart_is_met_with_its_sentence(lab: Lab, trap: str) -> None:
    met(lab, "take-apart", trap, TAKEN_APART[trap])


@pytest.mark.parametrize("trap", FORGED)
def test_a_token_wrongly_forged_is_met_with_its_sentence(lab: Lab, trap: str) -> None:
    met(lab, "forge-payload", trap, FORGED[trap])


def met(lab: Lab, task: str, trap: str, function: Callable[..., Any]) -> None:
    verdict = lab.check_task(task, function)
    before_what_was_found = lessons().tasks[task].wrong[trap].split("{")[0]
    assert verdict.outcome == "not yet"
    assert verdict.sentence.startswith(before_what_was_found)


def test_every_sentence_has_its_trap() -> None:
    assert lessons().tasks["take-apart"].wrong.keys() == TAKEN_APART.keys()
    assert lessons().tasks["forge-payload"].wrong.keys() == FORGED.keys()


@pytest.mark.parametrize(
    "function",
    [
        lambda token: claims_of(token, decode=base64.b64decode),
        lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[1])),
        lambda token: {**claims_of(token), "admin": True},
    ],
    ids=["another alphabet", "no padding", "another claim"],
)
def test_a_function_that_is_right_for_some_tokens_only_does_not_pass(lab: Lab, function: Callable[[str], Any]) -> None:
    assert lab.check_task("take-apart", function).outcome == "not yet"
