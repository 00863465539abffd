"""The lab: its steps, in order, over one target. What a notebook, a terminal and a test all use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from labkit.attacks import what_if_api
from labkit.attacks.attack import Attack, AttackReport, attempt_named, chosen
from labkit.attacks.bench import Bench
from labkit.attacks.what_if import Change, Signer, WhatIf, reached, what_if
from labkit.aws import aws_errors_in_words
from labkit.errors import LabError, UsageError
from labkit.learning import goto
from labkit.learning.learner import Learner
from labkit.questions import arguments, calls, sign_in
from labkit.questions.access import Access, access
from labkit.questions.arguments import NO_TOKEN, NoToken
from labkit.questions.endpoint import LabApi, Question
from labkit.questions.environment import environment, variables
from labkit.questions.expectations import check_calls, check_passwords
from labkit.questions.explanation import Explanation, explain
from labkit.questions.invocation import Invocation, Source, invoke, source
from labkit.questions.sign_in import SignIns
from labkit.questions.token_comparison import Comparison, compare_tokens
from labkit.questions.token_reading import Reading, read
from labkit.questions.trigger_run import Cause, find_cause
from labkit.removal import removal
from labkit.settings import Settings
from labkit.steps import STEPS, building
from labkit.steps.building import Tell, say
from labkit.steps.report import Report
from labkit.steps.status import PLACES, State, Status
from labkit.target.doctor import Diagnosis, diagnose
from labkit.target.journal import Commands, Journal
from labkit.target.opening import NotRunningError
from labkit.target.target import Place, Target
from labkit.tokens.token import decode

T = TypeVar("T")


class Lab(Learner):
    """One learner's lab: what it is built of, asked and rid of here; what the learner does in it, in `Learner`.

    Every verb finds the lab anew in its place. If the embedded cloud was lost since, the lab is first built again as
    far as it was.
    """

    def __init__(self, settings: Settings, *, tell: Tell = say, target: Target | None = None) -> None:
        self.settings = settings
        self.tell = tell
        self._target = target

    @classmethod
    def open(cls, *, account: str | None = None, tell: Tell = say) -> Lab:
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
        return f"lab {self.settings.name} on the {PLACES[self.settings.place_kind]}"

    @property
    def target(self) -> Target:
        """The lab's place, reached; the embedded cloud is started if it is not running."""
        return self._reach(start=True)

    def _reach(self, *, start: bool) -> Target:
        self._target = building.reached(self._target, self.settings, self.tell, start=start)
        return self._target

    def _existing(self) -> Target:
        """The lab's place, where something of the lab must stand."""
        try:
            return self._reach(start=False)
        except NotRunningError as error:
            raise sign_in.NO_LAB from error

    def find(self, step: str) -> State:
        """What exists of one step."""
        wanted, target = building.step_named(step), self.target
        with aws_errors_in_words():
            return wanted.find(target)

    def ensure(self, step: str) -> State:
        """Build one step, with whatever it needs before it.

        Raises:
            LabError: AWS refused something, or a resource of somebody else bears one of the lab's names.
        """
        wanted = building.step_named(step)
        with self._building():
            return building.Builder(self.target, self.tell).ensure(wanted)

    def up(self, through: str | None = None, *, reset_passwords: bool = False) -> Status:
        """Build every step, or every step through the one named.

        Args:
            through: the last step to build.
            reset_passwords: give the users new passwords. Nobody can sign in with those that they have any more.
        """
        steps = building.steps_through(through)
        if reset_passwords and building.step_named("user-pool") not in steps:
            problem = f"Passwords are set in the step user-pool, and you asked to build through {through}."
            raise UsageError(problem, "Name a later step, or none.")
        with self._building():
            return building.Builder(replace(self.target, reset_passwords=reset_passwords), self.tell).up(steps)

    def status(self) -> Status:
        """What exists. The embedded cloud is not started for it."""
        try:
            with aws_errors_in_words():
                return building.found(self._reach(start=False))
        except NotRunningError:
            return building.nothing_found(self.settings)

    def check(self, step: str | None = None) -> Report:
        """Look at every setting of the lab, or of one step; users sign in, and the whole lab is called, too.

        Raises:
            LabError: there is no lab to check.
        """
        steps = STEPS if step is None else (building.step_named(step),)
        target = self._existing()
        with aws_errors_in_words():
            report, sign_ins = building.checked(target, steps), SignIns(target)
            if step in (None, "user-pool"):
                report += check_passwords(sign_ins)
            return report if step else report + check_calls(target, sign_ins, report)

    def plan_removal(self) -> removal.Plan:
        """What `down` would delete. Deletes nothing."""
        with aws_errors_in_words():
            return removal.plan(self._existing())

    def down(self, plan: removal.Plan | None = None) -> removal.Receipt:
        """Delete everything of the lab, the last step first, and forget its passwords. Returns the receipt.

        Args:
            plan: what `plan_removal` showed: exactly this is deleted. What is new since then is told, and left.
        """
        target = self._existing()
        target.require_confirmation()
        with target.one_writer():
            known = () if target.place.kind == "aws" else None  # an account is shared; this machine's cloud is not
            receipt = removal.remove_lab(target, self.tell, agreed=plan, known=known)
        self._forget_broken()
        return receipt

    def commands(self, step: str | None = None, *, through: str | None = None) -> Commands:
        """The AWS calls that built a step, as AWS CLI lines.

        Without a step, of all steps, or all `through` one: pasted where nothing is, they build the lab there.

        Raises:
            LabError: the lab, or a part of it, was not built by labkit on this machine.
        """
        steps = [each.name for each in ((building.step_named(step),) if step else building.steps_through(through))]
        journal, known = Journal(self._existing()), self.variables()
        return journal.commands(steps, known) if step else journal.transcript(steps, known)

    def _ask(self, question: Callable[[Target], T]) -> T:
        """What the lab's place answers to a question, with every AWS refusal in a sentence."""
        with aws_errors_in_words():
            return question(self._existing())

    def tokens(self, user: str) -> dict[str, str]:
        """Sign a user in anew. The raw tokens by kind: id, access, refresh."""
        arguments.known_user(user)
        return self._ask(lambda target: SignIns(target).anew(user))

    def password(self, user: str) -> str:
        """The password of one of the lab's users."""
        arguments.known_user(user)
        return self._ask(lambda target: sign_in.password(target, user))

    def public_keys(self) -> dict[str, bytes]:
        """The keys that the user pool publishes, as PEM, by key id: they verify its tokens, and make none."""
        return self._ask(lambda target: reached(LabApi(target).protected(Question("GET /AdminUser"))).published.pem)

    def call(
        self,
        route: str,
        user: str | None = None,
        *,
        stage: str = "$default",
        kind: str = "id",
        bearer: bool = False,
        token: str | NoToken = NO_TOKEN,
    ) -> calls.Reply:
        """Send one request to the API.

        Args:
            route: a route key, `GET /AdminUser` or `GET /RegularUser`.
            user: who signs in for it; nobody by default.
            stage: `$default` or `Test`.
            kind: which of the user's tokens is sent: `id`, `access` or `refresh`.
            bearer: put `Bearer ` before the token.
            token: a value of the Authorization header, in place of a user's token; left out for none.
        """
        question = Question(route, user, kind, bearer, stage, arguments.token_or_none(token))
        return self._ask(lambda target: calls.call(target, question))

    def read(self, token: str, *claims: str) -> Reading:
        """Decode a token on this machine: every claim explained, or only those named, and its signature checked."""
        named = arguments.texts(claims[0] if len(claims) == 1 else claims, "The name of a claim")
        return read(arguments.a_token(token), time.time(), self._place_at_hand(), named)

    def _place_at_hand(self) -> Place | None:
        """The lab's place, if it can be had without starting anything."""
        try:
            return self._existing().place
        except LabError:
            return None

    def explain(
        self,
        route: str,
        user: str | None = None,
        *,
        token: str | NoToken = NO_TOKEN,
        kind: str = "id",
        bearer: bool = False,
        stage: str = "$default",
        observe: bool = True,
    ) -> Explanation:
        """Say rule by rule how the authorizer decides a request, send it, and compare.

        Args:
            route, user, token, kind, bearer, stage: as `call` takes them.
            observe: send the request; without it the decision is only predicted.
        """
        question = Question(route, user, kind, bearer, stage, arguments.token_or_none(token))
        return self._ask(lambda target: explain(target, question, observe=observe))

    def access(self) -> Access:
        """Call every route as every kind of caller: what the rules predict beside what the endpoint answers."""
        return self._ask(access)

    def cause(self, token: str) -> Cause:
        """What the pre token generation trigger was given for this token, and what it answered."""
        arguments.a_token(token)
        return self._ask(lambda target: find_cause(target, decode(token)))

    def compare(self, left: str, right: str) -> Comparison:
        """Where two tokens differ, what the trigger did for each, and what follows."""
        both = arguments.a_token(left), arguments.a_token(right)
        return self._ask(lambda target: compare_tokens(target, *both))

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
        base = None if user is None else arguments.known_user(user), arguments.known_route(route)
        change = Change.of(
            claims=claims,
            without=without,
            header=header,
            key=key,
            hours_later=hours_later,
            issuer=issuer,
            audience=audience,
            scopes=scopes,
        )
        target = self._existing()
        with target.one_writer():
            return what_if(target, *base, change, ask=self.what_if, send=send)

    def end_what_if(self) -> State:
        """Take the what-if API away before the lab goes. Returns what the lab has of its own HTTP API."""
        target = self._existing()
        with target.one_writer():
            what_if_api.remove(target)
        return self.find("http-api")

    def attack(self, attempt: str) -> Attack:
        """Make one attempt of the attack bench, by its name."""
        wanted, target = attempt_named(attempt), self._existing()
        with target.one_writer():
            return Bench(target).attack(wanted)

    def attack_bench(self, *rules: str) -> AttackReport:
        """Make every attempt of the attack bench, or those that these rules refuse, or that are `let in`."""
        wanted, target = chosen(rules), self._existing()
        with target.one_writer():
            return Bench(target).run(wanted)

    def add_to_group(self, user: str, group: str) -> None:
        """Put a user into a group. `ensure("user-pool")` makes the groups what the lab says."""
        membership = arguments.known_user(user), arguments.known_group(group)
        self._ask(lambda target: sign_in.set_membership(target, *membership, member=True))

    def remove_from_group(self, user: str, group: str) -> None:
        """Take a user out of a group. `ensure("user-pool")` makes the groups what the lab says."""
        membership = arguments.known_user(user), arguments.known_group(group)
        self._ask(lambda target: sign_in.set_membership(target, *membership, member=False))

    def source(self, function: str, runtime: str | None = None) -> Source:
        """The code of one of the post's functions, in the lab's runtime or another: `nodejs22.x`, say."""
        wanted = self.settings.runtime if runtime is None else arguments.known_runtime(runtime)
        return source(arguments.known_function(function), wanted, self.settings.copy_home)

    def invoke(self, function: str, event: dict[str, Any]) -> Invocation:
        """Run a function once with an event of your own."""
        given = arguments.known_function(function), arguments.an_object(event, "An event")
        return self._ask(lambda target: invoke(target, *given))

    def doctor(self) -> Diagnosis:
        """Whether everything is here that the lab needs."""
        return diagnose(self.settings)

    def variables(self) -> dict[str, str]:
        """The shell variables of this lab by the value that each stands for."""
        return variables(self.environment())

    def environment(self) -> dict[str, str]:
        """What `labkit env` exports: how to reach the place, and what the lab's ids are, by variable."""
        return environment(self.target, self.status().ids)

    def plan_goto(self, where: str) -> removal.Plan:
        """What `goto` would take away. Deletes nothing."""
        with aws_errors_in_words():
            return goto.plan_back(self.target, goto.steps_to(where))

    def goto(self, where: str) -> goto.Arrival:
        """Build up to a step, or to what a chapter begins with, and take away what comes after."""
        steps, target = goto.steps_to(where), self.target
        target.require_confirmation()
        with target.one_writer():
            removed = goto.go_back(target, steps, self.tell)
        arrival = goto.Arrival(removed, self.up(steps[-1].name) if steps else self.status())
        self._forget_broken()
        return arrival


class _NoLabError(UsageError, AttributeError):
    """A verb was asked of this module in place of a lab."""


def __getattr__(name: str) -> NoReturn:
    """Lead whoever has imported this module for a lab."""
    if name.startswith("_") or not hasattr(Lab, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise _NoLabError(
        "`from labkit import lab` imports a module of labkit, and no lab.",
        "Open your lab: from labkit import Lab, and then lab = Lab.open()",
    )
