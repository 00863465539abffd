"""The permissions boundary of an account for classes: found by its name, and given to every role of the lab."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from labkit.aws import denial_remedy, error_message
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


def role_refused(error: ClientError) -> LabError:
    """What is said where a role without a boundary was refused: who denies it, if AWS says so.

    Else the boundary is what is missing: docs/attendee-policy.json asks for one.
    """
    message = error_message(error)
    if named := denial_remedy(message):
        return LabError(f"AWS refused CreateRole: {message}", f"{named} {_GIVEN}")
    return LabError(
        f"AWS refused to create a role, and this account has no policy {NAME}: with docs/attendee-policy.json a role "
        "is created with that boundary or not at all.",
        f"{_GIVEN} Else have an administrator create the policy: aws iam create-policy --policy-name {NAME} "
        "--policy-document file://docs/boundary.json",
    )


_GIVEN = "If this account has a role for you instead, as AWS Academy's LabRole, set LABKIT_ROLE_ARN to its ARN."
