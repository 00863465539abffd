"""Signed tokens parsed strictly, and verified with the keys that an issuer publishes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.text.wording import quoted
from labkit.tokens import jws
from labkit.tokens.jws import Jws, MalformedError
from tests.signing import encoded, jwk, signed, unsigned

HEADER: dict[str, Any] = {"alg": "RS256"}


def problem(token: str, start: int = 0) -> str:
    with pytest.raises(MalformedError) as caught:
        jws.parse(token, start)
    return str(caught.value)


def test_a_token_falls_into_its_parts() -> None:
    # RFC 7515, appendix A.2, shortened: the header is {"alg":"RS256"}.
    token = jws.parse(".".join(("eyJhbGciOiJSUzI1NiJ9", "eyJpc3MiOiJqb2UifQ", "AQID")))
    assert token == Jws({"alg": "RS256"}, {"iss": "joe"}, b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ", b"\x01\x02\x03")


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "It has 1 part, and a signed token has 3, separated by dots."),
        ("abc", "It has 1 part, and a signed token has 3, separated by dots."),
        ("a.b.c.d.e", "It has 5 parts, and a signed token has 3, separated by dots."),
        ("..", "The header is not JSON: expecting value, at character 1 of it."),
        ("eyJhbGciOiJSUzI1NiJ9.e30.A=", 'The signature holds "=" at character 27, which is not base64url.'),
        ("eyJhbGciOiJSUzI1NiJ9.e+0.AQID", 'The payload holds "+" at character 23, which is not base64url.'),
        ("eyJhbGciOiJSUzI1NiJ9.e/0.AQID", 'The payload holds "/" at character 23, which is not base64url.'),
        ("eyJhbGci\nOiJSUzI1NiJ9.e30.AQID", 'The header holds "\\n" at character 9, which is not base64url.'),
        ("eyJhbGciOiJSUzI1NiJ9.e30.\ud800", 'The signature holds "\\ud800" at character 26, which is not base64url.'),
        # AR is 00000001 0000: a last character that says more than whole bytes can hold.
        (
            "eyJhbGciOiJSUzI1NiJ9.e30.AR",
            "The signature cannot end as it does at character 27: something was cut off or changed.",
        ),
        (
            "eyJhbGciOiJSUzI1NiJ9.e30.A",
            "The signature cannot end as it does at character 26: something was cut off or changed.",
        ),
    ],
)
def test_what_is_no_token_is_told_with_its_place(token: str, sentence: str) -> None:
    assert problem(token) == sentence


def test_a_place_is_counted_in_the_whole_text() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.e+0.AQID"
    assert problem(token, len("Bearer ")) == 'The payload holds "+" at character 30, which is not base64url.'


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"[]", "The payload is not a JSON object but []."),
        (b"null", "The payload is not a JSON object but null."),
        (b'"\xe2\x80\xaegnp"', 'The payload is not a JSON object but "\\u202egnp".'),
        (b'{"exp":NaN}', "The payload holds NaN, which JSON does not have."),
        (b'{"exp":-Infinity}', "The payload holds -Infinity, which JSON does not have."),
        (b'{"sub":"a","sub":"b"}', 'The payload uses the name "sub" twice.'),
        (b'{"a":{"b":1,"b":1}}', 'The payload uses the name "b" twice.'),
        (b'{"exp":' + b"9" * 5_000 + b"}", "The payload holds a number of too many digits, at character 8 of it."),
        (b"[" * 513, "The payload is nested more than 512 levels deep, at character 513 of it."),
        (b'{"a":' * 100_000, "The payload is nested more than 512 levels deep, at character 2561 of it."),
        (b'{"a":"\xff"}', "The payload is not text in UTF-8: see its byte 7."),
        ('{"a":1}'.encode("utf-16"), "The payload is not text in UTF-8: see its byte 1."),
        (b'\xef\xbb\xbf{"a":1}', "The payload is not JSON: expecting value, at character 1 of it."),
        (b'{"a":1} x', "The payload is not JSON: extra data, at character 9 of it."),
        (b'{"a":"\n"}', "The payload is not JSON: invalid control character, at character 7 of it."),
        (b'{"a', "The payload is not JSON: unterminated string, at character 2 of it."),
    ],
)
def test_a_payload_that_is_no_strict_json_object_is_refused(payload: bytes, sentence: str) -> None:
    assert problem(unsigned(payload, HEADER)) == sentence


@pytest.mark.parametrize("payload", [b'{"a":"[[[["}', b'{"a":"\\ud800"}', b" {} ", b'{"a":"\\"{{{"}', b'{"a":1e5}'])
def test_what_is_unusual_and_still_json_is_read(payload: bytes) -> None:
    assert jws.parse(unsigned(payload, HEADER)).claims == json.loads(payload)


def test_brackets_in_strings_are_no_depth() -> None:
    payload = json.dumps({"a": "[" * 1_000}).encode()
    assert jws.parse(unsigned(payload, HEADER)).claims == {"a": "[" * 1_000}


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_512_levels_are_read_and_shown_however_deep_the_caller_is(opening: bytes, closing: bytes) -> None:
    payload = b'{"n":' + opening * 511 + b"1" + closing * 511 + b"}"

    def deep_down(calls: int) -> str:
        return deep_down(calls - 1) if calls else quoted(jws.parse(unsigned(payload, HEADER)).claims, 10_000)

    assert deep_down(300).count(opening.decode()[0]) >= 511


@pytest.mark.parametrize("critical", [["exp"], ["b64"], [], None])
def test_a_header_with_critical_extensions_is_refused(critical: object) -> None:
    # RFC 7515, section 4.1.11: who does not understand an extension must refuse the token.
    assert "extensions that nobody here knows" in problem(unsigned({}, {"alg": "RS256", "crit": critical}))


def test_a_value_is_freed_of_spaces_and_tabs_and_of_nothing_else() -> None:
    blanks = [chr(code) for code in range(0x110000) if jws.bare(f"{chr(code)}x{chr(code)}") == "x"]
    behind_bearer = [chr(code) for code in range(0x110000) if jws.bare(f"Bearer{chr(code)}x") == "x"]
    assert (blanks, behind_bearer) == (["\t", " "], [" "])


def read(token: str) -> dict[str, Any] | str:
    """The token's claims, or the sentence that tells what is wrong with it."""
    try:
        return jws.parse(token).claims
    except MalformedError as error:
        return str(error)


@given(st.text() | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_every_text_is_a_token_or_has_a_problem(text: str) -> None:
    result = read(text)
    assert isinstance(result, dict) or result.isprintable()


@given(st.binary(), st.binary())
def test_every_payload_is_an_object_or_has_a_problem(header: bytes, payload: bytes) -> None:
    result = read(unsigned(payload, header))
    assert isinstance(result, dict) or result.isprintable()


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("abc", "abc"),
        ("Bearer abc", "abc"),
        ("bearer   abc", "abc"),
        ("  BEARER abc ", "abc"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("", ""),
        ("Basic abc", "Basic abc"),
        ("Bearerabc", "Bearerabc"),
        ("Bearer Bearer abc", "Bearer abc"),
    ],
)
def test_a_token_is_found_with_and_without_bearer(value: str, token: str) -> None:
    assert jws.bare(value) == token


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_every_rsa_algorithm_verifies(algorithm: str) -> None:
    token = jws.parse(signed({"sub": "a"}, algorithm=algorithm))
    assert jws.is_signed_by(token, jwk("first", alg=algorithm))
    assert jws.is_signed_by(token, jwk("first", alg=None))
    assert not jws.is_signed_by(token, jwk("second", alg=algorithm))


def test_a_key_verifies_only_with_its_own_algorithm() -> None:
    # RFC 8725, section 3.1
    token = jws.parse(signed({"sub": "a"}, algorithm="PS256"))
    assert not jws.is_signed_by(token, jwk("first", alg="RS256"))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", "EdDSA", "rs256", "", None, 1, ["RS256"]])
def test_no_other_algorithm_verifies(algorithm: object) -> None:
    genuine = jws.parse(signed({"sub": "a"}))
    token = Jws({"alg": algorithm}, genuine.claims, genuine.signed, genuine.signature)
    assert not jws.is_signed_by(token, jwk("first", alg=None))


@pytest.mark.parametrize(
    "broken",
    [
        {"n": None},
        {"e": None},
        {"n": ["a"]},
        {"n": ""},
        {"n": "AQAB"},
        {"e": "Ag"},
        {"n": "\ud800"},
        {"n": "_" * 30_000},
        {"alg": 5},
    ],
)
def test_a_key_that_cannot_be_read_verifies_nothing(broken: dict[str, object]) -> None:
    assert not jws.is_signed_by(jws.parse(signed({"sub": "a"})), jwk("first", **broken))


@pytest.mark.parametrize("keys", [{}, [], {"keys": None}, {"keys": "abc"}, {"keys": [None, 1, "a", {}]}])
def test_a_key_set_without_keys_has_none(keys: Any) -> None:
    assert jws.signing_keys(keys) == ()


def test_only_rsa_keys_for_signatures_are_kept() -> None:
    # RFC 7517, sections 4.1 and 4.2
    kept = jwk("first"), jwk("second", use=None)
    left = jwk("a", use="enc"), jwk("b", kty="EC"), {"kty": "oct", "k": "AQAB", "kid": "c"}
    assert jws.signing_keys({"keys": [*left, *kept]}) == kept
    assert jws.signing_keys([*left, *kept]) == kept


@pytest.mark.parametrize("key_id", ["FIRST", "first ", "", None, 1, ["first"], "../first"])
def test_a_key_is_found_by_its_exact_id(key_id: object) -> None:
    keys = (jwk("first"), jwk("second"))
    assert jws.find_key(keys, "second") == keys[1]
    assert jws.find_key(keys, key_id) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1, 1.0),
        (1.5, 1.5),
        (-1, -1.0),
        (0, 0.0),
        (True, None),
        ("1", None),
        (None, None),
        ([], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_a_numeric_date_is_a_finite_number(value: object, seconds: float | None) -> None:
    assert jws.numeric_date(value) == seconds


def test_a_float_too_large_for_json_readers_is_no_date() -> None:
    assert jws.numeric_date(jws.parse(unsigned(b'{"exp":1e400}', HEADER)).claims["exp"]) is None


def test_an_encoded_part_is_read_alone() -> None:
    assert jws.json_part("header", encoded({"alg": "RS256"})) == {"alg": "RS256"}
