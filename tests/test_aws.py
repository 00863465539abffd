"""What AWS answers in passing is waited for, and no longer than it can take; what it refuses is told in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from labkit import aws
from labkit.errors import LabError, UsageError
from tests.labs import Clock, Refusal, in_pages_of_one, lab_at, refuse

DENIED = "User: a is not authorized to perform: iam:CreateRole on resource: b because"
ROLE = "The role defined for the function cannot be assumed by Lambda."
ISSUER = "Caught exception when connecting to https://a.b/.well-known/openid-configuration for issuer https://a.b."
CONCURRENT = "Unable to complete operation due to concurrent modification. Please try again later."
UPDATING = "The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:a"
PENDING = "The operation cannot be performed at this time. The function is currently in the following state: Pending"


def error(code: str, message: str = "", operation: str = "CreateFunction") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(aws, "time", clock)
    return clock


class Unsettled:
    """An action that fails with each of these errors in turn, taking some seconds every time, and then succeeds."""

    def __init__(self, *errors: ClientError, clock: Clock, seconds: float = 0) -> None:
        self.errors, self.clock, self.seconds, self.tries = list(errors), clock, seconds, 0

    def __call__(self) -> str:
        self.tries += 1
        self.clock.now += self.seconds
        if self.errors:
            raise self.errors.pop(0)
        return "settled"


@pytest.mark.parametrize(
    ("code", "message", "why"),
    [
        ("InvalidParameterValueException", ROLE, "a new role is spreading"),
        ("BadRequestException", ISSUER, "a new user pool's issuer is not published yet"),
        ("ConflictException", CONCURRENT, "another change to this API is under way"),
        ("TooManyRequestsException", "Rate exceeded", "AWS asks for fewer calls a second"),
        ("Throttling", "Rate exceeded", "AWS asks for fewer calls a second"),
        ("ThrottlingException", "Rate exceeded", "AWS asks for fewer calls a second"),
        ("ResourceConflictException", UPDATING, "a function is still being updated"),
        ("ResourceConflictException", PENDING, "a new function is not active yet"),
        ("ResourceConflictException", "Function already exist: a", "it exists already, so it is looked up again"),
        ("EntityAlreadyExists", "Role with name a already exists.", "it exists already, so it is looked up again"),
        ("NoSuchEntity", "The role with name a cannot be found.", "what was just made is not visible everywhere yet"),
    ],
)
def test_what_settles_by_itself_is_waited_for(code: str, message: str, why: str, clock: Clock) -> None:
    told: list[str] = []
    action = Unsettled(error(code, message), error(code, message), clock=clock)

    assert aws.until_settled(action, waiting=told.append) == "settled"
    assert told == [why, why]
    assert clock.slept == [0.2, 0.4]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidParameterValueException", "The runtime parameter of nodejs12.x is no longer supported"),
        ("BadRequestException", "Setting the authorization type to JWT requires a valid JWT authorizer"),
        ("AccessDenied", "User is not authorized to perform: iam:CreateRole"),
        ("InvalidParameterException", "User pool cannot be updated."),
        ("ExpiredToken", "The security token included in the request is expired"),
    ],
)
def test_what_is_wrong_is_told_at_once(code: str, message: str, clock: Clock) -> None:
    action = Unsettled(error(code, message), clock=clock)

    with pytest.raises(ClientError):
        aws.until_settled(action)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("code", "message", "seconds"),
    [
        ("InvalidParameterValueException", ROLE, 60),
        ("BadRequestException", ISSUER, 45),
        ("ConflictException", CONCURRENT, 60),
        ("TooManyRequestsException", "Rate exceeded", 90),
        ("EntityAlreadyExists", "Role with name a already exists.", 12),
        ("NoSuchEntity", "The role with name a cannot be found.", 20),
    ],
)
def test_the_wait_has_an_end(code: str, message: str, seconds: float, clock: Clock) -> None:
    action = Unsettled(*[error(code, message)] * 1000, clock=clock)

    with pytest.raises(ClientError):
        aws.until_settled(action)
    assert seconds < clock.now <= seconds + 5


def test_a_pause_grows_to_five_seconds(clock: Clock) -> None:
    with pytest.raises(ClientError):
        aws.until_settled(Unsettled(*[error("Throttling")] * 1000, clock=clock))
    assert clock.slept[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]


def test_what_an_action_takes_itself_shortens_no_wait(clock: Clock) -> None:
    action = Unsettled(error("EntityAlreadyExists"), clock=clock, seconds=40)

    assert aws.until_settled(action) == "settled"


def test_each_reason_to_wait_has_its_own_time(clock: Clock) -> None:
    throttled, unpublished = error("Throttling"), error("BadRequestException", ISSUER)
    action = Unsettled(*[throttled] * 12, *[unpublished] * 3, clock=clock)

    assert aws.until_settled(action) == "settled"
    assert action.tries == 16


@pytest.mark.parametrize(
    "code", ["NoSuchEntity", "NotFoundException", "ResourceNotFoundException", "UserNotFoundException"]
)
def test_what_does_not_exist_is_none(code: str) -> None:
    def find(name: str) -> str:
        raise error(code)

    assert aws.or_none(find, name="a") is None


def test_what_may_not_be_looked_at_is_not_taken_for_missing() -> None:
    def find() -> str:
        raise error("AccessDenied")

    with pytest.raises(ClientError):
        aws.or_none(find)


@pytest.mark.parametrize(
    ("raised", "problem", "remedy"),
    [
        (
            error("ExpiredToken", "The security token included in the request is expired"),
            "Your AWS credentials have expired.",
            "Sign in again: aws sso login --profile mine, or, if they were copied, copy new ones to "
            "~/.aws/credentials. Then repeat this.",
        ),
        (
            error("InvalidClientTokenId", "The security token included in the request is invalid."),
            "AWS does not accept your credentials (InvalidClientTokenId).",
            "See where they come from (aws configure list), and mend them there: aws configure. Temporary ones also "
            "need their session token.",
        ),
        (
            error("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z"),
            "The clock of this machine is not the time that AWS has (SignatureDoesNotMatch): what is signed here does "
            "not count.",
            "Let the system set its clock from the network, then repeat this.",
        ),
        (
            error("RequestExpired", "Request has expired."),
            "The clock of this machine is not the time that AWS has (RequestExpired): what is signed here does not "
            "count.",
            "Let the system set its clock from the network, then repeat this.",
        ),
        (
            error("AccessDenied", "User: a is not authorized to perform: sts:AssumeRole on resource: b", "AssumeRole"),
            "AWS refused AssumeRole: User: a is not authorized to perform: sts:AssumeRole on resource: b",
            "Mend role_arn of your profile, or have that role's trust policy name you. An MFA code counts only once.",
        ),
        (
            error("AccessDenied", f"{DENIED} no identity-based policy allows the iam:CreateRole action", "CreateRole"),
            f"AWS refused CreateRole: {DENIED} no identity-based policy allows the iam:CreateRole action",
            "Ask for the permissions that docs/attendee-policy.json lists, then repeat this. What was attached this "
            "minute may not count yet.",
        ),
        (
            error("AccessDenied", f"{DENIED} with an explicit deny in a service control policy", "CreateRole"),
            f"AWS refused CreateRole: {DENIED} with an explicit deny in a service control policy",
            "Ask whoever keeps the organisation's policies: one of them does not allow it.",
        ),
        (
            error("AccessDenied", f"{DENIED} no permissions boundary allows the iam:CreateRole action", "CreateRole"),
            f"AWS refused CreateRole: {DENIED} no permissions boundary allows the iam:CreateRole action",
            "Have the permissions boundary widened: it caps what any policy allows.",
        ),
        (
            error("AccessDenied", f"{DENIED} with an explicit deny in an identity-based policy", "CreateRole"),
            f"AWS refused CreateRole: {DENIED} with an explicit deny in an identity-based policy",
            "Have that denial taken away: it wins over everything that allows.",
        ),
        (
            error("InvalidParameterValueException", ROLE),
            f"AWS answered CreateFunction with InvalidParameterValueException: {ROLE}",
            "Repeat the command: it goes on where this one stopped.",
        ),
        (
            exceptions.NoCredentialsError(),
            "Unable to locate credentials.",
            "Choose a profile (AWS_PROFILE), or make one: aws configure sso (aws configure, if you were given keys).",
        ),
        (
            exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY.",
            "Complete the credentials, or unset the half that is there.",
        ),
        (
            exceptions.ProfileNotFound(profile="a"),
            "The config profile (a) could not be found.",
            "Set AWS_PROFILE to a profile that `aws configure list-profiles` names.",
        ),
        (exceptions.NoRegionError(), "You must specify a region.", "Set AWS_REGION, us-east-1 for example."),
        (
            exceptions.EndpointConnectionError(endpoint_url="https://sts.us-east-9.amazonaws.com/"),
            'Could not connect to the endpoint URL: "https://sts.us-east-9.amazonaws.com/".',
            "Check the network and AWS_REGION, then repeat the command: it goes on from here.",
        ),
        (
            exceptions.ReadTimeoutError(endpoint_url="https://iam.amazonaws.com/"),
            'Read timeout on endpoint URL: "https://iam.amazonaws.com/".',
            "Check the network and AWS_REGION, then repeat the command: it goes on from here.",
        ),
        (
            exceptions.WaiterError("FunctionActiveV2", "Waiter encountered a terminal failure state", {}),
            "Waiter FunctionActiveV2 failed: Waiter encountered a terminal failure state.",
            "Mend that, then repeat the command.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_refusal_becomes_a_sentence_and_a_remedy(
    raised: Exception, problem: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    with pytest.raises(LabError) as told, aws.aws_errors_in_words():
        raise raised
    assert (told.value.problem, told.value.remedy) == (problem, remedy)


def test_every_page_of_a_list_is_read(warm_home: Path) -> None:
    target = lab_at(warm_home, "pages").target
    logs = target.client("logs")
    for number in range(5):
        logs.create_log_group(logGroupName=f"pages-{number}")
    asked = in_pages_of_one(target, "logs", "DescribeLogGroups")

    groups = aws.every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix="pages-")

    assert [group["logGroupName"] for group in groups] == ["pages-0", "pages-1", "pages-2", "pages-3", "pages-4"]
    assert asked == ["1", "2", "3", "4"]


def test_an_operation_without_pages_is_a_list_all_the_same(warm_home: Path) -> None:
    users = aws.every(lab_at(warm_home, "pages").target.client("sts"), "get_caller_identity", "None")

    assert list(users) == []


@pytest.mark.parametrize(
    ("service", "operation", "method", "refusal"),
    [
        ("cognito-idp", "ListUserPools", "list_user_pools", Refusal("TooManyRequestsException")),
        ("apigatewayv2", "GetApis", "get_apis", Refusal("TooManyRequestsException", status=429)),
        ("iam", "ListRoles", "list_roles", Refusal("Throttling")),
        ("lambda", "ListFunctions", "list_functions", Refusal("TooManyRequestsException", status=429)),
        ("logs", "DescribeLogGroups", "describe_log_groups", Refusal("ThrottlingException")),
    ],
)
def test_the_sdk_itself_repeats_a_throttled_call(
    service: str, operation: str, method: str, refusal: Refusal, warm_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time", Clock())
    target = lab_at(warm_home, "throttled").target
    left = refuse(target, service, operation, refusal, times=3)
    parameters: dict[str, Any] = {"MaxResults": 1} if service == "cognito-idp" else {}

    getattr(target.client(service), method)(**parameters)

    assert left == []


def test_every_region_is_in_the_partition_that_lists_it() -> None:
    session = botocore.session.Session()
    listed = {region: name for name in session.get_available_partitions() for region in regions(session, name)}
    assert {region: aws.partition(region).name for region in listed} == listed


def regions(session: Any, partition: str) -> list[str]:
    return list(session.get_available_regions("lambda", partition))


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("not-known-yet-1", "amazonaws.com"),
    ],
)
def test_the_hosts_of_a_region(region: str, suffix: str) -> None:
    assert aws.partition(region).dns_suffix == suffix


@pytest.mark.parametrize("region", sorted(aws.regions_with("cognito-idp") | {"us-west-9"}))
def test_a_region_with_user_pools_or_one_too_new_is_taken(region: str) -> None:
    aws.require_cognito(region)


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "us-iso-east-1"])
def test_a_region_without_user_pools_is_refused(region: str) -> None:
    with pytest.raises(UsageError, match=f"no user pools in {region}"):
        aws.require_cognito(region)
