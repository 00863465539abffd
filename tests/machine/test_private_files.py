"""Files that only their owner can read, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
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


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1,]", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_json_is_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_bytes(content)

    assert private_files.read_json(tmp_path / "kept.json") is None


@pytest.mark.skipif(os.name != "posix", reason="POSIX has these kinds of files")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_and_a_device_are_nothing(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "kept.json")

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


@pytest.fixture
def somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there belongs to another user: seen from a user who we are not."""
    monkeypatch.setattr(private_files, "current_user", lambda: os.geteuid() + 1)


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_every_folder_that_is_made_is_its_owners_only(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        private_files.private_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert {mode(tmp_path / path) for path in ("a", "a/b", "a/b/c")} == {0o700}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    private_files.private_folder(tmp_path)
    assert mode(tmp_path) == 0o770


@pytest.mark.usefixtures("somebody_else")
def test_a_file_of_another_user_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text("1")

    assert private_files.read_json(tmp_path / "kept.json") is None
    with pytest.raises(LabError, match="belongs to another user"):
        private_files.write_json(tmp_path / "kept.json", 2)
    assert (tmp_path / "kept.json").read_text() == "1"


@pytest.mark.usefixtures("somebody_else")
def test_a_file_of_another_user_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text("1")
    private_files.remove_files(tmp_path, ["kept.json"])
    assert (tmp_path / "kept.json").exists()


def test_what_labkit_wrote_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    outside.write_text("1")
    private_files.write_json(folder / "a.json", 1)
    (folder / ".a.json.abcd1234").touch()
    (folder / "notes.json").touch()
    (folder / "link.json").symlink_to(outside)
    (folder / "dir.json").mkdir()
    names = ["a.json", "link.json", "dir.json", "missing.json"]

    private_files.remove_files(folder, names)
    assert sorted(path.name for path in folder.iterdir()) == ["dir.json", "link.json", "notes.json"]
    (tmp_path / "linked").symlink_to(folder)
    private_files.remove_files(tmp_path / "linked", ["notes.json"])
    assert (folder / "notes.json").exists()


def test_a_folder_goes_with_its_marker_last_and_nothing_behind_a_link(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    private_files.write_json(folder / "marker", 1)
    private_files.write_json(folder / "a" / "b.json", 1)
    private_files.write_json(outside / "kept.json", 1)
    (folder / "link").symlink_to(outside)

    private_files.remove_folder(folder, last="marker")
    assert not folder.exists()
    assert (outside / "kept.json").exists()


@pytest.mark.parametrize(
    ("bits", "closed"), [(0o700, True), (0o770, True), (0o2775, True), (0o777, False), (0o1777, False)]
)
def test_a_home_may_be_a_groups_and_not_everybodys(tmp_path: Path, bits: int, closed: bool) -> None:
    tmp_path.chmod(bits)
    if closed:
        assert private_files.require_closed(tmp_path, ["labs"]) == tmp_path
    else:
        with pytest.raises(LabError, match="Everybody on this machine may write to"):
            private_files.require_closed(tmp_path, ["labs"])
    assert mode(tmp_path) == bits


@pytest.mark.usefixtures("somebody_else")
def test_a_home_may_be_another_users_and_what_is_kept_in_it_not(tmp_path: Path) -> None:
    assert private_files.require_closed(tmp_path, ["labs"]) == tmp_path
    (tmp_path / "labs").mkdir()
    with pytest.raises(LabError, match="labs belongs to another user"):
        private_files.require_closed(tmp_path, ["labs"])
    (tmp_path / "other").symlink_to(tmp_path / "nothing")
    with pytest.raises(LabError, match="other belongs to another user"):
        private_files.require_closed(tmp_path, ["other"])


def test_a_home_that_is_not_there_is_closed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "home", tmp_path / "file" / "home"):
        assert private_files.require_closed(home, ["labs"]) == home
