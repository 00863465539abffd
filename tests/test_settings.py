"""The settings of the lab, as the environment gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.errors import UsageError
from labkit.settings import Settings
from tests.labs import NAME_A_RUNTIME


def test_without_variables_the_lab_is_embedded_and_in_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, appauthor: str(tmp_path / name))

    assert Settings.from_environment({}) == Settings("embedded", "jwt-lab", tmp_path / "labkit", "python3.13")


def test_every_variable_is_read() -> None:
    environment = {
        "LABKIT_TARGET": "aws",
        "LABKIT_NAME": "attendee-07",
        "LABKIT_HOME": "/somewhere/else",
        "LABKIT_RUNTIME": "nodejs22.x",
    }

    assert Settings.from_environment(environment) == Settings(
        "aws", "attendee-07", Path("/somewhere/else"), "nodejs22.x"
    )


def test_an_empty_variable_counts_as_unset() -> None:
    names = ("LABKIT_TARGET", "LABKIT_NAME", "LABKIT_HOME", "LABKIT_RUNTIME")

    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings.from_environment({})


def test_a_home_may_be_relative_or_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/learner")

    assert Settings.from_environment({"LABKIT_HOME": "here"}).home == tmp_path / "here"
    assert Settings.from_environment({"LABKIT_HOME": "~/labs"}).home == Path("/home/learner/labs")


ROLE = "arn:aws:iam::123456789012:role/LabRole"


@pytest.mark.parametrize("arn", [ROLE, "arn:aws-us-gov:iam::123456789012:role/a/b/c", f"{ROLE}+=,.@-_"])
def test_an_account_may_give_a_role(arn: str) -> None:
    assert Settings.from_environment({"LABKIT_TARGET": "aws", "LABKIT_ROLE_ARN": arn}).role_arn == arn
    assert Settings.from_environment({"LABKIT_TARGET": "aws", "LABKIT_ROLE_ARN": ""}).role_arn is None


def test_the_embedded_cloud_is_given_no_role() -> None:
    assert Settings.from_environment({"LABKIT_ROLE_ARN": ROLE}).role_arn is None
    assert Settings.from_environment({"LABKIT_ROLE_ARN": "nonsense"}).role_arn is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("LabRole", "'LabRole', which is no ARN"),
        (f"{ROLE}\n", "the ARN of something that is no role"),
        ("arn:aws:iam::123456789012:user/me", "the ARN of something that is no role"),
        ("arn:aws:sts::123456789012:assumed-role/LabRole/me", "the ARN of something that is no role"),
        ("arn:aws:iam::123456789012:instance-profile/LabInstanceProfile",
         "the ARN of something that is no role"),
        ("arn:aws:iam::12345678901:role/LabRole", "the ARN of something that is no role"),
    ],
)  # fmt: skip
def test_what_is_no_role_is_refused(value: str, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        Settings.from_environment({"LABKIT_TARGET": "aws", "LABKIT_ROLE_ARN": value})

    assert error.value.problem == f"LABKIT_ROLE_ARN is {problem}."
    assert error.value.remedy.startswith("Set it to the ARN of a role")


@pytest.mark.parametrize("name", ["ab", "jwt-lab", "a1", "lab-2026-11-22", "a" * 24])
def test_a_name_that_may_begin_every_resources_name(name: str) -> None:
    assert Settings.from_environment({"LABKIT_NAME": name}).name == name


@pytest.mark.parametrize(
    "name",
    ["a", "A-lab", "1lab", "-lab", "lab-", "my lab", "my_lab", "lab.1", "läb", "a" * 25, "lab\n", "../lab", "$x"],
)
def test_a_name_that_aws_would_refuse(name: str) -> None:
    with pytest.raises(UsageError) as error:
        Settings.from_environment({"LABKIT_NAME": name})

    assert error.value.problem == f"The lab name {name!r} cannot begin the names of AWS resources."
    assert error.value.remedy.startswith("Set LABKIT_NAME to 2 to 24 lower-case letters")
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("LABKIT_TARGET", "AWS", "Set it to embedded or aws."),
        ("LABKIT_TARGET", "localstack", "Set it to embedded or aws."),
        ("LABKIT_RUNTIME", "nodejs12.x", NAME_A_RUNTIME),
        ("LABKIT_RUNTIME", "python", NAME_A_RUNTIME),
    ],
)
def test_a_value_that_is_not_offered(variable: str, value: str, remedy: str) -> None:
    with pytest.raises(UsageError) as error:
        Settings.from_environment({variable: value})

    assert (error.value.problem, error.value.remedy) == (f"{variable} is {value!r}.", remedy)


@pytest.mark.parametrize("home", ["x" * 300, "x/" * 3000, "~nobody-of-this-name/x", "\udcff"], ids=range(4))
def test_a_home_that_cannot_name_a_folder_is_refused(home: str) -> None:
    with pytest.raises(UsageError, match="LABKIT_HOME cannot name a folder"):
        Settings.from_environment({"LABKIT_HOME": home})
