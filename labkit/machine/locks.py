"""One at a time: a lock file that processes of one machine share. A process that dies lets go of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.errors import LabError
from labkit.machine.private_files import make_folder, unwritable


class BusyError(LabError):
    """Somebody else on this machine is at it."""


@contextmanager
def one_at_a_time(file: Path, problem: str, remedy: str, *, patience: float = 0) -> Iterator[None]:
    """Let nobody else hold the same lock file meanwhile.

    Args:
        file: the lock file; its folder is made, or may belong to somebody else.
        problem: the sentence for who comes second.
        remedy: what they can do.
        patience: for how many seconds they wait first.

    Raises:
        BusyError: somebody holds it.
        LabError: the file cannot be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only what changes something waits for it

    lock = FileLock(make_folder(file.parent) / file.name, mode=0o600)
    try:
        try:
            lock.acquire(timeout=patience)
        except FileNotFoundError:  # who held it has taken the folder away, as a lab's end does
            make_folder(file.parent)
            lock.acquire(timeout=patience)
    except Timeout as error:
        raise BusyError(problem, remedy) from error
    except OSError as error:
        raise unwritable(file.parent, error) from error
    try:
        yield
    finally:
        lock.release()
