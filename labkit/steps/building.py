"""The loop over the steps: what builds a lab, builds it again when its cloud was lost, and keeps how that was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from labkit.aws import aws_errors_in_words, until_settled
from labkit.cloud import process
from labkit.errors import UsageError, in_notebook
from labkit.settings import Settings
from labkit.steps import STEPS
from labkit.steps.report import Report
from labkit.steps.status import State, Status
from labkit.steps.step import Step
from labkit.target import passwords
from labkit.target.commands import Recorder
from labkit.target.deeds import Deed
from labkit.target.doctor import require_runtime
from labkit.target.embedded import EmbeddedPlace
from labkit.target.journal import Journal, was_built
from labkit.target.names import USERS
from labkit.target.opening import open_target
from labkit.target.target import Target

Tell = Callable[[str], None]


def say(sentence: str) -> None:
    """Print a sentence in a notebook's words: so tells a lab that is opened without another way to."""
    print(in_notebook(sentence))


def step_named(name: str) -> Step:
    """The step of a name. UsageError if there is none."""
    for step in STEPS:
        if step.name == name:
            return step
    raise UsageError(f"The lab has no step {name!r}.", f"Name one of: {', '.join(step.name for step in STEPS)}.")


def steps_through(name: str | None) -> tuple[Step, ...]:
    """The steps from the first through the one of a name; all without one. UsageError if there is none."""
    return STEPS if name is None else STEPS[: STEPS.index(step_named(name)) + 1]


@dataclass
class Builder:
    """Builds the steps of a lab in its place, told what takes a while."""

    target: Target
    tell: Tell
    _done: dict[str, tuple[Deed, ...]] = field(default_factory=dict)

    def up(self, steps: tuple[Step, ...]) -> Status:
        """Build the steps, each whole before the next. Returns what then exists and what was done."""
        if self.target.reset_passwords:
            users = " and ".join(USERS)
            self.tell(f"Setting new passwords for {users}. Nobody can sign in with the present ones any more.")
        with self._writing():
            for step in steps:
                self._ensure(step)
            status = found(self.target)
        self._tell_unknown(status.states)
        states = (replace(state, happened=self._done.get(state.step, ())) for state in status.states)
        return replace(status, states=tuple(states))

    def ensure(self, step: Step) -> State:
        """Build a step, and before it what it needs and does not find. Returns what then exists of it.

        What was done to the steps that it needs is told with it.
        """
        with self._writing():
            self._with_needs(step)
            happened = tuple(deed for deeds in self._done.values() for deed in deeds)
            state = replace(step.find(self.target), happened=happened)
        self._tell_unknown((state,))
        return state

    def rebuild(self) -> None:
        """Build a lab again, as far as it was, that stood in an embedded cloud which is gone."""
        journal = Journal(self.target)
        lost = tuple(step for step in STEPS if step.name in journal.reached_steps)
        if lost and not journal.is_current:
            self.tell(f"The embedded cloud was gone, and the lab with it. Building it again through {lost[-1].name}.")
            self.up(lost)

    def _tell_unknown(self, states: tuple[State, ...]) -> None:
        """Say whose password was left alone although this machine does not know it."""
        for state in states:
            if state.found and (pool := state.ids.get("user_pool_id")):
                users = [user for user in USERS if passwords.saved(self.target, pool, user) is None]
                if users:
                    self.tell(f"This machine does not know the password of {' and '.join(users)}. {passwords.RESET}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        target = self.target
        target.require_confirmation()
        if target.place.kind == "embedded":
            require_runtime(target.settings.runtime)
        with target.one_writer(), target.asking_once():
            target.deeds.taken()  # of a verb that did not come to its end
            yield

    def _with_needs(self, step: Step) -> None:
        for needed in map(step_named, step.needs):
            if not needed.find(self.target).found:
                self._with_needs(needed)
        self._ensure(step)

    def _ensure(self, step: Step) -> None:
        journal, recorder = Journal(self.target), Recorder()
        try:
            with recorder.listening(map(self.target.client, step.services)):
                until_settled(lambda: step.ensure(self.target), waiting=self._waiting)
        finally:
            journal.add(step.name, recorder.commands)
        journal.reached(step.name)
        self._done[step.name] = self.target.deeds.taken()

    def _waiting(self, why: str) -> None:
        self.target.forget_answers()
        self.tell(f"Waiting: {why}.")


def found(target: Target) -> Status:
    """What exists of a lab. Reads only."""
    place = target.place
    with target.asking_once():
        states = tuple(step.find(target) for step in STEPS)
    return Status(place.kind, place.account, place.region, target.settings.name, states)


def checked(target: Target, steps: tuple[Step, ...]) -> Report:
    """What there is to say about every setting of some steps. Reads only."""
    with target.asking_once():
        return sum((step.check(target) for step in steps), Report(()))


def nothing_found(settings: Settings) -> Status:
    """What exists of a lab whose embedded cloud does not run."""
    return Status(settings.place_kind, None, None, settings.name, tuple(State(step.name, ()) for step in STEPS))


def reached(known: Target | None, settings: Settings, tell: Tell, *, start: bool) -> Target:
    """The place of a lab: the one that is known, unless its cloud was lost since. Then the lab is built again there.

    Args:
        known: where the lab was found last.
        settings: the lab's settings.
        tell: told what takes a while.
        start: start the embedded cloud if it is not running. One that was lost is started in any case.

    Raises:
        NotRunningError: the embedded cloud is not running and may not be started.
        LabError: the place cannot be reached.
    """
    if known is not None and not _lost(known):
        return known
    embedded = settings.place_kind == "embedded"
    with aws_errors_in_words():
        target = open_target(settings, start=start or (embedded and was_built(settings)), sweep=start)
    Builder(target, tell).rebuild()
    return target


def _lost(target: Target) -> bool:
    place = target.place
    return isinstance(place, EmbeddedPlace) and process.find(target.settings.home) != place.cloud
