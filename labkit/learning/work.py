"""A learner's work as a check meets it: where it is, a function of it run, and what the check saw or missed."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import LabError
from labkit.learning.lessons import TaskText
from labkit.settings import Settings
from labkit.steps.function_code import copy_folder
from labkit.target.target import Target
from labkit.text.wording import counted


@dataclass(frozen=True)
class Workplace:
    """What a check may look at: the lab's settings, its place (reached when asked for), and the learner's copy."""

    settings: Settings
    reach: Callable[[], Target]

    @property
    def target(self) -> Target:
        """The lab's place. LabError if there is no lab."""
        return self.reach()

    @property
    def has_copy(self) -> bool:
        """Whether the learner has a copy of the chapters."""
        return copy_folder(self.settings.copy_home) is not None

    @property
    def copy(self) -> Path:
        """The learner's copy. LabError if there is none."""
        folder = copy_folder(self.settings.copy_home)
        if folder is None:
            raise LabError("You have no copy of the chapters yet.", "Make it in the checkout: labkit chapters")
        return folder


@dataclass(frozen=True)
class Piece:
    """One part of a work that is checked piece by piece: right or not (None: not tried), and what is said of it."""

    what: str
    right: bool | None
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """What a check saw of a work that passes."""

    sentence: str
    pieces: tuple[Piece, ...] = ()


class NotYet(Exception):  # noqa: N818 - a verdict, no error
    """A work does not do yet what it should.

    Args:
        wrong: the name of a common wrong answer, whose sentence is in the chapter's data.
        say: a sentence of the check's own, where the data can have none.
        wanted: what the work should do or give.
        found: what it does or gives.
        pieces: its parts, where it has some.
        values: what else the sentence of the data names in braces.
    """

    def __init__(
        self,
        wrong: str | None = None,
        *,
        say: str = "",
        wanted: object = "",
        found: object = "",
        pieces: tuple[Piece, ...] = (),
        **values: object,
    ) -> None:
        super().__init__(wrong or say or f"wanted {wanted}, found {found}")
        self.wrong, self.said, self.pieces = wrong, say, pieces
        self.wanted, self.found, self.values = str(wanted), str(found), values

    def sentence(self, text: TaskText) -> str:
        """What is said to it: that of a known wrong answer; of an unknown one no cause is guessed."""
        if self.wrong is None:
            return self.said
        return text.wrong[self.wrong].format(wanted=self.wanted, found=self.found, **self.values)


# Ways of writing a function that give no answer when it is called, by name.
NO_ANSWER = {
    "class": "is a class, and a plain function is wanted.",
    "async": "is written with `async def`, so a call gives something to await and no answer: write `def`.",
    "yield": "has a `yield`, so a call gives a generator and no answer: write `return`.",
}


def _gives_no_answer(function: Callable[..., Any]) -> str | None:
    """Which of NO_ANSWER a function is."""
    found = {
        "class": inspect.isclass(function),
        "async": inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        "yield": inspect.isgeneratorfunction(function),
    }
    return next((kind for kind, is_so in found.items() if is_so), None)


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that the learner wrote.

    Raises:
        NotYet: it is no function, or it raised; its line is named.
    """
    if not callable(function):
        kind = type(function).__name__
        raise NotYet(say=f"A function is wanted, and this is {kind}. Hand it over by its name alone, without brackets.")
    if kind := _gives_no_answer(function):
        raise NotYet(say=f"`{getattr(function, '__name__', function)}` {NO_ANSWER[kind]}")
    with suppress(ValueError):  # a builtin may not tell what it takes
        takes = inspect.signature(function)
        try:
            takes.bind(*arguments)
        except TypeError:
            count = counted(len(arguments), "argument")
            raise NotYet(say=f"Your function takes {takes}, and it is called with {count}.") from None
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames[1:] if frame.filename == frames[1].filename]  # the first is the call above
        frame = (own or frames)[-1]
        what = f"{type(error).__name__}: {error}"
        raise NotYet(say=f"Your function stopped in line {frame.lineno}, `{frame.line}`, with {what}.") from error
