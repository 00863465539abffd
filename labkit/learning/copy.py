"""The learner's copy of the chapters and of the functions: made, continued, made afresh, and never overwritten."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.errors import LabError, UsageError
from labkit.learning.lessons import lessons
from labkit.machine.extras import require
from labkit.machine.private_files import read_object, write_json
from labkit.machine.resources import resource
from labkit.steps.function_code import COPY, HANDED_OUT, LAMBDAS, digest
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown

NOTEBOOKS = resource("notebooks")
FOLDER = NOTEBOOKS.parent / "my-lab"


@dataclass(frozen=True, repr=False)
class Copied(Shown):
    """What became of the copy's files: (path, what happened) for each that was written."""

    folder: Path
    written: tuple[tuple[str, str], ...]
    new: bool

    def blocks(self) -> Iterator[Block]:
        """One sentence, and what was written into a copy that was there before."""
        if self.new:
            yield sentences(f"Your copy of the chapters is in {self.folder.name}/. What you change there is yours.")
        elif not self.written:
            yield sentences(f"Your copy in {self.folder.name}/ is as you left it.")
        else:
            yield sentences(f"Your copy in {self.folder.name}/ goes on, and nothing of yours was overwritten.")
            yield Table(("file", "what happened"), self.written)

    def to_dict(self) -> dict[str, Any]:
        """The `folder`, whether it is `new`, and the files `written`."""
        written = [{"path": path, "what": what} for path, what in self.written]
        return {"folder": str(self.folder), "new": self.new, "written": written}


def make_copy(home: Path, *, fresh: str | None = None, folder: Path | None = None) -> Copied:
    """Make or continue the learner's copy, and remember it in this home.

    Args:
        home: the LABKIT_HOME.
        fresh: what to hand out anew: a chapter's number, `lambdas`, `all`, or None. What was there stays beside it.
        folder: where the copy lies; by default `my-lab` in the checkout.

    Raises:
        LabError: the chapters are not here, or the copy cannot be written.
    """
    folder = folder or FOLDER
    copy = _Copy(folder)
    wanted = dict(_files())
    afresh = _afresh(wanted, fresh)
    new = not copy.given
    try:
        for path, content in wanted.items():
            copy.hand_out(path, content, fresh=path in afresh)
    except OSError as error:
        raise LabError(
            f"{folder} cannot be written: {error.strerror}.", "Mend its permissions, or free space."
        ) from error
    write_json(folder / HANDED_OUT, copy.given)
    write_json(home / COPY, {"folder": str(folder)})
    return Copied(folder, tuple(copy.written), new)


def give_file(folder: Path, path: str, content: bytes) -> None:
    """Put a file of the lab's into the copy; the learner's stays beside it under a dated name."""
    copy = _Copy(folder)
    copy.put(path, content)


def handed_out_file(path: str) -> bytes:
    """A file as it is handed out: a path below the copy."""
    return dict(_files())[path]


@dataclass
class _Copy:
    """A copy's folder, the digests of what was handed out there, and what was written this time."""

    folder: Path
    written: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.given: dict[str, str] = read_object(self.folder / HANDED_OUT)

    def hand_out(self, path: str, content: bytes, *, fresh: bool) -> None:
        """Write a file that is missing, new or asked for; leave what the learner has made of an earlier one."""
        known = self.given.get(path)
        if fresh or not (self.folder / path).exists():
            self.put(path, content)
        elif known != digest(content) and self._is_untouched(path):
            self.put(path, content, "brought up to date: you had not changed it")
        elif known != digest(content):
            beside = _beside(path, "new")
            self.put(beside, content, f"a newer {path}; yours keeps its name")
            self.given[beside] = digest(content)
        self.given[path] = digest(content)

    def put(self, path: str, content: bytes, what: str = "made") -> None:
        """Write a file; move aside what somebody has made of the one that is there."""
        file = self.folder / path
        if file.exists() and not self._is_untouched(path):
            file.rename(self.folder / (kept := self._free_name(path)))
            what = f"made; yours is now {Path(kept).name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.written.append((path, what))

    def _is_untouched(self, path: str) -> bool:
        return self.given.get(path) == digest((self.folder / path).read_bytes())

    def _free_name(self, path: str) -> str:
        today, number = datetime.datetime.now().astimezone().date().isoformat(), 1
        while (self.folder / (name := _beside(path, f"yours, {today}{f' {number}' if number > 1 else ''}"))).exists():
            number += 1
        return name


def _beside(path: str, words: str) -> str:
    file = Path(path)
    return file.with_name(f"{file.stem} ({words}){file.suffix}").as_posix()


def _afresh(paths: dict[str, bytes], fresh: str | None) -> set[str]:
    if fresh is None:
        return set()
    chosen = {path for path in paths if fresh == "all" or path.startswith((f"{fresh}-", f"{fresh}/"))}
    if not chosen:
        chapters = ", ".join(path[:2] for path in paths if path.endswith(".ipynb"))
        raise UsageError(f"There is no chapter {fresh!r}.", f"Name one of: {chapters}, lambdas.")
    return chosen


def _files() -> Iterator[tuple[str, bytes]]:
    """Everything that is handed out: the path in the copy, and the content."""
    require("notebooks")
    import nbformat  # noqa: PLC0415 - half a second that only this verb has to wait for

    from labkit.learning.handout import handed_out  # noqa: PLC0415

    chapters = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
    if not chapters:
        raise LabError("The chapters are not here.", "Run this in a checkout of the lab: they are in its notebooks/.")
    for chapter in chapters:
        yield chapter.name, (nbformat.writes(handed_out(nbformat.read(chapter, as_version=4))) + "\n").encode()
    for file in sorted(LAMBDAS.glob("*/*")):
        if file.suffix in (".py", ".mjs"):
            path = f"lambdas/{file.parent.name}/{file.name}"
            yield path, _with_gaps(path, file.read_text(encoding="utf-8")).encode()


def _with_gaps(path: str, text: str) -> str:
    """A function's source with what its task asks for taken out."""
    for task in lessons().tasks.values():
        for gap in task.gaps:
            if gap.file == path:
                if text.count(gap.solution) != 1:
                    raise LabError(f"{path} does not have the lines of the task {task.name} once.", "Mend its data.")
                text = text.replace(gap.solution, gap.handed_out)
    return text
