"""Predictions, tasks and quizzes as forms: native radio buttons, worked by keyboard, with one polite live region."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from labkit.errors import in_notebook
from labkit.learning.lessons import Question
from labkit.learning.prediction import SKIP, Prediction
from labkit.learning.quiz import Quiz
from labkit.learning.task import Card
from labkit.text.blocks import Block, html_of, html_with_code, sentences
from labkit.views.view import View, stack

CHOOSE_FIRST = "Choose an option first."
ANSWER_ALL = "Answer every question first."


class Form(anywidget.AnyWidget):
    """Questions and buttons, or none; `chosen` has a letter for each group, empty where none is chosen.

    What is said in it is read out, too, by a program that reads the page to its user.
    """

    _esm = Path(__file__).with_name("form.js")
    _css = Path(__file__).with_name("form.css")

    content = traitlets.Unicode().tag(sync=True)
    groups: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    buttons: Any = traitlets.List().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)

    def say(self, blocks: Iterable[Block]) -> None:
        """Say something in the live region."""
        self.said = shown(blocks)


class PredictionForm(View[Prediction]):
    """A prediction to make: it is noted and answered when the button is pressed."""

    def build(self) -> widgets.Widget:
        """The question, its options, and the buttons to predict and to skip."""
        prediction = self._result
        form = Form(
            groups=[_group(prediction.question)],
            chosen=[prediction.chosen or ""],
            buttons=[["choose", "This is my prediction"], ["skip", SKIP]],
            said=shown([prediction.answer()]),
        )
        form.on_msg(lambda _, message, __: self._pressed(form, message))
        return stack(form)

    def _pressed(self, form: Form, message: dict[str, Any]) -> None:
        letter = message["chosen"][0] or None
        if message["action"] == "choose" and letter is None:
            form.say([sentences(CHOOSE_FIRST)])
        else:
            made = self._result.choose(letter if message["action"] == "choose" else None)
            form.say([made.answer()])


class TaskCard(View[Card]):
    """A task and its hints, one more each time the button is pressed."""

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self._card = card

    def build(self) -> widgets.Widget:
        """What the task asks, and the button for a hint."""
        form = Form(
            content=shown(self._card.asked()), buttons=[["hint", "A hint, please"]], said=shown(self._card.hints())
        )
        form.on_msg(lambda *_: self._hint(form))
        return stack(form)

    def _hint(self, form: Form) -> None:
        self._card = self._card.hint()
        form.say(self._card.hints())


class QuizForm(View[Quiz]):
    """A quiz to answer as a whole."""

    def build(self) -> widgets.Widget:
        """The questions, and the button that gives the answers."""
        quiz = self._result
        form = Form(
            groups=[_group(question, f"{number}. ") for number, question in enumerate(quiz.questions, 1)],
            chosen=list(quiz.answers) or [""] * len(quiz.questions),
            buttons=[["answer", "Give these answers"]],
            said=shown(quiz.result()) if quiz.answers else "",
        )
        form.on_msg(lambda _, message, __: self._answer(form, message["chosen"]))
        return stack(form)

    def _answer(self, form: Form, chosen: list[str]) -> None:
        form.say(self._result.give(chosen).result() if all(chosen) else [sentences(ANSWER_ALL)])


def shown(blocks: Iterable[Block]) -> str:
    """Blocks as HTML in a notebook's words."""
    return in_notebook(html_of(blocks))


def _group(question: Question, number: str = "") -> dict[str, Any]:
    return {
        "legend": html_with_code(number + question.question),
        "shown": question.shown,
        "options": [[letter, html_with_code(option.text)] for letter, option in question.options.items()],
    }
