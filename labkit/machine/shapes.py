"""The shape of what was read from a file: a file that anybody may have changed is believed only in ours."""

from __future__ import annotations

from typing import Any

ENOUGH = 2**31
_YEAR_10000 = 253_402_300_800


def fits(value: Any, shape: Any) -> bool:
    """Whether a JSON value has a shape.

    Args:
        value: what was read.
        shape: a type or several; a predicate; `[shape]`, a list of these; `{name: shape}`, an object with at least
            these names; `{...: shape}`, an object with any names.
    """
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return False
        if ... in shape:
            return all(fits(item, shape[...]) for item in value.values())
        return value.keys() >= shape.keys() and all(fits(value[name], its) for name, its in shape.items())
    return isinstance(value, shape) if isinstance(shape, type | tuple) else bool(shape(value))


def is_count(value: Any) -> bool:
    """Whether a value is a whole number, neither negative nor beyond counting."""
    return type(value) is int and 0 <= value < ENOUGH


def is_moment(value: Any) -> bool:
    """Whether a value is a time that a calendar has, in seconds since 1970."""
    return type(value) in (int, float) and 0 <= value < _YEAR_10000
