"""Who came to an API of the embedded cloud: the last requests, as the owner of the cloud may ask for them.

They are kept in memory, without a token and without a query.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field

from labkit.cloud.exchange import Request
from labkit.cloud.private import told
from labkit.cloud.protocol import VISITS, Cloud
from labkit.tokens.token import decode

KEPT = 200  # the lab's own check alone makes more than a dozen
LONGEST = 100  # letters of what a stranger can choose


@dataclass(frozen=True)
class Visit:
    """One request to an API and how it was answered.

    `path` is what stands behind the API's address. `token` is `none`, `unreadable`, `unexpanded` (it still has the
    shell's `$`), or the kind that the token says it is, `id` or `access`; `user` is whom it names, unverified. `agent`
    is the first word of the User-Agent.
    """

    time: float
    api_id: str
    method: str
    path: str
    token: str
    user: str | None
    agent: str
    status: int


@dataclass
class Visits:
    """The last visits of a cloud, the oldest first."""

    kept: deque[Visit] = field(default_factory=lambda: deque(maxlen=KEPT))

    def note(self, request: Request, api_id: str, raw_path: str, status: int) -> None:
        """Keep a request that was answered."""
        token, user = _bearer(" ".join(request.values("authorization")))
        agent = (request.header("user-agent") or "").partition("/")[0]
        visit = Visit(time.time(), api_id, request.method, raw_path[:LONGEST], token, user, agent[:LONGEST], status)
        self.kept.append(visit)

    def to_json(self) -> list[dict[str, object]]:
        """The visits as they are told."""
        return [asdict(visit) for visit in self.kept]


def _bearer(value: str) -> tuple[str, str | None]:
    """What the Authorization header holds, in one word, and whom it names."""
    words = value.split()
    raw = words[-1] if words else ""
    if not raw or raw.lower() == "bearer":
        return "none", None
    if "$" in value:
        return "unexpanded", None
    token = decode(raw)
    user = token.claims.get("cognito:username") or token.claims.get("username")
    if token.problem or token.kind not in ("id", "access") or not isinstance(user, str):
        return "unreadable", None
    return token.kind, user[:LONGEST]


def visits(cloud: Cloud, api_id: str) -> list[Visit]:
    """The last visits to an API, the oldest first. LabError if the cloud does not tell them."""
    return [Visit(**visit) for visit in told(cloud, VISITS) if visit["api_id"] == api_id]
