"""Which rules of the embedded cloud a test proves; the conformance table is made from it."""

from __future__ import annotations

import pytest


def proves(*rules: str) -> pytest.MarkDecorator:
    """Mark a test as the proof of rules, by their names."""
    return pytest.mark.proves(*rules)
