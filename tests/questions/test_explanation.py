"""Why a request is answered as it is: each misconfiguration leads to the rule that it breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from tests.signing import signed

ADMIN = "GET /AdminUser"

pytestmark = pytest.mark.usefixtures("stable_outputs")


@pytest.fixture
def lab(built: Lab) -> Iterator[Lab]:
    """The whole lab, mended after each test."""
    yield built
    built.up()


def ids(lab: Lab) -> dict[str, str]:
    return lab.status().ids


def api(lab: Lab) -> Any:
    return lab.target.client("apigatewayv2")


def set_authorizer(lab: Lab, issuer: str, audience: str) -> None:
    api(lab).update_authorizer(
        ApiId=ids(lab)["api_id"],
        AuthorizerId=ids(lab)["authorizer_id"],
        JwtConfiguration={"Issuer": issuer, "Audience": [audience]},
    )


def set_route(lab: Lab, **settings: Any) -> None:
    api(lab).update_route(ApiId=ids(lab)["api_id"], RouteId=ids(lab)["admin_route_id"], **settings)


def verdicts(lab: Lab, *arguments: Any, **options: Any) -> tuple[int, str | None, int | None]:
    """Predicted status, first failing rule, observed status."""
    explained = lab.explain(*arguments, **options).to_dict()
    return explained["status"], explained["rule"], explained["observed_status"]


def test_a_refusal_is_told_rule_by_rule(built: Lab) -> None:
    assert built.explain(ADMIN, "regularuser").text() == (
        "GET /AdminUser as regularuser: 403, refused by the rule scope.\n"
        "\n"
        "rule             verdict    expected                                    actual\n"
        "---------------  ---------  ------------------------------------------  -----------------------------------\n"
        "request-size     ✓ passed   at most 10,240 bytes                        fewer bytes\n"
        "identity-source  ✓ passed   one token in $request.header.Authorization  a token\n"
        "shape            ✓ passed   three parts of base64url, the first two of  a signed token with 13 claims\n"
        "                            them JSON objects\n"
        'algorithm        ✓ passed   alg of the key, "RS256"                     alg "RS256"\n'
        "key-id           ✓ passed   kid <key 1> or <key 2>                      kid <key 2>\n"
        "signature        ✓ passed   made with the key <key 2>                   made with that key\n"
        'issuer           ✓ passed   iss "https://cognito-idp.us-                iss "https://cognito-idp.us-\n'
        '                            east-1.amazonaws.com/$USER_POOL_ID"         east-1.amazonaws.com/$USER_POOL_ID"\n'
        'audience         ✓ passed   aud, or client_id without an aud,           aud "$APP_CLIENT_ID"\n'
        '                            "$APP_CLIENT_ID"\n'
        "expiry           ✓ passed   exp later than now                          exp in 60 minutes\n"
        "not-before       ✓ passed   no nbf, or one not later than now           no nbf\n"
        "issued-at        ✓ passed   no iat, or one not later than now           iat a moment ago\n"
        'scope            ✗ failed   scope "admin-$APP_CLIENT_ID"                scope "regular-$APP_CLIENT_ID"\n'
        "\n"
        'The endpoint answered 403 {"message":"Forbidden"}, as predicted.\n'
        "What to do: Give the user one of these scopes, then sign in again: an old token keeps its old scopes."
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, False),
        ({"user": "adminuser"}, False),
        ({"user": "regularuser"}, False),
        ({"token": signed({"sub": "me"}, by="stranger")}, True),
    ],
    ids=["identity-source", "let in", "scope", "key-id"],
)
def test_where_the_keys_are_is_told_where_the_issuer_is_in_question(
    built: Lab, options: dict[str, Any], *, told: bool
) -> None:
    where = (
        "The issuer bears AWS's host name; the embedded cloud serves its keys, at "
        "$AWS_ENDPOINT_URL/$USER_POOL_ID/.well-known/jwks.json."
    )
    assert (where in built.explain(ADMIN, **options).text()) is told


@pytest.mark.parametrize(
    ("route", "options", "expected"),
    [
        (ADMIN, {}, (401, "identity-source", 401)),
        (ADMIN, {"user": "regularuser"}, (403, "scope", 403)),
        (ADMIN, {"user": "adminuser"}, (200, None, 200)),
        (ADMIN, {"user": "adminuser", "bearer": True, "stage": "Test"}, (200, None, 200)),
        (ADMIN, {"user": "adminuser", "kind": "access"}, (403, "scope", 403)),
        ("GET /RegularUser", {"user": "regularuser"}, (200, None, 200)),
        (ADMIN, {"token": ""}, (401, "identity-source", 401)),
        (ADMIN, {"token": "hello"}, (401, "shape", 401)),
        (ADMIN, {"token": "a" * 20_000}, (431, "request-size", 431)),
        (ADMIN, {"token": signed({"sub": "me"}, by="stranger")}, (401, "key-id", 401)),
    ],
)
def test_prediction_and_endpoint_agree(
    built: Lab, route: str, options: dict[str, Any], expected: tuple[int, str | None, int]
) -> None:
    assert verdicts(built, route, **options) == expected


def test_a_wrong_audience_is_named(lab: Lab) -> None:
    set_authorizer(lab, ids(lab)["issuer"], "another-client")
    assert verdicts(lab, ADMIN, "adminuser") == (401, "audience", 401)
    explained = lab.explain(ADMIN, "adminuser")
    text = explained.text()
    assert explained.decision.failed
    assert explained.decision.failed.expected == 'aud, or client_id without an aud, "another-client"'
    assert 'aud "$APP_CLIENT_ID"' in text
    assert "What to do: Sign in through an app client of the authorizer's audience" in text


def test_a_wrong_issuer_fails_at_its_key_and_is_named(lab: Lab, new_lab: Callable[..., Lab]) -> None:
    other = new_lab()
    other.up(through="user-pool")
    set_authorizer(lab, ids(other)["issuer"], ids(lab)["app_client_id"])
    assert verdicts(lab, ADMIN, "adminuser") == (401, "key-id", 401)
    assert (
        'Its iss is "https://cognito-idp.us-east-1.amazonaws.com/$USER_POOL_ID" and the authorizer\'s issuer is '
        "another: hence the unknown key."
    ) in lab.explain(ADMIN, "adminuser").text()


def test_a_scope_that_nobody_has_is_named(lab: Lab) -> None:
    set_route(lab, AuthorizationScopes=["boss"])
    assert verdicts(lab, ADMIN, "adminuser") == (403, "scope", 403)
    assert 'scope "boss"' in lab.explain(ADMIN, "adminuser").text()


def test_a_route_without_scope_lets_the_access_token_in(lab: Lab) -> None:
    set_route(lab, AuthorizationScopes=[])
    assert verdicts(lab, ADMIN, "regularuser", kind="access") == (200, None, 200)


def test_a_missing_trigger_leaves_no_scope(lab: Lab) -> None:
    pool = ids(lab)["user_pool_id"]
    without = {"LambdaConfig": {}, "UserPoolTags": lab.target.names.tags}
    lab.target.client("cognito-idp").update_user_pool(UserPoolId=pool, **without)
    assert verdicts(lab, ADMIN, "adminuser") == (403, "scope", 403)
    assert "no scope" in lab.explain(ADMIN, "adminuser").text()


def test_an_issuer_whose_keys_are_gone_is_said_as_such(lab: Lab) -> None:
    cognito = lab.target.client("cognito-idp")
    gone = cognito.create_user_pool(PoolName="gone")["UserPool"]["Id"]
    set_authorizer(lab, lab.target.place.issuer(gone), ids(lab)["app_client_id"])
    cognito.delete_user_pool(UserPoolId=gone)
    explained = lab.explain(ADMIN, "adminuser")
    assert explained.decision.rule == "key-id"
    assert "cannot be fetched from $AWS_ENDPOINT_URL/" in explained.text()


def test_a_route_that_is_gone_is_said_as_such(lab: Lab) -> None:
    api(lab).delete_route(ApiId=ids(lab)["api_id"], RouteId=ids(lab)["admin_route_id"])
    with pytest.raises(LabError, match="The API has no route GET /AdminUser: whoever calls it gets 404"):
        lab.explain(ADMIN)


def test_a_route_without_authorizer_is_said_as_such(lab: Lab) -> None:
    set_route(lab, AuthorizationType="NONE")
    with pytest.raises(LabError, match="has no JWT authorizer; its authorization type is NONE"):
        lab.explain(ADMIN)


def test_an_api_that_is_not_there_is_said_as_such(new_lab: Callable[..., Lab]) -> None:
    with pytest.raises(LabError, match="There is no HTTP API of this lab"):
        new_lab().explain(ADMIN)


@pytest.mark.parametrize(
    "options", [{"route": "GET /Nope"}, {"route": ADMIN, "user": "nobody"}, {"route": ADMIN, "stage": "test"}]
)
def test_wrong_words_are_refused(built: Lab, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        built.explain(**options)


def test_a_function_that_fails_was_still_let_in(lab: Lab) -> None:
    function = lab.target.names.function("LambdaForAdminUser")
    lab.target.client("lambda").update_function_configuration(FunctionName=function, Handler="index.nothing")
    explained = lab.explain(ADMIN, "adminuser")
    assert (
        explained.decision.status,
        explained.reply and explained.reply.status,
        explained.agrees,
    ) == (
        200,
        500,
        True,
    )
    assert "the authorizer let the request in, and what is behind the route failed." in explained.text()


def test_a_disagreement_is_a_warning(lab: Lab) -> None:
    stage = {"ApiId": ids(lab)["api_id"], "StageName": "Test"}
    api(lab).delete_stage(**stage)
    explained = lab.explain(ADMIN, "adminuser", stage="Test")
    assert explained.agrees is False
    assert 'WARNING: The endpoint answered 404 {"message":"Not Found"}, and 200 was predicted.' in explained.text()
    assert "The stage Test serves what was last deployed to it" in explained.text()


def test_a_value_that_no_header_can_hold_is_not_sent(built: Lab) -> None:
    explained = built.explain(ADMIN, token="one\ntwo")
    assert explained.agrees is None
    assert "There is no answer to compare: The token holds a line break" in explained.text()


def test_without_observing_nothing_is_sent(built: Lab) -> None:
    explained = built.explain(ADMIN, "regularuser", observe=False)
    assert explained.to_dict()["observed_status"] is None
    assert "The request was not sent." in explained.text()


def test_text_and_html_are_the_same_for_every_learner(built: Lab, new_lab: Callable[..., Lab]) -> None:
    other = new_lab()
    other.up()
    for options in ({"user": "regularuser"}, {"user": "adminuser", "kind": "access"}, {}):
        ours, theirs = (one.explain(ADMIN, **options) for one in (built, other))
        assert ours.text() == theirs.text()
        assert ours.html() == theirs.html()


def test_json_has_every_rule_and_no_signature(built: Lab) -> None:
    token = built.tokens("regularuser")["id"]
    document = json.dumps(built.explain(ADMIN, token=token).to_dict())
    explained = json.loads(document)
    assert [rule["name"] for rule in explained["rules"]] == [
        "request-size", "identity-source", "shape", "algorithm", "key-id", "signature", "issuer", "audience",
        "expiry", "not-before", "issued-at", "scope",
    ]  # fmt: skip
    assert {"name", "expected", "actual", "verdict"} <= explained["rules"][0].keys()
    assert [rule["verdict"] for rule in explained["rules"]] == ["passed"] * 11 + ["failed"]
    assert explained["agrees"] is True
    assert token.split(".")[2] not in document
