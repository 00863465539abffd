"""Small JSON files that only their owner can read, written so that a crash leaves the old or the new one whole."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from labkit.errors import LabError


def private_folder(path: Path) -> Path:
    """Make a folder (mode 0700) with its parents, if it is not there.

    Raises:
        LabError: the folder cannot be made or written to.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON to a file of mode 0600, all or nothing.

    Raises:
        LabError: the file cannot be written (no permission, a full disk).
    """
    write_text(path, json.dumps(value, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 to a file of mode 0600, all or nothing.

    Raises:
        LabError: the file cannot be written (no permission, a full disk).
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file of mode 0600, all or nothing.

    Raises:
        LabError: the file cannot be written (no permission, a full disk).
    """
    folder = private_folder(path.parent)
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def read_json(path: Path) -> Any:
    """Read a JSON file; None if it is not there or does not hold JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise LabError(
            f"{path} cannot be read: {error.strerror}.", "Mend its permissions, or set LABKIT_HOME."
        ) from error


def unwritable(path: Path, error: OSError) -> LabError:
    """What to tell a person whose file or folder cannot be written."""
    return LabError(
        f"{path} cannot be written: {error.strerror}.",
        "Free some space or mend the permissions, or set LABKIT_HOME to another folder.",
    )
