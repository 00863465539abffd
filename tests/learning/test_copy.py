"""The learner's copy is made, continued and made afresh, and what they wrote is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.errors import UsageError
from labkit.learning import copy
from labkit.learning.copy import make_copy
from labkit.machine.private_files import write_json
from labkit.steps.function_code import COPY, HANDED_OUT, deployed_file, package, source_file
from labkit.target.names import ADMIN, PRE_TOKEN

CHAPTER = "05-test-the-authorizer.ipynb"
TRIGGER = f"lambdas/{PRE_TOKEN}/lambda_function.py"


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """What is handed out."""
    return dict(copy._files())


@pytest.fixture
def made(tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., copy.Copied]:
    """Makes the copy in `my-lab`, of files that a test may change."""
    monkeypatch.setattr(copy, "_files", lambda: iter(files.items()))
    return lambda **options: make_copy(tmp_path / "home", folder=tmp_path / "my-lab", **options)


def test_a_copy_has_chapters_without_outputs_and_functions_with_gaps(
    tmp_path: Path, made: Callable[..., copy.Copied]
) -> None:
    assert made().new
    folder = tmp_path / "my-lab"
    for file in folder.glob("*.ipynb"):
        assert all(not cell.get("outputs") for cell in json.loads(file.read_text(encoding="utf-8"))["cells"])
    assert not list(folder.glob("*instructor*"))
    assert "YOUR LINE" in (folder / TRIGGER).read_text(encoding="utf-8")
    assert "YOUR LINE" in (folder / TRIGGER).with_name("index.mjs").read_text(encoding="utf-8")


def test_coming_back_changes_nothing(tmp_path: Path, made: Callable[..., copy.Copied]) -> None:
    made()
    (tmp_path / "my-lab" / CHAPTER).write_text("mine")
    assert made().text() == "Your copy in my-lab/ is as you left it."
    assert (tmp_path / "my-lab" / CHAPTER).read_text() == "mine"


def test_a_newer_chapter_replaces_only_what_is_untouched(
    tmp_path: Path, made: Callable[..., copy.Copied], files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    folder, other = tmp_path / "my-lab", "06-read-the-token.ipynb"
    (folder / CHAPTER).write_text("mine")
    newer = {path: content + b" " if path in (CHAPTER, other) else content for path, content in files.items()}
    monkeypatch.setattr(copy, "_files", lambda: iter(newer.items()))
    said = made().text()
    assert (folder / CHAPTER).read_text() == "mine"
    assert (folder / "05-test-the-authorizer (new).ipynb").read_bytes() == newer[CHAPTER]
    assert (folder / other).read_bytes() == newer[other]
    assert "(new).ipynb" in said
    assert "nothing of yours was overwritten" in said
    assert made().written == ()


def test_a_fresh_chapter_leaves_the_old_one_beside_it(tmp_path: Path, made: Callable[..., copy.Copied]) -> None:
    made()
    for work in ("mine", "mine too"):
        (tmp_path / "my-lab" / CHAPTER).write_text(work)
        made(fresh="05")
    kept = [path.read_text() for path in sorted((tmp_path / "my-lab").glob("05*(yours, *).ipynb"))]
    assert sorted(kept) == ["mine", "mine too"]
    assert (tmp_path / "my-lab" / CHAPTER).read_text() != "mine too"


def test_an_unknown_chapter_is_a_wrong_call(made: Callable[..., copy.Copied]) -> None:
    with pytest.raises(UsageError, match="There is no chapter '55'"):
        made(fresh="55")


@pytest.mark.parametrize(
    "other",
    [None, 5, "x", [[]], {"folder": None}, {"folder": 5}, {"folder": "a" * 5_000}],
    ids=lambda other: str(other)[:20],
)
def test_a_record_of_another_shape_is_none(other: object, tmp_path: Path, made: Callable[..., copy.Copied]) -> None:
    made()
    write_json(tmp_path / "my-lab" / HANDED_OUT, other)
    assert package(PRE_TOKEN, "python3.13", tmp_path / "home")
    made()
    write_json(tmp_path / "home" / COPY, other)
    assert package(PRE_TOKEN, "python3.13", tmp_path / "home") == package(PRE_TOKEN, "python3.13")


def test_a_function_is_deployed_as_the_learner_changed_it_and_only_then(
    tmp_path: Path, made: Callable[..., copy.Copied]
) -> None:
    home, runtime = tmp_path / "home", "python3.13"
    made()
    theirs = tmp_path / "my-lab" / TRIGGER
    assert source_file(PRE_TOKEN, runtime, home) == theirs
    assert package(PRE_TOKEN, runtime, home) == package(PRE_TOKEN, runtime)
    theirs.write_text(theirs.read_text().replace("scope = None", "scope = 'mine'"))
    assert deployed_file(PRE_TOKEN, runtime, home) == theirs
    assert package(ADMIN, runtime, home) == package(ADMIN, runtime)
    assert deployed_file(PRE_TOKEN, runtime) != theirs
    made(fresh="lambdas")
    assert package(PRE_TOKEN, runtime, home) == package(PRE_TOKEN, runtime)


def test_a_copy_that_was_deleted_is_not_missed(tmp_path: Path, made: Callable[..., copy.Copied]) -> None:
    made()
    (tmp_path / "my-lab").rename(tmp_path / "elsewhere")
    assert package(PRE_TOKEN, "python3.13", tmp_path / "home") == package(PRE_TOKEN, "python3.13")
