"""What a file holds is believed only in the shape in which it was written."""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any

import pytest

from labkit.machine.private_files import read_json, read_object
from labkit.machine.shapes import fits, is_count, is_moment


@pytest.mark.parametrize(
    ("value", "shape", "does"),
    [
        ("x", str, True), (7, str, False), (None, (str, NoneType), True), ([], (str, NoneType), False),
        (["x"], [str], True), (["x", 1], [str], False), ("xy", [str], False), ([], [str], True),
        ({"a": "x"}, {"a": str}, True), ({"a": "x", "b": 1}, {"a": str}, True), ({}, {"a": str}, False),
        ({"a": 1}, {"a": str}, False), ([["a", "x"]], {"a": str}, False),
        ({"x": ["y"]}, {...: [str]}, True), ({"x": "y"}, {...: [str]}, False), ({}, {...: str}, True),
        (3, is_count, True), (True, is_count, False), (-1, is_count, False), (2**31, is_count, False),
        (3.5, is_count, False), (3.5, is_moment, True), (10**30, is_moment, False), (True, is_moment, False),
        (-1, is_moment, False), (None, is_moment, False),
    ],
)  # fmt: skip
def test_whether_a_value_has_a_shape(value: Any, shape: Any, does: bool) -> None:
    assert fits(value, shape) is does


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', r'{"a": "\ud800"}', r'{"\udfff": 1}']
)
def test_what_could_not_be_written_again_is_not_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(text)

    assert read_json(tmp_path / "file.json") is None
    assert read_object(tmp_path / "file.json") == {}
