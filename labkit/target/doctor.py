"""The preflight: is everything here that the lab needs?"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from labkit.aws import aws_errors_in_words
from labkit.cloud import process, selftest
from labkit.errors import LabError
from labkit.machine.private_files import make_folder
from labkit.runtimes import RUNTIMES
from labkit.settings import Settings
from labkit.target.account import Account
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
# The first that honour AWS_ENDPOINT_URL, by their major version.
OLDEST_AWS_CLI = {1: (1, 29), 2: (2, 13)}


@dataclass(frozen=True)
class Symptom:
    """One thing that was looked at: whether it is well, what was found, and the remedy if it is not."""

    subject: str
    well: bool
    found: str
    remedy: str = ""

    @classmethod
    def of(cls, subject: str, look: Callable[[], str], profile: str = "") -> Symptom:
        """What a look finds, or the LabError that it raises. `profile` is as `aws_errors_in_words` takes it."""
        try:
            with aws_errors_in_words(profile):
                return cls(subject, True, look())
        except LabError as error:
            return cls(subject, False, error.problem, error.remedy)

    def to_dict(self) -> dict[str, Any]:
        """The symptom as JSON."""
        return {"subject": self.subject, "passed": self.well, "found": self.found, "fix": self.remedy}


@dataclass(frozen=True, repr=False)
class Diagnosis(Shown):
    """Everything that was looked at."""

    symptoms: tuple[Symptom, ...]

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return all(symptom.well for symptom in self.symptoms)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [("ok" if s.well else "FAILED", s.subject, f"{s.found} {s.remedy}".strip()) for s in self.symptoms]

    def blocks(self) -> Iterator[Block]:
        """The verdict, and a row for each thing that was looked at."""
        yield sentences("Everything is ready." if self.passed else "Something is missing.")
        yield Table(("", "checked", "found"), self._rows())

    def to_dict(self) -> dict[str, Any]:
        """`passed`, and the `findings`."""
        return {"passed": self.passed, "findings": [symptom.to_dict() for symptom in self.symptoms]}


def diagnose(settings: Settings) -> Diagnosis:
    """Look at everything that the lab of these settings needs; starts the embedded cloud to test it."""
    looks: list[tuple[str, Callable[[Settings], str]]] = [("Python", _python), ("private folder", _home)]
    if settings.place_kind == "aws":
        looks.append(("AWS account", _account))
    else:
        looks += [("Node.js", _node)] if RUNTIMES[settings.runtime].program else []
        looks += [("free port", _port), ("embedded cloud", _cloud), ("AWS CLI", _aws_cli)]
    symptoms = [Symptom.of(subject, partial(look, settings)) for subject, look in looks]
    # The lab needs no AWS CLI: nothing is said of one that does no harm.
    return Diagnosis(tuple(symptom for symptom in symptoms if symptom.subject != "AWS CLI" or not symptom.well))


def _python(_: Settings) -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise LabError("This Python is too old.", "Use Python 3.11 or newer, then: make clean install")
    return "version 3.11 or newer"


def _home(settings: Settings) -> str:
    folder = make_folder(settings.home)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise LabError(
            f"{folder} cannot be written: {error.strerror}.", "Set LABKIT_HOME to another folder."
        ) from error
    return "can be written"


def _aws_cli(_: Settings) -> str:
    """Refuse an AWS CLI that does not know AWS_ENDPOINT_URL: after `labkit env` it would go on calling AWS."""
    program = shutil.which("aws")
    if program is None:
        return "none"
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - the user's own aws
    found = re.match(r"aws-cli/(\d+)\.(\d+)", answer.stdout or answer.stderr)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if found and version < OLDEST_AWS_CLI.get(version[0], version):
        raise LabError(
            f"The AWS CLI {version[0]}.{version[1]} does not know AWS_ENDPOINT_URL: it calls AWS, not this lab.",
            "Install 2.13 or newer (1.29 of version 1), or type no aws line of this lab.",
        )
    return "good"


def node_version() -> int | None:
    """The major version of the Node.js on the path; None if there is none."""
    node = shutil.which("node")
    if node is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - the user's own node
    major = answer.stdout.strip().lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else None


def require_runtime(name: str) -> None:
    """Refuse to run functions on this machine where it lacks the program of their runtime.

    Args:
        name: the runtime, `nodejs22.x` for one.

    Raises:
        LabError: there is no `node` on the path, or it is too old.
    """
    if not RUNTIMES[name].program:
        return
    version = node_version()
    if version is None or version < OLDEST_NODE:
        raise LabError(
            f"LABKIT_RUNTIME asks for Node.js, but {'none is installed' if version is None else 'it is too old'}.",
            f"Install Node.js {OLDEST_NODE} or newer, or unset LABKIT_RUNTIME to use Python.",
        )


def _node(settings: Settings) -> str:
    require_runtime(settings.runtime)
    return f"version {OLDEST_NODE} or newer"


def _port(_: Settings) -> str:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return "there is one on loopback"
    except OSError as error:
        raise LabError(f"No port of 127.0.0.1 is free: {error.strerror}.", "Let programs listen there.") from error


def _cloud(settings: Settings) -> str:
    selftest.check(process.start(settings.home, sweep=False))
    return "a good token gets through"


def _account(_: Settings) -> str:
    account = Account.from_environment()
    return f"account {account.account}, region {account.region}"
