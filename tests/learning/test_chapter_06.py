"""The tasks of chapter 06: open they fail, solved they pass, and each common wrong answer is met with its sentence."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.learning.tasks import chapter_06
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


def test_a_payload_that_is_written_anew_is_the_same_payload(lab: Lab) -> None:
    def rewritten(regular: str, admin: str) -> str:
        text = json.dumps(claims_of(admin), separators=(",", ":"), sort_keys=True)
        payload = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
        header, _, signature = regular.split(".")
        return f"{header}.{payload}.{signature}"

    assert lab.check_task("forge-payload", rewritten).passed


TAKEN_APART: dict[str, Callable[[str], Any]] = {
    "nothing": lambda token: None,
    "header": lambda token: claims_of(token, part=0),
    "encoded": lambda token: token.split(".")[1] + "==",
    "text": lambda token: json.dumps(claims_of(token)),
    "padding": lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[1])),
    "alphabet": lambda token: claims_of(token, decode=base64.b64decode),
}
FORGED: dict[str, Callable[[str, str], Any]] = {
    "nothing": lambda regular, admin: None,
    "no-text": lambda regular, admin: (regular, admin),
    "parts": lambda regular, admin: regular + ".more",
    "own-payload": lambda regular, admin: regular,
    "other-way": lambda regular, admin: swapped(admin, regular),
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


SLIPS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "one sign of padding": ("padding", lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "="))),
    "letters replaced by hand, one forgotten": (
        "alphabet",
        lambda token: claims_of(token.replace("-", "+"), decode=base64.b64decode),
    ),
    "validated letters": ("alphabet", lambda token: claims_of(token, decode=partial(base64.b64decode, validate=True))),
    "neither padding nor alphabet": ("padding", lambda token: json.loads(base64.b64decode(token.split(".")[1]))),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_what_python_says_of_base64_is_said_in_the_labs_words(lab: Lab, slip: str) -> None:
    trap, function = SLIPS[slip]
    met(lab, "take-apart", trap, function)


@pytest.mark.parametrize(
    "reads",
    [
        lambda token: ast.literal_eval(_payload(token)),
        lambda token: json.loads(_payload(token), parse_int=str),
        lambda token: {name: str(value) for name, value in claims_of(token).items()},
    ],
    ids=["as Python", "numbers as texts", "everything as text"],
)
def test_claims_that_are_no_texts_come_out_as_what_they_are(lab: Lab, reads: Callable[[str], Any]) -> None:
    assert lab.check_task("take-apart", reads).outcome == "not yet"


def _payload(token: str) -> str:
    return base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()


def test_a_found_token_is_told_by_its_type_and_not_in_full(lab: Lab) -> None:
    verdict = lab.check_task("forge-payload", lambda regular, admin: [regular, admin])
    assert (verdict.found, "eyJ" in str(verdict)) == ("list", False)


def test_claims_that_are_others_are_shown_beside_the_right_ones(lab: Lab) -> None:
    verdict = lab.check_task("take-apart", lambda token: {**claims_of(token), "admin": True})
    assert (verdict.outcome, verdict.sentence) == ("not yet", "These are not the claims.")
    assert "'admin': True" in verdict.found


def test_a_function_that_stops_at_every_token_is_told_its_line(lab: Lab) -> None:
    verdict = lab.check_task("take-apart", json.loads)
    assert verdict.sentence.startswith("Your function stopped in line ")


def test_samples_differ_by_what_their_mistakes_say(lab: Lab) -> None:
    for mistake, claims in chapter_06.samples():
        payload = chapter_06._encoded(claims)
        assert (mistake == "alphabet") is bool(set("-_") & set(payload))
        assert mistake == "alphabet" or (mistake is None) is (len(payload) % 4 == 0)
