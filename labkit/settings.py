"""The few settings of the lab, read from the environment once per command or notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from labkit.errors import UsageError
from labkit.machine.private_files import require_closed
from labkit.runtimes import RUNTIMES

TARGETS = ("embedded", "aws")

# What is kept in a home besides the embedded cloud: its labs, packed functions, the learner's progress, classes.
KEPT = ("labs", "packages", "progress", "rehearsal", "resets")

# 24 characters leave room, under IAM's 64 for a role name, for the longest function name and region behind it.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,22}[a-z0-9]")

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:[!-.0-~]+/)*[\w+=,.@-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """Where the lab runs, what it is called, where its files live and which runtime its functions use."""

    place_kind: str
    name: str
    home: Path
    runtime: str
    own: bool = True
    """Whether it is the lab of the person at this machine, who may have a copy of the functions to change."""
    role_arn: str | None = None
    """The role of an account that lets nobody make one: all functions run with it, and the lab makes none."""

    @property
    def copy_home(self) -> Path | None:
        """The home that may remember a copy of the functions' sources which this lab deploys."""
        return self.home if self.own else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `LABKIT_TARGET`, `LABKIT_NAME`, `LABKIT_HOME`, `LABKIT_RUNTIME`; of an account, `LABKIT_ROLE_ARN`.

        Args:
            environment: the variables to read; the process's own by default. An empty value counts as unset.

        Raises:
            UsageError: a value is not one of those allowed.
            LabError: others could change what is kept in that home.
        """
        environment, runtimes = os.environ if environment is None else environment, tuple(RUNTIMES)
        home = environment.get("LABKIT_HOME") or platformdirs.user_data_dir("labkit", appauthor=False)
        place_kind = _one_of("LABKIT_TARGET", environment.get("LABKIT_TARGET") or TARGETS[0], TARGETS)
        return cls(
            place_kind=place_kind,
            name=lab_name(environment.get("LABKIT_NAME") or "jwt-lab"),
            home=require_closed(_home(home), KEPT),
            runtime=_one_of("LABKIT_RUNTIME", environment.get("LABKIT_RUNTIME") or runtimes[0], runtimes),
            role_arn=_role_arn(environment.get("LABKIT_ROLE_ARN") or None) if place_kind == "aws" else None,
        )


def _home(value: str) -> Path:
    try:
        home = Path(value).expanduser().absolute()
        str(home).encode()  # what is kept names it, in UTF-8
        with suppress(PermissionError):  # who is to use it will be told
            home.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, nobody's ~, no UTF-8
        raise UsageError(
            f"LABKIT_HOME cannot name a folder: {value[:60]!r}.", "Set it to another, or unset it."
        ) from error
    return home


def lab_name(value: str) -> str:
    """Return `value` if it can begin the name of every resource of a lab.

    Raises:
        UsageError: AWS would refuse a name that is made from it.
    """
    if not NAME_PATTERN.fullmatch(value):
        raise UsageError(
            f"The lab name {value!r} cannot begin the names of AWS resources.",
            "Set LABKIT_NAME to 2 to 24 lower-case letters, digits and hyphens, a letter first and no hyphen last.",
        )
    return value


def _role_arn(value: str | None) -> str | None:
    if value is not None and not _ROLE_ARN.fullmatch(value):
        told = "the ARN of something that is no role" if value.startswith("arn:") else f"{value!r}, which is no ARN"
        raise UsageError(
            f"LABKIT_ROLE_ARN is {told}.",
            "Set it to the ARN of a role, as IAM shows it: arn:aws:iam::123456789012:role/LabRole, with your account.",
        )
    return value


def _one_of(variable: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UsageError(f"{variable} is {value!r}.", f"Set it to {' or '.join(allowed)}.")
    return value
