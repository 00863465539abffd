"""`labkit down` exits with 0 only when nothing of the lab is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labkit.cli.main import app
from labkit.lab import Lab
from tests.removal import decoys
from tests.removal.account import Client


@pytest.fixture(autouse=True)
def settings(home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line finds the test's lab."""
    monkeypatch.setenv("LABKIT_HOME", str(home))
    monkeypatch.setenv("LABKIT_NAME", lab.settings.name)


def test_a_clean_removal_exits_with_0_beside_what_is_somebody_elses(lab: Lab, client: Client) -> None:
    decoys.user_pool(client, f"{lab.settings.name}-users")
    lab.up(through="functions")

    result = CliRunner().invoke(app, ["down", "--json"])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["clean"] is True
    assert [left["kind"] for left in json.loads(result.stdout)["left"]] == ["user pool"]


def test_a_removal_that_leaves_something_of_the_lab_exits_with_1(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    decoys.function(client, f"of-{lab.settings.name}", client("iam").get_role(RoleName=role)["Role"]["Arn"])

    dry = CliRunner().invoke(app, ["down", "--dry-run"])
    result = CliRunner().invoke(app, ["down", "--json"])

    assert dry.exit_code == 0
    assert "would leave" in dry.stdout
    assert result.exit_code == 1
    assert json.loads(result.stdout)["clean"] is False
