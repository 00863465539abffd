"""Notebooks as JupyterLab opens them: a form whose kernel is gone shows its text, and not an error in its place."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

WIDGET = "application/vnd.jupyter.widget-view+json"


class Contents(AsyncLargeFileManager):
    """The files below JupyterLab's folder. What lies on the disk is not changed.

    A widget lives in the kernel that made it, until that is restarted. A notebook keeps those that live when it is
    opened again: when a page is loaded anew.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._made_in: dict[str, str] = {}

    async def save(self, model: dict[str, Any], path: str = "") -> Any:
        """Save a file, and remember of a notebook's new widgets the kernel that runs it."""
        if kernel := await self._kernel(path):
            for data in _widgets(model):
                self._made_in.setdefault(data[WIDGET]["model_id"], kernel)
        return await super().save(model, path)  # type: ignore[no-untyped-call]

    async def get(self, path: str, *arguments: Any, **options: Any) -> Any:
        """A file or folder; a notebook without the widgets that are gone, where those have a text."""
        model = await super().get(path, *arguments, **options)  # type: ignore[no-untyped-call]
        gone = [data for data in _widgets(model) if "text/html" in data]
        kernel = await self._kernel(path) if gone else None
        for data in gone:
            if kernel is None or self._made_in.get(data[WIDGET]["model_id"]) != kernel:
                del data[WIDGET]
        return model

    async def _kernel(self, path: str) -> str | None:
        """The kernel that runs a notebook: its id, which it keeps when it is restarted, and that of its process."""
        server: Any = self.parent
        manager = getattr(server, "session_manager", None)
        sessions = await manager.list_sessions() if manager else []
        name = next((session["kernel"]["id"] for session in sessions if session["path"] == path.strip("/")), None)
        return name and f"{name} {server.kernel_manager.get_kernel(name).provisioner.pid}"


def _widgets(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a notebook that are widgets; none of another file."""
    cells = model["content"]["cells"] if model.get("type") == "notebook" and model.get("content") else ()
    shown = (output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
    return [data for data in shown if WIDGET in data]
