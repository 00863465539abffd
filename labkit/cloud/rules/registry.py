"""Every rule of the embedded cloud, as data: what AWS does, who says so, what MiniStack does, and what we do about it.

A rule is one small function under one of these decorators:

- `gate`: a part of the way of every request, called by name because its place in the order matters.
- `before`: looks at an AWS call before MiniStack does. It may refuse it, answer it, or change its parameters.
- `after`: looks at MiniStack's answer to an AWS call, and may put another answer in its place.
- `patch`: stands in for one function inside MiniStack.

What is not worth its code is said with `not_emulated`. The conformance table is made from all of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, TypeVar, Unpack

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

CONFIDENCE = {
    "doc": "AWS documents it",
    "maintainer": "said by a maintainer of a tool for AWS, from practice",
    "inferred": "deduced, or measured by a third party; AWS does not document it",
    "ours": "not AWS's: what keeps the embedded cloud safe",
}


class Facts(TypedDict):
    """What is known about a rule: AWS's behaviour, its source, one of CONFIDENCE (doc unless said), and MiniStack's."""

    aws: str
    source: str
    confidence: NotRequired[str]
    ministack: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of the conformance table. `ours` says what the embedded cloud does."""

    name: str
    kind: str
    service: str
    operations: tuple[str, ...]
    aws: str
    source: str
    confidence: str = "doc"
    ministack: str
    ours: str


RULES: list[Rule] = []
BEFORE: dict[tuple[str, str], list[Function]] = defaultdict(list)
AFTER: dict[tuple[str, str], list[Function]] = defaultdict(list)
PATCHES: list[tuple[str, str, Function]] = []


def gate(service: str, *operations: str, **facts: Unpack[Facts]) -> Callable[[F], F]:
    """Record a function that is called by name."""
    return _recorder("gate", service, operations, facts)


def before(service: str, *operations: str, **facts: Unpack[Facts]) -> Callable[[F], F]:
    """Record a function `(call) -> Refusal | Answer | None` to run before MiniStack sees one of the operations."""
    return _recorder("before", service, operations, facts, BEFORE)


def after(service: str, *operations: str, **facts: Unpack[Facts]) -> Callable[[F], F]:
    """Record a function `(call, answer) -> Answer | None` to run after MiniStack has answered one of the operations."""
    return _recorder("after", service, operations, facts, AFTER)


def patch(service: str, module: str, name: str, **facts: Unpack[Facts]) -> Callable[[F], F]:
    """Record a function `(here, original, *args, **kwargs)` to stand in for `ministack.<module>.<name>`."""

    def record(function: F) -> F:
        PATCHES.append((module, name, function))
        _recorder("patch", service, (), facts)(function)
        return function

    return record


def not_emulated(name: str, service: str, ours: str, **facts: Unpack[Facts]) -> None:
    """Record something that AWS does and the embedded cloud does not."""
    RULES.append(Rule(name=name, kind="not emulated", service=service, operations=(), ours=ours, **facts))


def _recorder(
    kind: str,
    service: str,
    operations: tuple[str, ...],
    facts: Facts,
    table: dict[tuple[str, str], list[Function]] | None = None,
) -> Callable[[Any], Any]:
    def record(function: Function) -> Function:
        name, ours = function.__name__, _first_paragraph(function)
        RULES.append(Rule(name=name, kind=kind, service=service, operations=operations, ours=ours, **facts))
        if table is not None:
            for operation in operations:
                table[service, operation].append(function)
        return function

    return record


def _first_paragraph(function: Function) -> str:
    return " ".join((function.__doc__ or "").split("\n\n")[0].split())
