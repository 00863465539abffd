"""Where a lab runs: the embedded cloud of this machine, or an AWS account. Everything above works on either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.cloud import process
from labkit.errors import LabError, UsageError
from labkit.settings import Settings

if TYPE_CHECKING:
    from labkit.target.target import Target


class NotRunningError(LabError):
    """The embedded cloud is not running, and was not to be started."""

    def __init__(self) -> None:
        super().__init__("The embedded cloud is not running.", "Build the lab, which starts it: labkit up")


def open_target(settings: Settings, *, start: bool = True, sweep: bool = True) -> Target:
    """Open the place that the settings name.

    Args:
        settings: the lab's settings.
        start: start the embedded cloud if it is not running.
        sweep: remove then what a killed one left.

    Raises:
        NotRunningError: the embedded cloud is not running and may not be started.
        LabError: it cannot be started, or AWS cannot be reached.
        UsageError: the given role is another account's.
    """
    if settings.place_kind == "aws":
        from labkit.target.account import Account  # noqa: PLC0415 - nobody else waits for AWS's SDK
        from labkit.target.target import Target  # noqa: PLC0415

        account = Account.from_environment()
        _require_role_of(account.account, account.partition, settings.role_arn)
        return Target(settings, account, confirmed=False)
    cloud = process.start(settings.home, sweep=sweep) if start else process.find(settings.home)
    if cloud is None:
        raise NotRunningError
    from labkit.target.embedded import EmbeddedPlace, region_from_environment  # noqa: PLC0415 - nothing was found yet
    from labkit.target.target import Target  # noqa: PLC0415

    return Target(settings, EmbeddedPlace(cloud, region_from_environment()), confirmed=True)


def _require_role_of(account: str, partition: str, role_arn: str | None) -> None:
    """Refuse a role of another account: Lambda would, after half of the lab was made."""
    if role_arn and not role_arn.startswith(f"arn:{partition}:iam::{account}:"):
        raise UsageError(
            f"LABKIT_ROLE_ARN names the role {role_arn}, but your credentials lead to account {account} ({partition}).",
            "Choose the profile of the account that you mean (AWS_PROFILE), or a role of this one.",
        )
