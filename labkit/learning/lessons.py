"""The words of the chapters' questions, tasks, quizzes and faults, read strictly from `data/<chapter>.yaml`.

What can be written there is what the classes below hold: each field is a key, one without a default must be there.
Keys of `predictions`, `tasks`, `quizzes`, `faults` and a quiz's `questions` are names; a name is used once in the
whole course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from labkit.errors import UsageError

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


class LessonError(ValueError):
    """A chapter's data is not as it must be: which file and name, and what is wrong."""


@dataclass(frozen=True)
class Option:
    """One answer to choose. `why` meets who chose it: for a wrong one why it is common and where it fails."""

    text: str
    why: str


@dataclass(frozen=True)
class Question:
    """A question with options by letter, `a` first, of which one is `right`. `shown` is code or a token to look at."""

    name: str
    chapter: str
    question: str
    options: dict[str, Option]
    right: str
    shown: str = ""

    def __post_init__(self) -> None:
        if list(self.options) not in (list("ab"), list("abc"), list("abcd"), list("abcde")):
            raise LessonError("its options should be two to five, named a, b, c, ... in this order")
        if self.right not in self.options:
            raise LessonError(f"its right option is {self.right!r}, which it does not have")

    def letter(self, answer: str) -> str:
        """The letter of an option that is given by its letter or its text. UsageError if there is no such option."""
        said = answer.strip().casefold() if isinstance(answer, str) else None
        for letter, option in self.options.items():
            if said in (letter, option.text.casefold()):
                return letter
        raise UsageError(f"{self.name!r} has no option {answer!r}.", f"Name one of: {', '.join(self.options)}.")


@dataclass(frozen=True)
class Gap:
    """Lines of a file of the copy that its task asks for, and what is handed out in their place."""

    file: str
    solution: str
    handed_out: str


@dataclass(frozen=True)
class TaskText:
    """What a task says: what to do and why, three hints, the solution and its reason, a sentence for wrong answers.

    `call` is the line that checks it. `wrong` has a sentence for each common wrong answer, by the name that the check
    gives it, with `{found}` and what else the check tells in braces.
    """

    name: str
    chapter: str
    title: str
    what: str
    why: str
    call: str
    hints: tuple[str, ...]
    solution: str
    because: str
    wrong: dict[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()

    def __post_init__(self) -> None:
        if len(self.hints) != len(HINTS):
            raise LessonError(f"it should have {len(HINTS)} hints: {', '.join(HINTS)}")


HINTS = ("a question", "a nudge", "nearly the solution")


@dataclass(frozen=True)
class QuizText:
    """A pool of questions, of which `ask` are asked."""

    name: str
    chapter: str
    title: str
    ask: int
    questions: dict[str, Question]

    def __post_init__(self) -> None:
        if not 1 <= self.ask <= len(self.questions):
            raise LessonError(f"it cannot ask {self.ask} of {len(self.questions)} questions")


@dataclass(frozen=True)
class FaultText:
    """What is said of a fault in a broken lab.

    `cause` names it in words, `seen` says what one would see if it were the cause, `mend` are the AWS CLI lines of the
    shortest way, in which `{lab}`, `{partition}` and `{handler}` stand for the lab's own, and `because` is why.
    """

    name: str
    chapter: str
    cause: str
    seen: str
    hints: tuple[str, ...]
    mend: str
    because: str

    def __post_init__(self) -> None:
        if len(self.hints) != len(HINTS):
            raise LessonError(f"it should have {len(HINTS)} hints: {', '.join(HINTS)}")


@dataclass(frozen=True)
class Chapter:
    """A chapter: its number and title, and the last step that must stand when it begins (None: nothing)."""

    chapter: str
    title: str
    begins_with: str | None
    predictions: dict[str, Question] = field(default_factory=dict)
    tasks: dict[str, TaskText] = field(default_factory=dict)
    quizzes: dict[str, QuizText] = field(default_factory=dict)
    faults: dict[str, FaultText] = field(default_factory=dict)


@dataclass(frozen=True)
class Lessons:
    """All chapters, and what is in them by name."""

    chapters: tuple[Chapter, ...]
    predictions: dict[str, Question]
    tasks: dict[str, TaskText]
    quizzes: dict[str, QuizText]
    faults: dict[str, FaultText] = field(default_factory=dict)


@cache
def lessons(folder: Path = DATA) -> Lessons:
    """The course. LessonError if a file is not as it must be, or a name is used twice."""
    chapters = tuple(read_chapter(file) for file in sorted(folder.glob("*.yaml")))
    return Lessons(
        chapters,
        _all([chapter.predictions for chapter in chapters]),
        _all([chapter.tasks for chapter in chapters]),
        _all([chapter.quizzes for chapter in chapters]),
        _all([chapter.faults for chapter in chapters]),
    )


def named(kind: str, known: Mapping[str, T], name: str) -> T:
    """What is known under a name. UsageError if nothing is."""
    if name not in known:
        raise UsageError(f"There is no {kind} {name!r}.", f"Name one of: {', '.join(known)}.")
    return known[name]


def read_chapter(file: Path) -> Chapter:
    """A chapter from its file. LessonError if the file is not as it must be."""
    import yaml  # noqa: PLC0415 - most commands ask no chapter

    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    where = file.name
    if not isinstance(data, dict) or data.get("chapter") != file.stem:
        raise LessonError(f"{where}: `chapter` should be {file.stem!r}.")
    number = {"chapter": file.stem}
    return _made(
        Chapter,
        where,
        data,
        predictions={name: _question(where, name, q, number) for name, q in _part(data, "predictions")},
        tasks={name: _task(f"{where}: {name}", t, {"name": name, **number}) for name, t in _part(data, "tasks")},
        quizzes={name: _quiz(f"{where}: {name}", q, {"name": name, **number}) for name, q in _part(data, "quizzes")},
        faults={name: _fault(f"{where}: {name}", f, {"name": name, **number}) for name, f in _part(data, "faults")},
    )


def _part(data: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    return list((data.get(key) or {}).items())


def _question(where: str, name: str, data: dict[str, Any], number: dict[str, str]) -> Question:
    where = f"{where}: {name}"
    options = {letter: _made(Option, f"{where}: {letter}", option) for letter, option in _part(data, "options")}
    return _made(Question, where, data, name=name, options=options, **number)


def _task(where: str, data: dict[str, Any], given: dict[str, Any]) -> TaskText:
    gaps = tuple(_made(Gap, where, gap) for gap in data.get("gaps", ()))
    return _made(TaskText, where, data, hints=tuple(data.get("hints", ())), gaps=gaps, **given)


def _fault(where: str, data: dict[str, Any], given: dict[str, Any]) -> FaultText:
    return _made(FaultText, where, data, hints=tuple(data.get("hints", ())), **given)


def _quiz(where: str, data: dict[str, Any], given: dict[str, Any]) -> QuizText:
    number = {"chapter": given["chapter"]}
    questions = {name: _question(where, name, q, number) for name, q in _part(data, "questions")}
    return _made(QuizText, where, data, questions=questions, **given)


def _made(kind: type[T], where: str, data: Any, **given: Any) -> T:
    """An object of the data's keys and those given, if each is one of its fields and none is missing."""
    values = {**data, **given} if isinstance(data, dict) else {}
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    if unknown := sorted(values.keys() - known):
        raise LessonError(f"{where}: it has no key {', '.join(unknown)}.")
    if missing := sorted(name for name in needed if name not in values or values[name] == ""):
        raise LessonError(f"{where}: it needs {', '.join(missing)}.")
    try:
        return kind(**{name: _tidy(value) for name, value in values.items()})
    except LessonError as error:
        raise LessonError(f"{where}: {error}.") from error


def _tidy(value: Any) -> Any:
    return value.rstrip("\n") if isinstance(value, str) else value


def _all(parts: list[dict[str, T]]) -> dict[str, T]:
    """What all chapters have, by name."""
    together: dict[str, T] = {}
    for part in parts:
        if twice := together.keys() & part:
            raise LessonError(f"More than one chapter has the name {', '.join(sorted(twice))}.")
        together |= part
    return together
