"""The operations that this cloud serves. Every other one is refused by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

from labkit.cloud.exchange import Request
from labkit.cloud.rules.call import JSON_TARGETS, QUERY_NAMESPACES, Call, Here, Refusal
from labkit.cloud.rules.registry import gate, patch

SIGNING = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"

# A slash within a part of a path. Only the ARNs of API Gateway's tags have it.
SLASH = "%2f"
TAGS = "/v2/tags/"


def _each(verbs: str, things: str) -> str:
    return " ".join(f"{verb}{thing}" for verb in verbs.split() for thing in things.split())


# The operations of Cognito that are served and come unsigned: botocore's model marks them so.
_UNSIGNED = (
    "InitiateAuth RespondToAuthChallenge GetTokensFromRefreshToken RevokeToken GlobalSignOut",
    "GetUser UpdateUserAttributes ChangePassword DeleteUser",
)
UNSIGNED_COGNITO = frozenset(" ".join(_UNSIGNED).split())

# By the name that a request is signed for. On the list is what the lab, the AWS CLI, Terraform and the SDKs need to
# build, read and remove the post's resources, as far as MiniStack does it rightly.
_SERVED = {
    "iam": (
        _each("Create Delete Get", "Role"),
        "ListRoles UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy TagRole UntagRole ListRoleTags",
        _each("Put Get Delete", "RolePolicy UserPolicy GroupPolicy"),
        _each("Attach Detach", "RolePolicy UserPolicy GroupPolicy"),
        _each("List", "RolePolicies UserPolicies GroupPolicies AccountAliases Policies PolicyVersions PolicyTags"),
        _each("ListAttached", "RolePolicies UserPolicies GroupPolicies"),
        _each("Put Delete", "RolePermissionsBoundary UserPermissionsBoundary"),
        _each("Create Get Delete", "Policy PolicyVersion User Group"),
        "ListEntitiesForPolicy TagPolicy UntagPolicy ListUsers TagUser UntagUser ListUserTags ListGroups",
        "AddUserToGroup RemoveUserFromGroup ListGroupsForUser CreateAccountAlias DeleteAccountAlias",
        "GetAccountSummary GetAccountAuthorizationDetails SimulatePrincipalPolicy SimulateCustomPolicy",
        "GetInstanceProfile ListInstanceProfiles ListInstanceProfilesForRole",
    ),
    "sts": ("GetCallerIdentity AssumeRole GetSessionToken GetAccessKeyInfo",),
    "lambda": (
        _each("Create Get Delete", "Function Alias EventSourceMapping"),
        _each("Update", "FunctionCode FunctionConfiguration Alias EventSourceMapping"),
        _each("List", "Functions VersionsByFunction Aliases EventSourceMappings Tags"),
        _each("Put Get Delete", "FunctionConcurrency"),
        _each("Get", "AccountSettings FunctionConfiguration FunctionCodeSigningConfig Policy FunctionUrlConfig"),
        "AddPermission RemovePermission Invoke PublishVersion TagResource UntagResource",
    ),
    "logs": (
        _each("Create Delete", "LogGroup LogStream"),
        _each("Describe", "LogGroups LogStreams MetricFilters SubscriptionFilters ResourcePolicies"),
        "PutLogEvents GetLogEvents FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy",
        "TagLogGroup UntagLogGroup ListTagsLogGroup TagResource UntagResource ListTagsForResource",
    ),
    "cognito-idp": (
        _each("Create Describe Update Delete", "UserPool UserPoolClient UserPoolDomain ResourceServer"),
        _each("List", "UserPools UserPoolClients ResourceServers IdentityProviders Groups Users UsersInGroup"),
        _each("Create Get Delete", "Group"),
        _each("AdminCreate AdminDelete AdminGet AdminDisable AdminEnable", "User"),
        "AdminSetUserPassword AdminUpdateUserAttributes AdminUserGlobalSignOut AdminListGroupsForUser",
        "AdminAddUserToGroup AdminRemoveUserFromGroup AdminInitiateAuth AdminRespondToAuthChallenge",
        "AddCustomAttributes GetUserPoolMfaConfig GetUICustomization TagResource UntagResource ListTagsForResource",
        *_UNSIGNED,
    ),
    "apigateway": (
        _each("Create Get Update Delete", "Api Route Integration Authorizer Stage"),
        _each("Get", "Apis Routes Integrations Authorizers Stages Deployments DomainName DomainNames ApiMappings Tags"),
        _each("Create Get Delete", "Deployment"),
        "DeleteCorsConfiguration TagResource UntagResource",
    ),
    "tagging": ("GetResources",),
}
SERVED = {service: frozenset(" ".join(listed).split()) for service, listed in _SERVED.items()}

_signed_for: ContextVar[str] = ContextVar("signed_for", default="")


@gate(
    "every service",
    aws="Each service has many more operations.",
    source="https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html",
    confidence="ours",
    ministack="Has some of them, answers others without doing them, and takes some for their parents: "
    "ResetAuthorizersCache deletes the stage.",
)
def only_served_operations(call: Call) -> Refusal | None:
    """An operation that is not on the list below is refused by its name: 400 NotPartOfThisCloud."""
    if call.operation in SERVED[call.service]:
        return None
    name = f"The operation {call.operation[:80]}" if call.operation else "A call that names no operation"
    message = f"{name} is not part of the lab's embedded cloud. docs/conformance.md lists what is."
    return Refusal("NotPartOfThisCloud", message)


@gate(
    "every service",
    aws="Each service has its own host, and reads a request in its own protocol only.",
    source="https://smithy.io/2.0/aws/protocols/index.html",
    confidence="inferred",
    ministack="Looks for the service, the operation and its parameters at several places, in an order of its own.",
)
def one_request_says_one_thing(call: Call) -> Refusal | None:
    """A request that bears the marks of another protocol, says something twice, or is encoded once more than its
    protocol asks for, is a 400 InvalidRequest."""
    request, service = call.request, call.service
    form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    said = request.parameters + (form if service in QUERY_NAMESPACES else [])
    faults = (
        service in QUERY_NAMESPACES and not _is_query(request),
        service in JSON_TARGETS and request.method != "POST",
        service not in JSON_TARGETS and request.values("x-amz-target"),
        service not in QUERY_NAMESPACES and "Action" in dict(said),
        # The tags to take away are the one list in a query string.
        any(count > 1 for name, count in Counter(name for name, _ in said).items() if name != "tagKeys"),
        any(request.values(name) for name in ("content-encoding", "x-amz-decoded-content-length")),
        "%" in request.path or (SLASH in request.raw_path.lower() and not request.raw_path.startswith(TAGS)),
    )
    if not any(faults):
        return None
    return Refusal("InvalidRequest", "The request says something twice, or in another protocol than its service's.")


def _is_query(request: Request) -> bool:
    """Whether a request is of the Query protocol: a form that is posted, or a query string alone."""
    form = (request.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded")
    return form if request.method == "POST" else request.method == "GET" and not request.body


@patch(
    "every service",
    "app",
    "detect_service",
    aws="A request that is signed for one service is answered by no other.",
    source=SIGNING,
    ministack="Goes by X-Amz-Target before it looks at the signature, and by other marks without one.",
)
def the_signed_service_answers(_: Here, original: Callable[..., str], *args: Any) -> str:
    """A call goes to the service that it is signed for; Cognito's unsigned calls go to Cognito."""
    return _signed_for.get() or original(*args)


@contextmanager
def signed_for(service: str) -> Iterator[None]:
    """Have MiniStack answer as a service, within a `with`."""
    token = _signed_for.set(service)
    try:
        yield
    finally:
        _signed_for.reset(token)
