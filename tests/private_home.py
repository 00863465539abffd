"""A LABKIT_HOME that only one run of tests or notebooks sees, and of which nothing stays."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def private_home(keep_aws: bool = False) -> Iterator[Path]:
    """Work in a fresh LABKIT_HOME without the caller's own settings; at the end stop its cloud and remove it.

    Args:
        keep_aws: leave the caller's AWS credentials and region, and what says how a real account is asked.
    """
    with (
        tempfile.TemporaryDirectory(prefix="labkit-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name in _foreign(keep_aws):
            environment.delenv(name)
        if not keep_aws:
            environment.setenv("AWS_CONFIG_FILE", os.devnull)
            environment.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
            environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("LABKIT_HOME", folder)
        try:
            yield Path(folder)
        finally:
            if any(Path(folder).iterdir()):
                stop = [Path(sys.executable).with_name("labkit"), "cloud", "stop"]
                subprocess.run(stop, check=False, timeout=60, stdout=subprocess.DEVNULL)


def _foreign(keep_aws: bool) -> list[str]:
    """The caller's variables that would change what a test sees."""
    foreign, kept = ("LABKIT_", "AWS_"), ("LABKIT_REQUIRE_",)
    if keep_aws:
        kept += ("AWS_", "LABKIT_TEST_", "LABKIT_AWS_")
    return [name for name in os.environ if name.startswith(foreign) and not name.startswith(kept)]
