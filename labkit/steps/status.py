"""What exists of a lab: of one step, and of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labkit.target.deeds import Deed
from labkit.text.blocks import Block, Table, sentences
from labkit.text.shown import Shown

WIDTHS = (20, 60, 60)


@dataclass(frozen=True)
class Resource:
    """One thing that a step builds: what kind, under which name, and whether it is there; or that it is given."""

    kind: str
    name: str
    found: bool
    given: bool = False


@dataclass(frozen=True, repr=False)
class State(Shown):
    """What exists of a step. `ids` holds what AWS made up: `user_pool_id` and the like.

    `happened` is what was just created or mended; nothing, if the step was only looked up.
    """

    step: str
    resources: tuple[Resource, ...]
    ids: dict[str, str] = field(default_factory=dict)
    happened: tuple[Deed, ...] = ()

    @property
    def found(self) -> bool:
        """Whether everything that the step builds exists."""
        return bool(self.resources) and all(resource.found for resource in self.resources)

    @property
    def begun(self) -> bool:
        """Whether anything exists that the step builds: what is given does not count."""
        return any(resource.found and not resource.given for resource in self.resources)

    @property
    def missing(self) -> tuple[Resource, ...]:
        """What does not exist."""
        return tuple(resource for resource in self.resources if not resource.found)

    def blocks(self) -> Iterator[Block]:
        """A row for each resource, and for what was done to one of another step, which this one needs."""
        done = {(deed.kind, deed.name): deed.words for deed in self.happened}
        rows = {(r.kind, r.name): "given" if r.given else "found" if r.found else "missing" for r in self.resources}
        yield Table(
            (self.step, "name", "state"), [(*resource, state) for resource, state in (rows | done).items()], WIDTHS
        )

    def to_dict(self) -> dict[str, Any]:
        """`name` of the step, whether all of it was `found`, the `ids`, and what `happened`."""
        happened = [deed.to_dict() for deed in self.happened]
        return {"name": self.step, "found": self.found, "ids": dict(self.ids), "happened": happened}


@dataclass(frozen=True, repr=False)
class Status(Shown):
    """Where a lab runs, what of it exists, and the ids that AWS made up for it."""

    place_kind: str
    account: str | None
    region: str | None
    name: str
    states: tuple[State, ...]

    @property
    def ids(self) -> dict[str, str]:
        """The ids of all steps."""
        return {key: value for state in self.states for key, value in state.ids.items()}

    def blocks(self) -> Iterator[Block]:
        """Where the lab is, and a row for each step."""
        yield sentences(f"Lab {self.name} on the {PLACES[self.place_kind]}")
        yield Table(("step", "state", "missing"), [(s.step, _word(s), _missing(s)) for s in self.states])
        deeds = [deed for state in self.states if _word(state) == "mended" for deed in state.happened]
        yield Table(("mended", "name", "state"), [(deed.kind, deed.name, deed.words) for deed in deeds], WIDTHS)

    def to_dict(self) -> dict[str, Any]:
        """Where the lab is, its ids (null while they do not exist) and its `steps`."""
        ids = ("api_url", "api_id", "user_pool_id", "app_client_id", "issuer")
        return {
            "target": self.place_kind,
            "account": self.account,
            "region": self.region,
            "name": self.name,
            **{key: self.ids.get(key) for key in ids},
            "steps": [state.to_dict() for state in self.states],
        }


PLACES = {"embedded": "embedded cloud", "aws": "AWS account"}


def _missing(state: State) -> str:
    return ", ".join(resource.name for resource in state.missing) if _word(state) == "in part" else ""


def _word(state: State) -> str:
    own = [resource for resource in state.resources if not resource.given]
    if state.found and sum(deed.created for deed in state.happened) == len(own):
        return "created"
    if state.found:
        return "mended" if state.happened else "found"
    return "in part" if state.begun else "missing"
