"""A code cell's outputs as texts, and what of them may differ from run to run."""

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns

SANITIZE = Path(__file__).parent / "sanitize.cfg"
PATTERNS: list[tuple[str, str]] = get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8"))


def texts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Each text that a code cell puts out: (stream name, MIME type or `error`; the text)."""
    for output in cell.outputs:
        match output.output_type:
            case "stream":
                yield output.name, output.text
            case "error":
                yield "error", "\n".join([output.ename, output.evalue, *output.traceback])
            case _:
                yield from ((kind, data) for kind, data in sorted(output.data.items()) if isinstance(data, str))


def sanitized(text: str) -> str:
    """A text as nbval compares it: each value that differs from run to run under one name."""
    for pattern, name in PATTERNS:
        text = re.sub(pattern, name, text)
    return text
