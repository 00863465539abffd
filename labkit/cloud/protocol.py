"""What the embedded cloud's process and those who start, find and use it have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

STAY = "stay\n"

# The module that the server's process runs.
SERVER = "labkit.cloud.server"


@dataclass(frozen=True)
class ServerSettings:
    """What a starter tells the server.

    `port` 0 means any free one. So many `idle_seconds` without a request end the server; infinity is allowed.
    """

    instance: str
    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    port: int
    supervised: bool
    idle_seconds: float
    weather: str
    seed: int


# What `cloud.private` may ask for, beside AWS's services.
VISITS = "visits"
FUNCTION_REGIONS = "function-regions"
PRIVATE = (VISITS, FUNCTION_REGIONS)

# Answers 200 with the cloud's instance to anyone on this machine who asks; so does every path below it.
HEALTH_PATH = "/_labkit/health"

RUNTIME_FILE = "cloud.json"

# Holds its folder's name, in every folder of a cloud: a folder without it is none of ours.
MARKER_FILE = "labkit-cloud.json"


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
