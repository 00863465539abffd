"""What a cloud remembers beside MiniStack: its weather, its deployments, and wrong passwords.

Each of these belongs to the rules of the module of the same name; they stand here because a call carries them all.
"""

from __future__ import annotations

import copy
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from labkit.cloud.rules.state import Api, Record

# Seconds that something new takes to be seen everywhere.
SETTLING = {
    "calm": {"role": 0.0, "function": 0.1, "deployment": 0.0, "permission": 0.0},
    "rough": {"role": 2.0, "function": 1.5, "deployment": 1.5, "permission": 1.5},
}
# How likely a call is turned away, never twice in a row.
CHANCES = {"throttling": 0.08, "conflict": 0.08}

FREE_FAILURES = 5
FORGOTTEN_SECONDS = 900


@dataclass
class Weather:
    """The weather of one cloud.

    Args:
        name: "calm" or "rough".
        seed: makes rough weather repeatable.
    """

    name: str = "calm"
    seed: int = 0
    _calls: Counter[str] = field(default_factory=Counter, repr=False)
    _struck: set[str] = field(default_factory=set, repr=False)
    _since: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)

    @property
    def rough(self) -> bool:
        """Whether this is rough weather."""
        return self.name == "rough"

    def settling(self, kind: str) -> float:
        """The seconds that something of a kind (a key of SETTLING) takes to settle."""
        return SETTLING[self.name][kind]

    def changed(self, kind: str, name: str, now: float) -> None:
        """Note that something was made or changed."""
        if self.settling(kind):
            self._since[kind, name] = now

    def settled(self, kind: str, name: str, now: float) -> bool:
        """Whether something has been as it is for long enough to be seen."""
        return now - self._since.get((kind, name), 0.0) >= self.settling(kind)

    def strikes(self, trouble: str, call: str) -> bool:
        """Whether this call of an operation is one of those that are turned away."""
        if not self.rough:
            return False
        key = f"{trouble} {call}"
        self._calls[key] += 1
        drawn = random.Random(f"{self.seed} {key} {self._calls[key]}").random()  # noqa: S311 - weather, not a secret
        struck = drawn < CHANCES[trouble] and key not in self._struck
        (self._struck.add if struck else self._struck.discard)(key)
        return struck


@dataclass(frozen=True)
class Deployed:
    """An API as one deployment froze it: its routes, and its integrations and authorizers by id."""

    routes: tuple[Record, ...]
    integrations: dict[str, Record]
    authorizers: dict[str, Record]


@dataclass
class Deployments:
    """Every deployment of a cloud, and which of them each stage serves from when on."""

    _frozen: dict[tuple[str, str], Deployed] = field(default_factory=dict)
    _serving: dict[tuple[str, str], list[tuple[float, Deployed]]] = field(default_factory=lambda: defaultdict(list))

    def freeze(self, deployed: Api, deployment_id: str) -> None:
        """Keep the API as it is now under a deployment's id."""
        self._frozen[deployed.id, deployment_id] = Deployed(
            tuple(copy.deepcopy(list(deployed.routes.values()))),
            copy.deepcopy(deployed.integrations),
            copy.deepcopy(deployed.authorizers),
        )

    def deploy(self, api_id: str, stage: str, deployment_id: str, visible: float) -> None:
        """Let a stage serve a deployment from a time on."""
        self._serving[api_id, stage].append((visible, self._frozen[api_id, deployment_id]))

    def served(self, api_id: str, stage: str, now: float) -> Deployed | None:
        """What a stage serves now. None if it was never deployed, or its first deployment is still to come."""
        timeline = self._serving.get((api_id, stage), [])
        while len(timeline) > 1 and timeline[1][0] <= now:
            timeline.pop(0)
        return timeline[0][1] if timeline and timeline[0][0] <= now else None

    def forget_stage(self, api_id: str, stage: str) -> None:
        """Remove a stage."""
        self._serving.pop((api_id, stage), None)

    def forget_deployment(self, api_id: str, deployment_id: str) -> None:
        """Remove a deployment. A stage that serves it goes on doing so."""
        self._frozen.pop((api_id, deployment_id), None)

    def forget_api(self, api_id: str) -> None:
        """Remove all of an API."""
        for store in (self._frozen, self._serving):
            for key in [key for key in store if key[0] == api_id]:
                del store[key]


@dataclass
class Failures:
    """Wrong passwords of one user, one after the other."""

    count: int = 0
    last: float = 0.0

    def locked_until(self) -> float:
        """When the next password is looked at: a second after the fifth failure, twice as long after each more."""
        if self.count < FREE_FAILURES:
            return 0.0
        return self.last + min(2.0 ** (self.count - FREE_FAILURES), FORGOTTEN_SECONDS)


@dataclass
class SignIns:
    """What a cloud remembers of sign-ins: wrong passwords, and sessions that wait for a new password.

    `waiting` has, by session, the app client's id, the user's record, and the time at which the session ends.
    """

    failures: dict[tuple[str, str], Failures] = field(default_factory=dict)
    waiting: dict[str, tuple[str, Record, float]] = field(default_factory=dict)
