"""Values that AWS made up are written as what they are."""

import pytest

from labkit.text.terms import EXACT, OUTPUTS, STABLE, Terms, about, in_words, key_words

CLIENT = "1example23456789exampleabc"
POOL = "us-east-1_Example12"
KEY = {"kty": "RSA", "kid": "abc=", "n": "AQAB", "e": "AQAB"}
WORDS = {CLIENT: "$APP_CLIENT_ID", POOL: "$USER_POOL_ID", "us-east-1_Exa": "$SHORTER", "": "$NOTHING"}
TERMS = Terms({**WORDS, **key_words([KEY])})


def test_known_values_are_written_as_variables() -> None:
    assert TERMS.say(f"admin-{CLIENT} regular-{CLIENT}") == "admin-$APP_CLIENT_ID regular-$APP_CLIENT_ID"


def test_the_longest_value_counts() -> None:
    assert TERMS.say(f"https://cognito/{POOL}") == "https://cognito/$USER_POOL_ID"


def test_random_ids_are_written_as_what_they_are() -> None:
    assert TERMS.say('sub "26669994-cf14-43b5-bc69-af6c08391d86"') == 'sub "<UUID>"'


def test_keys_are_numbered_as_they_are_published() -> None:
    assert TERMS.say('kid "abc="') == "kid <key 1>"
    assert TERMS.say('kid "abd="') == 'kid "abd="'


def test_exact_terms_change_nothing() -> None:
    text = f"{CLIENT} 26669994-cf14-43b5-bc69-af6c08391d86"
    assert EXACT.say(text) == text
    assert Terms({CLIENT: "something"}, exact=True).say(text) == text


def test_a_person_sees_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, "", "real"):
        monkeypatch.delenv(OUTPUTS, raising=False) if value is None else monkeypatch.setenv(OUTPUTS, value)
        assert in_words(WORDS) == EXACT


@pytest.mark.usefixtures("stable_outputs")
def test_stable_outputs_have_the_word_that_comes_first() -> None:
    assert STABLE == "stable"
    assert in_words({CLIENT: "the client"}, WORDS).say(f"{CLIENT} of {POOL}") == "the client of $USER_POOL_ID"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a moment ago"),
        (-29, "a moment ago"),
        (12, "in a moment"),
        (-31, "1 minute ago"),
        (3600, "in 60 minutes"),
        (3571, "in 60 minutes"),
        (-5 * 60, "5 minutes ago"),
        (2 * 3600, "in 2 hours"),
        (-24 * 3600, "24 hours ago"),
        (30 * 86400, "in 30 days"),
        (-2e9, "23,148 days ago"),
    ],
)
def test_times_are_rounded(seconds: float, words: str) -> None:
    assert about(seconds) == words
