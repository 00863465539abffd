"""A lab in AWS as moto plays it, behind a gate that allows what the attendee's policy does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit.cloud.protocol import Cloud
from labkit.lab import Lab
from labkit.removal.second_scan import scan
from labkit.settings import Settings
from labkit.steps.boundary import NAME
from tests.aws_account import play
from tests.judges.moto_account import ACCOUNT, LACKING, Gaps, serving
from tests.labs import Calls, settings_report
from tests.policies.calls import Account, Gate

DOCS = Path(__file__).parent.parent.parent / "docs"
POLICY = json.loads((DOCS / "attendee-policy.json").read_text())


@pytest.fixture(scope="module")
def moto(judge: Callable[[str], str]) -> Iterator[Cloud]:
    """moto's server."""
    with serving(judge("moto_server")) as cloud:
        yield cloud


@pytest.fixture
def gate(moto: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """AWS as moto plays it, with the boundary in the account, and nothing but the attendee's policy."""
    play(moto, monkeypatch)
    made = Gate(Account(ACCOUNT), [POLICY])
    with Gaps().filled(), made.closed():
        with made.open():
            boto3.client("iam", "us-east-1").create_policy(
                PolicyName=NAME, PolicyDocument=(DOCS / "boundary.json").read_text()
            )
        yield made


def client(moto: Cloud, service: str) -> Any:
    """A client of moto alone."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=moto.endpoint_url,
        aws_access_key_id=moto.access_key_id,
        aws_secret_access_key=moto.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def lab_in_aws(folder: Path) -> Lab:
    lab = Lab(Settings("aws", "moto-lab", folder, "python3.13"), tell=lambda told: None)
    lab.target.confirm(ACCOUNT)
    return lab


def test_a_lab_from_an_empty_account_to_an_empty_account(gate: Gate, tmp_path: Path) -> None:
    lab = lab_in_aws(tmp_path)
    assert not lab.status().ids
    lab.up()
    assert settings_report(lab).findings == ()

    calls = Calls(lab.target)
    lab.up()
    assert calls.writes == []

    ids = lab.status().ids
    with gate.open():
        lab.target.client("lambda").delete_function(FunctionName="moto-lab-LambdaForAdminUser")
        lab.target.client("apigatewayv2").update_route(
            ApiId=ids["api_id"], RouteId=ids["admin_route_id"], AuthorizationScopes=["other"]
        )
        lab.target.client("cognito-idp").admin_remove_user_from_group(
            UserPoolId=ids["user_pool_id"], Username="adminuser", GroupName="admin"
        )
    assert len(settings_report(lab).findings) >= 3
    lab.up()
    assert settings_report(lab).findings == ()

    assert lab.down().clean
    assert scan(lab.target) == ()


@pytest.mark.parametrize("name", LACKING)
def test_what_moto_is_said_to_lack_it_lacks(name: str, moto: Cloud) -> None:
    """When one of these fails, moto has learned it: delete its row in `moto_account`."""
    service, operation = name.split(":")
    api, pool = client(moto, "apigatewayv2"), client(moto, "cognito-idp")
    api_id = api.create_api(Name="gap", ProtocolType="HTTP")["ApiId"]
    pool_arn = pool.create_user_pool(PoolName="gap")["UserPool"]["Arn"]
    asked: dict[str, dict[str, str]] = {
        "GetAuthorizers": {"ApiId": api_id},
        "CreateDeployment": {"ApiId": api_id},
        "GetDeployment": {"ApiId": api_id, "DeploymentId": "any"},
        "ListTagsForResource": {"ResourceArn": pool_arn},
    }

    with pytest.raises(ClientError) as error:
        client(moto, service)._make_api_call(operation, asked[operation])

    assert error.value.response["Error"]["Code"] in ("404", "405", "500")
