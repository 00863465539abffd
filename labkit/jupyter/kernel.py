"""What the lab adds to a kernel: forms for predictions, tasks and quizzes, and a sentence for a name that is not there.

It is loaded into every kernel of this environment (`etc/ipython/ipython_kernel_config.json`), imports nothing of the
lab before something of it is shown, and says nothing in a notebook that is not the lab's.
"""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

# What is shown as a form while a kernel runs: (module, class).
FORMS = (
    ("labkit.learning.prediction", "Prediction"),
    ("labkit.learning.task", "Card"),
    ("labkit.learning.quiz", "Quiz"),
)


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython when the kernel starts."""
    for module, name in FORMS:
        shell.display_formatter.mimebundle_formatter.for_type_by_name(module, name, _form)
    shell.set_custom_exc((NameError,), _name_error)


def _form(result: Any, **_: Any) -> dict[str, Any]:
    from labkit.views import view  # noqa: PLC0415 - not before something is shown

    return view(result)._repr_mimebundle_()


def _name_error(
    shell: Any, kind: type[BaseException], error: NameError, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    """Say what to run before this cell, where a cell of this lab's notebook makes the missing name; else as ever."""
    name = error.name
    if name and name in _made_in(_notebook()):
        lines = [
            f"This kernel does not know `{name}` yet; a cell further up makes it.",
            "Choose Run > Run All Above Selected Cell in the menu, then run this cell again.",
        ]
    else:
        lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)
    return lines


def _notebook() -> Path | None:
    """The notebook of this kernel, as JupyterLab names it to the kernel."""
    named = os.environ.get("JPY_SESSION_NAME")
    return Path(named) if named else None


def _made_in(notebook: Path | None) -> set[str]:
    """The names that the cells of a notebook of the lab make; none of any other notebook."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook else []
    except (OSError, ValueError, KeyError):
        return set()
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    if not any("from labkit import" in source for source in sources):
        return set()
    return {name for source in sources for name in _assigned(source)}


def _assigned(source: str) -> set[str]:
    """The names that a piece of code assigns or imports."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = (alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names)
    return stored | {alias.asname or alias.name for alias in imported}
