"""The command line's contract: what each verb prints, as text and as JSON, and its exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.lab import Lab
from tests.cloud.homes import processes, remains, wait_until
from tests.labs import NAME_A_RUNTIME, NAME_A_STEP, STEP_NAMES, lab_at, standing

Run = Callable[..., tuple[int, str, str]]

NAME = "commanded"
NO_LAB = "There is no lab.\nBegin with chapter 01, or build all of it: labkit up\n"


@pytest.fixture(scope="module")
def built(warm_home: Path) -> Lab:
    """One finished lab for all commands that only look."""
    lab = lab_at(warm_home, NAME)
    lab.up()
    return lab


@pytest.fixture
def in_lab(built: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The environment in which `labkit` finds the finished lab."""
    monkeypatch.setenv("LABKIT_HOME", str(built.settings.home))
    monkeypatch.setenv("LABKIT_NAME", NAME)
    return built


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder that is not there yet."""
    path = tmp_path / "home"
    monkeypatch.setenv("LABKIT_HOME", str(path))
    yield path
    process.stop(path)


def document(answer: tuple[int, str, str], code: int = 0) -> Any:
    """The one JSON document that a command printed, and nothing else."""
    assert (answer[0], answer[2]) == (code, "")
    return json.loads(answer[1])


STATUS = {
    "target", "account", "region", "name", "api_url", "api_id", "user_pool_id", "app_client_id", "issuer", "steps",
}  # fmt: skip


@pytest.mark.parametrize("verb", ["up", "status"])
def test_up_and_status_as_json(verb: str, labkit: Run, in_lab: Lab, warm_cloud: Cloud) -> None:
    told = document(labkit(verb, "--json"))

    assert told.keys() == STATUS
    assert told["account"] == warm_cloud.account_id
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/_aws/execute-api/\w+", told["api_url"])
    assert [set(step) for step in told["steps"]] == [{"name", "found", "ids", "happened"}] * len(STEP_NAMES)
    assert [step["name"] for step in told["steps"]] == STEP_NAMES
    assert told["steps"][1]["ids"]["user_pool_id"] == told["user_pool_id"]


def test_up_through_a_step_and_with_what_only_an_account_asks_for(labkit: Run, in_lab: Lab) -> None:
    code, out, err = labkit("up", "--through", "functions", "--yes")

    assert (code, err) == (0, "")
    assert out.startswith(f"Lab {NAME} on the embedded cloud\n")


def test_check_of_a_sound_lab(labkit: Run, in_lab: Lab) -> None:
    told = document(labkit("check", "--json"))

    assert (told["passed"], told["findings"]) == (True, [])
    assert labkit("check")[1].startswith(f"All {told['checked']} checks passed.\n")
    of_one = document(labkit("check", "user-pool", "--json"))
    assert of_one["checked"] < told["checked"]
    assert of_one == document(labkit("check", "--step", "user-pool", "--json"))


def test_check_of_a_damaged_lab(labkit: Run, in_lab: Lab) -> None:
    logs = in_lab.target.client("logs")
    logs.delete_retention_policy(logGroupName=f"/aws/lambda/{NAME}-LambdaForAdminUser")

    told = document(labkit("check", "--json"), code=1)
    code, out, err = labkit("check")
    of_one = document(labkit("check", "functions", "--json"), code=1)

    assert document(labkit("check", "http-api", "--json"))["passed"] is True
    assert of_one["findings"] == told["findings"]
    assert told["passed"] is False
    assert told["findings"] == [
        {
            "step": "functions",
            "subject": f"retention of /aws/lambda/{NAME}-LambdaForAdminUser, in days",
            "expected": "7",
            "actual": "for ever",
            "why": "Logs cost money for as long as they are kept.",
            "fix": "labkit up --through functions",
        }
    ]
    assert (code, err) == (1, "")
    assert f"FAILED      functions: retention of /aws/lambda/{NAME}-LambdaForAdminUser, in days\n" in out
    in_lab.up()


@pytest.mark.parametrize(
    ("words", "status", "body"),
    [
        (["--as", "adminuser"], 200, '"Hello from Admin User"'),
        (["--as", "regularuser"], 403, '{"message":"Forbidden"}'),
        (["--anonymous"], 401, '{"message":"Unauthorized"}'),
        ([], 401, '{"message":"Unauthorized"}'),
        (["--token", "nonsense", "--stage", "Test"], 401, '{"message":"Unauthorized"}'),
        (["--as", "adminuser", "--kind", "access", "--bearer"], 403, '{"message":"Forbidden"}'),
    ],
)
def test_call_ends_well_whatever_the_status(words: list[str], status: int, body: str, labkit: Run, in_lab: Lab) -> None:
    told = document(labkit("call", "GET /AdminUser", *words, "--json"))

    assert (told["status"], told["body"]) == (status, body)
    assert told.keys() >= {"status", "body", "headers", "curl"}
    assert told["headers"]["content-type"] == "application/json"


def test_call_as_text(labkit: Run, in_lab: Lab) -> None:
    code, out, err = labkit("call", "GET /RegularUser", "--as", "regularuser")

    assert (code, err) == (0, "")
    assert out.splitlines()[0] == '$ curl -H "Authorization: $(labkit token regularuser)" "$API_URL/RegularUser"'
    assert re.search(r'^status +200\nbody +"Hello from Regular User"$', out, re.MULTILINE)


@pytest.mark.parametrize("kind", ["id", "access", "refresh"])
def test_a_token_stands_alone_on_standard_output(kind: str, labkit: Run, in_lab: Lab) -> None:
    code, out, err = labkit("token", "adminuser", "--kind", kind)

    assert (code, err) == (0, "")
    assert re.fullmatch(r"[\w-]+(\.[\w-]*){2,4}\n", out)
    assert document(labkit("token", "adminuser", "--kind", kind, "--json")).keys() == {"user", "kind", "token"}


def test_a_password_stands_alone_on_standard_output(labkit: Run, in_lab: Lab) -> None:
    password = in_lab.password("regularuser")

    assert labkit("password", "regularuser") == (0, f"{password}\n", "")
    assert document(labkit("password", "regularuser", "--json")) == {"user": "regularuser", "password": password}


def test_new_passwords_are_set_where_somebody_asks_for_them(labkit: Run, in_lab: Lab) -> None:
    before = in_lab.password("regularuser")

    code, _, err = labkit("up", "--yes")
    assert (code, err) == (0, "")
    assert in_lab.password("regularuser") == before
    code, _, err = labkit("up", "--yes", "--reset-passwords")

    assert (code, err) == (
        0, "Setting new passwords for adminuser and regularuser. Nobody can sign in with the present ones any more.\n"
    )  # fmt: skip
    assert in_lab.password("regularuser") != before
    assert in_lab.tokens("regularuser")


def test_env_says_the_same_to_a_shell(labkit: Run, in_lab: Lab) -> None:
    variables = document(labkit("env", "--json"))
    code, out, err = labkit("env")

    assert (code, err) == (0, "")
    assert all(line.startswith("export ") for line in out.splitlines())
    assert variables.keys() >= {
        "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
        "API_URL", "USER_POOL_ID", "APP_CLIENT_ID",
    }  # fmt: skip
    show = "\n".join(f'printf "%s\\0" "${name}"' for name in variables)
    read = subprocess.run(["sh", "-ec", f"eval {shlex.quote(out)}\n{show}"], env={}, capture_output=True, check=True)
    assert read.stdout.decode().split("\0")[:-1] == list(variables.values())


def test_commands_are_the_lines_and_nothing_else(labkit: Run, in_lab: Lab) -> None:
    lines = in_lab.commands().lines

    assert labkit("commands") == (0, "\n\n".join(["(set -e", *lines, ")\n"]), "")
    assert document(labkit("commands", "--json")) == {"steps": STEP_NAMES, "commands": list(lines)}
    first = document(labkit("commands", "--through", "functions", "--json"))
    assert first == {"steps": ["functions"], "commands": list(in_lab.commands("functions").lines)}


def test_package_packs_a_function(labkit: Run, in_lab: Lab) -> None:
    code, out, err = labkit("package", f"{NAME}-LambdaForAdminUser")

    assert (code, err) == (0, "")
    assert Path(out.strip()).read_bytes()[:2] == b"PK"
    assert document(labkit("package", "LambdaForAdminUser", "--json")) == {
        "function": "LambdaForAdminUser",
        "path": out.strip(),
    }


def test_the_cloud_as_json(labkit: Run, in_lab: Lab, warm_cloud: Cloud) -> None:
    told = {
        "running": True,
        "pid": warm_cloud.pid,
        "port": warm_cloud.port,
        "endpoint_url": warm_cloud.endpoint_url,
    }

    assert document(labkit("cloud", "status", "--json")) == told
    assert document(labkit("cloud", "start", "--json")) == told
    assert labkit("cloud", "status")[1] == f"Running at {warm_cloud.endpoint_url}, process {warm_cloud.pid}.\n"


def test_labs_lists_what_was_built(labkit: Run, in_lab: Lab) -> None:
    assert {"place": "embedded", "name": NAME, "steps": STEP_NAMES} in document(labkit("labs", "--json"))["labs"]


def test_down_shows_first_and_then_does(
    labkit: Run, new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    lab.up()
    monkeypatch.setenv("LABKIT_HOME", str(lab.settings.home))
    monkeypatch.setenv("LABKIT_NAME", lab.settings.name)

    planned = document(labkit("down", "--dry-run", "--json"))
    assert standing(lab.status()) == STEP_NAMES
    done = document(labkit("down", "--yes", "--json"))

    assert done["removed"] == planned["deletions"]
    assert standing(lab.status()) == []
    assert document(labkit("down", "--json"))["removed"] == []


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        (["call", "GET /Adminuser"], "The lab has no route 'GET /Adminuser'.",
         "Name one of: GET /AdminUser, GET /RegularUser."),
        (["call", "GET /AdminUser", "--as", "admin"], "The lab has no user 'admin'.",
         "Name one of: adminuser, regularuser."),
        (["call", "GET /AdminUser", "--stage", "test"], "The lab's API has no stage 'test'.",
         "Name one of: $default, Test (case matters)."),
        (["call", "GET /AdminUser", "--as", "adminuser", "--token", "a"],
         "--as, --token and --anonymous exclude each other.", "Give one of them, or none."),
        (["call", "GET /AdminUser", "--as", "adminuser", "--kind", "ID"], "There is no token of the kind 'ID'.",
         "Name one of: id, access, refresh."),
        (["token", "admin"], "The lab has no user 'admin'.", "Name one of: adminuser, regularuser."),
        (["token", "adminuser", "--kind", "jwt"], "There is no token of the kind 'jwt'.",
         "Name one of: id, access, refresh."),
        (["password", "admin"], "The lab has no user 'admin'.", "Name one of: adminuser, regularuser."),
        (["up", "--through", "pool"], "The lab has no step 'pool'.", NAME_A_STEP),
        (["check", "--step", "pool"], "The lab has no step 'pool'.", NAME_A_STEP),
        (["check", "pool"], "The lab has no step 'pool'.", NAME_A_STEP),
        (["check", "functions", "--step", "http-api"], "Two steps are named, functions and http-api.",
         "Name one step, or none for the whole lab."),
        (["call", "GET", "/RegularUser", "--as", "adminuser"], "'GET' is only the method of a route.",
         'Put quotes around both: labkit call "GET /RegularUser"'),
        (["call", "GET"], "'GET' is only the method of a route.",
         'Put quotes around both: labkit call "GET /AdminUser"'),
        (["explain", "--route", "GET", "/RegularUser"], "'GET' is only the method of a route.",
         'Put quotes around both: labkit explain --route "GET /RegularUser"'),
        (["call", "GET /AdminUser", "adminuser"], "'adminuser' stands after the route, where nothing belongs.",
         "Name a user with: --as USER"),
        (["package", "LambdaForNobody"], "The lab has no function 'LambdaForNobody'.",
         "Name one of: Pre-tokenAuthLambda, LambdaForAdminUser, LambdaForRegularUser."),
        (["cloud", "start", "--port", "0"], "0 is not a port.",
         "Name one from 1 to 65535, or leave it out to get a free one."),
        (["upp"], "No such command 'upp'. Did you mean 'up'?", "See how it is used: labkit --help"),
        (["up", "--trough", "functions"], "No such option: --trough (Possible options: --through)",
         "See how it is used: labkit up --help"),
        (["call"], "Missing argument 'route'.", "See how it is used: labkit call --help"),
        (["cloud", "begin"], "No such command 'begin'.", "See how it is used: labkit cloud --help"),
        (["status", "functions"], "Got unexpected extra argument(s) (functions)",
         "See how it is used: labkit status --help"),
        *(([verb, "user-pool"], "Got unexpected extra argument(s) (user-pool)",
           f"Name the last step as an option: labkit {verb} --through user-pool") for verb in ("up", "commands")),
        *(([verb, *words], "'GET /RegularUser' is a route, and not a token.",
           'Name it as one: labkit explain --route "GET /RegularUser"')
          for verb, words in (("explain", ["GET /RegularUser"]), ("explain", ["GET", "/RegularUser"]),
                              ("decode", ["GET /RegularUser"]))),
        *(([verb, "adminuser"], "adminuser is the name of a user, and not a token.",
           f'Let the user sign in: labkit {verb} "$(labkit token adminuser)"') for verb in ("explain", "decode")),
        (["explain", "x.y.z", "adminuser"], "'adminuser' stands after the token, where nothing belongs.",
         "Name a user with: --as USER"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_words_are_named(words: list[str], problem: str, remedy: str, labkit: Run, home: Path) -> None:
    assert labkit(*words) == (2, "", f"{problem}\n{remedy}\n")
    code, out, err = labkit(*words, "--json")
    assert (code, json.loads(out), err) == (2, {"error": problem, "fix": remedy}, f"{problem}\n{remedy}\n")
    assert not home.exists()


@pytest.mark.parametrize("verb", ["decode", "explain"])
@pytest.mark.parametrize(("name", "in_a_shell"), [("token.txt", "token.txt"), ("my token", "'my token'")])
def test_a_file_in_place_of_a_token_is_named(
    verb: str, name: str, in_a_shell: str, labkit: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    Path(name).touch()

    assert labkit(verb, name) == (
        2,
        "",
        f"{name} is the name of a file, and not a token.\nLet the command read it: labkit {verb} - < {in_a_shell}\n",
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("LABKIT_NAME", "My Lab",
         "The lab name 'My Lab' cannot begin the names of AWS resources.\nSet LABKIT_NAME to 2 to 24 lower-case "
         "letters, digits and hyphens, a letter first and no hyphen last.\n"),
        ("LABKIT_TARGET", "azure", "LABKIT_TARGET is 'azure'.\nSet it to embedded or aws.\n"),
        ("LABKIT_RUNTIME", "nodejs12.x", f"LABKIT_RUNTIME is 'nodejs12.x'.\n{NAME_A_RUNTIME}\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["up", "status", "check", "down", "env", "doctor", "demo"])
def test_wrong_settings_are_named_by_every_verb(
    verb: str, variable: str, value: str, told: str, labkit: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    assert labkit(verb) == (2, "", told)
    assert not home.exists()


@pytest.mark.parametrize(
    "words",
    [["check"], ["down"], ["down", "--dry-run"], ["token", "adminuser"], ["password", "adminuser"],
     ["call", "GET /AdminUser"], ["commands"]],
    ids=" ".join,
)  # fmt: skip
def test_without_a_lab_the_way_to_one_is_told(words: list[str], labkit: Run, home: Path) -> None:
    assert labkit(*words) == (1, "", NO_LAB)
    assert not home.exists()


def test_without_a_cloud_there_is_nothing_to_show(labkit: Run, home: Path) -> None:
    told = document(labkit("status", "--json"))

    assert told.keys() == STATUS
    assert {key for key, value in told.items() if value is None} == {
        "account", "region", "api_url", "api_id", "user_pool_id", "app_client_id", "issuer",
    }  # fmt: skip
    assert [(step["found"], step["ids"]) for step in told["steps"]] == [(False, {})] * len(STEP_NAMES)
    assert document(labkit("cloud", "status", "--json")) == {
        "running": False,
        "pid": None,
        "port": None,
        "endpoint_url": None,
    }
    assert document(labkit("cloud", "stop", "--json")) == {"stopped": False}
    assert labkit("cloud", "stop") == (0, "The embedded cloud was not running.\n", "")
    assert document(labkit("labs", "--json")) == {"labs": []}
    assert not home.exists()


@pytest.mark.parametrize(
    "words", [["up"], ["env"], ["demo"], ["cloud", "start"], ["package", "LambdaForAdminUser"]], ids=" ".join
)
def test_a_home_that_cannot_be_written_is_named(
    words: list[str], labkit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file" / "home"))

    code, out, err = labkit(*words)

    assert (code, out) == (1, "")
    assert re.fullmatch(
        re.escape(str(tmp_path / "file" / "home")) + r"\S* cannot be written: Not a directory\.\n"
        r"Free some space or mend the permissions, or set LABKIT_HOME to another folder\.\n",
        err,
    )


def test_a_taken_port_is_named(labkit: Run, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code, out, err = labkit("cloud", "start", "--port", str(port))

    assert (code, out) == (1, "")
    assert err == (
        f"Port {port} of 127.0.0.1 is taken by another program.\n"
        "Leave --port out to get a free one, name another, or end the program that uses this one.\n"
    )


def test_help_is_no_failure_and_no_command_is_one(labkit: Run) -> None:
    code, out, err = labkit("--help")
    assert (code, err) == (0, "")
    assert "Build the lab: create what is missing, mend what drifted." in out
    code, out, err = labkit()
    assert (code, out) == (2, "")
    assert "Usage: labkit" in err


# From here on with real processes.

AS_A_TERMINAL_STARTS_IT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from labkit.cli.start import main
main()
"""
ON_A_FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from labkit.cli.start import main
main()
"""


def start(home: Path, *words: str, code: str = AS_A_TERMINAL_STARTS_IT, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "LABKIT_HOME": str(home), **settings},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(home: Path, *words: str, **options: str) -> tuple[int, str, str]:
    running = start(home, *words, **options)
    out, err = running.communicate(timeout=120)
    return running.returncode, out, err


def test_a_lab_from_ctrl_c_over_a_killed_cloud_to_its_end(home: Path) -> None:
    cloud = process.start(home)
    iam = session(cloud, "us-east-1").client("iam")

    running = start(home, "up")
    wait_until(lambda: iam.list_roles()["Roles"])
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (
        130,
        "",
        "Stopped.\nNothing is lost: the same command goes on where this one stopped.\n",
    )

    assert run(home, "up")[0] == 0
    assert run(home, "check")[0] == 0

    os.kill(cloud.pid, signal.SIGKILL)
    code, out, err = run(home, "call", "GET /AdminUser", "--as", "adminuser", "--json")
    assert (code, json.loads(out)["status"]) == (0, 200)
    assert err == f"The embedded cloud was gone, and the lab with it. Building it again through {STEP_NAMES[-1]}.\n"

    assert run(home, "cloud", "stop") == (0, "The embedded cloud has stopped.\n", "")
    assert processes(home) == []
    assert remains(home) == []


CTRL_C_AT = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
moment = sys.argv.pop()

class Finder:
    def find_spec(self, name, *_):
        if name == moment:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
from labkit.cli.start import main
main()
"""


@pytest.mark.parametrize("moment", ["labkit.cli.main", "typer", "inspect", "labkit.cli.class_commands", "labkit.lab"])
def test_ctrl_c_while_a_command_is_read_in_is_told_as_ever(moment: str, home: Path) -> None:
    code, out, err = run(home, "status", "--json", moment, code=CTRL_C_AT)

    assert (code, err) == (130, "Stopped.\nNothing is lost: the same command goes on where this one stopped.\n")
    assert json.loads(out)["error"] == "Stopped."


def test_ctrl_c_after_a_command_has_ended_changes_nothing(home: Path) -> None:
    code, out, err = run(home, "status", "never", code=CTRL_C_AT)

    assert (code, err) == (0, "")
    assert out.startswith("Lab jwt-lab")


def test_a_full_disk_is_named_and_up_goes_on_when_it_is_not(warm_home: Path, new_lab: Callable[..., Lab]) -> None:
    name = new_lab().settings.name

    code, out, err = run(warm_home, "up", code=ON_A_FULL_DISK, LABKIT_NAME=name)

    assert (code, out) == (1, "")
    assert re.fullmatch(
        r"\S+ cannot be written: File too large\.\n"
        r"Free some space or mend the permissions, or set LABKIT_HOME to another folder\.\n",
        err,
    )
    assert run(warm_home, "up", LABKIT_NAME=name)[0] == 0


def test_two_homes_never_meet(home: Path, in_lab: Lab, labkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    here = document(labkit("env", "--json"))
    monkeypatch.setenv("LABKIT_HOME", str(home))
    # The other learner's shell still has the variables of this one.
    for name, value in here.items():
        monkeypatch.setenv(name, value)

    there = document(labkit("up", "--json"))

    assert there["name"] == NAME
    assert there["account"] != here["ACCOUNT_ID"]
    assert set(document(labkit("env", "--json")).items()) & set(here.items()) == {
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_PAGER", ""),
    }
    assert document(labkit("down", "--json"))["removed"]
    assert in_lab.check().findings == ()
