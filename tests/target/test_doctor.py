"""The preflight: what it looks at, and the remedy for each thing that is not well."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.cloud import selftest
from labkit.cloud.protocol import Cloud
from labkit.errors import LabError
from labkit.settings import Settings
from labkit.target.doctor import diagnose
from tests.aws_account import play


@pytest.fixture
def settings(warm_home: Path) -> Settings:
    return Settings("embedded", "jwt-lab", warm_home, "python3.13")


def symptoms(settings: Settings) -> dict[str, tuple[bool, str, str]]:
    return {s.subject: (s.well, s.found, s.remedy) for s in diagnose(settings).symptoms}


def test_all_is_well_on_this_machine(settings: Settings) -> None:
    assert symptoms(settings) == {
        "Python": (True, "version 3.11 or newer", ""),
        "private folder": (True, "can be written", ""),
        "free port": (True, "there is one on loopback", ""),
        "embedded cloud": (True, "a good token gets through", ""),
    }
    assert diagnose(settings).passed


def test_it_leaves_nothing_behind(settings: Settings) -> None:
    before = sorted(path.name for path in settings.home.iterdir())

    diagnose(settings)

    assert sorted(path.name for path in settings.home.iterdir()) == before


def test_a_python_that_is_too_old(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labkit.target.doctor.OLDEST_PYTHON", (9, 9))

    assert symptoms(settings)["Python"] == (
        False,
        "This Python is too old.",
        "Use Python 3.11 or newer, then: make clean install",
    )


@pytest.mark.parametrize(
    ("version", "well"),
    [
        ("aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12", False),
        ("aws-cli/2.12.7 Python/3.11.4", False),
        ("aws-cli/1.28.99 Python/3.8", False),
        ("aws-cli/2.13.0 Python/3.11.4", True),
        ("aws-cli/2.31.0 Python/3.13", True),
        ("aws-cli/1.29.0 Python/3.11", True),
        ("aws-cli/1.45.11 Python/3.11", True),
        ("aws-cli/3.0.0 Python/3.14", True),
        ("something else", True),
    ],
)
def test_an_aws_cli_that_would_call_aws_is_noticed(
    version: str, well: bool, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "aws"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    found = symptoms(settings)
    assert ("AWS CLI" in found) is not well
    assert well or found["AWS CLI"][1].endswith("does not know AWS_ENDPOINT_URL: it calls AWS, not this lab.")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"

    told = symptoms(Settings("embedded", "jwt-lab", home, "python3.13"))

    remedy = "Free some space or mend the permissions, or set LABKIT_HOME to another folder."
    assert told["private folder"] == (False, f"{home} cannot be written: Not a directory.", remedy)
    assert told["embedded cloud"] == (False, f"{home} cannot be written: Not a directory.", remedy)


def test_a_cloud_that_refuses_a_good_token(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Cloud) -> None:
        raise LabError("The embedded cloud failed its self-test: it answered 401 to a good token.", "Install it again.")

    monkeypatch.setattr(selftest, "check", fail)

    assert symptoms(settings)["embedded cloud"] == (
        False,
        "The embedded cloud failed its self-test: it answered 401 to a good token.",
        "Install it again.",
    )


ADVICE = "Install Node.js 18 or newer, or unset LABKIT_RUNTIME to use Python."


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (None, (False, "LABKIT_RUNTIME asks for Node.js, but none is installed.", ADVICE)),
        ("v16.20.2", (False, "LABKIT_RUNTIME asks for Node.js, but it is too old.", ADVICE)),
        ("v18.0.0", (True, "version 18 or newer", "")),
        ("v24.11.1", (True, "version 18 or newer", "")),
        ("Segmentation fault", (False, "LABKIT_RUNTIME asks for Node.js, but none is installed.", ADVICE)),
    ],
)
def test_node_is_looked_for_only_if_asked_for(
    version: str | None, told: tuple[bool, str, str], settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if version is not None:
        node = tmp_path / "node"
        node.write_text(f"#!/bin/sh\necho '{version}'\n")
        node.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    asking = Settings("embedded", "jwt-lab", settings.home, "nodejs22.x")
    assert symptoms(asking)["Node.js"] == told
    assert "Node.js" not in symptoms(settings)


def test_an_account_is_looked_at_without_a_cloud(
    warm_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = play(warm_cloud, monkeypatch)
    settings = Settings("aws", "jwt-lab", tmp_path / "home", "nodejs22.x")

    assert symptoms(settings) == {
        "Python": (True, "version 3.11 or newer", ""),
        "private folder": (True, "can be written", ""),
        "AWS account": (True, f"account {warm_cloud.account_id}, region us-east-1", ""),
    }
    assert account.asked == ["GetCallerIdentity"]

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert symptoms(settings)["AWS account"] == (
        False,
        "Unable to locate credentials.",
        "Choose a profile (AWS_PROFILE), or make one: aws configure sso (aws configure, if you were given keys).",
    )


def test_the_command_fails_where_something_is_missing(
    labkit: Callable[..., tuple[int, str, str]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(settings.home))
    code, out, err = labkit("doctor", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["passed"] is True

    monkeypatch.setenv("LABKIT_RUNTIME", "nodejs22.x")
    monkeypatch.setenv("PATH", os.devnull)
    code, out, err = labkit("doctor", "--json")
    assert (code, err) == (1, "")
    assert [finding for finding in json.loads(out)["findings"] if not finding["passed"]] == [
        {
            "subject": "Node.js",
            "passed": False,
            "found": "LABKIT_RUNTIME asks for Node.js, but none is installed.",
            "fix": ADVICE,
        }
    ]
    code, out, err = labkit("doctor")
    assert (code, err) == (1, "")
    assert f"FAILED  Node.js         LABKIT_RUNTIME asks for Node.js, but none is installed. {ADVICE}\n" in out
