"""Where a lab runs: the embedded cloud of this machine, or an AWS account. Everything above works on either."""

from __future__ import annotations

from labkit.cloud import process
from labkit.errors import LabError
from labkit.settings import Settings
from labkit.target.embedded import EmbeddedPlace, region_from_environment
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
    """
    if settings.place_kind == "aws":
        from labkit.target.account import Account  # noqa: PLC0415 - nobody else waits for AWS's SDK

        return Target(settings, Account.from_environment(), confirmed=False)
    cloud = process.start(settings.home, sweep=sweep) if start else process.find(settings.home)
    if cloud is None:
        raise NotRunningError
    return Target(settings, EmbeddedPlace(cloud, region_from_environment()), confirmed=True)
