"""Whatever stands in the files that labkit keeps: a command says a sentence, and believes nothing that is not its own.

Each value in each file is changed to others of every type, and taken away. All of that takes minutes; without
LABKIT_ALL_FAULTS=1 every fifth of these changes is made, always the same.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.cloud import process
from labkit.fleet.reset_record import latest
from labkit.lab import Lab
from labkit.learning.lessons import lessons
from tests.asked import ALL_FAULTS

Run = Callable[..., tuple[int, str, str]]

HOSTILE = [None, True, -1, 10**30, float("nan"), "x", "\x1b[2J\u202e", "\ud800", [], [None], ["x"], {}, {"a": {}}]
MISSING = object()
EVERY = 1 if ALL_FAULTS else 5


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value: to all of an object, to the first of a list."""
    if before:
        yield before
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, item in inner:
        yield from paths(item, (*before, name))


def variants(document: dict[str, Any]) -> list[str]:
    """Some or all of `every_variant`."""
    return [*every_variant(document)][::EVERY]


def every_variant(document: dict[str, Any]) -> Iterator[str]:
    """The document, each time with another of its values changed or missing, or cut off."""
    for path in paths(document):
        for value in (*HOSTILE, MISSING):
            changed = copy.deepcopy(document)
            at: Any = changed
            for name in path[:-1]:
                at = at[name]
            if value is MISSING:
                del at[path[-1]]
            else:
                at[path[-1]] = value
            yield json.dumps(changed)
    yield from ("", "null", "[]", "7", '"x"', json.dumps(document)[:-9])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    monkeypatch.setenv("LABKIT_HOME", str(path))
    yield path
    process.stop(path)


def each(file: Path, document: dict[str, Any], act: Callable[[], None]) -> None:
    for text in variants(document):
        file.write_text(text)
        act()


def says(labkit: Run, *words: str) -> None:
    """A command ends with an exit code of its own, and what is not fine is two sentences."""
    code, out, err = labkit(*words)
    assert code in (0, 1)
    assert not code or out or len(err.splitlines()) >= 2
    assert not {"\x1b", "\u202e"} & set(out + err)


def test_the_file_of_a_running_cloud(home: Path, labkit: Run) -> None:
    cloud = process.start(home, supervised=True)
    file = home / "cloud.json"
    sound = json.loads(file.read_text())

    each(file, sound, lambda: says(labkit, "status"))

    for change in (
        {"endpoint_url": "http://192.0.2.1:1"},
        {"port": 1},
        {"weather": "\x1b"},
        {"secret_access_key": "é"},
    ):
        file.write_text(json.dumps({**sound, **change}))
        assert process.find(home) is None
    file.write_text(json.dumps(sound))
    assert process.find(home) == cloud


def test_the_record_of_a_lab(home: Path, labkit: Run) -> None:
    process.start(home, supervised=True)
    assert labkit("up", "--through", "functions")[0] == 0
    folder = home / "labs" / "embedded" / "jwt-lab"
    journal = json.loads((folder / "journal.json").read_text())
    journal["commands"] = {"functions": journal["commands"]["functions"][:1]}

    def look() -> None:
        says(labkit, "labs")
        says(labkit, "commands", "--through", "functions")

    each(folder / "journal.json", journal, look)  # of another place, the lab is built again


def test_the_record_of_a_removal(home: Path, labkit: Run) -> None:
    cloud = process.start(home, supervised=True)
    file = home / "labs" / "embedded" / "jwt-lab" / "removal.json"
    deletion = {**dict.fromkeys(("kind", "name", "id", "why", "service", "operation"), "x"), "parameters": {}}
    record = {"place": f"{cloud.account_id} us-east-1", "started": 0, "deletions": [{**deletion, "part_of": None}]}

    for text in variants(record):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(text)
        says(labkit, "down")


def test_the_passwords(home: Path, labkit: Run) -> None:
    process.start(home, supervised=True)
    assert labkit("up", "--through", "user-pool")[0] == 0
    file = home / "labs" / "embedded" / "jwt-lab" / "passwords.json"

    each(file, json.loads(file.read_text()), lambda: says(labkit, "password", "adminuser"))


def test_the_progress_of_a_learner(home: Path, labkit: Run) -> None:
    prediction, quiz, task = (
        next(iter(all_of)) for all_of in (lessons().predictions, lessons().quizzes, lessons().tasks)
    )
    file = home / "progress" / "jwt-lab.json"
    file.parent.mkdir(mode=0o700)
    kept = {
        "predictions": {prediction: {"first": "a", "last": "b", "skipped": False}},
        "quizzes": {quiz: {"best": 1, "tries": 1, "solved": False}},
        "tasks": {task: {"tries": 1, "hints": 1, "solved": True, "looked": False}},
        "faults": {"x": {"found": True, "solved": True, "hints": 1}},
    }
    answers = ["a"] * lessons().quizzes[quiz].ask
    for text in variants(kept):
        for act in (
            lambda lab: lab.predict(prediction).text(),
            lambda lab: lab.predict(prediction, "a").text(),
            lambda lab: lab.quiz(quiz, answers=answers).text(),
            lambda lab: lab.task(task).text(),
            lambda lab: lab.hint(task).text(),
            lambda lab: lab.progress().text(),
        ):
            file.write_text(text)
            assert act(Lab.open())


def test_the_records_of_a_reset(home: Path, labkit: Run, tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("attendee,account,region,endpoint\nana,111100000001,us-east-1,http://127.0.0.1:1\n")
    words = ("reset", "--roster", str(roster), "--execute", "--yes")
    assert labkit(*words)[0] == 1
    last = latest(home, roster)
    assert last is not None
    (kept,) = (last.files.parent / "labs").iterdir()
    run, other = last.files.parent / "run.json", tmp_path / "other.json"
    lab, ended = json.loads(kept.read_text()), json.loads(run.read_text())
    thing = dict.fromkeys(("kind", "name", "id", "why"), "x")
    document = {**lab, "state": "clean", "removed": [thing], "left": [thing]}

    each(kept, document, lambda: says(labkit, "report", "--roster", str(roster)))
    for text in (*variants(document), json.dumps({**document, "account": f"../../../../../{other.stem}"})):
        kept.write_text(text)
        run.write_text(json.dumps({**ended, "finished": None}))
        says(labkit, *words)
    assert not list(tmp_path.glob("other*"))
    each(run, ended, lambda: says(labkit, "report", "--roster", str(roster)))
