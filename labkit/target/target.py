"""The place of one lab: its clients, names and private folder, and whether writing there is agreed to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from labkit.aws import every, explained
from labkit.errors import LabError, UsageError
from labkit.settings import Settings
from labkit.target.embedded import embedded_folder
from labkit.target.names import Names


class Place(Protocol):
    """What differs between the embedded cloud and an AWS account."""

    kind: str
    region: str
    partition: str
    patience: float  # seconds by which what is served may lag behind what was configured

    @property
    def account(self) -> str:
        """The account id."""

    @property
    def credentials(self) -> dict[str, str]:
        """The variables that lead other tools here, where the standard chain does not."""

    def client(self, service: str) -> Any:
        """A new boto3 client of a service."""

    def api_url(self, api_id: str) -> str:
        """The URL of an HTTP API's `$default` stage, without a slash at its end."""

    def issuer(self, user_pool_id: str) -> str:
        """The issuer of a user pool's tokens."""

    def keys_url(self, issuer: str) -> str:
        """Where the key set of an issuer is served."""


@dataclass
class Target:
    """One lab's place: its clients, its names and its private folder.

    A client is made once a service. `confirmed` tells whether writing to this place is agreed to.
    """

    settings: Settings
    place: Place
    confirmed: bool
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service: `cognito-idp`, `apigatewayv2`, ..."""
        if service not in self._clients:
            self._clients[service] = self.place.client(service)
        return self._clients[service]

    @cached_property
    def names(self) -> Names:
        """The names of this lab's resources here."""
        return Names(self.settings.name, self.place.account, self.place.region, self.place.partition)

    @property
    def folder(self) -> Path:
        """The private folder of this lab on this machine: passwords, progress, the calls that built it."""
        if self.place.kind == "embedded":
            return embedded_folder(self.settings)
        return self.settings.home / "labs" / f"{self.place.account}-{self.place.region}" / self.settings.name

    @cached_property
    def account_alias(self) -> str | None:
        """The account's alias, if it has one that may be read."""
        try:
            with explained():
                return next(iter(every(self.client("iam"), "list_account_aliases", "AccountAliases")), None)
        except LabError:
            return None

    def confirm(self, account: str | None) -> None:
        """Agree to write to this account by naming it.

        Args:
            account: the account id that a person typed, or gave as `account=` or `--account`.

        Raises:
            UsageError: it is not the id of the account that the credentials lead to.
        """
        if account != self.place.account:
            raise UsageError(
                f"You named account {account}, but your credentials lead to account {self.place.account}.",
                "Choose the profile of the account that you mean (AWS_PROFILE), or name this one.",
            )
        self.confirmed = True

    def require_confirmation(self) -> None:
        """Refuse to go on unless writing here is agreed to. The embedded cloud asks for nothing.

        Raises:
            LabError: nobody has named the account yet.
        """
        if not self.confirmed:
            alias = f" ({self.account_alias})" if self.account_alias else ""
            raise LabError(
                f"This would write to AWS account {self.place.account}{alias}, region {self.place.region}, "
                f"lab {self.settings.name}, and nobody has confirmed it.",
                f'Name the account to agree: account="{self.place.account}" in a notebook, '
                f"--yes --account {self.place.account} in a terminal.",
            )
