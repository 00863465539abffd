"""What the lab adds to a kernel: forms, and one sentence for a name that a chapter's earlier cell makes."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

CELLS = ["from labkit import Lab\nlab = Lab.open()", "tokens = lab.tokens('adminuser')", "tokens['id']"]


def failed(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str, cells: list[str]) -> str:
    """The traceback that a fresh kernel of a notebook shows."""
    path = folder / "chapter.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setenv("IPYTHONDIR", str(folder))
    manager, client = start_new_kernel()
    try:
        shown: list[str] = []
        hook = lambda message: shown.extend(message["content"].get("traceback", []))  # noqa: E731
        reply = client.execute_interactive(code, output_hook=hook, timeout=60)
        assert reply["content"]["status"] == "error"
        return "\n".join(shown)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", ["lab", "tokens"])
def test_a_name_of_an_earlier_cell_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    said = failed(monkeypatch, tmp_path, f"{name}.anything", CELLS)
    assert said.startswith(f"This kernel does not know `{name}` yet")
    assert "Traceback" not in said


def test_a_slip_and_another_notebook_are_told_as_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for code, cells in (("tokesn", CELLS), ("tokens", ["tokens = 1"]), ("def f(): return tokens\nf()", [])):
        assert "Traceback" in failed(monkeypatch, tmp_path, code, cells)


def test_every_kernel_of_this_environment_loads_it() -> None:
    assert (Path(sys.prefix) / "etc" / "ipython" / "ipython_kernel_config.json").is_file()
