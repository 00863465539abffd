"""What the lab adds to a kernel: forms for predictions, tasks and quizzes, and a sentence for a stop and for a slip.

The slips are a name that an earlier cell makes, and a line that belongs in a terminal.

It is loaded into every kernel of this environment (`etc/ipython/ipython_kernel_config.json`), imports nothing of the
lab before something of it is shown, and says nothing in a notebook that is not the lab's.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import traceback
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
    shell.set_custom_exc((NameError, KeyboardInterrupt), _in_words)
    shell.input_transformers_post.append(_refuse_terminal_lines)


def _form(result: Any, **_: Any) -> dict[str, Any]:
    from labkit.views import view  # noqa: PLC0415 - not before something is shown

    return view(result)._repr_mimebundle_()


def _name_error(
    shell: Any, kind: type[BaseException], error: NameError, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    """Say what to run before this cell, where a cell of this lab's notebook makes the missing name; else as ever."""
    name, sources = error.name, _sources(_notebook())
    if name and any(name in _assigned(source) for source in sources):
        lines = [
            f"This kernel does not know `{name}` yet; a cell further up makes it.",
            "Choose Run > Run All Above Selected Cell in the menu, then run this cell again.",
        ]
    elif name and sources and (command := _COMMAND.match(traceback.extract_tb(trace)[-1].line or "")):
        lines = _told(command)
    else:
        lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)
    return lines


# How a line begins that is meant for a terminal. A word of Python behind the command's makes it none.
_COMMAND = re.compile(
    r"\s*(?:\$ )?(?:\w+=\S* )*(?P<name>labkit|aws|curl|make|eval|export|git|pip|python3?|sh|bash|sudo|jq)"
    r"(?:\s*$|\s+(?!(?:and|for|if|in|is|not|or)\b)[\w\"'$./~-])"
)


def _refuse_terminal_lines(lines: list[str]) -> list[str]:
    """Say where a line belongs that is no Python and was meant for a terminal; leave every other cell as it is."""
    try:
        ast.parse("".join(lines))
    except SyntaxError as error:
        first = (error.lineno or 1) - 1
        while first and lines[first - 1].endswith("\\\n"):
            first -= 1
        if (command := _COMMAND.match("".join(lines[first:]))) and _sources(_notebook()):
            raise _TerminalLine(*_told(command)) from None
    return lines


class _TerminalLine(Exception):  # noqa: N818 - a slip
    def _render_traceback_(self) -> list[str]:
        return list(self.args)


def _told(command: re.Match[str]) -> list[str]:
    """What a command is, and where it can be run. What leads it to the lab is set in a terminal only."""
    name, terminal = command["name"], "a terminal: File > New > Terminal"
    led = ', and eval "$(labkit env)" before it' if name in ("aws", "curl") else ""
    said = f"Put `!` before the line, or run it in {terminal}." if name == "labkit" else f"Run it in {terminal}{led}."
    return [f"`{name}` is a command for a terminal, and a cell holds Python.", said]


def _notebook() -> Path | None:
    """The notebook of this kernel, as JupyterLab names it to the kernel."""
    named = os.environ.get("JPY_SESSION_NAME")
    return Path(named) if named else None


def _sources(notebook: Path | None) -> list[str]:
    """The code of the cells of a notebook of the lab; none of any other notebook."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook else []
    except (OSError, ValueError, KeyError):
        return []
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return sources if any("from labkit import" in source for source in sources) else []


def _assigned(source: str) -> set[str]:
    """The names that a piece of code assigns or imports."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = (alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names)
    return stored | {alias.asname or alias.name for alias in imported}


def _in_words(
    shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    """Show an error in sentences, where there are some for it; else as ever."""
    if isinstance(error, NameError):
        return _name_error(shell, kind, error, trace, tb_offset)
    lines = _stopped(trace) or shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)
    return lines


def _stopped(trace: TracebackType | None) -> list[str]:
    """Where a cell was stopped, and how to go on, if it was the lab that it had called."""
    places = []
    while trace:
        places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    if not any(Path(file).is_relative_to(LABKIT) for file, _ in places):
        return []
    cells = [place for place in places if "ipykernel_" in place[0]]  # so a kernel names them
    stood = f"Stopped at `{linecache.getline(*cells[-1]).strip()}`" if cells else "Stopped"
    return [f"{stood}, in code of yours."] if places[-1:] == cells[-1:] else [f"{stood}.", CONTINUES]


LABKIT = Path(__file__).parents[1]
CONTINUES = "Nothing is lost: the same cell goes on where this one stopped."
