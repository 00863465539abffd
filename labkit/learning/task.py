"""A task: what it asks, the verdict on a learner's work, its hints, its solution, and the way back.

A check is a function of a Workplace and of the learner's work, registered under the task's name:

    @checks("log-policy")
    def log_policy(place: Workplace, policy: Any) -> str: ...

It returns what it saw, in a sentence, if the work does what it should; it raises NotYet if not, and lets a LabError
pass if it could not look. Its words for wrong answers stand in the chapter's data, under `wrong`.
"""

from __future__ import annotations

import importlib
import inspect
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labkit.errors import LabError, UsageError
from labkit.learning.copy import give_file, handed_out_file
from labkit.learning.lessons import HINTS, TaskText, lessons, named
from labkit.learning.progress import Progress
from labkit.learning.work import NO_ANSWER, NotYet, Piece, Seen, Workplace
from labkit.machine.resources import resource
from labkit.text.blocks import Block, Code, Folded, Table, sentences
from labkit.text.shown import Shown

Outcome = Literal["passed", "not yet", "could not check"]
Check = Callable[..., "str | Seen"]
Change = Callable[["Workplace"], None]


_CHECKS: dict[str, Check] = {}
_SOLVES: dict[str, Change] = {}
_RESETS: dict[str, Change] = {}


def checks(name: str) -> Callable[[Check], Check]:
    """Register the check of a task."""
    return lambda check: _CHECKS.setdefault(name, check)


def solves(name: str) -> Callable[[Change], Change]:
    """Register what puts a task's solution in place, where it is no file of the copy."""
    return lambda change: _SOLVES.setdefault(name, change)


def resets(name: str) -> Callable[[Change], Change]:
    """Register what brings a task's beginning back, where it is no file of the copy."""
    return lambda change: _RESETS.setdefault(name, change)


def registered(text: TaskText) -> Check:
    """The check of a task; its chapter's module is imported for it."""
    importlib.import_module(f"labkit.learning.tasks.chapter_{text.chapter}")
    return _CHECKS[text.name]


_SAID = {True: "right", False: "not yet", None: "not tried"}


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """What a check says of a learner's work."""

    task: TaskText
    outcome: Outcome
    sentence: str
    wanted: str = ""
    found: str = ""
    pieces: tuple[Piece, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the work does what it should."""
        return self.outcome == "passed"

    def blocks(self) -> Iterator[Block]:
        """The verdict, what was wanted and found, the pieces, and what to do next."""
        yield sentences(
            f"{self.outcome.capitalize()}: {self.sentence}" if self.sentence else f"{self.outcome.capitalize()}."
        )
        compared = (("Wanted", self.wanted), ("Found", self.found))
        yield sentences(*(f"{label}: {value}" for label, value in compared if value))
        yield Table(("piece", "", ""), [(p.what, _SAID[p.right], p.note) for p in self.pieces])
        if self.passed:
            yield sentences(self.task.because)
        elif self.outcome == "not yet":
            yield sentences(f'Then check again: {self.task.call}. A hint: lab.hint("{self.task.name}")')

    def to_dict(self) -> dict[str, Any]:
        """The `verdict` in words, the sentence, and what was wanted and found."""
        return {
            "task": self.task.name,
            "verdict": self.outcome,
            "sentence": self.sentence,
            "wanted": self.wanted,
            "found": self.found,
            "pieces": [vars(piece) for piece in self.pieces],
        }


@dataclass(frozen=True, repr=False)
class Hint(Shown):
    """One hint of a task, or its solution where `number` is None."""

    task: TaskText
    number: int | None

    def blocks(self) -> Iterator[Block]:
        """The hint and how to get the next one; or the solution and why it is one."""
        if self.number is None:
            yield sentences("The solution:")
            yield Code(self.task.solution)
            yield sentences(self.task.because)
        else:
            yield sentences(f"Hint {self.number} of {len(HINTS)}, {HINTS[self.number - 1]}.")
            text = self.task.hints[self.number - 1]
            yield Code(text) if self.number == len(HINTS) else sentences(text)

    def to_dict(self) -> dict[str, Any]:
        """The `task`, the `hint`'s number (null for the solution) and its text."""
        text = self.task.solution if self.number is None else self.task.hints[self.number - 1]
        return {"task": self.task.name, "hint": self.number, "text": text}


@dataclass(frozen=True, repr=False)
class Card(Shown):
    """A task as it stands: what to do and why, whether it is solved, and the hints taken. `hint` takes the next."""

    task: TaskText
    state: str
    taken: tuple[Hint, ...]
    hint: Callable[[], Card]

    def asked(self) -> Iterator[Block]:
        """What to do, why, how it is checked, and how it stands."""
        yield sentences(f"Task: {self.task.title} ({self.state})", self.task.what, self.task.why)
        yield sentences(f"Check it with: {self.task.call}")

    def hints(self) -> Iterator[Block]:
        """The hints taken."""
        for hint in self.taken:
            yield from hint.blocks()

    def blocks(self) -> Iterator[Block]:
        """The task, and its hints folded away."""
        yield from self.asked()
        yield Folded(f"{len(self.taken)} hints taken", tuple(self.hints()))
        yield sentences(f'A hint: lab.hint("{self.task.name}")')

    def to_dict(self) -> dict[str, Any]:
        """The `task`, what it asks, and its `state`."""
        return {"task": self.task.name, "what": self.task.what, "state": self.state, "hints": len(self.taken)}


@dataclass(frozen=True, repr=False)
class Changed(Shown):
    """What was put in place for a task: its solution, or its beginning."""

    task: TaskText
    sentence: str
    shown: Hint | None = None

    def blocks(self) -> Iterator[Block]:
        """What was done, and the solution if it was put in place."""
        yield sentences(self.sentence)
        if self.shown:
            yield from self.shown.blocks()

    def to_dict(self) -> dict[str, Any]:
        """The `task`, and what was done in a `sentence`."""
        return {"task": self.task.name, "sentence": self.sentence}


def check_task(place: Workplace, progress: Progress, name: str, *work: Any, **named_work: Any) -> Verdict:
    """Judge a learner's work, and remember the verdict.

    Raises:
        UsageError: there is no such task, or this is not how its work is handed over.
    """
    text = named("task", lessons().tasks, name)
    check = registered(text)
    _require_fit(text, check, place, work, named_work)
    if any(part is ... for part in (*work, *named_work.values())):
        return Verdict(text, "not yet", text.what)
    verdict = _judged(text, lambda: check(place, *work, **named_work))
    if verdict.outcome != "could not check":
        progress.count("tasks", name, "tries")
    if verdict.passed and not progress.of("tasks", name).get("solved"):
        progress.note("tasks", name, solved=True, with_solution=bool(progress.of("tasks", name).get("looked")))
    return verdict


def _require_fit(
    text: TaskText, check: Check, place: Workplace, work: tuple[Any, ...], named_work: dict[str, Any]
) -> None:
    try:
        inspect.signature(check).bind(place, *work, **named_work)
    except TypeError as error:
        raise UsageError(f"The task {text.name!r} is not checked like this.", f"Check it with: {text.call}") from error


def _judged(text: TaskText, judge: Callable[[], str | Seen]) -> Verdict:
    with warnings.catch_warnings(record=True) as warned:
        warnings.filterwarnings("always", _UNAWAITED.pattern)
        verdict = _outcome(text, judge)
    unawaited = next(filter(None, (_UNAWAITED.match(str(warning.message)) for warning in warned)), None)
    return Verdict(text, "not yet", f"`{unawaited[1]}` {NO_ANSWER['async']}") if unawaited else verdict


_UNAWAITED = re.compile(r"coroutine '(?:[^']*\.)?([^'.]+)' was never awaited")


def _outcome(text: TaskText, judge: Callable[[], str | Seen]) -> Verdict:
    try:
        seen = judge()
    except NotYet as error:
        return Verdict(text, "not yet", error.sentence(text), error.wanted, error.found, error.pieces)
    except LabError as error:
        return Verdict(text, "could not check", f"This is no verdict on your work. {error}")
    except Exception as error:  # whatever a check trips over, a learner sees no traceback of it
        where = traceback.extract_tb(error.__traceback__)[-1]
        sentence = (
            f"the check stopped at {Path(where.filename).name}:{where.lineno} with {type(error).__name__}: {error}."
        )
        return Verdict(text, "could not check", f"{sentence} This is not about your work; please report it.")
    seen = Seen(seen) if isinstance(seen, str) else seen
    return Verdict(text, "passed", seen.sentence, pieces=seen.pieces)


def task(progress: Progress, name: str) -> Card:
    """A task as it stands. UsageError if there is no such task."""
    text = named("task", lessons().tasks, name)
    known = progress.of("tasks", name)
    taken = min(int(known.get("hints", 0)), len(HINTS) + 1)
    hints = tuple(Hint(text, number if number <= len(HINTS) else None) for number in range(1, taken + 1))

    def next_hint() -> Card:
        hint(progress, name)
        return task(progress, name)

    return Card(text, _state(known), hints, next_hint)


def _state(known: dict[str, Any]) -> str:
    if known.get("solved"):
        return "solved with the solution" if known.get("with_solution") else "solved"
    return "open"


def hint(progress: Progress, name: str) -> Hint:
    """The next hint of a task; after the last one its solution. Hints are counted and cost nothing.

    Raises:
        UsageError: there is no such task.
    """
    text = named("task", lessons().tasks, name)
    number = progress.count("tasks", name, "hints")
    return Hint(text, number) if number <= len(HINTS) else solution(progress, name)


def solution(progress: Progress, name: str) -> Hint:
    """The solution of a task and why it is one; that it was looked at is remembered.

    Raises:
        UsageError: there is no such task.
    """
    text = named("task", lessons().tasks, name)
    progress.note("tasks", name, looked=True)
    return Hint(text, None)


def solve(place: Workplace, progress: Progress, name: str) -> Changed:
    """Put a task's solution in place.

    Raises:
        UsageError: there is no such task.
        LabError: it cannot be put there.
    """
    text = named("task", lessons().tasks, name)
    registered(text)
    shown = solution(progress, name)
    for gap in text.gaps:
        _put(place, gap.file, resource(gap.file).read_bytes())
    if change := _SOLVES.get(name):
        change(place)
    if text.gaps:
        files = ", ".join(gap.file for gap in text.gaps)
        return Changed(text, f"The solution is in {files}; what you had stays beside it.", shown)
    return Changed(text, "The solution is in place." if change else "Put these lines into the cell.", shown)


def reset(place: Workplace, name: str) -> Changed:
    """Bring back how a task began.

    Raises:
        UsageError: there is no such task.
        LabError: it cannot be brought back.
    """
    text = named("task", lessons().tasks, name)
    registered(text)
    for gap in text.gaps:
        _put(place, gap.file, handed_out_file(gap.file))
    if change := _RESETS.get(name):
        change(place)
    if text.gaps:
        files = ", ".join(gap.file for gap in text.gaps)
        return Changed(text, f"{files} is as it was handed out; what you had stays beside it.")
    return Changed(
        text, "It is as it was at the beginning." if change else "Nothing but your cell belongs to this task."
    )


def _put(place: Workplace, file: str, content: bytes) -> None:
    if (place.copy / file).read_bytes() != content:
        give_file(place.copy, file, content)
