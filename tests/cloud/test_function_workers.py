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

import pytest
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
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(800)\n"


def function(cloud: Cloud, source: str) -> Any:
    """Make a function of one file, named `probe`; a client that can invoke it."""
    made = session(cloud, "eu-central-1")
    role = made.client("iam").create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps(TRUST))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", source)
    client = made.client("lambda")
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
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "OWN",
        "PATH",
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


def test_a_busy_function_of_a_killed_cloud_ends_with_the_next_look(home: Path) -> None:
    server = begin_sleeping(home).pid
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: len(processes(home)) == 1)

    assert process.find(home) is None
    assert processes(home) == []
    assert remains(home) == []
