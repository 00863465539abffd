"""A prediction: the question, the option chosen, and the sentence that meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from labkit.learning.lessons import Question, lessons, named
from labkit.learning.progress import Progress
from labkit.text.blocks import Block, Code, Sentences, Table, sentences
from labkit.text.shown import Shown

SKIP = "Something else, or I would rather skip"
SKIPPED = "Skipped. Run the next cell and see; you can still choose."


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
    """A question and what was chosen: a letter, `skipped`, or nothing yet. `first` is the choice that counts.

    `choose` makes the prediction: of a letter, or of None to skip.
    """

    question: Question
    chosen: str | None
    first: str | None
    skipped: bool
    choose: Callable[[str | None], Prediction]

    @property
    def right(self) -> bool | None:
        """Whether it is right; None if nothing was chosen."""
        return self.chosen == self.question.right if self.chosen else None

    def asked(self) -> Iterator[Block]:
        """The question without its options."""
        yield sentences(self.question.question)
        yield Code(self.question.shown)

    def answer(self) -> Sentences:
        """The sentence that meets the choice; nothing before there is one."""
        if self.skipped:
            return sentences(SKIPPED)
        if self.chosen is None:
            return sentences()
        option = self.question.options[self.chosen]
        said = f"{self.chosen}, {option.text}"
        if self.first in (None, self.chosen):
            return sentences(f"Your prediction is noted: {said}", option.why)
        return sentences(f"Now you chose {said}", option.why, f"Your first prediction, {self.first}, stays noted.")

    def blocks(self) -> Iterator[Block]:
        """The question, its options, and the answer, or the line that gives one."""
        yield from self.asked()
        yield Table(("", "option"), [(letter, option.text) for letter, option in self.question.options.items()])
        line = f'Choose with: lab.predict("{self.question.name}", "a"), or skip=True.'
        yield self.answer() if self.chosen or self.skipped else sentences(line)

    def to_dict(self) -> dict[str, Any]:
        """What was `chosen`, first and now, and whether it is `right`."""
        return {"name": self.question.name, "chosen": self.chosen, "first": self.first, "right": self.right}


def predict(progress: Progress, name: str, option: str | None = None, *, skip: bool = False) -> Prediction:
    """Choose an option of a prediction, by letter or text; without one, what was chosen so far.

    Raises:
        UsageError: there is no such prediction or option.
    """
    question = named("prediction", lessons().predictions, name)
    if option is not None:
        letter = question.letter(option)
        kept = progress.of("predictions", name)
        progress.note("predictions", name, first=kept.get("first") or letter, last=letter, skipped=False)
    elif skip:
        progress.note("predictions", name, skipped=True)
    kept = progress.of("predictions", name)

    def choose(chosen: str | None) -> Prediction:
        return predict(progress, name, chosen, skip=chosen is None)

    last, first = (kept.get(which) if kept.get(which) in question.options else None for which in ("last", "first"))
    return Prediction(question, last, first, bool(kept.get("skipped")), choose)
