"""A cloud for the rules' tests, shared by all of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# MiniStack, which some of these tests import, writes keys into this folder as soon as it is imported.
os.environ["STATE_DIR"] = _STATE = tempfile.mkdtemp(prefix="labkit-rules-")

import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.target.embedded import EmbeddedPlace
from labkit.target.target import Place
from tests.cloud.homes import processes
from tests.cloud.rules.site import Site


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(*rules): proves rules of the embedded cloud, by their names")


def pytest_unconfigure() -> None:
    shutil.rmtree(_STATE, ignore_errors=True)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An embedded cloud in calm weather."""
    home: Path = tmp_path_factory.mktemp("rules") / "home"
    yield process.start(home, supervised=True)
    process.stop(home)
    assert processes(home) == []


@pytest.fixture(scope="session")
def place(cloud: Cloud) -> Place:
    """That cloud as a place."""
    return EmbeddedPlace(cloud, "us-east-1")


@pytest.fixture
def site(place: Place) -> Iterator[Site]:
    """A place to build in for one test."""
    built = Site(place)
    with built.ends:
        yield built


@pytest.fixture(scope="module")
def grounds(place: Place) -> Iterator[Site]:
    """A place to build in for all tests of a module."""
    built = Site(place)
    with built.ends:
        yield built
