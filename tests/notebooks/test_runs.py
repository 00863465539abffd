"""Each notebook runs alone as it does in the chain, and a committed output that says something else is noticed.

The chain itself is pytest's own run of `notebooks/`: its kernels share one LABKIT_HOME. Here each runs in a fresh one.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks.canonical import clean, read, serialized
from tests.notebooks.outputs import texts
from tests.notebooks.rules import NOTEBOOKS, ROOT, code_cells

TESTING_CHAPTER = [path for path in NOTEBOOKS if path.name.startswith("05")]

once_written = pytest.mark.skipif(not TESTING_CHAPTER, reason="notebooks/05*.ipynb is not written yet")


def nbval(path: Path) -> tuple[int, list[int], str]:
    """Run a notebook alone: pytest's exit code, the numbers of the cells that failed, and all that it printed."""
    # A copy outside the project does not find the project's conftest.py by itself.
    outside = [] if path.is_relative_to(ROOT) else ["-p", "conftest"]
    command = [sys.executable, "-m", "pytest", "-n0", "-c", "pyproject.toml", "--rootdir", ".", *outside, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False)
    printed = done.stdout + done.stderr
    failed = re.findall(r"^FAILED .*::Cell (\d+)", printed, re.MULTILINE)
    return done.returncode, [int(cell) for cell in failed], printed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_alone(path: Path) -> None:
    code, failed, printed = nbval(path)
    assert (code, failed) == (0, []), printed


# What a cell prints, and what its committed output says.
CLAIMED = [
    ("GET /AdminUser  200", "GET /AdminUser  200"),
    ("GET /AdminUser  200", "GET /AdminUser  403"),
    ("aud: 1a2b\nscope: admin-1a2b", "scope: admin-1a2b"),
    ("aud: 1a2b\nscope: admin-1a2b", "aud: 1a2b\nscope: regular-1a2b"),
    ("listening at 127.0.0.1:40123", "listening at 127.0.0.1:50321"),
    ("listening at 127.0.0.1:40123", "127.0.0.1:40123"),
]


def test_an_output_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    cells = [
        new_code_cell(f"print({prints!r})", outputs=[new_output("stream", name="stdout", text=f"{claimed}\n")])
        for prints, claimed in CLAIMED
    ]
    code, failed, printed = nbval(written(clean(new_notebook(cells=cells)), tmp_path))
    assert (code, failed) == (1, [1, 2, 3, 5]), printed


@once_written
def test_a_status_changed_in_the_testing_chapter_is_noticed(tmp_path: Path) -> None:
    notebook = read(TESTING_CHAPTER[0])
    cell = first_cell_with(notebook, r"\b200\b")
    replace(notebook, cell, r"\b200\b", "403")
    assert nbval(written(notebook, tmp_path))[1] == [cell]


@once_written
def test_a_claim_removed_from_a_chapter_is_noticed(tmp_path: Path) -> None:
    claim = r"(?m)^.*cognito:groups.*\n?"
    showing = [path for path in NOTEBOOKS if path >= TESTING_CHAPTER[0] and cells_with(read(path), claim)]
    assert showing, "No chapter from 05 on shows the claim cognito:groups."
    notebook = read(showing[0])
    cell = first_cell_with(notebook, claim)
    replace(notebook, cell, claim, "")
    assert nbval(written(notebook, tmp_path))[1] == [cell]


def written(notebook: NotebookNode, folder: Path) -> Path:
    path = folder / "copy.ipynb"
    path.write_text(serialized(notebook), encoding="utf-8")
    return path


def cells_with(notebook: NotebookNode, pattern: str) -> list[int]:
    """The numbers of the code cells that have the pattern in their plain text."""
    return [
        number
        for number, cell in enumerate(code_cells(notebook))
        if any(re.search(pattern, text) for kind, text in texts(cell) if kind in ("stdout", "text/plain"))
    ]


def first_cell_with(notebook: NotebookNode, pattern: str) -> int:
    found = cells_with(notebook, pattern)
    assert found, f"No output matches {pattern!r}."
    return found[0]


def replace(notebook: NotebookNode, cell: int, pattern: str, replacement: str) -> None:
    """Change the plain text of a code cell's outputs."""
    for output in code_cells(notebook)[cell].outputs:
        if output.output_type == "stream":
            output.text = re.sub(pattern, replacement, output.text)
        elif "text/plain" in output.get("data", {}):
            output.data["text/plain"] = re.sub(pattern, replacement, output.data["text/plain"])
