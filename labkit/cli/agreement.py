"""The lab that a command works on, and the agreement to change an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from labkit.cli.terminal import can_ask, tell

if TYPE_CHECKING:
    from labkit.lab import Lab


def open_lab() -> Lab:
    """The lab of the environment's settings, telling on standard error what takes a while."""
    from labkit.lab import Lab
    from labkit.settings import Settings

    return Lab(Settings.from_environment(), tell=tell)


def agree(lab: Lab, account: str | None, *, yes: bool) -> None:
    """Get the agreement to write. The embedded cloud needs none; in an AWS account a person types its id.

    Raises:
        LabError: nobody agreed.
    """
    target = lab.target
    if target.confirmed:
        return
    if account is None and not yes and can_ask():
        alias = f" ({target.account_alias})" if target.account_alias else ""
        tell(f"AWS account {target.place.account}{alias}, region {target.place.region}, lab {target.names.lab}.")
        account = typer.prompt("Type the account id to go on", err=True)
    if account is not None:
        target.confirm(account)
    target.require_confirmation()
