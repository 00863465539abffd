"""Broken labs: each fault is seen, found, named and mended, and nothing else is touched."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.learning.faults.broken_lab import BrokenLab
from labkit.learning.faults.results import Named, Symptom
from labkit.learning.faults.table import FAULTS, Fault
from labkit.learning.lessons import lessons
from labkit.learning.progress import Progress
from labkit.questions.calls import call
from labkit.steps import STEPS
from labkit.steps.building import checked
from tests.labs import Calls, Refusal, break_off, lab_at, refuse
from tests.learning.aws_lines import run_lines

NAME = "broken"
ORDER = list(FAULTS)
SEEDS = {random.Random(seed).sample(ORDER, len(ORDER))[0]: seed for seed in range(99)}
NEVER_IN_AN_ACCOUNT = {"open-route", "issuer", "trigger"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def built(warm_home: Path) -> Iterator[Lab]:
    """A finished lab."""
    lab = lab_at(warm_home, NAME)
    lab.up()
    yield lab
    lab.down()


@pytest.fixture
def lab(built: Lab) -> Iterator[Lab]:
    """The lab, sound before and after, of a learner who met no fault yet."""
    built._progress.erase()
    yield built
    if not built._progress.of("broken", "lab").get("solved"):
        built.up()


def seen(symptom: Symptom) -> tuple[int | None, str]:
    return symptom.status, symptom.reply.body if symptom.reply else symptom.refused


def subjects(lab: Lab) -> set[tuple[str, str]]:
    return {(finding.step, finding.subject) for finding in checked(lab.target, STEPS).findings}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_is_seen_found_named_and_mended_the_shortest_way(lab: Lab, fault: Fault) -> None:
    before, healthy = lab.status(), call(lab.target, fault.call)
    assert healthy.status == fault.status

    symptom = lab.break_it(SEEDS[fault.name])
    assert seen(symptom) == seen(lab.symptom()) != (healthy.status, healthy.body)
    wrong = ORDER[ORDER.index(fault.name) - 1]
    said = lab.name_cause(wrong)
    assert isinstance(said, Named)
    assert (said.right, lessons().faults[wrong].seen in said.text()) == (False, True)
    assert "But what is seen is this: " in said.text()

    assert lab.name_cause(fault.name).to_dict()["right"]
    open_still = lab.mended()
    assert not open_still.solved
    assert {finding.step for finding in open_still.wrong} == {fault.step}
    assert any(fault.is_named_by(finding.subject, NAME) for finding in open_still.wrong)
    run_lines(lab, open_still.mend)
    solved = lab.mended()
    assert solved.solved, solved.text()
    assert solved.mend in solved.text()
    assert "labkit up" not in solved.text()
    assert lab.status().ids == before.ids
    assert lab._progress.of("faults", fault.name) == {
        "found": True, "solved": True, "with_solution": False, "hints": 0, "guesses": 2,
    }  # fmt: skip


def test_after_all_that_the_lab_answers_as_at_first(lab: Lab) -> None:
    assert lab.check().findings == ()


def test_every_fault_has_its_words() -> None:
    assert lessons().faults.keys() == FAULTS.keys()
    assert len(FAULTS) >= 10
    for text in lessons().faults.values():
        said = [text.cause, text.seen, text.because, *text.hints]
        assert all(sentence.endswith((".", "?")) for sentence in said), text.name
        assert text.mend not in "".join(text.hints)


def test_the_seeds_that_chapter_08_names_are_those_of_its_faults() -> None:
    named = {7: "route-permission", 9: "group", 17: "trigger", 13: "deployment"}
    assert {seed: random.Random(seed).sample(ORDER, len(ORDER))[0] for seed in named} == named


def test_neither_progress_nor_a_second_look_tells_the_fault(lab: Lab) -> None:
    lab.break_it(SEEDS["audience"])
    assert "audience" not in json.dumps(lab.progress().to_dict()) + lab.progress().text()
    assert "1 wrong" not in lab.mended().text()  # the stage Test is behind, too
    assert "lab.hint()" in lab.mended().text()
    assert "labkit check" not in lab.mended().text(), "it would name the fault"
    assert lab.mended().to_dict()["shortest"] is None


def test_a_lab_is_broken_once_at_a_time_whatever_the_record_says(lab: Lab) -> None:
    lab.break_it(SEEDS["group"])
    lab._progress.note("broken", "lab", solved=True, named=True)
    assert not lab.mended().solved
    with pytest.raises(LabError, match="broken already"):
        lab.break_it()
    lab.add_to_group("adminuser", "admin")
    lab.remove_from_group("regularuser", "regular")
    assert "something else, which labkit check names" in lab.mended().text()
    lab.add_to_group("regularuser", "regular")
    assert lab.mended().solved
    assert lab.break_it(SEEDS["scope"]).status == 403


def test_a_value_that_is_still_to_be_filled_in_is_told_in_words(lab: Lab) -> None:
    gap: Any = ...
    with pytest.raises(UsageError, match=r"AddPermission there is still `\.\.\.` as StatementId and as Principal"):
        lab.target.client("lambda").add_permission(FunctionName="f", StatementId=gap, Action="a", Principal=gap)


def test_up_as_the_mend_counts_as_having_looked_it_up(lab: Lab) -> None:
    lab.break_it(SEEDS["handler"])
    lab.ensure("http-api")
    assert not lab._progress.of("broken", "lab").get("looked")
    lab.up()
    lab.name_cause("handler")
    assert "labkit up mended it" in lab.mended().text()
    assert lab._progress.of("faults", "handler")["with_solution"]
    assert "the cause of 1 is found, and 1 mended. With labkit up: 1." in lab.progress().text()


def test_hints_are_counted_and_end(lab: Lab) -> None:
    lab.break_it(SEEDS["group"])
    told = [lab.hint().text() for _ in range(4)]
    hints = lessons().faults["group"].hints
    assert [hint in text for hint, text in zip(hints, told, strict=False)] == [True] * 3
    assert "There are no more hints." in told[3]


def test_a_fault_that_was_met_is_not_drawn_again(lab: Lab) -> None:
    for name in ORDER:
        if name != "scope":
            lab._progress.note("faults", name, found=True)
    lab.break_it()
    assert lab._progress.of("broken", "lab")["fault"] == "scope"


def test_in_an_account_nothing_is_opened_and_no_stranger_trusted(tmp_path: Path) -> None:
    progress: Any = SimpleNamespace(all=lambda kind: {})
    account: Any = SimpleNamespace(place=SimpleNamespace(kind="aws"))
    drawn = {BrokenLab(account, progress)._drawn(seed).name for seed in range(300)}
    assert drawn == FAULTS.keys() - NEVER_IN_AN_ACCOUNT


def test_without_agreement_nothing_is_broken(lab: Lab) -> None:
    asked = Lab(lab.settings, target=replace(lab.target, confirmed=False))
    calls = Calls(asked.target)
    with pytest.raises(LabError, match="nobody has confirmed"):
        asked.break_it()
    assert calls.writes == []


@pytest.mark.parametrize("operation", ["UpdateRoute", "CreateDeployment"])
def test_stopped_in_between_it_leaves_no_fault(lab: Lab, operation: str) -> None:
    stopped = lab_at(lab.settings.home, NAME)
    break_off(stopped.target, "apigatewayv2", operation)
    with pytest.raises(KeyboardInterrupt):
        stopped.break_it(SEEDS["deployment"])
    assert subjects(lab) == set()
    with pytest.raises(LabError, match="Nothing was broken"):
        lab.symptom()


def test_where_aws_does_not_tell_there_is_no_verdict(lab: Lab) -> None:
    lab.break_it(SEEDS["group"])
    lab.name_cause("group")
    asking = lab_at(lab.settings.home, NAME)
    refuse(asking.target, "lambda", "GetPolicy", Refusal("AccessDeniedException", "No.", 403))
    told = asking.mended()
    assert told.verdict == "could not check"
    assert told.text().startswith("Could not check: This is no verdict on your work. AWS refused GetPolicy: No.")


def test_a_permission_under_another_name_mends_it(lab: Lab) -> None:
    """Also one for any method, as the console writes it."""
    lab.break_it(SEEDS["route-permission"])
    lab.name_cause("route-permission")
    run_lines(lab, lab.mended().mend.replace("http-api-runs-the-function", "mine").replace("/GET/", "/*/"))
    assert lab.mended().solved
    assert subjects(lab) == set()
    lab.break_it(SEEDS["route-permission"])
    assert lab.symptom().status == 500


def test_a_deployment_of_another_description_mends_it(lab: Lab) -> None:
    lab.break_it(SEEDS["deployment"])
    lab.name_cause("deployment")
    run_lines(lab, lab.mended().mend.replace('"$DEPLOYMENT"', "mine"))
    assert lab.mended().solved
    assert "labkit up deploys once more" in lab.mended().text()


def test_what_is_not_sound_is_not_broken(lab: Lab, new_lab: Callable[..., Lab]) -> None:
    with pytest.raises(LabError, match="Only a whole lab can be broken, and functions is missing"):
        new_lab().break_it()
    lab.remove_from_group("adminuser", "admin")
    with pytest.raises(LabError, match="Only a sound lab can be broken, and here groups of adminuser"):
        lab.break_it()


def test_a_lab_that_goes_takes_its_fault_along(lab: Lab) -> None:
    lab.break_it(SEEDS["scope"])
    lab.goto("08")
    with pytest.raises(LabError, match="Nothing was broken"):
        lab.mended()
    lab.break_it(SEEDS["scope"])
    lab.down()
    with pytest.raises(LabError, match="Nothing was broken"):
        lab.symptom()


def test_the_record_of_another_cloud_breaks_nothing_here(lab: Lab) -> None:
    Progress(lab.settings).note("broken", "lab", fault="scope", place="another")
    with pytest.raises(LabError, match="Nothing was broken"):
        lab.hint()


def test_words_that_are_no_cause_are_met_with_those_that_are(lab: Lab) -> None:
    lab.break_it(SEEDS["scope"])
    for word, said in (("scopes", "There is no cause 'scopes'"), (["scope"], "A cause is a text")):
        with pytest.raises(UsageError, match=said):
            lab.name_cause(word)
    assert lab.name_cause().text() == lab.name_cause(...).text()
    assert all(name in lab.name_cause().text() for name in FAULTS)


def test_the_same_in_a_terminal(lab: Lab, labkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(lab.settings.home))
    monkeypatch.setenv("LABKIT_NAME", NAME)

    def document(*words: str, code: int = 0) -> Any:
        answer = labkit(*words, "--json")
        assert (answer[0], answer[2]) == (code, "")
        return json.loads(answer[1])

    assert document("break", "--seed", str(SEEDS["group"]))["status"] == 403
    assert document("symptom")["body"] == '{"message":"Forbidden"}'
    assert document("symptom", "--hint")["hint"] == 1
    assert document("cause")["causes"].keys() == FAULTS.keys()
    assert document("cause", "scope", code=1)["right"] is False
    assert document("cause", "group")["right"] is True
    assert document("mended", code=1)["verdict"] == "not yet"
    lab.add_to_group("adminuser", "admin")
    assert document("mended")["verdict"] == "solved"
    assert labkit("cause", "nothing")[0] == 2
    assert labkit("mended")[1].startswith("Solved.")
