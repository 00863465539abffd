"""A boto3 session that leads to one embedded cloud, whatever the caller's environment and AWS files say."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from labkit.cloud.protocol import Cloud

# What botocore reads from the environment or from a file, each reduced to its default.
_DEFAULTS = {
    name: (None, None, default, convert)
    for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
}
# Standard mode knows each service's throttling errors.
RETRIES = {"mode": "standard", "total_max_attempts": 6}
_NO_FILES = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))


def session(cloud: Cloud, region: str) -> Any:
    """Make a boto3 session for a cloud: its credentials, and clients that speak to its endpoint without a proxy.

    Args:
        cloud: the running cloud.
        region: the region that the clients name in their requests, us-east-1 for example.
    """
    core = botocore.session.Session(session_vars=_DEFAULTS | _NO_FILES)
    core.register_component("data_loader", models())
    core.set_default_client_config(Config(retries=RETRIES, proxies={}))
    made = boto3.Session(
        aws_access_key_id=cloud.access_key_id,
        aws_secret_access_key=cloud.secret_access_key,
        region_name=region,
        botocore_session=core,
    )
    made.client = functools.partial(made.client, endpoint_url=cloud.endpoint_url)
    return made


def read_models(services: Iterable[str]) -> None:
    """Read the descriptions of services, which making their first clients would have to wait for."""
    for service in services:
        for description in ("service-2", "endpoint-rule-set-1"):
            models().load_service_model(service, description)


@functools.cache
def models() -> Loader:
    """The descriptions of AWS's services, read once for all sessions of this process that take them from here."""
    return create_loader()
