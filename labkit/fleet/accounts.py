"""The way into each account of a roster."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from labkit.aws import aws_errors_in_words, error_code, error_message
from labkit.cloud.session import models
from labkit.errors import LabError
from labkit.fleet import rehearsal
from labkit.fleet.guards import Guards, guard, refuse_protected
from labkit.fleet.roster import Seat
from labkit.fleet.workers import Stop
from labkit.settings import Settings
from labkit.target.account import Account, ask_at_terminals_only, read_credentials
from labkit.target.embedded import DEFAULT_REGION, EmbeddedPlace
from labkit.target.target import Place, Target

# How AWS refuses good credentials in a region that is not enabled for their account.
_NOT_ENABLED = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "OptInRequired", "RegionDisabledException"}
)


class Reach:
    """Opens the accounts of a roster, each until the work is stopped."""

    def __init__(
        self, settings: Settings, stop: Stop, heard: Callable[[Any, Seat], None] = lambda session, seat: None
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._heard = heard
        self._own: dict[str, Any] = {}
        self._lock = threading.Lock()

    def place(self, seat: Seat) -> EmbeddedPlace | Account:
        """The account of a seat, as itself tells. LabError if it cannot be reached, or another account answers."""
        place = self._fake_account(seat) if seat.endpoint else self._account(seat)
        if place.account != seat.account:
            raise LabError(
                f"The roster says account {seat.account}, but account {place.account} answers.",
                "Mend the account id of the row, or its profile or role.",
            )
        self._stop.hold(place.session)
        self._heard(place.session, seat)
        return place

    def settings(self, seat: Seat) -> Settings:
        """The settings of a seat's lab, as this machine sees it."""
        if seat.endpoint:
            home = rehearsal.account_home(self._settings.home, seat.account)
            return replace(self._settings, place_kind="embedded", name=seat.lab, home=home, own=False)
        return replace(self._settings, place_kind="aws", name=seat.lab, own=False, role_arn=seat.given_role_arn)

    def _fake_account(self, seat: Seat) -> EmbeddedPlace:
        cloud = rehearsal.running(self._settings.home, seat.account)
        if cloud is None or cloud.endpoint_url != seat.endpoint.rstrip("/"):
            raise LabError(
                f"No fake account {seat.account} answers at {seat.endpoint}.",
                "Start the class again and use the roster that it writes: labkit cloud class start N",
            )
        return EmbeddedPlace(cloud, seat.region)

    def _account(self, seat: Seat) -> Account:
        with aws_errors_in_words(seat.profile):
            own = self._own_session(seat.profile) if seat.role else None
            try:
                return _enter(own, seat, seat.region)
            except ClientError as error:
                raise _obstacle(own, seat, error) from error

    def _own_session(self, profile: str) -> Any:
        """The instructor's own session, made once for each profile."""
        with self._lock:
            if profile not in self._own:
                self._own[profile] = _session(profile, None)  # with its credentials: one thread alone may read them
            return self._own[profile]


def _enter(own: Any, seat: Seat, region: str) -> Account:
    if own is not None:
        return Account.assumed(own, seat.role_arn, region)
    return Account.of(_session(seat.profile, region))


def _session(profile: str, region: str | None) -> Any:
    core = botocore.session.Session(profile=profile or None)
    core.register_component("data_loader", models())
    ask_at_terminals_only(core)
    session = boto3.Session(botocore_session=core, region_name=region)
    read_credentials(session)
    return session


def _obstacle(own: Any, seat: Seat, error: ClientError) -> LabError | ClientError:
    """Why an account cannot be entered, said as exactly as can be told."""
    if seat.role and error.operation_name == "AssumeRole":
        return _closed(own, seat) or _not_assumed(seat, error)
    if error_code(error) in _NOT_ENABLED and seat.region != DEFAULT_REGION and _enters_elsewhere(own, seat):
        return LabError(
            f"Region {seat.region} is not enabled in account {seat.account}.",
            "Enable it in the account's settings, which takes some minutes, or change the row's region.",
        )
    return error


def _not_assumed(seat: Seat, error: ClientError) -> LabError | ClientError:
    if error_code(error) not in ("AccessDenied", "NoSuchEntity", "ValidationError"):
        return error
    return LabError(
        f"The role {seat.role_arn} cannot be assumed: {error_message(error)}",
        "Its trust policy has to name you, and you need sts:AssumeRole on it. Mend that, or the row's role.",
    )


def _closed(own: Any, seat: Seat) -> LabError | None:
    """That the account is closed, if the organisation says so; None too if it says nothing."""
    try:
        client = own.client("organizations", region_name=DEFAULT_REGION)
        account = client.describe_account(AccountId=seat.account)["Account"]
    except (ClientError, BotoCoreError):
        return None
    state = account.get("State") or account.get("Status", "ACTIVE")
    if state == "ACTIVE":
        return None
    return LabError(
        f"Account {seat.account} is closed: its organisation calls it {state}.", "Take its row out of the roster."
    )


def _enters_elsewhere(own: Any, seat: Seat) -> bool:
    try:
        _enter(own, seat, DEFAULT_REGION)
    except (ClientError, BotoCoreError):
        return False
    return True


class Opened:
    """One account and region of a roster. The labs in it share their clients. Nothing is asked of it yet.

    Args:
        reach: opens it when a target is asked for.
        seats: all that share it.
        guards: what may speak against opening it.
    """

    def __init__(self, reach: Reach, seats: tuple[Seat, ...], guards: Guards | None = None) -> None:
        self.seats = seats
        self._reach = reach
        self._guards = guards
        self._ways: dict[tuple[str, str, str], tuple[Place, dict[str, Any]] | LabError] = {}

    def target(self, seat: Seat, *, confirmed: bool = False, own_clients: bool = False) -> Target:
        """The place of a seat's lab.

        Args:
            seat: one of this account and region.
            confirmed: whether writing to it is agreed to.
            own_clients: make clients that no other lab uses.

        Raises:
            LabError: the account cannot be reached, or a guard speaks against it.
        """
        if seat.way not in self._ways:
            try:
                self._ways[seat.way] = self._enter(seat)
            except LabError as error:
                self._ways[seat.way] = error
        entered = self._ways[seat.way]
        if isinstance(entered, LabError):
            raise entered
        place, clients = entered
        return Target(self._reach.settings(seat), place, confirmed, {} if own_clients else clients)

    def _enter(self, seat: Seat) -> tuple[Place, dict[str, Any]]:
        if self._guards:
            refuse_protected(seat.account, self._guards)
        place, clients = self._reach.place(seat), dict[str, Any]()
        if self._guards:
            with aws_errors_in_words(seat.profile):
                guard(Target(self._reach.settings(seat), place, False, clients), self._guards)
        return place, clients
