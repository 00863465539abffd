"""What a result consists of: sentences, tables, code, and what is folded away. Each is text and HTML in one place.

HTML is made for an untrusted notebook: no style or script elements, no inline SVG, nothing told by colour alone.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from labkit.text.wording import visible

# Puts a lab's terms into a text.
Say = Callable[[str], str]


class Block(ABC):
    """A part of a result. One that is empty is not shown."""

    @abstractmethod
    def text(self, say: Say = str) -> str:
        """The block as plain text."""

    @abstractmethod
    def html(self, say: Say = str) -> str:
        """The block as HTML that says what the text says."""


@dataclass(frozen=True)
class Sentences(Block):
    """Sentences that belong together: a line each, a paragraph each in HTML, where backticks make code."""

    sentences: tuple[str, ...]

    def text(self, say: Say = str) -> str:
        """A line for each."""
        return "\n".join(map(say, self.sentences))

    def html(self, say: Say = str) -> str:
        """A paragraph for each."""
        return "".join(f"<p>{html_with_code(say(sentence))}</p>" for sentence in self.sentences)


def sentences(*said: str) -> Sentences:
    """The sentences that are not empty."""
    return Sentences(tuple(filter(None, said)))


@dataclass(frozen=True)
class Table(Block):
    """Rows under a header, or under none: `()`. `widths` are the greatest of the text's columns, in characters."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int] | None = None

    def text(self, say: Say = str) -> str:
        """Columns of plain text."""
        if not self.rows:
            return ""
        from tabulate import tabulate  # noqa: PLC0415 - not every command shows a table

        # Here already: tabulate takes a row that begins with one certain control character for a line, and hides it.
        rows = [[visible(say(cell)) for cell in row] for row in self.rows]
        limits = list(self.widths) if self.widths else None
        return str(
            tabulate(rows, headers=list(self.header), tablefmt="simple", disable_numparse=True, maxcolwidths=limits)
        )

    def html(self, say: Say = str) -> str:
        """The same, to the left: a notebook would set it to the right."""
        if not self.rows:
            return ""
        head = f"<thead>{_row('th', self.header)}</thead>" if self.header else ""
        return f"<table>{head}<tbody>{''.join(_row('td', map(say, row)) for row in self.rows)}</tbody></table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    made = (f'<{tag} style="{_style(cell)}">{html_escaped(cell)}</{tag}>' for cell in cells)
    return f"<tr>{''.join(made)}</tr>\n"


def _style(cell: str) -> str:
    """To the left. A word that is too long for a narrow window is broken anywhere; in that cell a short one is, too.

    A browser breaks at a hyphen by itself, unless a digit follows.
    """
    is_long = any(len(word) > LONGEST_WORD for word in re.split(r"\s|-(?!\d)", cell))
    return "text-align: left; vertical-align: top" + "; overflow-wrap: anywhere" * is_long


LONGEST_WORD = 20


@dataclass(frozen=True)
class Code(Block):
    """Text that keeps its line breaks, broken between words only, which JupyterLab alone would not do.

    HTML colours it if its `language` is one that Pygments knows by name.
    """

    code: str
    language: str = ""

    def text(self, say: Say = str) -> str:
        """The code as it is."""
        return say(self.code)

    def html(self, say: Say = str) -> str:
        """The same, in the colours of JupyterLab's theme; nothing of no code."""
        if not self.code:
            return ""
        code = say(self.code)
        made = _coloured(code, self.language) if self.language else escape(code)
        pre = f'<pre style="white-space: pre-wrap; word-break: normal">{made}</pre>'
        return f'<div class="highlight">{pre}</div>' if self.language else pre


def _coloured(code: str, language: str) -> str:
    """Code as HTML, with the classes for which JupyterLab has a colour in each theme.

    A comment is set in italics instead: the colour that the dark theme gives it is too dark to read.
    """
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - only a notebook shows colours
    from pygments.token import Comment, Keyword, Number, String  # noqa: PLC0415

    tags = {Comment: "em", Keyword: 'span class="k"', String: 'span class="s"', Number: 'span class="m"'}

    def tag(token: tuple[Any, str]) -> str:
        return next((tags[kind] for kind in tags if token[0] in kind), "")

    tokens = get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(code)
    parts = ((opened, escape("".join(text for _, text in group))) for opened, group in groupby(tokens, tag))
    return "".join(f"<{opened}>{text}</{opened.split()[0]}>" if opened else text for opened, text in parts)


@dataclass(frozen=True)
class Folded(Block):
    """What HTML folds away behind a summary, until a reader opens it by mouse or keyboard, or if it is `opened`.

    Text folds nothing; it tells the summary only if the block is `titled`.
    """

    summary: str
    blocks: tuple[Block, ...]
    titled: bool = False
    opened: bool = False

    def text(self, say: Say = str) -> str:
        """What is folded in HTML."""
        inside = text_of(self.blocks, say)
        return f"{say(self.summary)}\n{inside}" if self.titled and inside else inside

    def html(self, say: Say = str) -> str:
        """The summary, and the rest behind it."""
        inside, state = html_of(self.blocks, say), " open" if self.opened else ""
        summary = f"<summary>{html_escaped(say(self.summary))}</summary>"
        return f"<details{state}>{summary}{inside}</details>" if inside else ""


def text_of(blocks: Iterable[Block], say: Say = str) -> str:
    """Blocks as plain text, an empty line between them."""
    return visible("\n\n".join(filter(None, (block.text(say) for block in blocks))))


def html_of(blocks: Iterable[Block], say: Say = str) -> str:
    """Blocks as HTML."""
    return visible("".join(block.html(say) for block in blocks))


def html_escaped(text: str) -> str:
    """Escaped text. A notebook would set `$x$`, `\\(x\\)` and `\\begin{x}` as formulas: what begins one gets a tag."""
    return re.sub(r"[$\\]", r"<span>\g<0></span>", escape(text))


def html_with_code(text: str) -> str:
    """Escaped text in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html_escaped(text))
