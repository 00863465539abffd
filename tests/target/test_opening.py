"""Where a lab runs: the embedded cloud, whatever the caller's AWS settings are, or a confirmed AWS account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError

from labkit.cloud.protocol import Cloud
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.machine.loopback import is_loopback
from labkit.settings import Settings
from labkit.target.account import Account
from labkit.target.embedded import EmbeddedPlace
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target
from tests.aws_account import AwsAccount, play
from tests.labs import http_answer, settings_report
from tests.terminal import Terminal

HOSTILE = {
    "AWS_PROFILE": "missing",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "AKIA" + "B" * 16,
    "AWS_SECRET_ACCESS_KEY": "x" * 40,
    "AWS_SESSION_TOKEN": "x",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_RETRY_MODE": "nonsense",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "all_proxy": "http://127.0.0.1:1",
}


def test_the_embedded_lab_takes_nothing_but_the_region_from_the_caller(
    new_lab: Callable[..., Lab], warm_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    lab = new_lab()

    status = lab.up()

    assert (status.account, status.region) == (warm_cloud.account_id, "eu-central-1")
    assert status.ids["issuer"].startswith("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_")
    assert lab.check().findings == ()


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": ""}, "us-east-1"),
    ],
)
def test_the_region_of_the_embedded_lab(
    variables: dict[str, str], region: str, new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert new_lab().target.place.region == region


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("127.1", True),
        ("2130706433", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::", True),
        ("localhost", True),
        ("localhost.", True),
        ("abc.execute-api.localhost", True),
        (None, False),
        ("iam.amazonaws.com", False),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("fe80::1", False),
    ],
)
def test_which_hosts_are_this_machine(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) is loopback


class Hurried:
    """In place of the module `time` for who polls as seldom as is right in a real account."""

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.05))


@pytest.fixture
def aws(warm_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsAccount:
    """LABKIT_TARGET=aws with credentials for an account that the warm cloud plays, and a home of its own."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("botocore.waiter.time", Hurried())
    return play(warm_cloud, monkeypatch)


Run = Callable[..., tuple[int, str, str]]


def expired() -> AWSResponse:
    error = "<Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error>"
    return http_answer(403, f"<ErrorResponse>{error}</ErrorResponse>")


def unknown() -> AWSResponse:
    error = "<Error><Code>InvalidClientTokenId</Code><Message>The security token is invalid.</Message></Error>"
    return http_answer(403, f"<ErrorResponse>{error}</ErrorResponse>")


def unreachable() -> AWSResponse:
    raise ConnectTimeoutError(endpoint_url="https://sts.us-east-1.amazonaws.com/")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (expired, "Your AWS credentials have expired."),
        (unknown, "AWS does not accept your credentials (InvalidClientTokenId)."),
        (unreachable, 'Connect timeout on endpoint URL: "https://sts.us-east-1.amazonaws.com/".'),
    ],
)
def test_credentials_that_lead_nowhere_are_named(
    answer: Callable[[], AWSResponse], sentence: str, aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time", Hurried())
    aws.answers["GetCallerIdentity"] = answer

    code, out, err = labkit("up", "--yes", "--account", aws.cloud.account_id)

    assert (code, out) == (1, "")
    assert err.splitlines()[0] == sentence
    assert len(err.splitlines()) == 2
    assert set(aws.asked) == {"GetCallerIdentity"}


@pytest.mark.parametrize("verb", ["up", "status", "check", "down"])
def test_a_network_that_is_lost_within_a_verb_is_named(
    verb: str, aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time", Hurried())
    aws.answers["ListRoles"] = unreachable

    code, _, err = labkit(verb, *(["--yes", "--account", aws.cloud.account_id] if verb in ("up", "down") else []))

    assert code == 1
    assert err.splitlines()[-2].startswith("Connect timeout on endpoint URL")
    assert err.splitlines()[-1].startswith("Check the network")


@pytest.mark.parametrize(
    ("unset", "set_", "code", "sentence"),
    [
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], {}, 1, "Unable to locate credentials."),
        (["AWS_SECRET_ACCESS_KEY"], {}, 1, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY."),
        (["AWS_ACCESS_KEY_ID"], {"AWS_PROFILE": "missing"}, 1, "The config profile (missing) could not be found."),
        (["AWS_REGION"], {}, 1, "You must specify a region."),
        ([], {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, 2,
         "LABKIT_TARGET is aws, but the AWS endpoint is http://127.0.0.1:4566, on this machine."),
        ([], {"AWS_ENDPOINT_URL_STS": "http://localhost:4566"}, 2,
         "LABKIT_TARGET is aws, but the AWS endpoint is http://localhost:4566, on this machine."),
        ([], {"AWS_ENDPOINT_URL": "http://[::1]:4566"}, 2,
         "LABKIT_TARGET is aws, but the AWS endpoint is http://[::1]:4566, on this machine."),
    ],
    ids=["no credentials", "half of them", "profile", "region", "endpoint", "endpoint of one service", "IPv6"],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named_before_anything_is_asked(
    unset: list[str], set_: dict[str, str], code: int, sentence: str,
    aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in unset:
        monkeypatch.delenv(name)
    for name, value in set_.items():
        monkeypatch.setenv(name, value)

    answered, out, err = labkit("up")

    assert (answered, out) == (code, "")
    assert err.splitlines()[0] == sentence
    assert len(err.splitlines()) == 2
    assert aws.asked == []


@pytest.mark.parametrize("verb", ["status", "check", "down", "env", "token adminuser", "call"])
def test_every_verb_says_that_credentials_are_missing(
    verb: str, aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    code, out, err = labkit(*(["call", "GET /AdminUser"] if verb == "call" else verb.split()))

    assert (code, out) == (1, "")
    assert err == (
        "Unable to locate credentials.\n"
        "Choose a profile (AWS_PROFILE), or make one: aws configure sso (aws configure, if you were given keys).\n"
    )
    assert aws.asked == []


def test_an_endpoint_of_one_service_on_this_machine_is_refused(
    aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:4566")

    code, _, err = labkit("up", "--yes", "--account", aws.cloud.account_id)

    assert code == 2
    assert "the AWS endpoint is http://127.0.0.1:4566" in err


def test_nothing_is_written_before_the_account_is_confirmed(
    aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_NAME", "mine")
    account = aws.cloud.account_id
    nobody = (
        f"This would write to AWS account {account}, region us-east-1, lab mine, and nobody has confirmed it.\n"
        f'Name the account to agree: account="{account}" in a notebook, --yes --account {account} in a terminal.\n'
    )
    other = (
        f"You named account 210987654321, but your credentials lead to account {account}.\n"
        "Choose the profile of the account that you mean (AWS_PROFILE), or name this one.\n"
    )
    for words, code, told in [
        (["up"], 1, nobody),
        (["up", "--yes"], 1, nobody),
        (["demo", "--yes"], 1, nobody.replace("lab mine", "lab mine-demo")),
        (["up", "--account", "210987654321"], 2, other),
        (["up", "--yes", "--account", "210987654321"], 2, other),
        (["demo", "--account", "210987654321"], 2, other),
    ]:
        assert labkit(*words) == (code, "", told), words

    assert set(aws.asked) == {"GetCallerIdentity", "ListAccountAliases"}


def test_a_notebook_names_the_account(aws: AwsAccount) -> None:
    with pytest.raises(LabError, match="nobody has confirmed it"):
        Lab.open().up()
    with pytest.raises(UsageError, match="your credentials lead to account"):
        Lab.open(account="210987654321")

    assert Lab.open(account=aws.cloud.account_id).target.confirmed
    assert set(aws.asked) == {"GetCallerIdentity", "ListAccountAliases"}


def test_a_confirmed_account_is_built_read_and_cleared(
    aws: AwsAccount, labkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = aws.cloud.account_id
    monkeypatch.setenv("LABKIT_NAME", "in-account")

    code, out, err = labkit("up", "--yes", "--account", account, "--json")
    status = json.loads(out)

    assert (code, err) == (0, "")
    assert (status["target"], status["account"], status["region"]) == ("aws", account, "us-east-1")
    assert status["api_url"] == f"https://{status['api_id']}.execute-api.us-east-1.amazonaws.com"
    assert status["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{status['user_pool_id']}"
    assert all(step["found"] for step in status["steps"])
    assert settings_report(Lab.open()).findings == ()
    for step in status["steps"]:
        assert {deed["done"] for deed in step["happened"]} == {"created"}
        step["happened"] = []
    assert json.loads(labkit("status", "--json")[1]) == status

    code, out, _ = labkit("env")
    assert code == 0
    assert f"export USER_POOL_ID={status['user_pool_id']}\n" in out
    assert "SECRET" not in out
    assert "AWS_ENDPOINT_URL" not in out

    assert labkit("down")[0] == 1
    assert Lab.open().status().ids["api_id"] == status["api_id"]
    assert labkit("down", "--yes", "--account", account)[0] == 0
    assert not any(step["found"] for step in json.loads(labkit("status", "--json")[1])["steps"])


def at_terminal(warm_home: Path, folder: Path, *words: str) -> Terminal:
    """labkit at a terminal, before an account that the warm cloud plays. What is asked of it is kept in the folder."""
    places = {"WARM_HOME": str(warm_home), "ASKED": str(folder / "asked.json"), "LABKIT_HOME": str(folder / "home")}
    return Terminal("tests.aws_account", *words, **places, LABKIT_NAME="at-terminal", TERM="dumb")


def test_a_person_types_the_account_id(warm_home: Path, warm_cloud: Cloud, tmp_path: Path) -> None:
    terminal = at_terminal(warm_home, tmp_path, "up", "--through", "functions")
    terminal.read_until("Type the account id to go on:")
    assert f"AWS account {warm_cloud.account_id}, region us-east-1, lab at-terminal." in terminal.printed

    terminal.type(f"{warm_cloud.account_id}\n")

    assert terminal.end() == 0
    assert "functions   created" in terminal.printed
    assert "CreateRole" in json.loads((tmp_path / "asked.json").read_text())


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("yes\n", 2, "You named account yes, but your credentials lead to account"),
        ("210987654321\n", 2, "You named account 210987654321, but your credentials lead to account"),
        ("\x04", 130, "Stopped."),
    ],
    ids=["yes", "another id", "Ctrl-D"],
)
def test_whatever_else_a_person_types_writes_nothing(
    typed: str, code: int, told: str, warm_home: Path, tmp_path: Path
) -> None:
    terminal = at_terminal(warm_home, tmp_path, "up")
    terminal.read_until("Type the account id to go on:")

    terminal.type(typed)

    assert terminal.end() == code
    assert told in terminal.printed
    assert "Traceback" not in terminal.printed
    assert json.loads((tmp_path / "asked.json").read_text()) == ["GetCallerIdentity", "ListAccountAliases"]


@pytest.mark.parametrize(
    ("partition", "region", "api_url", "issuer"),
    [
        ("aws", "eu-west-1", "https://a1b2c3.execute-api.eu-west-1.amazonaws.com",
         "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd"),
        ("aws-us-gov", "us-gov-west-1", "https://a1b2c3.execute-api.us-gov-west-1.amazonaws.com",
         "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCd"),
        ("aws-eusc", "eusc-de-east-1", "https://a1b2c3.execute-api.eusc-de-east-1.amazonaws.eu",
         "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_AbCd"),
    ],
)  # fmt: skip
def test_the_urls_of_an_account(partition: str, region: str, api_url: str, issuer: str) -> None:
    account = Account(None, region, "123456789012", partition)

    assert account.api_url("a1b2c3") == api_url
    assert account.issuer(f"{region}_AbCd") == issuer
    assert account.keys_url(issuer) == f"{issuer}/.well-known/jwks.json"


def test_a_region_without_user_pools_is_refused_before_anything_is_asked() -> None:
    china = boto3.Session("AKIA", "secret", region_name="cn-north-1")
    with pytest.raises(UsageError, match="Amazon Cognito has no user pools in cn-north-1"):
        Account.of(china)


CLOUD = Cloud(1, 4566, "http://127.0.0.1:4566", "123456789012", "AKIA" + "A" * 16, "s" * 40, "0123", 0.0)


def test_the_urls_of_the_embedded_cloud() -> None:
    place = EmbeddedPlace(CLOUD, "eu-west-1")

    assert place.api_url("a1b2c3") == "http://127.0.0.1:4566/_aws/execute-api/a1b2c3"
    assert place.issuer("eu-west-1_AbCd") == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd"
    assert place.keys_url("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd") == (
        "http://127.0.0.1:4566/eu-west-1_AbCd/.well-known/jwks.json"
    )
    assert place.keys_url("http://127.0.0.1:9000/own") == "http://127.0.0.1:9000/own/.well-known/jwks.json"


def test_only_what_settles_late_is_waited_for() -> None:
    assert EmbeddedPlace(CLOUD, "eu-west-1").patience == 0
    assert EmbeddedPlace(replace(CLOUD, weather="rough"), "eu-west-1").patience == 10
    assert Account(None, "eu-west-1", "123456789012", "aws").patience == 45


def test_every_lab_of_every_place_has_a_folder_of_its_own(tmp_path: Path) -> None:
    settings = Settings("aws", "jwt-lab", tmp_path, "python3.13")
    account = Target(settings, Account(None, "eu-west-1", "123456789012", "aws"), confirmed=False)
    embedded = Target(settings, EmbeddedPlace(CLOUD, "eu-west-1"), confirmed=True)

    assert account.folder == tmp_path / "labs" / "123456789012-eu-west-1" / "jwt-lab"
    assert embedded.folder == tmp_path / "labs" / "embedded" / "jwt-lab"


def test_no_secret_is_in_what_a_target_shows(tmp_path: Path) -> None:
    settings = Settings("embedded", "jwt-lab", tmp_path, "python3.13")

    assert CLOUD.secret_access_key not in repr(Target(settings, EmbeddedPlace(CLOUD, "eu-west-1"), confirmed=True))


def test_all_of_the_posts_functions_fit_the_longest_region(tmp_path: Path) -> None:
    settings = Settings("aws", "a" * 24, tmp_path, "python3.13")
    names = Target(settings, Account(None, "ap-southeast-99", "123456789012", "aws"), confirmed=False).names

    # IAM's limit. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert [function for function in FUNCTIONS if len(names.role(function)) > 64] == []
