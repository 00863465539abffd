"""The real AWS CLI, of an environment of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import program

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def installed() -> Path:
    """The AWS CLI of .venv-awscli, which `make judges` sets up."""
    return Path(program(str(ROOT / ".venv-awscli" / "bin" / "aws"), "LABKIT_REQUIRE_AWSCLI"))


@pytest.fixture(scope="module")
def aws(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same AWS CLI without its imports at every start."""
    folder = tmp_path_factory.mktemp("aws")
    warm = [installed.with_name("python"), Path(__file__).with_name("warm.py"), folder]
    with subprocess.Popen(warm, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        yield folder / "aws"
        server.terminate()
