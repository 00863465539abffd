"""Sign-in with user name and password, as the post does it with the AWS CLI."""

from __future__ import annotations

from botocore.exceptions import ClientError

from labkit.aws import error_code, error_message
from labkit.errors import LabError, UsageError
from labkit.steps.app_client import app_client_id
from labkit.steps.user_pool import find_user_pool
from labkit.target import passwords
from labkit.target.names import USERS
from labkit.target.target import Target

KINDS = {"id": "IdToken", "access": "AccessToken", "refresh": "RefreshToken"}

NO_LAB = LabError("There is no lab yet.", "Build it: labkit up")

# Cognito's three answers for a trigger that does not do its part.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
_TRIGGER_ERRORS = frozenset(
    {"UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"}
)

_WRONG_PASSWORD = "Incorrect username or password"  # noqa: S105 - Cognito's words


def known_user(user: str) -> str:
    """Return `user` if it is one of the lab's.

    Raises:
        UsageError: it is not.
    """
    if user not in USERS:
        raise UsageError(f"The lab has no user {user!r}.", f"Name one of {', '.join(USERS)}.")
    return user


def tokens(target: Target, user: str) -> dict[str, str]:
    """Sign a user in anew.

    Args:
        target: the lab's place.
        user: `adminuser` or `regularuser`.

    Returns:
        The raw tokens by kind: {"id": ..., "access": ..., "refresh": ...}.

    Raises:
        LabError: there is no lab, or Cognito refuses the sign-in.
    """
    pool = find_user_pool(target) if known_user(user) else None
    client_id = app_client_id(target, pool["Id"]) if pool else None
    if pool is None or client_id is None:
        raise NO_LAB
    password = passwords.known(target, pool["Id"], user)
    try:
        answer = target.client("cognito-idp").initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
    except ClientError as error:
        if _WRONG_PASSWORD in error_message(error):
            passwords.forget(target, pool["Id"], user)
        raise _refused(user, error) from error
    if "AuthenticationResult" not in answer:
        raise LabError(
            f"Cognito answered the sign-in of {user} with a challenge ({answer.get('ChallengeName')}).",
            "Confirm the user: labkit up",
        )
    return {kind: answer["AuthenticationResult"][member] for kind, member in KINDS.items()}


def _refused(user: str, error: ClientError) -> LabError:
    code, message = error_code(error), error_message(error)
    if code in _TRIGGER_ERRORS:
        remedy = "The pre token generation trigger is at fault: labkit check says how, labkit up mends it."
    elif _WRONG_PASSWORD in message:
        remedy = "Set a new password: labkit up"
    elif "attempts exceeded" in message:
        remedy = "Too many wrong passwords: wait a few minutes, then sign in again."
    else:
        remedy = "See what is wrong: labkit check. Mend it: labkit up"
    return LabError(f"Cognito refused the sign-in of {user} ({code}: {message.rstrip('.')}).", remedy)
