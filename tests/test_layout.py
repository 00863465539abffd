"""The layout tells the architecture: what docs/architecture.md says of modules and of the lab's verbs is so.

Who may import whom is held by the import contracts in pyproject.toml: `make test` runs `lint-imports`.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
LABKIT = ROOT / "labkit"

MOST_LINES = 400
# The decision is read from top to bottom as one argument, and the rows are data.
LONGER = {"tokens/decision.py", "attacks/rows.py"}


def test_a_module_is_short_enough_to_be_read_at_once() -> None:
    lengths = {
        path.relative_to(LABKIT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in LABKIT.rglob("*.py")
    }
    assert {module: length for module, length in lengths.items() if length > MOST_LINES and module not in LONGER} == {}


def test_every_floor_is_in_the_picture() -> None:
    floors = {path.stem for path in LABKIT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    shown = re.findall(r"<b>(\w+)</b>", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert floors - {"__init__"} <= set(shown)
