"""parliament, which knows AWS's actions and ways to more rights, finds nothing but what is explained.

https://github.com/duo-labs/parliament
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

# It reads actions, not what narrows them. tests/policies/test_escalation.py goes each of these ways to its end.
EXPLAINED = {
    "PRIVILEGE_ESCALATION": "only functions of the lab's names run, behind the boundary or with the given role",
    "PERMISSIONS_MANAGEMENT_ACTIONS": "on the lab's roles behind the boundary, and for two services on its functions",
    "CREDENTIALS_EXPOSURE": "DescribeUserPoolClient of pools with the lab's tag, whose app client has no secret",
    # The Service Authorization Reference of today lists it; parliament's copy is older.
    "UNKNOWN_CONDITION_FOR_ACTION": "iam:PermissionsBoundary of UpdateAssumeRolePolicy",
}


FOUND = {
    "attendee-policy": set(EXPLAINED),
    "attendee-policy-given-role": set(EXPLAINED) - {"UNKNOWN_CONDITION_FOR_ACTION"},
}


@pytest.mark.parametrize("name", ["attendee-policy", "attendee-policy-given-role", "boundary", "instructor-policy"])
def test_nothing_is_found_but_what_is_explained(name: str, judge: Callable[[str], str]) -> None:
    text = (ROOT / "docs" / f"{name}.json").read_text()
    command = [judge("parliament"), "--json", "--include-community-auditors", "--string", text]

    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    assert not done.stderr.startswith("Traceback")
    found = {finding["issue"] for finding in map(json.loads, done.stdout.splitlines())}
    assert found == FOUND.get(name, found & {"PERMISSIONS_MANAGEMENT_ACTIONS"})


def test_it_would_find_what_is_not_explained(judge: Callable[[str], str]) -> None:
    mistaken = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:MakeRole", "Resource": "*"}]}
    command = [judge("parliament"), "--json", "--string", json.dumps(mistaken)]

    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    assert json.loads(done.stdout.splitlines()[0])["issue"] == "UNKNOWN_ACTION"
