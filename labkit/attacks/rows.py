"""The attempts to get past a JWT authorizer, as data. A new attempt is a new row of ATTEMPTS, and nothing else.

Status and rule of a row are written by hand from its source: what a sound authorizer answers, and which rule of
`labkit.tokens.decision` is the first to fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from labkit.attacks.forgery import GONE, Edit, Forgery, In

Base = Literal[
    "adminuser", "regularuser", "access token", "refresh token", "signed-out user", "another issuer", "what-if issuer"
]

# What is sent to the lab's own API begins with a token of its user pool, or with a good token of somebody else's.
# Only the what-if issuer signs anything, so its tokens go to the what-if API, which trusts it.
WHAT_IF: Base = "what-if issuer"

JWT_PAGE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html"
QUOTAS_PAGE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
REVOCATION_PAGE = "https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html"


@dataclass(frozen=True, kw_only=True)
class Attempt(Forgery):
    """One attempt: a forged token in a request, and what is expected of it.

    Attributes:
        name: a few words.
        tries: what the attacker hopes for, or the mistake that is made, in one sentence.
        mechanism: the trick in a few words. No two attempts share rule and mechanism.
        base: whose token it begins with.
        headers: the request's headers, `$TOKEN` for the forged token.
        query: the request's query string, likewise.
        status: the expected status.
        rule: the first rule that fails, by its name in `RULES`; None if the request gets through.
        source: what says that it should be so.
        remark: for those that get through: why, and what to do about it.
    """

    name: str
    tries: str
    mechanism: str
    base: Base = WHAT_IF
    headers: tuple[tuple[str, str], ...] = (("Authorization", "$TOKEN"),)
    query: str = ""
    status: int = 200
    rule: str | None = None
    source: str
    remark: str = ""


def _rows(rule: str | None, status: int, *attempts: Attempt) -> tuple[Attempt, ...]:
    """Attempts that end alike. A token of the what-if issuer is signed by it, unless its row names somebody else."""
    signed = (replace(row, by="issuer") if (row.base, row.by) == (WHAT_IF, "kept") else row for row in attempts)
    return tuple(replace(row, rule=rule, status=status) for row in signed)


REQUEST_SIZE = _rows(
    "request-size",
    431,
    Attempt(
        name="huge token",
        tries="A token of more than 10,240 bytes is good in everything else.",
        mechanism="claims without end",
        claims={"padding": "x" * 10_240},
        source=QUOTAS_PAGE,
    ),
    Attempt(
        name="huge header",
        tries="Another header is so large that the authorizer might give up before it looks at the token.",
        mechanism="another header without end",
        headers=(("Authorization", "$TOKEN"), ("X-Padding", "x" * 10_240)),
        source=QUOTAS_PAGE,
    ),
    Attempt(
        name="huge query",
        tries="The query string is so large that the authorizer might give up before it looks at the token.",
        mechanism="a query without end",
        query="padding=" + "x" * 10_240,
        source=QUOTAS_PAGE,
    ),
)

IDENTITY_SOURCE = _rows(
    "identity-source",
    401,
    Attempt(
        name="no token",
        tries="Nothing is sent at all.",
        mechanism="no header",
        base="adminuser",
        headers=(),
        source=JWT_PAGE,
    ),
    Attempt(
        name="empty header",
        tries="The header is there, and an unset shell variable left nothing in it.",
        mechanism="header without a value",
        base="adminuser",
        headers=(("Authorization", ""),),
        source="RFC 6750, section 2.1",
    ),
    Attempt(
        name="Bearer alone",
        tries="The scheme is there, and no token after it.",
        mechanism="scheme without a token",
        base="adminuser",
        headers=(("Authorization", "Bearer"),),
        source="RFC 6750, section 2.1",
    ),
    Attempt(
        name="two headers",
        tries="A filter in front reads the first header, and the authorizer perhaps the second.",
        mechanism="header sent twice",
        base="adminuser",
        headers=(("Authorization", "Bearer x"), ("Authorization", "$TOKEN")),
        source="RFC 9110, section 5.3",
    ),
    Attempt(
        name="token in the URL",
        tries="The token is sent as a parameter of the URL, where logs and browsers keep it.",
        mechanism="token as query parameter",
        base="adminuser",
        headers=(),
        query="access_token=$TOKEN",
        source="RFC 6750, section 2.3",
    ),
    Attempt(
        name="token in a cookie",
        tries="The token is sent as a cookie, which any page can have a browser send.",
        mechanism="token in another header",
        base="adminuser",
        headers=(("Cookie", "Authorization=$TOKEN"),),
        source="RFC 6750, section 2",
    ),
)

SHAPE = _rows(
    "shape",
    401,
    Attempt(
        name="refresh token",
        tries="A refresh token, which lives for a month, is sent in place of an ID token.",
        mechanism="token that is for the issuer only",
        base="refresh token",
        source="RFC 6749, section 1.5",
    ),
    Attempt(
        name="Basic",
        tries="The token is sent as the password of another scheme.",
        mechanism="another scheme",
        base="adminuser",
        headers=(("Authorization", "Basic $TOKEN"),),
        source="RFC 6750, section 2.1",
    ),
    Attempt(
        name="quoted token",
        tries="The token is sent with the quotation marks that a JSON file had around it.",
        mechanism="quotation marks",
        base="adminuser",
        headers=(("Authorization", '"$TOKEN"'),),
        source="RFC 6750, section 2.1",
    ),
    Attempt(
        name="list of tokens",
        tries="A bad and a good token are sent in one header, with a comma between them.",
        mechanism="two tokens in one value",
        base="adminuser",
        headers=(("Authorization", "x.y.z, $TOKEN"),),
        source="RFC 9110, section 5.3",
    ),
    Attempt(
        name="no third part",
        tries="The signature is cut off together with its dot.",
        mechanism="two parts",
        base="adminuser",
        headers=(("Authorization", "$HEADER_AND_CLAIMS"),),
        source="RFC 7519, section 7.2",
    ),
    Attempt(
        name="five parts",
        tries="The token poses as an encrypted one, for which the authorizer might have no checks.",
        mechanism="form of an encrypted token",
        base="adminuser",
        headers=(("Authorization", "$TOKEN.AAAA.AAAA"),),
        source="RFC 7516, section 9",
    ),
    Attempt(
        name="JSON form",
        tries="The token is sent in the JSON form that RFC 7515 has, too.",
        mechanism="JSON serialization",
        base="adminuser",
        headers=(("Authorization", '{"payload":"e30","signature":"AAAA"}'),),
        source="RFC 7519, section 1",
    ),
    Attempt(
        name="broken base64",
        tries="A character of the payload is one that base64url does not have.",
        mechanism="character outside the alphabet",
        base="adminuser",
        edits=(Edit("encoded claims", r"^.", "!"),),
        source="RFC 7515, section 2",
    ),
    Attempt(
        name="padding",
        tries="The signature ends in the = signs of ordinary base64, so that one token has two spellings.",
        mechanism="padding",
        edits=(Edit("signature", r"$", "=="),),
        source="RFC 7515, section 2",
    ),
    Attempt(
        name="other alphabet",
        tries="The payload is written in the alphabet of ordinary base64.",
        mechanism="standard alphabet",
        claims={"note": "????????"},
        edits=(Edit("encoded claims", "_", "/"), Edit("encoded claims", "-", "+")),
        source="RFC 7515, section 2",
    ),
    Attempt(
        name="second spelling",
        tries="The signature's last character differs in bits that decoding drops: a list of revoked tokens misses it.",
        mechanism="unused bits",
        edits=(
            Edit("signature", "A$", "B"),
            Edit("signature", "Q$", "R"),
            Edit("signature", "g$", "h"),
            Edit("signature", "w$", "x"),
        ),
        source="RFC 4648, section 3.5",
    ),
    Attempt(
        name="blank inside",
        tries="A line of a terminal was broken while the token was copied.",
        mechanism="blank in the middle",
        base="adminuser",
        edits=(Edit("encoded claims", r"^(.{20})", r"\1 "),),
        source="RFC 7515, section 2",
    ),
    Attempt(
        name="broken JSON",
        tries="The claims end before their last brace, and are signed so.",
        mechanism="JSON cut off",
        edits=(Edit("claims", r"\}$", ""),),
        source="RFC 7519, section 7.2",
    ),
    Attempt(
        name="claims as list",
        tries="The payload is JSON, and no object: code that looks up a claim in it may crash, and let everybody in.",
        mechanism="payload of another type",
        edits=(Edit("claims", r"^.+$", "[]"),),
        source="RFC 7519, section 7.2",
    ),
    Attempt(
        name="header as list",
        tries="The header is JSON, and no object; that needs no key.",
        mechanism="header of another type",
        base="adminuser",
        edits=(Edit("header", r"^.+$", "[]"),),
        source="RFC 7515, section 4",
    ),
    Attempt(
        name="claim twice",
        tries="Two programs read the same token, one takes the first scope and the other the last.",
        mechanism="claim given twice",
        edits=(Edit("claims", r"^\{", '{"scope": "nothing", '),),
        source="RFC 7519, section 4",
    ),
    Attempt(
        name="alg twice",
        tries="A filter reads that the token is signed, and the authorizer perhaps that it is not.",
        mechanism="parameter given twice",
        edits=(Edit("header", r"^\{", '{"alg": "none", '),),
        source="RFC 7515, section 4",
    ),
    Attempt(
        name="critical extension",
        tries="The header names an extension that must be understood, and nobody here does.",
        mechanism="crit",
        header={"crit": ["exp"], "exp": In(3600)},
        source="RFC 7515, section 4.1.11",
    ),
    Attempt(
        name="other encoding",
        tries="The claims are in UTF-16, so that a filter that looks for words does not find them.",
        mechanism="UTF-16",
        charset="utf-16",
        source="RFC 8725, section 3.7",
    ),
    Attempt(
        name="byte order mark",
        tries="The claims begin with a mark that one parser skips and another stumbles over.",
        mechanism="byte order mark",
        charset="utf-8-sig",
        source="RFC 8259, section 8.1",
    ),
    Attempt(
        name="no encoding",
        tries="A name in the claims is in Latin-1: its bytes are no UTF-8.",
        mechanism="bytes that are no text",
        charset="latin-1",
        edits=(Edit("claims", r"^\{", '{"name": "Ren\u00e9", '),),
        source="RFC 7519, section 7.2",
    ),
    Attempt(
        name="not a number",
        tries="The token ends at NaN, and whatever is compared with NaN is false.",
        mechanism="NaN",
        edits=(Edit("claims", r'"exp":\d+', '"exp":NaN'),),
        source="RFC 8259, section 6",
    ),
    Attempt(
        name="endless number",
        tries="A number of 5,000 digits keeps the parser busy.",
        mechanism="number of too many digits",
        edits=(Edit("claims", r"^\{", '{"n": ' + "9" * 5_000 + ", "),),
        source="RFC 8259, section 9",
    ),
    Attempt(
        name="deep nesting",
        tries="Six hundred lists, each within the other, exhaust a parser that calls itself.",
        mechanism="nesting",
        edits=(Edit("claims", r"^\{", '{"n": ' + "[" * 600 + "]" * 600 + ", "),),
        source="RFC 8259, section 9",
    ),
    Attempt(
        name="token in a token",
        tries="The payload is itself a token, which may have passed through an issuer that signs anything.",
        mechanism="nested token",
        header={"cty": "JWT"},
        edits=(Edit("claims", r"^.+$", "$ORIGINAL"),),
        source="RFC 7519, section 5.2",
    ),
)

ALGORITHM = _rows(
    "algorithm",
    401,
    Attempt(
        name="none",
        tries="The header says that the token is not signed, and that it need not be.",
        mechanism="none",
        base="regularuser",
        header={"alg": "none"},
        claims={"scope": "$SCOPE"},
        by="nobody",
        source="RFC 8725, section 3.2",
    ),
    Attempt(
        name="nOnE",
        tries="The same in mixed case, for a filter that knows only none.",
        mechanism="none in another case",
        base="regularuser",
        header={"alg": "nOnE"},
        claims={"scope": "$SCOPE"},
        by="nobody",
        source="RFC 7515, section 4.1.1",
    ),
    Attempt(
        name="none, signed",
        tries="The issuer did sign the token, and the header denies it.",
        mechanism="none above a good signature",
        header={"alg": "none"},
        source="RFC 8725, section 3.1",
    ),
    Attempt(
        name="HS256 with the public key",
        tries="The public key is taken for a shared secret, which everybody knows.",
        mechanism="HMAC of the public key",
        base="regularuser",
        header={"alg": "HS256"},
        claims={"scope": "$SCOPE"},
        by="public key",
        algorithm="HS256",
        source="RFC 8725, section 3.1",
    ),
    Attempt(
        name="HS256 with a word",
        tries="A shared secret is guessed from a dictionary.",
        mechanism="HMAC of a word",
        base="regularuser",
        header={"alg": "HS256"},
        claims={"scope": "$SCOPE"},
        by="a word",
        algorithm="HS256",
        source="RFC 8725, section 3.5",
    ),
    Attempt(
        name="ES256",
        tries="The token is signed with an elliptic curve, a good algorithm that the authorizer does not take.",
        mechanism="another family",
        base="regularuser",
        header={"alg": "ES256"},
        claims={"scope": "$SCOPE"},
        by="stranger's curve",
        algorithm="ES256",
        source=JWT_PAGE,
    ),
    Attempt(
        name="psychic signature",
        tries="An ECDSA signature of zeros, which some versions of Java took for everybody's.",
        mechanism="signature of zeros on a curve",
        base="regularuser",
        header={"alg": "ES256"},
        claims={"scope": "$SCOPE"},
        edits=(Edit("signature", r"^.+$", "A" * 86),),
        source="RFC 8725, section 3.4",
    ),
    Attempt(
        name="RS384",
        tries="The issuer's key signs with a hash that it was not published for.",
        mechanism="another hash",
        header={"alg": "RS384"},
        algorithm="RS384",
        source="RFC 7517, section 4.4",
    ),
    Attempt(
        name="PS256",
        tries="The issuer's key signs with a padding that it was not published for.",
        mechanism="another padding",
        header={"alg": "PS256"},
        algorithm="PS256",
        source="RFC 7517, section 4.4",
    ),
    Attempt(
        name="rs256",
        tries="The algorithm is written in small letters, and names are case-sensitive.",
        mechanism="algorithm in another case",
        header={"alg": "rs256"},
        source="RFC 7515, section 4.1.1",
    ),
    Attempt(
        name="no alg",
        tries="The header does not say how the token is signed.",
        mechanism="no algorithm",
        header={"alg": GONE},
        source="RFC 7515, section 4.1.1",
    ),
    Attempt(
        name="alg as list",
        tries="The header offers two algorithms to choose from.",
        mechanism="algorithm of another type",
        header={"alg": ["RS256", "none"]},
        source="RFC 7515, section 4.1.1",
    ),
)

KEY_ID = _rows(
    "key-id",
    401,
    Attempt(
        name="unknown kid",
        tries="A stranger signs with a key of their own, under its own name.",
        mechanism="key that is not published",
        base="regularuser",
        header={"kid": "$STRANGER_KID"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="no kid",
        tries="The header does not say which key it was, and the authorizer perhaps tries each, or none.",
        mechanism="no kid",
        header={"kid": GONE},
        source=JWT_PAGE,
    ),
    Attempt(
        name="kid as path",
        tries="The kid is a path to a file of known content, in case keys are read from files.",
        mechanism="file path",
        base="regularuser",
        header={"kid": "../../../../dev/null"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="kid as SQL",
        tries="The kid closes a quotation and goes on in SQL, in case keys are looked up in a database.",
        mechanism="SQL injection",
        base="regularuser",
        header={"kid": "x' UNION SELECT 'key"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="kid as command",
        tries="The kid holds a command for a shell, in case one is started to find the key.",
        mechanism="shell injection",
        base="regularuser",
        header={"kid": "key; curl attacker.example"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="kid as address",
        tries="The kid is the address of the stranger's keys, in case it is fetched.",
        mechanism="web address",
        header={"kid": "$STRANGER_KEYS"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="kid in another case",
        tries="The issuer's kid is written in capitals, and kids are case-sensitive.",
        mechanism="kid in another case",
        header={"kid": "$KID_IN_CAPITALS"},
        source="RFC 7515, section 4.1.4",
    ),
    Attempt(
        name="kid as list",
        tries="The header names every kid that there is.",
        mechanism="kid of another type",
        header={"kid": ["$KID", "$ENCRYPTION_KID"]},
        source="RFC 7515, section 4.1.4",
    ),
    Attempt(
        name="key for encryption",
        tries="The kid is that of a key which the issuer publishes for encryption, not for signatures.",
        mechanism="key of another use",
        header={"kid": "$ENCRYPTION_KID"},
        source="RFC 7517, section 4.2",
    ),
    Attempt(
        name="jku",
        tries="The header says where the keys are to be fetched: at the stranger's.",
        mechanism="jku",
        header={"jku": "$STRANGER_KEYS", "kid": "$STRANGER_KID"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="other pool",
        tries="A good token of another issuer, with the right audience and scope.",
        mechanism="another issuer's token",
        base="another issuer",
        source="RFC 8725, section 3.8",
    ),
)

SIGNATURE = _rows(
    "signature",
    401,
    Attempt(
        name="changed payload",
        tries="A regular user writes the admin scope into the payload and leaves the signature as it is.",
        mechanism="changed claims",
        base="regularuser",
        claims={"scope": "$SCOPE"},
        source="RFC 8725, section 3.3",
    ),
    Attempt(
        name="same claims, other text",
        tries="A blank is put between the claims: the same JSON, and other bytes.",
        mechanism="other bytes for the same claims",
        base="adminuser",
        edits=(Edit("claims", r"^\{", "{ "),),
        source="RFC 7515, section 5.2",
    ),
    Attempt(
        name="changed header",
        tries="A parameter is added to the header, which is signed just as the payload is.",
        mechanism="changed header",
        base="adminuser",
        header={"typ": "at+jwt"},
        source="RFC 7515, section 5.2",
    ),
    Attempt(
        name="changed signature",
        tries="Two groups of characters of the signature change places.",
        mechanism="changed signature",
        base="adminuser",
        edits=(Edit("signature", r"^(.{4})(.{4})", r"\2\1"),),
        source="RFC 8725, section 3.3",
    ),
    Attempt(
        name="no signature",
        tries="The signature is left out, and its dot is left in.",
        mechanism="empty signature",
        base="adminuser",
        by="nobody",
        source="RFC 8725, section 3.3",
    ),
    Attempt(
        name="short signature",
        tries="Half of the signature is sent, in case only what is there is compared.",
        mechanism="signature cut off",
        base="adminuser",
        edits=(Edit("signature", r"^(.{160}).*$", r"\1"),),
        source="RFC 8725, section 3.4",
    ),
    Attempt(
        name="signature of zeros",
        tries="To the power of any exponent zero is zero.",
        mechanism="signature of zeros",
        base="adminuser",
        edits=(Edit("signature", r".", "A"),),
        source="RFC 8725, section 3.4",
    ),
    Attempt(
        name="borrowed signature",
        tries="The signature of adminuser's token is put under regularuser's.",
        mechanism="signature of another token",
        base="regularuser",
        claims={"scope": "$SCOPE"},
        edits=(Edit("signature", r"^.+$", "$SIGNATURE"),),
        source="RFC 8725, section 2.7",
    ),
    Attempt(
        name="borrowed kid",
        tries="A stranger signs with a key of their own, under the name of the issuer's.",
        mechanism="stranger's key under the issuer's kid",
        base="regularuser",
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.3",
    ),
    Attempt(
        name="the pool's other key",
        tries="The kid is that of the key with which the pool signs access tokens.",
        mechanism="another key of the issuer",
        base="adminuser",
        header={"kid": "$ACCESS_KID"},
        source="RFC 7515, section 5.2",
    ),
    Attempt(
        name="jwk",
        tries="The header brings the stranger's key along.",
        mechanism="jwk",
        base="regularuser",
        header={"jwk": "$STRANGER_JWK"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
    Attempt(
        name="x5c",
        tries="The header brings a certificate of the stranger's key along.",
        mechanism="x5c",
        base="regularuser",
        header={"x5c": "$STRANGER_X5C"},
        claims={"scope": "$SCOPE"},
        by="stranger",
        source="RFC 7515, section 4.1.6",
    ),
    Attempt(
        name="x5u",
        tries="The header says where a certificate is to be fetched: at the stranger's.",
        mechanism="x5u",
        header={"x5u": "$STRANGER_CERTIFICATE"},
        by="stranger",
        source="RFC 8725, section 3.10",
    ),
)

ISSUER = _rows(
    "issuer",
    401,
    Attempt(
        name="wrong issuer",
        tries="The issuer's key signs for somebody else, as a provider with many tenants does.",
        mechanism="another name",
        claims={"iss": "https://issuer.example"},
        source="RFC 8725, section 3.8",
    ),
    Attempt(
        name="issuer with a slash",
        tries="The issuer ends in a slash, and the authorizer's does not.",
        mechanism="slash at the end",
        claims={"iss": "$ISSUER/"},
        source="RFC 7519, section 4.1.1",
    ),
    Attempt(
        name="issuer with a tail",
        tries="The issuer begins as the right one does, in case only its beginning is compared.",
        mechanism="right beginning",
        claims={"iss": "$ISSUER.attacker.example"},
        source="RFC 7519, section 4.1.1",
    ),
    Attempt(
        name="issuer in capitals",
        tries="Host names do not care for case; the claim is compared as text.",
        mechanism="another case",
        edits=(Edit("claims", '"iss":"http://', '"iss":"HTTP://'),),
        source="RFC 7519, section 2",
    ),
    Attempt(
        name="issuer by another address",
        tries="localhost is the same machine; the claim is compared as text.",
        mechanism="another address of the same place",
        edits=(Edit("claims", r"//127\.0\.0\.1:", "//localhost:"),),
        source="RFC 7519, section 4.1.1",
    ),
    Attempt(
        name="no issuer",
        tries="The token does not say who made it.",
        mechanism="no iss",
        claims={"iss": GONE},
        source=JWT_PAGE,
    ),
    Attempt(
        name="two issuers",
        tries="The claim is a list, with the right issuer in it.",
        mechanism="iss of another type",
        claims={"iss": ["$ISSUER", "https://issuer.example"]},
        source="RFC 7519, section 4.1.1",
    ),
)

AUDIENCE = _rows(
    "audience",
    401,
    Attempt(
        name="other client",
        tries="A token that was made for another app client of the same issuer.",
        mechanism="another audience",
        claims={"aud": "another-app-client"},
        source="RFC 8725, section 3.9",
    ),
    Attempt(
        name="no audience",
        tries="The token does not say for whom it was made.",
        mechanism="neither aud nor client_id",
        claims={"aud": GONE},
        source="RFC 8725, section 3.9",
    ),
    Attempt(
        name="right client, wrong audience",
        tries="The client_id is right, and an aud goes before it.",
        mechanism="client_id beside a wrong aud",
        claims={"aud": "https://api.example", "client_id": "$CLIENT"},
        source=JWT_PAGE,
    ),
    Attempt(
        name="audience null",
        tries="The aud is null, which some code takes for an aud that is not there.",
        mechanism="aud is null",
        claims={"aud": None, "client_id": "$CLIENT"},
        source="RFC 7519, section 4.1.3",
    ),
    Attempt(
        name="list of others",
        tries="The token was made for several clients, and this one is not among them.",
        mechanism="list without the right one",
        claims={"aud": ["another-app-client", "a-third-one"]},
        source="RFC 7519, section 4.1.3",
    ),
    Attempt(
        name="audiences in one text",
        tries="Two audiences are written into one text, as scopes are.",
        mechanism="text with blanks",
        claims={"aud": "another-app-client $CLIENT"},
        source="RFC 7519, section 4.1.3",
    ),
    Attempt(
        name="list of more than text",
        tries="The right audience is in a list with something that is no text.",
        mechanism="list of mixed types",
        claims={"aud": ["$CLIENT", 1]},
        source="RFC 7519, section 4.1.3",
    ),
    Attempt(
        name="longer audience",
        tries="The audience begins with the right one, in case only that is compared.",
        mechanism="right beginning",
        claims={"aud": "$CLIENT-2"},
        source="RFC 7519, section 4.1.3",
    ),
    Attempt(
        name="azp",
        tries="The authorized party is right, and the audience is not.",
        mechanism="azp beside a wrong aud",
        claims={"aud": "another-app-client", "azp": "$CLIENT"},
        source="OpenID Connect Core 1.0, section 2",
    ),
)

EXPIRY = _rows(
    "expiry",
    401,
    Attempt(
        name="expired",
        tries="The token ended a second ago, in case there is tolerance between clocks.",
        mechanism="exp in the past",
        claims={"iat": In(-3600), "exp": In(-1)},
        source="RFC 7519, section 4.1.4",
    ),
    Attempt(
        name="no expiry",
        tries="The token does not say when it ends, and would open the door forever.",
        mechanism="no exp",
        claims={"exp": GONE},
        source=JWT_PAGE,
    ),
    Attempt(
        name="expiry as text",
        tries="The time is right, and it is a text.",
        mechanism="exp as text",
        edits=(Edit("claims", r'"exp":(\d+)', r'"exp":"\1"'),),
        source="RFC 7519, section 2",
    ),
    Attempt(
        name="expiry null",
        tries="The end of the token is null, in case that is taken for never.",
        mechanism="exp is null",
        claims={"exp": None},
        source="RFC 7519, section 2",
    ),
    Attempt(
        name="expiry beyond numbers",
        tries="The token ends at 1e400, which many parsers turn into infinity.",
        mechanism="number that becomes infinity",
        edits=(Edit("claims", r'"exp":\d+', '"exp":1e400'),),
        source="RFC 8259, section 6",
    ),
    Attempt(
        name="expiry true",
        tries="The end of the token is true, which is 1 to some languages and later than anything to others.",
        mechanism="exp is true",
        claims={"exp": True},
        source="RFC 7519, section 2",
    ),
)

NOT_BEFORE = _rows(
    "not-before",
    401,
    Attempt(
        name="not yet valid",
        tries="The token is used an hour before it begins to be valid.",
        mechanism="nbf in the future",
        claims={"nbf": In(3600)},
        source="RFC 7519, section 4.1.5",
    ),
    Attempt(
        name="not before soon",
        tries="The beginning is a word, in case what cannot be read is passed over.",
        mechanism="nbf as text",
        claims={"nbf": "soon"},
        source="RFC 7519, section 2",
    ),
)

ISSUED_AT = _rows(
    "issued-at",
    401,
    Attempt(
        name="issued in the future",
        tries="The token was made an hour from now, by an issuer whose clock is fast.",
        mechanism="iat in the future",
        claims={"iat": In(3600), "exp": In(7200)},
        source=JWT_PAGE,
    ),
    Attempt(
        name="issued in milliseconds",
        tries="The issuer counts in milliseconds, as JavaScript does, and so the token is made in 57,000 years.",
        mechanism="iat in another unit",
        claims={"iat": In(0, 1000)},
        source="RFC 7519, section 2",
    ),
    Attempt(
        name="issued in a list",
        tries="The time is in a list, in case what cannot be read is passed over.",
        mechanism="iat of another type",
        claims={"iat": [In(0)]},
        source="RFC 7519, section 2",
    ),
)

SCOPE = _rows(
    "scope",
    403,
    Attempt(
        name="regular user",
        tries="A regular user tries the admin route with a token of their own.",
        mechanism="another scope",
        base="regularuser",
        source=JWT_PAGE,
    ),
    Attempt(
        name="access token",
        tries="The admin sends the access token, into which the trigger puts no scope.",
        mechanism="access token without the scope",
        base="access token",
        source=JWT_PAGE,
    ),
    Attempt(
        name="no scope",
        tries="The token does not say what it allows.",
        mechanism="neither scope nor scp",
        claims={"scope": GONE},
        source=JWT_PAGE,
    ),
    Attempt(
        name="shorter scope",
        tries="The scope is the beginning of the right one.",
        mechanism="prefix",
        claims={"scope": "admin"},
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="longer scope",
        tries="The right scope is only a part of the token's, in case text is searched in text.",
        mechanism="superset",
        claims={"scope": "not-$SCOPE-either"},
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="scope in capitals",
        tries="Scopes are case-sensitive.",
        mechanism="another case",
        edits=(Edit("claims", '"scope":"admin', '"scope":"ADMIN'),),
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="scope with a joker",
        tries="The scope is a pattern, as in a policy of IAM.",
        mechanism="pattern",
        claims={"scope": "admin-* *"},
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="scopes with commas",
        tries="The scopes are written with commas between them.",
        mechanism="comma for a blank",
        claims={"scope": "regular-$CLIENT,$SCOPE"},
        source="RFC 8693, section 4.2",
    ),
    Attempt(
        name="scopes with tabs",
        tries="The scopes are written with tabs between them, which is white space, too.",
        mechanism="tab for a blank",
        claims={"scope": "regular-$CLIENT\t$SCOPE"},
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="scope that looks alike",
        tries="The first letter is a Cyrillic one that looks the same.",
        mechanism="letter that looks alike",
        edits=(Edit("claims", '"scope":"a', '"scope":"\u0430'),),
        source="RFC 6749, section 3.3",
    ),
    Attempt(
        name="scope as list",
        tries="The scopes are a list, as every other language would write them.",
        mechanism="scope of another type",
        claims={"scope": ["$SCOPE"]},
        source="RFC 8693, section 4.2",
    ),
    Attempt(
        name="scp before scope",
        tries="The scope is right, and an scp that is not goes before it.",
        mechanism="scp beside the right scope",
        claims={"scp": "regular-$CLIENT"},
        source=JWT_PAGE,
    ),
    Attempt(
        name="groups for scopes",
        tries="The token names the user's groups, which the authorizer does not look at.",
        mechanism="groups",
        claims={"scope": GONE, "cognito:groups": ["$SCOPE"], "groups": ["$SCOPE"]},
        source=JWT_PAGE,
    ),
)

GETS_THROUGH = _rows(
    None,
    200,
    Attempt(
        name="replay",
        tries="A good token was copied, from a log say, and is sent by somebody else.",
        mechanism="stolen token",
        base="adminuser",
        source="RFC 6750, section 5.2",
        remark="A bearer token serves whoever holds it. Keep it short-lived, out of logs and URLs, and on TLS.",
    ),
    Attempt(
        name="signed-out user",
        tries="The user has signed out, and the token is used once more.",
        mechanism="revoked sign-in",
        base="signed-out user",
        source=REVOCATION_PAGE,
        remark="The authorizer never asks the user pool. Let tokens live for minutes; ask the pool where it matters.",
    ),
    Attempt(
        name="no Bearer",
        tries="The token is sent bare, without the scheme that RFC 6750 asks for.",
        mechanism="no scheme",
        headers=(("authorization", "$TOKEN"),),
        source=JWT_PAGE,
        remark="AWS takes both, and the post sends it so. Write Bearer: other services insist on it.",
    ),
    Attempt(
        name="scp as list",
        tries="The scopes are in scp, as a list, as some issuers write them.",
        mechanism="scp as list",
        claims={"scope": GONE, "scp": ["regular-$CLIENT", "$SCOPE"]},
        source=JWT_PAGE,
        remark="The authorizer takes scp as well as scope. Know which of them your issuer fills, and who may fill it.",
    ),
    Attempt(
        name="scp as text",
        tries="The scopes are in scp, as a text, and the scope beside it is wrong.",
        mechanism="scp as text",
        claims={"scope": "nothing", "scp": "$SCOPE"},
        source=JWT_PAGE,
        remark="Of scope and scp one is enough. A trigger that strips scopes has to strip them from both.",
    ),
    Attempt(
        name="one of many audiences",
        tries="The token was made for several clients, and this one is among them.",
        mechanism="list with the right one",
        claims={"aud": ["another-app-client", "$CLIENT"]},
        source="RFC 7519, section 4.1.3",
        remark="Each of these clients can use the token at the others. Ask the issuer for one audience a token.",
    ),
    Attempt(
        name="client_id for aud",
        tries="The token has no aud, and its client_id is right, as in Cognito's access tokens.",
        mechanism="client_id without an aud",
        claims={"aud": GONE, "client_id": "$CLIENT"},
        source=JWT_PAGE,
        remark="So one audience admits ID and access tokens alike. Only a scope tells them apart.",
    ),
    Attempt(
        name="any token_use",
        tries="The token says of itself that it is a refresh token.",
        mechanism="another kind of token",
        claims={"token_use": "refresh"},
        source="RFC 8725, section 3.12",
        remark="Nobody checks token_use. Ask for scopes that only the right kind of token has.",
    ),
    Attempt(
        name="any typ",
        tries="The header says that this is a logout token, which no API should take.",
        mechanism="another type in the header",
        header={"typ": "logout+jwt"},
        source="RFC 8725, section 3.11",
        remark="Nobody checks typ. Do not let one key sign several kinds of tokens for the same audience.",
    ),
    Attempt(
        name="ends in milliseconds",
        tries="The issuer counts in milliseconds, and so the token ends in 57,000 years.",
        mechanism="exp in another unit",
        claims={"exp": In(3600, 1000)},
        source="RFC 7519, section 2",
        remark="There is no longest life of a token. Test what your issuer writes: a token's exp minus its iat.",
    ),
    Attempt(
        name="no iat",
        tries="The token does not say when it was made.",
        mechanism="no iat",
        claims={"iat": GONE},
        source="RFC 7519, section 4.1.6",
        remark="Only exp is required. Without iat nobody can tell how old a token is.",
    ),
    Attempt(
        name="somebody else's sub",
        tries="The trusted issuer writes another user into the token.",
        mechanism="another subject",
        claims={"sub": "somebody-else", "cognito:username": "somebody-else"},
        source="RFC 8725, section 3.8",
        remark="The issuer is believed in all that it signs. Which data a user may see, your own code has to check.",
    ),
    Attempt(
        name="unknown claims",
        tries="The token makes statements that nobody here has heard of.",
        mechanism="unknown claims",
        claims={"is_admin": True, "role": {"name": "root"}},
        source="RFC 7519, section 4",
        remark="They reach your function, verified and not judged. Use only those that your issuer itself controls.",
    ),
)

ATTEMPTS: tuple[Attempt, ...] = (
    *REQUEST_SIZE,
    *IDENTITY_SOURCE,
    *SHAPE,
    *ALGORITHM,
    *KEY_ID,
    *SIGNATURE,
    *ISSUER,
    *AUDIENCE,
    *EXPIRY,
    *NOT_BEFORE,
    *ISSUED_AT,
    *SCOPE,
    *GETS_THROUGH,
)
