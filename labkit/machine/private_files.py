"""Small JSON files that only their owner can read, written so that a crash leaves the old or the new one whole.

The folder they are in may be shared. Nothing in it is believed, written into or deleted that another user owns.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from labkit.errors import LabError
from labkit.machine.shapes import fits


def current_user() -> int:
    """The id of the user whom this process works for; 0 where the system has no such ids, and gives 0 to every file."""
    return os.geteuid() if hasattr(os, "geteuid") else 0


def is_own(path: Path) -> bool:
    """Whether there is something that belongs to this user. A link is judged itself, not what it leads to."""
    try:
        return path.lstat().st_uid == current_user()
    except OSError:
        return False


def require_closed(home: Path, kept: Iterable[str]) -> Path:
    """A home folder, in which nobody else can put what this user would believe.

    It may belong to another user, and a group may write to it, as to a volume of Kubernetes. Nothing is changed.

    Args:
        home: the folder, which need not be there yet.
        kept: the names of the folders that are kept in it.

    Raises:
        LabError: everybody may write to it, or a folder in it has one of these names and belongs to somebody else.
    """
    if os.name == "posix" and _mode(home) & stat.S_IWOTH:
        raise LabError(
            f"Everybody on this machine may write to {home}.",
            f"Close it (chmod o-w {home}), or set LABKIT_HOME to a folder of your own.",
        )
    for folder in (home / name for name in kept):
        if os.path.lexists(folder) and not is_own(folder):
            raise _foreign(folder)
    return home


def make_folder(path: Path) -> Path:
    """Make a folder with its parents, as far as they are not there: each of mode 0700, whatever the umask.

    Raises:
        LabError: the folder cannot be made.
    """
    try:
        for folder in reversed((path, *path.parents)):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def private_folder(path: Path) -> Path:
    """Make a folder as `make_folder` does, or take the one that is there if it is this user's.

    Raises:
        LabError: the folder cannot be made, or belongs to somebody else.
    """
    make_folder(path)
    if not is_own(path):
        raise _foreign(path)
    return path


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Remove files by their names, with what a crash left of their writing, and the folder if nothing else is in it.

    What belongs to another user stays, and so does what is no file.
    """
    if folder.is_symlink() or not is_own(folder):
        return
    for name in names:
        for file in (folder / name, *folder.glob(f".{name}.????????")):
            if is_own(file) and file.is_file() and not file.is_symlink():
                file.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def remove_folder(folder: Path, last: str) -> None:
    """Remove a folder and all that is in it, `last` in the end: as long as anything is there, so is that file."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != last:
                entry.unlink() if entry.is_symlink() or not entry.is_dir() else shutil.rmtree(entry, ignore_errors=True)
        if [entry.name for entry in folder.iterdir()] == [last]:
            shutil.rmtree(folder, ignore_errors=True)


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
    """Read a JSON file; None if it is not there, is a pipe or the like, holds no JSON, or is not this user's own.

    Nor is it JSON that could not be written again: NaN, or half of a character.
    """
    try:
        # A pipe or a device would be read for ever; a folder is named as one.
        readable = is_own(path) and (path.is_file() or path.is_dir())
        value = json.loads(path.read_text(encoding="utf-8")) if readable else None
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return value
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    except OSError as error:
        raise LabError(
            f"{path} cannot be read: {error.strerror}.", "Mend its permissions, or set LABKIT_HOME."
        ) from error


def read_object(path: Path, shape: Any = dict) -> dict[str, Any]:
    """Read a JSON file that holds an object of a shape; {} for another value, and where `read_json` gives None."""
    value = read_json(path)
    return value if isinstance(value, dict) and fits(value, shape) else {}


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:  # it is not there, or who is to use it will be told
        return 0


def _foreign(path: Path) -> LabError:
    return LabError(
        f"{path} belongs to another user of this machine.",
        "Move it away, or set LABKIT_HOME to a folder of your own.",
    )


def unwritable(path: Path, error: OSError) -> LabError:
    """What to tell a person whose file or folder cannot be written."""
    return LabError(
        f"{path} cannot be written: {error.strerror}.",
        "Free some space or mend the permissions, or set LABKIT_HOME to another folder.",
    )
