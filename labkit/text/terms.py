"""How values that AWS made up are written: as what they are, so that an output is the same for every learner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labkit.text.wording import distance, moment, quoted

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# The unit of a rounded time, and up to how many seconds it is used.
ROUNDED = ((60, "minute", 90 * 60), (3_600, "hour", 36 * 3_600), (86_400, "day", float("inf")))
A_MOMENT = 30


@dataclass(frozen=True)
class Terms:
    """What is written in place of a text: `$APP_CLIENT_ID` for an id, `<UUID>` for a random one, `<key 1>` for a key.

    `exact` terms write everything as it is.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False

    def say(self, text: str) -> str:
        """A text in these terms."""
        return text if self.exact else self._pattern().sub(lambda found: self.words.get(found[0], "<UUID>"), text)

    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(filter(None, self.words), key=len, reverse=True)
        return re.compile("|".join([*map(re.escape, longest_first), UUID.pattern]))

    def when(self, seconds: float, now: float) -> str:
        """A time, in seconds since 1970: exactly, in this machine's zone, or only how far off it is.

        Args:
            seconds: the time.
            now: the time that it is told at.
        """
        return f"{moment(seconds, None)}, {distance(seconds - now)}" if self.exact else about(seconds - now)

    def plus(self, words: Mapping[str, str]) -> Terms:
        """These terms and more."""
        return replace(self, words={**self.words, **words})


EXACT = Terms(exact=True)


def lab_terms(variables: Mapping[str, str], keys: Sequence[Mapping[str, Any]] = ()) -> Terms:
    """The terms of a lab.

    Args:
        variables: the variables that `labkit env` exports, by value.
        keys: the keys that its user pool publishes, each of which is called by its place in the set.
    """
    key_ids = {quoted(key.get("kid")): f"<key {place}>" for place, key in enumerate(keys, 1)}
    return Terms({value: f"${name}" for value, name in variables.items()} | key_ids)


def about(seconds: float) -> str:
    """A difference in time, rounded: `in 60 minutes`, `2 hours ago`, `a moment ago`."""
    size = abs(seconds)
    if size < A_MOMENT:
        return "in a moment" if seconds > 0 else "a moment ago"
    unit, name, _ = next(row for row in ROUNDED if size < row[2])
    count = max(1, round(size / unit))
    amount = f"{count:,} {name}{'s' if count > 1 else ''}"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"
