"""A guided lab on JWT authorizers of Amazon API Gateway HTTP APIs.

What a notebook needs is imported from here: `from labkit import Lab, view`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.fleet import rehearsal
    from labkit.fleet.fleet import Fleet
    from labkit.lab import Lab
    from labkit.tokens.decision import decide
    from labkit.tokens.token import decode
    from labkit.views import view

__all__ = ["Fleet", "Lab", "decide", "decode", "rehearsal", "view"]

_HOMES = {
    "Fleet": "labkit.fleet.fleet",
    "Lab": "labkit.lab",
    "decide": "labkit.tokens.decision",
    "decode": "labkit.tokens.token",
    "rehearsal": "labkit.fleet.rehearsal",
    "view": "labkit.views",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: neither a command nor the cloud's process needs all of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'labkit' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return home if home.__name__.endswith(f".{name}") else getattr(home, name)
