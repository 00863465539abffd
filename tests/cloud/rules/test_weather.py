"""Rough weather: slow to settle, sometimes turning a call away, and repeatable."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from labkit.cloud import process
from labkit.cloud.rules.memory import Weather
from labkit.cloud.rules.weather import THROTTLED
from labkit.cloud.session import session
from labkit.target.embedded import EmbeddedPlace
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, refusal, zipped
from tests.labs import lab_at

HELLO = "def handler(event, context):\n    print('x')\n    return {'statusCode': 200, 'body': 'hello'}\n"


def strikes(weather: Weather, calls: int) -> list[bool]:
    """Which of so many calls are turned away."""
    return [weather.strikes("throttling", "lambda GetFunction") for _ in range(calls)]


def test_calm_weather_turns_nothing_away_and_settles_at_once() -> None:
    calm = Weather("calm", seed=1)
    assert not any(strikes(calm, 1000))
    calm.changed("role", "r", now=100.0)
    assert calm.settled("role", "r", now=100.0)


def test_rough_weather_is_the_same_for_the_same_seed_and_never_strikes_twice_in_a_row() -> None:
    first, again, other = (strikes(Weather("rough", seed), 1000) for seed in (7, 7, 8))
    assert first == again != other
    assert 30 < sum(first) < 130
    assert not any(one and two for one, two in itertools.pairwise(first))


def test_what_is_new_takes_time_to_be_seen() -> None:
    rough = Weather("rough", seed=1)
    rough.changed("role", "r", now=100.0)
    assert not rough.settled("role", "r", now=101.9)
    assert rough.settled("role", "r", now=102.0)
    assert rough.settled("role", "older", now=100.0)


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a cloud in rough weather."""
    home = tmp_path_factory.mktemp("rough") / "home"
    process.start(home, supervised=True, weather="rough", seed=1)
    yield home
    process.stop(home)


@pytest.fixture
def rough_site(rough: Path) -> Iterator[Site]:
    cloud = process.find(rough)
    assert cloud is not None
    built = Site(EmbeddedPlace(cloud, "us-east-1"))
    with built.ends:
        yield built


@proves("throttled", "conflicting")
def test_throttling_and_conflicts_bear_the_names_of_their_services(rough: Path) -> None:
    cloud = process.find(rough)
    assert cloud is not None
    once = Config(retries={"total_max_attempts": 1})
    made = session(cloud, "us-east-1")

    def errors(service: str, ask: Any) -> set[tuple[str, int, str]]:
        client = made.client(service, config=once)
        seen = set()
        for number in range(100):
            try:
                ask(client, number)
            except client.exceptions.ClientError as error:
                told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
                seen.add((told["Code"], status, told["Message"]))
        return seen

    assert errors("cognito-idp", lambda c, _: c.list_user_pools(MaxResults=1)) == {
        ("TooManyRequestsException", 400, "Rate exceeded")
    }
    assert errors("iam", lambda c, _: c.list_roles()) == {("Throttling", 400, "Rate exceeded")}
    assert errors("lambda", lambda c, _: c.list_functions()) == {("TooManyRequestsException", 429, "Rate exceeded")}
    assert errors("logs", lambda c, _: c.describe_log_groups()) == {("ThrottlingException", 400, "Rate exceeded")}
    api = made.client("apigatewayv2").create_api(Name="a", ProtocolType="HTTP")["ApiId"]
    assert errors("apigatewayv2", lambda c, n: c.create_route(ApiId=api, RouteKey=f"GET /{n}")) == {
        ("TooManyRequestsException", 429, "Too Many Requests"),
        (
            "ConflictException",
            409,
            "Unable to complete operation due to concurrent modification. Please try again later.",
        ),
    }
    assert set(THROTTLED) == {"apigateway", "cognito-idp", "iam", "lambda", "logs", "sts", "tagging"}


@proves("roles_take_time", "lambda_can_assume_the_role", "pending_function_is_not_invoked")
def test_a_new_role_and_a_new_function_take_time(rough_site: Site) -> None:
    client, role, name = rough_site.client("lambda"), rough_site.role(), rough_site.name("function")
    settings = {"FunctionName": name, "Runtime": "python3.13", "Role": role, "Handler": "index.handler"}
    code = {"ZipFile": zipped(HELLO)}
    assert refusal(client.create_function, **settings, Code=code)[2].endswith("cannot be assumed by Lambda.")
    time.sleep(2)
    client.create_function(**settings, Code=code)
    rough_site.later(client.delete_function, FunctionName=name)
    assert client.get_function(FunctionName=name)["Configuration"]["State"] == "Pending"
    assert refusal(client.invoke, FunctionName=name)[:2] == ("ResourceConflictException", 409)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    assert client.invoke(FunctionName=name)["StatusCode"] == 200


@proves("permissions_take_time", "automatic_stages_deploy_themselves")
def test_a_new_route_is_404_and_a_new_permission_500_at_first(rough_site: Site) -> None:
    function, api = rough_site.function(HELLO), rough_site.api()
    rough_site.route(api, "GET /hello", rough_site.integration(api, function))
    rough_site.stage(api)
    seen = [rough_site.status(api, "/hello")]
    while seen[-1] == 404:
        time.sleep(0.1)
        seen.append(rough_site.status(api, "/hello"))
    assert seen[0] == 404
    assert seen[-1] == 500
    rough_site.permit_api(function, api)
    seen = [rough_site.status(api, "/hello")]
    while seen[-1] == 500:
        time.sleep(0.1)
        seen.append(rough_site.status(api, "/hello"))
    assert seen[0] == 500
    assert seen[-1] == 200


def test_the_whole_lab_is_built_and_taken_down_in_rough_weather(rough: Path) -> None:
    lab = lab_at(rough, "rough")
    lab.up()
    assert lab.check().findings == ()
    lab.down()
