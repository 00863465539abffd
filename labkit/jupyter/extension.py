"""The Jupyter server extension that runs the embedded cloud for as long as JupyterLab runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from labkit.cloud import process
from labkit.errors import LabError
from labkit.settings import Settings


class EmbeddedCloud(ExtensionApp):
    """Starts the cloud with the Jupyter server, and stops it with it.

    It is an application and not a plain module because only applications are told when the server stops. However
    the server ends, the cloud notices: it is supervised.
    """

    name = "labkit"
    home: Path | None = None
    """The home whose cloud is ours to stop; None if it ran before us, or if the lab is in AWS."""

    def initialize_settings(self) -> None:
        """Start the cloud. A failure is one line in the log, and JupyterLab starts nevertheless."""
        try:
            settings = Settings.from_environment()
            if settings.place_kind == "embedded" and process.find(settings.home) is None:
                cloud = process.start(settings.home, supervised=True)
                self.home = settings.home
                self.log.info("The embedded cloud serves on %s", cloud.endpoint_url)
        except LabError as error:
            self.log.error("The embedded cloud is not running. %s", error)

    async def stop_extension(self) -> None:
        """Stop the cloud that was started here, or the one that a kernel has put in its place since."""
        if self.home:
            try:
                process.stop(self.home)
            except LabError as error:
                self.log.error("The embedded cloud was not stopped. %s", error)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__, "app": EmbeddedCloud}]
