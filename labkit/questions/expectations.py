"""The calls that a sound lab answers in a known way: the post's five, and two that every learner tries."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

from labkit.errors import LabError
from labkit.machine.polling import until
from labkit.questions.arguments import STAGES
from labkit.questions.calls import Reply, send
from labkit.questions.endpoint import LabApi, Question
from labkit.questions.sign_in import NO_USERS, SignIns, own_code
from labkit.steps.report import CALLS, Finding, Report
from labkit.target.names import USERS
from labkit.target.passwords import PasswordError
from labkit.target.target import Target


@dataclass(frozen=True)
class Expectation:
    """One call that a sound lab answers in a known way."""

    question: Question
    status: int
    body: str
    why: str


ADMIN, REGULAR = "GET /AdminUser", "GET /RegularUser"
HELLO_ADMIN, HELLO_REGULAR = '"Hello from Admin User"', '"Hello from Regular User"'
FORBIDDEN = '{"message":"Forbidden"}'

# The post's five calls in its order, then the two that every learner tries.
EXPECTATIONS = (
    Expectation(Question(ADMIN), 401, '{"message":"Unauthorized"}', "Nobody may call without a token."),
    Expectation(Question(ADMIN, "adminuser"), 200, HELLO_ADMIN, "adminuser is in the group admin."),
    Expectation(Question(ADMIN, "regularuser"), 403, FORBIDDEN, "regularuser is not in admin."),
    Expectation(Question(REGULAR, "adminuser"), 200, HELLO_REGULAR, "adminuser is in regular, too."),
    Expectation(Question(REGULAR, "regularuser"), 200, HELLO_REGULAR, "regularuser is in regular."),
    Expectation(Question(ADMIN, "adminuser", kind="access"), 403, FORBIDDEN,
                "An access token has no scope of ours: the trigger writes into the ID token only."),
    Expectation(Question(ADMIN, "adminuser", bearer=True), 200, HELLO_ADMIN,
                "The word Bearer before the token changes nothing."),
)  # fmt: skip


SIGNS_IN = "signs in"
_KEPT_WHERE = "Cognito never tells a password again: it is kept on the machine that set it, and only there."


def check_passwords(sign_ins: SignIns) -> Report:
    """Sign every user in. A password that this machine does not know, or cannot try, is unknown and not wrong."""
    findings = []
    for user in USERS:
        row = partial(Finding, "user-pool", f"password of {user}", SIGNS_IN, why=_KEPT_WHERE)
        try:
            sign_ins.tokens(user)
            findings.append(row(actual=SIGNS_IN, remedy=""))
        except LabError as error:
            wrong = isinstance(error, PasswordError) and error.wrong
            if error is not NO_USERS:  # which the step itself says
                findings.append(row(actual=error.problem, remedy=error.remedy, unknown=not wrong))
    return Report(tuple(findings))


def check_calls(target: Target, sign_ins: SignIns, settings: Report) -> Report:
    """Make every expected call on each stage.

    A change may take a while to be served: an unexpected answer is asked for again until the place's patience ends.
    What is wrong with the `settings` comes first where a call is answered otherwise.
    """
    deadline = time.monotonic() + target.place.patience
    api, remedy = LabApi(target), _remedy(target, settings)
    findings = []
    for stage in STAGES:
        for expected in EXPECTATIONS:
            question = replace(expected.question, stage=stage)
            try:
                actual = _settled(api, sign_ins, question, expected.status, deadline - time.monotonic())
                findings.append(_finding(expected, question, f"{actual.status} {actual.body}", remedy))
            except LabError as error:
                unknown = isinstance(error, PasswordError) and not error.wrong
                findings.append(_finding(expected, question, error.problem, error.remedy, unknown=unknown))
    return Report(tuple(findings))


def _settled(api: LabApi, sign_ins: SignIns, question: Question, status: int, seconds: float) -> Reply:
    endpoint = api.endpoint(question)
    return until(lambda: send(endpoint, question, sign_ins), lambda reply: reply.status == status, seconds=seconds)


def _finding(expected: Expectation, question: Question, actual: str, remedy: str, *, unknown: bool = False) -> Finding:
    subject = f"{question.route} as {question.caller} on {question.stage}"
    return Finding(CALLS, subject, f"{expected.status} {expected.body}", actual, expected.why, remedy, unknown)


def _remedy(target: Target, settings: Report) -> str:
    """What to do where a call is answered otherwise."""
    if settings.findings:
        return f"See to {settings.findings[0].step} first: {settings.findings[0].remedy}"
    return own_code(target) or "Mend the lab: labkit up. If this is all that fails, wait a minute and check again."
