"""Tokens are read on this machine, each claim explained, and their signature checked."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from labkit.lab import Lab
from labkit.questions import token_reading as reading
from tests.signing import signed

NOW = 1_800_000_000

stable = pytest.mark.usefixtures("stable_outputs")


@pytest.fixture(scope="module")
def lab(new_lab: Callable[..., Lab]) -> Lab:
    """A lab with users who can sign in."""
    lab = new_lab()
    lab.up(through="user-pool")
    return lab


@stable
def test_named_claims_are_explained(lab: Lab) -> None:
    read = lab.read(lab.tokens("adminuser")["id"], "scope", "nickname")
    assert read.text() == (
        "eyJhbGciOi….eyJzdWIiOi….…\n"
        "An ID token: it tells an app who the user is.\n"
        "✓ valid signature. The key <key 2> of the issuer made the signature, and nothing was changed since.\n"
        "\n"
        "claim     value                                          what it says, who sets it, who checks it\n"
        "--------  ---------------------------------------------  "
        "---------------------------------------------------------\n"
        'scope     "admin-$APP_CLIENT_ID regular-$APP_CLIENT_ID"  '
        "What the token allows, in words with blanks between them;\n"
        "                                                         "
        "set by Cognito in an access token, a pre token generation\n"
        "                                                         "
        "trigger in an ID token, checked by the JWT authorizer,\n"
        "                                                         against the route's scopes.\n"
        "nickname  none                                           This token has no such claim."
    )


@stable
def test_every_claim_is_explained_where_none_is_named(lab: Lab) -> None:
    text = lab.read(lab.tokens("regularuser")["access"]).text()
    rows = {line.split("  ")[0]: line for line in text.splitlines()}
    assert text.startswith("eyJhbGciOi….eyJzdWIiOi….…\nAn access token: it tells an API what the user may do.\n")
    assert "in 60 minutes" in rows["exp"]
    assert "a moment ago" in rows["iat"]
    assert '"<UUID>"' in rows["sub"]
    assert '"aws.cognito.signin.user.admin"' in rows["scope"]
    assert "Which of the issuer's keys signed the token" in rows["kid"]


@stable
def test_it_says_where_the_keys_are_served(lab: Lab) -> None:
    assert (
        "The issuer bears AWS's host name; the embedded cloud serves its keys, at "
        "$AWS_ENDPOINT_URL/$USER_POOL_ID/.well-known/jwks.json."
    ) in lab.read(lab.tokens("adminuser")["id"]).text()


@stable
def test_text_and_html_are_the_same_for_every_learner(lab: Lab, new_lab: Callable[..., Lab]) -> None:
    other = new_lab()
    other.up(through="user-pool")
    ours, theirs = (one.read(one.tokens("adminuser")["id"]) for one in (lab, other))
    assert ours.text() == theirs.text()
    assert ours.html() == theirs.html()
    assert ours.to_dict() != theirs.to_dict()


def test_html_names_the_parts_and_shows_no_signature(lab: Lab) -> None:
    token = lab.tokens("adminuser")["id"]
    html = lab.read(token).html()
    assert "<sub>header</sub>" in html
    assert "<sub>payload</sub>" in html
    assert "<sub>signature</sub>" in html
    assert token.split(".")[2][:10] not in html + lab.read(token).text()


def test_a_changed_token_is_not_valid(lab: Lab) -> None:
    header, _, signature = lab.tokens("regularuser")["id"].split(".")
    payload = lab.tokens("adminuser")["id"].split(".")[1]
    read = lab.read(f"{header}.{payload}.{signature}", "cognito:username")
    assert read.badge == "✗ invalid signature"
    assert '"adminuser"' in read.text()


def test_a_key_of_another_issuer_is_not_fetched(lab: Lab) -> None:
    read = lab.read(signed({"iss": "http://127.0.0.1:1/pool", "sub": "me"}))
    assert read.badge == "· signature not checked"
    assert read.keys == "Its issuer is no user pool, and no key is fetched from an unknown place."


def test_a_key_of_another_user_pool_is_looked_for_there(lab: Lab) -> None:
    read = lab.read(signed({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Nowhere12"}))
    assert read.badge == "· signature not checked"
    assert "cannot be fetched" in read.text()
    assert "the answer was 404" in read.text()


def test_without_a_lab_values_and_times_are_exact() -> None:
    text = reading.read(signed({"aud": "me", "exp": NOW + 2520}), NOW).text()
    assert "An ID" not in text
    assert "A token that does not say of what kind it is." in text
    assert "· signature not checked. There is no lab at hand that could tell its issuer's keys." in text
    assert "1800002520 (" in text
    assert "in 42" in text


def test_json_has_everything() -> None:
    document = json.loads(json.dumps(reading.read(signed({"aud": "me", "exp": NOW}), NOW).to_dict()))
    assert document["claims"] == {"aud": "me", "exp": NOW}
    assert [note["name"] for note in document["claim_notes"]] == ["aud", "exp"]
    assert [note["name"] for note in document["header_notes"]] == ["alg", "kid"]
    assert document["claim_notes"][1]["distance"] == "now"
    assert document["verdict"]["state"] == "cannot be checked"
    assert document["problem"] is None


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("", "There is no token: the text is empty."),
        ("hello", "It has 1 part, and a signed token has 3"),
        ("a" * 10_000_000, "It has 10,000,000 characters: no token is as long"),
        (signed(b'{"a":1,"a":2}'), 'uses the name "a" twice'),
        (signed(b'{"a":NaN}'), "holds NaN, which JSON does not have"),
        (signed(b"[" * 5000 + b"]" * 5000), "nested more than 512 levels deep"),
        (signed(b'{"a":' + b"9" * 5000 + b"}"), "a number of too many digits"),
        ("\ud800", "It has 1 part"),
    ],
)
def test_what_is_no_token_is_said_to_be_none(text: str, statement: str) -> None:
    read = reading.read(text, NOW)
    assert statement in read.text()
    assert statement in json.loads(json.dumps(read.to_dict()))["problem"]


def test_a_stranger_s_claims_cannot_write_html_or_steer_a_terminal() -> None:
    read = reading.read(signed({"<b>": "<script>$x$", "esc": "\x1b[31m"}), NOW)
    assert "<script" not in read.html()
    assert "\x1b" not in read.text() + read.html()
