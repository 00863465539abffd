"""The whole lab in a terminal: build it, make the post's calls, show each answer, take it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from labkit.errors import LabError
from labkit.lab import Lab
from labkit.questions.expectations import EXPECTATIONS
from labkit.settings import Settings
from labkit.steps import STEPS


def own_settings(settings: Settings) -> Settings:
    """The settings of a lab for the demo alone, so that the learner's own lab stays as it is."""
    return replace(settings, name=f"{settings.name[:19].rstrip('-')}-demo", own=False)


def run(lab: Lab, say: Callable[[str], None]) -> None:
    """Play the lab from nothing to nothing. LabError if an answer was not the one that the lab teaches."""
    for step in STEPS:
        say(f"\n== {step.title}: {step.section}")
        say(lab.ensure(step.name).text())
    surprises = 0
    for expected in EXPECTATIONS:
        asked = expected.question
        reply = lab.call(asked.route, asked.user, kind=asked.kind, bearer=asked.bearer)
        say(f"\n{reply.text()}\n{expected.why}")
        surprises += reply.status != expected.status
    say("\n== Teardown")
    say(lab.down().text())
    if surprises:
        raise LabError(
            f"{surprises} of {len(EXPECTATIONS)} answers were not as the lab teaches.",
            "See why: labkit up, then labkit check",
        )
