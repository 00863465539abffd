"""A step's AWS calls, as lines of the AWS CLI that a shell reads as they are meant."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.lab import Lab
from labkit.machine.side_by_side import side_by_side
from labkit.steps import STEPS
from labkit.target.commands import Command, Recorder, quoted
from tests.labs import STEP_NAMES, Calls, lab_at


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            Command("iam", "CreateRole", {"RoleName": "a", "Tags": [{"Key": "k", "Value": "v"}]}),
            """aws iam create-role \\\n  --role-name a \\\n  --tags '[{"Key": "k", "Value": "v"}]'""",
        ),
        (
            Command("logs", "CreateLogGroup", {"logGroupName": "/aws/lambda/a", "tags": {"k": "v"}}),
            """aws logs create-log-group \\\n  --log-group-name /aws/lambda/a \\\n  --tags '{"k": "v"}'""",
        ),
        (
            Command("lambda", "CreateFunction", {"MemorySize": 256, "ZipFile": {"$file": "labkit package lab-a"}}),
            'aws lambda create-function \\\n  --memory-size 256 \\\n  --zip-file "fileb://$(labkit package lab-a)"',
        ),
        (
            Command(
                "cognito-idp",
                "CreateUserPoolClient",
                {"UserPoolId": "us-east-1_AbCd", "GenerateSecret": False, "CallbackURLs": ["http://a"],
                 "AllowedOAuthFlows": ["code", "implicit"], "AllowedOAuthFlowsUserPoolClient": True},
            ),
            'aws cognito-idp create-user-pool-client \\\n  --user-pool-id "$USER_POOL_ID" \\\n  --no-generate-secret'
            " \\\n  --callback-urls '[\"http://a\"]' \\\n  --allowed-o-auth-flows code implicit"
            " \\\n  --allowed-o-auth-flows-user-pool-client",
        ),
        (
            Command(
                "cognito-idp",
                "AdminSetUserPassword",
                {"Username": "adminuser", "Password": {"$": "labkit password adminuser"}, "Permanent": True},
            ),
            "aws cognito-idp admin-set-user-password \\\n  --username adminuser"
            ' \\\n  --password "$(labkit password adminuser)" \\\n  --permanent',
        ),
        (
            Command(
                "apigatewayv2",
                "CreateAuthorizer",
                {
                    "IdentitySource": ["$request.header.Authorization"],
                    "JwtConfiguration": {"Audience": ["1a2b3c"], "Issuer": "https://x.amazonaws.com/us-east-1_AbCd"},
                },
            ),
            "aws apigatewayv2 create-authorizer \\\n  --identity-source '$request.header.Authorization'"
            " \\\n  --jwt-configuration '{\"Audience\": [\"'\"$APP_CLIENT_ID\"'\"], \"Issuer\": "
            "\"https://x.amazonaws.com/'\"$USER_POOL_ID\"'\"}'",
        ),
        (
            Command("apigatewayv2", "CreateStage", {"StageName": "$default", "AutoDeploy": True}),
            "aws apigatewayv2 create-stage \\\n  --stage-name '$default' \\\n  --auto-deploy",
        ),
        (Command("iam", "TagRole", {"Description": ""}), "aws iam tag-role \\\n  --description ''"),
    ],
    ids=lambda value: value.operation if isinstance(value, Command) else "",
)  # fmt: skip
def test_a_call_is_written_as_the_aws_cli_takes_it(command: Command, line: str) -> None:
    assert command.line({"us-east-1_AbCd": "USER_POOL_ID", "1a2b3c": "APP_CLIENT_ID"}) == line


@pytest.mark.parametrize(
    "word",
    ["", "plain", "two words", "$HOME", "`id`", "$(id)", "it's", 'say "a"', "a\\b", "a\nb", "*", "~", "!", "a;b", "ä",
     "1a2b3c", "before-1a2b3c", "1a2b3c after", "'1a2b3c'", "1a2b3c1a2b3c", "$1a2b3c", '{"a": ["1a2b3c"]}'],
)  # fmt: skip
def test_a_shell_reads_a_word_as_it_was(word: str) -> None:
    script = f"printf %s {quoted(word, {'1a2b3c': 'APP_CLIENT_ID', '1a2b3c-longer': 'OTHER', '': 'EMPTY'})}"

    read = subprocess.run(
        ["sh", "-c", script], env={"APP_CLIENT_ID": "1a2b3c"}, capture_output=True, text=True, check=True
    )

    assert read.stdout == word


def test_the_longer_of_two_values_is_taken() -> None:
    assert quoted("a1-b2", {"a1": "SHORT", "a1-b2": "LONG"}) == '"$LONG"'


@pytest.fixture
def logs(warm_cloud: Cloud) -> Any:
    return session(warm_cloud, "us-east-1").client("logs")


def test_what_changes_something_and_succeeds_is_recorded(logs: Any) -> None:
    recorder = Recorder()
    with recorder.listening([logs]):
        logs.create_log_group(logGroupName="recorded")
        logs.describe_log_groups()
        with pytest.raises(ClientError):
            logs.create_log_group(logGroupName="recorded")
        logs.put_retention_policy(logGroupName="recorded", retentionInDays=1)
    logs.delete_log_group(logGroupName="recorded")

    assert recorder.commands == [
        Command("logs", "CreateLogGroup", {"logGroupName": "recorded"}),
        Command("logs", "PutRetentionPolicy", {"logGroupName": "recorded", "retentionInDays": 1}),
    ]


def test_what_was_done_before_a_failure_is_recorded(logs: Any) -> None:
    recorder = Recorder()
    with suppress(ClientError), recorder.listening([logs]):
        logs.create_log_group(logGroupName="half")
        logs.create_log_group(logGroupName="half")

    assert [command.operation for command in recorder.commands] == ["CreateLogGroup"]


def test_calls_side_by_side_are_recorded_in_the_order_of_the_code(logs: Any) -> None:
    def make(name: str, pause: float) -> None:
        time.sleep(pause)
        logs.create_log_group(logGroupName=name)
        logs.delete_log_group(logGroupName=name)

    recorder = Recorder()
    with recorder.listening([logs]):
        side_by_side(*(partial(make, f"beside-{number}", (3 - number) / 10) for number in range(3)))

    assert [(command.operation, command.parameters["logGroupName"]) for command in recorder.commands] == [
        (operation, f"beside-{number}") for number in range(3) for operation in ("CreateLogGroup", "DeleteLogGroup")
    ]


def test_each_step_declares_the_services_that_it_changes(new_lab: Callable[..., Lab]) -> None:
    """A call to another service would not be recorded."""
    lab = new_lab()
    calls = Calls(lab.target)
    lab.up()

    kept = json.loads((lab.target.folder / "journal.json").read_text())["commands"]

    recorded = [command["operation"] for commands in kept.values() for command in commands]
    assert sorted(recorded) == sorted(calls.writes)
    for step in STEPS:
        assert {command["service"] for command in kept[step.name]} == set(step.services)


def test_no_password_and_no_code_is_recorded(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up()
    password = lab.password("adminuser")

    kept = json.loads((lab.target.folder / "journal.json").read_text())

    assert password not in json.dumps(kept)
    recorded = [call for calls in kept["commands"].values() for call in calls]
    assert [call["parameters"]["Password"] for call in recorded if call["operation"] == "AdminSetUserPassword"] == [
        {"$": "labkit password adminuser"},
        {"$": "labkit password regularuser"},
    ]
    created = [call["parameters"] for call in recorded if call["operation"] == "CreateFunction"]
    assert all("Code" not in parameters for parameters in created)
    assert {parameters["ZipFile"]["$file"] for parameters in created} == {
        f"labkit package {lab.settings.name}-{function}"
        for function in ("Pre-tokenAuthLambda", "LambdaForAdminUser", "LambdaForRegularUser")
    }


def test_the_lines_of_a_lab_hold_no_value_that_another_lab_does_not_share(warm_home: Path) -> None:
    lab = lab_at(warm_home, "lines")
    lab.up()

    lines = "\n".join(lab.commands(step).text() for step in STEP_NAMES)

    mine = {value for key, value in lab.status().ids.items() if key not in ("issuer", "api_url")}
    assert [value for value in mine if value in lines] == []
    assert lab.target.place.account not in lines
    assert lab.target.place.cloud.secret_access_key not in lines
    assert 'aws cognito-idp create-group \\\n  --user-pool-id "$USER_POOL_ID"' in lines
    assert '"$API_ID"' in lines
    assert '"$APP_CLIENT_ID"' in lines
