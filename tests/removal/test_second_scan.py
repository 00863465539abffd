"""The second scan finds what the plan may have missed, by other ways than the plan's."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from labkit.cloud import process
from labkit.lab import Lab
from labkit.removal import second_scan as leftovers
from labkit.removal.removal import remove_lab
from labkit.removal.second_scan import scan
from labkit.settings import Settings
from labkit.steps import STEPS
from tests.aws_account import play
from tests.labs import Calls, Clock, Refusal, change_answers, lab_at, refuse
from tests.removal import decoys
from tests.removal.account import WHOLE_LAB, Client, everything, of_lab


def found(lab: Lab) -> set[tuple[str, str, str, bool]]:
    told = r"the second scan found it by its ([\w' ]+)"
    return {(left.kind, left.name, re.match(told, left.why)[1], left.ours) for left in scan(lab.target)}


def test_nothing_is_found_where_nothing_is(lab: Lab) -> None:
    assert scan(lab.target) == ()


def test_everything_of_a_standing_lab_is_found(lab: Lab) -> None:
    lab.up()
    name = lab.settings.name

    assert found(lab) == {
        ("HTTP API", f"{name}-JWTAuth", "tag", True),
        ("user pool", f"{name}-users", "tag", True),
        ("hosted domain", f"{name}-users", "parent", True),
        *(("function", f"{name}-{function}", "tag", True) for function in FUNCTIONS),
        *(("role", f"{name}-{function}-us-east-1", "tag", True) for function in FUNCTIONS),
        *(("role policy", f"write-own-logs of {name}-{function}-us-east-1", "parent", True) for function in FUNCTIONS),
        *(("log group", f"/aws/lambda/{name}-{function}", "tag", True) for function in FUNCTIONS),
    }
    lab.down()


FUNCTIONS = ("Pre-tokenAuthLambda", "LambdaForAdminUser", "LambdaForRegularUser")


def test_what_only_a_tag_reveals_is_found(lab: Lab, client: Client) -> None:
    name, tags = lab.settings.name, {"jwt-authorizer-lab": lab.settings.name}
    role = decoys.role(client, f"{name}-renamed", tags)
    decoys.api(client, "renamed-api", tags)
    decoys.user_pool(client, "renamed-pool", tags, domain=f"renamed-{name}")
    decoys.function(client, "renamed-function", role, tags)
    decoys.log_group(client, "/renamed/group", tags)
    before = everything(client)

    receipt = lab.down()

    assert found(lab) == {
        ("HTTP API", "renamed-api", "tag", True),
        ("user pool", "renamed-pool", "tag", True),
        ("hosted domain", "renamed-pool", "parent", True),
        ("function", "renamed-function", "tag", True),
        ("role", f"{name}-renamed", "tag", True),
        ("role policy", f"write-own-logs of {name}-renamed", "parent", True),
        ("log group", "/renamed/group", "tag", True),
    }
    assert {(left.kind, left.name, left.ours) for left in receipt.left} == {
        (kind, left_name, True) for kind, left_name, _, _ in found(lab)
    }
    assert not receipt.clean
    assert everything(client) == before


@pytest.mark.parametrize("name", ["{}-renamed", "mine"])
def test_each_thing_under_a_name_of_its_own_comes_with_the_command_that_deletes_it(
    name: str, lab: Lab, client: Client
) -> None:
    tags, own = {"jwt-authorizer-lab": lab.settings.name}, name.format(lab.settings.name)
    role = decoys.role(client, own, tags)
    policy = decoys.policy(client, f"of-{lab.settings.name}-{len(name)}")
    client("iam").attach_role_policy(RoleName=own, PolicyArn=policy)
    decoys.api(client, own, tags)
    decoys.user_pool(client, own, tags, domain=f"own-{lab.settings.name}")
    decoys.function(client, own, role, tags)
    decoys.log_group(client, f"/own/{own}", tags)
    before = everything(client)

    receipt = lab.down()

    assert everything(client) == before
    assert len(receipt.left) == 8
    assert all(left.ours for left in receipt.left)
    for left in receipt.left:
        paste(client, left.why.split("; to delete it: ")[1])
    assert lab.down().left == ()
    client("iam").delete_policy(PolicyArn=policy)


def paste(client: Client, line: str) -> None:
    """Make the call of a line of the AWS CLI, as it stands."""
    aws, service, operation, *options = line.split()
    assert aws == "aws"
    api = client(service)
    shapes = {xform_name(shape, "-"): shape for shape in api.meta.service_model.operation_names}
    members = api.meta.service_model.operation_model(shapes[operation]).input_shape.members
    named = {f"--{xform_name(member, '-')}": member for member in members}
    given = dict(zip(options[::2], options[1::2], strict=True))
    getattr(api, operation.replace("-", "_"))(**{named[option]: value for option, value in given.items()})


def test_what_only_a_name_reveals_is_found_and_is_not_called_the_labs(lab: Lab, client: Client) -> None:
    """A log group that a late call brought back is one of these."""
    name = lab.settings.name
    role = decoys.role(client, f"{name}-LambdaForAdminUser-us-east-1")
    decoys.api(client, f"{name}-JWTAuth")
    decoys.user_pool(client, f"{name}-users")
    decoys.function(client, f"{name}-LambdaForAdminUser", role)
    decoys.log_group(client, f"/aws/lambda/{name}-LambdaForAdminUser")

    assert found(lab) == {
        ("HTTP API", f"{name}-JWTAuth", "name", False),
        ("user pool", f"{name}-users", "name", False),
        ("function", f"{name}-LambdaForAdminUser", "name", False),
        ("role", f"{name}-LambdaForAdminUser-us-east-1", "name", False),
        ("log group", f"/aws/lambda/{name}-LambdaForAdminUser", "name", False),
    }
    assert lab.down().clean


def test_a_plan_that_sees_nothing_does_not_make_a_clean_receipt(
    lab: Lab, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.up()
    with monkeypatch.context() as blind:
        for step in STEPS:
            blind.setattr(type(step), "remove", lambda self, target: [])
        receipt = lab.down()

    assert not receipt.clean
    assert {left.kind for left in receipt.left} == {
        "HTTP API", "user pool", "hosted domain", "function", "role", "role policy", "log group",
    }  # fmt: skip
    assert {left.why for left in receipt.left} == {
        "the second scan found it by its tag",
        "the second scan found it by its parent",
    }
    assert of_lab(everything(client), lab.settings.name) == WHOLE_LAB
    assert lab.down().clean


def test_the_scan_uses_no_look_up_of_the_steps() -> None:
    tree = ast.parse(Path(leftovers.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {module for module in modules if module and module.startswith("labkit")} == {
        "labkit.aws", "labkit.machine.side_by_side", "labkit.steps.step", "labkit.target", "labkit.target.names",
        "labkit.target.target",
    }  # fmt: skip


def test_the_scan_changes_nothing(lab: Lab) -> None:
    lab.up()
    calls = Calls(lab.target)

    scan(lab.target)

    assert calls.writes == []
    lab.down()


def test_what_the_tag_index_still_holds_of_what_is_gone_is_not_found(lab: Lab) -> None:
    account = lab.target.place.account
    arns = [
        f"arn:aws:lambda:us-east-1:{account}:function:{lab.settings.name}-LambdaForAdminUser",
        f"arn:aws:cognito-idp:us-east-1:{account}:userpool/us-east-1_GONE00000",
        "arn:aws:apigateway:us-east-1::/apis/gone000000",
        "arn:aws:apigateway:us-east-1::/apis/gone000000/stages/Test",
        f"arn:aws:logs:us-east-1:{account}:log-group:/aws/lambda/{lab.settings.name}-LambdaForAdminUser",
    ]

    def lag(answer: dict[str, Any]) -> None:
        answer["ResourceTagMappingList"] = [{"ResourceARN": arn, "Tags": []} for arn in arns]

    change_answers(lab.target, "resourcegroupstaggingapi", "GetResources", lag)

    assert scan(lab.target) == ()


def test_a_tagged_thing_of_a_kind_that_no_lab_has_is_reported(lab: Lab) -> None:
    def add(answer: dict[str, Any]) -> None:
        answer["ResourceTagMappingList"] = [{"ResourceARN": "arn:aws:s3:::bucket", "Tags": []}]

    change_answers(lab.target, "resourcegroupstaggingapi", "GetResources", add)

    receipt = lab.down()

    assert not receipt.clean
    assert [(left.kind, left.name) for left in receipt.left] == [("resource", "arn:aws:s3:::bucket")]


def test_without_a_second_scan_no_receipt_is_clean(lab: Lab) -> None:
    lab.up(through="functions")
    refuse(lab.target, "resourcegroupstaggingapi", "GetResources", Refusal("AccessDeniedException", "You may not."))

    receipt = lab.down()

    assert not receipt.clean
    assert [(left.kind, left.why) for left in receipt.left] == [
        ("second scan", "what is left could not be told: AWS refused GetResources: You may not."),
    ]


def test_what_is_listed_for_a_while_after_its_removal_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.up()
    api = lab.status().ids["api_id"]
    clock, told = Clock(), []
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr("time.sleep", clock.sleep)
    lab.target.place.patience = 45
    lab.tell = told.append

    def lag(answer: dict[str, Any]) -> None:
        tags = {"jwt-authorizer-lab": lab.settings.name}
        stale = {"Name": f"{lab.settings.name}-JWTAuth", "ApiId": api, "Tags": tags, "CreatedDate": 0}
        if clock.now < 10 and not any(item["ApiId"] == api for item in answer["Items"]):
            answer["Items"].append(stale)

    change_answers(lab.target, "apigatewayv2", "GetApis", lag)

    assert lab.down().left == ()
    assert told[:1] == ["Waiting: what was removed is still listed."]
    assert 10 <= clock.now < 45


def test_a_log_group_that_came_back_between_the_scans_is_removed_again(lab: Lab, client: Client) -> None:
    """A call that comes in late makes Lambda write a log line, and make an untagged group for it."""
    lab.up()
    name = f"/aws/lambda/{lab.settings.name}-LambdaForAdminUser"
    back = iter([None])

    def bring_back(**_: Any) -> None:
        for _again in back:
            client("logs").create_log_group(logGroupName=name)

    events = lab.target.client("resourcegroupstaggingapi").meta.events
    events.register("before-call.resource-groups-tagging-api.GetResources", bring_back)

    receipt = lab.down()

    assert receipt.left == ()
    assert [gone.why for gone in receipt.removed if gone.id == name] == [
        "its name and its tag are this lab's",
        "it came back under the name of the lab's, which was just removed",
    ]
    assert of_lab(everything(client), lab.settings.name) == {}


def test_somebody_elses_log_group_that_took_the_name_meanwhile_is_left(lab: Lab, client: Client) -> None:
    lab.up()
    name = f"/aws/lambda/{lab.settings.name}-LambdaForAdminUser"
    once = iter([None])

    def take(**_: Any) -> None:
        for _again in once:
            decoys.log_group(client, name, decoys.ANOTHER_LABS)

    events = lab.target.client("resourcegroupstaggingapi").meta.events
    events.register("before-call.resource-groups-tagging-api.GetResources", take)

    receipt = lab.down()

    assert receipt.clean
    assert [(left.kind, left.id) for left in receipt.left] == [("log group", name)]
    client("logs").delete_log_group(logGroupName=name)


def test_another_lab_of_the_account_is_told_where_none_may_be(lab: Lab, home: Path) -> None:
    """`LABKIT_NAME=ana labkit up` makes a second lab, and who resets the account should know."""
    ana, bob = lab_at(home, "ana"), lab_at(home, "bob")
    ana.up(through="functions")
    bob.up(through="functions")

    receipt = remove_lab(lab.target, known={lab.settings.name, "bob"})

    assert receipt.clean
    others = [(left.kind, left.name, left.why) for left in receipt.left if left.name in ("ana", "bob")]
    assert others == [("lab", "ana", "another lab of this account; if it is yours, too: LABKIT_NAME=ana labkit down")]
    assert (ana.down().left, bob.down().left) == ((), ())


def test_who_takes_a_lab_out_of_an_account_is_told_of_the_other_labs_there(
    lab: Lab, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.up(through="functions")
    cloud = process.start(home)
    play(cloud, monkeypatch)
    mine = Lab(Settings("aws", "mine", tmp_path, "python3.13"), tell=lambda told: None)
    mine.target.confirm(cloud.account_id)
    mine.up(through="functions")

    receipt = mine.down()

    assert receipt.clean
    assert lab.settings.name in [left.name for left in receipt.left if left.kind == "lab"]
    monkeypatch.undo()
    lab.down()


def test_a_lab_of_the_same_name_in_another_region_is_another(lab: Lab, home: Path, client: Client) -> None:
    """Roles are global, and say in their names of which region they are."""
    lab.up(through="functions")
    role = f"{lab.settings.name}-LambdaForAdminUser-us-west-2"
    decoys.role(client, role, {"jwt-authorizer-lab": lab.settings.name})

    receipt = lab.down()

    assert receipt.left == ()
    assert client("iam").get_role(RoleName=role)


def test_a_role_of_another_attendee_that_tells_no_tags_is_not_the_labs(lab: Lab, client: Client) -> None:
    """What the attendee's policy denies where a class shares an account. Of the lab's own names all must be told."""
    decoys.role(client, f"{lab.settings.name}s-own", {"jwt-authorizer-lab": f"{lab.settings.name}s"})
    refuse(lab.target, "iam", "ListRoleTags", Refusal("AccessDenied", "You may not."))

    assert lab.down().left == ()

    decoys.role(client, f"{lab.settings.name}-LambdaForAdminUser-us-east-1")
    assert not lab.down().clean
