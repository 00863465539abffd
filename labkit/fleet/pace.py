"""Calls at the pace that AWS allows: the rates of its control planes, and backing off together when it says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labkit.aws import THROTTLED


@dataclass(frozen=True)
class Rate:
    """So many calls a second, and so many at once after a pause, by service, account and region."""

    per_second: float
    burst: int


# The smallest documented rate of the operations that the lab uses, by botocore's name of the service. Others, the
# attendees themselves, call at the same time, so that no more than SHARE of it is used.
AWS_RATES: Mapping[str, Rate] = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    "apigatewayv2": Rate(10, 40),
    # https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html (UserPoolRead, UserPoolUpdate)
    "cognito-identity-provider": Rate(15, 15),
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (control plane)
    "lambda": Rate(15, 15),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html (DeleteLogGroup)
    "cloudwatch-logs": Rate(10, 10),
    # https://docs.aws.amazon.com/general/latest/gr/arg.html (GetResources)
    "resource-groups-tagging-api": Rate(15, 15),
    # IAM publishes no rate; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html names none.
    "iam": Rate(10, 20),
}
SHARE = 0.8

# Services that count their calls by account, whatever the region.
_GLOBAL = frozenset({"iam"})

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 16.0


class StoppedError(Exception):
    """Work was stopped between two calls, by Ctrl-C for one."""


@dataclass
class Clock:
    """Time, and waiting that `stop` ends."""

    stopped: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the work is stopped."""
        self.stopped.wait(seconds)


class Bucket:
    """The calls of one service in one account and region.

    A token bucket kept as the one time at which it would be full again (the generic cell rate algorithm).
    """

    def __init__(self, rate: Rate | None, clock: Clock) -> None:
        self._clock = clock
        self._seconds = 1 / (rate.per_second * SHARE) if rate else 0.0
        self._ahead = self._seconds * max(1.0, rate.burst * SHARE) if rate else 0.0
        self._full_at = self._closed_until = 0.0
        self._pause = _SHORTEST_PAUSE
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            self._full_at = max(self._full_at, self._clock.now()) + self._seconds
            turn = self._full_at - self._ahead
        while (left := max(turn, self._closed_until) - self._clock.now()) > 0 and not self._clock.stopped.is_set():
            self._clock.sleep(left)

    def heed(self, throttled: bool) -> None:
        """Learn from an answer. A throttle holds back every caller, each one in a row for twice as long."""
        with self._lock:
            if not throttled:
                self._pause = _SHORTEST_PAUSE
            elif self._clock.now() >= self._closed_until:  # several calls may have been under way
                self._closed_until = self._clock.now() + self._pause
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class Pacer:
    """Holds the calls of boto3 sessions to a pace that all sessions of an account and region share.

    Args:
        rates: by botocore's name of a service; a service without one is only held back after a throttle.
        clock: time, for tests to make their own.
    """

    def __init__(self, rates: Mapping[str, Rate], clock: Clock | None = None) -> None:
        self._rates = rates
        self._clock = clock or Clock()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def attach(self, session: Any, account: str, region: str) -> None:
        """Pace every client that a session makes from now on."""
        session.events.register("before-send", partial(self._before, account, region))
        session.events.register("response-received", partial(self._after, account, region))

    def pause(self, seconds: float) -> None:
        """Wait between two tries.

        Raises:
            StoppedError: the work was stopped meanwhile.
        """
        self._clock.sleep(seconds)
        self._require_going()

    def stop(self) -> None:
        """Let no further call be made: each raises StoppedError instead."""
        self._clock.stopped.set()

    def _before(self, account: str, region: str, event_name: str, **_: Any) -> None:
        self._bucket(account, region, event_name).wait()
        self._require_going()

    def _after(self, account: str, region: str, event_name: str, parsed_response: Any, **_: Any) -> None:
        code = ((parsed_response or {}).get("Error") or {}).get("Code", "")
        self._bucket(account, region, event_name).heed(code in THROTTLED)

    def _require_going(self) -> None:
        if self._clock.stopped.is_set():
            raise StoppedError

    def _bucket(self, account: str, region: str, event_name: str) -> Bucket:
        service = event_name.split(".")[1]
        key = (account, "" if service in _GLOBAL else region, service)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = Bucket(self._rates.get(service), self._clock)
            return self._buckets[key]
