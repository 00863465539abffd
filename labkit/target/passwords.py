"""The lab users' passwords. Cognito never tells them again, so each is kept on the machine that set it, and only there.

Elsewhere a password is unknown, not wrong: setting another one would end the sign-ins of whoever has it.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from labkit.errors import LabError
from labkit.machine.private_files import read_object, write_json
from labkit.target.target import Target

LENGTH = 20
# No character that a shell, or the AWS CLI's shorthand (KEY=value,KEY=value), would read as its own.
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.~")
_FILE = "passwords.json"
_SHAPE = {"user_pool_id": str, "passwords": {...: lambda it: it is None or _is_password(it)}, "pending": {...: str}}
_CHANGING = Lock()

RESET = (
    "Set new ones for the lab's users: labkit up --through user-pool --reset-passwords. Then nobody can sign in with "
    "the present ones any more."
)

ANOTHER = "somebody set another password since, or deleted the user"


class PasswordError(LabError):
    """This machine has no password with which a user could sign in: none at all, or a `wrong` one."""

    def __init__(self, problem: str, remedy: str = RESET, *, wrong: bool = False) -> None:
        super().__init__(problem, remedy)
        self.wrong = wrong


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


def is_unfinished(target: Target, user_pool_id: str, user: str) -> bool:
    """Whether this machine began to set a password and did not end: nobody knows then which one counts."""
    return user in _kept(target, user_pool_id)["pending"]


def refused(target: Target, user_pool_id: str, user: str, password: str | None) -> None:
    """Remember of a password that was kept that it is not the user's any more. It is not tried again: Cognito counts.

    Another one may have been set meanwhile, by a terminal beside a notebook: that stays.
    """
    with _changed(target, user_pool_id) as kept:
        if kept["passwords"].get(user) == password:
            kept["passwords"][user] = None


@contextmanager
def _changed(target: Target, user_pool_id: str) -> Iterator[dict[str, Any]]:
    """The file's content, to be changed: by one thread at a time, since users are made side by side."""
    with _CHANGING:
        kept = _kept(target, user_pool_id)
        yield kept
        write_json(target.folder / _FILE, kept)


def _is_password(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _kept(target: Target, user_pool_id: str) -> dict[str, Any]:
    """The file's content, if it is of this very user pool."""
    kept = read_object(target.folder / _FILE, _SHAPE)
    if kept.get("user_pool_id") != user_pool_id:
        kept = {}
    return {"user_pool_id": user_pool_id, "passwords": kept.get("passwords", {}), "pending": kept.get("pending", {})}


def known(target: Target, user_pool_id: str, user: str) -> str:
    """The password of a user. PasswordError if it is not known on this machine."""
    password = saved(target, user_pool_id, user)
    if password is not None:
        return password
    kept = _kept(target, user_pool_id)
    if user in kept["pending"]:
        raise PasswordError(
            f"Setting the password of {user} was broken off.", "Go on with it: labkit up --through user-pool"
        )
    if user in kept["passwords"]:
        raise PasswordError(f"Cognito refused the password of {user} that this machine has: {ANOTHER}.", wrong=True)
    raise PasswordError(f"The password of {user} is not known on this machine: it is kept on the one that set it.")
