"""What a learner built by themselves goes with the lab if it bears the lab's tag, and is told of if it does not."""

from __future__ import annotations

from labkit.lab import Lab
from labkit.target import kinds
from labkit.target.names import AUDITOR
from tests.removal.account import Client, everything, of_lab


def test_what_bears_the_labs_tag_goes_with_the_lab(lab: Lab, client: Client) -> None:
    lab.up()
    lab.solve("reports")

    receipt = lab.down()

    assert receipt.clean
    assert of_lab(everything(client), lab.settings.name) == {}
    gone = {(part.kind, part.name) for part in receipt.removed}
    names = lab.target.names
    assert gone >= {
        (kinds.FUNCTION, names.function(AUDITOR)),
        (kinds.ROLE, names.role(AUDITOR)),
        (kinds.LOG_GROUP, names.log_group(AUDITOR)),
    }


def test_what_does_not_bear_it_is_left_and_told(lab: Lab, client: Client) -> None:
    lab.up()
    lab.solve("reports")
    names, tag = lab.target.names, list(lab.target.names.tags)
    untag = {"function": client("lambda").untag_resource, "log group": client("logs").untag_resource}
    untag["function"](Resource=names.function_arn(AUDITOR), TagKeys=tag)
    untag["log group"](resourceArn=names.log_group_arn(AUDITOR), tagKeys=tag)

    receipt = lab.down()

    left = {(part.kind, part.name, part.ours) for part in receipt.left}
    assert left >= {
        (kinds.FUNCTION, names.function(AUDITOR), False),
        (kinds.LOG_GROUP, names.log_group(AUDITOR), False),
        (kinds.ROLE, names.role(AUDITOR), True),  # it bears the tag, and somebody else's function runs with it
    }
    assert not receipt.clean
    client("lambda").delete_function(FunctionName=names.function(AUDITOR))
    client("logs").delete_log_group(logGroupName=names.log_group(AUDITOR))
    assert lab.down().clean


def test_a_role_of_the_labs_that_the_learner_reused_goes_too(lab: Lab, client: Client) -> None:
    lab.up()
    lab.solve("reports")
    names = lab.target.names
    client("lambda").update_function_configuration(
        FunctionName=names.function(AUDITOR), Role=names.role_arn("LambdaForAdminUser")
    )

    assert lab.down().clean
    assert of_lab(everything(client), lab.settings.name) == {}
