"""A home folder for each test that starts clouds, in which nothing may stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.cloud import process
from tests.cloud.homes import processes, remains


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The path of a home folder that is not there yet."""
    path = tmp_path / "home"
    yield path
    process.stop(path)
    assert processes(path) == []
    assert not path.is_dir() or remains(path) == []
