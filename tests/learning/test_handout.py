"""A chapter without its solutions, and with them again; and the marks that stop the build."""

import copy
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.learning import handout
from labkit.learning.handout import HandoutError, handed_out
from labkit.learning.lessons import Chapter, lessons
from tests.notebooks.rules import NOTEBOOKS, code_cells

CHAPTERS = [path for path in NOTEBOOKS if path.name[:2].isdigit()]


def cell(source: str, *tags: str) -> nbformat.NotebookNode:
    return new_code_cell(source, id="it", metadata={"tags": list(tags)}, outputs=[new_output("stream", text="out")])


SOLVED = [
    pytest.param(cell('lab.predict("x-1", "b")', "prediction"), 'lab.predict("x-1")', id="prediction"),
    pytest.param(cell('lab.quiz("q", seed=3, answers=["a", "b"])', "quiz"), 'lab.quiz("q", seed=3)', id="quiz"),
    pytest.param(
        cell("a = 1\n### BEGIN SOLUTION\nb = 2\nc = b\n### END SOLUTION\nf(b)", "task"),
        "a = 1\nb = ...\nc = ...\nf(b)",
        id="assigned",
    ),
    pytest.param(
        cell("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "task"),
        "def f(x):\n    ...",
        id="indented",
    ),
    pytest.param(
        cell(
            "a = 0\n### BEGIN SOLUTION\na = 1\n### END SOLUTION\nb\n### BEGIN SOLUTION\na = 2\n### END SOLUTION", "task"
        ),
        "a = 0\na = ...\nb\na = ...",
        id="two-blocks",
    ),
    pytest.param(
        cell(
            "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### HANDED OUT\n"
            "    # if x:  # why\n    #     return 1\n"
            "    ### END SOLUTION\nf(1)",
            "task",
        ),
        "def f(x):\n    if x:  # why\n        return 1\nf(1)",
        id="to-be-mended",
    ),
    pytest.param(new_markdown_cell("See [it](../lambdas/X/y.py).", id="it"), "See [it](lambdas/X/y.py).", id="link"),
]


def solutions(solved: nbformat.NotebookNode) -> dict[str, list[str]]:
    """What is taken out of each cell, in its order, by the cell's id."""
    kept = (cell for cell in solved.cells if "solution" not in cell.metadata.get("tags", []))
    return {cell.id: taken for cell in kept if (taken := _taken_out(cell))}


def _taken_out(cell: nbformat.NotebookNode) -> list[str]:
    tags = cell.metadata.get("tags", [])
    for tag, pattern in handout._LAST_ARGUMENT.items():
        if tag in tags:
            return [argument for _, argument in pattern.findall(cell.source)]
    return [block[0] for block in handout._BLOCK.finditer(cell.source)] if "task" in tags else []


def put_back(copied: nbformat.NotebookNode, taken: dict[str, list[str]]) -> nbformat.NotebookNode:
    """A chapter that was handed out with the solutions in it again."""
    solved = copy.deepcopy(copied)
    for cell in solved.cells:
        for solution in taken.get(cell.id, []):
            cell.source = _put_in(cell, solution)
        cell.source = cell.source.replace(*reversed(handout._LINKS))
    return solved


def _put_in(cell: nbformat.NotebookNode, solution: str) -> str:
    """The source with a solution in the place of its stub, or at the end of its call."""
    tags = cell.metadata.get("tags", [])
    if "prediction" in tags:
        return re.sub(r'(\bpredict\("[\w-]+")(?=\))', lambda call: call[1] + solution, cell.source, count=1)
    if "quiz" in tags:
        return re.sub(r"(\bquiz\([^()\n]*)(?=\))", lambda call: call[1] + solution, cell.source, count=1)
    return str(cell.source.replace(handout._stub(cell, solution), solution, 1))


@pytest.mark.parametrize(("solved", "copied"), SOLVED)
def test_a_solution_is_taken_out_and_comes_back(solved: nbformat.NotebookNode, copied: str) -> None:
    notebook = new_notebook(cells=[solved])
    handed = handed_out(notebook)
    assert handed.cells[0].source == copied
    assert handed.cells[0].get("outputs", []) == []
    assert put_back(handed, solutions(notebook)).cells[0].source == solved.source


def test_a_cell_that_is_a_solution_is_left_out() -> None:
    assert handed_out(new_notebook(cells=[cell("answer", "solution")])).cells == []


@pytest.mark.parametrize(
    "bad",
    [
        cell("### BEGIN SOLUTION\n1", "task"),
        cell("1\n### END SOLUTION", "task"),
        cell("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "task"),
        cell("1", "task"),
        cell("### HANDED OUT\n# 1\n### BEGIN SOLUTION\n2\n### END SOLUTION", "task"),
        cell("### BEGIN SOLUTION\n2\n### HANDED OUT\n1\n### END SOLUTION", "task"),
        cell("### BEGIN SOLUTION\n2\n### HANDED OUT\n### END SOLUTION", "task"),
        cell("### BEGIN SOLUTION\n1\n### END SOLUTION"),
        cell('lab.predict("x")', "prediction"),
        cell('lab.predict("x", "a")\nlab.predict("y", "a")', "prediction"),
        cell('lab.quiz("x", seed=1)', "quiz"),
    ],
)
def test_a_wrong_mark_stops_the_build(bad: nbformat.NotebookNode) -> None:
    with pytest.raises(HandoutError, match="Cell it "):
        handed_out(new_notebook(cells=[bad]))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_call_that_a_solution_makes_is_handed_out_to_begin_with(path: object) -> None:
    """Unless it is a function to write, or something that is given to a check of its own."""
    for cell, (solution,) in ((c, t) for c, t in solutions(nbformat.read(path, as_version=4)).items() if len(t) == 1):
        calls = [line for line in solution.splitlines() if re.match(r"\w+\.\w+\(", line)]
        stub = handout._stub(new_code_cell(id=cell), solution) if "BEGIN SOLUTION" in solution else ""
        assert all(line.partition("(")[0] in stub for line in calls), cell


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_the_solutions_put_into_the_copy_give_the_solved_chapter_again(path: object) -> None:
    solved = nbformat.read(path, as_version=4)
    again = put_back(handed_out(solved), solutions(solved))
    kept = [c for c in solved.cells if "solution" not in c.metadata.get("tags", [])]
    assert [(c.id, c.cell_type, c.source) for c in again.cells] == [(c.id, c.cell_type, c.source) for c in kept]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_prediction_task_and_quiz_of_a_chapter_has_its_cell_and_its_right_answer(path: object) -> None:
    cells = code_cells(nbformat.read(path, as_version=4))
    number = path.name[:2]  # type: ignore[attr-defined]
    chapter = next((c for c in lessons().chapters if c.chapter == number), Chapter(number, "", None))
    tagged = {t: [c.source for c in cells if t in c.metadata.get("tags", [])] for t in ("prediction", "quiz")}
    predictions = {f'lab.predict("{q.name}", "{q.right}")' for q in chapter.predictions.values()}
    assert {
        line for source in tagged["prediction"] for line in source.splitlines() if "predict(" in line
    } == predictions
    for name in chapter.tasks:
        assert any(f'check_task("{name}"' in c.source for c in cells), name
    for name in chapter.quizzes:
        assert any(f'quiz("{name}"' in source for source in tagged["quiz"]), name


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_solution_in_a_cell_is_the_one_that_the_task_shows(path: object) -> None:
    for cell in code_cells(nbformat.read(path, as_version=4)):
        for name, task in lessons().tasks.items():
            if "task" in cell.metadata.get("tags", []) and f'check_task("{name}"' in cell.source:
                lines = [line for line in task.solution.splitlines() if line.strip()]
                assert all(line in cell.source for line in lines), name
