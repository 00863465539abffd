"""How settled the cloud is: calm, or as rough as AWS can be, which is slow to settle and sometimes turns a call away.

Rough weather is repeatable: the same seed and the same calls of an operation strike the same of them.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.registry import gate

WEATHERS = ("calm", "rough")

# Seconds that something new takes to be seen everywhere.
SETTLING = {
    "calm": {"role": 0.0, "function": 0.1, "deployment": 0.0, "permission": 0.0},
    "rough": {"role": 2.0, "function": 1.5, "deployment": 1.5, "permission": 1.5},
}
# How likely a call is turned away, never twice in a row.
CHANCES = {"throttling": 0.08, "conflict": 0.08}


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


# The name and status of each service's throttling error.
THROTTLED = {
    "apigateway": ("TooManyRequestsException", "Too Many Requests", 429),
    "cognito-idp": ("TooManyRequestsException", "Rate exceeded", 400),
    "iam": ("Throttling", "Rate exceeded", 400),
    "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
    "logs": ("ThrottlingException", "Rate exceeded", 400),
    "sts": ("Throttling", "Rate exceeded", 400),
    "tagging": ("ThrottledException", "Rate exceeded", 400),
}


@gate(
    "every service",
    aws="A service that is called too often answers with its own throttling error: HTTP 400 at Cognito, IAM, STS, "
    "Logs and tagging, 429 at API Gateway and Lambda.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html",
    confidence="doc",
    ministack="Never throttles.",
)
def throttled(call: Call) -> Refusal | None:
    """In rough weather some calls are throttled, never the same operation twice in a row; quotas are not counted."""
    if not call.here.weather.strikes("throttling", f"{call.service} {call.operation}"):
        return None
    return Refusal(*THROTTLED[call.service])


@gate(
    "apigateway",
    aws="Two changes of one API at the same time: 409 ConflictException, which names itself as worth a retry.",
    source="https://github.com/hashicorp/terraform-provider-aws/issues/40575",
    confidence="maintainer",
    ministack="Never answers so.",
)
def conflicting(call: Call) -> Refusal | None:
    """In rough weather some changes of an API are answered with that 409, never the same operation twice in a row."""
    changes = call.service == "apigateway" and call.request.method != "GET" and "apiId" in call.params
    if not changes or not call.here.weather.strikes("conflict", call.operation):
        return None
    return Refusal(
        "ConflictException",
        "Unable to complete operation due to concurrent modification. Please try again later.",
        409,
    )
