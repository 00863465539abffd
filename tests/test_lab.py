"""One learner's lab: built once, found again, rebuilt when its cloud is lost, and taken away without a trace."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests
from filelock import FileLock

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.steps import STEPS
from labkit.target.journal import forget_embedded
from labkit.tokens.token import decode
from tests.cloud.homes import processes, wait_until
from tests.labs import NAME_A_STEP, STEP_NAMES, Calls, lab_at, settings_report, standing
from tests.removal.account import WHOLE_LAB, everything, of_lab


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder of a cloud of its own, which the test may kill."""
    path = tmp_path / "home"
    yield path
    process.stop(path)


def test_up_builds_every_step_and_status_finds_it(new_lab: Callable[..., Lab], warm_cloud: Cloud) -> None:
    lab = new_lab()
    assert standing(lab.status()) == []

    built = lab.up()

    told = built.to_dict()
    happened = [(step["name"], step.pop("happened")) for step in told["steps"]]
    assert [step for step, deeds in happened if {deed["done"] for deed in deeds} == {"created"}] == STEP_NAMES
    assert told == {**lab.status().to_dict(), "steps": told["steps"]}
    assert standing(lab.status()) == STEP_NAMES
    assert {key: told[key] for key in ("target", "account", "region", "name")} == {
        "target": "embedded",
        "account": warm_cloud.account_id,
        "region": "us-east-1",
        "name": lab.settings.name,
    }
    assert told["api_url"] == f"{warm_cloud.endpoint_url}/_aws/execute-api/{told['api_id']}"
    assert told["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{told['user_pool_id']}"
    assert [(step["name"], step["found"]) for step in told["steps"]] == [(name, True) for name in STEP_NAMES]
    assert of_lab(everything(session(warm_cloud, "us-east-1").client), lab.settings.name) == WHOLE_LAB


def test_the_module_that_is_taken_for_a_lab_says_how_to_open_one() -> None:
    module = importlib.import_module("labkit.lab")
    for verb in ("up", "check", "predict", "tokens", "doctor"):
        with pytest.raises(UsageError, match=r"lab = Lab\.open\(\)"):
            getattr(module, verb)
    assert not hasattr(module, "up")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing


def test_up_through_a_step_stops_there(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()

    status = lab.up(through="user-pool")

    assert standing(status) == ["functions", "user-pool"]
    assert status.to_dict()["api_id"] is None
    assert "functions   created" in status.text()
    assert "http-api    missing" in status.text()


def test_a_step_is_built_with_what_it_needs(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()

    assert lab.ensure("http-api").found
    assert standing(lab.status()) == ["functions", "http-api"]
    built = lab.ensure("authorizer")
    assert built.found
    assert [deed.name for deed in built.happened][:2] == [lab.target.names.user_pool, lab.target.names.app_client]
    assert "authorizer      JWTAuth           created" in built.text()
    assert standing(lab.status()) == ["functions", "user-pool", "http-api", "authorizer"]


def test_what_a_step_needs_and_has_is_not_built_again(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up(through="functions")
    calls = Calls(lab.target)

    lab.ensure("http-api")

    assert "CreateFunction" not in calls.writes


@pytest.mark.parametrize("verb", ["up", "ensure", "find", "check", "commands"])
def test_an_unknown_step_is_named(verb: str, home: Path) -> None:
    lab = lab_at(home, "jwt-lab")

    with pytest.raises(UsageError) as error:
        getattr(lab, verb)("functionz")
    assert not home.exists()

    assert error.value.problem == "The lab has no step 'functionz'."
    assert error.value.remedy == NAME_A_STEP


def test_looking_starts_no_cloud_and_makes_no_folder(home: Path) -> None:
    lab = lab_at(home, "jwt-lab")

    assert lab.status().to_dict()["account"] is None
    for look in (lab.check, lab.plan_removal, lab.down, lambda: lab.tokens("adminuser"),
                 lambda: lab.password("adminuser"), lambda: lab.call("GET /AdminUser")):  # fmt: skip
        with pytest.raises(LabError) as error:
            look()
        assert str(error.value) == "There is no lab. Begin with chapter 01, or build all of it: labkit up"

    assert not home.exists()


def test_a_cloud_without_a_lab_has_none(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()

    for look in (lab.tokens, lab.password):
        with pytest.raises(LabError, match=r"There are no users yet\. Build them: labkit up --through user-pool$"):
            look("adminuser")
    for ask in (lab.call, lab.explain):
        match = r"There is no HTTP API of this lab: .* Build it: labkit up --through http-api$"
        with pytest.raises(LabError, match=match):
            ask("GET /AdminUser")
    with pytest.raises(LabError, match=r"does not exist yet\. Build it: labkit up --through functions$"):
        lab.invoke("LambdaForAdminUser", {})
    for step in STEPS:
        assert {finding.remedy for finding in lab.check(step.name).findings} == {f"labkit up --through {step.name}"}

    assert not lab.check().passed


def kill(cloud: Cloud, home: Path) -> None:
    os.kill(cloud.pid, signal.SIGKILL)
    wait_until(lambda: not processes(home))


def test_a_lab_whose_cloud_was_killed_is_built_again_as_far_as_it_was(home: Path) -> None:
    told: list[str] = []
    lab = lab_at(home, "jwt-lab", told=told)
    lab.ensure("http-api")
    lab.ensure("user-pool")
    before = lab.status().ids
    kill(process.start(home), home)

    after = lab.status()

    assert told == ["The embedded cloud was gone, and the lab with it. Building it again through http-api."]
    assert standing(after) == ["functions", "user-pool", "http-api"]
    assert after.ids["user_pool_id"] != before["user_pool_id"]
    assert lab.tokens("adminuser")["id"]
    assert lab_at(home, "jwt-lab", told=told).status().ids == after.ids
    assert len(told) == 1


def test_a_rebuilding_that_was_broken_off_is_completed_by_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab_at(home, "jwt-lab").up()
    kill(process.start(home), home)
    broken = lab_at(home, "jwt-lab")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("labkit.steps.user_pool.ensure_user", stop)
        with pytest.raises(KeyboardInterrupt):
            broken.status()

    lab = lab_at(home, "jwt-lab")
    lab.up()
    assert lab.check().findings == ()


def test_a_lab_of_a_cloud_that_was_stopped_on_purpose_is_gone(home: Path) -> None:
    lab_at(home, "jwt-lab").up(through="functions")
    process.stop(home)
    forget_embedded(home)

    assert lab_at(home, "jwt-lab").status().to_dict()["account"] is None
    assert processes(home) == []


def test_what_hinders_the_rebuilding_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab_at(home, "jwt-lab").up(through="functions")
    kill(process.start(home), home)
    lab = lab_at(home, "jwt-lab", runtime="nodejs22.x")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(LabError, match=r"LABKIT_RUNTIME asks for Node\.js, but none is installed"):
        lab.check()


def test_without_node_nothing_is_written_for_it(new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    lab = new_lab(runtime="nodejs22.x")
    calls = Calls(lab.target)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(LabError) as error:
        lab.up()

    assert error.value.problem == "LABKIT_RUNTIME asks for Node.js, but none is installed."
    assert error.value.remedy == "Install Node.js 18 or newer, or unset LABKIT_RUNTIME to use Python."
    assert calls.writes == []


@pytest.mark.node
@pytest.mark.usefixtures("node")
def test_a_lab_changes_its_runtime_in_place(new_lab: Callable[..., Lab], warm_home: Path) -> None:
    python = new_lab()
    before = python.up().ids
    lab = lab_at(warm_home, python.settings.name, runtime="nodejs22.x")
    assert {finding.step for finding in settings_report(lab).findings} == {"functions"}
    calls = Calls(lab.target)

    after = lab.up().ids

    assert Counter(calls.writes) == {"UpdateFunctionConfiguration": 3, "UpdateFunctionCode": 3}
    assert after == before
    assert lab.check().findings == ()


def test_two_labs_in_one_cloud_share_nothing(home: Path) -> None:
    client = session(process.start(home), "us-east-1").client
    stays, goes = lab_at(home, "jwt-lab"), lab_at(home, "jwt-lab-2")
    stays.up()
    before = everything(client)
    ids, password = stays.status().ids, stays.password("adminuser")
    goes.up()
    assert set(goes.status().ids.values()).isdisjoint(ids.values())
    assert goes.password("adminuser") != password

    goes.down()

    assert everything(client) == before
    assert stays.status().ids == ids
    assert stays.password("adminuser") == password
    assert stays.check().findings == ()


def workers(cloud: Cloud) -> int:
    """The Lambda workers of a cloud."""
    return len(psutil.Process(cloud.pid).children(recursive=True))


def test_down_leaves_no_resource_no_worker_and_no_file(home: Path) -> None:
    cloud = process.start(home)
    client = session(cloud, "us-east-1").client
    empty = everything(client)
    lab = lab_at(home, "jwt-lab")
    lab.up()
    assert lab.check().findings == ()
    assert workers(cloud) == 3

    lab.down()

    assert everything(client) == empty == {}
    wait_until(lambda: workers(cloud) == 0)
    assert not lab.target.folder.exists()
    assert standing(lab.status()) == []
    assert lab.down().to_dict()["removed"] == []


def test_down_forgets_the_lab_for_the_next_cloud(home: Path) -> None:
    lab = lab_at(home, "jwt-lab")
    lab.up(through="functions")
    lab.down()
    kill(process.start(home), home)

    assert lab_at(home, "jwt-lab").status().to_dict()["account"] is None
    assert processes(home) == []


def test_a_lab_is_built_again_after_down(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up()
    lab.down()

    lab.up()

    assert lab.check().findings == ()


def test_two_at_once_build_one_lab(new_lab: Callable[..., Lab], warm_home: Path, warm_cloud: Cloud) -> None:
    name = new_lab().settings.name
    problems: list[BaseException] = []

    def build() -> None:
        try:
            lab_at(warm_home, name).up()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert of_lab(everything(session(warm_cloud, "us-east-1").client), name) == WHOLE_LAB


def test_a_lab_that_another_labkit_changes_is_left_to_it(
    new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.target.target.PATIENCE", 0)
    lab = new_lab()
    lab.target.folder.mkdir(parents=True)

    with FileLock(lab.target.folder / "lock"), pytest.raises(LabError) as error:
        lab.up()

    assert str(error.value) == "Another labkit is changing this lab. Let it finish, then repeat this."


def test_a_folder_that_cannot_be_written_is_named(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    (lab.target.folder / "lock").mkdir(parents=True)

    with pytest.raises(LabError, match=r"cannot be written: .*\. Free some space or mend the permissions"):
        lab.up()


def test_an_unknown_user_is_named(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    for look in (lab.tokens, lab.password, lambda user: lab.call("GET /AdminUser", user)):
        with pytest.raises(UsageError) as error:
            look("admin")
        assert str(error.value) == "The lab has no user 'admin'. Name one of: adminuser, regularuser."


def test_an_unknown_group_is_named(new_lab: Callable[..., Lab]) -> None:
    with pytest.raises(UsageError) as error:
        new_lab().add_to_group("adminuser", "admins")
    assert str(error.value) == "The lab has no group 'admins'. Name one of: admin, regular."


def test_the_environment_of_a_lab(new_lab: Callable[..., Lab], warm_cloud: Cloud) -> None:
    lab = new_lab()
    where = {
        "AWS_ENDPOINT_URL": warm_cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": warm_cloud.access_key_id,
        "AWS_SECRET_ACCESS_KEY": warm_cloud.secret_access_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    assert where.items() <= lab.environment().items()
    assert not {"API_URL", "USER_POOL_ID", "APP_CLIENT_ID"} & lab.environment().keys()
    with pytest.raises(LabError, match=r"no USER_POOL_ID now, but AWS_.*labkit up"):
        lab.environment()["USER_POOL_ID"]

    ids = lab.up().ids

    named = {"API_URL": "api_url", "USER_POOL_ID": "user_pool_id", "APP_CLIENT_ID": "app_client_id"}
    assert where.items() <= lab.environment().items()
    assert {name: lab.environment()[name] for name in named} == {name: ids[key] for name, key in named.items()}
    keys = requests.get(lab.environment()["JWKS_URL"], timeout=10).json()["keys"]
    assert decode(lab.tokens("adminuser")["id"]).header["kid"] in [key["kid"] for key in keys]
    assert lab.public_keys().keys() == {key["kid"] for key in keys}


def test_no_secret_is_in_what_is_shown_or_kept(new_lab: Callable[..., Lab], warm_cloud: Cloud) -> None:
    lab = new_lab()
    shown = [lab.up(), lab.check(), lab.call("GET /AdminUser", "adminuser"), lab, lab.target]
    shown += [lab.commands(step) for step in STEP_NAMES]
    shown += [lab.find(step) for step in STEP_NAMES]
    secrets = [lab.password(user) for user in ("adminuser", "regularuser")]
    secrets += [part for token in lab.tokens("adminuser").values() for part in token.split(".") if len(part) > 40]
    secrets.append(warm_cloud.secret_access_key)

    said = "\n".join(
        [repr(thing) + str(getattr(thing, "html", str)()) + str(getattr(thing, "to_dict", str)()) for thing in shown]
        + [path.read_text() for path in lab.target.folder.iterdir() if path.name != "passwords.json"]
    )

    assert len(secrets) > 8
    assert [secret for secret in secrets if secret in said] == []


def test_no_secret_is_in_an_error(new_lab: Callable[..., Lab], warm_cloud: Cloud) -> None:
    lab = new_lab()
    lab.up()
    password = lab.password("adminuser")
    lab.target.client("cognito-idp").admin_set_user_password(
        UserPoolId=lab.status().ids["user_pool_id"], Username="adminuser", Password="Some.other.1", Permanent=True
    )

    with pytest.raises(LabError) as refused:
        lab.tokens("adminuser")
    with pytest.raises(LabError) as unsendable:
        lab.call("GET /AdminUser", token="a.b.c\nd")

    for error in (refused.value, unsendable.value):
        for secret in (password, "a.b.c", warm_cloud.secret_access_key):
            assert secret not in f"{error} {error!r} {error.to_dict()}"
