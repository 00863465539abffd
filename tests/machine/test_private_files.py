"""Files that only their owner can read, whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from labkit.errors import LabError
from labkit.machine import private_files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_its_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "kept.json"

    private_files.write_json(file, {"a": ["ä", 1, None]})

    assert private_files.read_json(file) == {"a": ["ä", 1, None]}
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["kept.json"]


def test_an_old_file_gets_the_new_content_and_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text("old")
    file.chmod(0o644)

    private_files.write_json(file, "new")

    assert (private_files.read_json(file), mode(file)) == ("new", 0o600)


def test_a_crash_while_writing_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kept.json"
    private_files.write_json(file, "old")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        private_files.write_json(file, "new")

    assert private_files.read_json(file) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_a_full_disk_leaves_the_old_file_whole_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kept.json"
    private_files.write_json(file, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(LabError) as error:
        private_files.write_json(file, "new")

    assert error.value.problem == f"{file} cannot be written: No space left on device."
    assert error.value.remedy == ("Free some space or mend the permissions, or set LABKIT_HOME to another folder.")
    assert json.loads(file.read_text()) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LabError, match="cannot be written: Not a directory"):
        private_files.write_json(tmp_path / "file" / "folder" / "kept.json", {})


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1,]"])
def test_what_is_no_json_is_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_bytes(content)

    assert private_files.read_json(tmp_path / "kept.json") is None


def test_a_missing_file_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert private_files.read_json(tmp_path / "kept.json") is None
    assert private_files.read_json(tmp_path / "file" / "kept.json") is None


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "kept.json"
    folder.mkdir()

    with pytest.raises(LabError) as error:
        private_files.read_json(folder)
    assert error.value.problem == f"{folder} cannot be read: Is a directory."
