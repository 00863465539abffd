"""AWS as moto plays it: its server in the place of AWS, and what it lacks of the lab's calls.

moto is an implementation of AWS's APIs by others: https://docs.getmoto.org/
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from labkit.cloud.protocol import Cloud

ACCOUNT = "123456789012"  # moto's own

Call = Callable[..., dict[str, Any]]


@contextlib.contextmanager
def serving(program: str) -> Iterator[Cloud]:
    """moto's server on a free port of loopback, described as a cloud that AWS's stand-in can forward to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/moto-api/")
        yield Cloud(server.pid, port, url, ACCOUNT, "AKIA" + "M" * 16, "m" * 40, "moto", time.time())
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.1)
    raise TimeoutError("moto did not start")


@dataclass
class Gaps:
    """What moto 5.2 lacks of the lab's calls, each answered from what it does have."""

    authorizers: list[str] = field(default_factory=list)
    deployments: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @contextlib.contextmanager
    def filled(self) -> Iterator[None]:
        """Answer in moto's place what it lacks."""
        make = BaseClient._make_api_call
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", lambda client, *call: self._call(make, client, *call))
            yield

    def _call(self, make: Call, client: Any, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        name = f"{client.meta.service_model.service_name}:{operation}"
        if name in LACKING:
            return LACKING[name](self, lambda *asked: make(client, *asked), given)
        answer = make(client, operation, given)
        if operation == "CreateAuthorizer":
            self.authorizers.append(answer["AuthorizerId"])
        if operation == "GetStages":
            for stage in answer["Items"]:
                stage.update(self.deployments.get((given["ApiId"], stage["StageName"]), {}))
        return answer

    def list_authorizers(self, ask: Call, given: dict[str, Any]) -> dict[str, Any]:
        """Those that were created and can still be got."""
        found = []
        for authorizer in self.authorizers:
            with contextlib.suppress(ClientError):
                found.append(ask("GetAuthorizer", {"ApiId": given["ApiId"], "AuthorizerId": authorizer}))
        return {"Items": found}

    def deploy(self, ask: Call, given: dict[str, Any]) -> dict[str, Any]:
        """Noted, and told of its stage from then on."""
        made = {"DeploymentId": f"d{len(self.deployments)}", "Description": given["Description"]}
        self.deployments[given["ApiId"], given["StageName"]] = made
        return {**made, "DeploymentStatus": "DEPLOYED"}

    def deployment(self, ask: Call, given: dict[str, Any]) -> dict[str, Any]:
        """What was noted."""
        return next(made for made in self.deployments.values() if made["DeploymentId"] == given["DeploymentId"])

    def tags_of_user_pool(self, ask: Call, given: dict[str, Any]) -> dict[str, Any]:
        """The tags that DescribeUserPool tells."""
        pool = ask("DescribeUserPool", {"UserPoolId": given["ResourceArn"].rsplit("/", 1)[1]})["UserPool"]
        return {"Tags": pool.get("UserPoolTags", {})}


LACKING: dict[str, Callable[[Gaps, Call, dict[str, Any]], dict[str, Any]]] = {
    "apigatewayv2:GetAuthorizers": Gaps.list_authorizers,
    "apigatewayv2:CreateDeployment": Gaps.deploy,
    "apigatewayv2:GetDeployment": Gaps.deployment,
    "cognito-idp:ListTagsForResource": Gaps.tags_of_user_pool,
}
