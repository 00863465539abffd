"""What a learner sees of a broken lab: a symptom, the causes to choose from, a hint, a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.learning.lessons import HINTS, FaultText
from labkit.questions.calls import Reply
from labkit.questions.endpoint import Question
from labkit.steps.report import Finding
from labkit.text.blocks import Block, Code, Table, sentences
from labkit.text.shown import Shown

GIVE_UP = "To give up: lab.up(), or labkit up. It mends what it finds, and counts as having looked up the solution."
AS_BUILT = "as the steps built them"
HINT = "A hint that leads to the cause: lab.hint(), or labkit symptom --hint"
OTHERS = "The cause is mended, and this is something else, which labkit check names"
LOOKED = "labkit up mended it, and that counts as having looked up the solution. The next one can be all yours."
UNKNOWN_DEPLOYMENT = (
    "The stage Test serves what it should. labkit check knows deployments by their description, and this one has "
    "another: labkit up deploys once more, and changes nothing else."
)


@dataclass(frozen=True, repr=False)
class Symptom(Shown):
    """What a user would report: one call and its answer, or why it could not even be sent."""

    question: Question
    reply: Reply | None
    refused: str = ""

    @property
    def status(self) -> int | None:
        """The HTTP status; None if there was no answer."""
        return self.reply.status if self.reply else None

    @property
    def sentence(self) -> str:
        """The call and what became of it."""
        asked = f"{self.question.request} as {self.question.caller}"
        return f"{asked} is answered {self.status}." if self.reply else f"{asked} cannot be sent. {self.refused}"

    def blocks(self) -> Iterator[Block]:
        """The report, then the call as curl sends it and its answer."""
        yield sentences(f"Somebody reports: {self.sentence}")
        if self.reply:
            yield from self.reply.blocks()
        else:
            yield Code(f"$ {self.question.curl}")

    def to_dict(self) -> dict[str, Any]:
        """The `request` and its `caller`, the answer as `call` gives it, and why there is none in `refused`."""
        asked = {"request": self.question.request, "caller": self.question.caller, "refused": self.refused}
        return asked | (self.reply.to_dict() if self.reply else {"status": None, "curl": self.question.curl})


@dataclass(frozen=True, repr=False)
class Causes(Shown):
    """The causes that can be named."""

    known: tuple[FaultText, ...]

    def blocks(self) -> Iterator[Block]:
        """A row for each, and how to name one."""
        yield Table(("name", "the cause"), [(fault.name, fault.cause) for fault in self.known])
        yield sentences('Name one: lab.name_cause("NAME"), or labkit cause NAME.')

    def to_dict(self) -> dict[str, Any]:
        """The `causes`: words by name."""
        return {"causes": {fault.name: fault.cause for fault in self.known}}


@dataclass(frozen=True, repr=False)
class Named(Shown):
    """A cause that was named, whether it is the right one, and what speaks against it."""

    cause: FaultText
    right: bool
    against: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """Yes and what comes next, or no and why."""
        if self.right:
            yield sentences(
                f"Yes: {self.cause.cause}", "Now mend it, by whatever means, and then: lab.mended(), or labkit mended."
            )
        else:
            yield sentences(f"No. {self.cause.seen}", *self.against)

    def to_dict(self) -> dict[str, Any]:
        """The `cause` that was named, whether it is `right`, and what speaks `against` it."""
        against = [] if self.right else [self.cause.seen, *self.against]
        return {"cause": self.cause.name, "right": self.right, "against": against}


@dataclass(frozen=True, repr=False)
class Clue(Shown):
    """A hint, by its `number`; without text there are no more."""

    number: int
    said: str

    def blocks(self) -> Iterator[Block]:
        """The hint."""
        if self.said:
            yield sentences(f"Hint {self.number} of {len(HINTS)}, {HINTS[self.number - 1]}.", self.said)
        else:
            yield sentences("There are no more hints.", GIVE_UP)

    def to_dict(self) -> dict[str, Any]:
        """The `hint`'s number and its `text`; null for both after the last one."""
        return {"hint": self.number if self.said else None, "text": self.said or None}


@dataclass(frozen=True, repr=False)
class Mending(Shown):
    """Solved, not yet, or could not check: is the cause named, every setting right, the call answered as it should be?

    `doubt`: why AWS could not be asked, which is never the learner's fault. `stands`: the fault is still there.
    `looked`: `up` mended it. `unknown_deployment`: the stage Test serves what it should, under a description that
    check does not know. `mend` is the shortest way, shown once all three are good.
    """

    fault: FaultText
    is_named: bool
    wrong: tuple[Finding, ...]
    seen: Symptom
    healthy: int
    stands: bool
    looked: bool
    unknown_deployment: bool
    mend: str
    doubt: str = ""

    @property
    def solved(self) -> bool:
        """Whether all three are so."""
        return self.is_named and not self.wrong and self.seen.status == self.healthy and not self.doubt

    @property
    def verdict(self) -> str:
        """Solved, not yet, or could not check."""
        return "could not check" if self.doubt else "solved" if self.solved else "not yet"

    def pieces(self) -> list[tuple[str, str, str]]:
        """What was looked at, whether it is right, and what was found."""
        right, not_yet = "✓ right", "✗ not yet"
        settings = f"{len(self.wrong)} wrong. {HINT if self.stands else OTHERS}" if self.wrong else AS_BUILT
        settings = "not known" if self.doubt else settings
        unnamed = not_yet, "not named: lab.name_cause(), or labkit cause"
        return [
            ("cause", *((right, self.fault.cause) if self.is_named else unnamed)),
            ("settings", not_yet if self.wrong or self.doubt else right, settings),
            ("call", right if self.seen.status == self.healthy else not_yet, self.seen.sentence),
        ]

    def blocks(self) -> Iterator[Block]:
        """The verdict, and what it goes by; once it is solved, the shortest way and why it is one."""
        if self.doubt:
            yield sentences(f"Could not check: This is no verdict on your work. {self.doubt}")
            return
        yield sentences(f"{self.verdict.capitalize()}.")
        yield Table(("what", "", "found"), self.pieces(), (8, 9, 90))
        if self.unknown_deployment:
            yield sentences(UNKNOWN_DEPLOYMENT)
        if self.solved:
            if self.looked:
                yield sentences(LOOKED)
            yield sentences("The shortest way:")
            yield Code(self.mend)
            yield sentences(self.fault.because)

    def to_dict(self) -> dict[str, Any]:
        """The `verdict`, what it goes by, why there is a `doubt`, and once it is solved the `shortest` way."""
        looked_at = {what: {"right": "✓" in right, "found": found} for what, right, found in self.pieces()}
        shortest = self.mend if self.solved else None
        return {"verdict": self.verdict, **looked_at, "doubt": self.doubt, "shortest": shortest}
