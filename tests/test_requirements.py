"""The locked dependencies are those that pyproject.toml asks for, and nothing else is installed."""

import re
import shlex
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_satisfies_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *project["dependency-groups"]["build"],
    ]
    locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[.*?\])?==(\S+)", LOCK, re.MULTILINE))
    unmet = [
        text
        for text in asked
        for wanted in [Requirement(text)]
        if not wanted.specifier.contains(locked.get(canonicalize_name(wanted.name), ""))
    ]
    assert unmet == [], "Run: make lock"


def test_every_locked_file_is_known_by_its_hash_alone() -> None:
    pins = re.split(r"\n(?=[a-z])", LOCK)[1:]
    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []
    assert re.findall(r"://|--index|--find-links|--trusted-host", LOCK) == []


def test_the_lock_names_every_extra_that_a_package_asks_for() -> None:
    """pip 23 takes the newest release for an extra that is not pinned by its name, and has no hash of it."""
    named = {Requirement(pin).name: Requirement(pin).extras for pin in re.findall(r"(?m)^[a-z0-9-]\S+==\S+", LOCK)}
    asked = [
        (package, wanted)
        for package in named
        for wanted in map(Requirement, requires_of(package))
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""})
    ]
    assert len(asked) > 100
    assert [(package, str(wanted)) for package, wanted in asked if wanted.extras - named[key(wanted)]] == []


def requires_of(package: str) -> list[str]:
    """What an installed package asks for; nothing of one that only other systems need."""
    try:
        return metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return []


def key(wanted: Requirement) -> str:
    return str(canonicalize_name(wanted.name))


FROM_THE_LOCK = {"--only-binary=:all:", "--require-hashes"}
THE_LAB_ALONE = {"--no-index", "--no-deps", "--no-build-isolation", "-e", "."}


def faults(line: str) -> list[str]:
    """What a line that installs may fetch or run without the lock."""
    words = set(shlex.split(line.replace("--only-binary :all:", "--only-binary=:all:")))
    options = {word for word in words if word.startswith("-")} - {"--quiet", "--disable-pip-version-check", "-r"}
    if "-e" in words:
        return sorted(THE_LAB_ALONE ^ (options | (words & {"."})))
    return sorted(FROM_THE_LOCK ^ options)


def pip_lines(file: str) -> list[str]:
    """What stands behind `pip install` in a file, with the variables that say how."""
    text = (ROOT / file).read_text(encoding="utf-8")
    variables = dict(re.findall(r"^([A-Z_]+) := (.*)$", text, re.MULTILINE))
    text = re.sub(r"\$\(([A-Z_]+)\)", lambda use: variables.get(use[1], use[0]), text)
    return re.findall(r"^\t?[^#:=\n]*-m pip install (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize(("file", "lines"), [("Makefile", 4), ("postBuild", 1)])
def test_only_wheels_of_the_lock_are_installed(file: str, lines: int) -> None:
    found = pip_lines(file)
    assert len(found) == lines
    assert [(line, wrong) for line in found for wrong in [faults(line)] if wrong] == []


def test_conda_installs_only_wheels_of_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (of_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert set(of_pip) == {*FROM_THE_LOCK, "-r requirements.lock"}


@pytest.mark.parametrize(
    "line",
    [
        "--require-hashes -r requirements.lock",
        "--only-binary :all: -r requirements.lock",
        "--no-deps --no-build-isolation -e .",
        "--no-index --no-deps -e .",
        "--only-binary :all: --require-hashes --find-links wheels -r requirements.lock",
    ],
)
def test_a_line_that_could_install_something_else_is_found(line: str) -> None:
    assert faults(line) != []
