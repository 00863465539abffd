"""JupyterLab and the embedded cloud begin and end together."""

from __future__ import annotations

import json
import os
import pty
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import websocket

from labkit.cloud import process
from tests.cloud.homes import processes, remains, wait_until

# Makes standard input the terminal of the new session, so that Ctrl-C reaches what runs in it.
IN_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@dataclass
class Jupyter:
    """A running Jupyter server, its terminal and its log."""

    server: subprocess.Popen[bytes]
    terminal: int
    port: int
    token: str
    log: Path
    environment: dict[str, str]

    def call(self, method: str, path: str) -> requests.Response:
        """One call to the server's REST API."""
        return requests.request(
            method,
            f"http://127.0.0.1:{self.port}/api/{path}",
            headers={"Authorization": f"token {self.token}"},
            timeout=60,
        )

    def is_ready(self) -> bool:
        """Whether the server answers."""
        assert self.server.poll() is None, self.log.read_text()
        try:
            return self.call("GET", "status").ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The path of the home folder that the Jupyter servers of a test share."""
    path = tmp_path / "home"
    yield path
    process.stop(path)
    assert processes(path) == []


@pytest.fixture
def jupyter(home: Path, tmp_path: Path) -> Iterator[Callable[..., Jupyter]]:
    """Starts Jupyter servers in terminals of their own: `jupyter("lab", LABKIT_TARGET="aws")`."""
    started: list[Jupyter] = []

    def start(command: str = "server", **variables: str) -> Jupyter:
        made = _jupyter(command, tmp_path, {"LABKIT_HOME": str(home), **variables})
        started.append(made)
        wait_until(made.is_ready)
        return made

    yield start
    for made in started:
        made.server.kill()
        made.server.wait()
        os.close(made.terminal)


def _jupyter(command: str, folder: Path, variables: dict[str, str]) -> Jupyter:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = folder / "jupyter.log"
    token = secrets.token_hex(16)
    environment = os.environ | {"HOME": str(folder), "JUPYTER_TOKEN": token} | variables
    options = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0"]
    ours, theirs = pty.openpty()
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", IN_ITS_TERMINAL, "-m", "jupyter", command, *options],
            stdin=theirs,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    os.close(theirs)
    return Jupyter(server, ours, port, token, log, environment)


def terminate(jupyter: Jupyter) -> None:
    jupyter.server.terminate()


def kill(jupyter: Jupyter) -> None:
    jupyter.server.kill()


def hang_up(jupyter: Jupyter) -> None:
    jupyter.server.send_signal(signal.SIGHUP)


def press_ctrl_c_twice(jupyter: Jupyter) -> None:
    os.write(jupyter.terminal, b"\x03")
    wait_until(lambda: "interrupted" in jupyter.log.read_text() or jupyter.server.poll() is not None)
    os.write(jupyter.terminal, b"\x03")


def stop_by_command(jupyter: Jupyter) -> None:
    command = [sys.executable, "-m", "jupyter", "server", "stop", str(jupyter.port)]
    with subprocess.Popen(command, env=jupyter.environment, stdout=subprocess.DEVNULL):
        jupyter.server.wait(60)  # the command waits until its process is collected


@pytest.mark.parametrize("end", [terminate, kill, hang_up, press_ctrl_c_twice, stop_by_command])
def test_the_cloud_ends_with_jupyter(
    home: Path, jupyter: Callable[..., Jupyter], end: Callable[[Jupyter], None]
) -> None:
    server = jupyter()
    assert process.find(home) is not None

    end(server)

    server.server.wait(60)
    wait_until(lambda: not processes(home) and not remains(home))


def test_jupyterlab_starts_the_cloud_and_opens_the_first_chapter(home: Path, jupyter: Callable[..., Jupyter]) -> None:
    lab = jupyter("lab")
    cloud = process.find(home)

    assert cloud is not None
    assert f"The embedded cloud serves on {cloud.endpoint_url}" in lab.log.read_text()
    assert "/lab/tree/my-lab/00-start-here.ipynb" in lab.log.read_text()


def test_the_cloud_survives_a_kernels_restart(home: Path, jupyter: Callable[..., Jupyter]) -> None:
    server = jupyter()
    cloud = process.find(home)
    kernel = server.call("POST", "kernels").json()["id"]
    assert server.call("POST", f"kernels/{kernel}/restart").ok

    assert cloud is not None
    assert process.find(home) == cloud
    assert "without encryption" not in server.log.read_text()


def test_a_cloud_that_a_kernel_started_anew_ends_with_jupyter_too(home: Path, jupyter: Callable[..., Jupyter]) -> None:
    server = jupyter()
    killed = process.find(home)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: not processes(home))
    process.start(home)

    terminate(server)

    server.server.wait(60)
    wait_until(lambda: not processes(home) and not remains(home))


def test_a_cloud_that_ran_before_jupyter_stays(home: Path, jupyter: Callable[..., Jupyter]) -> None:
    cloud = process.start(home)
    server = jupyter()
    terminate(server)
    server.server.wait(60)

    assert process.find(home) == cloud


def test_jupyter_starts_although_the_cloud_does_not(tmp_path: Path, jupyter: Callable[..., Jupyter]) -> None:
    (tmp_path / "file").touch()

    server = jupyter(LABKIT_HOME=str(tmp_path / "file" / "home"))

    lines = [line for line in server.log.read_text().splitlines() if "embedded cloud" in line]
    assert len(lines) == 1
    assert "is not running" in lines[0]
    assert "cannot be written: Not a directory" in lines[0]
    assert "Traceback" not in server.log.read_text()


def test_a_lab_in_aws_starts_no_cloud(home: Path, jupyter: Callable[..., Jupyter]) -> None:
    jupyter(LABKIT_TARGET="aws")

    assert not home.exists()


def test_a_terminal_finds_the_command(tmp_path: Path, jupyter: Callable[..., Jupyter]) -> None:
    """A login shell does not: on Debian `/etc/profile` sets PATH anew, and Jupyter without a terminal starts one."""
    (tmp_path / ".profile").write_text("PATH=/usr/bin:/bin\n")
    commands = Path(sys.executable).parent
    lab = jupyter("lab", PATH=f"{commands}{os.pathsep}{os.environ['PATH']}", SHELL="bash")
    ask = ["bash", "-lc", "command -v labkit"]
    assert subprocess.run(ask, env=lab.environment, capture_output=True, check=False).stdout == b""

    assert f"found={commands}/labkit" in typed(lab, "echo found=$(command -v labkit).")
    assert "websocket_ping_timeout" not in lab.log.read_text()


def typed(jupyter: Jupyter, line: str) -> str:
    """What a new terminal of JupyterLab shows up to the line that ends in a full stop."""
    name = jupyter.call("POST", "terminals").json()["name"]
    url = f"ws://127.0.0.1:{jupyter.port}/terminals/websocket/{name}?token={jupyter.token}"
    connection = websocket.create_connection(url, timeout=60)
    shown = ""
    try:
        connection.send(json.dumps(["stdin", f"{line}\r"]))
        while not re.search(r"=\S*\.\s", shown.replace(line, "")):
            kind, *said = json.loads(connection.recv())
            shown += said[0] if kind == "stdout" else ""
    finally:
        connection.close()
    return shown
