"""The chapters as they are handed out run from top to bottom, with every task still open.

All of them take a minute; without LABKIT_ALL_CHAPTERS=1 only the first that has tasks is run.
"""

from pathlib import Path

import nbformat

from labkit.learning.copy import make_copy
from tests.asked import ALL_CHAPTERS
from tests.notebooks.canonical import run
from tests.notebooks.outputs import texts
from tests.notebooks.rules import code_cells
from tests.private_home import private_home

CHAPTERS = "*.ipynb" if ALL_CHAPTERS else "01-*.ipynb"


def test_the_copy_runs_and_each_open_task_says_what_is_to_do(tmp_path: Path) -> None:
    with private_home() as home:
        make_copy(home, folder=tmp_path / "my-lab")
        for path in sorted((tmp_path / "my-lab").glob(CHAPTERS)):
            for cell in code_cells(run(nbformat.read(path, as_version=4), path)):
                said = "\n".join(text for _, text in texts(cell))
                if "check_task(" in cell.source:
                    assert "Not yet: " in said, (path.name, cell.source, said)
                if "prediction" in cell.metadata.get("tags", []):
                    assert "Choose with: lab.predict(" in said, (path.name, cell.source)
