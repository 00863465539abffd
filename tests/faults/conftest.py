"""One warm cloud for all harmed labs, and no long waits."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labkit.cloud import process
from labkit.target.embedded import EmbeddedPlace
from tests.asked import ALL_FAULTS
from tests.faults.wire import Wire

# Of how many calls one is harmed.
EVERY = 1 if ALL_FAULTS else 20

_names = (f"harmed-{number}" for number in itertools.count(1))


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of the cloud."""
    path = tmp_path_factory.mktemp("faults") / "home"
    process.start(path, supervised=True)
    yield path
    process.stop(path)


@pytest.fixture(scope="package")
def wire(home: Path) -> Wire:
    """The wire to the cloud."""
    return Wire(EmbeddedPlace(process.start(home), "us-east-1"), home)


@pytest.fixture
def name() -> str:
    """A lab's name that no other has."""
    return next(_names)


@pytest.fixture
def names() -> Iterator[str]:
    """Any number of such names."""
    return _names


@pytest.fixture
def numbers() -> Iterator[int]:
    """The numbers of the calls to harm."""
    return itertools.count(1, EVERY)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let nobody in this process sleep for long: a cloud on this machine settles at once."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.02)))
    return sleep
