"""What this machine remembers of a lab: how far it was built, and by which calls. AWS alone knows what exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any

from labkit.errors import LabError
from labkit.machine.private_files import is_own, read_object, remove_files, write_json
from labkit.settings import NAME_PATTERN, Settings
from labkit.target.commands import Command, lines, unmade
from labkit.target.embedded import FOLDERS, EmbeddedPlace, embedded_folder
from labkit.target.target import Target
from labkit.text.blocks import Block, Code, Folded, Table, sentences
from labkit.text.shown import Shown

_FILE = "journal.json"
# What labkit writes into a lab's folder, each with a word that is in it. Beside them there is a lock.
_COMMAND = {"service": str, "operation": str, "parameters": dict, "made": (str, NoneType)}
_SHAPE = {"place": str, "reached": [str], "commands": {...: [_COMMAND]}}
_FILES = {_FILE: "place", "passwords.json": "user_pool_id", "removal.json": "place"}


@dataclass(frozen=True, repr=False)
class Commands(Shown):
    """The AWS CLI lines of the calls that built some steps.

    One `whole` stands in a subshell: pasted, it ends at the first line that fails, and the terminal stays.
    """

    steps: tuple[str, ...]
    lines: tuple[str, ...]
    whole: bool = False

    def blocks(self) -> Iterator[Block]:
        """The lines, each as it can be pasted after `eval "$(labkit env)"`."""
        built = ", ".join(self.steps)
        if self.lines:
            shown = ("(set -e", *self.lines, ")") if self.whole else self.lines
            yield Folded(f"{len(self.lines)} AWS calls built {built}", (Code("\n\n".join(shown)),))
        else:
            yield sentences(f"This machine has no record of the calls that built {built}.")

    def to_dict(self) -> dict[str, Any]:
        """The `commands` of the `steps`."""
        return {"steps": list(self.steps), "commands": list(self.lines)}


class Journal:
    """The record of one lab in one place. A record of another embedded cloud tells only how far the lab was built.

    `place` is what the place is known by: the account, or this one run of the embedded cloud.
    """

    def __init__(self, target: Target) -> None:
        place = target.place
        self._file = target.folder / _FILE
        self.place = place.cloud.instance if isinstance(place, EmbeddedPlace) else place.account
        self._kept: dict[str, Any] = read_object(self._file, _SHAPE)

    @property
    def reached_steps(self) -> list[str]:
        """The steps that were built, here or in a cloud before this one, in the order of their first building."""
        return _reached(self._kept)

    @property
    def is_current(self) -> bool:
        """Whether the record is of this very place."""
        return bool(self._kept.get("place") == self.place)

    def add(self, step: str, commands: list[Command]) -> None:
        """Remember the calls that built or mended a step."""
        if commands:
            kept = self._current()
            kept["commands"].setdefault(step, []).extend(command.to_dict() for command in commands)
            self._write(kept)

    def reached(self, step: str) -> None:
        """Remember that a step is built."""
        kept = self._current()
        if step not in kept["reached"]:
            kept["reached"].append(step)
            self._write(kept)

    def keep_only(self, steps: list[str]) -> None:
        """Remember nothing of the steps that were taken away again."""
        kept = self._current()
        kept["reached"] = [step for step in kept["reached"] if step in steps]
        kept["commands"] = {step: calls for step, calls in kept["commands"].items() if step in steps}
        self._write(kept)

    def forget(self) -> None:
        """Remember nothing: the lab is gone."""
        _forget(self._file.parent)
        self._kept = {}

    def commands(self, steps: Iterable[str], variables: Mapping[str, str]) -> Commands:
        """The calls that built some steps, in the order of the steps, as AWS CLI lines."""
        kept, steps = self._kept.get("commands", {}) if self.is_current else {}, tuple(steps)
        calls = [Command(*map(call.get, _COMMAND)) for step in steps for call in kept.get(step, [])]
        return Commands(steps, tuple(lines(calls, variables)))

    def transcript(self, steps: Iterable[str], variables: Mapping[str, str]) -> Commands:
        """The same, for a place where nothing is: pasted there, the lines build the steps.

        Raises:
            LabError: some call that built them was not made by labkit on this machine.
        """
        whole = self.commands(steps, variables)
        untold = [step for step in whole.steps if not self.commands((step,), variables).lines]
        if missing := [f"what built {step}" for step in untold] or [f"what made ${n}" for n in unmade(whole.lines)]:
            raise LabError(
                f"This machine has no record of {missing[0]}, so its lines would not build the lab.",
                "Build the lab, then ask again: labkit up. If you made parts of it yourself, begin anew before that: "
                "labkit down.",
            )
        return replace(whole, whole=True)

    def _current(self) -> dict[str, Any]:
        if self.is_current:
            return self._kept
        return {"place": self.place, "reached": self.reached_steps, "commands": {}}

    def _write(self, kept: dict[str, Any]) -> None:
        self._kept = kept
        write_json(self._file, kept)


def was_built(settings: Settings) -> bool:
    """Whether some step of the lab was built in the embedded cloud, told without reaching it."""
    return bool(_reached(read_object(embedded_folder(settings) / _FILE, _SHAPE)))


def _reached(kept: Mapping[str, Any]) -> list[str]:
    return list(kept.get("reached", []))


@dataclass(frozen=True, repr=False)
class Remembered(Shown):
    """The labs that this machine has built and not taken away: (place, name, the steps built)."""

    labs: tuple[tuple[str, str, str], ...]

    def blocks(self) -> Iterator[Block]:
        """A row for each lab; nothing if there is none."""
        yield Table(("where", "lab", "built"), self.labs)

    def to_dict(self) -> dict[str, Any]:
        """The `labs`, each with `place`, `name` and `steps`."""
        return {
            "labs": [{"place": place, "name": name, "steps": steps.split(", ")} for place, name, steps in self.labs]
        }


def remembered(home: Path) -> Remembered:
    """Every lab that has a journal below a LABKIT_HOME. A place is `embedded` or `<account>-<region>`."""
    files = sorted(file for file in (home / "labs").glob(f"*/*/{_FILE}") if is_own(file))
    return Remembered(
        tuple((file.parts[-3], file.parts[-2], ", ".join(_reached(read_object(file, _SHAPE)))) for file in files)
    )


def forget_embedded(home: Path) -> None:
    """Remember nothing of any lab in the embedded cloud: its cloud was stopped on purpose."""
    for labs in (home / "labs" / name for name in FOLDERS.values()):
        for folder in labs.glob("*"):
            if NAME_PATTERN.fullmatch(folder.name):
                _forget(folder)
        with suppress(OSError):  # what else is in them stays
            labs.rmdir()
    with suppress(OSError):
        (home / "labs").rmdir()


def _forget(folder: Path) -> None:
    remove_files(folder, [*(name for name, word in _FILES.items() if word in read_object(folder / name)), "lock"])
