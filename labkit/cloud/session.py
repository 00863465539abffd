"""A boto3 session that leads to one embedded cloud, whatever the caller's environment and AWS files say."""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from labkit.cloud import Cloud

# What botocore reads from the environment or from a file, each reduced to its default.
_DEFAULTS = {
    name: (None, None, default, convert)
    for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
}
_NO_FILES = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))


def session(cloud: Cloud, region: str) -> Any:
    """Make a boto3 session for a cloud: its credentials, and clients that speak to its endpoint without a proxy.

    Args:
        cloud: the running cloud.
        region: the region that the clients name in their requests, us-east-1 for example.
    """
    core = botocore.session.Session(session_vars=_DEFAULTS | _NO_FILES)
    core.set_default_client_config(client_config().merge(Config(proxies={})))
    made = boto3.Session(
        aws_access_key_id=cloud.access_key_id,
        aws_secret_access_key=cloud.secret_access_key,
        region_name=region,
        botocore_session=core,
    )
    made.client = functools.partial(made.client, endpoint_url=cloud.endpoint_url)
    return made


def client_config() -> Config:
    """How every client retries: botocore's standard mode, which knows each service's throttling errors."""
    return Config(retries={"mode": "standard", "max_attempts": 5}, parameter_validation=True)
