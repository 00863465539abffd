"""The embedded cloud's process: `python -m labkit.cloud.server FOLDER`, started by `labkit.cloud.process`.

It reads its settings as one line of JSON from standard input, so that no secret is among its arguments or in its
environment, and answers with one line of JSON on standard output: `{"port": 4566}`, or `{"error": ..., "fix": ...}`.
A second line on standard input tells it to stay. Before that line, and when it is supervised also after it, the end
of standard input means that its starter is gone, and it ends.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import psutil

from labkit.cloud.protocol import RUNTIME_FILE, STAY, ServerSettings
from labkit.errors import LabError
from labkit.machine.private_files import read_json


def main() -> None:
    """Serve until told to end."""
    folder = Path(sys.argv[1])
    settings = ServerSettings(**json.loads(sys.stdin.readline()))
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


def listen(port: int) -> socket.socket:
    """Listen on a port of 127.0.0.1.

    Raises:
        LabError: the port is taken, or not ours to take.
    """
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
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def end(folder: Path) -> NoReturn:
    """End at once, whatever is in flight: first the Lambda workers, then the files, then this process."""
    with suppress(LabError, OSError):
        _remove_runtime_file(folder)
    for _ in range(20):  # a worker that starts meanwhile makes a new folder
        for worker in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                worker.kill()
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
    os._exit(0)


def _remove_runtime_file(folder: Path) -> None:
    runtime_file = folder.parent / RUNTIME_FILE
    content = read_json(runtime_file)
    if isinstance(content, dict) and content.get("pid") == os.getpid():
        runtime_file.unlink()


if __name__ == "__main__":
    main()
