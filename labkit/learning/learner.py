"""What a learner does in one lab: the verbs of their copy, which `labkit.lab.Lab` has beside its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from labkit.aws import aws_errors_in_words
from labkit.errors import LabError
from labkit.learning import prediction, quiz, task
from labkit.learning.faults import broken_lab
from labkit.learning.faults.broken_lab import BrokenLab
from labkit.learning.faults.results import Causes, Clue, Mending, Named, Symptom
from labkit.learning.prediction import Prediction
from labkit.learning.progress import Progress, ProgressReport
from labkit.learning.quiz import Quiz
from labkit.learning.task import Card, Changed, Hint, Verdict
from labkit.learning.work import Workplace
from labkit.settings import Settings
from labkit.target.target import Target
from labkit.text.terms import Terms, in_words, stable

T = TypeVar("T", Causes, Clue, Mending, Named, Symptom)


class Learner(ABC):
    """One learner over one lab: what they do, and the record of it."""

    settings: Settings
    _looked = False

    @property
    @abstractmethod
    def target(self) -> Target:
        """The lab's place, reached; asked for only by what has to look there."""

    @abstractmethod
    def _existing(self) -> Target:
        """The lab's place, where something of the lab must stand; nothing is started for it."""

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
            return replace(verdict, terms=self._terms()) if self._looked else verdict

    def _terms(self) -> Terms:
        return in_words({value: f"${name}" for value, name in self.variables().items()} if stable() else {})

    def hint(self, name: str | None = None) -> Hint | Clue:
        """The next hint of a task, or of the broken lab. Hints are counted and cost nothing.

        After the last one a task tells its solution.
        """
        return self._broken(BrokenLab.clue) if name is None else task.hint(self._progress, name)

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

    def break_it(self, seed: int | None = None) -> Symptom:
        """Put one fault into the lab, unseen, and show what a user would report.

        Args:
            seed: chooses the same fault every time; without one it is a fault that you have not met.
        """
        target = self._existing()
        target.require_confirmation()
        with target.one_writer():
            return replace(BrokenLab(target, self._progress).break_it(seed), terms=self._terms())

    def symptom(self) -> Symptom:
        """The failing call of the broken lab, made once more."""
        return self._broken(BrokenLab.symptom)

    def name_cause(self, name: Any = None) -> Named | Causes:
        """Name the cause of the symptom; without a name, or with `...`, what there is to choose from."""
        if name is None or name is ...:
            return self._broken(BrokenLab.causes)
        return self._broken(lambda lab: lab.name_cause(name))

    def mended(self) -> Mending:
        """Whether the broken lab is mended: its cause, its settings and its call. Then also the shortest way."""
        return self._broken(BrokenLab.mended)

    def _broken(self, verb: Callable[[BrokenLab], T]) -> T:
        with aws_errors_in_words():
            return replace(verb(BrokenLab(self._existing(), self._progress)), terms=self._terms())

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Notice a fault that is mended by building: that counts as having looked up the solution."""
        broken = BrokenLab(self.target, self._progress)
        stood = _stands(broken)
        yield
        if stood and _stands(broken) is False:
            broken.look_up()

    def _forget_broken(self) -> None:
        broken_lab.forget(self._progress)

    def progress(self) -> ProgressReport:
        """What you predicted, tried and solved so far."""
        return self._progress.report()


def _stands(broken: BrokenLab) -> bool | None:
    """Whether a fault stands; None where AWS does not tell, which must not keep anybody from building."""
    with suppress(LabError), aws_errors_in_words():
        return broken.stands()
    return None
