"""A JupyterLab of a test's own, and its notebooks in a real browser."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import requests
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page

from labkit.cloud import process
from tests.cloud.homes import wait_until
from tests.notebooks.canonical import METADATA

KERNEL_IS_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }"
PATIENCE = 60_000  # milliseconds; a busy machine is no failure


@dataclass(frozen=True)
class JupyterLab:
    """A running JupyterLab and the folder that it serves."""

    url: str
    token: str
    folder: Path

    def write(self, name: str, cells: list[str]) -> Path:
        """Put a notebook of code cells into the folder."""
        path = self.folder / name
        nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=METADATA), path)
        return path

    def open(self, page: Page, name: str) -> None:
        """Open a notebook, and wait for its kernel."""
        page.goto(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        page.wait_for_function(KERNEL_IS_IDLE, timeout=PATIENCE)

    def end_kernels(self) -> None:
        """End every kernel with its session, as a server does that was stopped."""
        sessions, said = f"{self.url}/api/sessions", {"Authorization": f"token {self.token}"}
        for session in requests.get(sessions, headers=said, timeout=30).json():
            requests.delete(f"{sessions}/{session['id']}", headers=said, timeout=30).raise_for_status()

    def run(self, page: Page, name: str, until: str) -> None:
        """Open a notebook and run it, until this text is in an output."""
        self.open(page, name)
        page.evaluate(RUN_ALL)
        page.locator(".jp-OutputArea-output", has_text=until).first.wait_for(timeout=PATIENCE)


@contextmanager
def jupyterlab(folder: Path) -> Iterator[JupyterLab]:
    """Run a JupyterLab in a folder, with a lab's home and a user's settings of its own."""
    home, served = folder / "home", folder / "served"
    served.mkdir()
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    own = {name: str(folder / name.lower()) for name in (*places, "JUPYTERLAB_WORKSPACES_DIR")}
    token, port = secrets.token_urlsafe(), _free_port()
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += [f"--ServerApp.root_dir={served}", "--LabApp.expose_app_in_browser=True", "--allow-root"]
    environment = {**os.environ, **own, "LABKIT_HOME": str(home), "JUPYTER_TOKEN": token}
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, cwd=served, stdout=log, stderr=log) as server,
    ):
        lab = JupyterLab(f"http://127.0.0.1:{port}", token, served)
        try:
            wait_until(lambda: _answers(lab))
            yield lab
        finally:
            server.terminate()
            server.wait(timeout=60)
            process.stop(home)


def _answers(lab: JupyterLab) -> bool:
    try:
        return requests.get(f"{lab.url}/api/status", headers={"Authorization": f"token {lab.token}"}, timeout=10).ok
    except requests.ConnectionError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
