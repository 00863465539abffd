"""A roster is read as it is meant, and each row that cannot be used is told with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.errors import UsageError
from labkit.fleet.roster import Seat, read_roster

HEADER = "attendee,account,region,lab,profile,role,principal,endpoint\n"
ROLE = "arn:aws:iam::123456789012:role/Instructor"


def written(folder: Path, text: str, name: str = "class.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_a_csv_roster(tmp_path: Path) -> None:
    text = (
        "attendee,account,region,role\n"
        "Ana López,123456789012,us-east-1,Instructor\n"
        "ben,012345678901,eu-west-1,arn:aws:iam::012345678901:role/a/b\n"
    )

    roster = read_roster(written(tmp_path, text))

    assert roster.bad == ()
    assert roster.seats == (
        Seat(2, "Ana López", "123456789012", "us-east-1", "jwt-lab", role="Instructor"),
        Seat(3, "ben", "012345678901", "eu-west-1", "jwt-lab", role="arn:aws:iam::012345678901:role/a/b"),
    )
    assert [seat.role_arn for seat in roster.seats] == [ROLE, "arn:aws:iam::012345678901:role/a/b"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("attendee,account,region\nana,012345678901,us-east-1\n", "utf-8"),
        ("attendee,account,region\r\nana,012345678901,us-east-1\r\n", "utf-8-sig"),
        ("Attendee;Account ID;Region;E-mail\nana;012345678901;us-east-1;ana@example.com\n;;;\n", "utf-8"),
        (" attendee\taccount_id\tregion \n\n ana \t012345678901\tus-east-1\n", "utf-8"),
        ('region,"account",attendee\nus-east-1,"012345678901","ana"\n', "utf-8"),
    ],
    ids=["plain", "Excel's UTF-8", "semicolons and more columns", "tabs and blanks", "quoted, in another order"],
)
def test_ways_to_write_the_same_csv(text: str, encoding: str, tmp_path: Path) -> None:
    (seat,) = read_roster(written(tmp_path, text, encoding=encoding)).seats

    assert (seat.attendee, seat.account, seat.region, seat.lab) == ("ana", "012345678901", "us-east-1", "jwt-lab")


@pytest.mark.parametrize("name", ["class.yaml", "class.yml", "CLASS.YAML"])
def test_a_yaml_roster_keeps_the_zero_of_an_account_id(name: str, tmp_path: Path) -> None:
    text = "- attendee: ana\n  account: 012345670123\n  region: us-east-1\n- {attendee: ben, account: '123456789012'}\n"

    roster = read_roster(written(tmp_path, text, name))

    assert [(seat.line, seat.attendee, seat.account) for seat in roster.seats] == [(1, "ana", "012345670123")]
    assert [(row.line, row.attendee, row.problem) for row in roster.bad] == [(4, "ben", "The row has no region.")]


BAD_ROWS = [
    (",123456789012,us-east-1", "The row has no attendee."),
    ("ana,,us-east-1", "The row has no account."),
    ("ana,123456789012,", "The row has no region."),
    ("ana,123456789012", "The row has no region."),
    ("a\x1b[31mna,123456789012,us-east-1", "The attendee's name has characters that cannot be shown."),
    ("ana,12345678901,us-east-1", "The account id 12345678901 has 11 digits instead of 12."),
    ("ana,1234567890123,us-east-1", "'1234567890123' is not an account id."),
    *((f"ana,{shortened},us-east-1",
       f"The account id {shortened} was shortened by a spreadsheet, which takes it for a number.")
      for shortened in ("1.11122E+11", "1E+11", "1.2e10", "1.23E9")),
    ("ana,1.11122,us-east-1", "'1.11122' is not an account id."),
    ("ana,１２３４５６７８９０１２,us-east-1", "'１２３４５６７８９０１２' is not an account id."),
    ("ana,123456789012,us-east1", "AWS has no region 'us-east1' with Cognito user pools."),
    ("ana,123456789012,us-east-1,Lab One", "The lab name 'Lab One' cannot begin the names of AWS resources."),
    ("ana,123456789012,us-east-1,,,no role!", "'no role!' is not the ARN or the name of a role."),
    ("ana,123456789012,us-east-1,,,arn:aws:iam::123456789012:user/x",
     "'arn:aws:iam::123456789012:user/x' is not the ARN or the name of a role."),
    ("ana,210987654321,us-east-1,,,arn:aws:iam::123456789012:role/Instructor",
     "arn:aws:iam::123456789012:role/Instructor is of account 123456789012, but the row is for 210987654321."),
    ("ana,123456789012,us-east-1,,,,student", "'student' is not the ARN of a role or user."),
    ("ana,123456789012,us-east-1,,,,,http://192.0.2.1:4566",
     "The endpoint 'http://192.0.2.1:4566' is not one of this machine."),
    ("ana,123456789012,us-east-1,,,,,127.0.0.1:4566", "The endpoint '127.0.0.1:4566' is not one of this machine."),
    ("ana,123456789012,us-east-1,,,,,http://[", "The endpoint 'http://[' is not one of this machine."),
    ("ana,123456789012,us-east-1,,mine,,,http://127.0.0.1:4566", "The row has an endpoint and a profile or role."),
]  # fmt: skip


@pytest.mark.parametrize(("row", "problem"), BAD_ROWS, ids=[problem for _, problem in BAD_ROWS])
def test_a_row_that_cannot_be_used(row: str, problem: str, tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, f"{HEADER}{row}\nzoe,210987654321,eu-west-1\n"))

    assert [(bad.line, bad.problem) for bad in roster.bad] == [(2, problem)]
    assert all(bad.remedy and bad.attendee.isprintable() for bad in roster.bad)
    assert [seat.attendee for seat in roster.seats] == ["zoe"]


def test_a_region_that_was_mistyped_is_guessed(tmp_path: Path) -> None:
    (bad,) = read_roster(written(tmp_path, f"{HEADER}ana,123456789012,us-east1\n")).bad

    assert bad.remedy == "Did you mean us-east-1?"


def test_neither_row_of_an_attendee_who_is_named_twice_counts(tmp_path: Path) -> None:
    text = f"{HEADER}ana,123456789012,us-east-1\nben,111122223333,us-east-1\nANA,210987654321,us-east-1\n"

    roster = read_roster(written(tmp_path, text))

    assert [(bad.line, bad.problem) for bad in roster.bad] == [
        (2, "ana is in the roster 2 times."),
        (4, "ANA is in the roster 2 times."),
    ]
    assert [seat.attendee for seat in roster.seats] == ["ben"]


def test_one_account_holds_many_attendees_if_their_labs_differ(tmp_path: Path) -> None:
    text = (
        f"{HEADER}ana,123456789012,us-east-1,one\nben,123456789012,us-east-1,two\ncem,123456789012,eu-west-1,one\n"
        "dan,123456789012,eu-north-1,one\neva,123456789012,eu-north-1,one\n"
    )

    roster = read_roster(written(tmp_path, text))

    assert [[seat.attendee for seat in group] for group in roster.groups] == [["ana", "ben"], ["cem"]]
    assert roster.accounts == ("123456789012",)
    assert [(bad.attendee, bad.problem) for bad in roster.bad] == [
        ("dan", "Another row has the lab one in account 123456789012, region eu-north-1, too."),
        ("eva", "Another row has the lab one in account 123456789012, region eu-north-1, too."),
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("class.csv", "attendee,region\nana,us-east-1\n", "The roster class.csv lacks the column account."),
        ("class.csv", "", "The roster class.csv has no attendees."),
        ("class.csv", "attendee,account,region\n", "The roster class.csv has no attendees."),
        ("class.csv", "attendee,account,region\n\n,,\n", "The roster class.csv has no attendees."),
        ("class.csv", 'attendee,account,region\n"ana,1\n', "The roster class.csv is not CSV after line 1: "),
        ("class.yaml", "", "The roster class.yaml has no attendees."),
        ("class.yaml", "[]", "The roster class.yaml has no attendees."),
        ("class.yaml", "attendee: ana\n", "The roster class.yaml is not a list."),
        ("class.yaml", "- attendee: [ana\n", "The roster class.yaml is not YAML: "),
        ("class.yaml", "- !!python/object/apply:os.abort []\n", None),
    ],
)
def test_a_file_that_is_no_roster(name: str, text: str, problem: str | None, tmp_path: Path) -> None:
    path = written(tmp_path, text, name)
    if problem is None:
        assert [row.problem for row in read_roster(path).bad] == ["The row has no attendee."]
        return

    with pytest.raises(UsageError) as error:
        read_roster(path)

    assert error.value.problem.startswith(problem)
    assert error.value.remedy


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"attendee,account,region\nAndr\xe9,123456789012,us-east-1\n")

    for name, words in {"none.csv": "No such file", "latin.csv": "is not UTF-8 text", ".": "Is a directory"}.items():
        with pytest.raises(UsageError, match=words):
            read_roster(tmp_path / name)


@pytest.mark.parametrize("ending", ["csv", "yaml"])
def test_five_thousand_rows(ending: str, tmp_path: Path) -> None:
    rows = [(f"attendee-{n}", f"{n:012}", "us-east-1") for n in range(5000)]
    csv = HEADER + "".join(f"{','.join(row)}\n" for row in rows)
    yaml = "".join(f"- {{attendee: {a}, account: {b}, region: {c}}}\n" for a, b, c in rows)

    roster = read_roster(written(tmp_path, csv if ending == "csv" else yaml, f"class.{ending}"))

    assert (len(roster.seats), roster.bad, len(roster.groups)) == (5000, (), 5000)
    assert roster.seats[4999].account == "000000004999"
