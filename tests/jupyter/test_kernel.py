"""What the lab adds to a kernel: forms, and a sentence for a learner's slip and for a stop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

CELLS = ["from labkit import Lab\nlab = Lab.open()", "tokens = lab.tokens('adminuser')", "tokens['id']"]


def failed(monkeypatch: pytest.MonkeyPatch, folder: Path, cells: list[str], *codes: str) -> list[str]:
    """The traceback of each code that a fresh kernel of a notebook shows."""
    path = folder / "chapter.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setenv("IPYTHONDIR", str(folder))
    manager, client = start_new_kernel()
    try:
        return [_traceback(client, code) for code in codes]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _traceback(client: Any, code: str) -> str:
    shown: list[str] = []
    hook = lambda message: shown.extend(message["content"].get("traceback", []))  # noqa: E731
    reply = client.execute_interactive(code, output_hook=hook, timeout=60)
    assert reply["content"]["status"] == "error"
    return "\n".join(shown)


def test_a_name_of_an_earlier_cell_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ("lab", "tokens")
    for name, said in zip(names, failed(monkeypatch, tmp_path, CELLS, *map("{}.anything".format, names)), strict=True):
        assert said.startswith(f"This kernel does not know `{name}` yet")
        assert "Traceback" not in said


LINES = {
    "labkit up": "Put `!` before the line",
    "# build\n$ LABKIT_NAME=mine labkit up --through functions": "Put `!` before the line",
    "labkit --help": "Put `!` before the line",
    "make lab": "Run it in a terminal",
    'eval "$(labkit env)"\ncurl -i "$API_URL/AdminUser"': "Run it in a terminal",
    "aws sts get-caller-identity": 'and eval "$(labkit env)" before it',
    "aws -x \\\n  --y z": 'and eval "$(labkit env)" before it',
    "curl -i": 'and eval "$(labkit env)" before it',
}


def test_a_line_for_a_terminal_is_told_where_it_belongs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for words, said in zip(LINES.values(), failed(monkeypatch, tmp_path, CELLS, *LINES), strict=True):
        assert "is a command for a terminal" in said
        assert words in said
        assert "Traceback" not in said
        assert "SyntaxError" not in said


def test_what_only_looks_like_a_line_for_a_terminal_is_told_as_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    codes = ["make = (", "curl is not None or (", "labkit.up(", "for x in y\n    labkit", "exec('labkit up')"]
    codes.append('sent = """\ncurl -i x\n"""\nprint(sent')
    for said in (*failed(monkeypatch, tmp_path, CELLS, *codes), *failed(monkeypatch, tmp_path, ["x = 1"], "labkit up")):
        assert "SyntaxError" in said


def test_a_slip_and_another_notebook_are_told_as_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for code, cells in (("tokesn", CELLS), ("tokens", ["tokens = 1"]), ("def f(): return tokens\nf()", [])):
        assert "Traceback" in failed(monkeypatch, tmp_path, cells, code)[0]


STOP = "import signal\nfrom labkit.learning.work import run\ndef forever(number):\n    signal.raise_signal(number)\n"


def test_a_stop_in_the_labs_code_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = ("run(signal.raise_signal, signal.SIGINT)", "run(forever, signal.SIGINT)", "forever(signal.SIGINT)")
    in_the_lab, in_a_function, elsewhere = failed(monkeypatch, tmp_path, CELLS, *(STOP + call for call in calls))
    assert in_the_lab.splitlines() == [
        "Stopped at `run(signal.raise_signal, signal.SIGINT)`.",
        "Nothing is lost: the same cell goes on where this one stopped.",
    ]
    assert in_a_function == "Stopped at `signal.raise_signal(number)`, in code of yours."
    assert "Traceback" in elsewhere


def test_every_kernel_of_this_environment_loads_it() -> None:
    assert (Path(sys.prefix) / "etc" / "ipython" / "ipython_kernel_config.json").is_file()
