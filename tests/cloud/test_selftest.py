"""The self-test of a cloud."""

from __future__ import annotations

import http.server
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from labkit.cloud import process, selftest
from labkit.cloud.session import session
from labkit.errors import LabError


class Refusing(http.server.BaseHTTPRequestHandler):
    """A program that is not a cloud, and has its port."""

    def do_POST(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


def test_a_cloud_is_empty_after_its_self_test(home: Path) -> None:
    cloud = process.start(home)
    selftest.check(cloud)
    made = session(cloud, "us-east-1")

    assert made.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"] == []
    assert made.client("apigatewayv2").get_apis()["Items"] == []
    assert made.client("lambda").list_functions()["Functions"] == []
    assert made.client("iam").list_roles()["Roles"] == []
    assert made.client("logs").describe_log_groups()["logGroups"] == []


def test_rough_weather_is_no_failure(home: Path) -> None:
    cloud = process.start(home, weather="rough", seed=1)

    assert process.find(home) == cloud


def test_a_program_that_is_no_cloud_fails(home: Path) -> None:
    cloud = process.start(home)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        port = server.server_address[1]
        with pytest.raises(LabError, match=r"failed its self-test: .*CreateUserPool") as error:
            selftest.check(replace(cloud, port=port, endpoint_url=f"http://127.0.0.1:{port}"))
        server.shutdown()

    assert error.value.remedy.endswith("make install")
