"""The embedded cloud's process: `python -m labkit.cloud.server FOLDER`, started by `labkit.cloud.process`.

It reads its settings as one line of JSON from standard input, so that no secret is among its arguments or in its
environment, and answers with one line of JSON on standard output: `{"port": 4566}`, or `{"error": ..., "fix": ...}`.
A second line on standard input tells it to stay. Before that line, and when it is supervised also after it, the end
of standard input means that its starter is gone, and it ends.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import psutil

from labkit.cloud.protocol import MARKER_FILE, RUNTIME_FILE, STAY, ServerSettings
from labkit.errors import LabError
from labkit.machine.private_files import read_json, remove_folder

LARGEST_LOG = 1_000_000
_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> None:
    """Serve until told to end."""
    folder = Path(sys.argv[1])
    settings = ServerSettings(**json.loads(sys.stdin.readline()))
    sys.stderr = Log()
    adopt_orphans()
    end_on_signals(folder)
    threading.Thread(target=watch_starter, args=(sys.stdin, settings.supervised, folder), daemon=True).start()
    try:
        listener = listen(settings.port)
        port = listener.getsockname()[1]
        os.environ.update(emulator_settings(settings, folder, port))
        from labkit.cloud import emulator  # noqa: PLC0415 - MiniStack reads its settings when it is imported

        app = emulator.application(settings, port)
    except LabError as error:
        report(error.to_dict())
        end(folder)
    report({"port": port})
    emulator.serve(app, listener, settings.idle_seconds, lambda: end(folder))


def end_on_signals(folder: Path) -> None:
    """End on every signal that asks a process to."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: end(folder))


def watch_starter(stdin: IO[str], supervised: bool, folder: Path) -> None:
    """End when the starter does, unless it said that this server may stay."""
    staying = stdin.readline() == STAY
    if staying and supervised:
        stdin.read()
    if not staying or supervised:
        end(folder)


class Log(io.TextIOBase):
    """Standard error, which is the log: it begins anew when it has grown to LARGEST_LOG bytes."""

    def write(self, text: str) -> int:
        """Write text, the end of it if it is too long."""
        if os.fstat(2).st_size > LARGEST_LOG:
            os.ftruncate(2, 0)
        os.write(2, text.encode(errors="backslashreplace")[-LARGEST_LOG:])
        return len(text)

    def fileno(self) -> int:
        """The file descriptor of standard error."""
        return 2


def adopt_orphans() -> None:
    """Have what detaches from a function become this process's own child, where the system (Linux) can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def listen(port: int) -> socket.socket:
    """Listen on a port of 127.0.0.1. LabError if the port is taken, or not ours to take."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if taken else f"cannot be used: {error.strerror}"
        raise LabError(
            f"Port {port} of 127.0.0.1 {reason}.",
            "Leave --port out to get a free one, name another, or end the program that uses this one.",
        ) from error


def emulator_settings(settings: ServerSettings, folder: Path, port: int) -> dict[str, str]:
    """MiniStack's settings, as environment variables.

    Some are needed for every good token not to be refused without a word: the host from which MiniStack fetches its
    own key set, no proxy in between, and no TLS.
    """
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    return {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "no_proxy": "127.0.0.1,localhost",
        "MINISTACK_ACCOUNT_ID": settings.account_id,
        "MINISTACK_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": settings.access_key_id,
        "AUTH": "true",
        "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(folder / "state"),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
        # Listeners that bind every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # MiniStack would remove every container of any MiniStack on this machine.
        "DOCKER_HOST": f"unix://{folder / 'no-docker'}",
        "LOG_LEVEL": "WARNING",
    }


def report(message: Mapping[str, Any]) -> None:
    """Say one thing to the starter, and send all later output to the log, which is standard error."""
    print(json.dumps(message), flush=True)
    os.dup2(2, sys.stdout.fileno())


def end(folder: Path) -> NoReturn:
    """End at once, whatever is in flight: first the Lambda workers, then the files, then this process."""
    with suppress(LabError, OSError):
        _remove_runtime_file(folder)
    for _ in range(20):  # a worker that starts meanwhile makes a new folder
        ended = [_kill(worker) for worker in psutil.Process().children(recursive=True)]
        remove_folder(folder, last=MARKER_FILE)
        if not any(ended) and not folder.exists():
            break
    os._exit(0)


def _kill(process: psutil.Process) -> bool:
    """End a process. Whether it was still alive: one that is may have left children, which are ours then."""
    with suppress(psutil.Error):
        alive = process.status() != psutil.STATUS_ZOMBIE
        process.kill()
        return alive
    return False


def _remove_runtime_file(folder: Path) -> None:
    runtime_file = folder.parent / RUNTIME_FILE
    content = read_json(runtime_file)
    if isinstance(content, dict) and content.get("pid") == os.getpid():
        runtime_file.unlink()


if __name__ == "__main__":
    main()
