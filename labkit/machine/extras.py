"""The parts of the lab that an installation for a terminal alone does not have: the extras in `pyproject.toml`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from labkit.errors import LabError

Extra = Literal["embedded", "notebooks"]

_PARTS: dict[Extra, tuple[tuple[str, ...], str, str]] = {
    "embedded": (("ministack", "hypercorn"), "The embedded cloud", "Work in an AWS account (export LABKIT_TARGET=aws)"),
    "notebooks": (("nbformat", "nbconvert"), "What the notebooks need", "Read the chapters where you cloned them"),
}


def require(extra: Extra) -> None:
    """Do nothing if a part is installed.

    Raises:
        LabError: it is not; the remedy says how to do without it, and how to get it.
    """
    packages, what, without = _PARTS[extra]
    if not all(map(find_spec, packages)):
        raise LabError(
            f"{what} is not installed here.", f"{without}, or install it in the checkout: pip install '.[{extra}]'"
        )
