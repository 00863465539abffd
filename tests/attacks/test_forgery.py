"""Forged tokens: changed as their data says, and in nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest

from labkit.attacks.forgery import GONE, Edit, Forgery, In, Means, forge, key_id
from labkit.attacks.issuer import Issuer

# Header {"alg":"RS256","kid":"k"} and claims {"sub": "u"} with a blank, under a signature of three bytes.
ORIGINAL = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiAidSJ9.AAEC"
MEANS = Means({"a word": b"secret"}, {"$CLIENT": "c1", "$JWK": {"kty": "RSA"}}, now=1_000.5)


def parts(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(f"{part}==") for part in token.split(".")]


def claims(forgery: Forgery) -> Any:
    return json.loads(parts(forge(forgery, ORIGINAL, MEANS))[1])


def test_nothing_changed_is_the_same_to_the_character() -> None:
    assert forge(Forgery(), ORIGINAL, MEANS) == ORIGINAL
    assert forge(Forgery(), "a.b.c.d.e", MEANS) == "a.b.c.d.e"


def test_claims_are_put_in_replaced_and_taken_out() -> None:
    assert claims(Forgery(claims={"aud": "x"})) == {"sub": "u", "aud": "x"}
    assert claims(Forgery(claims={"sub": None})) == {"sub": None}
    assert claims(Forgery(claims={"sub": GONE})) == {}


def test_the_part_that_is_not_changed_stays_and_so_does_the_signature() -> None:
    header, _, signature = forge(Forgery(claims={"aud": "x"}), ORIGINAL, MEANS).split(".")
    assert (header, signature) == ("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ", "AAEC")


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("$CLIENT", "c1"),
        ("admin-$CLIENT", "admin-c1"),
        (["$CLIENT", 1], ["c1", 1]),
        ({"a": "$CLIENT"}, {"a": "c1"}),
        ("$JWK", {"kty": "RSA"}),
        ("$UNKNOWN", "$UNKNOWN"),
        (In(60), 1_060),
        (In(60, 1000), 1_060_500),
        ([In(0)], [1_000]),
        (True, True),
    ],
)
def test_names_and_times_are_filled_in(value: Any, made: Any) -> None:
    assert claims(Forgery(claims={"x": value})) == {"sub": "u", "x": made}


def test_json_text_is_edited_before_it_is_encoded() -> None:
    token = forge(Forgery(edits=(Edit("claims", r"^\{", '{"sub":"$CLIENT",'),)), ORIGINAL, MEANS)
    assert parts(token)[1] == b'{"sub":"c1","sub": "u"}'


def test_encoded_text_is_edited_after() -> None:
    token = forge(Forgery(edits=(Edit("encoded claims", "^e", "!"), Edit("signature", "$", "=="))), ORIGINAL, MEANS)
    assert token == "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.!yJzdWIiOiAidSJ9.AAEC=="


def test_the_claims_may_be_in_another_encoding() -> None:
    assert parts(forge(Forgery(charset="utf-16-le"), ORIGINAL, MEANS))[1] == '{"sub": "u"}'.encode("utf-16-le")


def test_it_is_signed_as_it_was_changed() -> None:
    issuer = Issuer("k")
    issuer.close()
    means = Means({"issuer": issuer.key, "a word": b"secret"}, {}, 0)
    token = forge(Forgery(claims={"aud": "x"}, by="issuer"), ORIGINAL, means)
    assert jwt.decode(token, issuer.key.public_key(), ["RS256"], audience="x") == {"sub": "u", "aud": "x"}
    token = forge(Forgery(header={"alg": "HS256"}, by="a word", algorithm="HS256"), ORIGINAL, means)
    message, _, signature = token.rpartition(".")
    digest = hmac.new(b"secret", message.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(f"{signature}==") == digest


def test_nobody_signs_with_nothing() -> None:
    assert forge(Forgery(by="nobody"), ORIGINAL, MEANS) == "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiAidSJ9."


def test_the_key_of_a_token_is_named_in_its_header() -> None:
    assert key_id(ORIGINAL) == "k"
