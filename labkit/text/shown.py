"""A result describes itself once, as blocks; its faces are made from that: text, HTML, and a dictionary for JSON."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from labkit.errors import in_notebook
from labkit.text.blocks import Block, html_of, text_of
from labkit.text.terms import EXACT, Terms


@dataclass(frozen=True, repr=False)
class Shown:
    """A result that a person looks at. A subclass says what it consists of, and what `--json` prints.

    `terms` are put into all that is shown, once and here, and into nothing of `to_dict`.
    """

    terms: Terms = field(default=EXACT, kw_only=True)
    names_lab = True
    """Whether it is shown in notebooks that have a `lab`, whose verbs are then named."""

    def blocks(self) -> Iterable[Block]:
        """What the result consists of, in its order."""
        raise NotImplementedError

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""

    def text(self) -> str:
        """The result as plain text, the same for the same result on every machine."""
        return text_of(self.blocks(), self.terms.say)

    def html(self) -> str:
        """The result as HTML that says what the text says."""
        return html_of(self.blocks(), self.terms.say)

    def __repr__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(self._in_notebook(self.text()))

    def _repr_html_(self) -> str:
        return self._in_notebook(self.html())

    def _in_notebook(self, face: str) -> str:
        return in_notebook(face) if self.names_lab else face
