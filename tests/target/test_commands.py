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
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.machine.side_by_side import side_by_side
from labkit.steps import STEPS
from labkit.target.commands import Command, Recorder, lines, quoted, unmade
from tests.labs import STEP_NAMES, Calls, lab_at


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            Command("iam", "CreateRole", {"RoleName": "a", "Tags": [{"Key": "k", "Value": "v"}]}),
            """aws iam create-role \\\n  --role-name a \\\n  --tags '[{"Key": "k", "Value": "v"}]'"""
            "\naws iam wait role-exists --role-name a",
        ),
        (
            Command("logs", "CreateLogGroup", {"logGroupName": "/aws/lambda/a", "tags": {"k": "v"}}),
            """aws logs create-log-group \\\n  --log-group-name /aws/lambda/a \\\n  --tags '{"k": "v"}'""",
        ),
        (
            Command("lambda", "CreateFunction", {"FunctionName": "f", "ZipFile": {"$file": "labkit package lab-f"}}),
            "for pause in 0 5 10 15 15; do sleep $pause\naws lambda create-function \\\n  --function-name f"
            ' \\\n  --zip-file "fileb://$(labkit package lab-f)" && break; done'
            "\naws lambda wait function-active-v2 --function-name f",
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
                "UpdateAuthorizer",
                {
                    "IdentitySource": ["$request.header.Authorization"],
                    "JwtConfiguration": {"Audience": ["1a2b3c"], "Issuer": "https://x.amazonaws.com/us-east-1_AbCd"},
                },
            ),
            "aws apigatewayv2 update-authorizer \\\n  --identity-source '$request.header.Authorization'"
            " \\\n  --jwt-configuration '{\"Audience\": [\"'\"$APP_CLIENT_ID\"'\"], \"Issuer\": "
            "\"https://x.amazonaws.com/'\"$USER_POOL_ID\"'\"}'",
        ),
        (
            Command("apigatewayv2", "CreateStage", {"StageName": "$default", "AutoDeploy": True}),
            "aws apigatewayv2 create-stage \\\n  --stage-name '$default' \\\n  --auto-deploy",
        ),
        (
            Command("cognito-idp", "CreateUserPool", {"PoolName": "a"}, "us-east-1_AbCd"),
            "USER_POOL_ID=$(aws cognito-idp create-user-pool \\\n  --pool-name a"
            " \\\n  --query UserPool.Id --output text)",
        ),
        (
            Command("apigatewayv2", "CreateDeployment", {"Description": "routes 0123"}),
            'eval "$(labkit env)"\naws apigatewayv2 create-deployment \\\n  --description "$DEPLOYMENT"',
        ),
        (Command("iam", "TagRole", {"Description": ""}), "aws iam tag-role \\\n  --description ''"),
    ],
    ids=lambda value: value.operation if isinstance(value, Command) else "",
)  # fmt: skip
def test_a_call_is_written_as_the_aws_cli_takes_it(command: Command, line: str) -> None:
    variables = {"us-east-1_AbCd": "USER_POOL_ID", "1a2b3c": "APP_CLIENT_ID", "routes 0123": "DEPLOYMENT"}
    assert command.line(variables) == line


def api(api_id: str) -> Command:
    return Command("apigatewayv2", "CreateApi", {"Name": "api"}, api_id)


def stage(api_id: str) -> Command:
    return Command("apigatewayv2", "CreateStage", {"ApiId": api_id, "StageName": "Test"})


def permission(operation: str, statement: str, **more: str) -> Command:
    return Command("lambda", operation, {"FunctionName": "f", "StatementId": statement, **more})


@pytest.mark.parametrize(
    ("calls", "standing"),
    [
        ([api("old"), stage("old"), api("new"), stage("new")], [api("new"), stage("new")]),
        (
            [api("old"), permission("AddPermission", "s", SourceArn="arn:aws:execute-api:old/*"), api("new")],
            [api("new")],
        ),
        ([stage("lost"), Command("apigatewayv2", "DeleteApi", {"ApiId": "lost"}), api("new")], [api("new")]),
        (
            [permission("AddPermission", "s"), permission("AddPermission", "t"), permission("RemovePermission", "s"),
             permission("AddPermission", "s")],
            [permission("AddPermission", "t"), permission("AddPermission", "s")],
        ),
        ([permission("RemovePermission", "a stranger's"), stage("new")], [stage("new")]),
        ([stage("new"), stage("new")], [stage("new")]),
        ([permission("UpdateSomething", "s")] * 2, [permission("UpdateSomething", "s")] * 2),
    ],
    ids=["made anew", "named an old id", "double", "replaced", "not ours", "lost and made again", "mended twice"],
)  # fmt: skip
def test_only_what_stands_is_built_again(calls: list[Command], standing: list[Command]) -> None:
    variables = {"new": "API_ID"}

    assert lines(calls, variables) == [command.line(variables) for command in standing]


def test_a_variable_that_no_line_sets_before_is_told() -> None:
    variables = {"new": "API_ID", "56ab": "AUTHORIZER_ID", "1234": "ACCOUNT_ID", "routes": "DEPLOYMENT"}
    values = {"ApiId": "new", "AuthorizerId": "56ab", "Target": "1234", "Description": "routes"}
    use = Command("apigatewayv2", "UpdateRoute", values)
    authorizer = Command("apigatewayv2", "CreateAuthorizer", {"ApiId": "new"}, "56ab")

    assert unmade(lines([api("new"), authorizer, use], variables)) == []
    assert unmade(lines([api("new"), use, authorizer], variables)) == ["AUTHORIZER_ID"]
    assert unmade(lines([authorizer, use], variables)) == ["API_ID"]


@pytest.mark.parametrize("refusals", [0, 2, 9])
def test_what_may_be_refused_at_first_is_asked_for_again_and_not_for_ever(refusals: int, tmp_path: Path) -> None:
    """With programs in the places of the AWS CLI and of `sleep`."""
    programs = {"aws": f'echo call >> calls; test "$(wc -l < calls)" -gt {refusals} && echo "$@"', "sleep": "true"}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    line = Command("apigatewayv2", "CreateAuthorizer", {"Name": "JWTAuth"}, "56ab").line({"56ab": "AUTHORIZER_ID"})

    said = subprocess.run(
        ["sh"],
        input=f'PATH="$PWD:$PATH"\n{line}\necho "$AUTHORIZER_ID"',
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    made = "apigatewayv2 create-authorizer --name JWTAuth --query AuthorizerId --output text"
    assert said == (f"{made}\n" if refusals < 5 else "\n")
    assert len((tmp_path / "calls").read_text().split()) == min(refusals + 1, 5)


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

    printed = "\n".join(lab.commands(step).text() for step in STEP_NAMES)

    mine = {value for key, value in lab.status().ids.items() if key not in ("issuer", "api_url")}
    assert [value for value in mine if value in printed] == []
    assert lab.target.place.account not in printed
    assert lab.target.place.cloud.secret_access_key not in printed
    assert 'aws cognito-idp create-group \\\n  --user-pool-id "$USER_POOL_ID"' in printed
    assert '"$API_ID"' in printed
    assert '"$APP_CLIENT_ID"' in printed


def test_a_whole_lab_is_told_or_what_is_missing(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up("user-pool")

    assert lab.commands(through="user-pool").lines == lab.commands("functions").lines + lab.commands("user-pool").lines
    with pytest.raises(LabError, match="no record of what built http-api") as nothing:
        lab.commands()

    lab.target.client("apigatewayv2").create_api(
        Name=lab.target.names.api, ProtocolType="HTTP", Tags=lab.target.names.tags
    )
    lab.up()
    with pytest.raises(LabError, match=r"no record of what made \$API_ID"):
        lab.commands()
    assert lab.commands("http-api").lines

    assert nothing.value.remedy.endswith("If you made parts of it yourself, begin anew before that: labkit down.")
    lab.down()
    lab.up()
    assert lab.commands().lines == sum((lab.commands(step).lines for step in STEP_NAMES), ())
