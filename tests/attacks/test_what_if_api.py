"""The what-if API: made when it is needed, the only thing that is touched, and gone with the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labkit.attacks import what_if_api
from labkit.attacks.issuer import own_issuer
from labkit.attacks.what_if_api import served
from labkit.cloud import process
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.questions.endpoint import ProtectedEndpoint
from labkit.questions.published_keys import PublishedKeys
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target
from labkit.tokens.decision import AuthorizerSettings
from tests.labs import Calls, lab_at

NAME = "attacked-what-if"


def apis(lab: Lab, name: str = NAME) -> list[dict[str, Any]]:
    listed = lab.target.client("apigatewayv2").get_apis()["Items"]
    return [api for api in listed if api["Name"] == name]


def everything_else(lab: Lab) -> list[Any]:
    """Whatever the lab's own API, user pool and functions are made of."""
    gateway, ids = lab.target.client("apigatewayv2"), lab.status().ids
    api = {"ApiId": ids["api_id"]}
    parts = [
        getattr(gateway, f"get_{kind}")(**api)["Items"] for kind in ("routes", "authorizers", "integrations", "stages")
    ]
    pool = {"UserPoolId": ids["user_pool_id"]}
    cognito, functions = lab.target.client("cognito-idp"), lab.target.client("lambda")
    names = [lab.target.names.function(function) for function in FUNCTIONS]
    return [
        gateway.get_api(**api)["Name"],
        *parts,
        cognito.describe_user_pool(**pool)["UserPool"],
        cognito.describe_user_pool_client(**pool, ClientId=ids["app_client_id"])["UserPoolClient"],
        [functions.get_policy(FunctionName=name)["Policy"] for name in names],
    ]


def test_it_bears_the_labs_name_and_tag(lab: Lab) -> None:
    lab.what_if()
    [api] = apis(lab)
    assert api["Tags"] == {"jwt-authorizer-lab": "attacked"}


def test_nothing_else_is_touched(lab: Lab) -> None:
    before = everything_else(lab)
    lab.what_if(hours_later=2, scopes="anything")
    lab.attack_bench()
    assert everything_else(lab) == before
    assert lab.check().passed


def test_it_is_used_again_and_made_anew_for_other_settings(lab: Lab) -> None:
    lab.what_if()
    calls = Calls(lab.target)
    lab.what_if(without="exp")
    lab.attack("expired")
    assert calls.writes == ["InitiateAuth"]
    lab.what_if(audience="another")
    assert calls.writes.count("CreateApi") == calls.writes.count("DeleteApi") == 1
    assert len(apis(lab)) == 1


def test_one_that_was_not_finished_is_made_anew(lab: Lab) -> None:
    gateway = lab.target.client("apigatewayv2")
    for api in apis(lab):
        gateway.delete_api(ApiId=api["ApiId"])
    gateway.create_api(Name=NAME, ProtocolType="HTTP", Tags=lab.target.names.tags)
    assert lab.what_if().observed == 200
    assert len(apis(lab)) == 1


def test_somebody_elses_of_that_name_stays(lab: Lab) -> None:
    gateway = lab.target.client("apigatewayv2")
    foreign = gateway.create_api(Name=NAME, ProtocolType="HTTP")["ApiId"]
    lab.what_if(scopes="one")
    assert foreign in [api["ApiId"] for api in apis(lab)]
    gateway.delete_api(ApiId=foreign)


def test_down_removes_it(home: Path) -> None:
    lab = lab_at(home, "short-lived")
    lab.up()
    lab.what_if()
    assert [d.name for d in lab.plan_removal().deletions].count("short-lived-what-if") == 1
    assert lab.down().clean
    assert apis(lab, "short-lived-what-if") == []


def test_it_is_waited_for_where_a_deployment_takes_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    process.start(home, supervised=True, weather="rough")
    try:
        assert _status_of_a_good_token(lab_at(home, "slow").target) == 200
        monkeypatch.setattr(what_if_api, "DEPLOYMENT_SECONDS", 0)
        with pytest.raises(LabError, match="not served within 0 seconds"):
            _status_of_a_good_token(lab_at(home, "slower").target)
    finally:
        process.stop(home)


def endpoint_for(issuer: str, *audience: str) -> ProtectedEndpoint:
    """The what-if route, in thought, for an issuer whose keys do not matter."""
    settings = AuthorizerSettings("$request.header.Authorization", issuer, audience)
    return ProtectedEndpoint("GET /WhatIf", "", settings, (), PublishedKeys((), ""))


def _status_of_a_good_token(target: Target) -> int:
    issuer = own_issuer()
    endpoint = served(target, endpoint_for(issuer.url, "client"))
    token = issuer.token({"iss": issuer.url, "aud": "client", "exp": 4_000_000_000})
    return endpoint.send([("Authorization", token)]).status_code


@pytest.mark.parametrize("header", ["authorization", "Authorization"])
def test_it_needs_a_token(lab: Lab, header: str) -> None:
    lab.what_if()
    [api] = apis(lab)
    endpoint = replace(endpoint_for(""), url=f"{lab.target.place.api_url(api['ApiId'])}/WhatIf")
    assert endpoint.send([]).status_code == 401
    assert endpoint.send([(header, "x")]).json() == {"message": "Unauthorized"}
