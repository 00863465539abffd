"""The template of a class's account holds the policies that are tested, and roles that the roster can name."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml

from labkit.removal.second_scan import ROLE_PATH
from labkit.steps.boundary import NAME
from tests.notebooks.rules import ROOT

TEXT = (ROOT / "docs" / "class-account.yaml").read_text(encoding="utf-8")


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions, `!Ref name` and the like, as what they are given."""


def short_function(loader: Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {tag: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", short_function)
RESOURCES = yaml.load(TEXT, Loader)["Resources"]


@pytest.mark.parametrize("name", ["boundary", "attendee-policy", "instructor-policy"])
def test_its_policies_are_the_tested_ones_byte_for_byte(name: str) -> None:
    document = (ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8")
    assert f"      PolicyDocument:\n{textwrap.indent(document, ' ' * 8)}" in TEXT


def test_the_boundary_bears_the_name_by_which_the_lab_finds_it() -> None:
    assert RESOURCES["Boundary"]["Properties"]["ManagedPolicyName"] == NAME


@pytest.mark.parametrize("name", ["AttendeeRole", "InstructorRole"])
def test_no_attendee_may_change_the_roles_of_people(name: str) -> None:
    """Attendees may write the roles of the labs' path, and these lie outside."""
    role = RESOURCES[name]["Properties"]
    assert "Path" not in role
    assert ROLE_PATH == "/jwt-authorizer-lab/"


def test_the_attendees_role_bears_what_narrows_its_policy() -> None:
    tags = {tag["Key"]: tag["Value"] for tag in RESOURCES["AttendeeRole"]["Properties"]["Tags"]}
    assert tags == {
        "jwt-authorizer-lab-name": {"Ref": "LabName"},
        "jwt-authorizer-lab-region": {"Ref": "LabRegion"},
    }


def test_who_may_do_what() -> None:
    attached = {
        name: RESOURCES[f"{name}Role"]["Properties"]["ManagedPolicyArns"] for name in ("Attendee", "Instructor")
    }
    assert attached == {
        "Attendee": [{"Ref": "AttendeePolicy"}],
        "Instructor": [{"Ref": "AttendeePolicy"}, {"Ref": "InstructorPolicy"}],
    }
