"""The functions in both languages, held to one table of events, answers and log lines."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LAMBDAS = HERE.parent.parent / "lambdas"

Function = Callable[[str, dict[str, Any]], tuple[Any, list[str]]]


@pytest.fixture(params=["python", pytest.param("node", marks=pytest.mark.node)])
def call(request: pytest.FixtureRequest, tmp_path: Path) -> Function:
    """Call a function in a process of its own: (folder, event) -> (its answer, the lines of its log)."""
    if request.param == "python":
        command, file_name = [sys.executable, str(HERE / "call.py")], "lambda_function.py"
    else:
        command, file_name = [request.getfixturevalue("node"), str(HERE / "call.mjs")], "index.mjs"

    def run(folder: str, event: dict[str, Any]) -> tuple[Any, list[str]]:
        answer = tmp_path / "answer.json"
        done = subprocess.run(
            [*command, LAMBDAS / folder / file_name, answer],
            input=json.dumps(event),
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(answer.read_text(encoding="utf-8")), done.stdout.split("\n")

    return run


def sign_in(request: Any) -> dict[str, Any]:
    """An event of version V1_0 as Cognito sends it, with this `request`."""
    return {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_Example01",
        "userName": "adminuser",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
        "request": request,
        "response": {"claimsOverrideDetails": None},
    }


def groups(*names: str) -> dict[str, Any]:
    """The `request` of a user who is in these groups."""
    return {
        "userAttributes": {"sub": "6a8b1c2d", "email": "adminuser@example.com"},
        "groupConfiguration": {"groupsToOverride": list(names), "iamRolesToOverride": [], "preferredRole": None},
    }


SCOPES = [
    pytest.param(
        groups("admin", "regular"), ["admin", "regular"], "admin-1example23456789 regular-1example23456789", id="both"
    ),
    pytest.param(groups("regular"), ["regular"], "regular-1example23456789", id="one"),
    pytest.param(
        groups("équipe-ß", "admin"),
        ["équipe-ß", "admin"],
        "équipe-ß-1example23456789 admin-1example23456789",
        id="not-ascii",
    ),
]

WITHOUT_GROUPS = [
    pytest.param(groups(), id="empty-list"),
    pytest.param({"groupConfiguration": {"groupsToOverride": None}}, id="null-list"),
    pytest.param({"groupConfiguration": {}}, id="no-list"),
    pytest.param({"groupConfiguration": None}, id="null-configuration"),
    pytest.param({"userAttributes": {}}, id="no-configuration"),
    pytest.param(None, id="null-request"),
]


@pytest.mark.parametrize(("request_", "names", "scope"), SCOPES)
def test_the_trigger_turns_groups_into_scopes(call: Function, request_: Any, names: list[str], scope: str) -> None:
    event = sign_in(request_)
    answer, log = call("Pre-tokenAuthLambda", copy.deepcopy(event))

    # The whole event comes back; only the response has changed.
    assert answer == event | {"response": {"claimsOverrideDetails": {"claimsToAddOrOverride": {"scope": scope}}}}
    assert len(log) == 2
    assert log[1] == ""
    assert json.loads(log[0]) == {
        "trigger": "TokenGeneration_Authentication",
        "user": "adminuser",
        "client_id": "1example23456789",
        "groups": names,
        "scope": scope,
    }


@pytest.mark.parametrize("request_", WITHOUT_GROUPS)
def test_a_user_without_groups_signs_in_without_scope(call: Function, request_: Any) -> None:
    answer, log = call("Pre-tokenAuthLambda", sign_in(request_))

    assert answer == sign_in(request_)
    assert len(log) == 2
    assert json.loads(log[0]) == {
        "trigger": "TokenGeneration_Authentication",
        "user": "adminuser",
        "client_id": "1example23456789",
        "groups": [],
        "scope": None,
    }


def test_the_trigger_does_without_a_response_to_fill(call: Function) -> None:
    event = sign_in(groups("regular"))
    del event["response"]
    answer, _ = call("Pre-tokenAuthLambda", event)
    assert answer["response"] == {
        "claimsOverrideDetails": {"claimsToAddOrOverride": {"scope": "regular-1example23456789"}}
    }


ROUTES = [
    ("LambdaForAdminUser", "GET /AdminUser", '"Hello from Admin User"'),
    ("LambdaForRegularUser", "GET /RegularUser", '"Hello from Regular User"'),
]


@pytest.mark.parametrize(("folder", "route", "body"), ROUTES)
def test_a_route_answers_with_its_greeting(call: Function, folder: str, route: str, body: str) -> None:
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": "/Test" + route.removeprefix("GET "),
        "headers": {"authorization": "Bearer secret-token"},
        "requestContext": {
            "authorizer": {"jwt": {"claims": {"cognito:username": "adminuser", "scope": "admin-1"}, "scopes": None}}
        },
    }
    answer, log = call(folder, event)

    assert answer == {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
    assert len(log) == 2
    assert json.loads(log[0]) == {"route": route, "user": "adminuser"}


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, {"requestContext": {"authorizer": None}}])
@pytest.mark.parametrize(("folder", "_route", "body"), ROUTES)
def test_a_test_event_without_claims_is_answered_too(
    call: Function, folder: str, _route: str, body: str, event: dict[str, Any]
) -> None:
    answer, log = call(folder, event)
    assert (answer["statusCode"], answer["body"]) == (200, body)
    assert json.loads(log[0]) == {"route": None, "user": None}
    assert len(log) == 2
