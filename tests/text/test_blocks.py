"""A block says the same as text and as HTML, and puts terms into both."""

from __future__ import annotations

import pytest
from IPython.lib.pretty import pretty

from labkit.text.blocks import Block, Code, Folded, Table, html_of, sentences, text_of
from labkit.text.shown import Shown
from labkit.text.terms import Terms

B = r"<span>\</span>"
INSIDE = Table(("name", "value"), [("id", "1example")])


@pytest.mark.parametrize(
    ("block", "text", "html"),
    [
        (sentences("One.", "", "Two."), "One.\nTwo.", "<p>One.</p><p>Two.</p>"),
        (sentences("<b> costs $1."), "<b> costs $1.", "<p>&lt;b&gt; costs <span>$</span>1.</p>"),
        (sentences(r"\(x\) \[x\] \begin{x}"), r"\(x\) \[x\] \begin{x}",
         rf"<p>{B}(x{B}) {B}[x{B}] {B}begin{{x}}</p>"),
        (sentences("Run `a < b` or `c`."), "Run `a < b` or `c`.",
         "<p>Run <code>a &lt; b</code> or <code>c</code>.</p>"),
        (Table(("a",), []), "", ""),
        (Table((), [("\x01", "1")]), "----  -\n\\x01  1\n----  -", None),
        (Table((), [("a", "1")]), "-  -\na  1\n-  -", None),
        (Code(""), "", ""),
        (Code("a\n  b"), "a\n  b", '<pre style="white-space: pre-wrap; word-break: normal">a\n  b</pre>'),
        (Code("# <i>\nx = 'a' if 1 else y\n", "python"), "# <i>\nx = 'a' if 1 else y\n",
         '<div class="highlight"><pre style="white-space: pre-wrap; word-break: normal"><em># &lt;i&gt;</em>\n'
         'x = <span class="s">&#x27;a&#x27;</span> <span class="k">if</span> <span class="m">1</span> '
         '<span class="k">else</span> y\n</pre></div>'),
        (Folded("More", (sentences("In."),)), "In.", "<details><summary>More</summary><p>In.</p></details>"),
        (Folded("More", (sentences("In."),), titled=True, opened=True), "More\nIn.",
         "<details open><summary>More</summary><p>In.</p></details>"),
        (Folded("More", (Table(("a",), []),), titled=True), "", ""),
    ],
)  # fmt: skip
def test_text_and_html(block: Block, text: str, html: str | None) -> None:
    assert block.text() == text
    assert html is None or block.html() == html


def test_a_table_has_headers_or_no_head() -> None:
    assert "<th" not in Table((), [("a", "1")]).html()
    assert INSIDE.html().count("<th ") == 2
    assert INSIDE.text().startswith("name    value\n")


def test_a_long_word_of_a_table_is_broken_and_a_short_one_is_not() -> None:
    long, short = Table((), [("a" * 26, "a short word")]).html().split("<td ")[1:]
    assert "overflow-wrap: anywhere" in long
    assert "overflow-wrap" not in short


def test_an_empty_block_leaves_no_gap() -> None:
    assert text_of([sentences("One."), Table(("a",), []), sentences(), sentences("Two.")]) == "One.\n\nTwo."
    assert html_of([sentences("One."), Table(("a",), []), sentences("Two.")]) == "<p>One.</p><p>Two.</p>"


class Result(Shown):
    def blocks(self) -> list[Block]:
        return [sentences("1example is an id."), INSIDE, Folded("of 1example", (Code("curl 1example"),), titled=True)]

    def to_dict(self) -> dict[str, str]:
        return {"id": "1example"}


def test_terms_are_put_into_all_that_is_shown_and_into_nothing_else() -> None:
    result = Result(terms=Terms({"1example": "$ID"}))
    assert result.text().count("$ID") == 4
    assert result.html().replace("<span>$</span>", "$").count("$ID") == 4
    assert "1example" not in f"{result!r}{result._repr_html_()}"
    assert result.to_dict() == {"id": "1example"}


class Advice(Shown):
    def blocks(self) -> list[Block]:
        return [sentences("Build it: labkit up --through functions"), Table(("what to do",), [("labkit up",)])]

    def to_dict(self) -> dict[str, str]:
        return {"fix": "labkit up"}


def test_a_notebook_shows_its_own_verbs_and_a_terminal_its_own() -> None:
    advice = Advice()
    for face in (pretty(advice), advice._repr_html_()):
        assert 'lab.up("functions")' in face
        assert "labkit" not in face
        assert face.count("lab.up()") == 1
    for face in (advice.text(), advice.html(), repr(advice)):
        assert "lab.up" not in face
    assert advice.to_dict() == {"fix": "labkit up"}
