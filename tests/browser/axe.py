"""axe-core, an accessibility checker that is not ours, run on what the lab shows in a page: https://www.deque.com/axe/"""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

OUTPUTS = ".jp-OutputArea-output"
_RUN = "shown => axe.run({include: [[shown]]})"
# JupyterLab's panels clip what they scroll, and axe would take that for hidden and judge no colour in it.
_UNCLIPPED = "* { overflow: visible !important; contain: none !important; }"


def violations(page: Page, shown: str = OUTPUTS) -> list[str]:
    """What axe finds in the elements of a selector, each with its rule and the element's beginning."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    style = page.add_style_tag(content=_UNCLIPPED)
    result = page.evaluate(_RUN, shown)
    style.evaluate("element => element.remove()")
    assert "color-contrast" in {rule["id"] for rule in result["passes"]}, "axe has not seen the outputs"
    return [f"{rule['id']}: {node['html'][:160]}" for rule in result["violations"] for node in rule["nodes"]]


def use_theme(page: Page, name: str) -> None:
    """Have JupyterLab show itself in a theme, `JupyterLab Light` or `JupyterLab Dark`."""
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.locator("#jupyterlab-splash").wait_for(state="detached")  # it covers the outputs while the theme changes
