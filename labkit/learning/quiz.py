"""A quiz: some questions of a pool with their options, both mixed by a seed, and what is said to each answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from labkit.errors import UsageError
from labkit.learning.lessons import Option, Question, QuizText, lessons, named
from labkit.learning.progress import Progress
from labkit.text.blocks import Block, Code, Table, sentences
from labkit.text.shown import Shown


@dataclass(frozen=True, repr=False)
class Quiz(Shown):
    """A quiz as it is asked, and as it was answered: a letter for each question, or nothing yet."""

    text_of: QuizText
    seed: int
    questions: tuple[Question, ...]
    answers: tuple[str, ...]
    give: Callable[[Sequence[str]], Quiz]

    @property
    def score(self) -> int:
        """How many answers are right."""
        return sum(map(_is_right, self.questions, self.answers))

    def blocks(self) -> Iterator[Block]:
        """The questions with their options; or the score, and what is said to each answer that is not right."""
        if self.answers:
            yield from self.result()
            return
        yield sentences(f"{self.text_of.title}: {len(self.questions)} questions, mixed by seed {self.seed}.")
        for number, question in enumerate(self.questions, 1):
            yield sentences(f"{number}. {question.question}")
            yield Code(question.shown)
            yield Table(("", "option"), [(letter, option.text) for letter, option in question.options.items()])
        letters = ", ".join('"a"' for _ in self.questions)
        yield sentences(f'Answer with: lab.quiz("{self.text_of.name}", seed={self.seed}, answers=[{letters}])')

    def result(self) -> Iterator[Block]:
        """The score, and for each wrong answer the question and why it is wrong."""
        yield sentences(f"{self.score} of {len(self.questions)} are right.")
        for number, (question, letter) in enumerate(zip(self.questions, self.answers, strict=True), 1):
            if not _is_right(question, letter):
                option = question.options[letter]
                yield sentences(f"{number}. {question.question}", f"You said {letter}: {option.text}", option.why)

    def to_dict(self) -> dict[str, Any]:
        """The `questions` as they were asked, and the `score`, null before they are answered."""
        score = self.score if self.answers else None
        asked = [{"question": q.question, "options": {k: o.text for k, o in q.options.items()}} for q in self.questions]
        return {"quiz": self.text_of.name, "seed": self.seed, "questions": asked, "score": score}


def quiz(progress: Progress, name: str, seed: int = 0, answers: Sequence[str] | None = None) -> Quiz:
    """Ask a quiz, or answer it. The best score is kept; every question right solves it.

    Raises:
        UsageError: there is no such quiz, an answer is missing, or one is no option.
    """
    text = named("quiz", lessons().quizzes, name)
    if not isinstance(seed, int):
        raise UsageError("A seed is a number.", f'Give answers by their name: lab.quiz("{name}", answers="...").')
    questions = _mixed(text, seed)
    given = () if answers is None else _known(questions, answers)
    asked = Quiz(text, seed, questions, given, lambda chosen: quiz(progress, name, seed, chosen))
    if given:
        kept = progress.of("quizzes", name)
        best = max(asked.score, kept.get("best", 0))
        progress.note("quizzes", name, best=best, tries=kept.get("tries", 0) + 1, solved=best == len(questions))
    return asked


def _known(questions: tuple[Question, ...], answers: Sequence[str]) -> tuple[str, ...]:
    given = len(answers) if isinstance(answers, Sized) else 1
    if given != len(questions):
        raise UsageError(f"{given} answers do not fit {len(questions)} questions.", "Give a letter for each.")
    return tuple(_letter(number, *both) for number, both in enumerate(zip(questions, answers, strict=True), 1))


def _letter(number: int, question: Question, answer: str) -> str:
    try:
        return question.letter(answer)
    except UsageError as error:
        raise UsageError(f"Question {number} has no option {answer!r}.", error.remedy) from error


def _mixed(text: QuizText, seed: int) -> tuple[Question, ...]:
    mix = random.Random(seed)  # noqa: S311 - the same seed asks the same quiz
    return tuple(_shuffled(question, mix) for question in mix.sample(list(text.questions.values()), text.ask))


def _shuffled(question: Question, mix: random.Random) -> Question:
    """The question with its options in another order."""
    old: list[tuple[str, Option]] = list(question.options.items())
    mix.shuffle(old)
    options = {letter: option for letter, (_, option) in zip("abcde", old, strict=False)}
    right = next(letter for letter, (was, _) in zip("abcde", old, strict=False) if was == question.right)
    return Question(question.name, question.chapter, question.question, options, right, question.shown)


def _is_right(question: Question, letter: str) -> bool:
    return question.right == letter
