"""The embedded cloud as a lab's place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.cloud.protocol import FUNCTION_REGIONS, Cloud
from labkit.machine.loopback import is_loopback
from labkit.settings import Settings

if TYPE_CHECKING:
    from labkit.cloud.visits import Visit

DEFAULT_REGION = "us-east-1"

# What an instructor keeps of a lab in a rehearsed class is not what its attendee keeps.
FOLDERS = {True: "embedded", False: "embedded-of-others"}


def embedded_folder(settings: Settings) -> Path:
    """The private folder of a lab in the embedded cloud, whichever cloud that is today."""
    return settings.home / "labs" / FOLDERS[settings.own] / settings.name


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
        from labkit.cloud.session import session  # noqa: PLC0415 - finding the cloud does not wait for AWS's SDK

        return session(self.cloud, self.region)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client that talks to the embedded cloud only, in its own region or another."""
        return self.session.client(service, region_name=region)

    def function_regions(self) -> list[str]:
        """The regions that have functions. LabError if the cloud does not tell."""
        from labkit.cloud.private import told  # noqa: PLC0415

        return list(told(self.cloud, FUNCTION_REGIONS))

    def visits(self, api_id: str) -> list[Visit]:
        """Who came to an API lately, the first first. LabError if the cloud does not tell."""
        from labkit.cloud.visits import visits  # noqa: PLC0415

        return visits(self.cloud, api_id)

    def api_url(self, api_id: str) -> str:
        """The URL under which the embedded cloud serves an HTTP API."""
        return f"{self.cloud.endpoint_url}/_aws/execute-api/{api_id}"

    def issuer(self, user_pool_id: str) -> str:
        """The issuer as AWS writes it: the tokens of this cloud bear AWS's real host name."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{user_pool_id}"

    def keys_url(self, issuer: str) -> str:
        """The key set of a user pool, served from this cloud instead of the host that the issuer names."""
        pool = urlsplit(issuer)
        base = issuer.rstrip("/") if is_loopback(pool.hostname) else f"{self.cloud.endpoint_url}{pool.path}"
        return f"{base}/.well-known/jwks.json"
