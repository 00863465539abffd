"""What this machine remembers of a lab: the steps that were built, and the calls that built them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labkit.cloud.protocol import Cloud
from labkit.settings import Settings
from labkit.target.account import Account
from labkit.target.commands import Command
from labkit.target.embedded import EmbeddedPlace
from labkit.target.journal import Journal, forget_embedded, remembered, was_built
from labkit.target.target import Place, Target

CLOUD = Cloud(1, 4566, "http://127.0.0.1:4566", "123456789012", "AKIA" + "A" * 16, "s" * 40, "0123", 0.0)
NEXT_CLOUD = replace(CLOUD, instance="4567")
GROUP = Command("logs", "CreateLogGroup", {"logGroupName": "a"})
POLICY = Command("logs", "PutRetentionPolicy", {"logGroupName": "a", "retentionInDays": 7})


def target(home: Path, place: Place | Cloud = CLOUD, name: str = "jwt-lab") -> Target:
    where = EmbeddedPlace(place, "us-east-1") if isinstance(place, Cloud) else place
    return Target(Settings(where.kind, name, home, "python3.13"), where, confirmed=True)


def test_a_lab_that_was_never_built_is_not_remembered(tmp_path: Path) -> None:
    journal = Journal(target(tmp_path))

    assert journal.reached_steps == []
    assert not journal.is_current
    assert not was_built(target(tmp_path).settings)
    assert journal.commands(["functions"], {}).text() == "This machine has no record of the calls that built functions."
    assert list(tmp_path.iterdir()) == []


def test_calls_are_kept_by_step_and_in_their_order(tmp_path: Path) -> None:
    Journal(target(tmp_path)).add("functions", [GROUP])
    Journal(target(tmp_path)).add("functions", [POLICY])
    Journal(target(tmp_path)).add("user-pool", [])

    journal = Journal(target(tmp_path))
    assert journal.commands(["functions"], {"a": "NAME"}).lines == (
        'aws logs create-log-group \\\n  --log-group-name "$NAME"',
        'aws logs put-retention-policy \\\n  --log-group-name "$NAME" \\\n  --retention-in-days 7',
    )
    assert journal.commands(["user-pool"], {}).lines == ()


def test_every_step_that_was_built_is_remembered_in_whatever_order(tmp_path: Path) -> None:
    for step in ("functions", "http-api", "functions", "user-pool"):
        Journal(target(tmp_path)).reached(step)

    assert Journal(target(tmp_path)).reached_steps == ["functions", "http-api", "user-pool"]
    assert was_built(target(tmp_path).settings)


def test_of_a_lost_cloud_the_steps_are_remembered_and_the_calls_are_not(tmp_path: Path) -> None:
    Journal(target(tmp_path)).add("functions", [GROUP])
    Journal(target(tmp_path)).reached("functions")

    journal = Journal(target(tmp_path, NEXT_CLOUD))

    assert journal.reached_steps == ["functions"]
    assert not journal.is_current
    assert journal.commands(["functions"], {}).lines == ()


def test_a_lab_that_is_being_built_again_is_remembered_as_far_as_it_was(tmp_path: Path) -> None:
    for step in ("functions", "user-pool"):
        Journal(target(tmp_path)).reached(step)

    Journal(target(tmp_path, NEXT_CLOUD)).add("functions", [GROUP])

    journal = Journal(target(tmp_path, NEXT_CLOUD))
    assert journal.is_current
    assert journal.reached_steps == ["functions", "user-pool"]
    assert len(journal.commands(["functions"], {}).lines) == 1


def test_an_accounts_record_stays_current(tmp_path: Path) -> None:
    account = Account(None, "eu-west-1", "123456789012", "aws")
    Journal(target(tmp_path, account)).reached("functions")

    assert Journal(target(tmp_path, account)).is_current
    assert not was_built(target(tmp_path, account).settings)


def test_what_is_forgotten_leaves_no_file(tmp_path: Path) -> None:
    Journal(target(tmp_path)).reached("functions")
    Journal(target(tmp_path, name="other")).reached("functions")

    Journal(target(tmp_path)).forget()

    assert [path.name for path in (tmp_path / "labs" / "embedded").iterdir()] == ["other"]


def test_a_stopped_cloud_takes_every_embedded_lab_with_it_and_no_other(tmp_path: Path) -> None:
    account = Account(None, "eu-west-1", "123456789012", "aws")
    for place in (CLOUD, account):
        for name in ("jwt-lab", "other"):
            Journal(target(tmp_path, place, name)).reached("functions")
    assert [lab[:2] for lab in remembered(tmp_path).labs] == [
        ("123456789012-eu-west-1", "jwt-lab"),
        ("123456789012-eu-west-1", "other"),
        ("embedded", "jwt-lab"),
        ("embedded", "other"),
    ]

    forget_embedded(tmp_path)

    assert remembered(tmp_path).to_dict() == {
        "labs": [
            {"place": "123456789012-eu-west-1", "name": "jwt-lab", "steps": ["functions"]},
            {"place": "123456789012-eu-west-1", "name": "other", "steps": ["functions"]},
        ]
    }


@pytest.mark.parametrize("content", ["", "[]", "no JSON", '{"reached": 5}', '{"reached": null}'])
def test_a_damaged_record_is_none(content: str, tmp_path: Path) -> None:
    file = target(tmp_path).folder / "journal.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)

    assert Journal(target(tmp_path)).reached_steps == []
    Journal(target(tmp_path)).reached("functions")
    assert Journal(target(tmp_path)).reached_steps == ["functions"]
