"""A class of three fake accounts for all tests of a module, and rosters that lead to labs in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.fleet import rehearsal
from labkit.fleet.rehearsal import Rehearsal
from tests.cloud.homes import processes
from tests.fleet.accounts import ANA, Accounts
from tests.fleet.classes import Classroom
from tests.fleet.organisation import play

SIZE = 3

_labs = (f"class-{number}" for number in itertools.count(1))


@pytest.fixture(scope="package")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The fake accounts."""
    home = tmp_path_factory.mktemp("class") / "home"
    yield rehearsal.start(SIZE, home, supervised=True)
    rehearsal.stop(home)
    assert processes(home) == []
    assert [path.name for path in home.iterdir() if path.name == "rehearsal"] == []


@pytest.fixture
def classroom(practice: Rehearsal, tmp_path: Path) -> Classroom:
    """A class of its own in the fake accounts, whose labs no other test has."""
    return Classroom(practice, tmp_path / "class.csv", next(_labs))


@pytest.fixture
def accounts(practice: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    """The same class in AWS accounts, whose labs no other test has."""
    clouds = {fake.account: fake.cloud for fake in practice.accounts if fake.cloud}
    made = Accounts(play(clouds, monkeypatch), tmp_path, next(_labs))
    yield made
    made.aws.answers.clear()
    made.write({})
    made.fleet(named_again=frozenset({ANA})).reset(3)
