"""Requests to the lab's API: what comes back, and the curl line that sends the same."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.cloud.protocol import Cloud
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.questions.endpoint import Endpoint, Question
from tests.conftest import program
from tests.labs import lab_at

NAME = "called"
UNAUTHORIZED, FORBIDDEN = '{"message":"Unauthorized"}', '{"message":"Forbidden"}'
ADMIN, REGULAR = '"Hello from Admin User"', '"Hello from Regular User"'


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Lab:
    made = lab_at(warm_home, NAME)
    made.up()
    return made


# The post's five calls in its order, then the two that every learner tries, then the rest.
CALLS = [
    ("GET /AdminUser", None, {}, 401, UNAUTHORIZED),
    ("GET /AdminUser", "adminuser", {}, 200, ADMIN),
    ("GET /AdminUser", "regularuser", {}, 403, FORBIDDEN),
    ("GET /RegularUser", "adminuser", {}, 200, REGULAR),
    ("GET /RegularUser", "regularuser", {}, 200, REGULAR),
    ("GET /AdminUser", "adminuser", {"kind": "access"}, 403, FORBIDDEN),
    ("GET /AdminUser", "adminuser", {"bearer": True}, 200, ADMIN),
    ("GET /RegularUser", None, {}, 401, UNAUTHORIZED),
    ("GET /AdminUser", "adminuser", {"kind": "refresh"}, 401, UNAUTHORIZED),
    ("GET /RegularUser", "regularuser", {"kind": "access", "bearer": True}, 403, FORBIDDEN),
    ("GET /AdminUser", None, {"token": ""}, 401, UNAUTHORIZED),
    ("GET /AdminUser", None, {"token": "Bearer"}, 401, UNAUTHORIZED),
    ("GET /AdminUser", None, {"token": "ä \udcff"}, 401, UNAUTHORIZED),
]


@pytest.mark.parametrize("stage", ["$default", "Test"])
@pytest.mark.parametrize(("route", "user", "how", "status", "body"), CALLS)
def test_a_call_is_answered_as_on_aws(
    route: str, user: str | None, how: dict[str, object], status: int, body: str, stage: str, lab: Lab
) -> None:
    answer = lab.call(route, user, stage=stage, **how)  # type: ignore[arg-type] # each option has its own type

    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["apigw-requestid"]
    assert ("www-authenticate" in answer.headers) is (status == 401)


@pytest.mark.parametrize(
    ("user", "how", "caller", "curl"),
    [
        (None, {}, "nobody", 'curl "$API_URL/AdminUser"'),
        (None, {"stage": "Test"}, "nobody", 'curl "$API_URL/Test/AdminUser"'),
        ("adminuser", {}, "adminuser", 'curl -H "Authorization: $(labkit token adminuser)" "$API_URL/AdminUser"'),
        ("regularuser", {"kind": "access"}, "regularuser (access token)",
         'curl -H "Authorization: $(labkit token regularuser --kind access)" "$API_URL/AdminUser"'),
        ("adminuser", {"bearer": True, "stage": "Test"}, "adminuser (Bearer, id token)",
         'curl -H "Authorization: Bearer $(labkit token adminuser)" "$API_URL/Test/AdminUser"'),
        (None, {"token": "a.b.c"}, "the bearer of a token", 'curl -H "Authorization: $TOKEN" "$API_URL/AdminUser"'),
    ],
)  # fmt: skip
def test_who_calls_is_told_without_the_token(
    user: str | None, how: dict[str, object], caller: str, curl: str, lab: Lab
) -> None:
    answer = lab.call("GET /AdminUser", user, **how)  # type: ignore[arg-type] # each option has its own type

    assert (answer.caller, answer.curl) == (caller, curl)
    assert answer.text().startswith(f"$ {curl}\n")
    assert answer.to_dict()["curl"] == curl
    assert "eyJ" not in answer.text() + answer.html()


def test_a_question_shows_no_token(lab: Lab) -> None:
    assert "eyJ" not in repr(Question("GET /AdminUser", token=lab.tokens("adminuser")["id"]))


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Other: b", "\0", "\ud83d"])
def test_a_token_that_no_header_may_hold_is_named(token: str, lab: Lab) -> None:
    with pytest.raises(UsageError) as error:
        lab.call("GET /AdminUser", token=token)

    assert str(error.value) == (
        "The token holds a line break or another character that no header may hold. Copy it again, in one piece."
    )


@pytest.mark.parametrize(
    ("route", "stage", "problem", "remedy"),
    [
        ("GET /adminuser", "$default", "The lab has no route 'GET /adminuser'.",
         "Name one of: GET /AdminUser, GET /RegularUser."),
        ("/AdminUser", "$default", "The lab has no route '/AdminUser'.",
         "Name one of: GET /AdminUser, GET /RegularUser."),
        ("GET /AdminUser", "test", "The lab's API has no stage 'test'.", "Name one of: $default, Test (case matters)."),
    ],
)  # fmt: skip
def test_an_unknown_route_or_stage_is_named(route: str, stage: str, problem: str, remedy: str, lab: Lab) -> None:
    with pytest.raises(UsageError) as error:
        lab.call(route, stage=stage)

    assert (error.value.problem, error.value.remedy) == (problem, remedy)


def test_neither_a_proxy_nor_netrc_comes_in_between(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin a\npassword b\n")
    monkeypatch.setenv("NETRC", str(netrc))

    answer = lab.call("GET /AdminUser")

    # The challenge for no token at all, not for a bad one.
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_api_that_does_not_answer_is_named() -> None:
    with pytest.raises(LabError) as error:
        Endpoint("GET /AdminUser", "http://127.0.0.1:1/AdminUser").send(())

    assert str(error.value) == (
        "The API did not answer at http://127.0.0.1:1/AdminUser. See what is left of the lab: labkit status"
    )


def expired_token() -> str:
    """A token that was good until the year 2001, signed by nobody."""
    parts = ({"alg": "RS256", "kid": "a"}, {"exp": 1_000_000_000})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "AAAA"])


def test_an_expired_token_is_named_as_such(lab: Lab) -> None:
    answer = lab.call("GET /AdminUser", token=f"Bearer {expired_token()}")

    assert answer.status == 401
    assert answer.note.startswith("The token expired ")
    assert answer.note.endswith("ago. Get a fresh one: lab.tokens(USER), or labkit token USER in a shell.")
    assert lab.call("GET /AdminUser").note == ""


# The post's calls on the stage of its URLs, and on the one that it makes.
IN_A_SHELL = {"$default": CALLS[:7], "Test": CALLS[:2]}


def test_the_printed_lines_do_the_same_in_a_shell(lab: Lab, warm_home: Path, warm_cloud: Cloud, tmp_path: Path) -> None:
    program("curl", "LABKIT_REQUIRE_CURL")
    # Only what surrounds the lines is ours: curl's own settings make it print the status behind the body.
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}\\n"\n')
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LABKIT_HOME": str(warm_home),
        "LABKIT_NAME": NAME,
    }

    for stage, made in IN_A_SHELL.items():
        lines = [lab.call(route, user, stage=stage, **how).curl for route, user, how, _, _ in made]  # type: ignore[arg-type] # each option has its own type
        script = "\n".join(['eval "$(labkit env)"', *lines])

        shell = subprocess.run(["sh", "-ec", script], env=environment, capture_output=True, text=True, check=False)

        assert (shell.returncode, shell.stderr) == (0, "")
        assert shell.stdout == "".join(f"{body}\n{status}\n" for *_, status, body in made)
