"""How a value is put into a sentence: printable, cut when long, and times as a person says them.

What a token says is data of a stranger. Nothing of it reaches a terminal or a page but through `printable` or `quoted`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

LONGEST = 160
MOST = 4
# Beside what Python calls printable and the spaces: line breaks, tabs, and what joins emoji and Persian letters or not.
HARMLESS = "\n\t\u200c\u200d"
UNITS = ((31_557_600, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
MOST_YEARS = 10_000


def printable(text: str, longest: int = LONGEST) -> str:
    """A text on one line, in printable characters, cut after `longest` of them.

    Control characters, invisible ones that turn the direction of writing, and lone surrogates become escapes.
    """
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text):,} characters)"
    return text if text.isprintable() else "".join(map(_escaped, text))


def visible(text: str) -> str:
    """A text with its line breaks, in which nothing acts on a terminal, hides, or turns the direction of writing.

    Accents and emoji stay. Control characters, invisible ones and lone surrogates become escapes, as in `printable`.
    """
    return text if text.isprintable() else "".join(c if _is_harmless(c) else _escaped(c) for c in text)


def quoted(value: Any, longest: int = LONGEST) -> str:
    """A JSON value as printable JSON text: a string in quotation marks, anything else as JSON writes it.

    Args:
        value: what a JSON parser returns, up to a few hundred levels deep.
        longest: how many characters of the text are shown before it is cut.
    """
    return printable(json.dumps(value, ensure_ascii=False), longest)


def named(members: Mapping[str, Any], name: str) -> str:
    """A member of a JSON object with its name, `alg "RS256"`, or that it has none, `no alg`."""
    return f"{name} {quoted(members[name])}" if name in members else f"no {name}"


def either(values: Sequence[str]) -> str:
    """`"a"`, `"a" or "b"`, and so on; of many values the first few and how many more there are."""
    shown = [quoted(value) for value in values[:MOST]]
    if len(values) > MOST:
        shown.append(f"{len(values) - MOST} more")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def counted(number: int, noun: str) -> str:
    """A number of things: `1 account`, `3 role policies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def moment(seconds: float, zone: tzinfo | None = UTC) -> str:
    """Seconds since 1970 as date, time and zone: `2026-11-22 21:46:05 UTC`.

    Args:
        seconds: a NumericDate of RFC 7519, section 2.
        zone: the zone to tell it in; None for the zone of this machine.
    """
    try:
        local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')} {local.tzname()}"
    except (OverflowError, OSError, ValueError):
        return f"{seconds:g} seconds since 1970, a time outside the calendar"


def iso(seconds: float) -> str:
    """Seconds since 1970 as JSON has them: `2026-11-22T21:46:05+00:00`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def distance(seconds: float) -> str:
    """A difference in time in its largest whole unit: `in 42 minutes`, `3 hours ago`, `now`."""
    if abs(seconds) >= MOST_YEARS * UNITS[0][0]:
        amount = f"more than {MOST_YEARS:,} years"
    else:
        size, unit = next(((size, unit) for size, unit in UNITS if abs(seconds) >= size), (1, "second"))
        count = int(abs(seconds) // size)
        if not count:
            return "now"
        amount = f"{count} {unit}{'s' if count > 1 else ''}"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"


def _is_harmless(character: str) -> bool:
    return character in HARMLESS or character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
