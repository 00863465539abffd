"""The embedded cloud's rules layer, against MiniStack alone in the same server."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from tests.benches.measuring import Figure, ratios, seconds
from tests.labs import lab_at

ROUNDS, STARTS = 200, 5
CONNECTIONS, BATCH, BATCHES = 4, 50, 10
MANY = 10_000

# The server as it is, with nothing where the layer would be.
BARE_SERVER = """
import sys, types
sys.modules["labkit.cloud.layer"] = types.SimpleNamespace(wrap=lambda app, **_: app)
from labkit.cloud import server
server.main()
"""


class Kind(NamedTuple):
    """A kind of request, and the status that it is answered with."""

    name: str
    status: int
    token: str | None


def figures() -> Iterator[Figure]:
    """Two clouds side by side, first bare MiniStack, then MiniStack under the layer; every request goes to both."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        bare, layered = Path(folder, "bare"), Path(folder, "layered")
        try:
            yield from _starts(bare, layered)
            yield from _requests(_Finished.of(bare, _start_bare), _Finished.of(layered, _start))
        finally:
            process.stop(bare)
            process.stop(layered)


def _start(home: Path) -> Cloud:
    return process.start(home, supervised=True)


def _start_bare(home: Path) -> Cloud:
    with _bare_server():
        return _start(home)


@contextmanager
def _bare_server() -> Iterator[None]:
    """Have MiniStack started without the layer."""

    def popen(command: list[str], **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-P", "-c", BARE_SERVER, command[-1]], **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "subprocess", types.SimpleNamespace(**{**vars(subprocess), "Popen": popen}))
        yield


def _starts(bare: Path, layered: Path) -> Iterator[Figure]:
    times = [(_started(bare, _start_bare), _started(layered, _start)) for _ in range(STARTS)]
    without, under = map(statistics.median, zip(*times, strict=True))
    yield Figure("start-up with its self-test, bare MiniStack, in seconds", f"{without:.2f}")
    yield Figure("start-up with its self-test, under the layer, in seconds", f"{under:.2f}", "1")
    yield Figure("start-up, times bare MiniStack", f"{under / without:.2f}")


def _started(home: Path, start: Callable[[Path], Cloud]) -> float:
    taken = seconds(lambda: start(home))
    process.stop(home)
    return taken


@dataclass(frozen=True)
class _Finished:
    """A cloud with a finished lab in it."""

    cloud: Cloud
    path: str
    kinds: Sequence[Kind]

    @classmethod
    def of(cls, home: Path, start: Callable[[Path], Cloud]) -> _Finished:
        cloud = start(home)
        lab = lab_at(home, "bench")
        lab.up()
        admin, regular = (lab.tokens(user)["id"] for user in ("adminuser", "regularuser"))
        forged = f"{admin.rpartition('.')[0]}.{regular.rpartition('.')[2]}"
        kinds = (
            Kind("401 without a token", 401, None),
            Kind("401 with a forged token", 401, forged),
            Kind("403", 403, regular),
            Kind("200", 200, admin),
        )
        return cls(cloud, f"{urlsplit(lab.status().ids['api_url']).path}/AdminUser", kinds)

    @property
    def memory(self) -> float:
        """Of the server alone, in MB."""
        return float(psutil.Process(self.cloud.pid).memory_info().rss / 2**20)

    @property
    def challenge(self) -> str | None:
        """What a caller without a token is asked for. MiniStack alone asks for nothing."""
        with closing(self.connect()) as connection:
            connection.request("GET", self.path)
            return connection.getresponse().headers["www-authenticate"]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=30)

    def send(self, connection: http.client.HTTPConnection, kind: Kind) -> None:
        connection.request("GET", self.path, headers={"Authorization": kind.token} if kind.token else {})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == kind.status, f"{kind.name}: {answer.status}"

    def send_at_once(self, kinds: Sequence[Kind], times: int) -> None:
        """Send each kind so many times over every one of some connections."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda _: self._send_in_turn(kinds, times), range(CONNECTIONS)))

    def _send_in_turn(self, kinds: Sequence[Kind], times: int) -> None:
        with closing(self.connect()) as connection:
            for _ in range(times):
                for kind in kinds:
                    self.send(connection, kind)


def _requests(bare: _Finished, layered: _Finished) -> Iterator[Figure]:
    assert (bare.challenge, layered.challenge) == (None, "Bearer")
    yield Figure("memory that the layer adds, in MB", f"{layered.memory - bare.memory:.1f}", "20")
    pairs = list(zip(bare.kinds, layered.kinds, strict=True))
    for first, second in pairs:
        aim = "1.15" if first.status == http.HTTPStatus.OK else ""
        yield Figure(
            f"{first.name}: latency, times bare MiniStack", f"{_latency(bare, layered, first, second):.2f}", aim
        )
    for first, second in pairs:
        batches = [lambda: bare.send_at_once([first], BATCH), lambda: layered.send_at_once([second], BATCH)]  # noqa: B023
        yield Figure(f"{first.name}: throughput, times bare MiniStack", f"{1 / ratios(batches, BATCHES)[1]:.2f}")
    yield from _growth(bare, layered)


def _latency(bare: _Finished, layered: _Finished, first: Kind, second: Kind) -> float:
    with closing(bare.connect()) as one, closing(layered.connect()) as other:
        _, ratio = ratios([lambda: bare.send(one, first), lambda: layered.send(other, second)], ROUNDS)
    return ratio


def _growth(*sites: _Finished) -> Iterator[Figure]:
    names_and_aims = (("bare MiniStack", ""), ("under the layer", "the same"))
    for (name, aim), site in zip(names_and_aims, sites, strict=True):
        before = site.memory
        site.send_at_once(site.kinds, MANY // CONNECTIONS // len(site.kinds))
        yield Figure(f"growth over {MANY:,} requests, {name}, in MB", f"{site.memory - before:.1f}", aim)
