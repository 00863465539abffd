"""What the claims of a token say, who sets each and who checks it: RFC 7519, OpenID Connect and Cognito, as data."""

from __future__ import annotations

from typing import NamedTuple

RFC_JWT = "RFC 7519, section "
RFC_JWS = "RFC 7515, section "
OPENID = "OpenID Connect Core 1.0, section "
COGNITO_GUIDE = "https://docs.aws.amazon.com/cognito/latest/developerguide/"
ID_TOKEN = f"{COGNITO_GUIDE}amazon-cognito-user-pools-using-the-id-token.html"
ACCESS_TOKEN = f"{COGNITO_GUIDE}amazon-cognito-user-pools-using-the-access-token.html"
ATTRIBUTES = f"{COGNITO_GUIDE}user-pool-settings-attributes.html"

ISSUER = "the issuer"
PROFILE = "the issuer, from the user's profile"
COGNITO = "Cognito"
AUTHORIZER = "the JWT authorizer"
NOBODY = "nobody but your own code"
CLIENT = "the app that signed the user in"


class Claim(NamedTuple):
    """What a claim says, who sets it and who checks it. `is_time`: the value is in seconds since 1970."""

    says: str
    set_by: str
    checked_by: str
    source: str
    is_time: bool = False

    @property
    def sentence(self) -> str:
        """The claim in one sentence."""
        return f"{self.says}; set by {self.set_by}, checked by {self.checked_by}."


def _profile(says: str) -> Claim:
    return Claim(says, PROFILE, NOBODY, f"{OPENID}5.1")


CLAIMS: dict[str, Claim] = {
    # RFC 7519, section 4.1
    "iss": Claim("Who made the token", ISSUER, f"{AUTHORIZER}, against its issuer", f"{RFC_JWT}4.1.1"),
    "sub": Claim("Whom the token is about, by an id that never changes", ISSUER, NOBODY, f"{RFC_JWT}4.1.2"),
    "aud": Claim(
        "Whom the token is for: in an ID token of Cognito the app client", ISSUER, AUTHORIZER, f"{RFC_JWT}4.1.3"
    ),
    "exp": Claim("When the token ends", ISSUER, f"{AUTHORIZER}, against its clock", f"{RFC_JWT}4.1.4", True),
    "nbf": Claim("When the token begins to be valid", ISSUER, f"{AUTHORIZER}, if it is there", f"{RFC_JWT}4.1.5", True),
    "iat": Claim("When the token was made", ISSUER, f"{AUTHORIZER}, that it is past", f"{RFC_JWT}4.1.6", True),
    "jti": Claim("The token's own id", ISSUER, NOBODY, f"{RFC_JWT}4.1.7"),
    # OAuth 2.0
    "scope": Claim(
        "What the token allows, in words with blanks between them",
        f"{COGNITO} in an access token, a pre token generation trigger in an ID token",
        f"{AUTHORIZER}, against the route's scopes",
        "RFC 8693, section 4.2",
    ),
    "scp": Claim(
        "What the token allows, as some issuers write it in place of scope",
        ISSUER,
        f"{AUTHORIZER}, against the route's scopes",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html",
    ),
    "client_id": Claim(
        "The app client that asked for the token",
        f"{COGNITO}, in access tokens",
        f"{AUTHORIZER}, in place of an aud that is not there",
        "RFC 8693, section 4.3",
    ),
    # OpenID Connect Core 1.0, sections 2, 3.1.3.6 and 3.3.2.11
    "auth_time": Claim("When the user signed in", ISSUER, NOBODY, f"{OPENID}2", True),
    "nonce": Claim("A value that the app sent with its sign-in", CLIENT, CLIENT, f"{OPENID}2"),
    "acr": Claim("How strong the sign-in was", ISSUER, NOBODY, f"{OPENID}2"),
    "amr": Claim("The ways in which the user proved who they are", ISSUER, NOBODY, f"{OPENID}2"),
    "azp": Claim("The app that the ID token was made for", ISSUER, CLIENT, f"{OPENID}2"),
    "at_hash": Claim("A digest of the access token that came with this one", ISSUER, CLIENT, f"{OPENID}3.1.3.6"),
    "c_hash": Claim("A digest of the authorization code that came with it", ISSUER, CLIENT, f"{OPENID}3.3.2.11"),
    "sub_jwk": Claim("The key of an issuer that is the user's own device", ISSUER, CLIENT, f"{OPENID}7"),
    "_claim_names": Claim("Which claims are to be had elsewhere", ISSUER, NOBODY, f"{OPENID}5.6.2"),
    "_claim_sources": Claim("Where claims are to be had", ISSUER, NOBODY, f"{OPENID}5.6.2"),
    "sid": Claim("The session at the issuer", ISSUER, CLIENT, "OpenID Connect Front-Channel Logout 1.0, section 3"),
    # OpenID Connect Core 1.0, section 5.1
    "name": _profile("The user's whole name"),
    "given_name": _profile("The user's given names"),
    "family_name": _profile("The user's family names"),
    "middle_name": _profile("The user's middle names"),
    "nickname": _profile("The user's casual name"),
    "preferred_username": _profile("The name by which the user wishes to be known"),
    "profile": _profile("The address of the user's profile page"),
    "picture": _profile("The address of the user's picture"),
    "website": _profile("The address of the user's website"),
    "email": _profile("The user's e-mail address"),
    "email_verified": Claim("Whether the e-mail address was proved to be the user's", ISSUER, NOBODY, f"{OPENID}5.1"),
    "gender": _profile("The user's gender"),
    "birthdate": _profile("The user's birthday"),
    "zoneinfo": _profile("The user's time zone"),
    "locale": _profile("The user's language and region"),
    "phone_number": _profile("The user's telephone number"),
    "phone_number_verified": Claim(
        "Whether the telephone number was proved to be the user's", ISSUER, NOBODY, f"{OPENID}5.1"
    ),
    "address": _profile("The user's postal address"),
    "updated_at": Claim("When the user's profile last changed", ISSUER, NOBODY, f"{OPENID}5.1", True),
    # Cognito
    "token_use": Claim(
        "Whether this is an ID token, an access token or a refresh token",
        COGNITO,
        f"{NOBODY}: {AUTHORIZER} takes ID and access tokens alike",
        ACCESS_TOKEN,
    ),
    "cognito:username": Claim("The user's name in the user pool", COGNITO, NOBODY, ID_TOKEN),
    "username": Claim("The user's name in the user pool, in access tokens", COGNITO, NOBODY, ACCESS_TOKEN),
    "cognito:groups": Claim(
        "The groups of the user pool that the user was in when the token was made",
        COGNITO,
        f"{NOBODY}: {AUTHORIZER} looks at scopes, not at groups",
        ID_TOKEN,
    ),
    "cognito:roles": Claim("The IAM roles of the user's groups", COGNITO, "a Cognito identity pool", ID_TOKEN),
    "cognito:preferred_role": Claim(
        "The IAM role of the group that goes before the others", COGNITO, "a Cognito identity pool", ID_TOKEN
    ),
    "identities": Claim("The accounts elsewhere through which the user signs in", COGNITO, NOBODY, ID_TOKEN),
    "origin_jti": Claim(
        "The id of the sign-in that the token comes from, shared with its refresh token",
        COGNITO,
        f"{COGNITO} when the refresh token is revoked, and not {AUTHORIZER}",
        ID_TOKEN,
    ),
    "event_id": Claim("The id of the sign-in in the user pool's records", COGNITO, NOBODY, ID_TOKEN),
    "device_key": Claim("The device that the user pool remembers", COGNITO, NOBODY, ACCESS_TOKEN),
    "version": Claim("The version of the access token's form", COGNITO, NOBODY, ACCESS_TOKEN),
}

# The parameters of the header: RFC 7515, section 4.1, and RFC 7516, section 4.1.
PARAMETERS: dict[str, Claim] = {
    "alg": Claim("How the token was signed", ISSUER, f"{AUTHORIZER}: RSA, and the key's own", f"{RFC_JWS}4.1.1"),
    "jku": Claim("Where a set of keys is said to be", ISSUER, "nobody: it must not be trusted", f"{RFC_JWS}4.1.2"),
    "jwk": Claim(
        "The key that the token says it is signed with", ISSUER, "nobody: it must not be trusted", f"{RFC_JWS}4.1.3"
    ),
    "kid": Claim(
        "Which of the issuer's keys signed the token",
        ISSUER,
        f"{AUTHORIZER}, against the published keys",
        f"{RFC_JWS}4.1.4",
    ),
    "x5u": Claim("Where a certificate is said to be", ISSUER, "nobody: it must not be trusted", f"{RFC_JWS}4.1.5"),
    "x5c": Claim(
        "The certificate that the token says it is signed with",
        ISSUER,
        "nobody: it must not be trusted",
        f"{RFC_JWS}4.1.6",
    ),
    "x5t": Claim("A digest (SHA-1) of a certificate", ISSUER, NOBODY, f"{RFC_JWS}4.1.7"),
    "x5t#S256": Claim("A digest (SHA-256) of a certificate", ISSUER, NOBODY, f"{RFC_JWS}4.1.8"),
    "typ": Claim("What kind of token this is", ISSUER, NOBODY, f"{RFC_JWS}4.1.9"),
    "cty": Claim("What kind of content the token holds", ISSUER, NOBODY, f"{RFC_JWS}4.1.10"),
    "crit": Claim("What a reader must understand or else refuse the token", ISSUER, AUTHORIZER, f"{RFC_JWS}4.1.11"),
    "enc": Claim("How the content was encrypted", ISSUER, "whoever holds the key", "RFC 7516, section 4.1.2"),
}

# What a parameter says in the header of an encrypted token, where that is something else.
ENCRYPTED = {
    "alg": Claim(
        "How the key was made that the content is encrypted with",
        ISSUER,
        "whoever holds the key",
        "RFC 7516, section 4.1.1",
    ),
}


def claim(name: str) -> Claim:
    """What is known of a claim of this name, be it an attribute or a claim of the issuer's own."""
    if name in CLAIMS:
        return CLAIMS[name]
    if name.startswith(("custom:", "dev:custom:")):
        return Claim("An attribute that the user pool's owner added to its users", PROFILE, NOBODY, ATTRIBUTES)
    if name.startswith("cognito:"):
        return Claim("A claim of Cognito's own", COGNITO, NOBODY, ID_TOKEN)
    return Claim(
        "A claim that no standard of tokens knows", "the issuer or a trigger of its owner", NOBODY, f"{RFC_JWT}4.3"
    )


def parameter(name: str, *, encrypted: bool = False) -> Claim:
    """What is known of a header parameter of this name, in a signed or an encrypted token."""
    if encrypted and name in ENCRYPTED:
        return ENCRYPTED[name]
    return PARAMETERS.get(name, Claim("A parameter that no standard of tokens knows", ISSUER, NOBODY, f"{RFC_JWS}4.3"))
