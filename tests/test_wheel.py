"""The lab from a wheel, far from any checkout, finds what it reads at run time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from labkit.cloud import process

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


# What `pip install .` brings for a terminal alone: the wheel and its dependencies, without those of an extra.

MOST_MEGABYTES = 110
FAR_FROM_HERE = """
import sys, types
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
sys.path.insert(0, sys.argv.pop(1))
"""
# The account of `tests/aws_account.py` wants pytest for a type alone.
IN_AN_ACCOUNT = """
sys.modules["pytest"] = types.ModuleType("pytest")
sys.modules["pytest"].MonkeyPatch = object
import os, runpy
from pathlib import Path
from botocore.httpsession import URLLib3Session
from labkit.cloud import process
account = runpy.run_path(sys.argv.pop(1))
cloud = process.find(Path(os.environ["WARM_HOME"]))
arrived = account["AwsAccount"](cloud)
URLLib3Session.send = lambda session, request: arrived.send(session, request)
os.environ.update(account["CREDENTIALS"], AWS_REGION="us-east-1", LABKIT_TARGET="aws")
"""


def closure(names: list[str]) -> dict[str, Distribution]:
    """Distributions and all that they ask for here, without extras."""
    found: dict[str, Distribution] = {}
    while names:
        wanted = Requirement(names.pop())
        if wanted.name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found[wanted.name] = distribution(wanted.name)
            names.extend(found[wanted.name].requires or ())
    return found


@pytest.fixture(scope="module")
def terminal_site(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a terminal-only installation has, and nothing else."""
    folder = tmp_path_factory.mktemp("terminal")
    (metadata,) = site.glob("*.dist-info/METADATA")
    lines = metadata.read_text(encoding="utf-8").splitlines()
    asked = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    for one in closure(asked).values():
        for file in one.files or ():
            place = folder / file
            if ".." not in file.parts and file.suffix != ".pyc" and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(Path(str(file.locate())))
    for part in site.iterdir():
        (folder / part.name).symlink_to(part)
    return folder


def run_labkit(
    site: Path, home: Path, *arguments: str, account: bool = False, warm: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command `labkit` of that installation."""
    code = FAR_FROM_HERE + (IN_AN_ACCOUNT if account else "") + LABKIT
    stand_in = [str(ROOT / "tests" / "aws_account.py")] if account else []
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-I", "-c", code, str(site), *stand_in, *arguments],
        cwd=home,
        env=kept | {"HOME": str(home), "LABKIT_HOME": str(home / "lab"), "WARM_HOME": str(warm)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_terminal_needs_no_more_than_fits_into_a_cloud_shell(terminal_site: Path) -> None:
    files = [file for file in terminal_site.rglob("*") if file.is_file()]
    files += [file for part in terminal_site.glob("labkit*") for file in part.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_MEGABYTES * 10**6
    present = {part.name for part in terminal_site.iterdir()}
    assert not present & {"ministack", "jupyterlab", "ipywidgets", "nbformat", "nbconvert", "IPython"}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [(["up"], "The embedded cloud"), (["cloud", "start"], "The embedded cloud"), (["chapters"], "the notebooks")],
)
def test_a_part_that_is_not_installed_is_named_with_its_extra(
    terminal_site: Path, tmp_path: Path, arguments: list[str], part: str
) -> None:
    done = run_labkit(terminal_site, tmp_path, *arguments)
    assert done.returncode == 1
    assert part in done.stderr
    assert "pip install '.[" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_whole_lab_is_built_and_taken_away_from_a_terminal_alone(terminal_site: Path, tmp_path: Path) -> None:
    warm = tmp_path / "warm"
    cloud = process.start(warm)
    agreed = ("--yes", "--account", cloud.account_id)
    try:

        def labkit(*arguments: str) -> subprocess.CompletedProcess[str]:
            return run_labkit(terminal_site, tmp_path, *arguments, account=True, warm=warm)

        up = labkit("up", *agreed)
        assert up.returncode == 0, up.stdout + up.stderr
        assert json.loads(labkit("status", "--json").stdout)
        assert labkit("token", "adminuser").returncode == 0
        down = labkit("down", *agreed)
        assert down.returncode == 0, down.stdout + down.stderr
    finally:
        process.stop(warm)
