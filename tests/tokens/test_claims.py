"""The table of claims: complete, and one sentence each."""

from __future__ import annotations

import pytest

from labkit.tokens import claims

# RFC 7519, section 4.1.
REGISTERED = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]

# OpenID Connect Core 1.0, sections 2, 3.1.3.6, 3.3.2.11 and 5.1.
OPENID = [
    *["auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "name", "given_name", "family_name"],
    *["middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email", "email_verified"],
    *["gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at"],
]

# The example tokens in Amazon Cognito's developer guide, and the claims that its triggers may not change.
COGNITO = [
    *["cognito:groups", "cognito:preferred_role", "cognito:roles", "cognito:username", "origin_jti", "event_id"],
    *["token_use", "identities", "device_key", "client_id", "version", "scope", "username"],
]

TIMES = ["exp", "nbf", "iat", "auth_time", "updated_at"]


@pytest.mark.parametrize("name", [*REGISTERED, *OPENID, *COGNITO, "scp"])
def test_every_claim_of_the_standards_is_explained(name: str) -> None:
    assert name in claims.CLAIMS


# RFC 7515, section 4.1.
@pytest.mark.parametrize("name", ["alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"])
def test_every_header_parameter_is_explained(name: str) -> None:
    assert name in claims.PARAMETERS


@pytest.mark.parametrize("claim", [*claims.CLAIMS.values(), *claims.PARAMETERS.values()])
def test_an_explanation_is_one_sentence_with_a_source(claim: claims.Claim) -> None:
    assert claim.sentence[0].isupper()
    assert claim.sentence.endswith(".")
    assert ". " not in claim.sentence
    assert claim.source


def test_times_are_marked() -> None:
    assert [name for name, claim in claims.CLAIMS.items() if claim.is_time] == TIMES


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "iss",
            "Who made the token; set by the issuer, checked by the JWT authorizer, against its issuer.",
        ),
        (
            "custom:team",
            "An attribute that the user pool's owner added to its users; set by the issuer, from the user's profile, "
            "checked by nobody but your own code.",
        ),
        ("cognito:new", "A claim of Cognito's own; set by Cognito, checked by nobody but your own code."),
        (
            "colour",
            "A claim that no standard of tokens knows; set by the issuer or a trigger of its owner, checked by nobody "
            "but your own code.",
        ),
    ],
)
def test_a_claim_says_what_it_says_who_sets_it_and_who_checks_it(name: str, sentence: str) -> None:
    assert claims.claim(name).sentence == sentence


def test_an_unknown_parameter_is_called_unknown() -> None:
    assert claims.parameter("colour").says == "A parameter that no standard of tokens knows"
