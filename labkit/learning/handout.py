"""A solved chapter as it is handed out: without outputs and without solutions.

Tags of a cell say what is taken out: of a `prediction` the option, of a `quiz` the answers, of a `task` what stands
between `### BEGIN SOLUTION` and `### END SOLUTION`; a `solution` goes as a whole.

In place of a task's solution stands a stub. Where a task is to be mended and not written, the lines to be mended stand
as comments below `### HANDED OUT`, which is the solution's last part.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap

from nbconvert.preprocessors import ClearOutputPreprocessor
from nbformat import NotebookNode

BEGIN, HANDED_OUT, END = "### BEGIN SOLUTION", "### HANDED OUT", "### END SOLUTION"

# `lab.predict("name", "b")` and `lab.quiz("name", seed=0, answers=["a", "c"])`: the last argument goes.
_OPTION = re.compile(r'(\bpredict\("[\w-]+")(, *"[^"\n]+")(?=\))')
_ANSWERS = re.compile(r"(\bquiz\([^()\n]*?)(,\s*answers=\[[^]]*\])")
# The copy has functions of its own.
_LINKS = ("](../lambdas/", "](lambdas/")
_LAST_ARGUMENT = {"prediction": _OPTION, "quiz": _ANSWERS}
_BLOCK = re.compile(rf"^ *{BEGIN}$(?:\n(?! *{BEGIN}$).*)*?\n *{END}$", re.MULTILINE)
_MARK = re.compile(rf"^ *({BEGIN}|{HANDED_OUT}|{END})$", re.MULTILINE)


class HandoutError(ValueError):
    """The marks in a solved cell are not as they must be."""


def handed_out(solved: NotebookNode) -> NotebookNode:
    """A copy of a solved chapter without its outputs and solutions.

    Raises:
        HandoutError: a mark is unclosed, nested or missing, or a tagged cell has nothing to take out.
    """
    cleared: NotebookNode = ClearOutputPreprocessor().preprocess(copy.deepcopy(solved), {})[0]
    cleared.cells = [cell for cell in cleared.cells if "solution" not in _tags(cell)]
    for cell in cleared.cells:
        cell.source = _source(cell).replace(*_LINKS)
    return cleared


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _source(cell: NotebookNode) -> str:
    """A cell's source as it is handed out."""
    for tag, pattern in _LAST_ARGUMENT.items():
        if tag in _tags(cell):
            return _without_argument(cell, pattern)
    if "task" in _tags(cell):
        return _without_blocks(cell)
    if BEGIN in cell.source or END in cell.source:
        raise HandoutError(f"Cell {cell.id} has a solution, but not the tag `task`.")
    return str(cell.source)


def _without_argument(cell: NotebookNode, pattern: re.Pattern[str]) -> str:
    source, times = pattern.subn(r"\1", cell.source)
    if times != 1:
        raise HandoutError(f"Cell {cell.id} should answer once; it does {times} times.")
    return source


def _without_blocks(cell: NotebookNode) -> str:
    """Each block between the marks as a stub."""
    source, blocks = _BLOCK.subn(lambda block: _stub(cell, block[0]), cell.source)
    if stray := _MARK.search(source):
        raise HandoutError(f"Cell {cell.id} has `{stray[1]}` where another mark should be, or no end.")
    if not blocks:
        raise HandoutError(f"Cell {cell.id} is a task whose solution has no marks.")
    return source


def _stub(cell: NotebookNode, block: str) -> str:
    """What is handed out in a block's place: its own lines; else each name that it assigns as `...`, or that alone."""
    indent = block[: block.index(BEGIN)]
    solution, mark, rest = block.partition(f"{indent}{HANDED_OUT}\n")
    if mark:
        lines = rest.split("\n")[:-1]
        if not lines or not all(line.startswith(f"{indent}# ") for line in lines):
            raise HandoutError(f"Cell {cell.id} should have a comment in each line below `{HANDED_OUT}`.")
        return "\n".join(line.replace("# ", "", 1) for line in lines)
    assigned = [target for node in ast.parse(textwrap.dedent(solution)).body for target in getattr(node, "targets", ())]
    names = dict.fromkeys(target.id for target in assigned if isinstance(target, ast.Name))
    return "\n".join(f"{indent}{name} = ..." for name in names) or f"{indent}..."
