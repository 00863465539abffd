"""Notebooks are run and written back in one form."""

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.canonical import main, read, serialized

WIDGET_CELL = """\
import ipywidgets, os
ipywidgets.HTML('<b>hello</b>')"""


def draft() -> NotebookNode:
    """A notebook as an editor leaves it: not run, and with metadata of the machine."""
    return new_notebook(
        metadata={"kernelspec": {"name": "mine", "display_name": "Mine"}, "widgets": {"state": {}}},
        cells=[
            new_markdown_cell("# A title", id="title", metadata={"editable": True}),
            new_code_cell("print('one')\nprint('two')", id="two-lines", execution_count=41),
            new_code_cell(WIDGET_CELL, id="widget", metadata={"tags": ["kept"], "collapsed": False}),
            new_code_cell("raise KeyError('home')", id="raises", metadata={"tags": ["raises-exception"]}),
            new_code_cell("print(f'at 127.0.0.1:{os.getpid() % 10000 + 10000}')", id="volatile"),
        ],
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The draft after one run, in a file."""
    path = tmp_path / "draft.ipynb"
    path.write_text(serialized(draft()), encoding="utf-8")
    main([path])
    return path


def test_a_draft_is_run_and_cleaned(path: Path) -> None:
    notebook = read(path)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"file_extension": ".py", "name": "python"},
    }
    assert [cell.id for cell in notebook.cells] == ["title", "two-lines", "widget", "raises", "volatile"]
    assert [cell.metadata for cell in notebook.cells] == [
        {},
        {},
        {"tags": ["kept"]},
        {"tags": ["raises-exception"]},
        {},
    ]
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2, 3, 4]
    assert [output.text for output in notebook.cells[1].outputs] == ["one\ntwo\n"]
    assert [list(output.data) for output in notebook.cells[2].outputs] == [["text/plain"]]
    assert notebook.cells[3].outputs[0].traceback == ["KeyError: 'home'"]
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")
    assert text.splitlines()[1] == ' "cells": ['


def test_a_second_run_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes()
    main([path])
    assert path.read_bytes() == before
    assert "Nothing has changed." in capsys.readouterr().out


def test_all_are_written_when_one_has_changed(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ipynb"
    stale = new_output("stream", name="stdout", text="old\n")
    other.write_text(serialized(new_notebook(cells=[new_code_cell("print('new')", outputs=[stale])])), encoding="utf-8")
    before = path.read_bytes()

    main([path, other])

    assert read(other).cells[0].outputs[0].text == "new\n"
    assert path.read_bytes() != before  # another process, another port: the chain's values belong together
