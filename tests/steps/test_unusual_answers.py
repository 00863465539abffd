"""What AWS may answer and seldom does ends in a sentence, or does not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labkit.errors import LabError
from labkit.lab import Lab
from tests.labs import change_answers, http_answer, settings_report

PAGE = "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head><body>Try later.</body></html>"


def answer(lab: Lab, service: str, operation: str, status: int, body: str) -> None:
    """Answer every request for an operation so, in the cloud's place."""
    client = lab.target.client(service)
    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, lambda **_: http_answer(status, body, {"content-type": "text/html"}))


@pytest.mark.parametrize(
    ("service", "operation"),
    [("iam", "ListRoles"), ("lambda", "GetFunction"), ("logs", "DescribeLogGroups"), ("cognito-idp", "ListUserPools"),
     ("apigatewayv2", "GetApis")],
)  # fmt: skip
def test_a_page_in_place_of_an_answer(
    service: str, operation: str, new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    lab = new_lab()
    answer(lab, service, operation, 503, PAGE)

    with pytest.raises(LabError) as error:
        lab.up()

    assert operation in error.value.problem
    assert "<" not in error.value.problem
    assert "503" in error.value.problem


def test_times_that_are_not_told(built: Lab) -> None:
    """They are optional members of the model."""
    lab = Lab(built.settings, tell=lambda told: None)
    for operation, name in (("DescribeUserPool", "UserPool"), ("DescribeUserPoolClient", "UserPoolClient")):
        change_answers(lab.target, "cognito-idp", operation, without_times(name))
    for operation in ("GetApis", "GetStages", "GetDeployment"):
        change_answers(lab.target, "apigatewayv2", operation, without_times("Items"))

    assert lab.up().ids == built.status().ids
    assert settings_report(lab).findings == ()


def without_times(name: str) -> Callable[[dict[str, Any]], None]:
    def change(parsed: dict[str, Any]) -> None:
        found = parsed.get(name, parsed)
        for told in found if isinstance(found, list) else [found]:
            for time in ("CreationDate", "LastModifiedDate", "CreatedDate", "LastUpdatedDate"):
                told.pop(time, None)

    return change


@pytest.mark.parametrize(
    ("payload", "failed", "problem"),
    [
        (b"<html>", None, "LambdaForAdminUser answered what is no JSON: <html>"),
        (b"\xff\xfe", None, "LambdaForAdminUser answered what is no JSON: \ufffd\ufffd"),
        (b'"Task timed out"', "Unhandled", "LambdaForAdminUser failed: Task timed out."),
        (b"", "Unhandled", "LambdaForAdminUser failed: it does not say why."),
        (
            b'{"errorMessage": "Cannot read properties of undefined (reading \'clientId\')"}',
            "Unhandled",
            "LambdaForAdminUser looked for 'clientId', and the event that you gave it has none.",
        ),
    ],
)
def test_a_payload_that_is_not_what_a_function_answers(
    payload: bytes, failed: str | None, problem: str, built: Lab
) -> None:
    lab = Lab(built.settings, tell=lambda told: None)

    def change(parsed: dict[str, Any]) -> None:
        parsed["Payload"] = Stream(payload)
        parsed.update({"FunctionError": failed} if failed else {})

    change_answers(lab.target, "lambda", "Invoke", change)

    with pytest.raises(LabError) as error:
        lab.invoke("LambdaForAdminUser", {})

    assert error.value.problem == problem


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({}, "looked for 'callerContext', and the event that you gave it has none."),
        ({"callerContext": {}}, "looked for 'clientId', and the event that you gave it has none."),
        ({"callerContext": None}, "failed: 'NoneType' object is not subscriptable."),
    ],
)
def test_a_function_that_does_not_find_what_it_looks_for_is_not_blamed(
    event: dict[str, Any], problem: str, built: Lab
) -> None:
    with pytest.raises(LabError) as error:
        built.invoke("Pre-tokenAuthLambda", event)

    assert error.value.problem == f"Pre-tokenAuthLambda {problem}"
    assert "chapter 01" in error.value.remedy


class Stream:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content
