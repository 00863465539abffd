"""The decision of a JWT authorizer. Every expected status and rule is written by hand from AWS's documentation:

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html (the checks and their order),
http-api-troubleshooting-jwt.html (the challenge), http-api-quotas.html (the size), and the RFCs named beside a case.
"""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from labkit.tokens.decision import RULES, ApiRequest, AuthorizerSettings, Decision, Route, decide, token_scopes
from tests.signing import encoded, jwk, key, signed, unsigned

NOW = 1_795_384_800  # 2026-11-22 22:00:00 UTC
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"
CLIENT = "1example23456789abcdefghij"
AUTHORIZER = AuthorizerSettings("$request.header.Authorization", ISSUER, (CLIENT,))
ADMIN = Route("GET /AdminUser", (f"admin-{CLIENT}",))
REGULAR = Route("GET /RegularUser", (f"regular-{CLIENT}",))
OPEN = Route("GET /Open", ())

# What Cognito puts in the two tokens of a user of both groups, the trigger's scope in the ID token.
ID_CLAIMS: dict[str, Any] = {
    "sub": "5d0f3c1e-0000-4000-8000-000000000001",
    "cognito:groups": ["admin", "regular"],
    "iss": ISSUER,
    "cognito:username": "adminuser",
    "aud": CLIENT,
    "token_use": "id",
    "scope": f"admin-{CLIENT} regular-{CLIENT}",
    "auth_time": NOW - 60,
    "iat": NOW - 60,
    "exp": NOW + 3_540,
}
ACCESS_CLAIMS: dict[str, Any] = {
    "sub": "5d0f3c1e-0000-4000-8000-000000000001",
    "iss": ISSUER,
    "client_id": CLIENT,
    "token_use": "access",
    "scope": "aws.cognito.signin.user.admin",
    "iat": NOW - 60,
    "exp": NOW + 3_540,
    "username": "adminuser",
}
ABSENT: Any = object()


def keys() -> dict[str, Any]:
    return {"keys": [jwk("other"), jwk("first"), jwk("any", alg=None)]}


def request(*values: str, name: str = "Authorization") -> ApiRequest:
    return ApiRequest((("Host", "lab.example"), *((name, value) for value in values)), (), "GET", "/AdminUser")


def decided(
    token: str, route: Route = ADMIN, authorizer: AuthorizerSettings = AUTHORIZER, now: float = NOW
) -> Decision:
    return decide(request(token), authorizer, route, keys(), now)


def changed(members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


def id_token(**changes: Any) -> str:
    return signed(changed(ID_CLAIMS, **changes))


def outcome(decision: Decision) -> tuple[int, str | None]:
    return decision.status, decision.rule


def test_the_rules_are_in_the_order_of_the_documentation() -> None:
    assert [rule.name for rule in RULES] == [
        "request-size",
        "identity-source",
        "shape",
        "algorithm",
        "key-id",
        "signature",
        "issuer",
        "audience",
        "expiry",
        "not-before",
        "issued-at",
        "scope",
    ]


def test_every_rule_names_its_source_and_what_is_only_inferred() -> None:
    for rule in RULES:
        assert rule.statement.endswith(".")
        assert rule.source.startswith(("https://docs.aws.amazon.com/", "RFC "))
        assert rule.confidence == ("inferred" if rule.name == "shape" else "doc")
        assert not rule.inferred or rule.inferred.endswith(".")


@pytest.mark.parametrize(
    ("scope", "route", "expected"),
    [
        (None, ADMIN, (401, "identity-source")),
        (f"regular-{CLIENT}", ADMIN, (403, "scope")),
        (f"regular-{CLIENT}", REGULAR, (200, None)),
        (f"admin-{CLIENT} regular-{CLIENT}", ADMIN, (200, None)),
        (f"admin-{CLIENT} regular-{CLIENT}", REGULAR, (200, None)),
    ],
)
def test_the_five_calls(scope: str | None, route: Route, expected: tuple[int, str | None]) -> None:
    sent = request() if scope is None else request(id_token(scope=scope))
    assert outcome(decide(sent, AUTHORIZER, route, keys(), NOW)) == expected


# request-size: 10,240 bytes of request line and header values, not adjustable.


@pytest.mark.parametrize(("size", "expected"), [(10_240, (401, "shape")), (10_241, (431, "request-size"))])
def test_the_size_of_request_line_and_header_values(size: int, expected: tuple[int, str]) -> None:
    line = len("GET /AdminUser HTTP/1.1")
    sent = ApiRequest((("Authorization", "a" * (size - line)),), (), "GET", "/AdminUser")
    assert sent.size == size
    assert outcome(decide(sent, AUTHORIZER, ADMIN, keys(), NOW)) == expected


def test_the_request_line_counts_as_it_was_sent() -> None:
    assert ApiRequest((), (("q", "\u00e9 ="),), "GET", "/A").size == len("GET /A?q=%C3%A9+%3D HTTP/1.1")
    assert ApiRequest((), (("q", "a"),), "GET", "/A", "/A?q=%61").size == len("GET /A?q=%61 HTTP/1.1")
    assert ApiRequest((("X", "12345"), ("Y", "6")), (), "GET", "/A").size == len("GET /A HTTP/1.1") + 6


def test_too_large_a_request_is_refused_without_a_challenge() -> None:
    decision = decided("a" * 20_000)
    assert decision.status == 431
    assert decision.www_authenticate is None
    assert decision.body == '{"message":"Request Header Fields Too Large"}'


# identity-source


@pytest.mark.parametrize("value", ["{}", "Bearer {}", "bearer {}", "BEARER   {}", " {} "])
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_header_holds_the_token_bare_or_after_bearer(name: str, value: str) -> None:
    sent = request(value.format(id_token()), name=name)
    assert outcome(decide(sent, AUTHORIZER, ADMIN, keys(), NOW)) == (200, None)


@pytest.mark.parametrize(
    ("around", "harmless"),
    [
        ("{0}{1}", "\t "),
        ("{1}{0}", "\t "),
        ("{0}Bearer {1}", "\t "),
        ("Bearer {1}{0}", "\t "),
        ("Bearer{0}{1}", " "),
        ("Bearer {0}{1}", " "),
    ],
)
def test_no_byte_but_http_s_own_blanks_may_stand_around_a_token(around: str, harmless: str) -> None:
    token = id_token()
    passed = [c for c in map(chr, range(1, 256)) if decided(around.format(c, token)).status == 200]
    assert "".join(passed) == harmless


@pytest.mark.parametrize("value", ["", " ", "Bearer", "Bearer ", "bearer"])
def test_a_header_without_a_token_is_none(value: str) -> None:
    decision = decided(value)
    assert outcome(decision) == (401, "identity-source")
    assert decision.www_authenticate == "Bearer"


def test_two_authorization_headers_are_refused_even_if_both_are_good() -> None:
    decision = decide(request(id_token(), id_token()), AUTHORIZER, ADMIN, keys(), NOW)
    assert outcome(decision) == (401, "identity-source")


def test_another_header_is_no_identity_source() -> None:
    sent = request(id_token(), name="X-Authorization")
    assert outcome(decide(sent, AUTHORIZER, ADMIN, keys(), NOW)) == (401, "identity-source")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("access_token={}", (200, None)),
        ("access_token=Bearer {}", (200, None)),
        ("a=b&access_token={}", (200, None)),
        ("ACCESS_TOKEN={}", (401, "identity-source")),
        ("token={}", (401, "identity-source")),
        ("access_token=", (401, "identity-source")),
        ("access_token={0}&access_token={0}", (401, "identity-source")),
    ],
)
def test_a_query_parameter_holds_the_token(query: str, expected: tuple[int, str | None]) -> None:
    pairs = [pair.partition("=") for pair in query.format(id_token()).split("&")]
    sent = ApiRequest((), tuple((name, value) for name, _, value in pairs), "GET", "/AdminUser")
    authorizer = AuthorizerSettings("$request.querystring.access_token", ISSUER, (CLIENT,))
    assert outcome(decide(sent, authorizer, ADMIN, keys(), NOW)) == expected


@pytest.mark.parametrize("source", ["", "Authorization", "$request.header.", "route.request.header.Authorization"])
def test_an_identity_source_that_is_no_selection_expression_finds_nothing(source: str) -> None:
    authorizer = AuthorizerSettings(source, ISSUER, (CLIENT,))
    decision = decided(id_token(), authorizer=authorizer)
    assert outcome(decision) == (401, "identity-source")


# shape: RFC 7515 and RFC 7519; whatever is malformed is 401.


@pytest.mark.parametrize(
    "token",
    [
        "not-a-token",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        "...",
        "Basic YWRtaW46YWRtaW4=",
        "\u00e9.\u00e9.\u00e9",
        "\ud800.\ud800.\ud800",
        "\x00.\x00.\x00",
    ],
)
def test_a_value_that_is_no_token_is_refused(token: str) -> None:
    assert outcome(decided(token)) == (401, "shape")


@pytest.mark.parametrize("part", [b"[]", b"{", b"\xff", b'{"exp":NaN}', b'{"alg":"RS256","alg":"RS256"}'])
def test_a_header_or_a_payload_that_is_no_strict_json_object_is_refused(part: bytes) -> None:
    assert outcome(decided(signed(ID_CLAIMS, part))) == (401, "shape")
    assert outcome(decided(signed(part))) == (401, "shape")


def test_an_encrypted_refresh_token_is_refused() -> None:
    header = encoded({"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"})
    assert outcome(decided(f"{header}.AQID.AQID.AQID.AQID")) == (401, "shape")


# algorithm: "only RSA-based algorithms are supported"; the key's own, RFC 7517, section 4.4, and RFC 8725, section 3.1.


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_rsa_algorithms_are_taken_if_the_key_does_not_say_otherwise(algorithm: str) -> None:
    token = signed(ID_CLAIMS, by="any", algorithm=algorithm)
    assert outcome(decided(token)) == (200, None)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_than_the_keys_own_is_refused(algorithm: str) -> None:
    token = signed(ID_CLAIMS, by="first", algorithm=algorithm)
    assert outcome(decided(token)) == (401, "algorithm")


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "", "HS256", "ES256", "EdDSA", "rs256", "RS1", None, 1, ["RS256"], {}]
)
@pytest.mark.parametrize("key_id", ["first", "any", "unknown"])
def test_no_other_algorithm_is_taken_whoever_signed(algorithm: object, key_id: str) -> None:
    token = signed(ID_CLAIMS, {"alg": algorithm, "kid": key_id}, by="first")
    assert outcome(decided(token)) == (401, "algorithm")


def test_a_header_without_an_algorithm_is_refused() -> None:
    assert outcome(decided(signed(ID_CLAIMS, {"kid": "first"}))) == (401, "algorithm")


# key-id


@pytest.mark.parametrize(
    "key_id", ["unknown", "", "FIRST", "first ", "../first", "' or 1=1 --", None, 1, ["first"], {}]
)
def test_a_key_that_the_issuer_does_not_publish_is_refused(key_id: object) -> None:
    assert outcome(decided(signed(ID_CLAIMS, {"alg": "RS256", "kid": key_id}))) == (401, "key-id")


def test_a_header_without_a_key_id_is_refused() -> None:
    assert outcome(decided(signed(ID_CLAIMS, {"alg": "RS256"}))) == (401, "key-id")


@pytest.mark.parametrize("published", [[], {}, {"keys": []}, {"keys": None}, {"keys": [None, 5, "first"]}])
def test_an_issuer_that_publishes_no_key_lets_nobody_in(published: Any) -> None:
    decision = decide(request(id_token()), AUTHORIZER, ADMIN, published, NOW)
    assert outcome(decision) == (401, "key-id")


@pytest.mark.parametrize("unfit", [{"use": "enc"}, {"kty": "EC"}, {"kty": None}])
def test_a_key_that_is_not_for_rsa_signatures_is_passed_over(unfit: dict[str, Any]) -> None:
    decision = decide(request(id_token()), AUTHORIZER, ADMIN, [jwk("first", **unfit)], NOW)
    assert outcome(decision) == (401, "key-id")


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        (["verify"], 200),
        (["sign", "verify"], 200),
        ([], 401),
        (["encrypt"], 401),
        ("verify", 401),
        (None, 401),
        ({}, 401),
    ],
)
def test_a_key_verifies_only_if_its_operations_allow_it(operations: Any, status: int) -> None:
    published = {"keys": [{**jwk("first"), "key_ops": operations}]}
    assert decide(request(id_token()), AUTHORIZER, ADMIN, published, NOW).status == status


@pytest.mark.parametrize(("bits", "status"), [(1024, 401), (2040, 401), (2048, 200), (3072, 200)])
def test_a_small_rsa_key_verifies_nothing(bits: int, status: int) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    published = {**RSAAlgorithm.to_jwk(small.public_key(), as_dict=True), "kid": "small"}
    message = unsigned(ID_CLAIMS, {"alg": "RS256", "kid": "small"}, b"").removesuffix(".")
    token = f"{message}.{encoded(jwt.get_algorithm_by_name('RS256').sign(message.encode(), small))}"
    assert decide(request(token), AUTHORIZER, ADMIN, [published], NOW).status == status


def test_a_key_without_an_id_is_nobodys() -> None:
    token = signed(ID_CLAIMS, {"alg": "RS256"})
    assert outcome(decide(request(token), AUTHORIZER, ADMIN, [jwk("first", kid=None)], NOW)) == (401, "key-id")


def test_the_keys_may_be_given_without_their_set() -> None:
    assert decide(request(id_token()), AUTHORIZER, ADMIN, [jwk("first")], NOW).status == 200


# signature


def test_a_token_of_another_key_under_a_known_key_id_is_refused() -> None:
    token = signed(ID_CLAIMS, {"alg": "RS256", "kid": "first"}, by="other")
    assert outcome(decided(token)) == (401, "signature")


@pytest.mark.parametrize("parameter", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_not_used(parameter: str) -> None:
    # RFC 8725, section 3.10
    brought = {"jwk": jwk("attacker"), "jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/x", "x5c": ["AQID"]}
    token = signed(ID_CLAIMS, {"alg": "RS256", "kid": "first", parameter: brought[parameter]}, by="attacker")
    assert outcome(decided(token)) == (401, "signature")


@pytest.mark.parametrize("signature", [b"", b"x", b"\x00" * 256, b"\xff" * 512])
def test_a_signature_that_nobody_made_is_refused(signature: bytes) -> None:
    token = unsigned(ID_CLAIMS, {"alg": "RS256", "kid": "first"}, signature)
    assert outcome(decided(token)) == (401, "signature")


def test_a_published_key_that_cannot_be_read_verifies_nothing() -> None:
    decision = decide(request(id_token()), AUTHORIZER, ADMIN, [jwk("first", n="AQAB")], NOW)
    assert outcome(decision) == (401, "signature")


# The claims, each with values that pass and values that fail, in a token that the right key signed.


@pytest.mark.parametrize(
    ("rule", "claim", "values"),
    [
        (
            "issuer",
            "iss",
            [
                ABSENT,
                None,
                "",
                f"{ISSUER}/",
                ISSUER.upper(),
                ISSUER.replace("https", "http"),
                ISSUER[:-1],
                f"{ISSUER}4",
                f" {ISSUER}",
                ISSUER.replace("us-east-1.", "us-east1."),
                [ISSUER],
                {"iss": ISSUER},
                1,
            ],
        ),
        (
            "audience",
            "aud",
            [
                ABSENT,
                None,
                "",
                "another",
                CLIENT[:-1],
                f"{CLIENT}x",
                CLIENT.upper(),
                f"{CLIENT} ",
                [],
                ["another"],
                [None],
                [CLIENT, 1],
                [[CLIENT]],
                {CLIENT: CLIENT},
                0,
                True,
            ],
        ),
        (
            "expiry",
            "exp",
            [
                ABSENT,
                None,
                NOW,
                NOW - 1,
                0,
                -1,
                -1e300,
                str(NOW + 100),
                "abc",
                "",
                [],
                [NOW + 100],
                {},
                True,
                10**4_000,
            ],
        ),
        ("not-before", "nbf", [NOW + 1, NOW + 0.5, 1e300, None, str(NOW - 1), [], {}, False, 10**4_000]),
        ("issued-at", "iat", [NOW + 1, NOW + 0.5, 1e300, None, str(NOW - 1), [], {}, True, 10**4_000]),
    ],
)
def test_claims_that_are_refused(rule: str, claim: str, values: list[Any]) -> None:
    for value in values:
        assert outcome(decided(id_token(**{claim: value}))) == (401, rule), value


@pytest.mark.parametrize(
    ("claim", "values"),
    [
        ("aud", [CLIENT, [CLIENT], ["another", CLIENT]]),
        ("exp", [NOW + 1, NOW + 0.5, float(NOW + 1), 1e300]),
        ("nbf", [ABSENT, NOW, NOW - 1, 0, -1, NOW - 0.5]),
        ("iat", [ABSENT, NOW, NOW - 1, 0, NOW - 0.5]),
        ("token_use", [ABSENT, "access", "refresh", "anything"]),
        ("sub", [ABSENT, "\ud800", ["a"], None]),
        ("name", ["\u5c71\u7530", "\ud83d", "\x00", {"a": {"b": []}}]),
    ],
)
def test_claims_that_pass(claim: str, values: list[Any]) -> None:
    for value in values:
        assert outcome(decided(id_token(**{claim: value}))) == (200, None), value


def test_a_number_that_no_double_can_hold_is_no_expiry() -> None:
    payload = json.dumps(changed(ID_CLAIMS, exp=ABSENT))[:-1].encode() + b',"exp":1e400}'
    assert outcome(decided(signed(payload))) == (401, "expiry")


def test_the_clock_decides_and_there_is_no_tolerance() -> None:
    token = id_token()
    assert outcome(decided(token, now=NOW + 3_539.9)) == (200, None)
    assert outcome(decided(token, now=NOW + 3_540)) == (401, "expiry")
    assert outcome(decided(token, now=NOW - 60)) == (200, None)
    assert outcome(decided(token, now=NOW - 60.1)) == (401, "issued-at")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": ABSENT, "client_id": CLIENT}, (200, None)),
        ({"aud": ABSENT, "client_id": [CLIENT]}, (200, None)),
        ({"aud": ABSENT, "client_id": "another"}, (401, "audience")),
        ({"aud": ABSENT, "client_id": None}, (401, "audience")),
        ({"aud": CLIENT, "client_id": "another"}, (200, None)),
        # An access token that was asked for with a resource bears the API's address as its aud.
        ({"aud": "https://api.example.com", "client_id": CLIENT}, (401, "audience")),
        ({"aud": None, "client_id": CLIENT}, (401, "audience")),
    ],
)
def test_the_client_id_counts_only_without_an_audience(
    claims: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    assert outcome(decided(id_token(**claims))) == expected


def test_one_audience_of_several_is_enough() -> None:
    authorizer = AuthorizerSettings("$request.header.Authorization", ISSUER, ("another", CLIENT))
    assert outcome(decided(id_token(), authorizer=authorizer)) == (200, None)


def test_an_authorizer_without_an_audience_lets_nobody_in() -> None:
    authorizer = AuthorizerSettings("$request.header.Authorization", ISSUER, ())
    assert outcome(decided(id_token(), authorizer=authorizer)) == (401, "audience")


# scope: any one of the route's, from scope or scp; 403 without a challenge.


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": f"admin-{CLIENT}"},
        {"scope": f"other admin-{CLIENT} more"},
        {"scope": f"  admin-{CLIENT}  "},
        {"scope": ABSENT, "scp": [f"admin-{CLIENT}"]},
        {"scope": ABSENT, "scp": f"other admin-{CLIENT}"},
        {"scope": "other", "scp": [f"admin-{CLIENT}"]},
        {"scope": ABSENT, "scp": [1, None, f"admin-{CLIENT}"]},
    ],
)
def test_scopes_that_open_the_route(claims: dict[str, Any]) -> None:
    assert outcome(decided(id_token(**claims))) == (200, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": ABSENT},
        {"scope": ""},
        {"scope": None},
        {"scope": 1},
        {"scope": f"regular-{CLIENT}"},
        {"scope": "admin"},
        {"scope": "admin-"},
        {"scope": f"admin-{CLIENT[:-1]}"},
        {"scope": f"admin-{CLIENT}x"},
        {"scope": f"xadmin-{CLIENT}"},
        {"scope": f"Admin-{CLIENT}"},
        {"scope": f"admin-{CLIENT},regular-{CLIENT}"},
        {"scope": f"admin-{CLIENT}\tx"},
        {"scope": f"admin-{CLIENT}\u00a0x"},
        {"scope": [f"admin-{CLIENT}"]},
        {"scope": {f"admin-{CLIENT}": True}},
        {"scope": "*"},
        # scp goes before scope: captured from AWS by others, not documented.
        {"scope": f"admin-{CLIENT}", "scp": ["other"]},
        {"scope": f"admin-{CLIENT}", "scp": None},
        {"scope": ABSENT, "scp": {f"admin-{CLIENT}": True}},
        {"scope": ABSENT, "roles": [f"admin-{CLIENT}"], "permissions": [f"admin-{CLIENT}"]},
    ],
)
def test_scopes_that_do_not_open_the_route(claims: dict[str, Any]) -> None:
    decision = decided(id_token(**claims))
    assert outcome(decision) == (403, "scope")
    assert decision.www_authenticate is None
    assert decision.body == '{"message":"Forbidden"}'


def test_one_scope_of_several_is_enough() -> None:
    route = Route("GET /AdminUser", ("another", f"regular-{CLIENT}"))
    assert outcome(decided(id_token(scope=f"regular-{CLIENT}"), route)) == (200, None)


@pytest.mark.parametrize("scope", [ABSENT, "", 1, ["a"]])
def test_a_route_without_scopes_asks_for_none(scope: object) -> None:
    decision = decided(id_token(scope=scope), OPEN)
    assert outcome(decision) == (200, None)
    assert decision.rules[-1].expected == "none required"


def test_scopes_are_read_in_the_tokens_order() -> None:
    assert token_scopes({"scope": "b  a b"}) == ("b", "a", "b")
    assert token_scopes({}) == ()


# Tokens of a user pool.


def test_an_access_token_passes_by_its_client_id_and_fails_by_its_scope() -> None:
    assert outcome(decided(signed(ACCESS_CLAIMS), OPEN)) == (200, None)
    decision = decided(signed(ACCESS_CLAIMS))
    assert outcome(decision) == (403, "scope")
    assert decision.failed is not None
    assert "ID token" in decision.failed.remedy


# Precedence: 431 before 401, 401 before 403, and the first rule in order.


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (lambda: "x" * 10_241, (431, "request-size")),
        (lambda: "x", (401, "shape")),
        (lambda: signed(changed(ID_CLAIMS, scope="x"), {"alg": "none", "kid": "x"}), (401, "algorithm")),
        (lambda: signed(changed(ID_CLAIMS, scope="x"), {"alg": "RS256", "kid": "x"}, by="other"), (401, "key-id")),
        (lambda: signed(changed(ID_CLAIMS, iss="x"), {"alg": "RS256", "kid": "first"}, by="other"), (401, "signature")),
        (lambda: id_token(iss="x", aud="x", exp=0, nbf="x", iat="x", scope="x"), (401, "issuer")),
        (lambda: id_token(aud="x", exp=0, nbf="x", iat="x", scope="x"), (401, "audience")),
        (lambda: id_token(exp=0, nbf="x", iat="x", scope="x"), (401, "expiry")),
        (lambda: id_token(nbf="x", iat="x", scope="x"), (401, "not-before")),
        (lambda: id_token(iat="x", scope="x"), (401, "issued-at")),
        (lambda: id_token(scope="x"), (403, "scope")),
        (id_token, (200, None)),
    ],
)
def test_the_first_rule_that_fails_decides(token: Any, expected: tuple[int, str | None]) -> None:
    assert outcome(decided(token())) == expected


# What the client is told.


@pytest.mark.parametrize(
    ("token", "challenge"),
    [
        # Seen in answers of AWS, not documented.
        (
            lambda: "Bearer not-a-token",
            'Bearer scope="" error="invalid_token" error_description="token contains an invalid number of segments"',
        ),
        # Published on http-api-troubleshooting-jwt.html, the only description that is.
        (
            lambda: id_token(aud="another"),
            'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"',
        ),
        (lambda: "a.b.c", 'Bearer scope="" error="invalid_token"'),
        (lambda: id_token(exp=NOW - 1), 'Bearer scope="" error="invalid_token"'),
        (lambda: id_token(iss="another"), 'Bearer scope="" error="invalid_token"'),
        (lambda: signed(ID_CLAIMS, {"alg": "none"}), 'Bearer scope="" error="invalid_token"'),
        (lambda: signed(ID_CLAIMS, {"alg": "RS256", "kid": "x"}), 'Bearer scope="" error="invalid_token"'),
    ],
)
def test_every_401_has_a_challenge_and_a_body(token: Any, challenge: str) -> None:
    decision = decided(token())
    assert decision.status == 401
    assert decision.www_authenticate == challenge
    assert decision.body == '{"message":"Unauthorized"}'


def test_no_token_has_a_bare_challenge() -> None:
    decision = decide(request(), AUTHORIZER, ADMIN, keys(), NOW)
    assert decision.www_authenticate == "Bearer"
    assert decision.body == '{"message":"Unauthorized"}'


def test_a_200_brings_the_verified_claims_and_all_scopes() -> None:
    decision = decided(id_token())
    assert decision.claims == ID_CLAIMS
    assert decision.scopes == (f"admin-{CLIENT}", f"regular-{CLIENT}")
    assert decision.www_authenticate is None
    assert decision.body == ""
    assert decision.failed is None


def test_a_refusal_brings_no_claims() -> None:
    for decision in (decided(id_token(scope="x")), decided(id_token(exp=0)), decided("x")):
        assert decision.claims is None
        assert decision.scopes == ()


# The trace.


def test_the_trace_shows_what_is_configured_beside_what_the_token_says() -> None:
    decision = decided(f"Bearer {id_token(aud='another', nbf=NOW - 7_200)}")
    rows = [(rule.name, rule.expected, rule.actual, rule.verdict) for rule in decision.rules[1:]]
    assert rows == [
        ("identity-source", "one token in $request.header.Authorization", "a token, after Bearer", "passed"),
        (
            "shape",
            "three parts of base64url, the first two of them JSON objects",
            "a signed token with 11 claims",
            "passed",
        ),
        ("algorithm", 'alg of the key, "RS256"', 'alg "RS256"', "passed"),
        ("key-id", 'kid "other", "first" or "any"', 'kid "first"', "passed"),
        ("signature", 'made with the key "first"', "made with that key", "passed"),
        (
            "issuer",
            'iss "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"',
            'iss "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"',
            "passed",
        ),
        ("audience", 'aud, or client_id without an aud, "1example23456789abcdefghij"', 'aud "another"', "failed"),
        ("expiry", "exp later than 2026-11-22 22:00:00 UTC", "", "not reached"),
        ("not-before", "no nbf, or one not later than 2026-11-22 22:00:00 UTC", "", "not reached"),
        ("issued-at", "no iat, or one not later than 2026-11-22 22:00:00 UTC", "", "not reached"),
        ("scope", 'scope "admin-1example23456789abcdefghij"', "", "not reached"),
    ]


def test_times_are_told_as_a_date_and_a_distance() -> None:
    actual = {rule.name: rule.actual for rule in decided(id_token(nbf=NOW - 7_200)).rules}
    assert actual["expiry"] == "exp 2026-11-22 22:59:00 UTC, in 59 minutes"
    assert actual["not-before"] == "nbf 2026-11-22 20:00:00 UTC, 2 hours ago"
    assert actual["issued-at"] == "iat 2026-11-22 21:59:00 UTC, 1 minute ago"


def test_only_the_failed_rule_has_a_remedy() -> None:
    decision = decided(id_token(exp=NOW - 60))
    assert {rule.name: rule.remedy for rule in decision.rules if rule.remedy} == {
        "expiry": "Sign in again for a fresh token."
    }
    assert not any(rule.remedy for rule in decided(id_token()).rules)


def test_without_a_token_every_later_rule_says_what_it_would_ask() -> None:
    decision = decide(request(), AUTHORIZER, ADMIN, keys(), NOW)
    assert [rule.verdict for rule in decision.rules] == ["passed", "failed"] + ["not reached"] * 10
    assert all(rule.expected for rule in decision.rules)
    assert not any(rule.actual for rule in decision.rules[2:])


def test_a_trace_is_data() -> None:
    told = json.loads(json.dumps(decided(id_token(scope="other")).to_dict()))
    assert list(told) == ["status", "rule", "rules", "www_authenticate"]
    assert told["status"] == 403
    assert told["rule"] == "scope"
    assert told["rules"][11] == {
        "name": "scope",
        "expected": 'scope "admin-1example23456789abcdefghij"',
        "actual": 'scope "other"',
        "verdict": "failed",
        "advice": "Give the user one of these scopes, then sign in again: an old token keeps its old scopes.",
        "source": "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html (doc)",
    }


def test_what_a_token_says_is_shown_as_harmless_text() -> None:
    decision = decided(id_token(iss="\x1b[2J\u202e<script>\ud800" + "x" * 500))
    assert decision.failed is not None
    assert decision.failed.actual.startswith('iss "\\u001b[2J\\u202e<script>\\ud800xxx')
    assert len(decision.failed.actual) < 250


@pytest.mark.parametrize("claims", [{}, {"exp": 0}, {"iss": "x"}, {"scope": "x"}])
def test_the_signature_is_never_shown(claims: dict[str, Any]) -> None:
    token = id_token(**claims)
    assert token.rpartition(".")[2][:12] not in repr(decided(token))


# Properties: nothing raises, and nothing but the key's own signature opens a door.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CLAIM_NAMES = ("iss", "aud", "client_id", "exp", "nbf", "iat", "scope", "scp", "token_use", "sub")
CLAIM_CHANGES = st.dictionaries(st.sampled_from(CLAIM_NAMES), JSON | st.just(ABSENT), max_size=4)


def assert_sound(decision: Decision) -> None:
    """The decision is one that AWS could give, and its trace is whole and printable."""
    assert decision.status in (200, 401, 403, 431)
    assert len(decision.rules) == 12
    assert (decision.failed is None) == (decision.status == 200)
    for rule in decision.rules:
        assert f"{rule.expected}{rule.actual}{rule.remedy}".isprintable()


@given(st.text(st.characters(exclude_categories=[])))
def test_no_text_opens_the_door(value: str) -> None:
    decision = decided(value, OPEN)
    assert_sound(decision)
    assert decision.status in (401, 431)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jwk", "crit", "b64", "x"]), JSON), st.binary(max_size=300)
)
def test_no_unsigned_token_opens_the_door(header: dict[str, Any], signature: bytes) -> None:
    decision = decided(unsigned(ID_CLAIMS, {"alg": "RS256", "kid": "first", **header}, signature), OPEN)
    assert_sound(decision)
    assert decision.status == 401


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
@example(b"[]", b"{}", b"")
@example(b'{"alg":"RS256","kid":"first"}', b"[]", b"")
def test_no_bytes_open_the_door(header: bytes, payload: bytes, signature: bytes) -> None:
    decision = decided(unsigned(payload, header, signature), OPEN)
    assert_sound(decision)
    assert decision.status == 401


@given(st.data())
@settings(max_examples=300)
def test_no_changed_character_leaves_a_token_valid(data: st.DataObject) -> None:
    token = id_token()
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(exclude_characters=token[place], exclude_categories=[]))
    where = data.draw(st.sampled_from(("instead", "before")))
    rest = token[place + 1 :] if where == "instead" else token[place:]
    decision = decided(f"{token[:place]}{character}{rest}", OPEN)
    assert_sound(decision)
    # A blank in front of a token is no part of it.
    assert decision.status == 401 or (place == 0 and where == "before" and character.isspace())


@given(CLAIM_CHANGES)
@settings(max_examples=200)
def test_no_claim_breaks_the_decision(changes: dict[str, Any]) -> None:
    decision = decided(id_token(**changes))
    assert_sound(decision)


@given(CLAIM_CHANGES, st.sampled_from(["other", "attacker"]))
def test_no_claim_replaces_the_signature(changes: dict[str, Any], by: str) -> None:
    decision = decided(signed(changed(ID_CLAIMS, **changes), {"alg": "RS256", "kid": "first"}, by=by), OPEN)
    assert_sound(decision)
    assert outcome(decision) in ((401, "signature"), (401, "shape"), (431, "request-size"))


@given(CLAIM_CHANGES)
@settings(max_examples=200)
def test_what_passes_here_passes_pyjwt_too(changes: dict[str, Any]) -> None:
    """An independent judge of signature, issuer and times. It takes aud only where Cognito has client_id."""
    now = time.time()
    fresh = {"iat": now - 60, "exp": now + 3_600, **changes}
    token = id_token(**fresh)
    if decided(token, OPEN, now=now).status == 200:
        options: Any = {"verify_aud": False, "verify_sub": False, "verify_jti": False, "require": ["exp"]}
        assert jwt.decode(token, key("first").public_key(), ["RS256"], options, issuer=ISSUER)


@given(
    st.lists(st.tuples(st.text(), st.text(st.characters(exclude_categories=[])))),
    st.lists(st.tuples(st.text(), st.text(st.characters(exclude_categories=[])))),
    st.text(),
    st.text(),
    st.sampled_from(["$request.header.Authorization", "$request.querystring.token"]) | st.text(),
)
def test_no_request_breaks_the_decision(
    headers: list[tuple[str, str]], query: list[tuple[str, str]], method: str, path: str, source: str
) -> None:
    sent = ApiRequest(tuple(headers), tuple(query), method, path)
    assert decide(sent, AuthorizerSettings(source, ISSUER, (CLIENT,)), ADMIN, keys(), NOW).status in (401, 431)
