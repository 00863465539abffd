"""What was done to the resources of a lab: created, or mended, and what was wrong. Told where the write is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from labkit.machine.side_by_side import turn
from labkit.text.wording import printable, quoted

LONGEST = 120


@dataclass(frozen=True)
class Deed:
    """One resource that was created, or mended: then `was` has the settings that were wrong, as they were."""

    kind: str
    name: str
    created: bool
    was: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """`created`, or `mended: Audience was nobody`."""
        settings = ", ".join(f"{setting} was {was}" for setting, was in self.was.items())
        return "created" if self.created else f"mended: {settings}"

    def to_dict(self) -> dict[str, Any]:
        """The resource, what was `done` to it, and what its settings `was`."""
        done = "created" if self.created else "mended"
        return {"kind": self.kind, "name": self.name, "done": done, "was": dict(self.was)}


class Deeds:
    """Keeps what is done, in the order of the code that does it, until it is taken."""

    def __init__(self) -> None:
        self._heard: list[tuple[tuple[int, ...], str, str, dict[str, str] | None]] = []

    def created(self, kind: str, name: str) -> None:
        """Keep that a resource is created. What is then still set in it is part of that."""
        self._heard.append((turn(), kind, name, None))

    def mended(self, kind: str, name: str, setting: str, was: object) -> None:
        """Keep that a setting of a resource is put right, and what it was."""
        self._heard.append((turn(), kind, name, {setting: _told(was)}))

    def drifted(self, kind: str, name: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Whether settings are not as wanted. Those that are not are kept as mended."""
        for setting, was in _differences(found, wanted):
            self.mended(kind, name, setting, was)
        return any(found.get(key) != value for key, value in wanted.items())

    def taken(self) -> tuple[Deed, ...]:
        """What was kept, one deed a resource; nothing of it is kept any longer."""
        heard, self._heard = sorted(self._heard, key=itemgetter(0)), []
        whole: dict[tuple[str, str], list[dict[str, str] | None]] = {}
        for _, kind, name, was in heard:
            whole.setdefault((kind, name), []).append(was)
        return tuple(
            Deed(*resource, True) if None in each else Deed(*resource, False, _merged(each))
            for resource, each in whole.items()
        )


def _merged(each: list[dict[str, str] | None]) -> dict[str, str]:
    return {setting: was for one in each if one for setting, was in one.items()}


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The innermost settings that differ, and what they are."""
    for key, value in wanted.items():
        actual = found.get(key)
        if isinstance(value, dict) and isinstance(actual, dict):
            yield from _differences(actual, value)
        elif actual != value:
            yield key, actual


def _told(value: object) -> str:
    if value in (None, "", []):
        return "missing"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    return printable(value, LONGEST) if isinstance(value, str) else quoted(value, LONGEST)
