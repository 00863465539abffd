"""The views in JupyterLab, in a real browser: drawn, worked by keyboard, copied from, and readable without a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.jupyterlab import JupyterLab

pytestmark = pytest.mark.browser

# The outputs are stable, as those that are committed; what is worked with the mouse has the real values.
CELLS = [
    "import os\nos.environ['LABKIT_OUTPUTS'] = 'stable'\nfrom labkit import Lab, view\nlab = Lab.open()\nlab.up()",
    "tokens = lab.tokens('adminuser')\nview(lab.read(tokens['id']))",
    "view(lab.explain('GET /AdminUser', 'regularuser'))",
    "lab.call('GET /AdminUser', 'adminuser')",
    "view(lab.access())",
    "view(lab.what_if('adminuser', send=False))",
    "os.environ.pop('LABKIT_OUTPUTS')\nlab.explain('GET /AdminUser', 'adminuser')",
    "view(lab.explain('GET /AdminUser'))",
    "print('every cell', 'was run')",
]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab with one notebook of views."""
    from tests.browser.jupyterlab import jupyterlab

    with jupyterlab(tmp_path_factory.mktemp("jupyter")) as running:
        running.write("views.ipynb", CELLS)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, jupyter: JupyterLab) -> Iterator[Page]:
    """The notebook after it was run, in a window so high that every output is drawn."""
    context = browser.new_context(viewport={"width": 1400, "height": 5000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    jupyter.run(page, "views.ipynb", until="every cell was run")
    yield page
    context.close()


def test_the_countdown_runs(page: Page) -> None:
    clock = page.locator(".badge", has_text="expires in")
    before = clock.inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    assert clock.inner_text().startswith("expires in 59:")


def test_the_whole_token_is_copied_and_leaves_the_page(page: Page) -> None:
    page.get_by_role("button", name="Copy the whole token").click()
    page.get_by_text("Copied.").wait_for()
    token = page.evaluate("navigator.clipboard.readText()")
    assert token.startswith("eyJ")
    assert token.count(".") == 2
    assert token.split(".")[2] not in page.content()
    page.get_by_text("Copied.").wait_for(state="detached")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_part_is_chosen_by_keyboard(page: Page, key: str) -> None:
    for part, words in (("Signature", "made over header and payload"), ("Header", "How the token was signed")):
        page.get_by_role("button", name=part).focus()
        page.keyboard.press(key)
        page.get_by_text(words).wait_for()


def test_a_rung_opens_by_keyboard(page: Page) -> None:
    rung = page.locator("li", has=page.locator("summary b.name", has_text="audience")).first
    rung.locator("summary").focus()
    page.keyboard.press("Enter")
    rung.get_by_text(re.compile(r'aud, or client_id without an aud, "[A-Za-z0-9]{26}"')).wait_for()


def test_in_a_narrow_window_nothing_is_cut_and_no_line_of_a_rung_begins_below_its_sign(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 5000})
    page.locator("li", has_text="scope").first.wait_for()
    lefts = "rungs => rungs.flatMap(rung => [...rung.getClientRects()].map(line => Math.round(line.left)))"
    lines = page.locator("li:not(.not-reached) .actual").evaluate_all(lefts)
    assert len(set(lines)) == 1
    assert lines[0] > page.locator("li .name").first.bounding_box()["x"]  # type: ignore[index]
    too_wide = "shown => shown.filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText)"
    assert page.locator(".jp-OutputArea-output", has_text="passed").evaluate_all(too_wide) == []
    beyond = """fields => fields.filter(field => field.getBoundingClientRect().right
        > field.closest('.labkit-view').getBoundingClientRect().right).map(field => field.innerText)"""
    assert page.locator(".labkit-view input, .labkit-view select").evaluate_all(beyond) == []
    page.set_viewport_size({"width": 1400, "height": 5000})


def test_no_word_of_a_rung_touches_the_next(page: Page) -> None:
    page.locator("li.not-reached .sign").first.wait_for()
    gaps = """signs => signs.map(sign => {
        const words = document.createRange();
        words.selectNodeContents(sign);
        return sign.nextSibling.getBoundingClientRect().left - words.getBoundingClientRect().right;
    })"""
    assert min(page.locator("li .sign, li .name").evaluate_all(gaps)) > 4


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_cell_of_the_matrix_opens_by_keyboard(page: Page, key: str) -> None:
    cell = page.get_by_role("button", name="200 ✓ as predicted").first
    cell.focus()
    page.keyboard.press(key)
    page.get_by_role("status").get_by_text("GET /RegularUser as regularuser: 200, let in by every rule.").wait_for()


def test_a_what_if_is_typed_predicted_and_sent_by_keyboard(page: Page) -> None:
    page.get_by_label("Claim scope").fill("nothing")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("200 becomes 403: the rule scope fails.").wait_for()
    page.get_by_role("button", name="Send it").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("The what-if API answered 403, as predicted.").wait_for()
    page.get_by_role("button", name="Put back").focus()
    page.keyboard.press("Space")
    page.get_by_text("Nothing is changed.").first.wait_for()


def test_a_committed_notebook_is_read_without_running_it(browser: Browser, jupyter: JupyterLab, page: Page) -> None:
    from tests.notebooks.canonical import clean, read, serialized

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    committed = jupyter.folder / "committed.ipynb"
    committed.write_text(serialized(clean(read(jupyter.folder / "views.ipynb"))), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1400, "height": 5000})
    fresh = context.new_page()
    jupyter.open(fresh, committed.name)

    fresh.get_by_text("GET /AdminUser as regularuser: 403, refused by the rule scope.").wait_for()
    text = fresh.locator(".jp-Notebook").inner_text()
    assert "admin-$APP_CLIENT_ID regular-$APP_CLIENT_ID" in text
    assert "$AWS_ENDPOINT_URL/$USER_POOL_ID/.well-known/jwks.json" in text
    assert 'curl -H "Authorization: $(labkit token regularuser)" "$API_URL/AdminUser"' in text
    assert "Nothing is changed." in text
    assert "model not found" not in text
    assert fresh.locator("mjx-container").count() == 0
    context.close()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_in_views_and_outputs(page: Page, theme: str) -> None:
    from tests.browser.axe import use_theme, violations

    use_theme(page, theme)
    assert violations(page) == []
