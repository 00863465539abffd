"""Sign-in with user name and password, as the post does it with the AWS CLI."""

from __future__ import annotations

from functools import cached_property

from botocore.exceptions import ClientError

from labkit.aws import error_code, error_message
from labkit.errors import LabError
from labkit.steps.app_client import app_client_id
from labkit.steps.function_code import is_own
from labkit.steps.user_pool import find_user_pool
from labkit.target import passwords
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target

MEMBERS = {"id": "IdToken", "access": "AccessToken", "refresh": "RefreshToken"}

NO_LAB = LabError("There is no lab.", "Begin with chapter 01, or build all of it: labkit up")
NO_USERS = LabError("There are no users yet.", "Build them: labkit up --through user-pool")

# Cognito's three answers for a trigger that does not do its part.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
_TRIGGER_ERRORS = frozenset(
    {"UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"}
)

_WRONG_PASSWORD = "Incorrect username or password"  # noqa: S105 - Cognito's words


class SignIns:
    """The sign-ins of one question: pool and app client are looked up once, and each user signs in once.

    Args:
        target: the lab's place.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._kept: dict[str, dict[str, str]] = {}

    def tokens(self, user: str) -> dict[str, str]:
        """The raw tokens of a user by kind: {"id": ..., "access": ..., "refresh": ...}.

        Raises:
            LabError: there are no users, or Cognito refuses the sign-in.
        """
        if user not in self._kept:
            self._kept[user] = self.anew(user)
        return self._kept[user]

    def anew(self, user: str) -> dict[str, str]:
        """The tokens of a sign-in of its own."""
        password = passwords.known(self._target, self._pool_id, user)
        try:
            answer = self._target.client("cognito-idp").initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH",
                ClientId=self._client_id,
                AuthParameters={"USERNAME": user, "PASSWORD": password},
            )
        except ClientError as error:
            if _WRONG_PASSWORD in error_message(error):
                passwords.refused(self._target, self._pool_id, user, password)
            raise _refused(self._target, user, error) from error
        if "AuthenticationResult" not in answer:
            raise LabError(
                f"Cognito answered the sign-in of {user} with a challenge ({answer.get('ChallengeName')}).",
                "Confirm the user: labkit up --through user-pool",
            )
        return {kind: answer["AuthenticationResult"][member] for kind, member in MEMBERS.items()}

    @cached_property
    def _pool_id(self) -> str:
        return user_pool_id(self._target)

    @cached_property
    def _client_id(self) -> str:
        """The app client's id."""
        found = app_client_id(self._target, self._pool_id)
        if found is None:
            raise NO_USERS
        return found


def user_pool_id(target: Target) -> str:
    """The id of the lab's user pool. LabError if there is none."""
    pool = find_user_pool(target)
    if pool is None:
        raise NO_USERS
    return str(pool["Id"])


def password(target: Target, user: str) -> str:
    """The password of one of the lab's users. One who never had any is to get this one: it is made, and kept."""
    pool = user_pool_id(target)
    if passwords.saved(target, pool, user) is None:
        found = target.read("cognito-idp", "admin_get_user", UserPoolId=pool, Username=user) or {}
        if found.get("UserStatus") == "FORCE_CHANGE_PASSWORD":
            passwords.new(target, pool, user)
            passwords.confirm(target, pool, user)
    return passwords.known(target, pool, user)


def set_membership(target: Target, user: str, group: str, *, member: bool) -> None:
    """Put one of the lab's users into one of its groups, or take them out."""
    target.require_confirmation()
    cognito, key = target.client("cognito-idp"), {"UserPoolId": user_pool_id(target), "Username": user}
    change = cognito.admin_add_user_to_group if member else cognito.admin_remove_user_from_group
    change(**key, GroupName=group)


def own_code(target: Target) -> str | None:
    """What to do about functions that are the learner's own: `labkit up` deploys them again. None if none is."""
    settings = target.settings
    own = [function for function in FUNCTIONS if is_own(function, settings.runtime, settings.copy_home)]
    if not own:
        return None
    return (
        f'Your own {" and ".join(own)} may be the cause: in a notebook, lab.check_task("trigger") tells what your '
        "trigger does. In a terminal, labkit chapters --fresh lambdas brings the lab's own back. "
        "Then deploy it: labkit up"
    )


def _refused(target: Target, user: str, error: ClientError) -> LabError:
    code, message = error_code(error), error_message(error)
    problem = f"Cognito refused the sign-in of {user} ({code}: {message.rstrip('.')})"
    if _WRONG_PASSWORD in message:
        return passwords.PasswordError(f"{problem}: {passwords.ANOTHER}.", wrong=True)
    if code in _TRIGGER_ERRORS:
        remedy = own_code(target) or (
            "The pre token generation trigger is at fault: labkit check says how, "
            "labkit up --through user-pool mends it."
        )
    elif "attempts exceeded" in message:
        remedy = "Too many wrong passwords: wait a few minutes, then sign in again."
    else:
        remedy = "See what is wrong: labkit check --step user-pool. Mend it: labkit up --through user-pool"
    return LabError(f"{problem}.", remedy)
