"""The lab: its steps, in order, over one target. What a notebook, a terminal and a test all use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from filelock import FileLock, Timeout

from labkit.attacks import what_if_api
from labkit.attacks.attack import Attack, AttackReport, attempt_named, chosen
from labkit.attacks.bench import Bench
from labkit.attacks.what_if import Change, Signer, WhatIf, what_if
from labkit.aws import explained, until_settled
from labkit.cloud import process
from labkit.errors import LabError
from labkit.learning import goto
from labkit.learning.learner import Learner
from labkit.learning.prediction import Prediction
from labkit.learning.progress import ProgressReport
from labkit.learning.quiz import Quiz
from labkit.learning.task import Card, Changed, Hint, Verdict
from labkit.machine.private_files import private_folder, unwritable
from labkit.questions import calls, sign_in
from labkit.questions.access import Access, access
from labkit.questions.expectations import check_calls
from labkit.questions.explanation import Explanation, explain
from labkit.questions.invocation import Invocation, Source, invoke, source
from labkit.questions.published_keys import published_keys
from labkit.questions.token_comparison import Comparison
from labkit.questions.token_reading import Reading, read
from labkit.questions.trigger_run import Cause, find_cause
from labkit.removal import removal
from labkit.settings import Settings
from labkit.steps import STEPS
from labkit.steps.building import step_named
from labkit.steps.report import Report
from labkit.steps.status import _PLACES, State, Status
from labkit.steps.step import Step
from labkit.steps.user_pool import find_user_pool
from labkit.target.commands import Recorder
from labkit.target.doctor import Diagnosis, diagnose, require_node
from labkit.target.embedded import EmbeddedPlace
from labkit.target.journal import Commands, Journal, was_built
from labkit.target.names import FUNCTIONS
from labkit.target.opening import NotRunningError, open_target
from labkit.target.passwords import known
from labkit.target.target import Target
from labkit.text.terms import Terms, lab_terms
from labkit.tokens.token import decode

Tell = Callable[[str], None]


class Lab:
    """One learner's lab.

    Every verb finds the lab anew in its place. If the embedded cloud was lost since, the lab is first built again as
    far as it was.
    """

    def __init__(self, settings: Settings, *, tell: Tell = print, target: Target | None = None) -> None:
        self.settings = settings
        self.tell = tell
        self._target = target
        self._recorder = Recorder()

    @classmethod
    def open(cls, *, account: str | None = None, tell: Tell = print) -> Lab:
        """The lab that the environment's settings name.

        Args:
            account: the id of the AWS account that may be written to (LABKIT_TARGET=aws only).
            tell: told what takes a while.

        Raises:
            LabError: the settings are wrong, or the place cannot be reached.
        """
        lab = cls(Settings.from_environment(), tell=tell)
        if account is not None:
            lab.target.confirm(account)
        return lab

    def __repr__(self) -> str:
        return f"lab {self.settings.name} on the {_PLACES[self.settings.target]}"

    @property
    def target(self) -> Target:
        """The lab's place, reached; the embedded cloud is started if it is not running."""
        return self._reach(start=True)

    def _reach(self, *, start: bool) -> Target:
        if self._target is None or self._lost(self._target):
            with explained():
                self._target = open_target(self.settings, start=start or self._was_built())
            self._rebuild(self._target)
        return self._target

    def _lost(self, target: Target) -> bool:
        place = target.place
        return isinstance(place, EmbeddedPlace) and process.find(self.settings.home) != place.cloud

    def _was_built(self) -> bool:
        return self.settings.target == "embedded" and was_built(self.settings)

    def _rebuild(self, target: Target) -> None:
        """Build a lab again that stood in an embedded cloud which is gone."""
        journal = Journal(target)
        lost = [step for step in STEPS if step.name in journal.reached_steps]
        if not lost or journal.is_current:
            return
        self.tell(f"The embedded cloud was gone, and the lab with it. Building it again through {lost[-1].name}.")
        for step in lost:
            self._ensure(target, step)

    @contextmanager
    def _working(self, target: Target) -> Iterator[None]:
        """One writer at a time for a lab on this machine, with every AWS refusal in a sentence."""
        lock = FileLock(private_folder(target.folder) / "lock", timeout=60)
        try:
            lock.acquire()
        except Timeout as error:
            raise LabError("Another labkit is changing this lab.", "Let it finish, then repeat this.") from error
        except OSError as error:
            raise unwritable(target.folder, error) from error
        with lock, explained():
            lock.release()  # `with` holds it a second time
            yield

    def find(self, step: str) -> State:
        """What exists of one step."""
        found = step_named(step)
        with explained():
            return found.find(self.target)

    def ensure(self, step: str) -> State:
        """Build one step, with whatever it needs before it.

        Raises:
            LabError: AWS refused something, or a resource of somebody else bears one of the lab's names.
        """
        wanted = step_named(step)
        target = self.target
        for needed in wanted.needs:
            if not self.find(needed).found:
                self.ensure(needed)
        self._ensure(target, wanted)
        return self.find(step)

    def _ensure(self, target: Target, step: Step) -> None:
        target.require_confirmation()
        if target.place.kind == "embedded" and self.settings.runtime.startswith("nodejs"):
            require_node()
        journal = Journal(target)
        with self._working(target):
            for service in ("iam", "lambda", "logs", "cognito-idp", "apigatewayv2"):
                self._recorder.listen(target.client(service))
            with self._recorder.recording() as commands:
                try:
                    until_settled(lambda: step.ensure(target), waiting=lambda why: self.tell(f"Waiting: {why}."))
                finally:
                    journal.add(step.name, commands)
            journal.reached(step.name)

    def up(self, through: str | None = None) -> Status:
        """Build every step, or every step through the one named."""
        last = STEPS.index(step_named(through)) if through else len(STEPS) - 1
        target = self.target
        target.require_confirmation()
        for step in STEPS[: last + 1]:
            self._ensure(target, step)
        return self.status()

    def status(self) -> Status:
        """What exists. The embedded cloud is not started for it."""
        try:
            target = self._reach(start=False)
        except NotRunningError:
            nothing = tuple(State(step.name, ()) for step in STEPS)
            return Status(self.settings.target, None, None, self.settings.name, nothing)
        with explained():
            states = tuple(step.find(target) for step in STEPS)
        return Status(target.place.kind, target.place.account, target.place.region, self.settings.name, states)

    def check(self, step: str | None = None) -> Report:
        """Look at every setting of the lab, or of one step; the whole lab is called, too.

        Raises:
            LabError: there is no lab to check.
        """
        steps = STEPS if step is None else (step_named(step),)
        target = self._existing()
        report = Report(())
        with explained():
            for each in steps:
                report += each.check(target)
            return report if step else report + check_calls(target)

    def _existing(self) -> Target:
        """The lab's place, where something of the lab must stand."""
        try:
            return self._reach(start=False)
        except NotRunningError as error:
            raise sign_in.NO_LAB from error

    def plan_removal(self) -> removal.Plan:
        """What `down` would delete. Deletes nothing."""
        with explained():
            return removal.plan(self._existing())

    def down(self) -> removal.Receipt:
        """Delete everything of the lab, the last step first, and forget its passwords. Returns the receipt."""
        target = self._existing()
        target.require_confirmation()
        with self._working(target):
            return removal.remove_lab(target, self.tell)

    def commands(self, step: str) -> Commands:
        """The AWS calls that built a step, as AWS CLI lines."""
        name = step_named(step).name
        return Journal(self._existing()).commands(name, self.variables())

    def tokens(self, user: str) -> dict[str, str]:
        """Sign a user in anew. The raw tokens by kind: id, access, refresh."""
        sign_in.known_user(user)
        with explained():
            return sign_in.tokens(self._existing(), user)

    def password(self, user: str) -> str:
        """The password of one of the lab's users."""
        sign_in.known_user(user)
        target = self._existing()
        with explained():
            pool = find_user_pool(target)
        if pool is None:
            raise sign_in.NO_LAB
        return known(target, pool["Id"], user)

    def call(
        self,
        route: str,
        user: str | None = None,
        *,
        stage: str = "$default",
        kind: str = "id",
        bearer: bool = False,
        token: str | None = None,
    ) -> calls.Answer:
        """Send one request to the API.

        Args:
            route: a route key, `GET /AdminUser` or `GET /RegularUser`.
            user: who signs in for it; nobody by default.
            stage: `$default` or `Test`.
            kind: which of the user's tokens is sent: `id`, `access` or `refresh`.
            bearer: put `Bearer ` before the token.
            token: a value of the Authorization header, in place of a user's token.
        """
        calls.known_route(route)
        calls.known_stage(stage)
        if user is not None:
            sign_in.known_user(user)
        with explained():
            target = self._existing()
            return calls.send(target, route, self._caller(target, user, kind, token, bearer=bearer), stage)

    @staticmethod
    def _caller(target: Target, user: str | None, kind: str, token: str | None, *, bearer: bool) -> calls.Caller:
        if token is not None:
            return calls.with_token(token)
        return calls.anonymous() if user is None else calls.signed_in(target, user, kind, bearer=bearer)

    def read(self, token: str, *claims: str) -> Reading:
        """Decode a token on this machine: every claim explained, or only those named, and its signature checked."""
        try:
            target = self._existing()
        except LabError:
            return read(token, time.time(), names=claims)
        with explained():
            return read(token, time.time(), target.place, claims).in_terms(self._terms(target))

    def explain(
        self,
        route: str,
        user: str | None = None,
        *,
        token: str | None = None,
        kind: str = "id",
        bearer: bool = False,
        stage: str = "$default",
        observe: bool = True,
        exact: bool = False,
    ) -> Explanation:
        """Say rule by rule how the authorizer decides a request, send it, and compare.

        Args:
            route: a route key, `GET /AdminUser` or `GET /RegularUser`.
            user: who signs in for it; nobody by default.
            token: a value of the Authorization header, in place of a user's token.
            kind: which of the user's tokens is sent: `id`, `access` or `refresh`.
            bearer: put `Bearer ` before the token.
            stage: `$default` or `Test`.
            observe: send the request; without it the decision is only predicted.
            exact: write ids and times as they are, and not as the variables of `labkit env`.
        """
        calls.method_and_path(route, stage)
        target = self._existing()
        with explained():
            caller = self._caller(target, user, kind, token, bearer=bearer)
            explanation = explain(target, route, caller, stage, observe=observe)
            return explanation if exact else explanation.in_terms(self._terms(target))

    def access(self) -> Access:
        """Call every route as every kind of caller: what the rules predict beside what the endpoint answers."""
        target = self._existing()
        with explained():
            return access(target).in_terms(self._terms(target))

    def cause(self, token: str) -> Cause:
        """What the pre token generation trigger was given for this token, and what it answered."""
        target = self._existing()
        with explained():
            return replace(find_cause(target, decode(token)), terms=self._terms(target))

    def compare(self, left: str, right: str) -> Comparison:
        """Where two tokens differ, what the trigger did for each, and what follows."""
        target = self._existing()
        both = decode(left), decode(right)
        with explained():
            causes = tuple(find_cause(target, token) for token in both if token.kind == "id")
            return Comparison(*both, causes, self._terms(target))

    def what_if(
        self,
        user: str | None = "adminuser",
        *,
        claims: Mapping[str, Any] | None = None,
        without: str | Sequence[str] = (),
        header: Mapping[str, Any] | None = None,
        key: Signer = "issuer",
        hours_later: float = 0,
        audience: str | Sequence[str] | None = None,
        issuer: str | None = None,
        scopes: str | Sequence[str] | None = None,
        route: str = "GET /AdminUser",
        send: bool = True,
    ) -> WhatIf:
        """Change a token, the clock, the authorizer or the route: which rule decides otherwise, and does the API agree?

        Args:
            user: whose ID token it begins with; None for a table of defaults.
            claims: claims that are put in or replaced.
            without: claims that are taken out.
            header: parameters of the token's header that are put in or replaced.
            key: whose key signs: the `issuer`'s, or a `stranger`'s under the same name.
            hours_later: how much later the token is sent.
            audience: the authorizer's audience.
            issuer: the issuer that the authorizer trusts.
            scopes: the route's scopes.
            route: the route of the lab that it begins with.
            send: try it out; without it the decision is only predicted.
        """
        change = Change(
            claims=claims or {},
            without=_several(without),
            header=header or {},
            key=key,
            hours_later=hours_later,
            issuer=issuer,
            audience=None if audience is None else _several(audience),
            scopes=None if scopes is None else _several(scopes),
        )
        target = self._existing()
        with self._working(target):
            result = what_if(target, user, calls.known_route(route), change, send=send)
            return result.in_terms(self._terms(target))

    def end_what_if(self) -> State:
        """Take the what-if API away before the lab goes. Returns what the lab has of its own HTTP API."""
        target = self._existing()
        with self._working(target):
            what_if_api.remove(target)
        return self.find("http-api")

    def attack(self, attempt: str) -> Attack:
        """Make one attempt of the attack bench, by its name."""
        wanted, target = attempt_named(attempt), self._existing()
        with self._working(target):
            return Bench(target).attack(wanted).in_terms(self._terms(target))

    def attack_bench(self, *rules: str) -> AttackReport:
        """Make every attempt of the attack bench, or those that these rules refuse, or that are `let in`."""
        wanted, target = chosen(rules), self._existing()
        with self._working(target):
            return Bench(target).run(wanted)

    def _terms(self, target: Target) -> Terms:
        """This lab's words for the values that AWS made up for it."""
        environment = self.environment()
        issuer = environment.get("ISSUER")
        words = {value: name for name, value in environment.items() if name not in _NOT_IN_OUTPUTS}
        return lab_terms(words, published_keys(target.place, issuer).keys if issuer else ())

    def add_to_group(self, user: str, group: str) -> None:
        """Put a user into a group. `ensure("user-pool")` makes the groups what the lab says."""
        sign_in.known_user(user)
        target = self._existing()
        target.require_confirmation()
        pool = find_user_pool(target)
        if pool is None:
            raise sign_in.NO_LAB
        with explained():
            target.client("cognito-idp").admin_add_user_to_group(UserPoolId=pool["Id"], Username=user, GroupName=group)

    def source(self, function: str) -> Source:
        """The code of one of the post's functions, in the lab's runtime."""
        return source(function, self.settings.runtime, self.settings.copy_home)

    def invoke(self, function: str, event: dict[str, Any]) -> Invocation:
        """Run a function once with an event of your own."""
        target = self._existing()
        with explained():
            return invoke(target, function, event)

    def doctor(self) -> Diagnosis:
        """Whether everything is here that the lab needs."""
        return diagnose(self.settings)

    def variables(self) -> dict[str, str]:
        """The shell variables of this lab by the value that each stands for."""
        return {value: name for name, value in self.environment().items() if name not in _NOT_IN_COMMANDS}

    def environment(self) -> dict[str, str]:
        """What `labkit env` exports: how to reach the place, and what the lab's ids are, by variable."""
        ids, place = self.status().ids, self.target.place
        pool = ids.get("user_pool_id")
        return {
            **place.credentials,
            "AWS_REGION": place.region,
            "AWS_DEFAULT_REGION": place.region,
            "ACCOUNT_ID": place.account,
            # Before there is a domain, the prefix that it would get: the line that creates it names it.
            **({"DOMAIN": self.target.names.domain_prefix(pool)} if pool else {}),
            **{key.upper(): value for key, value in ids.items() if key not in FUNCTIONS},
        }

    # What the learner does: labkit/learning.

    @cached_property
    def _learner(self) -> Learner:
        return Learner(self.settings, lambda: self.target, self._terms)

    def predict(self, name: str, option: str | None = None, *, skip: bool = False) -> Prediction:
        """Predict what comes: choose an option by its letter or text; without one the question is asked."""
        return self._learner.predict(name, option, skip=skip)

    def task(self, name: str) -> Card:
        """What a task asks for, and how it stands."""
        return self._learner.task(name)

    def check_task(self, name: str, *work: Any, **named_work: Any) -> Verdict:
        """Whether your work does what the task asks for: passed, not yet, or could not check."""
        with explained():
            return self._learner.check_task(name, *work, **named_work)

    def hint(self, name: str) -> Hint:
        """The next hint of a task; after the last one its solution. Hints are counted and cost nothing."""
        return self._learner.hint(name)

    def solution(self, name: str) -> Hint:
        """The solution of a task, and why it is one."""
        return self._learner.solution(name)

    def solve(self, name: str) -> Changed:
        """Put the solution of a task in place; what you had stays beside it."""
        with explained():
            return self._learner.solve(name)

    def reset_task(self, name: str) -> Changed:
        """Bring back how a task began; what you had stays beside it."""
        with explained():
            return self._learner.reset_task(name)

    def quiz(self, name: str, seed: int = 0, answers: Sequence[str] | None = None) -> Quiz:
        """Ask a quiz, mixed anew by each seed; with answers, a letter a question, tell how many are right."""
        return self._learner.quiz(name, seed, answers)

    def plan_goto(self, where: str) -> removal.Plan:
        """What `goto` would take away. Deletes nothing."""
        with explained():
            return goto.plan_back(self.target, goto.steps_to(where))

    def goto(self, where: str) -> goto.Arrival:
        """Build up to a step, or to what a chapter begins with, and take away what comes after."""
        steps, target = goto.steps_to(where), self.target
        target.require_confirmation()
        with self._working(target):
            removed = goto.go_back(target, steps, self.tell)
        return goto.Arrival(removed, self.up(steps[-1].name) if steps else self.status())

    def progress(self) -> ProgressReport:
        """What you predicted, tried and solved so far."""
        return self._learner.progress.report()


# An issuer says more as the user pool's id in AWS's host name.
_NOT_IN_OUTPUTS = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "ISSUER"}
)


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


# A region is part of so many words that naming it would hide more than it tells.
_NOT_IN_COMMANDS = frozenset(
    {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "API_URL",
        "ISSUER",
    }
)
