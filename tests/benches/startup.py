"""How long a command takes to begin, against what it cannot do without: Typer, and AWS's SDK."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from tests.benches.measuring import Figure, ratios
from tests.signing import signed

ROUNDS = 11

TYPER = ("-c", "import typer")
BARE = """
import typer
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
@app.command()
def one(text: str, json: bool = False): {body}
@app.command()
def two(text: str, json: bool = False): print(text)
app(["one", "text"])
"""
TWO_COMMANDS = ("-c", BARE.format(body="print(text)"))
WITH_THE_SDK = ("-c", BARE.format(body="import boto3, requests, jwt"))
LABKIT = ("-m", "labkit.cli.main")
TOKEN = signed({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example12", "token_use": "id"})


def figures() -> Iterator[Figure]:
    """Each as a ratio of whole processes, by the median. Running any Typer command loads pydantic, too."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        home = f"{folder}/home"
        yield from _figures("labkit --help, times importing Typer", "1.3", home, TYPER, [("--help",)])
        words = [("decode", TOKEN), ("upp",), ("call", "GET /nowhere"), ("up", "--through", "pool")]
        yield from _figures("times a Typer application of two commands", "1.3", home, TWO_COMMANDS, words)
        aws = {"LABKIT_TARGET": "aws", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}
        what = "without credentials, times the same with boto3, requests and jwt"
        yield from _figures(what, "1.15", home, WITH_THE_SDK, [("status",)], **aws)


def _figures(
    what: str, aim: str, home: str, bare: tuple[str, ...], commands: list[tuple[str, ...]], **variables: str
) -> Iterator[Figure]:
    runs = [bare, *((*LABKIT, *words) for words in commands)]
    _, *measured = ratios([_process(words, {"LABKIT_HOME": home, **variables}) for words in runs], ROUNDS)
    for words, ratio in zip(commands, measured, strict=True):
        name = " ".join(words)[:24]
        yield Figure(what if words == ("--help",) else f"labkit {name} {what}", f"{ratio:.2f}", aim)


def _process(words: tuple[str, ...], variables: dict[str, str]) -> Callable[[], object]:
    # Compiled once, as for a person, whatever this environment says of it: else compiling is most of what is measured.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": variables["LABKIT_HOME"] + "-compiled"}
    environment = {**os.environ, **variables, **compiled}
    return lambda: subprocess.run([sys.executable, *words], env=environment, capture_output=True, check=False)
