"""The lab users' passwords. Cognito never tells them again, so they are kept here, in a file of their owner's."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from labkit.errors import LabError
from labkit.machine.private_files import read_json, write_json
from labkit.target.target import Target

LENGTH = 20
# No character that a shell, or the AWS CLI's shorthand (KEY=value,KEY=value), would read as its own.
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.~")
_FILE = "passwords.json"
_CHANGING = Lock()


def generate() -> str:
    """A password with every kind of character that the lab's user pool asks for; a letter first."""
    while True:
        password = secrets.choice(string.ascii_letters) + "".join(
            secrets.choice("".join(_KINDS)) for _ in range(LENGTH - 1)
        )
        if all(any(character in kind for character in password) for kind in _KINDS):
            return password


def saved(target: Target, user_pool_id: str, user: str) -> str | None:
    """The password that a user of this very user pool is known to have, if there is one."""
    password = _kept(target, user_pool_id)["passwords"].get(user)
    return password if isinstance(password, str) else None


def new(target: Target, user_pool_id: str, user: str) -> str:
    """Make a password and keep it, before the call that sets it. It counts once it is confirmed."""
    password = generate()
    with _changed(target, user_pool_id) as kept:
        kept["passwords"].pop(user, None)
        kept["pending"][user] = password
    return password


def confirm(target: Target, user_pool_id: str, user: str) -> None:
    """Remember that a user has the password that was made last. After a crash before this, another one is made."""
    with _changed(target, user_pool_id) as kept:
        kept["passwords"][user] = kept["pending"].pop(user)


def keep(target: Target, user_pool_id: str, user: str, password: str) -> None:
    """Keep the password that somebody else gave a user."""
    with _changed(target, user_pool_id) as kept:
        kept["passwords"][user] = password


def forget(target: Target, user_pool_id: str, user: str) -> None:
    """Remember no password of a user: the one that was kept is not the user's any more."""
    with _changed(target, user_pool_id) as kept:
        kept["passwords"].pop(user, None)


@contextmanager
def _changed(target: Target, user_pool_id: str) -> Iterator[dict[str, Any]]:
    """The file's content, to be changed: by one thread at a time, since users are made side by side."""
    with _CHANGING:
        kept = _kept(target, user_pool_id)
        yield kept
        write_json(target.folder / _FILE, kept)


def _kept(target: Target, user_pool_id: str) -> dict[str, Any]:
    """The file's content, if it is of this very user pool."""
    kept = read_json(target.folder / _FILE)
    if not isinstance(kept, dict) or kept.get("user_pool_id") != user_pool_id:
        kept = {}
    return {"user_pool_id": user_pool_id, "passwords": kept.get("passwords", {}), "pending": kept.get("pending", {})}


def known(target: Target, user_pool_id: str, user: str) -> str:
    """The password of a user.

    Raises:
        LabError: it is not kept on this machine.
    """
    password = saved(target, user_pool_id, user)
    if password is None:
        raise LabError(f"The password of {user} is not kept on this machine.", "Set a new one: labkit up")
    return password
