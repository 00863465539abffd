"""What others wrote is shown as text, by every part of a result and every face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from labkit.cli import ending, terminal
from labkit.errors import LabError
from labkit.text.blocks import Block, Code, Folded, Table, sentences
from labkit.text.shown import Shown
from labkit.text.wording import visible

# ESC, BEL, C1's CSI and OSC, carriage return and backspace, both kinds of bidirectional controls, a zero-width
# space, tag characters, line separators, a lone surrogate.
HOSTILE = "\x1b[2J\x07\x9b31m\x9dtitle\x9c\r\b\x7f\u202eetag\u2066x\u2069\u200f\u200b\ufeff\U000e0041\u2028\u2029\ud800"
HARMLESS = "Žluťoučký kůň, 請求, سلام, 👩\u200d💻 ❤\ufe0f, a\xa0b\tc"
BLOCKS = [
    sentences(HOSTILE, HARMLESS),
    Table(("a", HOSTILE), [(HOSTILE, HARMLESS)]),
    Code(f"{HOSTILE}\n{HARMLESS}"),
    Code(f"{HOSTILE}\n{HARMLESS}", "python"),
    Folded(HOSTILE, (sentences(HOSTILE, HARMLESS),), titled=True),
]


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """A result of one block."""

    block: Block

    def blocks(self) -> Iterable[Block]:
        """The block."""
        return [self.block]

    def to_dict(self) -> dict[str, Any]:
        """What a stranger wrote."""
        return {"text": HOSTILE}


def acts(text: str) -> set[str]:
    """The characters of a text that are not only seen."""
    return {c for c in text if not c.isprintable() and c not in "\n\t\xa0\u200d"}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_no_face_of_a_result_acts(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(block)
    terminal.show(result, as_json=False)
    terminal.show(result, as_json=True)
    terminal.tell(HOSTILE)
    printed = capsys.readouterr()
    faces = (result.text(), result.html(), repr(result), result._repr_html_(), printed.out, printed.err)

    assert [acts(face) for face in faces] == [set()] * len(faces)
    assert all(
        part in result.text() and part in result.html() for part in HARMLESS.split("\t", maxsplit=1)[0].split(", ")
    )


def test_an_error_does_not_act(capsys: pytest.CaptureFixture[str]) -> None:
    error = LabError(f"The function {HOSTILE} is somebody else's: né.", f"Look at {HOSTILE}.")
    ending.fail(error, as_json=True)
    faces = (str(error), error.problem, error.remedy, *error._render_traceback_(), *capsys.readouterr())

    assert [acts(face) for face in faces] == [set()] * len(faces)
    assert "né" in error.problem


def test_every_character_that_is_not_only_seen_becomes_an_escape() -> None:
    kept = [c for c in map(chr, range(0x110000)) if visible(c) == c and not c.isprintable()]
    blanks = "\t\n\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    assert "".join(kept) == blanks + "\u200c\u200d\u202f\u205f\u3000"
    assert visible(visible(HOSTILE)) == visible(HOSTILE)
