"""What a lab step is: a section of the post that can be found, ensured, checked and removed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from labkit.errors import LabError
from labkit.steps.report import Report
from labkit.steps.status import State
from labkit.target.names import TAG_KEY
from labkit.target.target import Target

# What AWS tells of one thing, and of several by their ids, keys or functions.
Thing = dict[str, Any]
Things = dict[str, Thing]

OURS = "its name and its tag are this lab's"
FOREIGN = "it bears a name of this lab, but not its tag"


@dataclass(frozen=True)
class Deletion:
    """One call that takes something of the lab away, as data: it can be shown before it is made.

    `name` is the same in every run of the lab, `id` may be one that AWS made up. `part_of` is the id of what it
    belongs to, if AWS does not delete that before it.
    """

    kind: str
    name: str
    id: str
    why: str
    service: str
    operation: str
    parameters: dict[str, Any]
    part_of: str | None = None

    def to_dict(self) -> dict[str, str]:
        """What is deleted, and why it is known to be this lab's."""
        return {"kind": self.kind, "name": self.name, "id": self.id, "service": self.service, "why": self.why}


@dataclass(frozen=True)
class Left:
    """Something that is left alone, and why. If it is `ours`, the lab is not gone while it stands."""

    kind: str
    name: str
    id: str
    why: str
    ours: bool

    def to_dict(self) -> dict[str, Any]:
        """What is left, why, and whether it is this lab's."""
        return {"kind": self.kind, "name": self.name, "id": self.id, "why": self.why, "ours": self.ours}


def foreign(kind: str, name: str, resource_id: str) -> Left:
    """Something that bears a name of ours but not our tag."""
    return Left(kind, name, resource_id, FOREIGN, ours=False)


class Step(ABC):
    """A section of the post, as four verbs over one target."""

    name: str
    title: str
    section: str
    needs: tuple[str, ...] = ()
    services: tuple[str, ...]  # that building it writes to, as boto3 calls them
    part_of: str | None = None
    """The step with whose removal this one goes, if it has none of its own."""

    @abstractmethod
    def find(self, target: Target) -> State:
        """What exists, looked up by tag and name. Reads only."""

    @abstractmethod
    def ensure(self, target: Target) -> None:
        """Create what is missing and repair what drifted. Running it twice changes nothing."""

    @abstractmethod
    def check(self, target: Target) -> Report:
        """Every assertion about this step's settings. Reads only."""

    @abstractmethod
    def remove(self, target: Target) -> list[Deletion | Left]:
        """What would take this step away, in an order that AWS accepts, and what is left alone. Reads only."""


def is_tagged(tags: object, target: Target) -> bool:
    """Whether tags say that a resource is this lab's.

    Args:
        tags: {key: value}, or IAM's list of {"Key", "Value"}, or None.
        target: the lab's place.
    """
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    return isinstance(tags, dict) and tags.get(TAG_KEY) == target.names.lab


def refuse_foreign(kind: str, name: str) -> LabError:
    """The error for a resource that bears a name of ours but not our tag."""
    return LabError(
        f"A {kind} named {name} exists already and does not bear this lab's tag, so it is left alone.",
        "Choose another name for the lab (LABKIT_NAME), or delete that resource yourself.",
    )
