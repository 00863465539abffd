"""The loop over the steps that builds a lab."""

from __future__ import annotations

from labkit.errors import UsageError
from labkit.steps import STEPS
from labkit.steps.step import Step


def step_named(name: str) -> Step:
    """The step of a name.

    Raises:
        UsageError: there is none.
    """
    for step in STEPS:
        if step.name == name:
            return step
    raise UsageError(f"The lab has no step {name!r}.", f"Name one of: {', '.join(step.name for step in STEPS)}.")
