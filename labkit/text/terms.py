"""Real values for a person, stable words for what is committed: the one place that decides it.

A person sees the lab's real ids, keys and times. In a committed notebook they would differ from run to run, so there
`LABKIT_OUTPUTS=stable` has each written as what it is: `$APP_CLIENT_ID`, `<key 1>`, `in 60 minutes`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.text.wording import quoted

OUTPUTS = "LABKIT_OUTPUTS"
STABLE = "stable"

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


EXACT = Terms(exact=True)


def stable() -> bool:
    """Whether outputs are to be the same for everybody."""
    return os.environ.get(OUTPUTS) == STABLE


def in_words(*words: Mapping[str, str]) -> Terms:
    """The terms of a result.

    Args:
        words: what is written in place of which text, where outputs are to be stable; what comes first counts.
    """
    if not stable():
        return EXACT
    return Terms({text: word for each in reversed(words) for text, word in each.items()})


def key_words(keys: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The words for published keys, each of which is called by its place in the set."""
    return {quoted(key.get("kid")): f"<key {place}>" for place, key in enumerate(keys, 1)}


def about(seconds: float) -> str:
    """A difference in time, rounded: `in 60 minutes`, `2 hours ago`, `a moment ago`."""
    size = abs(seconds)
    if size < A_MOMENT:
        return "in a moment" if seconds > 0 else "a moment ago"
    unit, name, _ = next(row for row in ROUNDED if size < row[2])
    count = max(1, round(size / unit))
    amount = f"{count:,} {name}{'s' if count > 1 else ''}"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"
