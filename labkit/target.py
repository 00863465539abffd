"""Where a lab runs: the embedded cloud of this machine, or an AWS account. Everything above works on either."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError, NoRegionError

from labkit.aws import every, explained
from labkit.cloud import process
from labkit.cloud.process import Cloud
from labkit.cloud.session import client_config, models, session
from labkit.errors import LabError, UsageError
from labkit.loopback import is_loopback
from labkit.naming import Names
from labkit.settings import Settings

DEFAULT_REGION = "us-east-1"


class NotRunningError(LabError):
    """The embedded cloud is not running, and was not to be started."""

    def __init__(self) -> None:
        super().__init__("The embedded cloud is not running.", "Build the lab, which starts it: labkit up")


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


def embedded_folder(settings: Settings) -> Path:
    """The private folder of a lab in the embedded cloud, whichever cloud that is today."""
    return settings.home / "labs" / "embedded" / settings.name


def open_target(settings: Settings, *, start: bool = True) -> Target:
    """Open the place that the settings name.

    Args:
        settings: the lab's settings.
        start: start the embedded cloud if it is not running.

    Raises:
        NotRunningError: the embedded cloud is not running and may not be started.
        LabError: it cannot be started, or AWS cannot be reached.
    """
    if settings.target == "aws":
        return Target(settings, Account.from_environment(), confirmed=False)
    cloud = process.start(settings.home) if start else process.find(settings.home)
    if cloud is None:
        raise NotRunningError
    return Target(settings, EmbeddedPlace(cloud, region_from_environment()), confirmed=True)


def region_from_environment() -> str:
    """The region of the embedded cloud: `AWS_REGION`, `AWS_DEFAULT_REGION` or us-east-1."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


@dataclass
class EmbeddedPlace:
    """The embedded cloud. It takes nothing from the caller's AWS variables but the region."""

    cloud: Cloud
    region: str
    kind: str = "embedded"
    partition: str = "aws"
    patience: float = 0

    def __post_init__(self) -> None:
        if self.cloud.weather == "rough":
            self.patience = 10

    @property
    def account(self) -> str:
        """The account id that this cloud made up for itself."""
        return self.cloud.account_id

    @property
    def credentials(self) -> dict[str, str]:
        """The variables that lead the AWS CLI and the SDKs to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.cloud.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.cloud.secret_access_key,
        }

    @cached_property
    def session(self) -> Any:
        """The boto3 session of this cloud."""
        return session(self.cloud, self.region)

    def client(self, service: str) -> Any:
        """A client that talks to the embedded cloud only."""
        return self.session.client(service, endpoint_url=self.cloud.endpoint_url, config=client_config())

    def api_url(self, api_id: str) -> str:
        """The URL under which the embedded cloud serves an HTTP API."""
        return f"{self.cloud.endpoint_url}/_aws/execute-api/{api_id}"

    def issuer(self, user_pool_id: str) -> str:
        """The issuer as AWS writes it: the tokens of this cloud bear AWS's real host name."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{user_pool_id}"

    def keys_url(self, issuer: str) -> str:
        """The key set of a user pool, served from this cloud instead of the host that the issuer names."""
        pool = urlsplit(issuer)
        if is_loopback(pool.hostname):
            return f"{issuer.rstrip('/')}/.well-known/jwks.json"
        return f"{self.cloud.endpoint_url}{pool.path}/.well-known/jwks.json"


@dataclass
class Account:
    """An AWS account, reached through the standard chain of credentials, profile and region."""

    session: Any
    region: str
    account: str
    partition: str
    kind: str = "aws"
    credentials: dict[str, str] = field(default_factory=dict)
    patience: float = 45

    @classmethod
    def from_environment(cls) -> Account:
        """Ask AWS who we are.

        Raises:
            LabError: no credentials, no region, an expired session, or no network.
            UsageError: an endpoint on this machine stands in AWS's place.
        """
        with explained():
            chain = boto3.Session(region_name=os.environ.get("AWS_REGION"))
            if chain.region_name is None:  # STS alone would do without
                raise NoRegionError
            return cls.of(chain)

    @classmethod
    def of(cls, session: Any) -> Account:
        """The account that a boto3 session with a region leads to, told by AWS itself.

        Raises:
            ClientError, BotoCoreError: AWS does not say who the session is.
            UsageError: an endpoint on this machine stands in AWS's place.
        """
        client = session.client("sts", config=_account_config())
        _refuse_loopback(client.meta.endpoint_url)
        _, partition, _, _, account, _ = client.get_caller_identity()["Arn"].split(":", 5)
        return cls(session, session.region_name, account, partition)

    @classmethod
    def assumed(cls, session: Any, role_arn: str, region: str) -> Account:
        """The account that a role opens to a boto3 session; its credentials are renewed before they expire.

        Raises:
            ClientError, BotoCoreError: the role cannot be assumed, or the region is not enabled for it.
            UsageError: an endpoint on this machine stands in AWS's place.
        """
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        core = botocore.session.Session()
        core.register_component("data_loader", models())
        home = session.region_name or DEFAULT_REGION  # the role's own region may not be enabled for the session
        assume = AssumeRoleCredentialFetcher(
            functools.partial(core.create_client, region_name=home, config=_account_config()),
            credentials,
            role_arn,
            extra_args={"RoleSessionName": "jwt-authorizer-lab"},
        )
        core.register_component("credential_provider", _Assumed(assume))
        return cls.of(boto3.Session(botocore_session=core, region_name=region))

    def client(self, service: str) -> Any:
        """A client of the account."""
        client = self.session.client(service, config=_account_config())
        _refuse_loopback(client.meta.endpoint_url)
        return client

    @property
    def _dns_suffix(self) -> str:
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def api_url(self, api_id: str) -> str:
        """The execute-api URL of an HTTP API."""
        return f"https://{api_id}.execute-api.{self.region}.{self._dns_suffix}"

    def issuer(self, user_pool_id: str) -> str:
        """The issuer of a user pool. https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html"""
        return f"https://cognito-idp.{self.region}.{self._dns_suffix}/{user_pool_id}"

    def keys_url(self, issuer: str) -> str:
        """The key set of an issuer, beside its discovery document."""
        return f"{issuer.rstrip('/')}/.well-known/jwks.json"


@dataclass
class _Assumed:
    """Gives a botocore session the credentials of an assumed role, and renews them."""

    assume: Any

    def load_credentials(self) -> Any:
        return DeferredRefreshableCredentials(self.assume.fetch_credentials, "assume-role")


def _account_config() -> Config:
    # Standard mode also retries Cognito's TooManyRequestsException, which the default mode does not.
    return Config(retries={"mode": "standard", "total_max_attempts": 6}, user_agent_extra="jwt-authorizer-lab")


def _refuse_loopback(endpoint_url: str) -> None:
    if is_loopback(urlsplit(endpoint_url).hostname):
        raise UsageError(
            f"LABKIT_TARGET is aws, but the AWS endpoint is {endpoint_url}, on this machine.",
            "Open a new terminal, or unset what `labkit env` set for the embedded cloud: AWS_ENDPOINT_URL, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
