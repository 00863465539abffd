"""The permissions boundary of an account for classes: found by its name, and given to every role of the lab."""

from __future__ import annotations

import json

from labkit.errors import LabError
from labkit.machine.resources import resource
from labkit.target.target import Target

NAME = "jwt-authorizer-lab-boundary"
DOCUMENT = resource("docs/boundary.json")


def boundary_arn(target: Target) -> str:
    """The ARN that the boundary has where there is one."""
    return f"arn:{target.place.partition}:iam::{target.place.account}:policy/{NAME}"


def find_boundary(target: Target) -> dict[str, str]:
    """The boundary as CreateRole takes it: nothing, where the account has none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html

    Raises:
        LabError: the account has a policy of that name that says something else.
    """
    arn = boundary_arn(target)
    policy = target.read("iam", "get_policy", PolicyArn=arn)
    if policy is None:
        return {}
    version_id = policy["Policy"]["DefaultVersionId"]
    version = target.client("iam").get_policy_version(PolicyArn=arn, VersionId=version_id)
    if version["PolicyVersion"]["Document"] != json.loads(DOCUMENT.read_text(encoding="utf-8")):
        raise LabError(
            f"The policy {NAME} of account {target.place.account} does not say what docs/boundary.json says.",
            "Whoever made it can put that right: aws iam create-policy-version --set-as-default "
            f"--policy-arn {arn} --policy-document file://docs/boundary.json",
        )
    return {"PermissionsBoundary": arn}


def missing_boundary() -> LabError:
    """What is said where a role without a boundary was refused: docs/attendee-policy.json asks for one."""
    return LabError(
        f"AWS refused to create a role, and this account has no policy {NAME}: with docs/attendee-policy.json a role "
        "is created with that boundary or not at all.",
        f"Have an administrator create it: aws iam create-policy --policy-name {NAME} "
        "--policy-document file://docs/boundary.json",
    )
