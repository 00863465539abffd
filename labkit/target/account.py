"""An AWS account as a lab's place."""

from __future__ import annotations

import functools
import getpass
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, CredentialRetrievalError, NoCredentialsError, NoRegionError

from labkit.aws import aws_errors_in_words, partition, require_cognito
from labkit.cloud.session import RETRIES, models
from labkit.errors import LabError, UsageError
from labkit.machine.loopback import leads_here
from labkit.target.embedded import DEFAULT_REGION


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
        with aws_errors_in_words():
            core = botocore.session.Session()
            ask_at_terminals_only(core)
            chain = boto3.Session(botocore_session=core, region_name=os.environ.get("AWS_REGION"))
            if chain.region_name is None:  # STS alone would do without
                raise NoRegionError
            read_credentials(chain)
            return cls.of(chain)

    @classmethod
    def of(cls, session: Any) -> Account:
        """The account that a boto3 session with a region leads to, told by AWS itself.

        Raises:
            ClientError, BotoCoreError: AWS does not say who the session is.
            UsageError: an endpoint on this machine stands in AWS's place, or the region has no user pools.
        """
        client = session.client("sts", config=_account_config())
        _refuse_loopback(client.meta.endpoint_url)
        require_cognito(session.region_name)
        _, of_arn, _, _, account, _ = client.get_caller_identity()["Arn"].split(":", 5)
        return cls(session, session.region_name, account, of_arn)

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

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of the account, in its own region or another."""
        client = self.session.client(service, region_name=region, config=_account_config())
        _refuse_loopback(client.meta.endpoint_url)
        return client

    def function_regions(self) -> list[str]:
        """The regions of this partition that have Lambda."""
        return list(self.session.get_available_regions("lambda", partition_name=self.partition))

    @property
    def _dns_suffix(self) -> str:
        return partition(self.region).dns_suffix

    def api_url(self, api_id: str) -> str:
        """The execute-api URL of an HTTP API."""
        return f"https://{api_id}.execute-api.{self.region}.{self._dns_suffix}"

    def issuer(self, user_pool_id: str) -> str:
        """The issuer of a user pool. https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html"""
        return f"https://cognito-idp.{self.region}.{self._dns_suffix}/{user_pool_id}"

    def keys_url(self, issuer: str) -> str:
        """The key set of an issuer, beside its discovery document."""
        return f"{issuer.rstrip('/')}/.well-known/jwks.json"


def read_credentials(session: Any) -> None:
    """Find a session's credentials, so that what a profile calls or reads for them fails as botocore's errors do."""
    try:
        if found := session.get_credentials():
            found.get_frozen_credentials()
    except (OSError, ValueError) as error:
        if isinstance(error, BotoCoreError):
            raise
        raise CredentialRetrievalError(provider="the profile", error_msg=error) from error


def ask_at_terminals_only(core: Any) -> None:
    """Let the SDK ask for a profile's MFA code where somebody can type it. Elsewhere it would wait for ever, unseen.

    Args:
        core: a botocore session.

    Raises:
        BotoCoreError: there is no such profile, or its file cannot be read.
    """

    def ask(prompt: str) -> str:
        if sys.stdin and sys.stdin.isatty():
            return getpass.getpass(prompt)
        name = core.profile or "default"
        raise LabError(
            f"Profile {name} wants an MFA code, and there is no terminal here to type it.",
            "Get its credentials in a terminal, and start the lab from there: "
            f'eval "$(aws configure export-credentials --profile {name} --format env)"',
        )

    core.get_component("credential_provider").get_provider("assume-role")._prompter = ask


@dataclass
class _Assumed:
    """Gives a botocore session the credentials of an assumed role, and renews them."""

    assume: Any

    def load_credentials(self) -> Any:
        return DeferredRefreshableCredentials(self.assume.fetch_credentials, "assume-role")


def _account_config() -> Config:
    return Config(retries=RETRIES, user_agent_extra="jwt-authorizer-lab")


def _refuse_loopback(endpoint_url: str) -> None:
    if leads_here(endpoint_url):
        raise UsageError(
            f"LABKIT_TARGET is aws, but the AWS endpoint is {endpoint_url}, on this machine.",
            "Open a new terminal, or unset what `labkit env` set for the embedded cloud: AWS_ENDPOINT_URL, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
