"""Notebooks as JupyterLab opens them: a form whose kernel is gone shows its text, and not an error in its place."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

WIDGET = "application/vnd.jupyter.widget-view+json"


class Contents(AsyncLargeFileManager):
    """The files below JupyterLab's folder. What lies on the disk is not changed.

    A widget lives in the kernel that made it. A notebook keeps its widgets when it is opened again while the same
    kernel runs it under which it was saved: when a page is loaded anew.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._saved_under: dict[str, str] = {}

    async def save(self, model: dict[str, Any], path: str = "") -> Any:
        """Save a file, and remember the kernel under which a notebook was saved."""
        if kernel := await self._kernel(path):
            self._saved_under[path.strip("/")] = kernel
        return await super().save(model, path)  # type: ignore[no-untyped-call]

    async def get(self, path: str, *arguments: Any, **options: Any) -> Any:
        """A file or folder; a notebook whose kernel is gone without its widgets, where those have a text."""
        model = await super().get(path, *arguments, **options)  # type: ignore[no-untyped-call]
        if model["type"] == "notebook" and model["content"] and not await self._lives(path.strip("/")):
            for cell in model["content"]["cells"]:
                for output in cell.get("outputs", ()):
                    _without_widget(output.get("data", {}))
        return model

    async def _lives(self, path: str) -> bool:
        return path in self._saved_under and self._saved_under[path] == await self._kernel(path)

    async def _kernel(self, path: str) -> str | None:
        """The id of the kernel that runs a notebook."""
        manager = getattr(self.parent, "session_manager", None)
        sessions = await manager.list_sessions() if manager else []
        return next((session["kernel"]["id"] for session in sessions if session["path"] == path.strip("/")), None)


def _without_widget(data: dict[str, Any]) -> None:
    if "text/html" in data:
        data.pop(WIDGET, None)
