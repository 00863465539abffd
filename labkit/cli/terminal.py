"""How a command speaks: its result on standard output, as text or one JSON document; all else on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer
from rich.console import Console

from labkit.errors import LabError
from labkit.text.shown import Shown

_progress = Console(stderr=True, highlight=False)


def tell(sentence: str) -> None:
    """Say what is going on, beside the result."""
    _progress.print(sentence, markup=False, style="dim", soft_wrap=True)


def show(result: Shown, *, as_json: bool) -> None:
    """Print a result."""
    print_json(result.to_dict()) if as_json else typer.echo(result.text())


def print_json(document: Any) -> None:
    """Print the one JSON document of a command."""
    typer.echo(json.dumps(document, indent=2))


def fail(error: LabError, *, as_json: bool) -> int:
    """Print an error as its two sentences; the exit code that it asks for."""
    if as_json:
        print_json(error.to_dict())
    typer.echo(f"{error.problem}\n{error.remedy}", err=True)
    return error.exit_code


def can_ask() -> bool:
    """Whether a person sits at the terminal to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
