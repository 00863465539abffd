"""Credentials that are of no use end in a sentence and the command that mends them, made as botocore really fails."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.httpsession import URLLib3Session

from labkit.errors import LabError
from labkit.target.account import Account
from tests.target import test_opening as opening

ROLE = "role_arn = arn:aws:iam::111122223333:role/x"
SESSION = "[sso-session school]\nsso_region = us-east-1\nsso_start_url = https://a.awsapps.com/start\n"
SIGN_IN = "sso_session = school\nsso_account_id = 111122223333\nsso_role_name = r\n"
KEYS = "[profile keys]\naws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = ssss\n"
MFA = f"{KEYS}[profile mine]\n{ROLE}\nsource_profile = keys\nmfa_serial = arn:aws:iam::111122223333:mfa/me\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a caller whose profile is `mine`, and who has no network."""

    def send(*_: object) -> None:
        raise AssertionError("something was asked of AWS")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path / "cache"
    cache.mkdir()
    for provider in ("botocore.tokens.SSOTokenProvider", "botocore.credentials.SSOProvider"):
        monkeypatch.setattr(f"{provider}._SSO_TOKEN_CACHE_DIR", str(cache))
    monkeypatch.setattr(URLLib3Session, "send", send)
    variables = {"AWS_CONFIG_FILE": tmp_path / "config", "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials"}
    for name, value in {**variables, "AWS_PROFILE": "mine", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path / "config"


def refused() -> LabError:
    with pytest.raises(LabError) as error:
        Account.from_environment()
    return error.value


def signed_in_long_ago(config: Path, session: str) -> None:
    token = {"accessToken": "x", "expiresAt": "2020-01-01T00:00:00Z", "region": "us-east-1", "startUrl": session}
    name = hashlib.sha1(session.encode(), usedforsecurity=False).hexdigest()
    (config.parent / "cache" / f"{name}.json").write_text(json.dumps(token))


LEGACY = SIGN_IN.replace("sso_session = school", "sso_region = us-east-1\nsso_start_url = https://b.awsapps.com/start")


@pytest.mark.parametrize(
    ("text", "long_ago", "raised", "profile"),
    [
        (f"[profile mine]\n{SIGN_IN}", "", "SSOTokenLoadError", "mine"),
        (f"[profile mine]\n{SIGN_IN}", "school", "TokenRetrievalError", "mine"),
        (f"[profile mine]\n{LEGACY}", "", "SSOTokenLoadError", "mine"),
        (f"[profile mine]\n{LEGACY}", "https://b.awsapps.com/start", "UnauthorizedSSOTokenError", "mine"),
        (f"[profile mine]\n{ROLE}\nsource_profile = me\n[profile me]\n{SIGN_IN}", "school",
         "TokenRetrievalError", "me"),
    ],
)  # fmt: skip
def test_who_has_to_sign_in_again_is_told_with_which_profile(
    text: str, long_ago: str, raised: str, profile: str, config: Path
) -> None:
    config.write_text(SESSION + text)
    if long_ago:
        signed_in_long_ago(config, long_ago)

    error = refused()

    assert type(error.__cause__).__name__ == raised
    assert error.remedy == f"Sign in again, then repeat this: aws sso login --profile {profile}"


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        (f"[profile mine]\n{SIGN_IN.replace('sso_role_name', 'other')}", "missing required configuration",
         "Mend the profile"),
        (f"[profile mine]\n{ROLE}\nsource_profile = nobody", 'source_profile "nobody"', "Mend the profile"),
        (f"[profile mine]\n{ROLE}\nsource_profile = a\n[profile a]\n{ROLE}\nsource_profile = mine",
         "Infinite loop", "Mend the profile"),
        (f"[profile mine]\n{ROLE}\ncredential_source = Nonsense", "not valid", "Mend the profile"),
        ("[profile mine]\ncredential_process = false", "from custom-process.", "credential_process"),
        ("[profile mine]\ncredential_process = /nowhere/program", "No such file", "credential_process"),
        ("[profile mine]\ncredential_process = echo hello", "Expecting value", "credential_process"),
        (f"[profile mine]\n{ROLE}\nweb_identity_token_file = /nowhere/token", "No such file", "calls or reads"),
        ("[profile mine]\naws_access_key_id = AKIAAAAAAAAAAAAAAAAA", "Partial credentials", "Complete"),
        ("[profile mine]\nlogin_session = arn:aws:iam::111122223333:user/me", "Missing Dependency",
         "aws login --profile mine"),
        ("[profile theirs]\n", "The config profile (mine) could not be found.", "aws configure list-profiles"),
        ("nonsense [", "Unable to parse config file", "[profile NAME]"),
        ("[profile mine]\n", "Unable to locate credentials.", "aws configure sso"),
    ],
)  # fmt: skip
def test_a_profile_that_is_wrong_is_told_with_what_mends_it(
    text: str, problem: str, remedy: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    config.write_text(SESSION + text)

    error = refused()

    assert problem in error.problem
    assert remedy in error.remedy
    assert "\n" not in error.problem


def test_a_region_that_is_none_is_told(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us east")
    config.write_text(KEYS.replace("keys", "mine"))

    assert refused().remedy == "Set AWS_REGION, us-east-1 for example."


def test_a_code_is_not_waited_for_where_nobody_can_type_it(config: Path) -> None:
    config.write_text(MFA)

    error = refused()

    assert error.problem == "Profile mine wants an MFA code, and there is no terminal here to type it."
    assert 'eval "$(aws configure export-credentials --profile mine --format env)"' in error.remedy


def test_credentials_of_the_environment_go_before_a_profile_that_wants_a_code(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the remedy has it: AWS is then asked who they are."""
    config.write_text(MFA)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIA" + "A" * 16)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 40)

    with pytest.raises(AssertionError, match="something was asked of AWS"):
        Account.from_environment()


class Terminal(io.StringIO):
    """Where somebody sits and can type."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_the_code_is_asked_for(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(MFA)
    asked: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "123456")

    with pytest.raises(AssertionError, match="something was asked of AWS"):
        Account.from_environment()

    assert asked == ["Enter MFA code for arn:aws:iam::111122223333:mfa/me: "]


@pytest.mark.parametrize("token", ["", "x"])
def test_expired_credentials_are_renewed_where_they_are(
    token: str, config: Path, monkeypatch: pytest.MonkeyPatch, expired: Callable[[], None]
) -> None:
    config.write_text(KEYS.replace("keys", "mine"))
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    expired()

    error = refused()

    assert error.problem == "Your AWS credentials have expired."
    assert ("Set AWS_ACCESS_KEY_ID" if token else "aws sso login --profile mine") in error.remedy


@pytest.fixture
def expired(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(URLLib3Session, "send", lambda *_: opening.expired())
