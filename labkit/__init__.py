"""A guided lab on JWT authorizers of Amazon API Gateway HTTP APIs.

What a notebook needs is imported from here: `from labkit import Lab, view`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.fleet.fleet import Fleet
    from labkit.lab import Lab
    from labkit.tokens.decision import decide
    from labkit.tokens.token import decode
    from labkit.views import view

__all__ = ["Fleet", "Lab", "decide", "decode", "view"]

_HOMES = {
    "Fleet": "labkit.fleet.fleet",
    "Lab": "labkit.lab",
    "decide": "labkit.tokens.decision",
    "decode": "labkit.tokens.token",
    "view": "labkit.views",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: neither a command nor the cloud's process needs all of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'labkit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
