"""The lab from a wheel, far from any checkout, finds what it reads at run time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [module.read_text(encoding="utf-8") for module in (ROOT / "labkit").rglob("*.py")]
RESOURCES = sorted({path for source in SOURCES for path in re.findall(r'\bresource\("(.+?)"', source)})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the lab's wheel was unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, code: str, *arguments: str) -> str:
    """What Python code prints where only the wheel is the lab."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=site.parent,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LABKIT = "import labkit.cli.main; labkit.cli.main.main()"


def test_the_wheel_is_what_runs(site: Path) -> None:
    assert Path(run(site, "import labkit; print(labkit.__file__)").strip()) == site / "labkit" / "__init__.py"


def test_the_command_runs(site: Path) -> None:
    assert "down" in run(site, LABKIT, "--help")


def test_a_function_is_packed_as_in_a_checkout(site: Path, tmp_path: Path) -> None:
    packed = Path(run(site, LABKIT, "package", "LambdaForAdminUser").strip())
    source = ROOT / "lambdas" / "LambdaForAdminUser" / "lambda_function.py"
    with zipfile.ZipFile(packed) as archive:
        assert archive.read("lambda_function.py") == source.read_bytes()


@pytest.mark.parametrize("path", RESOURCES)
def test_whatever_is_read_at_run_time_is_in_the_wheel(site: Path, path: str) -> None:
    found = run(site, f"from labkit.machine.resources import resource; print(resource({path!r}))").strip()
    assert Path(found).is_relative_to(site)
    assert Path(found).exists()


def test_the_code_names_what_it_reads() -> None:
    assert RESOURCES
