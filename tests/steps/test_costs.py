"""How many AWS calls a verb makes: in a real account each is a tenth of a second, and counts against a rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from labkit.lab import Lab
from tests.counting import sent_calls
from tests.labs import change_answers, lab_at


def test_a_lab_is_built_looked_at_and_built_again_with_few_calls(new_lab: Callable[..., Lab]) -> None:
    lab, polls = new_lab(), list[str]()

    def note_waiting(answer: dict[str, Any]) -> None:
        if answer.get("Configuration", {}).get("State") == "Pending":
            polls.append("GetFunction")

    change_answers(lab.target, "lambda", "GetFunction", note_waiting)
    with sent_calls(lab.target) as first:
        lab.up()
    with sent_calls(lab.target) as second:
        lab.up()
    with sent_calls(lab.target) as status:
        lab.status()

    assert len(first) - len(polls) <= 90, Counter(first)
    assert len(second) <= 45, Counter(second)
    assert len(status) <= 20, Counter(status)


def test_what_was_read_is_not_kept_from_one_verb_to_the_next(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up(through="user-pool")
    other = lab_at(lab.settings.home, lab.settings.name)
    assert lab.find("user-pool").found
    pool = lab.status().ids["user_pool_id"]

    other.target.client("cognito-idp").delete_group(UserPoolId=pool, GroupName="admin")

    assert [missing.name for missing in lab.find("user-pool").missing] == ["admin"]
    assert lab.up(through="user-pool").states[1].found


def test_what_is_changed_in_a_verb_is_read_anew(new_lab: Callable[..., Lab]) -> None:
    lab = new_lab()
    lab.up(through="functions")
    name = lab.target.names.function("LambdaForAdminUser")

    with lab.target.asking_once(), sent_calls(lab.target) as sent:
        for _ in range(2):
            lab.target.read("lambda", "get_function", FunctionName=name)
        lab.target.client("lambda").delete_function(FunctionName=name)
        assert lab.target.read("lambda", "get_function", FunctionName=name) is None

    assert sent == ["GetFunction", "DeleteFunction", "GetFunction"]
    assert lab.target.read("lambda", "get_function", FunctionName=name) is None
