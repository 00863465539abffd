"""What a function that runs in the embedded cloud sees of the machine, and what it can delay."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from tests.cloud.homes import processes, remains, wait_until

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}

SHOW_ENVIRONMENT = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
SHOW_PLACES = """
import os, tempfile

def handler(event, context):
    return [os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir()]
"""
CHILD = """
import subprocess

def handler(event, context):
    return subprocess.Popen(["sleep", "800"], stdin=-3, stdout=-3, stderr=-3).pid
"""
# In its session, in one of its own, twice forked, and twice forked in another folder and session.
DETACH = """
import os, subprocess

def twice_forked(**options):
    code = "import subprocess; print(subprocess.Popen(['sleep', '800'], stdin=-3, stdout=-3, stderr=-3, **%r).pid)"
    return int(subprocess.run(["python3", "-c", code % options], stdout=-1, check=True).stdout)

def handler(event, context):
    sleep, quiet = ["sleep", "800"], dict(stdin=-3, stdout=-3, stderr=-3)
    return [
        subprocess.Popen(sleep, **quiet).pid,
        subprocess.Popen(sleep, start_new_session=True, **quiet).pid,
        twice_forked(),
        twice_forked(start_new_session=True, cwd="/"),
    ]
"""
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(800)\n"


def function(cloud: Cloud, source: str) -> Any:
    """Make a function of one file, named `probe`; a client that can invoke it."""
    made = session(cloud, "eu-central-1")
    role = made.client("iam").create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps(TRUST))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", source)
    # Asked once: a cloud that ended is not asked again while the next test runs.
    client = made.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    client.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="probe.handler",
        Timeout=900,
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"OWN": "value"}},
    )
    client.get_waiter("function_active_v2").wait(FunctionName="probe", WaiterConfig={"Delay": 0.1})
    return client


def begin_sleeping(home: Path) -> Cloud:
    """Start a cloud with a function that is busy for minutes."""
    cloud = process.start(home)
    client = function(cloud, SLEEP)
    threading.Thread(target=_invoke, args=(client,), daemon=True).start()
    wait_until(lambda: len(processes(home)) == 2)
    return cloud


def _invoke(client: Any) -> None:
    with suppress(BotoCoreError, ClientError):  # the cloud ends before the function does
        client.invoke(FunctionName="probe")


def test_a_function_sees_what_lambda_gives_it_and_nothing_of_the_machine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_HOST", "leak")
    client = function(process.start(home), SHOW_ENVIRONMENT)

    environment = json.loads(client.invoke(FunctionName="probe")["Payload"].read())

    assert environment["OWN"] == "value"
    assert environment["AWS_REGION"] == "eu-central-1"
    assert environment["TZ"] == ":UTC"
    # Beside Lambda's variables: where the cloud is, and what MiniStack's worker reads.
    assert environment.keys() <= {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_ENDPOINT_URL",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "HOME",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "OWN",
        "PATH",
        "TMPDIR",
        "TZ",
        "_LAMBDA_FUNCTION_ARN",
        "_LAMBDA_TIMEOUT",
        "_MINISTACK_INVOKE_DEPTH",
    }


def test_a_function_does_not_get_the_clouds_own_credentials(home: Path) -> None:
    cloud = process.start(home)
    client = function(cloud, SHOW_ENVIRONMENT)

    environment = json.loads(client.invoke(FunctionName="probe")["Payload"].read())

    assert cloud.access_key_id not in environment.values()
    assert cloud.secret_access_key not in environment.values()


def test_a_busy_function_does_not_delay_the_end(home: Path) -> None:
    os.kill(begin_sleeping(home).pid, signal.SIGTERM)

    wait_until(lambda: not processes(home) and not remains(home))


def test_stop_ends_a_busy_function(home: Path) -> None:
    begin_sleeping(home)

    assert process.stop(home)
    assert processes(home) == []
    assert remains(home) == []


def test_a_busy_function_of_a_killed_cloud_ends_with_the_next_stop(home: Path) -> None:
    server = begin_sleeping(home).pid
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: len(processes(home)) == 1)

    assert not process.stop(home)
    assert processes(home) == []
    assert remains(home) == []


def begin_detached(home: Path) -> tuple[Cloud, list[int]]:
    """A cloud whose function has started four processes that do what they can not to end with it."""
    cloud = process.start(home)
    client = function(cloud, DETACH)
    pids = json.loads(client.invoke(FunctionName="probe")["Payload"].read())
    wait_until(lambda: all(psutil.Process(pid).name() == "sleep" for pid in pids))
    return cloud, pids


@pytest.mark.parametrize("asked", [True, False])
def test_what_detached_from_a_function_ends_with_the_cloud(home: Path, asked: bool) -> None:
    cloud, pids = begin_detached(home)
    process.stop(home) if asked else os.kill(cloud.pid, signal.SIGTERM)

    wait_until(lambda: not processes(home) and not remains(home))
    assert not any(alive(pid) for pid in pids)


def test_what_detached_from_a_function_of_a_killed_cloud_ends_with_the_next_stop(home: Path) -> None:
    cloud, pids = begin_detached(home)
    os.kill(cloud.pid, signal.SIGKILL)
    wait_until(lambda: not alive(cloud.pid))

    process.stop(home)
    assert not any(alive(pid) for pid in pids)


def test_a_function_that_is_deleted_takes_its_session_along(home: Path) -> None:
    cloud = process.start(home)
    client = function(cloud, CHILD)
    child = json.loads(client.invoke(FunctionName="probe")["Payload"].read())
    assert alive(child)
    client.delete_function(FunctionName="probe")

    wait_until(lambda: not alive(child))


def test_a_function_works_below_the_clouds_own_folder(home: Path) -> None:
    cloud = process.start(home)
    client = function(cloud, SHOW_PLACES)

    places = json.loads(client.invoke(FunctionName="probe")["Payload"].read())
    assert all(place.startswith(f"{home}/cloud-{cloud.instance}/") for place in places)


def alive(pid: int) -> bool:
    """Whether a process is there and does something yet."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
