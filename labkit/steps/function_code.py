"""The functions' source as Lambda wants it: a zip file, the same bytes for the same source."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import LabError
from labkit.machine.resources import resource
from labkit.runtimes import RUNTIMES

LAMBDAS = resource("lambdas")

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


def package(function: str, runtime: str) -> Package:
    """Pack one of the post's functions for a runtime.

    Raises:
        LabError: its source is not there.
    """
    source = source_file(function, runtime)
    return Package(runtime, RUNTIMES[runtime].handler, _zip(source.name, source.read_bytes()))


def source_file(function: str, runtime: str) -> Path:
    """The file that holds a function's code.

    Raises:
        LabError: it is not there.
    """
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
