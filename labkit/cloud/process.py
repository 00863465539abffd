"""Find, start and stop the embedded cloud of a home folder: one for all kernels and terminals of a learner."""

from __future__ import annotations

import http
import json
import math
import os
import re
import secrets
import string
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from labkit.cloud import http as loopback
from labkit.cloud.protocol import HEALTH_PATH, MARKER_FILE, RUNTIME_FILE, SERVER, STAY, Cloud, ServerSettings
from labkit.errors import LabError, UsageError
from labkit.machine.extras import require
from labkit.machine.locks import one_at_a_time
from labkit.machine.private_files import (
    is_own,
    make_folder,
    private_folder,
    read_json,
    remove_folder,
    unwritable,
    write_json,
)
from labkit.machine.shapes import fits, is_count, is_moment

if TYPE_CHECKING:
    import psutil

__all__ = ["Cloud", "find", "start", "stop"]

IDLE_SECONDS = 2 * 60 * 60.0
START_SECONDS = 30
ANSWER_SECONDS = 5.0
LOCK_SECONDS = 60

FOLDER = re.compile(r"cloud-[0-9a-f]{16}")
LOCK_FILE = "cloud.lock"
LOG_FILE = "log"
WEATHERS = ("calm", "rough")
_KEY = re.compile(r"[\w+/]+", re.ASCII)
_SHAPE = {
    "pid": is_count,
    "port": is_count,
    "account_id": lambda value: fits(value, str) and re.fullmatch(r"[0-9]{12}", value),
    "access_key_id": lambda value: fits(value, str) and _KEY.fullmatch(value),
    "secret_access_key": lambda value: fits(value, str) and _KEY.fullmatch(value),
    "endpoint_url": str,
    "instance": str,
    "started": is_moment,
    "weather": lambda value: value in WEATHERS,
}

# All that the server takes from its starter: where programs and Python's packages are, and which characters it writes.
_KEPT_VARIABLES = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"}
    | {"SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"}  # Windows
)


def find(home: Path) -> Cloud | None:
    """The running cloud of a home folder, if there is one. Nothing is changed.

    Args:
        home: the lab's home folder (`Settings.home`).
    """
    home = home.resolve()
    cloud = _read(home)
    return cloud if cloud and _answers(home, cloud) else None


def start(
    home: Path,
    *,
    port: int | None = None,
    supervised: bool = False,
    weather: str = "calm",
    seed: int = 0,
    account_id: str | None = None,
    sweep: bool = True,
) -> Cloud:
    """Start the cloud of a home folder, or return the one that runs.

    Args:
        home: the lab's home folder; made (mode 0700) if it is missing.
        port: the port of 127.0.0.1 to serve on; any free one by default.
        supervised: end the cloud when this process ends, however that happens. Otherwise it survives this process
            and its terminal, and ends after two hours without a request.
        weather: "calm", or "rough" for a cloud that is as slow to settle as AWS can be.
        seed: makes rough weather repeatable.
        account_id: the account that the cloud says it is, 12 digits; random by default.
        sweep: remove what a killed cloud left, and end one that does not answer.

    Raises:
        LabError: the port is taken, the home cannot be written, the cloud is not installed or fails its self-test.
        UsageError: no such port or weather.
    """
    _require(port, weather)
    home = make_folder(home.resolve())
    with _locked(home):
        cloud = _read(home)
        if cloud and _answers(home, cloud):
            return cloud
        require("embedded")
        if sweep:
            _sweep(home)
        _require_room(home)
        return _launch(home, port or 0, supervised, weather, seed, account_id or _any_account_id())


def stop(home: Path) -> bool:
    """End the cloud of a home folder, its Lambda workers and its files, also after it was killed.

    Args:
        home: the lab's home folder.

    Returns:
        Whether a cloud was running.
    """
    home = home.resolve()
    if not home.is_dir():
        return False
    from labkit.cloud import server_process  # noqa: PLC0415

    with _locked(home):
        cloud = _read(home)
        process = _process(home, cloud) if cloud else None
        if process:
            server_process.end(process, server_process.STOP_SECONDS)
        _sweep(home)
        return process is not None


def _require(port: int | None, weather: str) -> None:
    if port is not None and not 1 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
        raise UsageError(f"{port} is not a port.", "Name one from 1 to 65535, or leave it out to get a free one.")
    if weather not in WEATHERS:
        raise UsageError(f"{weather!r} is not a weather.", f"Ask for {' or '.join(WEATHERS)}.")


def _require_room(home: Path) -> None:
    """Refuse to write over a runtime file that is not ours, or is that of a cloud which lives.

    Raises:
        LabError: there is such a file.
    """
    file, cloud = home / RUNTIME_FILE, _read(home)
    if cloud and _process(home, cloud):
        raise LabError("The embedded cloud does not answer.", "Wait a moment, or end it: labkit cloud stop")
    if cloud is None and os.path.lexists(file):
        raise LabError(
            f"{file} is in the way: labkit did not write it.", "Move it away, or set LABKIT_HOME to another folder."
        )


def _read(home: Path) -> Cloud | None:
    try:
        cloud = Cloud(**read_json(home / RUNTIME_FILE))
    except TypeError:  # no file, or not what we wrote
        return None
    sound = fits(vars(cloud), _SHAPE) and FOLDER.fullmatch(_folder_name(cloud.instance))
    return cloud if sound else None


def _answers(home: Path, cloud: Cloud) -> bool:
    """Whether the cloud's own process, and nobody else who has its port by now, answers."""
    if cloud.endpoint_url != f"http://127.0.0.1:{cloud.port}" or _process(home, cloud) is None:
        return False
    try:
        status, body = loopback.get(cloud.port, HEALTH_PATH, timeout=ANSWER_SECONDS)
        return status == http.HTTPStatus.OK and json.loads(body) == {"instance": cloud.instance}
    except (OSError, ValueError):
        return False


def _process(home: Path, cloud: Cloud) -> psutil.Process | None:
    """The cloud's process, unless it ended; its pid may be another program's by now."""
    from labkit.cloud import server_process  # noqa: PLC0415 - where no cloud is, nobody waits for psutil

    return server_process.find(cloud.pid, home / _folder_name(cloud.instance))


def _folder_name(instance: str) -> str:
    return f"cloud-{instance}"


def _locked(home: Path) -> AbstractContextManager[None]:
    problem = "Another process has been starting or stopping the embedded cloud for a minute."
    remedy = "Wait for it or end it, then repeat the command."
    return one_at_a_time(home / LOCK_FILE, problem, remedy, patience=LOCK_SECONDS)


def _sweep(home: Path) -> None:
    """Remove what clouds that did not end by themselves left: their processes, folders and runtime file."""
    from labkit.cloud import server_process  # noqa: PLC0415

    for folder in filter(_is_clouds, home.glob(_folder_name("*"))):
        server_process.end_all(folder)
        remove_folder(folder, last=MARKER_FILE)
    if _read(home):
        (home / RUNTIME_FILE).unlink(missing_ok=True)


def _is_clouds(folder: Path) -> bool:
    """Whether a folder is proved to be one of ours: by its name, its owner, and the marker inside."""
    named = FOLDER.fullmatch(folder.name) and not folder.is_symlink() and is_own(folder)
    return bool(named) and read_json(folder / MARKER_FILE) == folder.name


def _launch(home: Path, port: int, supervised: bool, weather: str, seed: int, account_id: str) -> Cloud:
    settings = ServerSettings(
        instance=secrets.token_hex(8),
        account_id=account_id,
        access_key_id="AKIA" + _letters(16, string.ascii_uppercase + "234567"),
        secret_access_key=_letters(40, string.ascii_letters + string.digits + "+/"),
        port=port,
        supervised=supervised,
        idle_seconds=math.inf if supervised else IDLE_SECONDS,
        weather=weather,
        seed=seed,
    )
    folder = private_folder(home / _folder_name(settings.instance))
    write_json(folder / MARKER_FILE, folder.name)
    server = _spawn(folder)
    try:
        from labkit.cloud import selftest  # noqa: PLC0415 - finding the cloud does not wait for AWS's SDK
        from labkit.cloud.session import read_models  # noqa: PLC0415

        read_models(selftest.SERVICES)  # while the server starts
        cloud = _meet(server, settings, folder)
        selftest.check(cloud)
        # By way of our own folder: the home itself may be another user's.
        write_json(folder / RUNTIME_FILE, asdict(cloud))
        (folder / RUNTIME_FILE).replace(home / RUNTIME_FILE)
        _let_stay(server, supervised)
    except BaseException:
        server.kill()
        server.communicate()
        _sweep(home)
        raise
    return cloud


def _any_account_id() -> str:
    return str(10**11 + secrets.randbelow(9 * 10**11))


def _letters(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _spawn(folder: Path) -> subprocess.Popen[str]:
    """Start the server in a session of its own: neither Ctrl-C nor a closed terminal reaches it."""
    command = [sys.executable, "-P", "-m", SERVER, str(folder)]
    with _log(folder) as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder.parent,
            env={name: value for name, value in os.environ.items() if name.upper() in _KEPT_VARIABLES},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def _log(folder: Path) -> IO[str]:
    try:
        return (folder / LOG_FILE).open("a")  # the server shortens it
    except OSError as error:
        raise unwritable(folder, error) from error


def _meet(server: subprocess.Popen[str], settings: ServerSettings, folder: Path) -> Cloud:
    """Tell the server its settings, and hear its port."""
    deadline = threading.Timer(START_SECONDS, server.kill)
    deadline.start()
    try:
        _tell(server, json.dumps(asdict(settings)) + "\n")
        answer = cast(IO[str], server.stdout).readline()  # nothing if it ended without one
    finally:
        deadline.cancel()
    report = json.loads(answer or "{}")
    if "error" in report:
        raise LabError(report["error"], report["fix"])
    if "port" not in report:
        raise _died(folder)
    return Cloud(
        pid=server.pid,
        port=report["port"],
        endpoint_url=f"http://127.0.0.1:{report['port']}",
        account_id=settings.account_id,
        access_key_id=settings.access_key_id,
        secret_access_key=settings.secret_access_key,
        instance=settings.instance,
        started=time.time(),
        weather=settings.weather,
    )


def _tell(server: subprocess.Popen[str], line: str) -> None:
    stdin = cast(IO[str], server.stdin)
    with suppress(BrokenPipeError):  # it ended: its silence will tell
        stdin.write(line)
        stdin.flush()


def _died(folder: Path) -> LabError:
    """Why the server ended, as the last line of its log tells."""
    lines = (folder / LOG_FILE).read_text(errors="replace").split("\n")
    reason = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no reason")
    return LabError(
        f"The embedded cloud ended while it started: {reason}",
        "Install the lab's packages again, then repeat the command: make install",
    )


def _let_stay(server: subprocess.Popen[str], supervised: bool) -> None:
    """Tell the server to stay. Our end of its standard input is what it watches if it is supervised."""
    _tell(server, STAY)
    cast(IO[str], server.stdout).close()
    if not supervised:
        cast(IO[str], server.stdin).close()
    # Holds the pipe, and collects the process when it ends.
    threading.Thread(target=server.wait, name="labkit-cloud", daemon=True).start()
