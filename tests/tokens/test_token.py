"""Tokens decoded, explained, verified and compared."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.tokens.token import compare, cut, decode, describe, describe_header, verify
from tests.signing import encoded, jwk, signed, unsigned

NOW = 1_795_384_800  # 2026-11-22 22:00:00 UTC
HEADER = {"alg": "RS256", "kid": "first"}
CLAIMS: dict[str, Any] = {"sub": "a", "token_use": "id", "iat": NOW - 10_800, "exp": NOW + 2_520}

# A header as Cognito's refresh tokens have, and four more parts.
ENCRYPTED = f"{encoded({'cty': 'JWT', 'enc': 'A256GCM', 'alg': 'RSA-OAEP'})}.AQID.AQID.AQID.AQID"


def keys() -> dict[str, Any]:
    return {"keys": [jwk("first"), jwk("other")]}


# decode


def test_a_token_is_read_into_header_claims_and_the_beginning_of_its_signature() -> None:
    token = decode(signed(CLAIMS))
    assert token.header == {"alg": "RS256", "kid": "first"}
    assert token.claims == CLAIMS
    assert token.signature.endswith("… (342 characters)")
    assert token.problem is None


@pytest.mark.parametrize("text", ["{}", "Bearer {}", "bearer {}", "  {}\n", "\r\nBearer   {}\t"])
def test_what_stands_around_a_token_does_not_matter(text: str) -> None:
    token = decode(text.format(signed(CLAIMS)))
    assert token.claims == CLAIMS
    assert token.problem is None


@pytest.mark.parametrize(
    ("claims", "header", "kind", "sentence"),
    [
        ({"token_use": "id"}, {}, "id", "An ID token: it tells an app who the user is."),
        ({"token_use": "access"}, {}, "access", "An access token: it tells an API what the user may do."),
        (
            {"token_use": "refresh"},
            {},
            "refresh",
            "A refresh token: it gets new tokens from its issuer and opens nothing else.",
        ),
        ({}, {"typ": "at+jwt"}, "access", "An access token: it tells an API what the user may do."),
        ({}, {"typ": "JWT"}, "unknown", "A token that does not say of what kind it is."),
        ({"token_use": ["id"]}, {}, "unknown", "A token that does not say of what kind it is."),
    ],
)
def test_kinds_are_told_apart(claims: dict[str, Any], header: dict[str, Any], kind: str, sentence: str) -> None:
    token = decode(signed(claims, {**HEADER, **header}))
    assert token.kind == kind
    assert token.sentence == sentence


def test_an_encrypted_token_is_a_refresh_token() -> None:
    token = decode(ENCRYPTED)
    assert token.kind == "refresh"
    assert token.problem is None
    assert token.header == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
    assert token.claims == {}
    assert token.sentence == (
        "A refresh token: it gets new tokens from its issuer and opens nothing else. "
        "It is encrypted, and only its issuer can read it."
    )


def test_a_payload_alone_is_read_as_one() -> None:
    token = decode(encoded(CLAIMS))
    assert (token.kind, token.claims, token.header) == ("id", CLAIMS, {})
    assert token.sentence.endswith("It has 1 part, and a signed token has 3, separated by dots.")
    assert decode(encoded(HEADER)).header == HEADER


def test_nothing_in_the_header_of_an_encrypted_token_is_said_of_a_signature() -> None:
    notes = describe_header(decode(ENCRYPTED))
    assert notes
    assert not any("signed" in note.sentence or "JWT authorizer" in note.sentence for note in notes)


def test_an_encrypted_token_of_another_kind_is_not_called_a_refresh_token() -> None:
    token = decode(f"{encoded({'enc': 'A256GCM', 'alg': 'RSA-OAEP'})}.AQID.AQID.AQID.AQID")
    assert token.sentence == (
        "A token that does not say of what kind it is. It is encrypted, and only its issuer can read it."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "There is no token: the text is empty."),
        (" \n ", "There is no token: the text is empty."),
        ("Bearer ", "There is no token: the text is empty."),
        ("hello", "It has 1 part, and a signed token has 3, separated by dots."),
        ("a.b.c.d.e", "It has 5 parts, and a signed token has 3, separated by dots."),
        ("x" * 10_000_000, "It has 10,000,000 characters: no token is as long, and no API would take it."),
        ("." * 10_000_000, "It has 10,000,000 characters: no token is as long, and no API would take it."),
        ("eyJhbGciOiJSUzI1NiJ9.e+0.AQID", 'The payload holds "+" at character 23, which is not base64url.'),
        ("Bearer eyJhbGciOiJSUzI1NiJ9.e+0.AQID", 'The payload holds "+" at character 30, which is not base64url.'),
        ("  eyJhbGciOiJSUzI1NiJ9.e30.AQID=", 'The signature holds "=" at character 32, which is not base64url.'),
        ("eyJhbGciOiJSUzI1NiJ9.e30\n.AQID", "There is a blank or line break at character 25."),
        ("eyJhbGciOiJSUzI1NiJ9.e30\n.AQI=", "There is a blank or line break at character 25."),
        ("\ud800", "It has 1 part, and a signed token has 3, separated by dots."),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_place(text: str, problem: str) -> None:
    assert decode(text).problem == problem


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b'{"sub":"a","sub":"b"}', 'The payload uses the name "sub" twice.'),
        (b'{"exp":NaN}', "The payload holds NaN, which JSON does not have."),
        (b'{"exp":' + b"9" * 5_000 + b"}", "The payload holds a number of too many digits, at character 8 of it."),
        (b'{"a":' * 5_000, "The payload is nested more than 512 levels deep, at character 2561 of it."),
        (b"[1]", "The payload is not a JSON object but [1]."),
    ],
)
def test_a_payload_that_cannot_be_read_leaves_the_header(payload: bytes, problem: str) -> None:
    token = decode(signed(payload))
    assert token.header == {"alg": "RS256", "kid": "first"}
    assert token.claims == {}
    assert token.problem == problem
    assert token.sentence == f"Not a token that can be read. {problem}"


def test_a_token_that_was_wrapped_is_read_all_the_same() -> None:
    raw = signed(CLAIMS)
    token = decode(f"{raw[:40]}\n  {raw[40:]}")
    assert token.claims == CLAIMS
    assert token.problem == "There is a blank or line break at character 41."
    assert verify(token, keys()).state == "valid"


def test_a_token_without_its_signature_shows_its_claims() -> None:
    token = decode(signed(CLAIMS).rpartition(".")[0])
    assert token.claims == CLAIMS
    assert token.sentence == (
        "An ID token: it tells an app who the user is. It has 2 parts, and a signed token has 3, separated by dots."
    )


def test_lone_surrogates_in_a_claim_can_be_shown() -> None:
    token = decode(signed(b'{"name":"\\ud83d"}'))
    assert [note.value for note in describe(token, NOW)] == ['"\\ud83d"']


def test_a_token_never_shows_itself_whole() -> None:
    raw = signed(CLAIMS)
    token = decode(raw)
    signature = raw.rpartition(".")[2]
    for shown in (repr(token), json.dumps(token.to_dict()), cut(raw)):
        assert raw not in shown
        assert signature[:11] not in shown
    assert token.raw == raw


def test_a_token_as_data() -> None:
    told = decode(unsigned({"sub": "a"}, {"alg": "none"}, b"")).to_dict()
    assert told == {
        "kind": "unknown",
        "sentence": "A token that does not say of what kind it is.",
        "problem": None,
        "header": {"alg": "none"},
        "claims": {"sub": "a"},
        "signature": "",
    }


@given(st.text(st.characters(exclude_categories=[])) | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_every_text_can_be_decoded_described_verified_and_cut(text: str) -> None:
    assert_readable(text)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_every_three_parts_can_be_decoded(header: bytes, payload: bytes, signature: bytes) -> None:
    assert_readable(unsigned(payload, header, signature))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.dictionaries(st.sampled_from(["exp", "scope", "aud", "alg", "kid", "updated_at"]) | st.text(), JSON)


@given(MEMBERS, MEMBERS)
def test_every_json_can_be_decoded(header: dict[str, Any], payload: dict[str, Any]) -> None:
    assert_readable(unsigned(payload, header))


def assert_readable(text: str) -> None:
    token = decode(text)
    shown = [token.sentence, cut(text), verify(token, keys()).sentence, token.signature]
    for note in (*describe(token, NOW), *describe_header(token)):
        shown += note.to_dict().values()
    for difference in compare(token, decode(signed(CLAIMS))):
        shown += [difference.name, difference.left or "", difference.right or ""]
        shown += [*difference.only_left, *difference.only_right]
    assert "".join(shown).isprintable()
    assert verify(token, keys()).state != "valid"
    assert compare(token, token) == ()


# describe


def test_claims_are_explained_with_their_times_in_the_readers_zone() -> None:
    token = decode(signed({"iss": "https://issuer.example", "exp": NOW + 2_520, "iat": NOW - 10_800}))
    tokyo = timezone(timedelta(hours=9), "JST")
    assert [(note.name, note.value, note.when, note.distance) for note in describe(token, NOW, tokyo)] == [
        ("iss", '"https://issuer.example"', "", ""),
        ("exp", "1795387320", "2026-11-23 07:42:00 JST", "in 42 minutes"),
        ("iat", "1795374000", "2026-11-23 04:00:00 JST", "3 hours ago"),
    ]


def test_a_note_says_who_sets_a_claim_and_who_checks_it() -> None:
    note = describe(decode(signed({"exp": NOW + 60})), NOW, UTC)[0]
    assert note.to_dict() == {
        "name": "exp",
        "value": "1795384860",
        "sentence": "When the token ends; set by the issuer, checked by the JWT authorizer, against its clock.",
        "source": "RFC 7519, section 4.1.4",
        "when": "2026-11-22 22:01:00 UTC",
        "distance": "in 1 minute",
    }


def test_a_number_that_is_no_time_has_no_date() -> None:
    note = describe(decode(signed({"version": 2})), NOW)[0]
    assert (note.value, note.when, note.distance) == ("2", "", "")


@pytest.mark.parametrize("value", ["soon", None, [], True, 10**400])
def test_a_time_that_is_none_is_shown_as_it_is(value: object) -> None:
    note = describe(decode(signed({"exp": value})), NOW)[0]
    assert (note.when, note.distance) == ("", "")


def test_a_time_outside_the_calendar_is_told_as_such() -> None:
    note = describe(decode(signed({"exp": 1e18})), NOW)[0]
    assert note.when == "1e+18 seconds since 1970, a time outside the calendar"
    assert note.distance == "in more than 10,000 years"


def test_the_names_of_claims_are_shown_as_harmless_text() -> None:
    notes = describe(decode(signed({"\x1b[2J": 1})), NOW)
    assert notes[0].name == "\\x1b[2J"


def test_the_header_is_explained_too() -> None:
    notes = describe_header(decode(signed(CLAIMS)))
    assert [(note.name, note.value) for note in notes] == [("alg", '"RS256"'), ("kid", '"first"')]
    assert notes[1].sentence == (
        "Which of the issuer's keys signed the token; set by the issuer, checked by the JWT authorizer, against the "
        "published keys."
    )


# verify


@pytest.mark.parametrize(
    ("token", "state", "sentence"),
    [
        (
            lambda: signed(CLAIMS),
            "valid",
            'The key "first" of the issuer made the signature, and nothing was changed since.',
        ),
        (
            lambda: signed({**CLAIMS, "exp": 0}),
            "valid",
            'The key "first" of the issuer made the signature, and nothing was changed since.',
        ),
        (
            lambda: signed(CLAIMS, HEADER, by="other"),
            "invalid",
            'The key "first" did not make this signature for this header and payload.',
        ),
        (
            lambda: signed(CLAIMS, HEADER, algorithm="RS512"),
            "invalid",
            'The key "first" did not make this signature for this header and payload.',
        ),
        (
            lambda: signed(CLAIMS, {"alg": "RS256", "kid": "gone"}),
            "unknown key",
            'The issuer publishes no such key: the header says kid "gone".',
        ),
        (
            lambda: signed(CLAIMS, {"alg": "RS256"}),
            "unknown key",
            "The issuer publishes no such key: the header says no kid.",
        ),
        (
            lambda: unsigned(CLAIMS, {"alg": "none", "kid": "first"}, b""),
            "cannot be checked",
            'Published keys check RSA signatures, and the header says alg "none".',
        ),
        (
            lambda: unsigned(CLAIMS, {"alg": "HS256", "kid": "first"}),
            "cannot be checked",
            'Published keys check RSA signatures, and the header says alg "HS256".',
        ),
        (
            lambda: "noise",
            "cannot be checked",
            "There is no signature to check. It has 1 part, and a signed token has 3, separated by dots.",
        ),
        (
            lambda: ENCRYPTED,
            "cannot be checked",
            "There is no signature to check. A refresh token: it gets new tokens from its issuer and opens nothing "
            "else. It is encrypted, and only its issuer can read it.",
        ),
    ],
)
def test_a_signature_is_judged_in_a_word_and_a_sentence(token: Any, state: str, sentence: str) -> None:
    verdict = verify(decode(token()), keys())
    assert verdict.to_dict() == {"state": state, "sentence": sentence}


def test_a_changed_payload_is_invalid() -> None:
    header, _, signature = signed(CLAIMS).split(".")
    token = decode(f"{header}.{encoded({**CLAIMS, 'sub': 'b'})}.{signature}")
    assert verify(token, keys()).state == "invalid"


# compare


def test_two_tokens_differ_in_what_decides_first() -> None:
    admin = signed({"sub": "a", "aud": "app", "scope": "admin-app regular-app", "cognito:groups": ["admin", "regular"]})
    regular = signed({"sub": "b", "aud": "app", "scope": "regular-app", "cognito:groups": ["regular"]})
    differences = compare(decode(admin), decode(regular))
    assert [(each.name, each.left, each.right, each.only_left, each.only_right) for each in differences] == [
        ("scope", '"admin-app regular-app"', '"regular-app"', ("admin-app",), ()),
        ("cognito:groups", '["admin", "regular"]', '["regular"]', ("admin",), ()),
        ("sub", '"a"', '"b"', (), ()),
    ]


def test_an_id_token_differs_from_an_access_token_in_what_it_has() -> None:
    left = decode(signed({"aud": "app", "token_use": "id"}))
    right = decode(signed({"client_id": "app", "token_use": "access"}, by="other"))
    told = [each.to_dict() for each in compare(left, right)]
    assert [(each["part"], each["name"], each["left"], each["right"]) for each in told] == [
        ("claims", "aud", '"app"', None),
        ("claims", "client_id", None, '"app"'),
        ("claims", "token_use", '"id"', '"access"'),
        ("header", "kid", '"first"', '"other"'),
    ]


@pytest.mark.parametrize(("left", "right"), [(1, True), (1, 1.0), (0, False), (None, "null"), ("x" * 500, "x" * 501)])
def test_values_that_only_look_the_same_differ(left: object, right: object) -> None:
    differences = compare(decode(signed({"a": left})), decode(signed({"a": right})))
    assert [each.name for each in differences] == ["a"]


def test_a_null_differs_from_nothing() -> None:
    differences = compare(decode(signed({"a": None})), decode(signed({})))
    assert [(each.left, each.right) for each in differences] == [("null", None)]


def test_the_same_claims_in_another_order_do_not_differ() -> None:
    left = decode(signed({"a": 1, "b": {"c": 1, "d": 2}}))
    right = decode(signed({"b": {"d": 2, "c": 1}, "a": 1}))
    assert compare(left, right) == ()


# cut


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (f"{'eyJhbGciOiJSUzI1NiJ9' * 2}.{'eyJzdWIiOiJhIn0' * 2}.AQIDBAUG", "eyJhbGciOi….eyJzdWIiOi….…"),
        (f"Bearer {'eyJhbGciOiJSUzI1NiJ9' * 2}.{'eyJzdWIiOiJhIn0' * 2}.A", "eyJhbGciOi….eyJzdWIiOi….…"),
        ("Secret-1234!", "Secr…"),
        ("", "…"),
        ("\x1b[2J\x1b[2J\x1b[2J", "…"),
    ],
)
def test_a_token_is_cut_to_the_beginnings_of_its_parts(raw: str, shown: str) -> None:
    assert cut(raw) == shown
