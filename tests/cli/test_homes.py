"""Every command in homes that are not labkit's alone: furnished, planted by another user, open, shared by a group."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import typer

from labkit.cli.main import app
from labkit.cloud import process
from tests.cloud.homes import processes

Run = Callable[..., tuple[int, str, str]]

INSTANCE = "0123456789abcdef"
LOOKS = {
    "status": ["status"],
    "status of a class": ["status", "--roster", "ROSTER"],
    "check": ["check"],
    "down --dry-run": ["down", "--dry-run"],
    "token": ["token", "adminuser"],
    "password": ["password", "adminuser"],
    "call": ["call", "GET /AdminUser"],
    "explain": ["explain", "a.b.c"],
    "decode": ["decode", "a.b.c"],
    "labs": ["labs"],
    "template": ["template"],
    "commands": ["commands"],
    "source": ["source", "LambdaForAdminUser"],
    "cloud status": ["cloud", "status"],
    "preflight": ["preflight", "--roster", "ROSTER"],
    "reset": ["reset", "--roster", "ROSTER"],
    "report": ["report", "--roster", "ROSTER"],
    "cloud class status": ["cloud", "class", "status"],
    "cloud class roster": ["cloud", "class", "roster"],
    "progress": ["progress"],
    "symptom": ["symptom"],
    "cause": ["cause"],
    "mended": ["mended"],
}
CHANGES = {
    "down": ["down"],
    "break": ["break"],
    "package": ["package", "LambdaForAdminUser"],
    "cloud stop": ["cloud", "stop"],
    "cloud class stop": ["cloud", "class", "stop"],
}
STARTS = {
    "up": ["up", "--through", "functions"],
    "goto": ["goto", "functions"],
    "env": ["env"],
    "doctor": ["doctor"],
    "demo": ["demo"],
    "cloud start": ["cloud", "start"],
    "cloud class start": ["cloud", "class", "start", "1"],
}
ALL = LOOKS | CHANGES | STARTS
NEEDS_A_LAB = {"down", "break"}
# Writes into the checkout: tests/learning/test_copy.py.
ELSEWHERE = {("chapters",)}
FOREIGN = {
    "cloud.json": '{"provider": "of something else"}',
    "cloud-backup/2026/notes.txt": "mine",
    "cloud-/notes.txt": "mine",
    f"cloud-{INSTANCE}/notes.txt": "named as ours, and not marked",
    f"cloud-{INSTANCE[:-1]}/labkit-cloud.json": f'"cloud-{INSTANCE[:-1]}"',
    f"cloud-{INSTANCE[::-1]}/labkit-cloud.json": '"cloud-of-another-name"',
    "cloudy.txt": "mine",
    "labs/README": "mine",
    "labs/embedded/thesis/journal.json": '{"dear": "diary"}',
    "labs/embedded/jwt-lab/notes.txt": "mine",
    "labs/embedded/Thesis 1/journal.json": '{"place": "named as no lab is"}',
    "rehearsal/roster.csv": "mine",
    "rehearsal/111100000001/slides.txt": "mine",
    "packages/own.zip": "mine",
    "resets/notes/run.txt": "mine",
}


def names(group: typer.Typer, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the command line, as the words that call it."""
    for command in group.registered_commands:
        assert command.callback
        yield (*before, command.name or command.callback.__name__)
    for inner in group.registered_groups:
        assert inner.typer_instance
        yield from names(inner.typer_instance, (*before, str(inner.name)))


def test_no_command_is_left_out() -> None:
    tried = [tuple(words) for words in ALL.values()]
    others = set(names(app)) - ELSEWHERE
    assert [name for name in others if not any(words[: len(name)] == name for words in tried)] == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that is there, the environment of a command that works in it, and a roster beside it."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    (tmp_path / "class.csv").write_text("attendee,account,region\nana,111122223333,us-east-1\n")
    monkeypatch.setenv("LABKIT_HOME", str(path))
    yield path
    for folder in (path, *path.glob("rehearsal/*")):
        process.stop(folder)
        assert processes(folder) == []


def words_of(command: str, home: Path) -> list[str]:
    """The words of a command, with a roster that exists."""
    return [word.replace("ROSTER", str(home.parent / "class.csv")) for word in ALL[command]]


def furnish(home: Path, files: dict[str, str]) -> None:
    """Put files into a home."""
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)


def furniture(home: Path, files: dict[str, str]) -> dict[str, tuple[str, int]]:
    """What is there of these files: each with its text and its mode."""
    there = (name for name in files if (home / name).is_file())
    return {name: ((home / name).read_text(), (home / name).stat().st_mode) for name in there}


@pytest.fixture
def worker(home: Path) -> Iterator[Callable[[str], psutil.Process]]:
    """Starts a process of the user's own that works in a folder of the home."""
    started = []

    def start(folder: str) -> psutil.Process:
        started.append(subprocess.Popen(["sleep", "600"], cwd=home / folder))
        return psutil.Process(started[-1].pid)

    yield start
    for each in started:
        each.kill()
        each.wait()


@pytest.mark.parametrize("command", ALL)
def test_a_furnished_home_stays_as_it_is(
    command: str, labkit: Run, home: Path, worker: Callable[[str], psutil.Process]
) -> None:
    furnish(home, FOREIGN)
    before = furniture(home, FOREIGN)
    busy = [worker("cloud-backup"), worker(f"cloud-{INSTANCE}")]

    code, out, err = labkit(*words_of(command, home))

    assert furniture(home, FOREIGN) == before
    assert all(each.is_running() for each in busy)
    assert "Traceback" not in err
    if command in STARTS:
        assert (code, "is in the way: labkit did not write it" in err + out) == (1, True)


@pytest.mark.parametrize("command", [*STARTS, *CHANGES])
def test_what_stands_beside_a_running_cloud_stays_as_it_is(
    command: str, labkit: Run, home: Path, worker: Callable[[str], psutil.Process]
) -> None:
    in_the_way = ("cloud.json", "rehearsal/roster.csv")
    files = {name: text for name, text in FOREIGN.items() if name not in in_the_way}
    furnish(home, files)
    before = furniture(home, files)
    if command in CHANGES:
        process.start(home)
    busy = [worker("cloud-backup"), worker(f"cloud-{INSTANCE}")]

    code, _, err = labkit(*words_of(command, home))
    labkit("cloud", "stop")

    assert (code, "Traceback" in err) == (int(command == "break"), False)  # there is no lab to break
    assert furniture(home, files) == before
    assert all(each.is_running() for each in busy)


@pytest.mark.parametrize("command", LOOKS)
def test_looking_deletes_nothing_that_a_killed_cloud_left(command: str, labkit: Run, home: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    files = planted(1, ended.pid)
    furnish(home, files)
    before = furniture(home, files)

    labkit(*words_of(command, home))

    assert furniture(home, files) == before


def test_who_starts_a_cloud_or_stops_one_sweeps(labkit: Run, home: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    for command in ("up", "cloud start", "cloud stop"):
        furnish(home, planted(1, ended.pid))
        assert labkit(*words_of(command, home))[0] == 0
        assert not (home / f"cloud-{INSTANCE}").exists()
        process.stop(home)


class Trap(http.server.BaseHTTPRequestHandler):
    """A server that claims to be a cloud, and remembers whatever it is asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"instance": INSTANCE}).encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def trap() -> Iterator[type[Trap]]:
    """A trap that listens on a port of its own."""
    kind = type("OneTrap", (Trap,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.port = server.server_port  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield kind
    server.shutdown()
    server.server_close()


def planted(port: int, pid: int) -> dict[str, str]:
    """What somebody puts into a home to be taken for its cloud."""
    cloud = {
        "pid": pid,
        "port": port,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "account_id": "111122223333",
        "access_key_id": "AKIA",
        "secret_access_key": "x",
        "instance": INSTANCE,
        "started": 0,
    }
    return {
        "cloud.json": json.dumps(cloud),
        f"cloud-{INSTANCE}/labkit-cloud.json": f'"cloud-{INSTANCE}"',
        f"cloud-{INSTANCE}/log": "",
    }


def give_away(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make paths another user's: where we may not, become another user than we are, as far as labkit can see."""
    if os.geteuid():
        another = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: another)
    for path in paths:
        os.chown(path, 65_534 if os.geteuid() == 0 else -1, -1, follow_symlinks=False)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("command", ALL)
def test_a_planted_home_is_not_believed(
    command: str,
    own: bool,
    labkit: Run,
    home: Path,
    worker: Callable[[str], psutil.Process],
    trap: type[Trap],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = f"cloud-{INSTANCE}"
    (home / folder).mkdir()
    victim = worker(folder)
    files = planted(trap.port, victim.pid)  # type: ignore[attr-defined]
    furnish(home, files)
    before = furniture(home, files)
    if not own:  # as if it came in an archive that the user unpacked, or by another user's hand
        give_away([*home.rglob("*")], monkeypatch)

    _, out, err = labkit(*words_of(command, home))

    assert trap.asked == []
    assert victim.is_running()
    assert victim.status() != psutil.STATUS_ZOMBIE
    assert str(trap.port) not in out + err  # type: ignore[attr-defined]
    if not own:
        assert furniture(home, files) == before
    (home / "cloud.json").unlink(missing_ok=True)


@pytest.mark.parametrize("kept", ["labs", "packages", "progress", "rehearsal", "resets"])
@pytest.mark.parametrize("command", [name for name in ALL if name != "decode"])
def test_a_folder_of_another_user_in_the_place_of_labkits_is_refused(
    command: str, kept: str, labkit: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / kept).mkdir(mode=0o777)
    give_away([home / kept], monkeypatch)

    code, _, err = labkit(*words_of(command, home))

    assert (code, err.splitlines()[0]) == (1, f"{home / kept} belongs to another user of this machine.")
    assert [path.name for path in home.rglob("*")] == [kept]


@pytest.mark.parametrize("bits", [0o777, 0o1777])
@pytest.mark.parametrize("command", [name for name in ALL if name != "decode"])
def test_a_home_that_is_open_to_everybody_is_refused(command: str, bits: int, labkit: Run, home: Path) -> None:
    home.chmod(bits)

    code, _, err = labkit(*words_of(command, home))
    home.chmod(0o700)

    assert (code, err.splitlines()[0]) == (1, f"Everybody on this machine may write to {home}.")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("command", [name for name in ALL if name != "demo"])
def test_a_groups_home_is_as_good_as_ones_own(command: str, labkit: Run, home: Path) -> None:
    if os.geteuid() == 0:
        os.chown(home, 65_534, 65_534)
    home.chmod(0o2775)

    code, _, err = labkit(*words_of(command, home))
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    labkit("cloud", "stop")

    assert not {"belongs", "permissions", "Traceback"} & set(err.split())
    assert set(modes.values()) <= {0o700, 0o600}
    if command in STARTS | CHANGES and command not in NEEDS_A_LAB:
        assert code == 0
    assert home.stat().st_mode & 0o7777 == 0o2775
