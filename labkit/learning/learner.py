"""What a learner does in one lab: the verbs of their copy, which `labkit.lab.Lab` has beside its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from labkit.aws import aws_errors_in_words
from labkit.learning import prediction, quiz, task
from labkit.learning.prediction import Prediction
from labkit.learning.progress import Progress, ProgressReport
from labkit.learning.quiz import Quiz
from labkit.learning.task import Card, Changed, Hint, Verdict
from labkit.learning.work import Workplace
from labkit.settings import Settings
from labkit.target.target import Target
from labkit.text.terms import in_words, stable


class Learner(ABC):
    """One learner over one lab: what they do, and the record of it."""

    settings: Settings
    _looked = False

    @property
    @abstractmethod
    def target(self) -> Target:
        """The lab's place, reached; asked for only by what has to look there."""

    @abstractmethod
    def variables(self) -> dict[str, str]:
        """The lab's shell variables by the value that each stands for: its words for what AWS made up."""

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self.settings)

    @cached_property
    def _workplace(self) -> Workplace:
        return Workplace(self.settings, self._look)

    def _look(self) -> Target:
        self._looked = True
        return self.target

    def predict(self, name: str, option: str | None = None, *, skip: bool = False) -> Prediction:
        """Predict what comes: choose an option by its letter or text; without one the question is asked."""
        return prediction.predict(self._progress, name, option, skip=skip)

    def task(self, name: str) -> Card:
        """What a task asks for, and how it stands."""
        return task.task(self._progress, name)

    def check_task(self, name: str, *work: Any, **named_work: Any) -> Verdict:
        """Whether your work does what the task asks for: passed, not yet, or could not check."""
        with aws_errors_in_words():
            verdict = task.check_task(self._workplace, self._progress, name, *work, **named_work)
            words = {value: f"${name}" for value, name in self.variables().items()} if self._looked and stable() else {}
        return task.in_terms(verdict, in_words(words)) if words else verdict

    def hint(self, name: str) -> Hint:
        """The next hint of a task; after the last one its solution. Hints are counted and cost nothing."""
        return task.hint(self._progress, name)

    def solution(self, name: str) -> Hint:
        """The solution of a task, and why it is one."""
        return task.solution(self._progress, name)

    def solve(self, name: str) -> Changed:
        """Put the solution of a task in place; what you had stays beside it."""
        with aws_errors_in_words():
            return task.solve(self._workplace, self._progress, name)

    def reset_task(self, name: str) -> Changed:
        """Bring back how a task began; what you had stays beside it."""
        with aws_errors_in_words():
            return task.reset(self._workplace, name)

    def quiz(self, name: str, seed: int = 0, answers: Sequence[str] | None = None) -> Quiz:
        """Ask a quiz, mixed anew by each seed; with answers, a letter a question, tell how many are right."""
        return quiz.quiz(self._progress, name, seed, answers)

    def progress(self) -> ProgressReport:
        """What you predicted, tried and solved so far."""
        return self._progress.report()
