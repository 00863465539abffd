"""A cloud with a finished lab in it, and a bench at which the attempts are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.attacks.bench import Bench
from labkit.cloud import process
from labkit.lab import Lab
from tests.labs import lab_at


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a running cloud."""
    folder: Path = tmp_path_factory.mktemp("attacks") / "home"
    process.start(folder, supervised=True)
    yield folder
    process.stop(folder)


@pytest.fixture(scope="package")
def lab(home: Path) -> Lab:
    """A finished lab."""
    made = lab_at(home, "attacked")
    made.up()
    return made


@pytest.fixture(scope="package")
def twin(home: Path) -> Lab:
    """Another finished lab in the same cloud: nothing that is told of the two may differ."""
    made = lab_at(home, "twin")
    made.up()
    return made


@pytest.fixture(scope="package")
def bench(lab: Lab) -> Bench:
    """The bench of the lab."""
    return Bench(lab.target)
