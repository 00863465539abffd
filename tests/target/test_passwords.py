"""The lab users' passwords: fit for the pool, for a shell and for the AWS CLI, and kept for their owner only."""

from __future__ import annotations

import json
import re
import stat
import string
from pathlib import Path

import pytest

from labkit.cloud.protocol import Cloud
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


def unknown(target: Target) -> passwords.PasswordError:
    """How it is told that the password of adminuser is not known here."""
    with pytest.raises(passwords.PasswordError) as error:
        passwords.known(target, POOL, "adminuser")
    assert passwords.saved(target, POOL, "adminuser") is None
    return error.value


def test_a_password_that_was_never_here_is_unknown_and_not_wrong(target: Target) -> None:
    error = unknown(target)

    assert error.problem == (
        "The password of adminuser is not known on this machine: it is kept on the one that set it."
    )
    assert (error.remedy, error.wrong) == (passwords.RESET, False)


def test_a_password_that_was_refused_is_wrong_until_another_is_set(target: Target) -> None:
    passwords.new(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")

    passwords.refused(target, POOL, "adminuser", passwords.saved(target, POOL, "adminuser"))

    error = unknown(target)
    assert "somebody set another password since" in error.problem
    assert (error.remedy, error.wrong) == (passwords.RESET, True)
    assert not passwords.is_unfinished(target, POOL, "adminuser")
    password = passwords.new(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")
    assert passwords.known(target, POOL, "adminuser") == password


def test_a_password_that_was_set_while_the_one_before_was_refused_stays(target: Target) -> None:
    passwords.keep(target, POOL, "adminuser", "new")
    passwords.refused(target, POOL, "adminuser", "old")
    assert passwords.known(target, POOL, "adminuser") == "new"


def test_a_password_whose_setting_was_broken_off_is_set_by_going_on(target: Target) -> None:
    passwords.new(target, POOL, "adminuser")

    error = unknown(target)

    assert (error.problem, error.wrong) == ("Setting the password of adminuser was broken off.", False)
    assert error.remedy == "Go on with it: labkit up --through user-pool"
    assert passwords.is_unfinished(target, POOL, "adminuser")
    passwords.confirm(target, POOL, "adminuser")
    assert not passwords.is_unfinished(target, POOL, "adminuser")


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
