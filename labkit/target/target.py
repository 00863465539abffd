"""The place of one lab: its clients, names and private folder, and whether writing there is agreed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from labkit.aws import aws_errors_in_words, every, or_none
from labkit.errors import LabError, UsageError
from labkit.machine.locks import one_at_a_time
from labkit.machine.private_files import private_folder
from labkit.settings import Settings
from labkit.target.answers import Answers
from labkit.target.deeds import Deeds
from labkit.target.embedded import embedded_folder
from labkit.target.names import Names

# How many seconds a writer waits for the one before it.
PATIENCE = 60


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

    def client(self, service: str, region: str | None = None) -> Any:
        """A new boto3 client of a service, in this place's region or another."""

    def function_regions(self) -> list[str]:
        """The regions in which there may be functions."""

    def api_url(self, api_id: str) -> str:
        """The URL of an HTTP API's `$default` stage, without a slash at its end."""

    def issuer(self, user_pool_id: str) -> str:
        """The issuer of a user pool's tokens."""

    def keys_url(self, issuer: str) -> str:
        """Where the key set of an issuer is served."""


@dataclass
class Target:
    """One lab's place: its clients, its names and its private folder.

    A client is made once a service. `confirmed` tells whether writing to this place is agreed to, `reset_passwords`
    whether users get new passwords who have some; `deeds` keeps what is done to the lab's resources.
    """

    settings: Settings
    place: Place
    confirmed: bool
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)
    _answers: Answers | None = field(default=None, repr=False)
    reset_passwords: bool = False
    deeds: Deeds = field(default_factory=Deeds, repr=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service: `cognito-idp`, `apigatewayv2`, ..."""
        with self._making:  # a client may be used by several threads, and made by one
            if service not in self._clients:
                self._clients[service] = self.place.client(service)
                self._clients[service].meta.events.register("provide-client-params", _refuse_gaps)
            if self._answers:
                self._answers.listen(service, self._clients[service])
            return self._clients[service]

    @contextmanager
    def asking_once(self) -> Iterator[None]:
        """Ask AWS nothing twice while a verb runs, unless something of the service was changed in between."""
        if self._answers:
            yield
            return
        self._answers = Answers()
        try:
            yield
        finally:
            self._answers.close()
            self._answers = None

    def forget_answers(self) -> None:
        """Ask everything anew: what AWS answered had not settled yet."""
        if self._answers:
            self._answers.forget()

    def read(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """What AWS answers to a reading call; None if what it is about does not exist. Not to be changed.

        Raises:
            ClientError: AWS refused the call.
        """
        answer: dict[str, Any] | None = self._asked(
            service, operation, parameters, lambda client: or_none(getattr(client, operation), **parameters)
        )
        return answer

    def every(self, service: str, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a list operation. Not to be changed. ClientError if AWS refused the call."""
        items: list[dict[str, Any]] = self._asked(
            service, operation, parameters, lambda client: list(every(client, operation, key, **parameters))
        )
        return items

    def _asked(self, service: str, operation: str, parameters: Mapping[str, Any], ask: Callable[[Any], Any]) -> Any:
        client = self.client(service)
        if self._answers is None:
            return ask(client)
        return self._answers.to(service, (operation, repr(sorted(parameters.items()))), lambda: ask(client))

    @contextmanager
    def one_writer(self) -> Iterator[None]:
        """One writer at a time for a lab on this machine, with every AWS refusal in a sentence.

        Raises:
            BusyError: another process is changing the lab.
        """
        problem, remedy = "Another labkit is changing this lab.", "Let it finish, then repeat this."
        lock = private_folder(self.folder) / "lock"
        with one_at_a_time(lock, problem, remedy, patience=PATIENCE), aws_errors_in_words():
            yield

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
            with aws_errors_in_words():
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
        if str(account) != self.place.account:
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


def _refuse_gaps(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """Refuse a call of a learner's in which a value is still to be filled in."""
    if gaps := [name for name, value in params.items() if value is ...]:
        raise UsageError(
            f"In this call of {model.name} there is still `...` as {' and as '.join(gaps)}.",
            "Put a value of yours in its place, and run the cell again.",
        )
