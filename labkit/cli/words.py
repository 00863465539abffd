"""The words that a command is given: what they must be, and what a person meant who gave others."""

from __future__ import annotations

import os
import shlex
import sys

from labkit.errors import LabError, UsageError


def given_text(value: str, command: str) -> str:
    """The text of an argument of a command; of standard input if it is `-`.

    Raises:
        LabError: it is too long for any token, or the name of a file, a user or a route.
    """
    from labkit.target.names import USERS
    from labkit.tokens.token import LONGEST_TEXT

    no_route(value)
    if value in USERS:
        sign_in = f'{command} "$(labkit token {value})"'
        raise UsageError(f"{value} is the name of a user, and not a token.", f"Let the user sign in: {sign_in}")
    if os.path.isfile(value):  # noqa: PTH113 - Path's own raises an error where a name is too long, as a token is
        reads = f"{command} - < {shlex.quote(value)}"
        raise UsageError(f"{value} is the name of a file, and not a token.", f"Let the command read it: {reads}")

    text = sys.stdin.buffer.read(LONGEST_TEXT + 1).decode(errors="replace") if value == "-" else value
    if len(text) > LONGEST_TEXT:
        raise LabError(
            f"This is longer than {LONGEST_TEXT:,} characters: no token is, and no API would take it.",
            "Give the token alone.",
        )
    return text.strip()


def no_route(value: str) -> None:
    """Raise UsageError if what should be a token is a route."""
    method, _, path = value.partition(" ")
    if method.isupper() and path.startswith("/"):
        remedy = f'Name it as one: labkit explain --route "{value}"'
        raise UsageError(f"{value!r} is a route, and not a token.", remedy)


def quoted_route(route: str, rest: str | None, command: str) -> None:
    """Raise UsageError if a route is only its method, since a space ends a word in a shell, and `rest` is its path."""
    if route.isalpha():
        path = rest if rest and rest.startswith("/") else "/AdminUser"
        raise UsageError(
            f"{route!r} is only the method of a route.", f'Put quotes around both: {command} "{route} {path}"'
        )


def known_words(route: str, user: str | None, kind: str, stage: str) -> None:
    """Raise UsageError unless a question can be asked in these words. The lab asks, too, once AWS's SDK is loaded."""
    from labkit.questions import arguments

    arguments.known_route(route)
    arguments.known_stage(stage)
    arguments.known_kind(kind)
    if user is not None:
        arguments.known_user(user)
