"""The calls that a sound lab answers in a known way: the post's five, and two that every learner tries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from labkit.errors import LabError
from labkit.questions.calls import STAGES, Answer, Caller, _label, anonymous, send, signed_in
from labkit.steps.function_code import is_own
from labkit.steps.report import Finding, Report
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target


@dataclass(frozen=True)
class Expectation:
    """One call that a sound lab answers in a known way."""

    route: str
    user: str | None
    status: int
    body: str
    why: str
    kind: str = "id"
    bearer: bool = False


# The post's five calls in its order, then the two that every learner tries.
EXPECTATIONS = (
    Expectation("GET /AdminUser", None, 401, '{"message":"Unauthorized"}', "Nobody may call without a token."),
    Expectation("GET /AdminUser", "adminuser", 200, '"Hello from Admin User"', "adminuser is in the group admin."),
    Expectation("GET /AdminUser", "regularuser", 403, '{"message":"Forbidden"}', "regularuser is not in admin."),
    Expectation("GET /RegularUser", "adminuser", 200, '"Hello from Regular User"', "adminuser is in regular, too."),
    Expectation("GET /RegularUser", "regularuser", 200, '"Hello from Regular User"', "regularuser is in regular."),
    Expectation("GET /AdminUser", "adminuser", 403, '{"message":"Forbidden"}',
                "An access token has no scope of ours: the trigger writes into the ID token only.", kind="access"),
    Expectation("GET /AdminUser", "adminuser", 200, '"Hello from Admin User"',
                "The word Bearer before the token changes nothing.", bearer=True),
)  # fmt: skip


def check_calls(target: Target) -> Report:
    """Make every expected call, on the `$default` stage, and the first sign-in's on `Test`, too.

    A change may take a while to be served: an unexpected answer is asked for again until the place's patience ends.
    """
    deadline = time.monotonic() + target.place.patience
    callers: dict[tuple[str | None, str, bool], Caller] = {}
    findings, fix = [], _fix(target)
    for stage in STAGES:
        for expected in EXPECTATIONS:
            try:
                caller = _caller(target, expected, callers)
                findings.append(_finding(expected, stage, _settled(target, expected, caller, stage, deadline), fix))
            except LabError as error:
                findings.append(_failed(expected, stage, error))
    return Report(tuple(findings))


def _caller(target: Target, expected: Expectation, known: dict[tuple[str | None, str, bool], Caller]) -> Caller:
    if expected.user is None:
        return anonymous()
    key = (expected.user, expected.kind, expected.bearer)
    if key not in known:
        known[key] = signed_in(target, expected.user, expected.kind, bearer=expected.bearer)
    return known[key]


def _settled(target: Target, expected: Expectation, caller: Caller, stage: str, deadline: float) -> Answer:
    return until(lambda: send(target, expected.route, caller, stage), lambda a: a.status == expected.status, deadline)


def until(action: Callable[[], Answer], good: Callable[[Answer], bool], deadline: float) -> Answer:
    """Repeat a request until its answer is good or the deadline (of time.monotonic) has passed."""
    answer = action()
    while not good(answer) and time.monotonic() < deadline:
        time.sleep(1)
        answer = action()
    return answer


def _subject(expected: Expectation, stage: str) -> str:
    who = "nobody" if expected.user is None else _label(expected.user, expected.kind, bearer=expected.bearer)
    return f"{expected.route} as {who} on {stage}"


def _finding(expected: Expectation, stage: str, answer: Answer, fix: str) -> Finding:
    return Finding(
        "calls",
        _subject(expected, stage),
        f"{expected.status} {expected.body}",
        f"{answer.status} {answer.body}",
        expected.why,
        fix,
    )


def _fix(target: Target) -> str:
    """What to do where a call is answered otherwise: `labkit up` deploys a function that the learner changed again."""
    settings = target.settings
    own = [function for function in FUNCTIONS if is_own(function, settings.runtime, settings.copy_home)]
    if not own:
        return "Mend the lab: labkit up. If this is all that fails, wait a minute and check again."
    return (
        f'Your own {" and ".join(own)} may be the cause: lab.check_task("trigger") tells what your trigger does. '
        "The lab's own come back with: labkit chapters --fresh lambdas; labkit up"
    )


def _failed(expected: Expectation, stage: str, error: LabError) -> Finding:
    wanted = f"{expected.status} {expected.body}"
    return Finding("calls", _subject(expected, stage), wanted, error.problem, expected.why, error.remedy)
