"""Chapter 05: the five calls, and the task without rails, whose module is beside this one."""

from __future__ import annotations

from collections.abc import Sequence

import requests
from requests.utils import default_user_agent

from labkit.cloud.visits import Visit
from labkit.errors import LabError
from labkit.learning.task import checks, solves
from labkit.learning.tasks import reports  # noqa: F401 - registers its task
from labkit.learning.work import NotYet, Piece, Seen, Workplace
from labkit.machine.loopback import leads_here
from labkit.questions.endpoint import TIMEOUT_SECONDS
from labkit.questions.sign_in import SignIns
from labkit.steps.authorizer import prerequisites
from labkit.target.embedded import EmbeddedPlace
from labkit.target.names import STAGE

# Who calls what, and how the API answers.
CALLS: tuple[tuple[str | None, str, int], ...] = (
    (None, "/AdminUser", 401),
    ("adminuser", "/AdminUser", 200),
    ("regularuser", "/AdminUser", 403),
    ("adminuser", "/RegularUser", 200),
    ("regularuser", "/RegularUser", 200),
)
OWN_AGENT = default_user_agent().partition("/")[0]  # that of lab.call and its like: those are not the learner's


@checks("five-calls")
def five_calls(place: Workplace, statuses: Sequence[int] | None = None) -> Seen:
    """Look which of the five calls came to the embedded cloud; of an account, which only AWS sees, ask the statuses."""
    if statuses is not None:
        _judge(statuses)
    home = place.target.place
    if isinstance(home, EmbeddedPlace):
        return _arrived([v for v in home.visits(prerequisites(place.target)[0]) if v.agent != OWN_AGENT])
    if statuses is None:
        raise NotYet("enter")
    return Seen("these are the five answers of a sound lab.", tuple(Piece(_named(call), True) for call in CALLS))


def _judge(statuses: Sequence[int]) -> None:
    given = [str(status) for status in statuses] if isinstance(statuses, list | tuple) else []
    if len(given) != len(CALLS):
        raise NotYet("five", found=len(given))
    for number, (found, call) in enumerate(zip(given, CALLS, strict=True), 1):
        if found != str(call[2]):
            raise NotYet("status", found=found, where=f"{number} ({_named(call)})")


def _arrived(visits: list[Visit]) -> Seen:
    """Raise NotYet unless each call came; what came instead of one that is missing is told, the latest such first.

    What was done right since then is told no more.
    """
    came = [any(_is(visit, call) for visit in visits) for call in CALLS]
    notes = [f"answered {call[2]}" if here else "has not arrived" for here, call in zip(came, CALLS, strict=True)]
    pieces = tuple(Piece(_named(call), here, note) for call, here, note in zip(CALLS, came, notes, strict=True))
    if all(came):
        return Seen("all five calls arrived.", pieces)
    right = [visit for visit in visits if any(_is(visit, call) for call in CALLS)]
    strange = next((v for v in reversed(visits) if v not in right and not any(_mends(r, v) for r in right)), None)
    if strange is None:
        raise NotYet("some" if any(came) else "nothing", found=sum(came), pieces=pieces)
    say = f"A call of {strange.user} to {strange.path} was answered {strange.status}. See what is wrong: lab.check()"
    where = f"{strange.method} {strange.path}"
    raise NotYet(_mistake(strange), say=say, pieces=pieces, where=where, user=strange.user)


def _named(call: tuple[str | None, str, int]) -> str:
    return f"{call[0] or 'nobody'}: GET {call[1]}"


def _is(visit: Visit, call: tuple[str | None, str, int]) -> bool:
    """Whether a request is one of the calls, on either stage, and was answered as it should be."""
    user, path, status = call
    who = ("id", user) if user else ("none", None)
    where = visit.path in (path, f"/{STAGE}{path}")
    return visit.method == "GET" and where and (visit.token, visit.user) == who and visit.status == status


def _mends(right: Visit, wrong: Visit) -> bool:
    """Whether a right call came after a wrong one that was meant for the same."""
    same = right.path == wrong.path or wrong.status == requests.codes.not_found
    return same and wrong.user in (None, right.user) and right.time > wrong.time


def _mistake(visit: Visit) -> str | None:
    """The name of the common mistake that a request shows."""
    if visit.status == requests.codes.not_found:
        return "not-found"
    return _MISTAKES.get(visit.token) or ("refused" if visit.status == requests.codes.unauthorized else None)


_MISTAKES = {
    "none": "no-token",
    "unexpanded": "literal",
    "quoted": "quotes",
    "glued": "glued",
    "unreadable": "malformed",
    "access": "other-kind",
    "refresh": "other-kind",
}


@solves("five-calls")
def send_five_calls(place: Workplace) -> None:
    """Make the five calls as somebody else than the lab, whether or not there is a curl on this machine."""
    target, session = place.target, requests.Session()
    url, sign_ins = target.place.api_url(prerequisites(target)[0]), SignIns(target)
    session.trust_env = not leads_here(url)
    for user, path, _ in CALLS:
        headers = {"User-Agent": "a-learner/1.0"} | ({"Authorization": sign_ins.tokens(user)["id"]} if user else {})
        try:
            session.get(url + path, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise LabError(f"The API did not answer at {url}.", "See what is left of the lab: labkit status") from error
