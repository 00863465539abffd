"""Who came to an API of the embedded cloud: the last requests, as the owner of the cloud may ask for them.

They are kept in memory, without a token and without a query.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import asdict, dataclass, field

from labkit.cloud.exchange import Request
from labkit.cloud.private import told
from labkit.cloud.protocol import VISITS, Cloud
from labkit.tokens.jws import bare
from labkit.tokens.token import decode

KEPT = 200  # the lab's own check alone makes more than a dozen
LONGEST = 100  # letters of what a stranger can choose


@dataclass(frozen=True)
class Visit:
    """One request to an API and how it was answered.

    `path` is what stands behind the API's address. `token` is `none`, the kind that the token says it is (`id`,
    `access`, `refresh`), or what stands in its place: `unexpanded` (it still has the shell's `$`), `quoted` (quotes
    are in it), `glued` (`Bearer`, and not one blank behind it), `unreadable`. `user` is whom it names, unverified.
    `agent` is the first word of the User-Agent.
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
    raw = bare(value)
    if not raw:
        return "none", None
    if mark := next((mark for mark, found in _MARKS.items() if found.search(raw)), None):
        return mark, None
    token = decode(raw)
    user = token.claims.get("cognito:username") or token.claims.get("username")
    if token.kind == "refresh":
        return "refresh", None
    if token.problem or token.kind not in ("id", "access") or not isinstance(user, str):
        return "unreadable", None
    return token.kind, user[:LONGEST]


# Typographic quotes are three bytes in UTF-8, and a character each here.
_MARKS = {
    "unexpanded": re.compile(r"\$"),
    "quoted": re.compile("[\"'`]|\xe2\x80[\x98-\x9f]"),
    "glued": re.compile("bearer", re.IGNORECASE),
}


def visits(cloud: Cloud, api_id: str) -> list[Visit]:
    """The last visits to an API, the oldest first. LabError if the cloud does not tell them."""
    return [Visit(**visit) for visit in told(cloud, VISITS) if visit["api_id"] == api_id]
