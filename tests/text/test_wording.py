"""Values in sentences: printable, cut, and times as a person says them."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.text.wording import counted, distance, either, moment, named, printable, quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("admin", '"admin"'),
        ("", '""'),
        ("\u5c71\u7530", '"\u5c71\u7530"'),
        (["a", 1, None, True], '["a", 1, null, true]'),
        ({"country": "JP"}, '{"country": "JP"}'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),
        ("\ud800", '"\\ud800"'),
        ("line\nline", '"line\\nline"'),
    ],
)
def test_a_value_is_shown_as_printable_json(value: object, text: str) -> None:
    assert quoted(value) == text


def test_a_long_value_is_cut_and_says_how_long_it_is() -> None:
    assert quoted("a" * 1_000, 10) == '"aaaaaaaaa\u2026 (1,002 characters)'


def test_a_text_loses_what_would_move_a_cursor() -> None:
    assert printable("a\x9b2Jb") == "a\\x9b2Jb"


@given(st.text() | st.characters(categories=["Cs"]))
def test_whatever_a_text_holds_it_can_be_printed(text: str) -> None:
    assert printable(text).isprintable()
    assert quoted(text).encode("utf-8")


def test_a_member_is_shown_with_its_name_or_missed_by_it() -> None:
    assert named({"alg": "none"}, "alg") == 'alg "none"'
    assert named({}, "alg") == "no alg"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["a"], '"a"'),
        (["a", "b"], '"a" or "b"'),
        (["a", "b", "c"], '"a", "b" or "c"'),
        (["a", "b", "c", "d", "e", "f"], '"a", "b", "c", "d" or 2 more'),
    ],
)
def test_several_values_are_joined_as_in_a_sentence(values: list[str], text: str) -> None:
    assert either(values) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.4, "now"),
        (-0.4, "now"),
        (1, "in 1 second"),
        (-59, "59 seconds ago"),
        (2_520, "in 42 minutes"),
        (3_599.9, "in 59 minutes"),
        (-10_800, "3 hours ago"),
        (86_400 * 30, "in 30 days"),
        (31_557_600 * 2, "in 2 years"),
        (1e300, "in more than 10,000 years"),
        (-1e300, "more than 10,000 years ago"),
    ],
)
def test_a_distance_is_told_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert distance(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_795_384_800, "2026-11-22 22:00:00 UTC"),
        (1_795_384_800.9, "2026-11-22 22:00:00 UTC"),
        (-1, "1969-12-31 23:59:59 UTC"),
        (1e18, "1e+18 seconds since 1970, a time outside the calendar"),
    ],
)
def test_a_moment_is_told_with_its_zone(seconds: float, text: str) -> None:
    assert moment(seconds) == text


def test_a_moment_is_told_in_the_zone_of_its_reader() -> None:
    tokyo = timezone(timedelta(hours=9), "JST")
    assert moment(1_795_384_800, tokyo) == "2026-11-23 07:00:00 JST"
    assert moment(1_795_384_800, None).startswith("2026-11-2")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_some_moment(seconds: float) -> None:
    assert moment(seconds)
    assert moment(seconds, None)
    assert distance(seconds)


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "account", "0 accounts"), (1, "role policy", "1 role policy"), (3, "role policy", "3 role policies")],
)
def test_a_number_of_things(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
