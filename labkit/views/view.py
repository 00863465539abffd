"""What every view has in common: a widget while a kernel runs, and the result's own text and HTML where none does."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from labkit.errors import in_notebook
from labkit.machine.resources import resource
from labkit.text.blocks import Block
from labkit.text.shown import Shown
from labkit.text.wording import visible

_STYLE = resource("labkit/views/view.css").read_text(encoding="utf-8")

_tasks: set[asyncio.Task[None]] = set()

Result = TypeVar("Result", bound=Shown)


class View(ABC, Generic[Result]):
    """A widget over a result. What is stored in a notebook, compared and seen without a kernel is the result itself."""

    def __init__(self, result: Result) -> None:
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
        twins = {"text/plain": in_notebook(self._result.text()), "text/html": in_notebook(self._result.html())}
        return {**self.widget._repr_mimebundle_(), **twins}


def html(content: str | Block) -> widgets.HTML:
    """HTML in the style of the views, or a block of a result, in a notebook's words."""
    inside = content if isinstance(content, str) else content.html()
    return widgets.HTML(f'<div class="labkit">{in_notebook(visible(inside))}</div>')


def stack(*children: widgets.Widget) -> widgets.VBox:
    """Widgets one below the other, with the style of the views."""
    return widgets.VBox([widgets.HTML(f"<style>{_STYLE}</style>"), *children]).add_class("labkit-view")


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
