"""The process of a cloud's server and those that it started: told by proof, since a pid may be another's, and ended."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from labkit.cloud.protocol import SERVER
from labkit.machine.polling import until
from labkit.machine.private_files import current_user

STOP_SECONDS = 5.0


def find(pid: int, folder: Path) -> psutil.Process | None:
    """The process that serves a cloud's folder, unless it ended.

    Args:
        pid: what the runtime file says, which may be anything.
        folder: the cloud's folder.
    """
    try:
        process = psutil.Process(pid)
        return process if _is_server(process, folder) and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, TypeError, ValueError):  # there is none, or what is written there is no pid
        return None


def end(process: psutil.Process, patience: float) -> None:
    """Ask a process to end, and make it after so many seconds, with all that it started."""
    with suppress(psutil.Error):
        if patience:
            process.terminate()
            if _is_gone(process, patience):
                return
        for each in (*process.children(recursive=True), process):
            each.kill()
        _is_gone(process, STOP_SECONDS)


def end_all(folder: Path) -> None:
    """End at once whatever is proved to belong to a cloud's folder."""
    for process in psutil.process_iter():
        if _belongs_to(process, folder):
            end(process, patience=0)


def _belongs_to(process: psutil.Process, folder: Path) -> bool:
    """Whether a process is proved to be the server of this folder, or to be started by it: those have a HOME in it."""
    try:
        return _is_server(process, folder) or Path(process.environ().get("HOME", "")).is_relative_to(folder)
    except psutil.Error:
        return False


def _is_server(process: psutil.Process, folder: Path) -> bool:
    mine = not hasattr(process, "uids") or process.uids().effective == current_user()
    return mine and process.cmdline()[-2:] == [SERVER, str(folder)]


def _is_gone(process: psutil.Process, patience: float) -> bool:
    """Wait until a process has ended. One that its parent has not collected yet has ended too."""
    return until(
        lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, bool, seconds=patience, every=0.01
    )
