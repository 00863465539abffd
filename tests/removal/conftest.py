"""A cloud for the tests of removal alone, so that its whole account can be compared before and after."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.cloud import process
from labkit.cloud.session import session
from labkit.lab import Lab
from tests.labs import lab_at
from tests.removal.account import Client

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of the cloud."""
    path = tmp_path_factory.mktemp("removal") / "home"
    process.start(path, supervised=True)
    yield path
    process.stop(path)


@pytest.fixture(scope="package")
def client(home: Path) -> Client:
    """The account's boto3 clients by service; no lab uses them."""
    return functools.cache(session(process.start(home), "us-east-1").client)


@pytest.fixture
def lab(home: Path) -> Lab:
    """A lab of a name that no other has. Nothing of it is built."""
    return lab_at(home, f"gone-{next(_numbers)}")
