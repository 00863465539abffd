"""What tests share: a warm cloud, and programs that not every machine has."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from labkit.cli import main as cli
from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.lab import Lab
from labkit.text.terms import OUTPUTS, STABLE
from tests.labs import lab_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine is no failure, and a run leaves no examples behind.
settings.register_profile("lab", deadline=None, database=None)
settings.load_profile("lab")

# What a browser without a screen, a graphics card or a sandbox needs, and nothing that calls home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def warm_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of one cloud for all labs of this run."""
    home = tmp_path_factory.mktemp("warm") / "home"
    process.start(home, supervised=True)
    yield home
    process.stop(home)


@pytest.fixture
def warm_cloud(warm_home: Path) -> Cloud:
    """The cloud of the warm home."""
    return process.start(warm_home)


@pytest.fixture
def stable_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs as they are committed: words in place of ids, keys and times."""
    monkeypatch.setenv(OUTPUTS, STABLE)


_lab_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_lab(warm_home: Path) -> Callable[..., Lab]:
    """Makes a lab of a name that no other has, in the warm cloud; nothing of it is built."""
    return lambda **options: lab_at(warm_home, f"lab-{next(_lab_numbers)}", **options)


@pytest.fixture(scope="module")
def built(new_lab: Callable[..., Lab]) -> Lab:
    """A whole lab for all tests of a module."""
    lab = new_lab()
    lab.up()
    return lab


@pytest.fixture
def labkit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command line in this process: its exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["labkit", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node.js."""
    return program("node", "LABKIT_REQUIRE_NODE")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless. One a module: Playwright's event loop must not stay for tests with their own."""
    path = program("chromium", "LABKIT_REQUIRE_BROWSER")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def program(name: str, required: str) -> str:
    """The path of a program; without it the test is skipped, or fails where the variable `required` is 1."""
    path = shutil.which(name)
    if path is None and os.environ.get(required) == "1":
        pytest.fail(f"{name} is not installed, and {required}=1 insists on it.", pytrace=False)
    if path is None:
        pytest.skip(f"{name} is not installed: this test did not run.")
    return path
