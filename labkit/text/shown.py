"""The faces of a result: stable text for a terminal and for comparison, HTML for a notebook, a dictionary for JSON.

HTML is made for an untrusted notebook: no style or script elements, no inline SVG, nothing told by colour alone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from tabulate import tabulate


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int] | None = None) -> str:
    """Lay rows out under a header, in columns of plain text, each no wider than its width."""
    limits = list(widths) if widths else None
    return str(
        tabulate(list(rows), headers=list(header), tablefmt="simple", disable_numparse=True, maxcolwidths=limits)
    )


def html_escaped(text: str) -> str:
    """Escaped text. A notebook would set what stands between two dollar signs as a formula, so each gets a tag."""
    return escape(text).replace("$", "<span>$</span>")


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same rows as an HTML table, every cell escaped, and to the left: a notebook would set it to the right."""
    head, *body = (_html_row(tag, row) for tag, row in [("th", header), *(("td", row) for row in rows)])
    return f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"


def _html_row(tag: str, row: Sequence[str]) -> str:
    cells = (f'<{tag} style="text-align: left; vertical-align: top">{html_escaped(cell)}</{tag}>' for cell in row)
    return f"<tr>{''.join(cells)}</tr>\n"


def html_paragraph(text: str) -> str:
    """One escaped paragraph."""
    return f"<p>{html_escaped(text)}</p>"


def html_text(text: str) -> str:
    """Text that keeps its line breaks and is broken between words only, which JupyterLab alone would not do."""
    return f'<pre style="white-space: pre-wrap; word-break: normal">{escape(text)}</pre>'


def html_details(summary: str, content: str) -> str:
    """HTML that is folded away behind its summary until a reader opens it, by mouse or keyboard."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


class Shown:
    """A result that a person looks at. A subclass says what it is as lines, tables and a dictionary."""

    @abstractmethod
    def text(self) -> str:
        """The result as plain text, the same for the same result on every machine."""

    @abstractmethod
    def html(self) -> str:
        """The result as HTML that says what the text says."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()
