"""The chapters' data is complete, and what is wrong in it is named."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from labkit.learning.lessons import DATA, LessonError, Question, lessons, read_chapter
from labkit.learning.task import registered

COURSE = lessons()
QUESTIONS = [*COURSE.predictions.values(), *(q for quiz in COURSE.quizzes.values() for q in quiz.questions.values())]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)
def test_every_option_has_a_sentence_of_its_own(question: Question) -> None:
    said = [option.why for option in question.options.values()]
    assert len(set(said)) == len(said)
    assert len({option.text for option in question.options.values()}) == len(said)
    assert all(re.search(r"[.?!]$", sentence) for sentence in said)


@pytest.mark.parametrize("name", COURSE.tasks)
def test_every_task_has_a_check_and_files_that_are_there(name: str) -> None:
    task = COURSE.tasks[name]
    assert registered(task)
    assert f'check_task("{name}"' in task.call
    for gap in task.gaps:
        text = (DATA.parent.parent.parent / gap.file).read_text(encoding="utf-8")
        assert text.count(gap.solution) == 1


@pytest.mark.parametrize("name", COURSE.tasks)
def test_no_hint_gives_the_solution_away(name: str) -> None:
    task = COURSE.tasks[name]
    assert task.solution not in "\n".join(task.hints)
    assert all(not re.fullmatch(r"\W*", hint) for hint in task.hints)


@pytest.mark.parametrize("name", COURSE.tasks)
def test_a_sentence_names_only_what_every_check_tells(name: str) -> None:
    for key, sentence in COURSE.tasks[name].wrong.items():
        named = {field for _, field, _, _ in string.Formatter().parse(sentence) if field}
        assert named <= {"found", "wanted", "user", "where"}, key


def texts(data: Any, key: str = "") -> Iterator[str]:
    """Every text of a chapter's data that is a sentence and no code."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from texts(value, name)
    elif isinstance(data, list):
        for value in data:
            yield from texts(value, key)
    elif isinstance(data, str) and key not in ("shown", "solution", "handed_out", "mend"):
        yield data


@pytest.mark.parametrize("file", sorted(DATA.glob("*.yaml")), ids=lambda file: file.stem)
def test_no_sentence_has_markdown_that_nobody_renders(file: Path) -> None:
    """Code between backticks is rendered."""
    for text in texts(yaml.safe_load(file.read_text(encoding="utf-8"))):
        assert not re.search(r"(?<!\w)([*_]{1,2})[A-Za-z][\w ,'-]*\1(?!\w)|\]\(", re.sub("`[^`]+`", "", text)), text


SOUND = {
    "chapter": "42",
    "title": "A chapter",
    "begins_with": None,
    "predictions": {
        "p": {
            "question": "?",
            "options": {"a": {"text": "A", "why": "A."}, "b": {"text": "B", "why": "B."}},
            "right": "a",
        }
    },
}


def written(folder: Path, **changes: object) -> Path:
    file = folder / "42.yaml"
    file.write_text(yaml.safe_dump(SOUND | changes), encoding="utf-8")
    return file


def question(**changes: object) -> dict[str, object]:
    return {"predictions": {"p": SOUND["predictions"]["p"] | changes}}  # type: ignore[index]


def test_a_sound_chapter_is_read(tmp_path: Path) -> None:
    assert read_chapter(written(tmp_path)).predictions["p"].letter(" b ") == "b"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chapter": "43"}, "42.yaml: `chapter` should be '42'"),
        ({"titel": "x"}, "42.yaml: it has no key titel"),
        ({"title": ""}, "42.yaml: it needs title"),
        (question(right="c"), "42.yaml: p: its right option is 'c'"),
        (question(hint="x"), "42.yaml: p: it has no key hint"),
        (question(options={"a": {"text": "A", "why": "A."}}), "two to five"),
        (question(options={"a": {"text": "A", "why": "A."}, "b": {"text": "B"}}), "42.yaml: p: b: it needs why"),
        ({"tasks": {"t": {"title": "x"}}}, "42.yaml: t: it needs"),
        ({"faults": {"f": {"cause": "x"}}}, "42.yaml: f: it needs because, mend, seen"),
        ({"quizzes": {"q": {"title": "x", "ask": 3, "questions": SOUND["predictions"]}}}, "cannot ask 3 of 1"),
    ],
)
def test_what_is_wrong_in_a_chapter_is_named(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(LessonError, match=re.escape(said)):
        read_chapter(written(tmp_path, **changes))


def test_a_name_is_used_once(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "43.yaml").write_text(yaml.safe_dump(SOUND | {"chapter": "43"}), encoding="utf-8")
    with pytest.raises(LessonError, match="More than one chapter has the name p"):
        lessons(tmp_path)
