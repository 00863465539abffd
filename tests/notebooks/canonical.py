"""Run notebooks as one chain and write them back in one form: `python -m tests.notebooks.canonical FILE...`

They run in a fresh LABKIT_HOME with a cloud of its own. If the new outputs differ from the old only where sanitize.cfg
allows it, no file is touched; else all are written, so that the ids in one chapter are those of the next.
"""

import copy
import itertools
import re
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from labkit.text.terms import OUTPUTS, STABLE
from tests.notebooks.outputs import sanitized, texts
from tests.private_home import private_home

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python"},
}
KEPT_CELL_METADATA = ("tags", "jupyter")
WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS_PER_CELL = 120

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main(paths: list[Path]) -> None:
    """Run the notebooks in the order given; write them if anything but the volatile has changed."""
    before = [read(path) for path in paths]
    with private_home(), pytest.MonkeyPatch.context() as environment:
        environment.setenv(OUTPUTS, STABLE)
        after = [clean(run(notebook, path)) for notebook, path in zip(before, paths, strict=True)]
    if all(map(unchanged, paths, before, after)):
        print("Nothing has changed.")
        return
    for path, notebook in zip(paths, after, strict=True):
        path.write_text(serialized(notebook), encoding="utf-8", newline="\n")
        print(f"Wrote {path}.")


def read(path: Path) -> NotebookNode:
    """A notebook from its file, in today's format."""
    return nbformat.read(path, as_version=4)


def run(notebook: NotebookNode, path: Path) -> NotebookNode:
    """A copy of the notebook with the outputs of a run in the file's folder.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised that is not tagged `raises-exception`.
    """
    print(f"Running {path} ...", flush=True)
    fresh = copy.deepcopy(notebook)
    client = NotebookClient(
        fresh,
        kernel_name="python3",
        timeout=SECONDS_PER_CELL,
        resources={"metadata": {"path": str(path.parent.absolute())}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    client.execute()
    return fresh


def clean(notebook: NotebookNode) -> NotebookNode:
    """The notebook (changed in place) without what depends on the machine, the kernel or the number of runs."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat_minor = 5
    count = itertools.count(1)
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.execution_count = next(count)
            cell.outputs = [output for output in cell.outputs if _cleaned(output, cell.execution_count)]
    return notebook


def _cleaned(output: NotebookNode, count: int) -> bool:
    """Clean one output in place; say whether anything of it is left."""
    match output.output_type:
        case "error":
            # The last part is the error itself; what comes before names files of this machine.
            output.traceback = [_COLOUR.sub("", part) for part in output.traceback[-1:]]
        case "execute_result" | "display_data":
            output.data.pop(WIDGET, None)
            if "execution_count" in output:
                output.execution_count = count
            return bool(output.data)
    return True


def serialized(notebook: NotebookNode) -> str:
    """The text of the notebook's file.

    Raises:
        nbformat.ValidationError, Warning: it is not a sound notebook; an id that is missing or not unique counts.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def unchanged(path: Path, before: NotebookNode, after: NotebookNode) -> bool:
    """Whether the file is as it would be written, but for values that differ from run to run."""
    canonical = path.read_text(encoding="utf-8") == serialized(clean(copy.deepcopy(before)))
    return canonical and _compared(before) == _compared(after)


def _compared(notebook: NotebookNode) -> list[list[tuple[str, str]]]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[(kind, sanitized(text)) for kind, text in texts(cell)] for cell in code]


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
