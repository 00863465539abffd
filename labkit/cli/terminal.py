"""How a command speaks: its result on standard output, as text or one JSON document; all else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from labkit.errors import UsageError
from labkit.text.wording import visible

if TYPE_CHECKING:
    from labkit.text.shown import Shown

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing. In an AWS account, give --account, too.")]
AccountId = Annotated[str | None, typer.Option("--account", help="The id of the AWS account that may be changed.")]
Weather = Annotated[str, typer.Option(help="calm, or rough: slow and moody, as AWS can be.")]
Seed = Annotated[int, typer.Option(help="Repeats a rough weather.")]

# For help and errors, which must not wait for the steps and AWS's SDK.
STEP_NAMES = "functions, user-pool, http-api, authorizer"


def known_step(name: str | None) -> None:
    """Raise UsageError if a step is named that the lab does not have. The lab asks, too."""
    if name is not None and name not in STEP_NAMES.split(", "):
        raise UsageError(f"The lab has no step {name!r}.", f"Name one of: {STEP_NAMES}.")


def wrong_words(error: TyperException) -> UsageError:
    """What Typer has against the words of a command, with the help of that command; a step is led to its option."""
    problem, context = error.format_message(), getattr(error, "ctx", None)
    if context is None:
        return UsageError(problem, "See how it is used: labkit --help")
    extra = problem.partition("extra argument(s) (")[2].removesuffix(")")
    if extra in STEP_NAMES.split(", ") and any(option.name == "through" for option in context.command.params):
        return UsageError(problem, f"Name the last step as an option: {context.command_path} --through {extra}")
    return UsageError(problem, f"See how it is used: {context.command_path} --help")


def tell(sentence: str) -> None:
    """Say what is going on, beside the result."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(visible(sentence), markup=False, style="dim", soft_wrap=True)


def show(result: Shown, *, as_json: bool) -> None:
    """Print a result."""
    print_json(result.to_dict()) if as_json else typer.echo(result.text())


def print_json(document: Any) -> None:
    """Print the one JSON document of a command."""
    import json

    typer.echo(json.dumps(document, indent=2))


def can_ask() -> bool:
    """Whether a person sits at the terminal to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
