"""What exists of a lab: of one step, and of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labkit.text.shown import Shown, html_paragraph, html_table, text_table


@dataclass(frozen=True)
class Resource:
    """One thing that a step builds: what kind, under which name, and whether it is there."""

    kind: str
    name: str
    found: bool


@dataclass(frozen=True, repr=False)
class State(Shown):
    """What exists of a step. `ids` holds what AWS made up: `user_pool_id` and the like."""

    step: str
    resources: tuple[Resource, ...]
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether everything that the step builds exists."""
        return bool(self.resources) and all(resource.found for resource in self.resources)

    @property
    def missing(self) -> tuple[Resource, ...]:
        """What does not exist."""
        return tuple(resource for resource in self.resources if not resource.found)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(r.kind, r.name, "found" if r.found else "missing") for r in self.resources]

    def text(self) -> str:
        """A line for each resource."""
        return text_table((self.step, "name", "state"), self._rows())

    def html(self) -> str:
        """A row for each resource."""
        return html_table((self.step, "name", "state"), self._rows())

    def to_dict(self) -> dict[str, Any]:
        """`name` of the step, whether all of it was `found`, and the `ids`."""
        return {"name": self.step, "found": self.found, "ids": dict(self.ids)}


@dataclass(frozen=True, repr=False)
class Status(Shown):
    """Where a lab runs, what of it exists, and the ids that AWS made up for it."""

    target: str
    account: str | None
    region: str | None
    name: str
    states: tuple[State, ...]

    @property
    def ids(self) -> dict[str, str]:
        """The ids of all steps."""
        return {key: value for state in self.states for key, value in state.ids.items()}

    def text(self) -> str:
        """A line for each step."""
        heading = f"lab {self.name} on the {_PLACES[self.target]}"
        return f"{heading}\n\n{text_table(('step', 'state', 'missing'), self._rows())}"

    def html(self) -> str:
        """A row for each step."""
        heading = html_paragraph(f"Lab {self.name} on the {_PLACES[self.target]}")
        return heading + html_table(("step", "state", "missing"), self._rows())

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(s.step, _word(s), _missing(s)) for s in self.states]

    def to_dict(self) -> dict[str, Any]:
        """Where the lab is, its ids (null while they do not exist) and its `steps`."""
        ids = ("api_url", "api_id", "user_pool_id", "app_client_id", "issuer")
        return {
            "target": self.target,
            "account": self.account,
            "region": self.region,
            "name": self.name,
            **{key: self.ids.get(key) for key in ids},
            "steps": [state.to_dict() for state in self.states],
        }


_PLACES = {"embedded": "embedded cloud", "aws": "AWS account"}


def _missing(state: State) -> str:
    return ", ".join(resource.name for resource in state.missing) if _word(state) == "in part" else ""


def _word(state: State) -> str:
    if state.found:
        return "found"
    return "in part" if any(resource.found for resource in state.resources) else "missing"
