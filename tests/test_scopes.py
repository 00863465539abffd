"""What shares a cloud or a lab is run by one worker, in its order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scopes import LONGEST, rank, scope

ROOT = Path(__file__).parent.parent

WRITES_ITS_WORKER = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(4))
def test_it(number):
    with pathlib.Path({told!r}).open("a") as told:
        print(os.environ["PYTEST_XDIST_WORKER"], {name!r}, number, file=told)
"""


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("notebooks/00-start-here.ipynb::Cell 0", "notebooks/chapters"),
        ("notebooks/99-teardown.ipynb::Cell 4", "notebooks/chapters"),
        ("notebooks/instructors/reset-a-class.ipynb::Cell 1", "notebooks/instructors/reset-a-class.ipynb"),
        ("tests/test_lab.py::test_it[a::b]", "tests/test_lab.py"),
        ("tests/notebooks/test_runs.py::test_it[a]", "tests/notebooks/test_runs.py::test_it[a]"),
    ],
)
def test_the_scope_of_a_test(nodeid: str, expected: str) -> None:
    assert scope(nodeid) == expected


def test_what_takes_longest_is_first_and_exists() -> None:
    assert rank("notebooks/05-test-the-authorizer.ipynb::Cell 3") == 0
    assert rank("tests/text/test_terms.py::test_it") == len(LONGEST)
    assert [name for name in LONGEST[1:] if not (ROOT / name).is_file()] == []


def test_two_workers_keep_the_chapters_and_each_file_together(tmp_path: Path) -> None:
    told = tmp_path / "told"
    files = ["notebooks/01_test.py", "notebooks/02_test.py", "tests/a_test.py", "tests/b_test.py", "tests/c_test.py"]
    for name in files:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(WRITES_ITS_WORKER.format(told=str(told), name=name))

    run = [sys.executable, "-m", "pytest", "-n2", "-p", "conftest", "--rootdir", ".", "-c", os.devnull, *files]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in told.read_text().splitlines()]
    chapters = [(worker, name, number) for worker, name, number in lines if name.startswith("notebooks")]
    assert [(name, number) for _, name, number in chapters] == [(n, str(i)) for n in files[:2] for i in range(4)]
    assert len({worker for worker, *_ in chapters}) == 1
    assert {name: len({w for w, n, _ in lines if n == name}) for name in files} == dict.fromkeys(files, 1)
    assert len({worker for worker, *_ in lines}) == 2
