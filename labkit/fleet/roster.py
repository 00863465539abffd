"""The roster of a class: who sits in which account, and how to get there. A CSV or YAML file, a row an attendee."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.aws import partition, regions_with
from labkit.errors import LabError, UsageError
from labkit.machine.loopback import leads_here
from labkit.settings import NAME_PATTERN
from labkit.text.blocks import Block, Table
from labkit.text.shown import Shown
from labkit.text.wording import counted, printable

REQUIRED = ("attendee", "account", "region")
OPTIONAL = ("lab", "profile", "role", "given_role", "principal", "endpoint")
DEFAULT_LAB = "jwt-lab"
WHERE = ("attendee", "account", "region", "lab")

_OTHER_NAMES = {"account_id": "account", "lab_name": "lab"}
_ACCOUNT = re.compile(r"[0-9]{12}")
_SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+")
_ROLE_NAME = re.compile(r"[\w+=,.@/-]+")
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):(role|user)/[\w+=,.@/-]+")


@dataclass(frozen=True)
class Seat:
    """One attendee's lab: its account and region, its name, and how the instructor gets there.

    `profile`, `role` (an ARN, or a role's name in the account), `given_role` (the same: the one that the functions run
    with, where nobody may make any), `principal` (the ARN of the role or user that the attendee works as) and
    `endpoint` (of a fake account in rehearsal) are empty where the roster says nothing.
    """

    line: int
    attendee: str
    account: str
    region: str
    lab: str
    profile: str = ""
    role: str = ""
    given_role: str = ""
    principal: str = ""
    endpoint: str = ""

    @property
    def where(self) -> dict[str, str]:
        """Whose lab it is, and where: WHERE, each with its value."""
        return {name: getattr(self, name) for name in WHERE}

    @property
    def way(self) -> tuple[str, str, str]:
        """How to get into the account: the profile, the role and the endpoint."""
        return self.profile, self.role, self.endpoint

    @property
    def role_arn(self) -> str:
        """The ARN of the role to assume; empty if there is none."""
        return self._arn(self.role)

    @property
    def given_role_arn(self) -> str | None:
        """The ARN of the role that the account gives for the functions, if it gives one."""
        return self._arn(self.given_role) or None

    def _arn(self, role: str) -> str:
        if not role or role.startswith("arn:"):
            return role
        return f"arn:{partition(self.region).name}:iam::{self.account}:role/{role.lstrip('/')}"


@dataclass(frozen=True)
class BadRow:
    """A row that is left alone, and why."""

    line: int
    attendee: str
    problem: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {"line": self.line, "attendee": self.attendee, "error": self.problem, "fix": self.remedy}


class OfAClass(Shown):
    """What is shown of a class. An instructor's notebook has no `lab` whose verbs could be named."""

    names_lab = False


@dataclass(frozen=True, repr=False)
class Roster(OfAClass):
    """The rows of a roster that can be used, and those that cannot."""

    seats: tuple[Seat, ...]
    bad: tuple[BadRow, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The account ids, each once, in the roster's order."""
        return tuple(dict.fromkeys(seat.account for seat in self.seats))

    @property
    def groups(self) -> tuple[tuple[Seat, ...], ...]:
        """The seats of each account and region together, in the roster's order."""
        groups: dict[tuple[str, str], list[Seat]] = {}
        for seat in self.seats:
            groups.setdefault((seat.account, seat.region), []).append(seat)
        return tuple(tuple(group) for group in groups.values())

    def blocks(self) -> list[Block]:
        """A row for each attendee, then one for each row that cannot be used."""
        rows = [(*seat.where.values(), _way(seat)) for seat in self.seats]
        return [Table((*WHERE, "by way of"), rows), bad_rows(self.bad)]

    def to_dict(self) -> dict[str, Any]:
        """The `seats`, and the `rows` that cannot be used."""
        return {"seats": [vars(seat) for seat in self.seats], "rows": [row.to_dict() for row in self.bad]}


def _way(seat: Seat) -> str:
    ways = zip(("profile", "role", "endpoint"), seat.way, strict=True)
    return ", ".join(f"{kind} {value}" for kind, value in ways if value) or "your own credentials"


def bad_rows(rows: Iterable[BadRow]) -> Table:
    """The rows of a roster that cannot be used."""
    header = ("line", "attendee", "left alone because", "what to do")
    return Table(header, [(str(row.line), row.attendee, row.problem, row.remedy) for row in rows])


def read_roster(path: Path) -> Roster:
    """Read a roster. A row that cannot be used is told as such, and the others count.

    Args:
        path: a `.csv`, `.yaml` or `.yml` file.

    Raises:
        UsageError: it is no such file, it lacks a column that every row needs, or it has no rows.
    """
    text = _text(path)
    rows = list(_yaml_rows(path, text) if path.suffix.lower() in (".yaml", ".yml") else _csv_rows(path, text))
    if not rows:
        raise UsageError(f"The roster {path.name} has no attendees.", f"Give it a row with {', '.join(REQUIRED)}.")
    return _roster(rows)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"The roster {path} cannot be read: {error.strerror}.", "Name a file that can.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The roster {path} is not UTF-8 text.", "Save it as CSV UTF-8 or as YAML.") from error


# A row as it was read: its line, and its values by column.
_Row = tuple[int, dict[str, str]]


def _csv_rows(path: Path, text: str) -> Iterator[_Row]:
    first_line = text.lstrip().split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first_line.count), strict=True)
    try:
        missing = [name for name in REQUIRED if name not in map(_column, reader.fieldnames or ())]
        if missing and text.strip():
            raise UsageError(
                f"The roster {path.name} lacks the column {missing[0]}.",
                f"Name the columns in its first line: {', '.join(REQUIRED)}, and if you like {', '.join(OPTIONAL)}.",
            )
        rows = ((reader.line_num, _cleaned(row)) for row in reader)
        yield from ((line, row) for line, row in rows if any(row.values()))
    except csv.Error as error:
        problem = f"The roster {path.name} is not CSV after line {reader.line_num}: {error}."
        raise UsageError(problem, "Mend its quotation marks.") from error


def _yaml_rows(path: Path, text: str) -> Iterator[_Row]:
    import yaml  # noqa: PLC0415 - most rosters are CSV

    # Nodes, not values: YAML reads the digits of an account id that begins with 0 as an octal number.
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        problem = f"The roster {path.name} is not YAML: {' '.join(str(error).split())}"
        raise UsageError(problem, "Mend that line.") from error
    if root is not None and not isinstance(root, yaml.SequenceNode):
        raise UsageError(f"The roster {path.name} is not a list.", "Begin each attendee with a hyphen.")
    for node in root.value if root is not None else ():
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        scalars = {k.value: v.value for k, v in pairs if isinstance(k.value, str) and isinstance(v, yaml.ScalarNode)}
        yield node.start_mark.line + 1, _cleaned(scalars)


def _cleaned(row: Mapping[Any, Any]) -> dict[str, str]:
    """The columns that a roster may have, without the blanks around them; the first of two with one name counts."""
    cleaned: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(name, str) and isinstance(value, str):
            cleaned.setdefault(_column(name), value.strip())
    return {name: cleaned.get(name, "") for name in (*REQUIRED, *OPTIONAL)}


def _column(name: str) -> str:
    name = re.sub(r"[\s_-]+", "_", name.strip().lower())
    return _OTHER_NAMES.get(name, name)


def _roster(rows: list[_Row]) -> Roster:
    seats, bad = [], []
    for _, row in rows:
        row["lab"] = row["lab"] or DEFAULT_LAB
    attendees, labs = Counter(_attendee(row) for _, row in rows), Counter(_lab(row) for _, row in rows)
    for line, row in rows:
        try:
            _check(row)
            _check_repetition(row, attendees[_attendee(row)], labs[_lab(row)])
            seats.append(Seat(line, **row))
        except LabError as error:
            bad.append(BadRow(line, printable(row["attendee"]), error.problem, error.remedy))
    return Roster(tuple(seats), tuple(bad))


def _check_repetition(row: dict[str, str], times: int, labs: int) -> None:
    """Refuse every row of an attendee, and of a lab, that is named twice: nobody can tell which row is meant."""
    if times > 1:
        raise LabError(
            f"{row['attendee']} is in the roster {counted(times, 'time')}.",
            "Keep one of the rows, or give each its own name.",
        )
    if labs > 1:
        raise LabError(
            f"Another row has the lab {row['lab']} in account {row['account']}, region {row['region']}, too.",
            "Give each attendee of an account a lab name of their own in the column lab.",
        )


def _attendee(row: dict[str, str]) -> str:
    return row["attendee"].casefold()


def _lab(row: dict[str, str]) -> tuple[str, str, str]:
    return row["account"], row["region"], row["lab"]


def _check(row: dict[str, str]) -> None:
    """Raise LabError with the first thing that is wrong with a row by itself."""
    missing = [name for name in REQUIRED if not row[name]]
    if missing:
        raise LabError(f"The row has no {missing[0]}.", f"Fill in the column {missing[0]}.")
    if not row["attendee"].isprintable():
        raise LabError("The attendee's name has characters that cannot be shown.", "Type the name again.")
    _check_account(row["account"])
    _check_region(row["region"])
    if not NAME_PATTERN.fullmatch(row["lab"]):
        raise LabError(
            f"The lab name {row['lab']!r} cannot begin the names of AWS resources.",
            "Use 2 to 24 lower-case letters, digits and hyphens, a letter first and no hyphen last.",
        )
    _check_arns(row)
    _check_endpoint(row)


def _check_account(account: str) -> None:
    if _ACCOUNT.fullmatch(account):
        return
    if account.isdecimal() and len(account) < 12:  # noqa: PLR2004 - the length of an account id
        raise LabError(
            f"The account id {account} has {len(account)} digits instead of 12.",
            "If a spreadsheet dropped its leading zeros, put them back and keep the column as text.",
        )
    if _SCIENTIFIC.fullmatch(account):
        raise LabError(
            f"The account id {account} was shortened by a spreadsheet, which takes it for a number.",
            "Make the column text there, type the 12 digits of each account again, and save it anew.",
        )
    raise LabError(f"{account!r} is not an account id.", "An account id has 12 digits and nothing else.")


def _check_region(region: str) -> None:
    known = regions_with("cognito-idp")
    if region not in known:
        near = difflib.get_close_matches(region, sorted(known), 1)
        raise LabError(
            f"AWS has no region {region!r} with Cognito user pools.",
            f"Did you mean {near[0]}?" if near else "Name one such as us-east-1.",
        )


def _check_arns(row: dict[str, str]) -> None:
    arns = [_PRINCIPAL_ARN.fullmatch(row["principal"])]
    if row["principal"] and not arns[0]:
        raise LabError(f"{row['principal']!r} is not the ARN of a role or user.", "Mend the column principal.")
    for column in ("role", "given_role"):
        role, arn = row[column], _ROLE_ARN.fullmatch(row[column])
        if role and not arn and (role.startswith("arn:") or not _ROLE_NAME.fullmatch(role)):
            raise LabError(f"{role!r} is not the ARN or the name of a role.", f"Mend the column {column}.")
        arns.append(arn)
    for match in arns:
        if match and match[1] != row["account"]:
            raise LabError(
                f"{match[0]} is of account {match[1]}, but the row is for {row['account']}.", "Mend one of the two."
            )


def _check_endpoint(row: dict[str, str]) -> None:
    if not row["endpoint"]:
        return
    if row["profile"] or row["role"] or row["given_role"]:
        raise LabError("The row has an endpoint and a profile or role.", "An endpoint is for rehearsal only.")
    if not (row["endpoint"].lower().startswith("http://") and leads_here(row["endpoint"])):
        raise LabError(
            f"The endpoint {row['endpoint']!r} is not one of this machine.",
            "Leave it out for an AWS account; for rehearsal: labkit cloud class start N",
        )
