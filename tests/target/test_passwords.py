"""The lab users' passwords: fit for the pool, for a shell and for the AWS CLI, and kept for their owner only."""

from __future__ import annotations

import json
import re
import stat
import string
from pathlib import Path

import pytest

from labkit.cloud.protocol import Cloud
from labkit.errors import LabError
from labkit.settings import Settings
from labkit.target import passwords
from labkit.target.embedded import EmbeddedPlace
from labkit.target.target import Target

CLOUD = Cloud(1, 4566, "http://127.0.0.1:4566", "123456789012", "AKIA" + "A" * 16, "s" * 40, "0123", 0.0)
POOL = "us-east-1_AbCd"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(Settings("embedded", "jwt-lab", tmp_path, "python3.13"), EmbeddedPlace(CLOUD, "us-east-1"), True)


@pytest.fixture
def file(target: Target) -> Path:
    return target.folder / "passwords.json"


def test_every_password_meets_the_pools_policy_and_needs_no_quotes() -> None:
    made = [passwords.generate() for _ in range(500)]

    assert len(set(made)) == 500
    for password in made:
        assert len(password) == 20
        assert password[0] in string.ascii_letters
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.~"):
            assert set(kind) & set(password)
        # A comma or an equals sign would end the value in the AWS CLI's KEY=value,KEY=value.
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", password)


def test_a_password_counts_once_it_was_set(target: Target) -> None:
    password = passwords.new(target, POOL, "adminuser")
    assert passwords.saved(target, POOL, "adminuser") is None

    passwords.confirm(target, POOL, "adminuser")
    assert passwords.saved(target, POOL, "adminuser") == password
    assert passwords.known(target, POOL, "adminuser") == password


def test_a_password_is_kept_before_the_call_that_sets_it(target: Target, file: Path) -> None:
    password = passwords.new(target, POOL, "adminuser")

    assert password in file.read_text()


def test_each_user_has_a_password_of_their_own(target: Target) -> None:
    for user in ("adminuser", "regularuser"):
        passwords.new(target, POOL, user)
        passwords.confirm(target, POOL, user)

    assert passwords.known(target, POOL, "adminuser") != passwords.known(target, POOL, "regularuser")


def test_another_pools_password_is_none(target: Target) -> None:
    passwords.new(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")

    assert passwords.saved(target, "us-east-1_Other", "adminuser") is None
    passwords.new(target, "us-east-1_Other", "regularuser")
    assert passwords.saved(target, POOL, "adminuser") is None


def test_nobody_else_may_read_the_file(target: Target, file: Path) -> None:
    passwords.new(target, POOL, "adminuser")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_forgotten_password_is_missing(target: Target) -> None:
    passwords.new(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")

    passwords.forget(target, POOL, "adminuser")

    with pytest.raises(LabError) as error:
        passwords.known(target, POOL, "adminuser")
    assert error.value.problem == "The password of adminuser is not kept on this machine."
    assert error.value.remedy == "Set a new one: labkit up"


@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", "{}", json.dumps({"user_pool_id": POOL}),
     json.dumps({"user_pool_id": POOL, "passwords": {"adminuser": 5}})],
)  # fmt: skip
def test_a_damaged_file_holds_no_password(content: str, target: Target, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(content)

    assert passwords.saved(target, POOL, "adminuser") is None
    password = passwords.new(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")
    assert passwords.known(target, POOL, "adminuser") == password
