"""A sign-in that Cognito refuses is told with its cause and what to do about it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from labkit.errors import LabError
from labkit.lab import Lab
from labkit.target.passwords import RESET
from tests.counting import sent_calls
from tests.labs import Refusal, lab_at, refuse

NAME = "signing-in"
TRIGGER = f"{NAME}-Pre-tokenAuthLambda"
TRIGGER_AT_FAULT = (
    "The pre token generation trigger is at fault: labkit check says how, labkit up --through user-pool mends it."
)
MEND = "See what is wrong: labkit check --step user-pool. Mend it: labkit up --through user-pool"


@pytest.fixture(scope="module")
def built(warm_home: Path) -> Lab:
    lab = lab_at(warm_home, NAME)
    lab.up()
    return lab


@pytest.fixture
def lab(built: Lab) -> Lab:
    """The lab with clients of its own."""
    return lab_at(built.settings.home, NAME)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.mark.parametrize(
    ("user", "scopes"),
    [("adminuser", "admin-{0} regular-{0}"), ("regularuser", "regular-{0}")],
)
def test_a_sign_in_gives_three_tokens_of_which_one_has_the_lab_s_scopes(user: str, scopes: str, built: Lab) -> None:
    tokens, app_client_id = built.tokens(user), built.status().ids["app_client_id"]

    assert tokens.keys() == {"id", "access", "refresh"}
    assert claims(tokens["id"])["scope"] == scopes.format(app_client_id)
    assert claims(tokens["id"])["aud"] == app_client_id
    assert claims(tokens["access"])["scope"] == "aws.cognito.signin.user.admin"
    assert claims(tokens["access"])["client_id"] == app_client_id


def remove_permission(lab: Lab) -> None:
    lab.target.client("lambda").remove_permission(FunctionName=TRIGGER, StatementId="cognito-runs-the-trigger")


def code(source: str) -> Callable[[Lab], None]:
    """Replace the trigger's code."""

    def replace(lab: Lab) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("lambda_function.py", f"def lambda_handler(event, context):\n    {source}\n")
        client = lab.target.client("lambda")
        client.update_function_code(FunctionName=TRIGGER, ZipFile=archive.getvalue())
        client.get_waiter("function_updated_v2").wait(FunctionName=TRIGGER, WaiterConfig={"Delay": 0.1})

    return replace


def cognito(operation: str, **parameters: Any) -> Callable[[Lab], None]:
    def call(lab: Lab) -> None:
        ids = lab.status().ids
        known = {"ClientId": ids["app_client_id"]} if "client" in operation else {"Username": "adminuser"}
        getattr(lab.target.client("cognito-idp"), operation)(UserPoolId=ids["user_pool_id"], **known, **parameters)

    return call


@pytest.mark.parametrize(
    ("damage", "problem", "remedy"),
    [
        (remove_permission,
         "(UnexpectedLambdaException: PreTokenGeneration invocation failed due to error AccessDeniedException)",
         TRIGGER_AT_FAULT),
        (code("raise ValueError('no')"),
         "(UserLambdaValidationException: PreTokenGeneration failed with error no)", TRIGGER_AT_FAULT),
        (code("return 'junk'"), "(InvalidLambdaResponseException: ", TRIGGER_AT_FAULT),
        (cognito("update_user_pool_client"),
         "(InvalidParameterException: USER_PASSWORD_AUTH flow not enabled for this client)", MEND),
        (cognito("admin_disable_user"), "(NotAuthorizedException: User is disabled)", MEND),
        (cognito("admin_set_user_password", Password="Some.other.1", Permanent=True),
         "(NotAuthorizedException: Incorrect username or password): somebody set another password since", RESET),
        (cognito("admin_delete_user"),
         "(NotAuthorizedException: Incorrect username or password): somebody", RESET),
    ],
    ids=["permission", "raising", "junk", "flows", "disabled", "password", "deleted"],
)  # fmt: skip
def test_the_cause_of_a_refusal_is_told_and_up_removes_it(
    damage: Callable[[Lab], None], problem: str, remedy: str, built: Lab
) -> None:
    damage(built)

    with pytest.raises(LabError) as error:
        built.tokens("adminuser")

    assert error.value.problem.startswith(f"Cognito refused the sign-in of adminuser {problem}")
    assert error.value.remedy == remedy
    built.up("user-pool", reset_passwords=remedy == RESET)
    assert claims(built.tokens("adminuser")["id"])["scope"]


def test_a_password_that_has_to_be_changed_is_told(built: Lab) -> None:
    password = built.password("adminuser")
    cognito("admin_set_user_password", Password=password, Permanent=False)(built)

    with pytest.raises(LabError) as error:
        built.tokens("adminuser")

    assert str(error.value) == (
        "Cognito answered the sign-in of adminuser with a challenge (NEW_PASSWORD_REQUIRED). "
        "Confirm the user: labkit up --through user-pool"
    )
    built.up()
    assert built.tokens("adminuser")


def test_too_many_wrong_passwords_ask_for_patience_and_cost_no_password(lab: Lab) -> None:
    refuse(lab.target, "cognito-idp", "InitiateAuth", Refusal("NotAuthorizedException", "Password attempts exceeded"))

    with pytest.raises(LabError) as error:
        lab.tokens("adminuser")

    assert str(error.value) == (
        "Cognito refused the sign-in of adminuser (NotAuthorizedException: Password attempts exceeded). "
        "Too many wrong passwords: wait a few minutes, then sign in again."
    )
    assert lab.password("adminuser")


def test_a_user_who_never_had_a_password_is_to_get_the_one_that_is_told(built: Lab) -> None:
    cognito("admin_delete_user")(built)
    cognito("admin_create_user", MessageAction="SUPPRESS")(built)
    (built.target.folder / "passwords.json").unlink()

    password = built.password("adminuser")

    assert built.password("adminuser") == password
    cognito("admin_set_user_password", Password=password, Permanent=True)(built)
    assert built.tokens("adminuser")
    built.up(reset_passwords=True)


@pytest.mark.parametrize(
    "ask",
    [lambda lab: lab.tokens("regularuser"), lambda lab: lab.password("regularuser"),
     lambda lab: lab.call("GET /AdminUser", "regularuser"), lambda lab: lab.explain("GET /AdminUser", "regularuser"),
     lambda lab: lab.access(), lambda lab: lab.what_if("regularuser", send=False)],
    ids=["tokens", "password", "call", "explain", "access", "what-if"],
)  # fmt: skip
def test_who_needs_a_password_that_is_not_known_here_is_told_whose_it_is_and_what_a_new_one_costs(
    ask: Callable[[Lab], Any], built: Lab
) -> None:
    file = built.target.folder / "passwords.json"
    kept = file.read_text()
    file.unlink()

    with pytest.raises(LabError) as error:
        ask(built)

    assert str(error.value) == (
        "The password of regularuser is not known on this machine: it is kept on the one that set it. "
        "Set new ones for the lab's users: labkit up --through user-pool --reset-passwords. "
        "Then nobody can sign in with the present ones any more."
    )
    file.write_text(kept)


def test_a_refused_password_is_not_tried_again(built: Lab) -> None:
    """After five wrong passwords Cognito locks the user, whoever has the right one too."""
    cognito("admin_set_user_password", Password="Some.other.1", Permanent=True)(built)

    with sent_calls(built.target) as sent:
        for _ in range(3):
            with pytest.raises(LabError, match="somebody set another password since"):
                built.tokens("adminuser")
        assert not built.check().passed

    assert sent.count("InitiateAuth") == 1 + len(("regularuser",))
    built.up(reset_passwords=True)
    assert built.check().passed
