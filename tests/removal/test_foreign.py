"""What is not the lab's survives its removal, byte for byte as the API shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labkit.cloud import process
from labkit.cloud.session import session
from labkit.lab import Lab
from labkit.target.names import FUNCTIONS
from tests.labs import Refusal, change_answers, lab_at
from tests.removal import decoys
from tests.removal.account import Client, everything, of_lab

LOOKS_LIKE_IT = "it bears a name of this lab, but not its tag"


def test_whatever_looks_like_a_lab_survives_its_removal(lab: Lab, home: Path, client: Client) -> None:
    name = lab.settings.name
    for tags in ({}, decoys.ANOTHER_LABS):
        decoys.user_pool(client, f"{name}-users", tags)
        decoys.api(client, f"{name}-JWTAuth", tags)
    decoys.user_pool(client, f"{name}-users-2")
    decoys.api(client, f"{name}-JWTAuth-2")
    role = decoys.role(client, f"{name}-LambdaForAdminUser-us-east-1-2")
    decoys.function(client, f"{name}-LambdaForAdminUser-2", role)
    decoys.log_group(client, f"/aws/lambda/{name}-LambdaForAdminUser-2")
    decoys.log_group(client, f"/aws/lambda/{name}-resize-images")
    lab_at(home, f"{name}-2").up()
    before = everything(client)

    lab.up()
    receipt = lab.down()

    assert everything(client) == before
    assert receipt.clean
    assert [(left.kind, left.name, left.why, left.ours) for left in receipt.left] == [
        ("HTTP API", f"{name}-JWTAuth", LOOKS_LIKE_IT, False),
        ("HTTP API", f"{name}-JWTAuth", LOOKS_LIKE_IT, False),
        ("user pool", f"{name}-users", LOOKS_LIKE_IT, False),
        ("user pool", f"{name}-users", LOOKS_LIKE_IT, False),
    ]
    lab_at(home, f"{name}-2").down()


@pytest.mark.parametrize("tags", [{}, decoys.ANOTHER_LABS], ids=["no tag", "another lab's tag"])
def test_what_took_a_name_of_the_labs_survives_its_removal(tags: dict[str, str], lab: Lab, client: Client) -> None:
    lab.up()
    name = lab.settings.name
    replace_by_somebody_elses(client, f"{name}-LambdaForRegularUser", tags)
    before = everything(client)

    receipt = lab.down()

    after = everything(client)
    assert of_lab(after, name) == {"function": 1, "permission": 1, "role": 1, "role policy": 1, "log group": 1}
    assert after.items() <= before.items()
    assert receipt.clean
    assert [(left.kind, left.name, left.why, left.ours) for left in receipt.left] == [
        ("function", f"{name}-LambdaForRegularUser", LOOKS_LIKE_IT, False),
        ("role", f"{name}-LambdaForRegularUser-us-east-1", LOOKS_LIKE_IT, False),
        ("log group", f"/aws/lambda/{name}-LambdaForRegularUser", LOOKS_LIKE_IT, False),
    ]


def replace_by_somebody_elses(client: Client, name: str, tags: dict[str, str]) -> None:
    client("lambda").delete_function(FunctionName=name)
    client("iam").delete_role_policy(RoleName=f"{name}-us-east-1", PolicyName="write-own-logs")
    client("iam").delete_role(RoleName=f"{name}-us-east-1")
    client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")
    decoys.function(client, name, decoys.role(client, f"{name}-us-east-1", tags), tags)
    decoys.log_group(client, f"/aws/lambda/{name}", tags)


def test_a_role_that_somebody_elses_function_uses_is_left_and_reported(lab: Lab, client: Client) -> None:
    lab.up()
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    decoys.function(client, "shares-our-role", client("iam").get_role(RoleName=role)["Role"]["Arn"])
    before = everything(client)

    receipt = lab.down()

    after = everything(client)
    assert after.items() <= before.items()
    assert of_lab(after, lab.settings.name) == {"role": 1, "role policy": 1}
    assert of_lab(after, "shares") == {"function": 1, "permission": 1}
    assert not receipt.clean
    assert [(left.kind, left.name, left.why, left.ours) for left in receipt.left] == [
        ("role", role, "somebody else's function runs with it: shares-our-role", True),
        ("role policy", f"write-own-logs of {role}", "the second scan found it by its parent", True),
    ]

    client("lambda").delete_function(FunctionName="shares-our-role")
    assert lab.down().clean
    assert of_lab(everything(client), lab.settings.name) == {}


def test_a_role_that_a_function_of_another_region_uses_is_left(lab: Lab, home: Path, client: Client) -> None:
    """Roles are global: a function anywhere may run with the lab's."""
    lab.up(through="functions")
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    west = session(process.start(home), "us-west-2").client
    decoys.function(west, "far-away", client("iam").get_role(RoleName=role)["Role"]["Arn"])

    receipt = lab.down()

    assert not receipt.clean
    assert [(left.name, left.why) for left in receipt.left if left.kind == "role"] == [
        (role, "somebody else's function runs with it: far-away in us-west-2")
    ]
    west("lambda").delete_function(FunctionName="far-away")
    assert lab.down().clean


def test_a_region_that_refuses_to_list_its_functions_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An organisation closes regions; what ran there before would miss its role. One that is not enabled has none."""
    lab.up(through="functions")
    refusals = {"eu-north-1": "AccessDeniedException", "us-west-2": "AccessDeniedException"}
    refusals["af-south-1"] = "UnrecognizedClientException"
    place = type(lab.target.place)
    make = place.client

    def client_of(self: Any, service: str, region: str | None = None) -> Any:
        made = make(self, service, region)
        if service == "lambda" and region in refusals:
            answer = Refusal(refusals[region], "not here", 403).response(made)
            made.meta.events.register("before-send.lambda.ListFunctions", lambda **_: answer)
        return made

    monkeypatch.setattr(place, "client", client_of)
    monkeypatch.setattr(place, "function_regions", lambda place: place.session.get_available_regions("lambda"))

    receipt = lab.down()

    assert receipt.clean
    assert [(left.kind, left.id, left.ours) for left in receipt.left] == [("function", "eu-north-1, us-west-2", False)]
    assert len([each for each in receipt.removed if each.kind == "role"]) == len(FUNCTIONS)


def test_a_role_that_only_a_published_version_uses_is_left(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    arn = client("iam").get_role(RoleName=role)["Role"]["Arn"]
    asked: list[object] = []

    def add_version(answer: dict[str, Any]) -> None:
        answer["Functions"].append({"FunctionName": "published", "Version": "1", "Role": arn})

    events = lab.target.client("lambda").meta.events
    events.register("provide-client-params.lambda.ListFunctions", lambda params, **_: asked.append(params))
    change_answers(lab.target, "lambda", "ListFunctions", add_version)

    plan = lab.plan_removal()

    assert asked == [{"FunctionVersion": "ALL"}]
    assert [(left.name, left.why) for left in plan.left] == [(role, "somebody else's function runs with it: published")]
    lab_at(lab.settings.home, lab.settings.name).down()


def test_what_feeds_a_function_of_the_labs_goes_with_it(lab: Lab, client: Client) -> None:
    """AWS keeps an event source mapping whose function is deleted."""
    lab.up(through="functions")
    name = f"{lab.settings.name}-LambdaForAdminUser"
    mapping = decoys.event_source(client, name)

    receipt = lab.down()

    assert [(gone.name, gone.id) for gone in receipt.removed if gone.kind == "event source mapping"] == [
        (f"events for {name}", mapping)
    ]
    assert receipt.left == ()
    assert client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_what_feeds_a_function_that_was_deleted_before_goes_too(lab: Lab, client: Client) -> None:
    lab.up(through="functions")
    name = f"{lab.settings.name}-LambdaForAdminUser"
    mapping = decoys.event_source(client, name)
    client("lambda").delete_function(FunctionName=name)

    assert [gone.id for gone in lab.down().removed if gone.kind == "event source mapping"] == [mapping]


def test_what_feeds_somebody_elses_function_of_that_name_is_left(lab: Lab, client: Client) -> None:
    name = f"{lab.settings.name}-LambdaForAdminUser"
    decoys.function(client, name, decoys.role(client, f"theirs-{name}", path="/"))
    mapping = decoys.event_source(client, name)

    receipt = lab.down()

    assert receipt.clean
    assert [left.kind for left in receipt.left] == ["function"]
    client("lambda").delete_event_source_mapping(UUID=mapping)


def test_what_is_left_is_told_with_all_that_it_takes_to_find_it(lab: Lab, client: Client) -> None:
    pool = decoys.user_pool(client, f"{lab.settings.name}-users")

    receipt = lab.down()

    assert receipt.clean
    for told in (receipt.text(), receipt.html(), lab.plan_removal().text()):
        assert all(word in told for word in ("user pool", f"{lab.settings.name}-users", pool, "us-east-1"))


def test_a_role_of_that_name_on_another_path_is_told(lab: Lab, client: Client) -> None:
    role = f"{lab.settings.name}-LambdaForAdminUser-us-east-1"
    decoys.role(client, role, path="/")

    receipt = lab.down()

    assert receipt.clean
    assert [(left.kind, left.name, left.ours) for left in receipt.left] == [("role", role, False)]
