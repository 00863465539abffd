"""Every name, tag and path of one lab, derived from the lab's name.

The post's own names stay at the end of each, so that a learner who reads the post finds them again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

TAG_KEY = "jwt-authorizer-lab"

PRE_TOKEN = "Pre-tokenAuthLambda"  # noqa: S105 - a function's name
ADMIN = "LambdaForAdminUser"
REGULAR = "LambdaForRegularUser"
FUNCTIONS = (PRE_TOKEN, ADMIN, REGULAR)

# What a learner builds in chapter 05 by themselves: a removal looks for it as well, nothing else needs it.
AUDITOR, AUDITOR_GROUP, AUDITOR_USER, REPORTS = "LambdaForAuditorUser", "auditor", "auditoruser", "GET /Reports"
REMOVABLE = (*FUNCTIONS, AUDITOR)

GROUPS = ("admin", "regular")
USERS = {"adminuser": ("admin", "regular"), "regularuser": ("regular",)}

# Each route with the function behind it and the group whose scope it asks for.
ROUTES = {"GET /AdminUser": (ADMIN, "admin"), "GET /RegularUser": (REGULAR, "regular")}

AUTHORIZER = "JWTAuth"
STAGE = "Test"
DEFAULT_STAGE = "$default"
ROLE_PATH = "/jwt-authorizer-lab/"

# Cognito refuses a domain prefix that holds one of these anywhere.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
RESERVED_IN_DOMAINS = ("aws", "amazon", "cognito")


@dataclass(frozen=True)
class Names:
    """The names of one lab in one account and region."""

    lab: str
    account: str
    region: str
    partition: str = "aws"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every taggable resource of the lab bears."""
        return {TAG_KEY: self.lab}

    @property
    def user_pool(self) -> str:
        """The user pool's name."""
        return f"{self.lab}-users"

    @property
    def app_client(self) -> str:
        """The app client's name."""
        return f"{self.lab}-app"

    @property
    def api(self) -> str:
        """The HTTP API's name."""
        return f"{self.lab}-{AUTHORIZER}"

    @property
    def what_if_api(self) -> str:
        """The name of the HTTP API that is there to try things out."""
        return f"{self.lab}-what-if"

    def domain_prefix(self, user_pool_id: str) -> str:
        """The hosted domain's prefix: unique among all accounts of a region, without a reserved word.

        A prefix that was given up may stay taken for a while, so another user pool gets another one.
        """
        readable = "lab" if any(word in self.lab for word in RESERVED_IN_DOMAINS) else self.lab
        digest = hashlib.sha256(f"{self.account}/{user_pool_id}".encode()).hexdigest()
        return f"{readable}-{digest[:10]}"

    def function(self, function: str) -> str:
        """The name of one of the post's FUNCTIONS in this lab."""
        return f"{self.lab}-{function}"

    def function_arn(self, function: str) -> str:
        """The ARN of one of the post's FUNCTIONS in this lab."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.function(function)}"

    def role(self, function: str) -> str:
        """The name of a function's execution role. Roles are global to an account, so the region is part of it."""
        return f"{self.function(function)}-{self.region}"

    def role_arn(self, function: str) -> str:
        """The ARN of a function's execution role."""
        return f"arn:{self.partition}:iam::{self.account}:role{ROLE_PATH}{self.role(function)}"

    def log_group(self, function: str) -> str:
        """The log group that Lambda writes a function's logs to."""
        return f"/aws/lambda/{self.function(function)}"

    def log_group_arn(self, function: str) -> str:
        """The ARN of a function's log group, without the trailing `:*` of its streams."""
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{self.log_group(function)}"

    def user_pool_arn(self, user_pool_id: str) -> str:
        """The ARN of a user pool."""
        return f"arn:{self.partition}:cognito-idp:{self.region}:{self.account}:userpool/{user_pool_id}"

    def route_arn(self, api_id: str, route_key: str) -> str:
        """The ARN of a route on any stage, as the source of an invoke permission: `GET /AdminUser` and the like."""
        method, path = route_key.split(" ", 1)
        return f"arn:{self.partition}:execute-api:{self.region}:{self.account}:{api_id}/*/{method}{path}"


def calls_of(route_arn: str) -> list[str]:
    """The ARNs of a route's calls, one a stage."""
    return [route_arn.replace("/*/", f"/{stage}/", 1) for stage in (DEFAULT_STAGE, STAGE)]


def scope(group: str, app_client_id: str) -> str:
    """The scope that the pre token generation trigger makes of a group: `admin-<app client id>`."""
    return f"{group}-{app_client_id}"
