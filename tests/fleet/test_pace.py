"""Calls keep to a rate, a throttle holds back every caller of its account and region, and stopping stops all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from labkit.fleet.pace import AWS_RATES, Bucket, Clock, Pacer, Rate, StoppedError


@dataclass
class Watch(Clock):
    """A clock on which time passes only while somebody sleeps."""

    time: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.time += seconds


@dataclass
class Session:
    """The events of a boto3 session, called as botocore calls them."""

    heard: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def events(self) -> Session:
        return self

    def register(self, name: str, handler: Any) -> None:
        self.heard.setdefault(name, []).append(handler)

    def call(self, operation: str, error: str = "") -> None:
        for handler in self.heard["before-send"]:
            handler(event_name=f"before-send.{operation}", request=None)
        answer = {"Error": {"Code": error}} if error else {}
        for handler in self.heard["response-received"]:
            handler(event_name=f"response-received.{operation}", parsed_response=answer, exception=None)


def session(pacer: Pacer, account: str = "123456789012", region: str = "us-east-1") -> Session:
    made = Session()
    pacer.attach(made, account, region)
    return made


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    watch = Watch()
    bucket = Bucket(Rate(10, 40), watch)  # of which the lab takes no more than 8 a second and 32 at once

    for _ in range(32):
        bucket.wait()
    assert watch.slept == []

    for _ in range(80):
        bucket.wait()
    assert watch.time == pytest.approx(110.0)


def test_a_pause_saves_up_no_more_than_one_burst() -> None:
    watch = Watch()
    bucket = Bucket(Rate(10, 10), watch)

    watch.time += 3600
    for _ in range(16):
        bucket.wait()

    assert watch.time == pytest.approx(3701.0)


def test_no_service_is_called_faster_than_aws_allows() -> None:
    for service, rate in AWS_RATES.items():
        watch = Watch()
        bucket, made = Bucket(rate, watch), 0
        while watch.time < 200:
            bucket.wait()
            made += 1
        assert made <= rate.burst + 100 * rate.per_second, service


def test_what_has_no_rate_does_not_wait() -> None:
    watch = Watch()
    one = session(Pacer({}, watch))

    for _ in range(1000):
        one.call("iam.GetRole")

    assert watch.slept == []


def test_a_throttle_holds_back_all_sessions_of_its_account_and_region_longer_each_time() -> None:
    watch = Watch()
    pacer = Pacer({}, watch)
    one, two = session(pacer), session(pacer)

    one.call("cognito-identity-provider.ListUserPools", error="TooManyRequestsException")
    two.call("cognito-identity-provider.ListUserPools", error="TooManyRequestsException")
    one.call("cognito-identity-provider.ListUserPools", error="TooManyRequestsException")
    two.call("cognito-identity-provider.ListUserPools")
    one.call("cognito-identity-provider.ListUserPools", error="TooManyRequestsException")
    one.call("cognito-identity-provider.ListUserPools")

    assert watch.slept == [0.5, 1.0, 2.0, 0.5]


@pytest.mark.parametrize(
    ("operation", "account", "region", "waits"),
    [
        ("lambda.GetFunction", "123456789012", "us-east-1", [0.5]),
        ("apigatewayv2.GetApis", "123456789012", "us-east-1", []),
        ("lambda.GetFunction", "210987654321", "us-east-1", []),
        ("lambda.GetFunction", "123456789012", "eu-west-1", []),
    ],
    ids=["the same", "another service", "another account", "another region"],
)
def test_what_a_throttle_holds_back(operation: str, account: str, region: str, waits: list[float]) -> None:
    watch = Watch()
    pacer = Pacer({}, watch)
    session(pacer).call("lambda.GetFunction", error="TooManyRequestsException")

    session(pacer, account, region).call(operation)

    assert watch.slept == waits


def test_iam_counts_by_account_whatever_the_region() -> None:
    watch = Watch()
    pacer = Pacer({}, watch)
    session(pacer).call("iam.GetRole", error="Throttling")

    session(pacer, region="eu-west-1").call("iam.GetRole")

    assert watch.slept == [0.5]


def test_once_stopped_no_call_is_made_and_nobody_waits() -> None:
    pacer = Pacer({"iam": Rate(0.001, 1)})
    one = session(pacer)
    one.call("iam.GetRole")

    pacer.stop()

    with pytest.raises(StoppedError):
        one.call("iam.GetRole")
    with pytest.raises(StoppedError):
        pacer.pause(1000)
