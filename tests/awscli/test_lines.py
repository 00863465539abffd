"""The AWS CLI lines that the lab prints, pasted into a shell with the real AWS CLI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.cloud import process
from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.target import passwords
from labkit.target.names import FUNCTIONS, USERS
from tests.labs import STEP_NAMES, lab_at

ROOT = Path(__file__).parent.parent.parent
NAME = "pasted"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder with a cloud in which there is nothing."""
    path = tmp_path / "home"
    process.start(path, supervised=True)
    yield path
    process.stop(path)


class Shell:
    """A terminal in which labkit and the AWS CLI are installed and nothing is configured."""

    def __init__(self, lab: Lab, aws: Path, folder: Path) -> None:
        self.lab = lab
        self._environment = {
            "PATH": os.pathsep.join([str(aws.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(folder),
            "LABKIT_HOME": str(lab.settings.home),
            "LABKIT_NAME": lab.settings.name,
        }

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, **variables}
        return subprocess.run(["sh", "-euc", script], env=environment, capture_output=True, text=True, check=False)

    def paste(self, lines: list[str]) -> list[str]:
        """Run lines one after the other, with `eval "$(labkit env)"` whenever a line needs more; what went wrong."""
        problems, variables = [], self.lab.environment()
        for line in lines:
            if not variables.keys() >= set(re.findall(r"\$([A-Z_]+)", line)):
                variables = self.lab.environment()
            done = self.run(line, **variables)
            if done.returncode != 0:
                problems.append(f"{line}\n{done.stderr}")
        return problems


def lines_of(lab: Lab, *steps: str) -> list[str]:
    return [line for step in steps for line in lab.commands(step).lines]


def test_the_lines_alone_build_a_lab(warm_home: Path, home: Path, aws: Path, tmp_path: Path) -> None:
    printed = lab_at(warm_home, NAME)
    printed.up()
    lab = lab_at(home, NAME)
    shell = Shell(lab, aws, tmp_path)

    functions, http_api = lines_of(printed, "functions"), lines_of(printed, "http-api")
    pool, users = split(lines_of(printed, "user-pool"), "admin-set-user-password")
    # Whatever does not need the other is pasted into a second terminal at the same time.
    with ThreadPoolExecutor(2) as terminals:
        one_each = ([line for line in functions if name in line] for name in FUNCTIONS)
        assert list(terminals.map(shell.paste, one_each)) == [[], [], []]
        assert list(terminals.map(shell.paste, (pool, http_api))) == [[], []]
        keep_passwords(lab)
        assert list(terminals.map(shell.paste, (users, lines_of(printed, *STEP_NAMES[3:])))) == [[], []]

    assert lab.check().findings == ()


def split(lines: list[str], word: str) -> tuple[list[str], list[str]]:
    """The lines before the first with a word, and the rest."""
    first = next(number for number, line in enumerate(lines) if word in line)
    return lines[:first], lines[first:]


def keep_passwords(lab: Lab) -> None:
    """Have the passwords that the lines ask labkit for."""
    pool = lab.status().ids["user_pool_id"]
    for user in USERS:
        passwords.new(lab.target, pool, user)
        passwords.confirm(lab.target, pool, user)


def test_the_lines_that_mended_a_lab_are_taken_too(warm_home: Path, aws: Path, tmp_path: Path) -> None:
    lab = lab_at(warm_home, "mended-and-pasted")
    lab.up()
    built = lines_of(lab, *STEP_NAMES)
    damage(lab)
    lab.up()

    mended = [line for line in lines_of(lab, *STEP_NAMES) if line not in built]

    assert [line.split(" \\\n")[0].removeprefix("aws ") for line in mended] == [
        "iam update-assume-role-policy",
        "lambda update-function-configuration",
        "lambda update-function-code",
        "cognito-idp update-user-pool",
        "cognito-idp update-user-pool-client",
        "cognito-idp admin-enable-user",
        "apigatewayv2 update-authorizer",
        "apigatewayv2 update-stage",
    ]
    assert Shell(lab, aws, tmp_path).paste(mended) == []
    assert lab.check().findings == ()


def damage(lab: Lab) -> None:
    ids, client = lab.status().ids, lab.target.client
    admin = lab.target.names.function("LambdaForAdminUser")
    pool, cognito = {"UserPoolId": ids["user_pool_id"]}, client("cognito-idp")
    client("iam").update_assume_role_policy(
        RoleName=lab.target.names.role("LambdaForAdminUser"),
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )
    client("lambda").update_function_configuration(FunctionName=admin, Timeout=1)
    client("lambda").get_waiter("function_updated_v2").wait(FunctionName=admin, WaiterConfig={"Delay": 0.1})
    client("lambda").update_function_code(FunctionName=admin, ZipFile=b"PK\5\6" + bytes(18))
    cognito.update_user_pool(**pool, UserPoolTags=lab.target.names.tags)
    cognito.update_user_pool_client(**pool, ClientId=ids["app_client_id"])
    cognito.admin_disable_user(**pool, Username="adminuser")
    client("apigatewayv2").update_authorizer(
        ApiId=ids["api_id"], AuthorizerId=ids["authorizer_id"], IdentitySource=["$request.querystring.token"]
    )
    client("apigatewayv2").update_stage(ApiId=ids["api_id"], StageName="$default", AutoDeploy=False)


def test_the_posts_own_sign_in_gives_a_token_that_the_api_lets_in(
    warm_home: Path, installed: Path, tmp_path: Path
) -> None:
    lab = lab_at(warm_home, "signed-in")
    lab.up()

    done = Shell(lab, installed, tmp_path).run(
        'eval "$(labkit env)"\n'
        "aws cognito-idp initiate-auth --auth-flow USER_PASSWORD_AUTH --client-id $APP_CLIENT_ID "
        "--auth-parameters USERNAME=adminuser,PASSWORD=$(labkit password adminuser)"
    )

    assert done.returncode == 0, done.stderr
    token = json.loads(done.stdout)["AuthenticationResult"]["IdToken"]
    assert [lab.call(route, token=token).body for route in ("GET /AdminUser", "GET /RegularUser")] == [
        '"Hello from Admin User"',
        '"Hello from Regular User"',
    ]


def test_the_lines_of_the_tasks_of_chapter_05_solve_them(warm_home: Path, aws: Path, tmp_path: Path) -> None:
    lab = lab_at(warm_home, "solved-by-hand")
    lab.up()
    shell = Shell(lab, aws, tmp_path)

    for task in ("five-calls", "reports"):
        done = shell.run(f"cd {tmp_path}\n{lessons().tasks[task].solution}")
        assert done.returncode == 0, done.stderr
        assert lab.check_task(task).passed, lab.check_task(task).text()

    assert lab.check().passed
    assert lab.down().clean
