"""The AWS CLI lines that the lab prints, pasted into a shell with the real AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.cloud import process
from labkit.lab import Lab
from labkit.learning.lessons import lessons
from tests.labs import lab_at

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
        self._environment = {
            "PATH": os.pathsep.join([str(aws.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(folder),
            "LABKIT_HOME": str(lab.settings.home),
            "LABKIT_NAME": lab.settings.name,
        }

    def paste(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """Give lines to a shell as a terminal does, after `eval "$(labkit env)"`."""
        script = "\n\n".join(['eval "$(labkit env)"', *lines, ""])
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
        return subprocess.run(
            ["sh", "-eu"], input=script, env=self._environment, capture_output=True, text=True, check=False
        )


def test_the_lines_build_a_lab_where_nothing_is(warm_home: Path, home: Path, aws: Path, tmp_path: Path) -> None:
    """Those of a lab, too, of which parts were lost and made again."""
    printed = lab_at(warm_home, NAME)
    printed.up()
    lose(printed)
    printed.up()

    done = Shell(lab_at(home, NAME), aws, tmp_path).paste(printed.commands().text(), "labkit check")

    assert (done.returncode, done.stderr) == (0, "")
    assert "All 76 checks passed." in done.stdout


def test_the_lines_end_at_the_first_that_fails_and_the_shell_goes_on(
    warm_home: Path, aws: Path, tmp_path: Path
) -> None:
    """As in a terminal, which does not end where a line fails."""
    lab = lab_at(warm_home, "pasted-again")
    lab.up("functions")
    lines = lab.commands(through="functions").text()

    done = Shell(lab, aws, tmp_path).paste(f"set +e\n{lines}", "echo and on")

    assert (done.returncode, done.stdout) == (0, "and on\n")
    assert done.stderr.count("An error occurred") == 1
    assert "ResourceAlreadyExistsException" in done.stderr


def lose(lab: Lab) -> None:
    """Take away, behind labkit's back, one of each kind: named by its name, by an id, by a statement of a policy."""
    ids, client, admin = lab.status().ids, lab.target.client, lab.target.names.function("LambdaForAdminUser")
    client("apigatewayv2").delete_api(ApiId=ids["api_id"])
    client("lambda").delete_function(FunctionName=admin)
    client("cognito-idp").admin_delete_user(UserPoolId=ids["user_pool_id"], Username="adminuser")
    client("cognito-idp").delete_user_pool_client(UserPoolId=ids["user_pool_id"], ClientId=ids["app_client_id"])
    trigger = {"FunctionName": ids["Pre-tokenAuthLambda"], "StatementId": "cognito-runs-the-trigger"}
    client("lambda").remove_permission(**trigger)
    client("lambda").add_permission(**trigger, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")


def test_the_lines_that_mended_a_lab_are_taken_too(warm_home: Path, aws: Path, tmp_path: Path) -> None:
    lab = lab_at(warm_home, "mended-and-pasted")
    lab.up()
    built = lab.commands().lines
    damage(lab)
    lab.up()

    mended = [line for line in lab.commands().lines if line not in built]

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
    done = Shell(lab, aws, tmp_path).paste(*mended)
    assert (done.returncode, done.stderr) == (0, "")
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

    done = Shell(lab, installed, tmp_path).paste(
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
        done = shell.paste(f"cd {tmp_path}\n{lessons().tasks[task].solution}")
        assert done.returncode == 0, done.stderr
        assert lab.check_task(task).passed, lab.check_task(task).text()

    assert lab.check().passed
    assert lab.down().clean
