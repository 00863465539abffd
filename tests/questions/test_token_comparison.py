"""Two tokens side by side, the trigger's part in it, and who may call what."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.lab import Lab
from labkit.target.names import PRE_TOKEN
from tests.labs import Refusal, change_answers, refuse
from tests.signing import signed

pytestmark = pytest.mark.usefixtures("stable_outputs")

OLD_WORKS = (
    "The groups changed between the two sign-ins. The older token still says what was true then, and works until it "
    "expires: the authorizer looks at signature and clock, and asks the user pool nothing."
)


@pytest.fixture
def lab(built: Lab) -> Iterator[Lab]:
    """The whole lab with clients of its own, mended after the test."""
    yield Lab(built.settings, tell=lambda _: None)
    built.ensure("user-pool")


def test_two_users_differ_in_their_scope(built: Lab) -> None:
    left, right = built.tokens("regularuser")["id"], built.tokens("adminuser")["id"]
    assert built.compare(left, right).text() == (
        "what differs      regularuser's ID token    adminuser's ID token\n"
        "----------------  ------------------------  ---------------------------------------------\n"
        'scope             "regular-$APP_CLIENT_ID"  "admin-$APP_CLIENT_ID regular-$APP_CLIENT_ID"\n'
        'cognito:groups    ["regular"]               ["admin", "regular"]\n'
        'cognito:username  "regularuser"             "adminuser"\n'
        'sub               "<UUID>"                  another\n'
        "\n"
        "Left out is what is new in every token: its own id, its times, the id of its sign-in.\n"
        'For regularuser the trigger was given the groups regular and answered scope "regular-$APP_CLIENT_ID".\n'
        'For adminuser the trigger was given the groups admin, regular and answered scope "admin-$APP_CLIENT_ID '
        'regular-$APP_CLIENT_ID".\n'
        "The groups decide: the trigger makes a scope of each, and a route asks for one of the scopes."
    )


def test_the_two_tokens_of_one_sign_in_differ(built: Lab) -> None:
    tokens = built.tokens("adminuser")
    compared = built.compare(tokens["id"], tokens["access"])
    assert [difference["name"] for difference in compared.to_dict()["differences"]][:4] == [
        "aud", "client_id", "token_use", "scope",
    ]  # fmt: skip
    rows = [line.split() for line in compared.text().splitlines()]
    assert ["kid", "(header)", "<one", "key>", "<another", "key>"] in rows
    assert "A trigger of version V1_0, the post's, changes the ID token only." in compared.text()
    assert "<td" in compared.html()


def test_a_group_change_does_not_reach_an_old_token(lab: Lab) -> None:
    before = lab.tokens("regularuser")["id"]
    lab.add_to_group("regularuser", "admin")
    after = lab.tokens("regularuser")["id"]
    compared = lab.compare(before, after)
    assert OLD_WORKS in compared.text()
    assert [cause["run"]["groups"] for cause in compared.to_dict()["causes"]] == [["regular"], ["regular", "admin"]]
    lab.ensure("user-pool")
    assert lab.call("GET /AdminUser", token=after).status == 200
    assert lab.call("GET /AdminUser", token=before).status == 403


def test_a_user_must_be_known(built: Lab) -> None:
    with pytest.raises(UsageError):
        built.add_to_group("nobody", "admin")


def test_the_same_token_twice_says_the_same(built: Lab) -> None:
    token = built.tokens("regularuser")["id"]
    assert built.compare(token, token).text() == (
        'For regularuser the trigger was given the groups regular and answered scope "regular-$APP_CLIENT_ID".\n'
        "They say the same about the same user: either opens what the other opens, as long as it is valid."
    )


@pytest.mark.parametrize(
    ("text", "lesson"),
    [
        ("hello", "One of the two is no token: It has 1 part, and a signed token has 3, separated by dots."),
        (
            signed({"iss": "https://elsewhere.example"}),
            "They come from different issuers, and an authorizer trusts one.",
        ),
        (signed({"cognito:groups": 5, "iss": 3, "iat": []}), "They come from different issuers"),
    ],
)
def test_anything_can_be_compared(built: Lab, text: str, lesson: str) -> None:
    assert lesson in built.compare(built.tokens("regularuser")["id"], text).text()
    assert lesson in built.compare(text, built.tokens("regularuser")["id"]).html()


def test_what_follows_is_true_of_the_kinds_of_token_that_are_compared(built: Lab) -> None:
    admin, regular = built.tokens("adminuser"), built.tokens("regularuser")
    access = built.compare(admin["access"], regular["access"]).text()
    assert "An access token has the scope that Cognito wrote, whoever signed in." in access
    assert "The groups decide" not in access
    encrypted = built.compare(admin["id"], admin["refresh"]).text()
    assert "An encrypted token is among them: only its issuer can read what it says" in encrypted
    assert "different issuers" not in encrypted


def test_the_cause_of_a_scope_is_the_trigger(built: Lab) -> None:
    assert built.cause(built.tokens("regularuser")["id"]).text() == (
        'For regularuser the trigger was given the groups regular and answered scope "regular-$APP_CLIENT_ID".\n'
        "Then the token was signed, with that scope in it.\n"
        "\n"
        "claim    before the trigger    after the trigger\n"
        "-------  --------------------  ------------------------\n"
        'scope    none                  "regular-$APP_CLIENT_ID"'
    )


def test_an_access_token_does_not_have_what_the_trigger_answered(built: Lab) -> None:
    cause = built.cause(built.tokens("adminuser")["access"])
    assert "Its answer is not in this token, an access token." in cause.text()
    assert cause.to_dict()["changed"] == []


def test_an_id_token_without_what_the_trigger_logged_is_no_matter_of_its_version(built: Lab) -> None:
    token = built.tokens("adminuser")["id"]
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "scope": "all"}).encode()).decode().rstrip("=")
    said = built.cause(f"{header}.{changed}.{signature}").text()
    assert ("does not return what it logs" in said, "V1_0" in said) == (True, False)


@pytest.mark.parametrize("kind", ["refresh", None])
def test_what_cannot_be_read_has_no_line_to_look_for(built: Lab, kind: str | None) -> None:
    token = built.tokens("adminuser")[kind] if kind else "adminuser"
    said = built.cause(token).text()
    assert ("only its issuer can read it" if kind else "Not a token that can be read.") in said
    assert "has logged no line" not in said


def test_a_user_without_groups_gets_no_scope(lab: Lab) -> None:
    pool = lab.status().ids["user_pool_id"]
    lab.target.client("cognito-idp").admin_remove_user_from_group(
        UserPoolId=pool, Username="regularuser", GroupName="regular"
    )
    assert lab.cause(lab.tokens("regularuser")["id"]).text() == (
        "For regularuser the trigger was given no group and answered no scope.\n"
        "So the token has no scope that a route asks for."
    )


def test_a_token_that_the_trigger_never_saw_has_no_line(built: Lab) -> None:
    stranger = signed({"cognito:username": "adminuser", "iat": int(time.time()), "cognito:groups": ["boss"]})
    said = "Pre-tokenAuthLambda has logged no line that fits this token. Its log goes with the lab."
    assert built.cause(stranger).text() == said


def test_where_the_log_is_gone_with_the_lab_there_is_no_line(lab: Lab) -> None:
    token = lab.tokens("adminuser")["id"]
    lab.target.client("logs").delete_log_group(logGroupName=lab.target.names.log_group(PRE_TOKEN))
    assert "has logged no line that fits" in lab.cause(token).text()


def test_a_line_that_comes_late_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    token = lab.tokens("adminuser")["id"]
    looks = []

    def late(answer: dict[str, Any]) -> None:
        looks.append(len(answer["events"]))
        if len(looks) < 3:
            answer["events"] = []

    change_answers(lab.target, "logs", "FilterLogEvents", late)
    monkeypatch.setattr(lab.target.place, "patience", 30)
    monkeypatch.setattr("labkit.machine.polling.time.sleep", lambda _: None)
    assert lab.cause(token).to_dict()["run"]["user"] == "adminuser"
    assert len(looks) == 3


def test_a_log_that_may_not_be_read_is_said_as_such(lab: Lab) -> None:
    token = lab.tokens("adminuser")["id"]
    refuse(lab.target, "logs", "FilterLogEvents", Refusal("AccessDeniedException", "no"))
    assert "The trigger's log cannot be read: AWS refused FilterLogEvents" in lab.cause(token).text()
    assert "The groups decide" in lab.compare(lab.tokens("regularuser")["id"], token).text()


def test_who_may_call_what(built: Lab) -> None:
    calls = built.access().to_dict()["calls"]
    assert [(c["caller"], c["request"], c["status"], c["observed_status"]) for c in calls] == [
        ("nobody", "GET /AdminUser", 401, 401),
        ("nobody", "GET /RegularUser", 401, 401),
        ("regularuser", "GET /AdminUser", 403, 403),
        ("regularuser", "GET /RegularUser", 200, 200),
        ("adminuser", "GET /AdminUser", 200, 200),
        ("adminuser", "GET /RegularUser", 200, 200),
        ("adminuser (access token)", "GET /AdminUser", 403, 403),
        ("adminuser (access token)", "GET /RegularUser", 403, 403),
    ]
    assert calls[2]["curl"] == 'curl -H "Authorization: $(labkit token regularuser)" "$API_URL/AdminUser"'


def test_an_expired_token_is_named_as_such(built: Lab) -> None:
    answer = built.call("GET /AdminUser", token=signed({"exp": time.time() - 720}))
    note = "The token expired 12 minutes ago. Get a fresh one: lab.tokens(USER), or labkit token USER in a shell."
    assert (answer.status, answer.note) == (401, note)
    assert note in answer.text()
    assert note in answer.html()
    assert built.call("GET /AdminUser", token=signed({"exp": time.time() + 720})).note == ""
