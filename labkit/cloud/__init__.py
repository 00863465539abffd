"""The embedded cloud: a process of its own that serves MiniStack on loopback under AWS's rules.

`process` finds, starts and stops it, `server` is that process, `session` talks to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Answers 200 with the cloud's instance to anyone on this machine who asks; so does every path below it.
HEALTH_PATH = "/_labkit/health"

RUNTIME_FILE = "cloud.json"


@dataclass(frozen=True)
class Cloud:
    """A running embedded cloud, as its runtime file describes it.

    `instance` is the name of this one run, `started` the time of its start in seconds since the epoch.
    """

    pid: int
    port: int
    endpoint_url: str
    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    instance: str
    started: float
    weather: str = "calm"
