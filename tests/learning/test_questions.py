"""Predictions and quizzes are chosen, answered, kept, shown and forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.learning import quiz as quizzes
from labkit.learning.lessons import Lessons, Option, Question, QuizText, lessons
from labkit.learning.prediction import predict
from labkit.learning.progress import KINDS, Progress, bar
from labkit.machine.private_files import write_json
from labkit.settings import Settings

NAME = "no-groups"


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    """The record of somebody who has done nothing yet."""
    return Progress(Settings("embedded", "jwt-lab", tmp_path, "python3.13"))


def test_every_option_is_met_with_its_sentence_and_only_with_that(progress: Progress) -> None:
    for name, question in lessons().predictions.items():
        for letter, option in question.options.items():
            said = predict(progress, name, letter).text()
            assert [other.why in said for other in question.options.values()] == [
                other is option for other in question.options.values()
            ]


@pytest.mark.parametrize("letter", ["a", "c"], ids=["mistaken", "right"])
def test_a_prediction_is_answered_with_what_became_of_it(letter: str, progress: Progress) -> None:
    text = lessons().predictions[NAME].options[letter].text
    assert f"Your prediction is noted: {letter}, {text}\n" in predict(progress, NAME, letter).text()


def test_the_first_choice_stays_noted(progress: Progress) -> None:
    assert predict(progress, NAME).chosen is None
    assert predict(progress, NAME, "a").right is False
    again = predict(progress, NAME, "It gives no scope at all.")
    assert (again.chosen, again.first, again.right) == ("c", "a", True)
    assert "Now you chose c, " in again.text()
    assert "Your first prediction, a, stays noted." in again.text()
    assert predict(progress, NAME).chosen == "c"


def test_a_question_can_be_skipped_and_answered_later(progress: Progress) -> None:
    assert "Skipped." in predict(progress, NAME, skip=True).text()
    assert predict(progress, NAME, "c").right is True


@pytest.mark.parametrize("other", [None, 5, "x", [[]], {"": None}, float("inf")], ids=repr)
def test_a_record_of_another_shape_counts_as_far_as_it_has_ours(progress: Progress, other: object) -> None:
    known = {"first": other, "best": other, "tries": other}
    for kept in (
        other,
        *({kind: {NAME: part}} for kind in KINDS for part in (other, known)),
        dict.fromkeys(KINDS, other),
    ):
        write_json(progress.file, kept)
        assert " done." in progress.report().text()
        before = progress.count("predictions", NAME, "tries")
        assert progress.count("predictions", NAME, "tries") == before + 1


@pytest.mark.parametrize(
    ("name", "option"), [("nothing", None), (NAME, "z"), (NAME, ""), (NAME, 2), (NAME, True), (NAME, ["a"])]
)
def test_a_wrong_name_is_a_wrong_call(progress: Progress, name: str, option: Any) -> None:
    with pytest.raises(UsageError, match="Name one of"):
        predict(progress, name, option)


def test_progress_shows_the_mistaken_ideas_and_is_private_and_erasable(progress: Progress) -> None:
    predict(progress, NAME, "a")
    predict(progress, "scope-of-two-groups", "b")
    report = progress.report()
    assert "It fails with an error." in report.text()
    assert "2 of " in report.text()
    assert "my-app" not in report.text()
    assert report.to_dict()["predictions"][NAME] == {"first": "a", "last": "a", "skipped": False}
    assert progress.file.stat().st_mode & 0o077 == 0
    progress.erase()
    assert progress.report().to_dict()["done"] == 0


def test_a_bar_is_text() -> None:
    assert bar(1, 2) == "[##########..........]"
    assert bar(0, 0) == "[....................]"


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> QuizText:
    """A quiz that asks three of five questions."""
    options = {letter: Option(f"option {letter}", f"Why {letter}.") for letter in "abcd"}
    questions = {f"q{n}": Question(f"q{n}", "05", f"Question {n}?", options, "abcda"[n]) for n in range(5)}
    made = QuizText("requests", "05", "Requests", 3, questions)
    monkeypatch.setattr(quizzes, "lessons", lambda: Lessons((), {}, {}, {"requests": made}))
    return made


def test_a_quiz_is_mixed_by_its_seed(progress: Progress, pool: QuizText) -> None:
    asked = [quizzes.quiz(progress, "requests", seed).text() for seed in (1, 1, 2)]
    assert asked[0] == asked[1] != asked[2]
    for seed in range(9):
        for question in quizzes.quiz(progress, "requests", seed).questions:
            was = pool.questions[question.name]
            assert question.options[question.right] == was.options[was.right]


def test_a_quiz_is_scored_and_says_why(progress: Progress, pool: QuizText) -> None:
    asked = quizzes.quiz(progress, "requests", 4)
    right = [question.right for question in asked.questions]
    wrong = ["b" if right[0] == "a" else "a", *right[1:]]
    answered = asked.give(wrong)
    assert answered.text().startswith("2 of 3 are right.")
    assert asked.questions[0].options[wrong[0]].why in answered.text()
    assert progress.of("quizzes", "requests") == {"best": 2, "tries": 1, "solved": False}
    assert asked.give(right).score == 3
    assert progress.of("quizzes", "requests") == {"best": 3, "tries": 2, "solved": True}


@pytest.mark.parametrize("answers", [[], ["a"], 5, ["a", "b", "z"], [1, 2, 3]])
def test_an_answer_is_wanted_for_each_question(progress: Progress, pool: QuizText, answers: Any) -> None:
    with pytest.raises(UsageError, match=r"answers do not fit 3 questions\.|Question [13] has no option"):
        quizzes.quiz(progress, "requests", 0, answers)


def test_answers_in_the_place_of_the_seed_are_told(progress: Progress, pool: QuizText) -> None:
    with pytest.raises(UsageError, match=r"A seed is a number"):
        quizzes.quiz(progress, "requests", ["a", "b", "c"])  # type: ignore[arg-type]
