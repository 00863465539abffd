"""The page of a reset, in a real browser: whatever names there are, nothing of them runs, is fetched or acts."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from labkit.fleet.reset_report import LabResult, ResetReport
from labkit.fleet.roster import BadRow
from tests.text.test_what_others_wrote import HOSTILE, acts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MARKUP = [
    "<script>ran()</script>", "</script><script>ran()</script>", "<img src=x onerror=ran()>", "<svg onload=ran()>",
    "</td></table><iframe srcdoc='<script>parent.ran()</script>'>", '" onmouseover="ran()', "' onfocus='ran()",
    "</style><style>*{display:none}</style>", "<base href=//192.0.2.1/>", "<a href=javascript:ran()>x</a>",
    "</title><script>ran()</script>", "<!--", "]]>", "&lt;script&gt;", "<meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=//192.0.2.1/x.css>", "{}*{background:url(//192.0.2.1)}", "a" * 10_000, HOSTILE, "\0\x01",
]  # fmt: skip
TEXTS = [field.name for field in fields(LabResult) if field.name not in ("removed", "left")]


def report(text: str) -> ResetReport:
    """A report in which somebody wrote the same into everything."""
    thing = dict.fromkeys(("kind", "name", "id", "why"), text)
    lab = LabResult(**dict.fromkeys(TEXTS, text), removed=(thing,), left=({**thing, "ours": True},))
    return ResetReport((lab, lab), (BadRow(2, text, text, text),), 0, 1, text)


def test_nothing_that_others_wrote_runs(browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script("window.ran = () => { window.hasRun = true }")
    empty = None
    for text in ("harmless", *MARKUP):
        html = report(text).page()
        assert acts(html) == set()
        html.encode()
        page.set_content(html)
        page.hover("td")
        elements = page.evaluate("[...document.querySelectorAll('*')].map(e => e.localName).filter(n => n != 'span')")
        empty = empty or elements

        assert elements == empty, text
        assert page.evaluate("window.hasRun") is None
        assert page.evaluate("[...document.querySelectorAll('*')].every(e => !e.hasAttribute('onmouseover'))")
        if text not in (HOSTILE, "\0\x01"):
            assert text in page.inner_text("tbody td")
    assert asked == []
    page.close()
