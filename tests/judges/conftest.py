"""The judges' environment, which `make judges` sets up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import program

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def judge() -> Callable[[str], str]:
    """The path of a program of that environment."""
    return lambda name: program(str(ROOT / ".venv-judges" / "bin" / name), "LABKIT_REQUIRE_JUDGES")
