"""Each notebook runs alone as it does in the chain, and a committed output that says something else is noticed.

The chain itself is pytest's own run of `notebooks/`: its kernels share one LABKIT_HOME. Here each runs in a fresh one.
All of them take a minute; without LABKIT_ALL_CHAPTERS=1 only those are run in which a false claim is to be noticed.
"""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.asked import ALL_CHAPTERS
from tests.notebooks.canonical import clean, read, serialized
from tests.notebooks.outputs import texts
from tests.notebooks.rules import NOTEBOOKS, ROOT, code_cells


def nbval(path: Path) -> tuple[int, list[int], str]:
    """Run a notebook alone: pytest's exit code, the numbers of the cells that failed, and all that it printed."""
    # A copy outside the project does not find the project's conftest.py by itself.
    outside = [] if path.is_relative_to(ROOT) else ["-p", "conftest"]
    options = ["-n0", "-p", "no:hypothesispytest", "-c", "pyproject.toml", "--rootdir", "."]
    command = [sys.executable, "-m", "pytest", *options, *outside, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False)
    printed = done.stdout + done.stderr
    failed = re.findall(r"^FAILED .*::Cell (\d+)", printed, re.MULTILINE)
    return done.returncode, [int(cell) for cell in failed], printed


# One more cell of a chapter's copy, claiming something else than the cell that it repeats: pattern and replacement.
FALSE_CLAIMS = {
    "05-test-the-authorizer.ipynb": (r"\b200\b", "403"),
    "06-read-the-token.ipynb": (r"(?m)^.*cognito:groups.*\n?", ""),
}


ALONE = [path for path in NOTEBOOKS if path.name in FALSE_CLAIMS or ALL_CHAPTERS]


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.name)
def test_a_notebook_runs_alone(path: Path, tmp_path: Path) -> None:
    """Every cell says what is committed; a false claim, where one is added, is noticed, and nothing else."""
    path, false = with_a_false_claim(path, tmp_path) if path.name in FALSE_CLAIMS else (path, [])
    code, failed, printed = nbval(path)
    assert (code, failed) == (1 if false else 0, false), printed


def with_a_false_claim(path: Path, folder: Path) -> tuple[Path, list[int]]:
    """A copy of a notebook with one more code cell, and that cell's number."""
    notebook, (pattern, replacement) = read(path), FALSE_CLAIMS[path.name]
    cell = next((cell for cell in code_cells(notebook) if says(cell, pattern)), None)
    assert cell, f"No output of {path.name} matches {pattern!r}."
    claim = copy.deepcopy(cell)
    claim.id = "false-claim"
    for output in claim.outputs:
        if output.output_type == "stream":
            output.text = re.sub(pattern, replacement, output.text)
        elif "text/plain" in output.get("data", {}):
            output.data["text/plain"] = re.sub(pattern, replacement, output.data["text/plain"])
    notebook.cells.insert(notebook.cells.index(cell) + 1, claim)
    return written(notebook, folder), [code_cells(notebook).index(claim)]


def says(cell: NotebookNode, pattern: str) -> bool:
    """Whether a cell has the pattern in the plain text that it puts out."""
    return any(re.search(pattern, text) for kind, text in texts(cell) if kind in ("stdout", "text/plain"))


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


def written(notebook: NotebookNode, folder: Path) -> Path:
    path = folder / "copy.ipynb"
    path.write_text(serialized(notebook), encoding="utf-8")
    return path
