"""One at a time on one machine."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.errors import LabError
from labkit.machine.locks import BusyError, one_at_a_time


def test_the_second_is_told_and_comes_in_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "new" / "lock"
    second = one_at_a_time(file, "Busy.", "Wait.")
    with one_at_a_time(file, "Busy.", "Wait."), pytest.raises(BusyError, match=r"Busy\. Wait\."):
        second.__enter__()
    with one_at_a_time(file, "Busy.", "Wait."):
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_lock_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(LabError, match="cannot be written"), one_at_a_time(tmp_path / "lock", "Busy.", "Wait."):
        pass


def test_who_waits_comes_in_also_when_the_folder_was_taken_away_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "new" / "lock"

    def waits() -> bool:
        with one_at_a_time(file, "Busy.", "Wait.", patience=30):
            return file.exists()

    with ThreadPoolExecutor(1) as pool:
        with one_at_a_time(file, "Busy.", "Wait."):
            second = pool.submit(waits)
            time.sleep(0.2)
            shutil.rmtree(file.parent)
        assert second.result()
