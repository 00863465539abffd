"""MiniStack as an ASGI application under this cloud's rules, served by hypercorn.

Import this only where MiniStack's settings are in the environment already.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import subprocess
import time
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol
from ministack.app import app as ministack
from ministack.core import lambda_runtime

from labkit.cloud.exchange import App
from labkit.cloud.layer import wrap

if TYPE_CHECKING:
    from labkit.cloud.protocol import ServerSettings

# What a process needs to start at all. Everything else of the server's own environment is kept from the functions.
_NEEDED_TO_START = frozenset({"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT"})


def application(settings: ServerSettings, port: int) -> App:
    """MiniStack under this cloud's rules.

    Args:
        settings: the server's settings.
        port: the port of 127.0.0.1 that it will be served on.
    """
    # MiniStack's own `subprocess`: its functions start without the server's environment, and end with all they started.
    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": Worker})
    return wrap(ministack, settings, port)


def serve(app: App, listener: socket.socket, idle_seconds: float, end: Callable[[], None]) -> None:
    """Serve an application until the process ends.

    Args:
        app: the ASGI application.
        listener: the listening socket.
        idle_seconds: so many seconds without a request end the process.
        end: ends the process.
    """
    importlib.import_module("botocore.session")  # MiniStack would, while the first request waits
    last = time.monotonic()

    async def noticed(scope: Any, receive: Any, send: Any) -> None:
        nonlocal last
        last = time.monotonic()
        await app(scope, receive, send)

    async def end_when_idle() -> None:
        while (left := last + idle_seconds - time.monotonic()) > 0:
            await asyncio.sleep(left)
        end()

    # hypercorn has no setting for it
    H11Protocol._check_protocol = _stay_with_http_1  # type: ignore[method-assign, assignment]
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.include_server_header = False
    asyncio.run(hypercorn_serve(noticed, config, shutdown_trigger=end_when_idle))


async def _stay_with_http_1(_: H11Protocol, __: object) -> None:
    """Change to HTTP/2 neither when asked to (`Upgrade: h2c`, which a server may ignore) nor when it is assumed."""


class Worker(subprocess.Popen[str]):
    """A process of a function, in a session of its own, with a HOME beside its code. This is no sandbox.

    By that HOME, below the cloud's folder, all that comes of it can be told when the cloud is gone.
    """

    def __init__(self, command: list[str], *, cwd: str, env: Mapping[str, str], **options: Any) -> None:
        home = Path(cwd).with_name("home")
        home.mkdir(mode=0o700, exist_ok=True)
        given = function_environment(env) | dict.fromkeys(("HOME", "TMPDIR"), str(home))
        super().__init__(command, cwd=cwd, env=given, start_new_session=True, **options)  # MiniStack's own command

    def terminate(self) -> None:
        """End it with all of its session at once. A function is not asked: on AWS it is not, either."""
        if os.name != "posix":
            super().kill()
        elif self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    kill = terminate


def function_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a function sees: what Lambda gives it and its own variables, nothing that is the server's.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html

    Args:
        given: the server's environment with Lambda's variables and the function's own added, as MiniStack makes it.
    """
    added = {name: value for name, value in given.items() if os.environ.get(name) != value or name in _NEEDED_TO_START}
    return {"LANG": "en_US.UTF-8", "TZ": ":UTC"} | added
