"""Where a token's scope comes from: what the pre token generation trigger was given at its sign-in, and answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labkit.aws import aws_errors_in_words, every, or_none
from labkit.errors import LabError
from labkit.machine.polling import until
from labkit.questions.words import token_words
from labkit.target.names import PRE_TOKEN
from labkit.target.target import Target
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown
from labkit.text.terms import in_words
from labkit.text.wording import quoted
from labkit.tokens.jws import numeric_date
from labkit.tokens.token import Difference, Token, compare

# The trigger runs just before the token is signed; clocks of two services may differ a little.
APART_SECONDS = 10
HEADINGS = ("claim", "before the trigger", "after the trigger")
WIDTHS = (18, 40, 50)


@dataclass(frozen=True)
class TriggerRun:
    """One run of the trigger, from the line that it logged: the groups it was given, the scope that it answered."""

    user: str
    groups: tuple[str, ...]
    scope: str | None

    @property
    def sentence(self) -> str:
        """What went in and what came out."""
        given = f"the groups {', '.join(self.groups)}" if self.groups else "no group"
        answered = f"scope {quoted(self.scope)}" if self.scope else "no scope"
        return f"For {self.user} the trigger was given {given} and answered {answered}."

    def to_dict(self) -> dict[str, Any]:
        """`user`, `groups` and `scope`."""
        return {"user": self.user, "groups": list(self.groups), "scope": self.scope}


@dataclass(frozen=True, repr=False)
class Cause(Shown):
    """What the trigger did to one token. `run` is None if the log has no line of it, and `missing` says so."""

    token: Token
    run: TriggerRun | None
    missing: str

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What the trigger changed: the token without the scope that it answered, against the token."""
        if self.run is None or self.run.scope is None or self.token.claims.get("scope") != self.run.scope:
            return ()
        claims = {name: value for name, value in self.token.claims.items() if name != "scope"}
        return compare(replace(self.token, claims=claims), self.token)

    @property
    def _sentences(self) -> list[str]:
        if self.run is None:
            return [self.missing]
        if self.differences:
            return [self.run.sentence, "Then the token was signed, with that scope in it."]
        if self.run.scope and self.token.kind == "access":
            return [self.run.sentence, f"Its answer is not in this token, an access token. {V1_CHANGES}"]
        if self.run.scope:
            return [self.run.sentence, NOT_IN_IT]
        return [self.run.sentence, "So the token has no scope that a route asks for."]

    def blocks(self) -> Iterator[Block]:
        """The trigger's input and output, then the claims that it changed."""
        yield sentences(*self._sentences)
        yield Table(HEADINGS, [(d.name, d.left or "none", d.right or "none") for d in self.differences], WIDTHS)

    def to_dict(self) -> dict[str, Any]:
        """`run` (null if the log has no line of it) and `changed`."""
        return {
            "run": self.run.to_dict() if self.run else None,
            "changed": [difference.to_dict() for difference in self.differences],
        }


V1_CHANGES = "A trigger of version V1_0, the post's, changes the ID token only."
NOT_IN_IT = (
    "The token does not say so: either the trigger does not return what it logs, or somebody changed the token since."
)


def user_of(token: Token) -> str | None:
    """The user name in a token of a user pool."""
    name = token.claims.get("cognito:username", token.claims.get("username"))
    return name if isinstance(name, str) else None


def groups_of(token: Token) -> list[str]:
    """The groups in a token of a user pool, sorted."""
    groups = token.claims.get("cognito:groups")
    return sorted(map(str, groups)) if isinstance(groups, list) else []


def find_cause(target: Target, token: Token) -> Cause:
    """Look for the line that the trigger logged when a token was made.

    On AWS a line may take a while to be readable: it is asked for again until the place's patience ends.
    """
    if not token.claims:
        return Cause(token, None, token.sentence)
    try:
        with aws_errors_in_words():
            run = until(lambda: _run(target, token), bool, seconds=target.place.patience, every=2)
    except LabError as error:
        return Cause(token, None, f"The trigger's log cannot be read: {error.problem}")
    missing = "" if run else f"{PRE_TOKEN} has logged no line that fits this token. Its log goes with the lab."
    return Cause(token, run, missing, terms=in_words(token_words(token)))


def _run(target: Target, token: Token) -> TriggerRun | None:
    made = numeric_date(token.claims.get("iat"))
    if made is None or user_of(token) is None:
        return None
    runs = [(abs(at - made), run) for at, run in _runs(target, made) if _fits(run, token)]
    return min(runs, key=lambda found: found[0])[1] if runs else None


def _runs(target: Target, made: float) -> Iterator[tuple[float, TriggerRun]]:
    """Every run of the trigger around a time, each with its own time."""
    times = {"startTime": int((made - APART_SECONDS) * 1000), "endTime": int((made + APART_SECONDS) * 1000)}
    group = target.names.log_group(PRE_TOKEN)
    events = every(target.client("logs"), "filter_log_events", "events", logGroupName=group, **times)
    for event in or_none(lambda: list(events)) or ():
        line = _logged(event["message"])
        if line:
            run = TriggerRun(str(line.get("user")), tuple(line.get("groups") or ()), line.get("scope"))
            yield event["timestamp"] / 1000, run


def _logged(message: str) -> dict[str, Any] | None:
    """The JSON object that the trigger logged; Lambda puts words of its own before it in some runtimes."""
    try:
        line = json.loads(message[message.index("{") :])
    except ValueError:
        return None
    return line if isinstance(line, dict) and "trigger" in line else None


def _fits(run: TriggerRun, token: Token) -> bool:
    return run.user == user_of(token) and sorted(run.groups) == groups_of(token)
