"""What every view has in common: a widget while a kernel runs, and the result's own text and HTML where none does."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import ipywidgets as widgets

from labkit.text.shown import Shown

# Colours that colour-blind people tell apart (Okabe and Ito), each legible on light and on dark; words go with each.
STYLE = """<style>
.labkit { color: var(--jp-ui-font-color1); line-height: 1.5; }
.labkit p { margin: 4px 0; }
.labkit code { font-size: 13px; overflow-wrap: anywhere; }
.labkit table { border-collapse: collapse; }
.labkit td { border-top: 1px solid var(--jp-border-color2); padding: 4px 16px 4px 0; }
.labkit td { text-align: left; vertical-align: top; }
.labkit ol { list-style: none; margin: 8px 0; padding: 0; max-width: 62em; }
.labkit li { border-left: 5px solid #009E73; margin: 2px 0; padding: 2px 10px; }
.labkit li.failed { border-left: 5px double #D55E00; }
.labkit li.not-reached { border-left: 5px dotted var(--jp-border-color0); color: var(--jp-ui-font-color2); }
.labkit summary { cursor: pointer; }
.labkit .sign, .labkit .name { display: inline-block; min-width: 9em; }
.labkit .badge { border: 1px solid var(--jp-border-color0); border-radius: 4px; padding: 2px 8px; }
.labkit .badge.bad { border: 3px double #D55E00; font-weight: 600; }
.labkit dl { margin: 2px 0 6px 18px; display: grid; grid-template-columns: 6em auto; }
.labkit dd { margin: 0; }
</style>"""

_tasks: set[asyncio.Task[None]] = set()


class View(ABC):
    """A widget over a result. What is stored in a notebook, compared and seen without a kernel is the result itself."""

    def __init__(self, result: Shown) -> None:
        self._result = result

    @abstractmethod
    def build(self) -> widgets.Widget:
        """Make the widget."""

    @cached_property
    def widget(self) -> widgets.Widget:
        """The widget, made when it is first shown."""
        return self.build()

    def __repr__(self) -> str:
        return self._result.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        twins = {"text/plain": self._result.text(), "text/html": self._result.html()}
        return {**self.widget._repr_mimebundle_(), **twins}


def html(content: str) -> widgets.HTML:
    """HTML in the style of the views."""
    return widgets.HTML(f'<div class="labkit">{content}</div>')


def stack(*children: widgets.Widget) -> widgets.VBox:
    """Widgets one below the other, with the style of the views."""
    return widgets.VBox([widgets.HTML(STYLE), *children])


def every_second(action: Callable[[], bool]) -> None:
    """Call an action each second as long as it returns True, while the kernel is not busy. Elsewhere do nothing."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    task = loop.create_task(_tick(action))
    _tasks.add(task)  # the loop itself does not keep it
    task.add_done_callback(_tasks.discard)


async def _tick(action: Callable[[], bool]) -> None:
    while action():
        await asyncio.sleep(1)
