"""What the lab reads at run time besides its code: the functions' sources, policies, style sheets."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def resource(path: str) -> Path:
    """A file or folder of the lab, in a checkout or in an installed wheel.

    Args:
        path: where it is in the checkout: `lambdas`, `docs/attendee-policy.json`.
    """
    packed = _PACKAGE / "resources" / path
    return packed if packed.exists() else _PACKAGE.parent / path
