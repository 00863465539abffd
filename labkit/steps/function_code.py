"""The functions' source as Lambda wants it: a zip file, the same bytes for the same source."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import LabError
from labkit.machine.private_files import read_object
from labkit.machine.resources import resource
from labkit.runtimes import RUNTIMES

LAMBDAS = resource("lambdas")

# Where a home remembers the learner's copy, and the copy what was handed out: digests by path.
COPY, HANDED_OUT = "copy.json", ".handed-out.json"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16  # zipfile's own default, 0600, leaves Lambda's user unable to read the handler


@dataclass(frozen=True)
class Package:
    """One function's code: its runtime, its handler and its zip file."""

    runtime: str
    handler: str
    content: bytes

    @property
    def code_sha256(self) -> str:
        """The zip's digest as Lambda's GetFunction states it (`CodeSha256`, base64)."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def package(function: str, runtime: str, home: Path | None = None) -> Package:
    """Pack one of the post's functions for a runtime.

    Args:
        function: one of the post's names.
        runtime: one of the lab's runtimes.
        home: the LABKIT_HOME that may remember a learner's copy.

    Raises:
        LabError: its source is not there.
    """
    source = deployed_file(function, runtime, home)
    return Package(runtime, RUNTIMES[runtime].handler, _zip(source.name, source.read_bytes()))


def copy_folder(home: Path | None) -> Path | None:
    """The learner's copy that a home remembers, if it is still there."""
    kept = read_object(home / COPY).get("folder") if home else None
    return Path(kept) if isinstance(kept, str) and os.path.isdir(kept) else None  # noqa: PTH112 - raises nothing


def deployed_file(function: str, runtime: str, home: Path | None = None) -> Path:
    """The file whose code is deployed: the learner's, once they have changed what they were handed out; else the lab's.

    A task that is still open so breaks nothing: whoever goes on without it goes on with the lab's own function.

    Raises:
        LabError: it is not there.
    """
    learners = source_file(function, runtime, home)
    return learners if is_changed(learners, home) else source_file(function, runtime)


def is_changed(file: Path, home: Path | None) -> bool:
    """Whether a file is the learner's and no more what was handed out."""
    copy = copy_folder(home)
    if copy is None or not file.is_relative_to(copy):
        return False
    handed_out = read_object(copy / HANDED_OUT)
    return bool(handed_out.get(file.relative_to(copy).as_posix()) != digest(file.read_bytes()))


def is_own(function: str, runtime: str, home: Path | None) -> bool:
    """Whether what is deployed of a function is the learner's, and says something else than the lab's."""
    return deployed_file(function, runtime, home).read_bytes() != source_file(function, runtime).read_bytes()


def digest(content: bytes) -> str:
    """What a file's content is recognised by."""
    return hashlib.sha256(content).hexdigest()


def source_file(function: str, runtime: str, home: Path | None = None) -> Path:
    """The file that holds a function's code: the learner's own, where the home remembers a copy.

    Raises:
        LabError: it is not there.
    """
    copy = copy_folder(home)
    learners = copy / "lambdas" / function / RUNTIMES[runtime].file_name if copy else None
    if learners and learners.is_file():
        return learners
    source = LAMBDAS / function / RUNTIMES[runtime].file_name
    if not source.is_file():
        raise LabError(
            f"The source of {function} is missing: lambdas/{function}/{source.name}.",
            "Restore it (git checkout lambdas), then repeat the command.",
        )
    return source


def _zip(file_name: str, content: bytes) -> bytes:
    entry = zipfile.ZipInfo(file_name, _EPOCH)
    entry.external_attr = _READABLE
    entry.create_system = 3  # the mode is a Unix mode, whatever system packs it
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, content)
    return buffer.getvalue()
