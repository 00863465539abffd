"""What every step needs of AWS's APIs: absence as None, patience with what settles late, errors in one sentence."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from botocore import exceptions

from labkit.errors import LabError, UsageError

T = TypeVar("T")

# What each service says of a thing that does not exist.
ABSENT = frozenset({"NoSuchEntity", "NotFoundException", "ResourceNotFoundException", "UserNotFoundException"})

THROTTLED = frozenset(
    {"RequestLimitExceeded", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)

CONCURRENT = frozenset({"ConcurrentModification", "ConcurrentModificationException", "OperationAbortedException"})

# A creation whose first answer was lost is refused with one of these when the client sends it again.
EXISTS = frozenset(
    {
        "ConflictException",
        "EntityAlreadyExists",
        "GroupExistsException",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "UsernameExistsException",
    }
)


DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

_READS = re.compile(r"(Get|List|Describe|Filter|AdminGet|AdminList|Initiate)")


def is_read(operation: str) -> bool:
    """Whether an operation, named as the API names it, only looks."""
    return bool(_READS.match(operation))


@dataclass(frozen=True)
class Settling:
    """An answer that AWS gives while an earlier change is still spreading, and for how many seconds to try again."""

    codes: frozenset[str]
    words: str
    seconds: float
    why: str


_EXISTING = "it exists already, so it is looked up again"

# The first row that fits counts. Only the message tells a role that is too new from one that is wrong, so every
# row has an end. Sources: the Lambda, API Gateway v2 and IAM API references; `words` are as AWS is known to answer.
SETTLING = (
    Settling(frozenset({"InvalidParameterValueException"}), "cannot be assumed", 60, "a new role is spreading"),
    Settling(frozenset({"BadRequestException"}), "issuer", 45, "a new user pool's issuer is not published yet"),
    Settling(frozenset({"ConflictException"}), "try again later", 60, "another change to this API is under way"),
    Settling(THROTTLED, "", 90, "AWS asks for fewer calls a second"),
    Settling(frozenset({"ResourceConflictException"}), "progress", 60, "a function is still being updated"),
    Settling(frozenset({"ResourceConflictException"}), "pending", 60, "a new function is not active yet"),
    Settling(EXISTS, "", 12, _EXISTING),
    Settling(frozenset({"InvalidParameterException", "BadRequestException"}), "already", 12, _EXISTING),
    Settling(ABSENT, "", 20, "what was just made is not visible everywhere yet"),
    Settling(CONCURRENT, "", 60, "another change is under way"),
    Settling(frozenset({"DeleteConflict"}), "", 15, "what belonged to it is not gone everywhere yet"),
    Settling(frozenset({"InvalidParameterException"}), "domain configured", 60, "a hosted domain is being deleted"),
)


def error_code(error: exceptions.ClientError) -> str:
    """The error code of an AWS answer: `NoSuchEntity` and the like."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: exceptions.ClientError) -> str:
    """The message of an AWS answer."""
    response = error.response
    return str(response.get("Error", {}).get("Message", "") or response.get("message", ""))


def is_absent(error: exceptions.ClientError) -> bool:
    """Whether AWS answered that what was asked for does not exist.

    DeleteUserPoolDomain is known to say so with the code of a wrong parameter.
    """
    return error_code(error) in ABSENT or error_message(error).startswith("No such domain")


def or_none(call: Callable[..., T], **parameters: Any) -> T | None:
    """Call an operation; None if what it asks for does not exist."""
    try:
        return call(**parameters)
    except exceptions.ClientError as error:
        if is_absent(error):
            return None
        raise


def was_repeated(answer: dict[str, Any]) -> bool:
    """Whether the SDK sent a request more than once: what it creates may then be there twice, if the name may be."""
    return int(answer["ResponseMetadata"]["RetryAttempts"]) > 0


def every(client: Any, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
    """Every item of a list operation, through all its pages.

    Args:
        client: a boto3 client.
        operation: the client's method, `list_user_pools` and the like.
        key: the member of each page that holds the items.
        parameters: the operation's parameters.
    """
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])
    else:
        yield from getattr(client, operation)(**parameters).get(key, [])


def as_list(value: Any) -> list[Any]:
    """What a policy says of one thing or of a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def newest_first(things: Iterable[dict[str, Any]], member: str) -> list[dict[str, Any]]:
    """Things by the time in a member of each. AWS need not give it: what is without is the oldest."""

    def made(thing: dict[str, Any]) -> float:
        moment = thing.get(member)
        return moment.timestamp() if isinstance(moment, datetime) else 0

    return sorted(things, key=made, reverse=True)


def settling(error: exceptions.ClientError) -> Settling | None:
    """The row of SETTLING that an error fits, if any."""
    code, message = error_code(error), error_message(error).lower()
    return next((row for row in SETTLING if code in row.codes and row.words in message), None)


def until_settled(action: Callable[[], T], *, waiting: Callable[[str], None] = lambda why: None) -> T:
    """Repeat an idempotent action while AWS answers that an earlier change has not settled.

    Args:
        action: something that finds before it makes, so that repeating it is safe.
        waiting: told, before each pause, what is waited for.

    Raises:
        ClientError: any other answer, or the same one when its time is up.
    """
    since: dict[Settling, float] = {}
    pause = 0.2
    while True:
        try:
            return action()
        except exceptions.ClientError as error:
            row = settling(error)
            # From its first such answer on: how long the action itself takes does not count.
            if row is None or time.monotonic() - since.setdefault(row, time.monotonic()) > row.seconds:
                raise
            waiting(row.why)
        time.sleep(pause)
        pause = min(pause * 2, 5)


@contextmanager
def aws_errors_in_words(profile: str = "") -> Iterator[None]:
    """Turn what botocore raises into a sentence for a person.

    Args:
        profile: whose credentials are used, if they are not those of the environment.

    Raises:
        LabError: credentials, region, profile or endpoint are missing or wrong, or AWS refused a call.
    """
    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(error, profile) from error
    except exceptions.BotoCoreError as error:
        raise LabError(_first_line(error), _remedy(error, profile)) from error


_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
# What was signed is valid for some minutes. https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
_TOO_OLD_OR_NEW = ("Signature expired", "Signature not yet current")
_UNKNOWN_KEY = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})


# What helps, by the words with which AWS says who denies.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
DENIALS = {
    "service control policy": "Ask whoever keeps the organisation's policies: one of them does not allow it.",
    "permissions boundary": "Have the permissions boundary widened: it caps what any policy allows.",
    "explicit deny": "Have that denial taken away: it wins over everything that allows.",
    "": "Ask for the permissions that docs/attendee-policy.json lists, then repeat this. What was attached this minute "
    "may not count yet.",
}


def denial_remedy(message: str) -> str:
    """What helps where AWS says who denies; nothing where it only says that nobody allows."""
    return next((remedy for words, remedy in DENIALS.items() if words and words in message), "")


def _refusal(error: exceptions.ClientError, profile: str) -> LabError:
    code, operation, message = error_code(error), error.operation_name, error_message(error)
    if code in _EXPIRED:
        return LabError("Your AWS credentials have expired.", _renewal(profile))
    if code in _CLOCK or message.startswith(_TOO_OLD_OR_NEW):
        return LabError(
            f"The clock of this machine is not the time that AWS has ({code}): what is signed here does not count.",
            "Let the system set its clock from the network, then repeat this.",
        )
    if code in _UNKNOWN_KEY:
        return LabError(f"AWS does not accept your credentials ({code}).", _UNKNOWN_KEY_REMEDY)
    if code in DENIED:
        remedy = _NOT_ASSUMED if operation == "AssumeRole" else DENIALS[""]
        return LabError(f"AWS refused {operation}: {message}", denial_remedy(message) or remedy)
    again = "Repeat the command: it goes on where this one stopped."
    return LabError(f"AWS answered {operation} with {_told(error)}", _TAKEN if code in EXISTS else again)


def _told(error: exceptions.ClientError) -> str:
    """Code and message; the HTTP status where a page or nothing came in their place, as from what stands before AWS."""
    code, message = error_code(error), error_message(error)
    if code and not message.lstrip().startswith("<"):
        return f"{code}: {message}"
    return f"HTTP {error.response['ResponseMetadata'].get('HTTPStatusCode')} and no message."


_TAKEN = "If that is somebody else's, choose another name for the lab (LABKIT_NAME); if not, repeat the command."


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".: ") + "."


def _remedy(error: exceptions.BotoCoreError, profile: str) -> str:
    return next(
        (text for kind, text in _REMEDIES if isinstance(error, kind)), "Mend that, then repeat the command."
    ).format(profile=source_profile(profile))


def source_profile(profile: str = "") -> str:
    """The profile that a person signs in to: the one that is used, or the last in its chain of source profiles."""
    import botocore.session  # noqa: PLC0415 - few ask for it

    name = profile or os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE") or "default"
    seen: list[str] = []
    with suppress(exceptions.BotoCoreError):  # a file that cannot be read
        profiles = botocore.session.Session().full_config["profiles"]
        while name not in seen and "source_profile" in profiles.get(name, {}):
            seen.append(name)
            name = profiles[name]["source_profile"]
    return name


def _renewal(profile: str) -> str:
    """How to get new credentials in the place of temporary ones, by where they are."""
    if "AWS_SESSION_TOKEN" in os.environ and not profile:
        return (
            "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew from where you got them (AWS "
            "Academy: AWS Details), and start the lab again from that terminal."
        )
    return (
        f"Sign in again: aws sso login --profile {source_profile(profile)}, or, if they were copied, copy new ones to "
        "~/.aws/credentials. Then repeat this."
    )


_SIGN_IN = "Sign in again, then repeat this: aws sso login --profile {profile}"
_PROFILE = "Mend the profile in ~/.aws/config, or choose another (AWS_PROFILE): aws configure list-profiles"
_UNKNOWN_KEY_REMEDY = (
    "See where they come from (aws configure list), and mend them there: aws configure. Temporary ones also need their "
    "session token."
)
_NOT_ASSUMED = "Mend role_arn of your profile, or have that role's trust policy name you. An MFA code counts only once."
_NETWORK = "Check the network and AWS_REGION, then repeat the command: it goes on from here."

# What helps, by what botocore raises. The first row that fits counts.
_REMEDIES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (
        exceptions.NoCredentialsError,
        "Choose a profile (AWS_PROFILE), or make one: aws configure sso (aws configure, if you were given keys).",
    ),
    (exceptions.PartialCredentialsError, "Complete the credentials, or unset the half that is there."),
    (exceptions.ProfileNotFound, "Set AWS_PROFILE to a profile that `aws configure list-profiles` names."),
    ((exceptions.NoRegionError, exceptions.InvalidRegionError), "Set AWS_REGION, us-east-1 for example."),
    ((exceptions.SSOError, exceptions.TokenRetrievalError), _SIGN_IN),
    (exceptions.LoginError, _SIGN_IN.replace("aws sso login", "aws login")),
    (
        exceptions.ConfigParseError,
        "Mend that file: a profile begins with [profile NAME] (in the file credentials with [NAME]), and each line "
        "below it is key = value.",
    ),
    (exceptions.InvalidConfigError, _PROFILE),
    (
        exceptions.CredentialRetrievalError,
        "See what your profile in ~/.aws/config calls or reads for them (credential_process, say), and mend that.",
    ),
    (
        exceptions.MissingDependencyException,  # profiles of `aws login` need what AWS's SDK does not bring
        "Sign in with the AWS CLI (aws login --profile {profile}) and give the lab what it gets: "
        'eval "$(aws configure export-credentials --profile {profile} --format env)"',
    ),
    ((exceptions.HTTPClientError, exceptions.ConnectionError), _NETWORK),
)


@dataclass(frozen=True)
class Partition:
    """A part of AWS with accounts and host names of its own: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc` and others."""

    name: str
    dns_suffix: str


@functools.cache
def partition(region: str) -> Partition:
    """The partition of a region, from botocore's data; of a region that fits none, `aws`, as in AWS's endpoint rules.

    https://smithy.io/2.0/aws/rules-engine/library-functions.html#aws-partition-function
    """
    from botocore.loaders import Loader  # noqa: PLC0415 - few ask for it, and reading its data takes a while

    rows = Loader().load_data("partitions")["partitions"]
    found = next((row for row in rows if re.fullmatch(row["regionRegex"], region)), rows[0])
    return Partition(found["outputs"]["name"], found["outputs"]["dnsSuffix"])


@functools.cache
def regions_with(service: str) -> frozenset[str]:
    """Every region, of every partition, in which a service can be called, as far as botocore knows."""
    import botocore.session  # noqa: PLC0415 - few ask for it

    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    return frozenset(region for name in partitions for region in session.get_available_regions(service, name))


def require_cognito(region: str) -> None:
    """Refuse a region that has no user pools. One that is too new for botocore may have them.

    Raises:
        UsageError: Lambda is there, and Cognito is not.
    """
    if region in regions_with("lambda") - regions_with("cognito-idp"):
        raise UsageError(
            f"Amazon Cognito has no user pools in {region}, and the lab needs one.",
            "Set AWS_REGION to a region that has them, such as us-east-1, with credentials of that partition.",
        )
