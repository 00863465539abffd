"""A button that copies a text to the clipboard, on purpose: the text is not shown, and does not stay in the page."""

from __future__ import annotations

import asyncio
import json

import ipywidgets as widgets

from labkit.machine.resources import resource

SECONDS_SHOWN = 3

_SCRIPT = resource("labkit/views/copy.js").read_text(encoding="utf-8").partition("\n")[2]


def copy_button(label: str, text: str) -> widgets.HBox:
    """A button with the place where the browser says whether it copied the text."""
    button = widgets.Button(description=label, icon="copy", layout={"width": "auto"})
    said = widgets.Output()

    def copy(_: widgets.Button) -> None:
        data = {"application/javascript": _SCRIPT % json.dumps(text)}
        said.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        _clear_later(said)

    button.on_click(copy)
    return widgets.HBox([button, said])


def _clear_later(said: widgets.Output) -> None:
    """Take the script out of the page again: the text is part of it."""

    def clear() -> None:
        said.outputs = ()

    asyncio.get_running_loop().call_later(SECONDS_SHOWN, clear)
