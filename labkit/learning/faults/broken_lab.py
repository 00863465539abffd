"""A lab that was broken on purpose: its symptom, its cause, its mending. What is broken, the learner's record knows.

Whether it is mended, the record does not know: that is what AWS says now.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from labkit.aws import aws_errors_in_words, until_settled
from labkit.errors import LabError, UsageError
from labkit.learning.faults.results import Causes, Clue, Mending, Named, Symptom
from labkit.learning.faults.table import FAULTS, Fault
from labkit.learning.lessons import HINTS, FaultText, lessons, named
from labkit.learning.progress import Progress
from labkit.machine.polling import until
from labkit.questions.arguments import a_text
from labkit.questions.calls import call
from labkit.questions.endpoint import Question
from labkit.runtimes import RUNTIMES
from labkit.steps import STEPS, building
from labkit.steps.report import Finding
from labkit.target.journal import Journal
from labkit.target.names import STAGE
from labkit.target.target import Target

_KIND, _ONE = "broken", "lab"
_DEPLOYMENT = f"deployment of stage {STAGE}"
NOTHING: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class BrokenLab:
    """One learner's lab, broken or to be broken.

    Args:
        target: the lab's place.
        progress: the learner's record, which keeps which fault was made.
    """

    target: Target
    progress: Progress

    def break_it(self, seed: int | None = None) -> Symptom:
        """Put one fault into a lab that is whole and sound. Returns its symptom.

        Args:
            seed: chooses the same fault every time; without one it is a fault that was not met yet.

        Raises:
            LabError: the lab is not whole and sound, or is broken already.
        """
        if not isinstance(seed, int | None):
            raise UsageError("A seed is a number.", "Leave it out for a fault that you have not met.")
        if self.stands():
            raise LabError(
                "This lab is broken already, and waits for you.",
                "Look at it: lab.symptom(), or labkit symptom. To give up: lab.up(), or labkit up.",
            )
        fault = self._drawn(seed)
        ids = self._ids_of_a_sound_lab(fault)
        self.progress.forget(_KIND)
        self.progress.note(_KIND, _ONE, fault=fault.name, place=self._place)
        try:
            until_settled(lambda: fault.make(self.target, ids))
        except BaseException:  # Ctrl-C, too: no fault is left half made
            step = building.step_named(fault.step)
            until_settled(lambda: step.ensure(self.target))
            self.progress.forget(_KIND)
            raise
        return self._settled(fault, healthy=False)

    def symptom(self) -> Symptom:
        """The call that shows the fault, made once more."""
        return self._seen(self._fault().call)

    def clue(self) -> Clue:
        """The next hint; after the last one, how to give up. Hints are counted and cost nothing."""
        fault = self._fault()
        number = self.progress.count(_KIND, _ONE, "hints")
        return Clue(number, _text(fault).hints[number - 1] if number <= len(HINTS) else "")

    def causes(self) -> Causes:
        """What there is to name."""
        self._fault()
        return Causes(tuple(lessons().faults.values()))

    def name_cause(self, name: str) -> Named:
        """Whether this is the cause; of a wrong one, what would be seen if it were, and what contradicts it.

        Raises:
            UsageError: there is no such cause.
        """
        fault, text = self._fault(), named("cause", lessons().faults, a_text(name, "A cause"))
        self.progress.count(_KIND, _ONE, "guesses")
        if name == fault.name:
            self.progress.note(_KIND, _ONE, named=True)
            self.progress.note("faults", name, found=True)
            return Named(text, right=True)
        return Named(text, right=False, against=tuple(self._against(fault, FAULTS[name])))

    def mended(self) -> Mending:
        """Whether the cause is named, every setting right and the call answered as it should be.

        If AWS does not tell, that is no verdict on the learner's work.
        """
        fault = self._fault()
        doubt, wrong, check = "", NOTHING, NOTHING
        try:
            with aws_errors_in_words():
                wrong, check = self._wrong(fault)
        except LabError as error:
            doubt = str(error)
        seen = self._seen(fault.call) if wrong or doubt else self._settled(fault, healthy=True)
        kept = self.progress.of(_KIND, _ONE)
        mending = Mending(
            _text(fault),
            is_named=bool(kept.get("named")),
            wrong=wrong,
            seen=seen,
            healthy=fault.status,
            stands=self._is_among(fault, wrong),
            looked=bool(kept.get("looked")),
            unknown_deployment=bool(check and not wrong),
            mend=self._filled(_text(fault).mend),
            doubt=doubt,
        )
        if mending.solved and not kept.get("solved"):
            self.progress.note(_KIND, _ONE, solved=True)
            counted = {what: kept.get(what, 0) for what in ("hints", "guesses")}
            self.progress.note("faults", fault.name, solved=True, with_solution=mending.looked, **counted)
        return mending

    def stands(self) -> bool:
        """Whether a fault was made here that AWS still shows. Where none is remembered, nothing is asked."""
        fault = self._made()
        if fault is None:
            return False
        return self._is_among(fault, self._wrong(fault)[0])

    def _is_among(self, fault: Fault, findings: tuple[Finding, ...]) -> bool:
        return any(fault.is_named_by(finding.subject, self.target.names.lab) for finding in findings)

    def look_up(self) -> None:
        """Remember that the solution was looked up: `up` mended the fault."""
        self.progress.note(_KIND, _ONE, looked=True)
        self.progress.note("faults", self._fault().name, with_solution=True)

    @property
    def _place(self) -> str:
        """What the lab's place is known by. With an embedded cloud its broken lab is gone, too."""
        return f"{Journal(self.target).place} {self.target.place.region}"

    def _made(self) -> Fault | None:
        kept = self.progress.of(_KIND, _ONE)
        here = bool(kept) and kept.get("place") == self._place
        return FAULTS.get(str(kept.get("fault"))) if here else None

    def _fault(self) -> Fault:
        fault = self._made()
        if fault is None:
            raise LabError("Nothing was broken in this lab.", "Break it: lab.break_it(), or labkit break.")
        return fault

    def _drawn(self, seed: int | None) -> Fault:
        # All faults are mixed, so that a seed means the same wherever its fault may be made.
        mixed = random.Random(seed).sample(list(FAULTS.values()), len(FAULTS))  # noqa: S311 - an exercise
        order = [fault for fault in mixed if fault.in_account or self.target.place.kind != "aws"]
        met = self.progress.all("faults")
        return order[0] if seed is not None else min(order, key=lambda fault: fault.name in met)

    def _ids_of_a_sound_lab(self, fault: Fault) -> dict[str, str]:
        with self.target.asking_once():
            status = building.found(self.target)
            if missing := [state.step for state in status.states if not state.found]:
                raise LabError(f"Only a whole lab can be broken, and {missing[0]} is missing.", "Build it: labkit up")
            wrong = building.checked(self.target, STEPS).findings
        if wrong:
            raise LabError(
                f"Only a sound lab can be broken, and here {wrong[0].subject} is not as it should be.",
                "Mend it first: labkit up",
            )
        seen = self._settled(fault, healthy=True)
        if seen.status != fault.status:
            raise LabError(f"Only a sound lab can be broken, and here {seen.sentence}", "See why: labkit check")
        return status.ids

    def _settled(self, fault: Fault, *, healthy: bool) -> Symptom:
        """The fault's call, made until it is answered as in a sound lab or otherwise, or until patience ends."""
        return until(
            lambda: self._seen(fault.call),
            lambda symptom: (symptom.status == fault.status) is healthy,
            seconds=self.target.place.patience,
        )

    def _seen(self, question: Question) -> Symptom:
        try:
            return Symptom(question, call(self.target, question))
        except LabError as error:
            return Symptom(question, None, error.problem)

    def _wrong(self, fault: Fault) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """What is wrong, and what check finds.

        Check knows a deployment by its description. One that a learner made has another: it is judged by the call.
        """
        found = building.checked(self.target, STEPS).findings
        if any(finding.subject != _DEPLOYMENT for finding in found):
            return found, found
        served = found and self._seen(replace(fault.call, stage=STAGE)).status == fault.status
        return () if served else found, found

    def _against(self, fault: Fault, guess: Fault) -> Iterator[str]:
        yield f"But what is seen is this: {self._seen(fault.call).sentence}"
        lab = self.target.names.lab
        rows = building.checked(self.target, (building.step_named(guess.step),)).assertions
        for row in rows:
            if guess.is_named_by(row.subject, lab) and row.passed:
                yield f"And the check of this passes: {row.subject}, {row.actual}."

    def _filled(self, mend: str) -> str:
        names, handler = self.target.names, RUNTIMES[self.target.settings.runtime].handler
        for name, value in {"lab": names.lab, "partition": names.partition, "handler": handler}.items():
            mend = mend.replace(f"{{{name}}}", value)
        return mend


def forget(progress: Progress) -> None:
    """Remember no broken lab: it is gone."""
    progress.forget(_KIND)


def _text(fault: Fault) -> FaultText:
    return lessons().faults[fault.name]
