"""What a question may be asked with. Whatever else is given is named, with what there is to choose from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Any

from labkit.errors import UsageError
from labkit.runtimes import RUNTIMES
from labkit.target.names import DEFAULT_STAGE, FUNCTIONS, GROUPS, ROUTES, STAGE, USERS


class NoToken(Enum):
    """In place of a token: none is given. None does not say so, since a function that returns nothing gives it."""

    NO_TOKEN = auto()


NO_TOKEN = NoToken.NO_TOKEN
STAGES = (DEFAULT_STAGE, STAGE)
KINDS = ("id", "access", "refresh")


def known_route(route: object) -> str:
    """Return a route key that the lab's API has.

    Raises:
        UsageError: it has no such route. So do all functions here where a value is wrong.
    """
    return _one_of(route, ROUTES, f"The lab has no route {route!r}.")


def known_stage(stage: object) -> str:
    """Return a stage that the lab's API has."""
    return _one_of(stage, STAGES, f"The lab's API has no stage {stage!r}.", " (case matters)")


def known_user(user: object) -> str:
    """Return a user that the lab has. A token in the user's place is not shown."""
    if "eyJ" in str(user):  # so begins every header of a token
        remedy = f"Name one of: {', '.join(USERS)}. A token is given by its name: token=TOKEN."
        raise UsageError("A token stands where a user is asked for.", remedy)
    return _one_of(user, USERS, f"The lab has no user {user!r}.")


def known_group(group: object) -> str:
    """Return a group that the lab has."""
    return _one_of(group, GROUPS, f"The lab has no group {group!r}.")


def known_kind(kind: object) -> str:
    """Return a kind of token that a sign-in gives."""
    return _one_of(kind, KINDS, f"There is no token of the kind {kind!r}.")


def known_function(function: object) -> str:
    """Return one of the post's three functions."""
    return _one_of(function, FUNCTIONS, f"The lab has no function {function!r}.")


def known_runtime(runtime: object) -> str:
    """Return one of the runtimes that the lab's functions are written for."""
    return _one_of(runtime, tuple(RUNTIMES), f"The lab has no code for the runtime {runtime!r}.")


def a_text(value: object, what: str, remedy: str = "Give it in quotation marks, or by its name.") -> str:
    """Return what must be a text: `what` it is, as in "A token"."""
    if not isinstance(value, str):
        raise UsageError(f"{what} is a text, and not {_kind_of(value)}.", remedy)
    return value


def a_token(value: object) -> str:
    """Return what must be the text of a token; whether it is a sound one, other rules say."""
    none = "A function that returns nothing gives None: its last line returns the token."
    return a_text(value, "A token", none if value is None else "Give one of them by its kind: lab.tokens(USER)['id'].")


def token_or_none(value: str | NoToken) -> str | None:
    """Return a token; None if none is given."""
    return None if value is NO_TOKEN else a_token(value)


def texts(value: object, what: str) -> tuple[str, ...]:
    """Return one text, or several of them, as a tuple."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, Collection) or not all(isinstance(one, str) for one in several):
        raise UsageError(f"{what} is a text or a list of texts, and not {value!r}.", 'Give "one", or ["one", "two"].')
    return tuple(several)


def an_object(value: object, what: str) -> dict[str, Any]:
    """Return what must be a JSON object: a dictionary of names and values."""
    remedy = 'Give names with values, {"scope": "a"}: text, numbers, lists and the like.'
    if not isinstance(value, Mapping):
        raise UsageError(f"{what} is a dictionary, and not {_kind_of(value)}.", remedy)
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{what} cannot hold that: {error}.", remedy) from error
    return {str(name): member for name, member in value.items()}


def _one_of(value: object, allowed: Collection[str], problem: str, note: str = "") -> str:
    if not isinstance(value, str) or value not in allowed:
        raise UsageError(problem, f"Name one of: {', '.join(allowed)}{note}.")
    return value


def _kind_of(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
