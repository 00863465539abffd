"""Everything that a learner does in one lab: the verbs that notebooks and commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labkit.learning import prediction, quiz, task
from labkit.learning.progress import Progress
from labkit.learning.task import Card, Changed, Hint, Verdict
from labkit.learning.work import Workplace
from labkit.settings import Settings
from labkit.target.target import Target
from labkit.text.terms import in_words, stable


class Learner:
    """One learner over one lab: what they do, and the record of it.

    Args:
        settings: the lab's.
        reach: gives the lab's place; called only by what has to look there.
        variables: the lab's shell variables by the value that each stands for, its words for what AWS made up.
    """

    def __init__(
        self, settings: Settings, reach: Callable[[], Target], variables: Callable[[], dict[str, str]]
    ) -> None:
        self.progress = Progress(settings)
        self.place = Workplace(settings, self._reached)
        self._reach, self._variables = reach, variables
        self._target: Target | None = None

    def _reached(self) -> Target:
        self._target = self._reach()
        return self._target

    def predict(self, name: str, option: str | None = None, *, skip: bool = False) -> prediction.Prediction:
        """Choose, or ask."""
        return prediction.predict(self.progress, name, option, skip=skip)

    def task(self, name: str) -> Card:
        """A task as it stands."""
        return task.task(self.progress, name)

    def check_task(self, name: str, *work: Any, **named_work: Any) -> Verdict:
        """Judge a work; where the lab had to be looked at, in its words."""
        verdict = task.check_task(self.place, self.progress, name, *work, **named_work)
        words = {value: f"${name}" for value, name in self._variables().items()} if self._target and stable() else {}
        return task.in_terms(verdict, in_words(words)) if words else verdict

    def hint(self, name: str) -> Hint:
        """The next hint, or after the last the solution."""
        return task.hint(self.progress, name)

    def solution(self, name: str) -> Hint:
        """The solution and its reason."""
        return task.solution(self.progress, name)

    def solve(self, name: str) -> Changed:
        """Put the solution in place."""
        return task.solve(self.place, self.progress, name)

    def reset_task(self, name: str) -> Changed:
        """Bring the beginning back."""
        return task.reset(self.place, name)

    def quiz(self, name: str, seed: int = 0, answers: Sequence[str] | None = None) -> quiz.Quiz:
        """Ask a quiz, or answer it."""
        return quiz.quiz(self.progress, name, seed, answers)
