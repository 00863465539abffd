"""Sessions for the embedded cloud, whatever the caller's environment says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.config import Config

from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session

CLOUD = Cloud(1, 4566, "http://127.0.0.1:4566", "123456789012", "AKIAABCDEFGHIJKLMNOP", "s" * 40, "0123", 0.0)


@pytest.fixture
def hostile_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\nmax_attempts = 1\nendpoint_url = http://127.0.0.1:1\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "x",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nowhere",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_RETRY_MODE": "nonsense",
        "AWS_DEFAULTS_MODE": "nonsense",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_environment")
def test_a_client_is_made_of_the_cloud_alone() -> None:
    made = session(CLOUD, "us-east-2")
    client = made.client("iam")
    credentials = made.get_credentials()

    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert made.client("cognito-idp").meta.region_name == "us-east-2"
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 6}
    assert client.meta.config.proxies == {}
    assert (credentials.access_key, credentials.token) == ("AKIAABCDEFGHIJKLMNOP", None)


@pytest.mark.usefixtures("hostile_environment")
def test_a_config_of_ones_own_keeps_the_proxies_out() -> None:
    client = session(CLOUD, "us-east-2").client("iam", config=Config(read_timeout=3))

    assert client.meta.config.proxies == {}
    assert (client.meta.config.read_timeout, client.meta.config.retries["mode"]) == (3, "standard")
