"""Finding, starting and stopping the embedded cloud, with real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit.cloud import http as loopback
from labkit.cloud import process, selftest, server_process
from labkit.cloud.server import LARGEST_LOG
from labkit.errors import LabError, UsageError
from tests.cloud.homes import processes, python, remains, wait_until

START = """
import sys
from pathlib import Path
from labkit.cloud import process
cloud = process.start(Path(sys.argv[1]), supervised=sys.argv[2:] == ["supervised"])
print(cloud.pid, flush=True)
sys.stdin.read()
"""

DIE_BEFORE_THE_RUNTIME_FILE = """
import os, signal, sys
from pathlib import Path
from labkit.cloud import process, selftest
selftest.check = lambda cloud: os.kill(os.getpid(), signal.SIGKILL)
process.start(Path(sys.argv[1]))
"""


def first_line(starter: subprocess.Popen[str]) -> str:
    assert starter.stdout
    return starter.stdout.readline().strip()


def test_a_started_cloud_answers_and_is_found(home: Path) -> None:
    cloud = process.start(home)

    assert process.find(home) == cloud
    assert cloud.endpoint_url == f"http://127.0.0.1:{cloud.port}"
    assert loopback.get(cloud.port, "/_labkit/health")[0] == 200


def test_a_cloud_has_an_account_and_credentials_of_its_own(home: Path) -> None:
    cloud = process.start(home)

    assert cloud.account_id.isdigit()
    assert len(cloud.account_id) == 12
    assert not cloud.account_id.startswith("0")
    assert cloud.access_key_id.startswith("AKIA")
    assert len(cloud.access_key_id) == 20
    assert len(cloud.secret_access_key) == 40
    assert cloud.secret_access_key not in repr(cloud)


def test_nobody_else_can_read_the_files(home: Path) -> None:
    cloud = process.start(home)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.glob("cloud*"))}
    assert modes == {
        home: 0o700,
        home / "cloud.json": 0o600,
        home / "cloud.lock": 0o600,
        home / f"cloud-{cloud.instance}": 0o700,
    }


@pytest.mark.parametrize("umask", [0, 0o002, 0o077])
def test_the_umask_does_not_matter(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        test_nobody_else_can_read_the_files(home)
    finally:
        os.umask(before)


LOG_MUCH = """
import logging, sys
from labkit.cloud import server
sys.stderr = server.Log()
logging.basicConfig()
for number in range(40_000):
    logging.warning("line %d: %s", number, "x" * 100)
logging.warning("y" * 5_000_000)
print("the last line", file=sys.stderr)
"""


def test_the_log_has_a_largest_size(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("a") as file:
        subprocess.run([sys.executable, "-c", LOG_MUCH], stderr=file, check=True)

    assert log.stat().st_size <= 2 * LARGEST_LOG
    assert log.read_text().endswith("the last line\n")
    assert "\0" not in log.read_text()


def test_no_secret_is_in_the_arguments_or_the_environment_of_the_server(home: Path) -> None:
    cloud = process.start(home)
    server = psutil.Process(cloud.pid)

    assert cloud.secret_access_key not in "".join((*server.cmdline(), *server.environ().values()))


def test_a_second_start_returns_the_running_cloud(home: Path) -> None:
    first = process.start(home)

    assert process.start(home) == first


def test_two_homes_have_two_clouds(home: Path, tmp_path: Path) -> None:
    one, other = process.start(home), process.start(tmp_path / "other")

    assert one.port != other.port
    assert one.account_id != other.account_id
    assert process.stop(tmp_path / "other")
    assert process.find(home) == one


def test_starts_at_the_same_time_give_one_cloud(home: Path) -> None:
    starters = [python(START, home) for _ in range(4)]
    pids = {first_line(starter) for starter in starters}
    for starter in starters:
        starter.communicate()

    assert len(pids) == 1
    assert len(processes(home)) == 1


def test_stop_leaves_no_process_and_no_folder(home: Path) -> None:
    process.start(home)

    assert process.stop(home)
    assert processes(home) == []
    assert remains(home) == []
    assert process.find(home) is None


def test_stop_without_a_cloud_changes_nothing(home: Path) -> None:
    assert not process.stop(home)
    assert not home.exists()


def test_a_killed_cloud_is_left_alone_by_find_and_cleaned_up_by_start(home: Path) -> None:
    killed = process.start(home)
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: not processes(home))

    assert process.find(home) is None
    assert remains(home) == [f"cloud-{killed.instance}", "cloud.json"]
    started = process.start(home)
    assert started.instance != killed.instance
    assert remains(home) == [f"cloud-{started.instance}", "cloud.json"]


def test_who_only_needs_a_cloud_cleans_nothing_up(home: Path) -> None:
    killed = process.start(home)
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: not processes(home))

    started = process.start(home, sweep=False)
    assert remains(home) == sorted([f"cloud-{killed.instance}", f"cloud-{started.instance}", "cloud.json"])


def test_who_only_needs_a_cloud_ends_none_that_does_not_answer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = process.start(home)
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.1)
    os.kill(hanging.pid, signal.SIGSTOP)

    with pytest.raises(LabError, match="does not answer"):
        process.start(home, sweep=False)
    os.kill(hanging.pid, signal.SIGCONT)
    monkeypatch.undo()
    assert process.find(home) == hanging


def test_a_killed_cloud_is_cleaned_up_by_stop(home: Path) -> None:
    os.kill(process.start(home).pid, signal.SIGKILL)
    wait_until(lambda: not processes(home))

    assert not process.stop(home)
    assert remains(home) == []


def test_a_cloud_that_hangs_is_not_found_and_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.2)
    hanging = process.start(home)
    os.kill(hanging.pid, signal.SIGSTOP)

    assert process.find(home) is None
    assert process.start(home).pid != hanging.pid
    assert len(processes(home)) == 1


def test_the_port_of_a_killed_cloud_that_another_program_has_now_is_not_a_cloud(home: Path) -> None:
    killed = process.start(home)
    content = (home / "cloud.json").read_text()
    process.stop(home)
    other = process.start(home)
    (home / "cloud.json").write_text(content.replace(f'"port": {killed.port}', f'"port": {other.port}'))

    assert process.find(home) is None


@pytest.mark.parametrize("content", ["", "[]", '{"pid": 1}', "null"])
def test_a_runtime_file_that_is_not_ours_is_no_cloud_and_stays(home: Path, content: str) -> None:
    home.mkdir()
    file = home / "cloud.json"
    file.write_text(content)

    assert process.find(home) is None
    assert not process.stop(home)
    with pytest.raises(LabError, match=r"cloud\.json is in the way: labkit did not write it"):
        process.start(home)
    assert file.read_text() == content
    file.unlink()


def test_a_supervised_cloud_ends_with_its_killed_starter(home: Path) -> None:
    starter = python(START, home, "supervised")
    first_line(starter)
    starter.kill()
    starter.communicate()

    wait_until(lambda: not processes(home) and not remains(home))


def test_a_cloud_that_nobody_supervises_survives_its_starter_and_its_terminal(home: Path) -> None:
    starter = python(START, home)
    pid = int(first_line(starter))
    starter.kill()
    starter.communicate()

    cloud = process.find(home)
    assert cloud is not None
    assert cloud.pid == pid
    assert os.getsid(pid) == pid


def test_a_cloud_whose_starter_is_killed_too_early_ends(home: Path) -> None:
    python(DIE_BEFORE_THE_RUNTIME_FILE, home).communicate()

    wait_until(lambda: not processes(home) and not remains(home))


def test_a_cloud_without_requests_ends_by_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than a busy machine may take between two requests of the start itself.
    monkeypatch.setattr(process, "IDLE_SECONDS", 4)
    process.start(home)

    wait_until(lambda: not processes(home) and not remains(home))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_cloud_that_is_asked_to_end_cleans_up_itself(home: Path, name: str) -> None:
    os.kill(process.start(home).pid, signal.Signals[name])

    wait_until(lambda: not processes(home) and not remains(home))


def test_a_port_of_ones_own_choice(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert process.start(home, port=port).port == port


def test_a_port_that_is_taken_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(LabError) as error:
            process.start(home, port=port)

    assert error.value.problem == f"Port {port} of 127.0.0.1 is taken by another program."
    assert "--port" in error.value.remedy
    assert remains(home) == []


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_refused(home: Path, port: int) -> None:
    with pytest.raises(UsageError, match=f"{port} is not a port"):
        process.start(home, port=port)


def test_a_weather_that_does_not_exist_is_refused(home: Path) -> None:
    with pytest.raises(UsageError, match="'windy' is not a weather"):
        process.start(home, weather="windy")


def test_a_relative_home_is_the_same_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.parent)
    cloud = process.start(Path("home"))

    assert process.find(home) == cloud
    assert process.stop(Path("home"))


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LabError, match="cannot be written: Not a directory") as error:
        process.start(tmp_path / "file" / "home")
    assert "LABKIT_HOME" in error.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_named(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(LabError, match="cannot be written: Permission denied"):
        process.start(home)
    home.chmod(0o700)


def test_a_server_that_cannot_start_says_why(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'ImportError: no such thing' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))

    with pytest.raises(LabError, match="ended while it started: ImportError: no such thing"):
        process.start(home)
    assert remains(home) == []


def test_a_cloud_that_fails_its_self_test_is_stopped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise LabError("It answered 401 to a good token.", "Install it again.")

    monkeypatch.setattr(selftest, "check", fail)

    with pytest.raises(LabError, match="401"):
        process.start(home)
    assert processes(home) == []
    assert remains(home) == []


def test_the_environment_of_the_caller_does_not_matter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("GATEWAY_PORT", "1")
    monkeypatch.setenv("USE_SSL", "1")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")

    cloud = process.start(home)

    server = psutil.Process(cloud.pid).environ()
    assert not {"HTTP_PROXY", "AWS_PROFILE", "USE_SSL", "PYTHONPATH"} & server.keys()
    assert json.loads((home / "cloud.json").read_text())["port"] == cloud.port
