"""Who came to an API is kept without its token, and told to the cloud's owner only."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import requests

from labkit.cloud.protocol import PRIVATE, VISITS, Cloud
from labkit.cloud.visits import KEPT, visits
from labkit.errors import LabError
from tests.cloud.rules.site import Site
from tests.signing import signed

CURL = {"User-Agent": "curl/8.5.0"}
TOKEN = signed(
    {
        "token_use": "id",
        "cognito:username": "adminuser",
        "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x",
    }
)


def told(cloud: Cloud, api_id: str, path: str = "/AdminUser", **headers: str) -> dict[str, object]:
    """What is told of one request to an API."""
    requests.get(f"{cloud.endpoint_url}/_aws/execute-api/{api_id}{path}", headers=CURL | headers, timeout=10)
    return asdict(visits(cloud, api_id)[-1])


def test_a_visit_says_who_came_where_and_how_it_was_answered(cloud: Cloud, site: Site) -> None:
    api_id = site.api()
    found = told(cloud, api_id, "/Test/AdminUser?secret=1", Authorization=f"Bearer {TOKEN}")
    assert found.pop("time")
    assert found == {
        "api_id": api_id, "method": "GET", "path": "/Test/AdminUser", "token": "id", "user": "adminuser",
        "agent": "curl", "status": 404,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("", "none"),
        ("Bearer ", "none"),
        ("$TOKEN", "unexpanded"),
        ("$(labkit token adminuser)", "unexpanded"),
        (TOKEN[:40], "unreadable"),
        (TOKEN.rpartition(".")[0], "unreadable"),
        ("hello", "unreadable"),
        (f'"{TOKEN}"', "quoted"),
        (f"\u201c{TOKEN}\u201d".encode().decode("latin-1"), "quoted"),
        (f"Bearer '{TOKEN}'", "quoted"),
        (f"Bearer{TOKEN}", "glued"),
        (f"Bearer: {TOKEN}", "glued"),
        (f"Bearer Bearer {TOKEN}", "glued"),
        (f"Bearer {TOKEN}", "id"),
        (TOKEN, "id"),
    ],
)
def test_a_visit_says_what_stood_where_the_token_should(cloud: Cloud, value: str, token: str) -> None:
    assert told(cloud, "nowhere", Authorization=value)["token"] == token


def test_no_part_of_a_token_and_no_long_word_is_kept(cloud: Cloud) -> None:
    found = told(cloud, "nowhere", "/" + "x" * 500, Authorization=TOKEN)
    parts = [part for part in TOKEN.split(".") if part]
    assert not any(part in json.dumps(found) for part in parts)
    assert len(str(found["path"])) < 200


def test_only_the_last_visits_are_kept_and_each_api_has_its_own(cloud: Cloud) -> None:
    for _ in range(KEPT + 1):
        told_of = told(cloud, "crowded")
    assert len(visits(cloud, "crowded")) == KEPT
    assert told_of["api_id"] == "crowded"
    assert visits(cloud, "elsewhere") == []


@pytest.mark.parametrize("path", [*(f"/_labkit/{name}" for name in PRIVATE), f"/{VISITS}", "/_labkit/health/visits"])
def test_a_stranger_is_told_nothing(cloud: Cloud, path: str) -> None:
    told(cloud, "secret-api")
    answer = requests.get(cloud.endpoint_url + path, timeout=10)
    assert "secret-api" not in answer.text


@pytest.mark.parametrize("wrong", [{"secret_access_key": "x" * 40}, {"access_key_id": "AKIAABCDEFGHIJKLMNOP"}])
def test_whoever_signs_with_another_key_is_told_nothing(cloud: Cloud, wrong: dict[str, str]) -> None:
    with pytest.raises(LabError, match="does not tell its visits"):
        visits(replace(cloud, **wrong), "secret-api")  # type: ignore[arg-type]


def test_a_cloud_that_is_gone_is_an_error_in_words(cloud: Cloud) -> None:
    with pytest.raises(LabError, match="does not tell its visits"):
        visits(replace(cloud, port=1), "any")
