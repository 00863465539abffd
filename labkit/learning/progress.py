"""What a learner predicted, tried and solved: in one private file, by name, to be shown and to be erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.learning.lessons import Chapter, Question, lessons
from labkit.machine.private_files import private_folder, read_object, write_json
from labkit.machine.shapes import fits, is_count
from labkit.settings import Settings
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown

if TYPE_CHECKING:
    from filelock import BaseFileLock

KINDS = ("predictions", "tasks", "quizzes", "faults")
BAR = 20
_SHAPES = {
    **dict.fromkeys(("first", "last", "fault", "place"), str),
    **dict.fromkeys(("best", "tries", "hints", "guesses"), is_count),
}


class Progress:
    """The record of one learner and lab: of each kind, what is known by name."""

    def __init__(self, settings: Settings) -> None:
        self.file = settings.home / "progress" / f"{settings.name}.json"

    def of(self, kind: str, name: str) -> dict[str, Any]:
        """What is known of one exercise; nothing at first."""
        return dict(self.all(kind).get(name, {}))

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """What is known of all exercises of a kind, by name."""
        return dict(self._read().get(kind, {}))

    def note(self, kind: str, name: str, **known: Any) -> None:
        """Remember something of an exercise, beside what is known of it."""
        private_folder(self.file.parent)
        with self._lock():
            everything = self._read()
            of_kind = everything.setdefault(kind, {})
            of_kind[name] = of_kind.get(name, {}) | known
            write_json(self.file, everything)

    def count(self, kind: str, name: str, what: str) -> int:
        """Count something that happened once more, and return how often it has now."""
        times: int = self.of(kind, name).get(what, 0) + 1
        self.note(kind, name, **{what: times})
        return times

    def forget(self, kind: str) -> None:
        """Remember nothing of a kind."""
        if not self.file.exists():
            return
        with self._lock():
            write_json(self.file, {name: known for name, known in self._read().items() if name != kind})

    def erase(self) -> None:
        """Remember nothing."""
        self.file.unlink(missing_ok=True)

    def report(self) -> ProgressReport:
        """How far the learner is."""
        kept = self._read()
        return ProgressReport({kind: kept.get(kind, {}) for kind in KINDS})

    def _lock(self) -> BaseFileLock:
        from filelock import FileLock  # noqa: PLC0415 - only what changes something waits for it

        return FileLock(self.file.with_suffix(".lock"))

    def _read(self) -> dict[str, Any]:
        """What is kept, without what is not in our shape."""
        kinds = _dictionaries(read_object(self.file))
        return {
            kind: {name: _sound(known) for name, known in _dictionaries(of_kind).items()}
            for kind, of_kind in kinds.items()
        }


@dataclass(frozen=True, repr=False)
class ProgressReport(Shown):
    """What was done, by chapter, and the predictions that were mistaken."""

    known: dict[str, dict[str, dict[str, Any]]]

    def blocks(self) -> Iterator[Block]:
        """A bar, a row for each chapter with something to do, the mistaken ideas, and what was done elsewhere."""
        done, there = self._total()
        yield sentences(f"{bar(done, there)}  {done} of {there} done.")
        rows = [(f"{c.chapter} {c.title}", *self._row(c)) for c in _chapters()]
        yield Table(("chapter", "predictions", "tasks", "quiz", "mended"), rows)
        yield Table(("predicted", "but"), self._mistaken(), (40, 60))
        if faults := self.known["faults"].values():
            found, mended = (sum(bool(fault.get(what)) for fault in faults) for what in ("found", "solved"))
            looked = sum(bool(fault.get("with_solution")) for fault in faults)
            with_up = f" With labkit up: {looked}." if looked else ""
            yield sentences(f"Of the broken labs, the cause of {found} is found, and {mended} mended.{with_up}")

    def to_dict(self) -> dict[str, Any]:
        """How much is `done` `of` how much, and what is known of each exercise by kind and name."""
        done, there = self._total()
        return {"done": done, "of": there, **self.known}

    def _total(self) -> tuple[int, int]:
        exercises = [
            *(self._predicted(name) for name in lessons().predictions),
            *(self._solved("tasks", name) for name in lessons().tasks),
            *(self._solved("quizzes", name) for name in lessons().quizzes),
        ]
        return sum(exercises), len(exercises)

    def _row(self, chapter: Chapter) -> tuple[str, str, str, str]:
        predicted = [self._predicted(name) for name in chapter.predictions]
        solved = [self._solved("tasks", name) for name in chapter.tasks]
        mended = [self._solved("faults", name) for name in chapter.faults]
        score = ", ".join(self._score(name) for name in chapter.quizzes)
        return _of(predicted), _of(solved), score, _of(mended)

    def _predicted(self, name: str) -> bool:
        return name in self.known["predictions"]

    def _solved(self, kind: str, name: str) -> bool:
        return bool(self.known[kind].get(name, {}).get("solved"))

    def _score(self, name: str) -> str:
        best = self.known["quizzes"].get(name, {}).get("best")
        return "open" if best is None else f"{best} of {lessons().quizzes[name].ask}"

    def _mistaken(self) -> list[tuple[str, str]]:
        """Each idea that was chosen first and is wrong, and why."""
        predicted = sorted(self.known["predictions"].items())
        first = ((lessons().predictions.get(name), kept.get("first")) for name, kept in predicted)
        return [
            (question.options[letter].text, question.options[letter].why)
            for question, letter in first
            if isinstance(question, Question) and letter in list(question.options) and letter != question.right
        ]


def _sound(known: dict[str, Any]) -> dict[str, Any]:
    return {what: value for what, value in known.items() if fits(value, _SHAPES.get(what, bool))}


def _dictionaries(kept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: value for name, value in kept.items() if isinstance(value, dict)}


def bar(done: int, there: int) -> str:
    """A bar of text: how much of what there is is done."""
    filled = round(BAR * done / there) if there else 0
    return f"[{'#' * filled}{'.' * (BAR - filled)}]"


def _chapters() -> list[Chapter]:
    return [c for c in lessons().chapters if c.predictions or c.tasks or c.quizzes or c.faults]


def _of(done: list[bool]) -> str:
    return f"{sum(done)} of {len(done)}" if done else ""
