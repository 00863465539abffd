"""A learner's way through a chapter of their copy in JupyterLab: predicted by keyboard, a task solved, and reloaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.jupyterlab import JupyterLab

pytestmark = pytest.mark.browser

TRIGGER = "lambdas/Pre-tokenAuthLambda/lambda_function.py"
MENDED = """lab.target.client("lambda").add_permission(
FunctionName=ids["LambdaForAdminUser"], StatementId="mine", Action="lambda:InvokeFunction",
Principal="apigateway.amazonaws.com", SourceArn=lab.target.names.route_arn(ids["api_id"], "GET /AdminUser"))
lab.symptom()"""
COPIED = "import sys; from pathlib import Path; from labkit.learning.copy import make_copy"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab that serves a learner's copy."""
    from tests.browser.jupyterlab import jupyterlab

    with jupyterlab(tmp_path_factory.mktemp("jupyter")) as running:
        home, copy = running.folder.parent / "home", running.folder / "my-lab"
        make = f"{COPIED}; make_copy(Path(sys.argv[1]), folder=Path(sys.argv[2]))"
        subprocess.run([sys.executable, "-c", make, home, copy], check=True, timeout=120)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, jupyter: JupyterLab) -> Iterator[Page]:
    """Chapter 01 of the copy, run once from top to bottom."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    jupyter.run(page, "my-lab/01-functions.ipynb", until="All 24 checks passed.")
    yield page
    context.close()


def test_a_wrong_prediction_is_met_and_a_right_one_kept_by_keyboard(page: Page) -> None:
    question = page.locator("form.labkit-form", has_text="What is the value of scope?")
    assert question.get_by_role("group").count() == 1
    question.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    said = question.get_by_role("status")
    said.get_by_text("Commas separate lists in much of JSON and HTTP.").wait_for()
    assert page.evaluate("document.activeElement.value") == "c"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    said.get_by_text("Run the next cell and compare.").wait_for()
    said.get_by_text("Your first prediction, c, stays noted.").wait_for()


def test_a_hint_is_taken(page: Page) -> None:
    card = page.locator("form.labkit-form", has_text="Write the line that makes the scope")
    card.get_by_role("button", name="A hint, please").focus()
    page.keyboard.press("Enter")
    card.get_by_role("status").get_by_text("Hint 1 of 3, a question.").wait_for()


def test_a_reload_in_the_middle_keeps_what_was_chosen(page: Page) -> None:
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    question = page.locator("form.labkit-form", has_text="What is the value of scope?")
    question.get_by_role("status").get_by_text("stays noted.").wait_for(timeout=60_000)
    assert question.get_by_role("radio", checked=True).get_attribute("value") == "b"


def test_a_task_goes_from_open_to_solved(page: Page, jupyter: JupyterLab) -> None:
    verdict = page.locator(".jp-OutputArea-output", has_text="Then check again")
    verdict.get_by_text("For a user in two groups there is no scope.").wait_for()
    for line, words in (
        ('":".join(groups)', "Found: admin:regular"),
        ('" ".join(f"{group}-{client_id}" for group in groups) or None', "Passed: two groups"),
    ):
        change(jupyter.folder / "my-lab" / TRIGGER, line)
        page.locator(".jp-Cell", has_text='lab.check_task("trigger")').locator(".cm-content").last.click()
        page.keyboard.press("Control+Enter")
        page.locator(".jp-OutputArea-output", has_text=words).first.wait_for(timeout=60_000)


def change(file: Path, line: str) -> None:
    """Write the learner's line."""
    text = file.read_text(encoding="utf-8")
    before, _, after = text.partition("    scope = ")
    file.write_text(f"{before}    scope = {line}\n{after.partition(chr(10))[2]}", encoding="utf-8")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_in_a_chapter(page: Page, theme: str) -> None:
    from tests.browser.axe import use_theme, violations

    use_theme(page, theme)
    assert violations(page) == []


def test_a_restarted_kernel_says_what_to_run(page: Page) -> None:
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    page.locator(".jp-Cell", has_text='lab.check_task("trigger")').locator(".cm-content").last.click()
    page.keyboard.press("Control+Enter")
    page.get_by_text("Choose Run > Run All Above Selected Cell in the menu").wait_for(timeout=60_000)
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()


def test_a_form_of_a_restarted_kernel_says_so_and_is_its_text_when_the_page_is_loaded_anew(page: Page) -> None:
    form = page.locator(".labkit-view", has_text="What is the value of scope?")
    assert "run its cell again" in form.evaluate("view => getComputedStyle(view, '::after').content")
    assert not form.get_by_role("button").first.is_visible()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.get_by_text('Choose with: lab.predict("scope-of-two-groups", "a"), or skip=True.').wait_for(timeout=60_000)
    assert "model not found" not in page.locator(".jp-Notebook").inner_text()


def test_a_broken_lab_is_mended(browser: Browser, jupyter: JupyterLab, page: Page) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    mending = context.new_page()
    jupyter.run(mending, "my-lab/08-mend-it.ipynb", until="not named: lab.name_cause(), or labkit cause")
    work = (
        ("lab.name_cause(cause)", 'lab.name_cause("trigger")', "No."),
        ('lab.name_cause("trigger")', 'lab.name_cause("route-permission")', "Yes: The API may not invoke"),
        ("lab.symptom()", MENDED, "GET /AdminUser as adminuser is answered 200."),
        ("lab.mended()", "lab.mended()", "Solved."),
    )
    for cell, line, told in work:
        content = mending.locator(".jp-CodeCell", has_text=cell).locator(".cm-content").last
        content.click()
        mending.keyboard.press("Control+A")
        mending.keyboard.insert_text(line)
        mending.keyboard.press("Control+Enter")
        mending.locator(".jp-OutputArea-output", has_text=told).last.wait_for(timeout=60_000)
    context.close()


def test_a_chapter_opened_without_a_kernel_shows_the_question(
    browser: Browser, jupyter: JupyterLab, page: Page
) -> None:
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    jupyter.end_kernels()
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    fresh = context.new_page()
    jupyter.open(fresh, "my-lab/01-functions.ipynb")
    fresh.get_by_text('Choose with: lab.predict("scope-of-two-groups", "a"), or skip=True.').wait_for()
    assert "model not found" not in fresh.locator(".jp-Notebook").inner_text()
    context.close()
