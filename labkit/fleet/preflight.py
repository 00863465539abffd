"""Is a class ready? Identity, guards, permissions, quotas, runtime and leftovers of each account, with its remedies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from labkit.aws import aws_errors_in_words, every
from labkit.errors import LabError
from labkit.fleet import policy as permissions
from labkit.fleet.accounts import Opened
from labkit.fleet.guards import Guards, guard
from labkit.fleet.reset_report import counts
from labkit.fleet.roster import BadRow, OfAClass, Seat, bad_rows
from labkit.removal import removal
from labkit.runtimes import RUNTIMES
from labkit.steps.given_role import require_given_role
from labkit.steps.step import Left
from labkit.target import kinds
from labkit.target.doctor import Symptom
from labkit.target.names import FUNCTIONS, TAG_KEY
from labkit.target.target import Target
from labkit.text.blocks import Block, Folded, Table, sentences
from labkit.text.wording import counted

# Default quotas that AWS tells only through Service Quotas, which a lab's role need not be allowed to ask.
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MOST_USER_POOLS = 1000
MOST_APIS = 600

# Each lab needs its trigger and one function at a time.
CONCURRENT_EXECUTIONS = 2

# Of these an account may have several of one name, so that one of somebody else's is in nobody's way.
NOT_UNIQUE = frozenset({kinds.HTTP_API, kinds.USER_POOL})


@dataclass(frozen=True)
class Note(Symptom):
    """Something that is well, and that whoever prepares a class should know."""


@dataclass(frozen=True)
class AccountSymptom:
    """Something that was looked at in one account and region."""

    account: str
    region: str
    symptom: Symptom

    def to_dict(self) -> dict[str, Any]:
        """The symptom with its account."""
        return {"account": self.account, "region": self.region, **self.symptom.to_dict()}


@dataclass(frozen=True, repr=False)
class Preflight(OfAClass):
    """Everything that was looked at before a class."""

    symptoms: tuple[AccountSymptom, ...]
    bad: tuple[BadRow, ...]

    @property
    def passed(self) -> bool:
        """Whether the class can begin."""
        return not self.bad and all(s.symptom.well for s in self.symptoms)

    @property
    def summary(self) -> str:
        """One sentence: how many accounts are ready."""
        accounts = {s.account for s in self.symptoms}
        unready = {s.account for s in self.symptoms if not s.symptom.well}
        return f"{len(accounts - unready)} of {counted(len(accounts), 'account')} ready."

    def blocks(self) -> list[Block]:
        """The summary, what is wrong with its remedies, the rows that cannot be used, the notes, then what is well."""
        wrong = [s for s in self.symptoms if not s.symptom.well]
        notes = [(s.account, s.region, s.symptom.subject, s.symptom.found) for s in self._of(Note)]
        remedies = [(s.account, s.region, s.symptom.subject, s.symptom.found, s.symptom.remedy) for s in wrong]
        found = Counter((s.symptom.subject, s.symptom.found) for s in self._of(Symptom) if s.symptom.well)
        well = [(subject, text, str(count)) for (subject, text), count in found.items()]
        return [
            sentences(self.summary),
            Table(("account", "region", "FAILED", "found", "what to do"), remedies),
            bad_rows(self.bad),
            Table(("account", "region", "note", "found"), notes),
            Folded("What is well", (Table(("ok", "found", "accounts"), well),)),
        ]

    def to_dict(self) -> dict[str, Any]:
        """`passed`, the `findings` of every account, and the `rows` that cannot be used."""
        return {
            "passed": self.passed,
            "findings": [symptom.to_dict() for symptom in self.symptoms],
            "rows": [row.to_dict() for row in self.bad],
        }

    def _of(self, kind: type[Symptom]) -> list[AccountSymptom]:
        return [s for s in self.symptoms if type(s.symptom) is kind]


def look_at(opened: Opened, guards: Guards, today: date | None = None) -> list[AccountSymptom]:
    """Look at one account and region. Reads only.

    Args:
        opened: the account.
        guards: what could speak against resetting it.
        today: the day to judge the runtime by; today's by default.
    """
    account, region = opened.seats[0].account, opened.seats[0].region
    firsts: dict[tuple[str, str, str], Seat] = {}
    for seat in opened.seats:
        firsts.setdefault(seat.way, seat)
    ways = {
        way: Symptom.of(f"way in of {seat.attendee}", partial(_identity, opened, seat)) for way, seat in firsts.items()
    }
    closed = {way: symptom for way, symptom in ways.items() if not symptom.well}
    seats = [seat for seat in opened.seats if seat.way not in closed]
    inside = _inside(opened, seats, guards, today or datetime.now(UTC).date()) if seats else []
    return [AccountSymptom(account, region, symptom) for symptom in (*closed.values(), *inside)]


def _inside(opened: Opened, seats: list[Seat], guards: Guards, today: date) -> list[Symptom]:
    seat, labs = seats[0], len(seats)
    target = opened.target(seat)
    given = {seat.given_role_arn: opened.target(seat) for seat in seats}
    roles = sum(seat.given_role_arn is None for seat in seats) * len(FUNCTIONS)
    principals = {(seat.principal, seat.given_role_arn): opened.target(seat) for seat in seats}
    looks: list[tuple[str, Callable[[], str]]] = [
        ("identity", partial(_identity, opened, seat)),
        ("guards", partial(_guards, target, guards)),
        *(
            (f"permissions of {principal}" if principal else "permissions", partial(permissions.look, its, principal))
            for (principal, _), its in principals.items()
        ),
        *((f"given role {arn}", partial(require_given_role, its)) for arn, its in given.items() if arn),
        *([("IAM roles", partial(_roles, target, roles))] if roles else []),
        ("user pools", partial(_user_pools, target, labs)),
        ("HTTP APIs", partial(_apis, target, labs)),
        ("concurrent executions", partial(_concurrency, target, labs)),
        ("runtime", partial(_runtime, target, today)),
    ]
    return [*(Symptom.of(subject, look, seat.profile) for subject, look in looks), *_leftovers(opened, seats)]


def _identity(opened: Opened, seat: Seat) -> str:
    arn = opened.target(seat).client("sts").get_caller_identity()["Arn"]
    return str(arn.split(":", 5)[5])


def _guards(target: Target, guards: Guards) -> str:
    guard(target, guards)
    return "nothing speaks against a reset"


def _room(kind: str, standing: int, most: int, needed: int) -> str:
    if standing + needed > most:
        raise LabError(
            f"The account has {standing} {kind} of at most {most}, and the class needs {needed} more.",
            "Delete some, or ask for more in the console of Service Quotas.",
        )
    return f"room for {needed} more"


def _roles(target: Target, needed: int) -> str:
    summary = target.client("iam").get_account_summary()["SummaryMap"]
    return _room("IAM roles", summary["Roles"], summary["RolesQuota"], needed)


def _user_pools(target: Target, labs: int) -> str:
    pools = sum(1 for _ in every(target.client("cognito-idp"), "list_user_pools", "UserPools", MaxResults=60))
    return _room("user pools", pools, MOST_USER_POOLS, labs)


def _apis(target: Target, labs: int) -> str:
    return _room("APIs", sum(1 for _ in every(target.client("apigatewayv2"), "get_apis", "Items")), MOST_APIS, labs)


def _concurrency(target: Target, labs: int) -> str:
    limit = target.client("lambda").get_account_settings()["AccountLimit"]
    most = limit["ConcurrentExecutions"]
    reserved = most - limit.get("UnreservedConcurrentExecutions", most)
    return _room("reserved concurrent executions", reserved, most, labs * CONCURRENT_EXECUTIONS)


def _runtime(target: Target, today: date) -> str:
    runtime = target.settings.runtime
    until = RUNTIMES[runtime].supported_until
    if today > until:
        raise LabError(
            f"AWS supported {runtime} until {until}, and may refuse to create functions with it.",
            "Choose the other runtime with LABKIT_RUNTIME, or take a newer version of the lab.",
        )
    return f"{runtime} is supported until {until}"


def _leftovers(opened: Opened, seats: list[Seat]) -> list[Symptom]:
    """What earlier classes left, under this class's names or others."""
    try:
        with aws_errors_in_words(seats[0].profile):
            found = [left for seat in seats for left in _left_of(opened, seat)]
            return [*(found or [Symptom("leftovers", True, "none")]), *_other_labs(opened, seats)]
    except LabError as error:
        return [Symptom("leftovers", False, error.problem, error.remedy)]


def _left_of(opened: Opened, seat: Seat) -> Iterator[Symptom]:
    """What stands under the names of one lab."""
    found = removal.scan(opened.target(seat))
    standing = counts({"kind": thing.kind} for thing in found if thing.ours)
    if any(thing.ours for thing in found):
        problem = f"The lab {seat.lab} of {seat.attendee} stands already: {standing}."
        yield Symptom("leftovers", False, problem, "If nobody needs it: labkit reset --roster FILE --execute")
    for thing in found:
        if not thing.ours:
            yield _foreign(thing, seat)


def _foreign(thing: Left, seat: Seat) -> Symptom:
    problem = f"The {thing.kind} {thing.name} ({thing.id}) has a name of the lab {seat.lab} but not its tag"
    if thing.kind in NOT_UNIQUE:
        return Note("leftovers", True, f"{problem}. Both can stand side by side; a reset leaves it alone.")
    return Symptom(
        "leftovers",
        False,
        f"{problem}, so that lab cannot be built.",
        "Delete it, or change the lab's name in the roster.",
    )


def _other_labs(opened: Opened, seats: list[Seat]) -> Iterator[Note]:
    """The labs that the roster does not name."""
    target, ours = opened.target(seats[0]), {seat.lab for seat in opened.seats}
    index, wanted = target.client("resourcegroupstaggingapi"), [{"Key": TAG_KEY}]
    mappings = every(index, "get_resources", "ResourceTagMappingList", TagFilters=wanted)
    labs = {tag["Value"] for mapping in mappings for tag in mapping["Tags"] if tag["Key"] == TAG_KEY}
    if labs - ours:
        yield Note("other labs", True, f"not in the roster, and left alone: {', '.join(sorted(labs - ours))}")
