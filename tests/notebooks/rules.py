"""What every notebook of the lab keeps to. Each rule yields one sentence for each breach."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from nbformat import NotebookNode
from nbval.plugin import find_comment_markers, find_metadata_tags

from labkit.learning.handout import handed_out
from tests.notebooks.canonical import WIDGET
from tests.notebooks.outputs import texts

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

SHARE_WITH_OUTPUT = 0.8
LONGEST_CELL = 12
SHORT_CELL = 8
SHARE_OF_SHORT_CELLS = 0.9
WORDS_PER_CODE_CELL = 40

Rule = Callable[[NotebookNode], Iterator[str]]

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) ", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# A page that is not trusted loses these without a word.
_UNTRUSTED = re.compile(r"<(style|script|svg)\b", re.IGNORECASE)
# Three or five parts, one of them from the third on long enough to be a signature or a ciphertext.
_WHOLE_JWT = re.compile(r"eyJ[\w-]+\.[\w-]*\.(?:[\w-]*\.){0,2}[\w-]{40,}")
_MACHINE_PATH = re.compile(r"(?<![\w.~])(?:/(?:home|root|Users|tmp|var/folders|private/var)/|[A-Z]:\\Users\\)")
_INSIDE = re.compile(r"^\s*(?:from\s+(labkit\.[\w.]+)\s+import|import\s+(labkit\S*))", re.MULTILINE)
_DIAGRAM = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(|<img\b(?P<attributes>[^>]*)>")
_ALT = re.compile(r"""\balt=(["'])\s*\S.*?\1""")
# The rows of a table that stand together; the second rules off the header.
_TABLE = re.compile(r"(?:^[ ]*\|.*(?:\n|\Z))+", re.MULTILINE)
_RULE = re.compile(r"[ ]*\|(?:\s*:?-+:?\s*\|)+\s*")
_ASKS = re.compile(r"\b(?:input|getpass)\(")


def has_one_title(notebook: NotebookNode) -> Iterator[str]:
    """The notebook opens with its title, and has no other."""
    levels = _heading_levels(notebook)
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"It should begin with its only first-level heading; the headings' levels are {levels}."


def skips_no_heading_level(notebook: NotebookNode) -> Iterator[str]:
    """Below a heading comes the next level, not the one after."""
    for above, below in pairwise(_heading_levels(notebook)):
        if below > above + 1:
            yield f"A heading of level {above} is followed by one of level {below}."


def shows_outputs(notebook: NotebookNode) -> Iterator[str]:
    """Most cells have an output to read, also where the notebook is only viewed."""
    code = code_cells(notebook)
    with_output = sum(bool(cell.outputs) for cell in code)
    if with_output < SHARE_WITH_OUTPUT * len(code):
        yield f"Only {with_output} of {len(code)} code cells have an output."


def was_run_in_order(notebook: NotebookNode) -> Iterator[str]:
    """Without its execution count an output is not compared."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"The execution counts are {counts}."


def has_short_cells(notebook: NotebookNode) -> Iterator[str]:
    """Code cells are there to be read at a glance, as they are handed out: the solution is the learner's own."""
    lengths = [len(_lines(cell)) for cell in code_cells(handed_out(notebook))]
    if any(length > LONGEST_CELL for length in lengths):
        yield f"A code cell has {max(lengths)} lines; {LONGEST_CELL} are allowed."
    if sum(length < SHORT_CELL for length in lengths) < SHARE_OF_SHORT_CELLS * len(lengths):
        yield f"Too many code cells have {SHORT_CELL} lines or more: {lengths}."


def explains(notebook: NotebookNode) -> Iterator[str]:
    """There is prose to the code."""
    words = sum(len(_WORD.findall(text)) for text in _prose(notebook))
    cells = len(code_cells(notebook))
    if words < WORDS_PER_CODE_CELL * cells:
        yield f"{words} words for {cells} code cells are fewer than {WORDS_PER_CODE_CELL} each."


def says_what_it_draws(notebook: NotebookNode) -> Iterator[str]:
    """Who cannot see a picture is told what it shows: a diagram in words below it, an image in its alt text."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for diagram in _DIAGRAM.finditer(cell.source):
            if not re.match(r"\s*(?:In words|The same in words): *\n*.*\w", cell.source[diagram.end() :]):
                yield f"Cell {cell.id} draws a diagram, and does not go on with: In words: ..."
        for image in _IMAGE.finditer(_FENCED.sub("", cell.source)):
            if not ((image["alt"] or "").strip() or _ALT.search(image["attributes"] or "")):
                yield f"Cell {cell.id} has an image without alt text."


def heads_its_tables(notebook: NotebookNode) -> Iterator[str]:
    """A table begins with a header that names each of its columns, which is read out with its cells."""
    for text in _prose(notebook):
        for table in _TABLE.findall(text):
            header, *rows = table.strip().splitlines()
            names = re.split(r"(?<!\\)\|", header.strip().strip("|"))
            if not (rows and _RULE.fullmatch(rows[0]) and all(name.strip() for name in names)):
                yield f"A table has a column without a name: {header}"


def survives_distrust(notebook: NotebookNode) -> Iterator[str]:
    """Nothing is shown that Jupyter drops from a notebook it does not trust, or that needs a kernel."""
    if "widgets" in notebook.metadata:
        yield "It holds widget state."
    for cell in notebook.cells:
        for kind, text in _seen(cell):
            if found := _UNTRUSTED.search(text):
                yield f"Cell {cell.id} shows {found[0]}> in its {kind}."
        for output in cell.get("outputs", []):
            for kind in {WIDGET, "image/svg+xml", "application/javascript"} & set(output.get("data", {})):
                yield f"Cell {cell.id} has an output of type {kind}."


def keeps_secrets(notebook: NotebookNode) -> Iterator[str]:
    """No token is whole: its signature is cut."""
    for cell in notebook.cells:
        if any(_WHOLE_JWT.search(text) for _, text in _seen(cell)):
            yield f"Cell {cell.id} holds a whole JWT."


def names_no_machine(notebook: NotebookNode) -> Iterator[str]:
    """No path of the machine where it was run."""
    for cell in notebook.cells:
        for _, text in _seen(cell):
            if _MACHINE_PATH.search(text) or str(ROOT) in text:
                yield f"Cell {cell.id} names a path of the machine it was run on."


def asks_nothing(notebook: NotebookNode) -> Iterator[str]:
    """A notebook can be run from top to bottom."""
    for cell in code_cells(notebook):
        if _ASKS.search(cell.source):
            yield f"Cell {cell.id} waits for somebody to type."


def imports_the_face(notebook: NotebookNode) -> Iterator[str]:
    """What a notebook needs of the lab is imported from `labkit` itself, never from a module of it."""
    for cell in code_cells(notebook):
        for module in _INSIDE.findall(cell.source):
            yield f"Cell {cell.id} imports {''.join(module)}; write: from labkit import ..."


def every_cell_has_content(notebook: NotebookNode) -> Iterator[str]:
    """An empty cell is a slip."""
    for cell in notebook.cells:
        if not cell.source.strip():
            yield f"Cell {cell.id} is empty."


RULES: tuple[Rule, ...] = (
    has_one_title,
    skips_no_heading_level,
    shows_outputs,
    was_run_in_order,
    has_short_cells,
    explains,
    says_what_it_draws,
    heads_its_tables,
    survives_distrust,
    keeps_secrets,
    names_no_machine,
    asks_nothing,
    imports_the_face,
    every_cell_has_content,
)


def breaches(notebook: NotebookNode) -> list[str]:
    """Every breach of every rule, each as `rule: sentence`."""
    return [f"{rule.__name__}: {breach}" for rule in RULES for breach in rule(notebook)]


def ignored_cells(notebook: NotebookNode) -> list[str]:
    """The ids of the cells that nbval runs without comparing, or does not run."""
    return [cell.id for cell in code_cells(notebook) if _is_ignored(cell)]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _is_ignored(cell: NotebookNode) -> bool:
    options = dict(find_metadata_tags(cell.metadata)) | dict(find_comment_markers(cell.source))
    return options.get("check") is False or bool(options.get("skip"))


def _prose(notebook: NotebookNode) -> list[str]:
    """The text of the markdown cells without fenced blocks: those are code or diagrams."""
    return [_FENCED.sub("", cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]


def _heading_levels(notebook: NotebookNode) -> list[int]:
    return [len(hashes) for text in _prose(notebook) for hashes in _HEADING.findall(text)]


def _lines(cell: NotebookNode) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def _seen(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    yield "source", cell.source
    if cell.cell_type == "code":
        yield from texts(cell)
