"""The receipt says what was removed and what was left, and is the same for the same removal."""

from __future__ import annotations

import json
from importlib.metadata import version

from labkit.lab import Lab
from labkit.removal.receipt import Receipt
from labkit.steps.step import Deletion, Left

FUNCTION = Deletion(
    "function", "a-Hello", "a-Hello", "its name and its tag are this lab's", "lambda", "delete_function", {}
)
THEIRS = Left("user pool", "a-users", "us-east-1_123456789", "it bears a name of this lab, but not its tag", ours=False)
OURS = Left("role", "a-Hello-us-east-1", "a-Hello-us-east-1", "AWS refused DeleteRole: <you> may not.", ours=True)


def receipt(*left: Left) -> Receipt:
    return Receipt(
        lab="a",
        place="aws",
        account="111122223333",
        region="us-east-1",
        started=1_795_384_025.6,
        finished=1_795_384_031.2,
        version="1.2.3",
        removed=(FUNCTION,),
        left=left,
    )


def test_a_clean_receipt_as_text() -> None:
    assert receipt(THEIRS).text() == (
        "Nothing of lab a is left: a second scan found none of it.\n"
        "\n"
        "removed    name     because\n"
        "---------  -------  -----------------------------------\n"
        "function   a-Hello  its name and its tag are this lab's\n"
        "\n"
        "left       name     id                   region     because\n"
        "---------  -------  -------------------  ---------  --------------------------------------------\n"
        "user pool  a-users  us-east-1_123456789  us-east-1  it bears a name of this lab, but not its tag"
    )


def test_a_receipt_tells_how_many_of_the_labs_resources_are_left() -> None:
    assert receipt(THEIRS).clean
    assert not receipt(THEIRS, OURS).clean
    assert receipt(OURS).text().startswith("Lab a is not gone: 1 of its resources is left.\n")
    assert receipt(OURS, OURS).text().startswith("Lab a is not gone: 2 of its resources are left.\n")


def test_where_and_when_is_told_above_the_full_text_alone() -> None:
    heading = (
        "account 111122223333, region us-east-1, from 2026-11-22T21:47:05+00:00 to 2026-11-22T21:47:11+00:00, "
        "labkit 1.2.3"
    )
    assert receipt().full_text() == f"{heading}\n\n{receipt().text()}"
    assert "111122223333" not in receipt(THEIRS).text() + receipt(THEIRS).html()


def test_html_is_escaped() -> None:
    assert "&lt;you&gt; may not." in receipt(OURS).html()
    assert "<you>" not in receipt(OURS).html()


def test_a_receipt_as_json() -> None:
    assert json.loads(json.dumps(receipt(THEIRS).to_dict())) == {
        "lab": "a",
        "target": "aws",
        "account": "111122223333",
        "region": "us-east-1",
        "started": "2026-11-22T21:47:05+00:00",
        "finished": "2026-11-22T21:47:11+00:00",
        "version": "1.2.3",
        "clean": True,
        "removed": [
            {
                "kind": "function",
                "name": "a-Hello",
                "id": "a-Hello",
                "service": "lambda",
                "why": "its name and its tag are this lab's",
            }
        ],
        "left": [
            {
                "kind": "user pool",
                "name": "a-users",
                "id": "us-east-1_123456789",
                "why": "it bears a name of this lab, but not its tag",
                "ours": False,
            }
        ],
    }


def test_the_receipt_of_a_whole_lab(lab: Lab) -> None:
    lab.up()
    first = lab.down()
    lab.up()
    second = lab.down()

    assert first.text() == second.text()
    assert first.html() == second.html()
    assert first.clean
    assert (first.lab, first.place, first.region) == (lab.settings.name, "embedded", "us-east-1")
    assert first.account == lab.target.place.account
    assert first.version == version("jwt-authorizer-lab")
    assert first.started <= first.finished <= second.started <= second.finished
    assert len(first.removed) == 15


def test_the_passwords_of_a_removed_lab_are_forgotten(lab: Lab) -> None:
    lab.up()
    folder = lab.target.folder
    assert (folder / "passwords.json").is_file()

    lab.down()

    assert not folder.exists()
