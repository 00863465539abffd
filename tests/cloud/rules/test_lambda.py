"""Functions: runtimes, roles, states, permissions, and what they may write."""

from __future__ import annotations

import base64
import json

import pytest

from labkit.cloud.protocol import Cloud
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, allow, eventually, refusal, zipped

HELLO = "def handler(event, context):\n    print('hello')\n    return 'hi'\n"
CANNOT_ASSUME = (
    "InvalidParameterValueException",
    400,
    "The role defined for the function cannot be assumed by Lambda.",
)


@proves("runtime_is_supported")
@pytest.mark.parametrize("runtime", ["nodejs12.x", "nodejs14.x", "python3.7", "python2.7"])
def test_a_retired_runtime_is_refused(grounds: Site, runtime: str) -> None:
    create = grounds.client("lambda").create_function
    parameters = {"FunctionName": "old", "Runtime": runtime, "Role": grounds.role(), "Handler": "index.handler"}
    code, status, message = refusal(create, **parameters, Code={"ZipFile": zipped(HELLO)})
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith(f"The runtime parameter of {runtime} is no longer supported for creating or updating")


@proves("runtime_is_supported")
def test_an_unknown_runtime_is_refused_also_by_an_update(grounds: Site) -> None:
    client, name = grounds.client("lambda"), grounds.function(HELLO)
    code, status, message = refusal(client.update_function_configuration, FunctionName=name, Runtime="bogus9")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert "bogus9" in message
    assert refusal(client.update_function_configuration, FunctionName=name, Runtime="nodejs12.x")[1] == 400


@proves("lambda_can_assume_the_role")
def test_a_role_must_trust_lambda(grounds: Site) -> None:
    create = grounds.client("lambda").create_function
    code = {"FunctionName": "x", "Runtime": "python3.13", "Handler": "index.handler", "Code": {"ZipFile": b"PK"}}
    code["Code"] = {"ZipFile": zipped(HELLO)}
    nobody = f"arn:aws:iam::{grounds.place.account}:role/labkit-nobody"
    assert refusal(create, **code, Role=nobody) == CANNOT_ASSUME
    assert refusal(create, **code, Role=grounds.role(trusting="ec2.amazonaws.com")) == CANNOT_ASSUME


@proves("lambda_can_assume_the_role")
def test_a_role_of_another_path_is_another_role(grounds: Site) -> None:
    name, role = grounds.function(HELLO), grounds.role()
    elsewhere = role.replace(":role/", ":role/elsewhere/")
    update = grounds.client("lambda").update_function_configuration
    assert refusal(update, FunctionName=name, Role=elsewhere) == CANNOT_ASSUME


PERMISSION = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}


@proves("texts_match_their_patterns")
@pytest.mark.parametrize(
    ("operation", "given", "name", "constraint"),
    [
        ("add_permission", {"StatementId": "a b"}, "statementId",
         "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"),
        ("add_permission", {"StatementId": "a" * 101}, "statementId", "have length less than or equal to 100"),
        ("add_permission", {"Principal": "api gateway"}, "principal", r"satisfy regular expression pattern: [^\s]+"),
        ("add_permission", {"SourceArn": "my-api"}, "sourceArn", "satisfy regular expression pattern: arn:"),
        ("add_permission", {"SourceAccount": "mine"}, "sourceAccount", r"satisfy regular expression pattern: \d{12}"),
        ("add_permission", {"Action": "s3:GetObject"}, "action", "satisfy regular expression pattern: (lambda:"),
        ("remove_permission", {"StatementId": "a b"}, "statementId", "satisfy regular expression pattern: "),
        ("update_function_configuration", {"Handler": "index handler"}, "handler", "satisfy regular expression"),
        ("update_function_configuration", {"Role": "lambdarole"}, "role", "satisfy regular expression pattern: arn:"),
    ],
)  # fmt: skip
def test_a_text_of_another_form_is_refused(
    operation: str, given: dict[str, str], name: str, constraint: str, grounds: Site
) -> None:
    call = getattr(grounds.client("lambda"), operation)
    whole = PERMISSION | given if operation == "add_permission" else given
    code, status, message = refusal(call, FunctionName="any", **whole)
    assert (code, status) == ("ValidationException", 400)
    value = next(iter(given.values()))
    begin = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must "
    assert message.startswith(begin + constraint)


@proves("texts_match_their_patterns")
def test_every_text_of_another_form_is_counted(grounds: Site) -> None:
    wrong = PERMISSION | {"StatementId": "a b", "SourceArn": "my-api"}
    code, _, message = refusal(grounds.client("lambda").add_permission, FunctionName="any", **wrong)
    assert (code, message[:30]) == ("ValidationException", "2 validation errors detected: ")


@proves("principal_can_be_somebody")
def test_a_principal_is_somebody(grounds: Site) -> None:
    add, name = grounds.client("lambda").add_permission, grounds.function(HELLO)
    for principal in ("apigateway", "apigateway.amazonaws", "apigateway.example.com", "1234", "arn:aws:s3:::bucket"):
        assert refusal(add, FunctionName=name, **PERMISSION | {"Principal": principal}) == (
            "InvalidParameterValueException",
            400,
            "The provided principal was invalid. Please check the principal and try again.",
        )
    account = grounds.place.account
    known = (account, "*", f"arn:aws:iam::{account}:root", "logs.us-east-1.amazonaws.com", "alexa-appkit.amazon.com")
    for number, principal in enumerate(known):
        add(FunctionName=name, **PERMISSION | {"StatementId": f"s{number}", "Principal": principal})


def test_a_permission_of_the_same_name_is_a_conflict(grounds: Site) -> None:
    name = grounds.function(HELLO)
    grounds.permit_api(name, "abcdef1234", statement="once")
    arn = f"arn:aws:execute-api:{grounds.place.region}:{grounds.place.account}:abcdef1234/*"
    again = {"FunctionName": name, "StatementId": "once", "Action": "lambda:InvokeFunction", "SourceArn": arn}
    conflict = refusal(grounds.client("lambda").add_permission, **again, Principal="apigateway.amazonaws.com")
    assert conflict[:2] == ("ResourceConflictException", 409)


@proves("pending_function_is_not_invoked")
def test_a_new_function_is_not_invoked_at_once(grounds: Site) -> None:
    client, role = grounds.client("lambda"), grounds.role()
    name = grounds.name("function")
    grounds.later(client.delete_function, FunctionName=name)
    settings = {"FunctionName": name, "Runtime": "python3.13", "Role": role, "Handler": "index.handler"}
    eventually(lambda: "FunctionName" in client.create_function(**settings, Code={"ZipFile": zipped(HELLO)}), True)
    assert refusal(client.invoke, FunctionName=name)[:2] == ("ResourceConflictException", 409)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert client.invoke(FunctionName=name)["Payload"].read() == b'"hi"'


@proves("function_in_change_is_not_changed")
def test_two_updates_at_once_are_a_conflict(grounds: Site) -> None:
    client, name = grounds.client("lambda"), grounds.function(HELLO)
    client.update_function_configuration(FunctionName=name, Timeout=4)
    again = {"FunctionName": name, "ZipFile": zipped(HELLO)}
    assert refusal(client.update_function_code, **again)[:2] == ("ResourceConflictException", 409)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    client.update_function_code(**again)


@proves("logs_are_written_as_the_role")
def test_a_function_makes_its_log_group_only_if_its_role_may(grounds: Site) -> None:
    lambda_, logs = grounds.client("lambda"), grounds.client("logs")
    may_not = grounds.function(HELLO, grounds.role(allow("logs:CreateLogStream", "logs:PutLogEvents")))
    may = grounds.function(HELLO)
    for name in (may_not, may):
        lambda_.invoke(FunctionName=name)

    def groups(name: str) -> int:
        return len(logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"])

    assert eventually(lambda: groups(may), 1) == 1
    assert groups(may_not) == 0
    logs.create_log_group(logGroupName=f"/aws/lambda/{may_not}")
    lambda_.invoke(FunctionName=may_not)
    read = logs.filter_log_events

    def said() -> bool:
        events = read(logGroupName=f"/aws/lambda/{may_not}")["events"]
        return any(event["message"].strip() == "hello" for event in events)

    assert eventually(said, True)


@proves("logs_are_written_as_the_role")
def test_a_role_that_may_write_nothing_writes_nothing(grounds: Site) -> None:
    lambda_, logs = grounds.client("lambda"), grounds.client("logs")
    name = grounds.function(HELLO, grounds.role(allow("logs:DescribeLogGroups")))
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    assert lambda_.invoke(FunctionName=name)["StatusCode"] == 200
    assert logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"] == []


WHO = """
import os

def handler(event, context):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return {name: os.environ[name] for name in names}
"""


@proves("worker_credentials_are_unguessable")
def test_a_functions_credentials_cannot_be_worked_out(cloud: Cloud, grounds: Site) -> None:
    name, role = grounds.name("function"), grounds.role()
    grounds.function(WHO, role, FunctionName=name)
    found = json.loads(grounds.client("lambda").invoke(FunctionName=name)["Payload"].read())
    # As MiniStack makes them of names that everybody can know.
    import hashlib

    digest = hashlib.sha256(f"{grounds.function_arn(name)}:{role}".encode()).hexdigest()
    assert found["AWS_ACCESS_KEY_ID"] == f"ASIA{digest[:16].upper()}"
    assert found["AWS_SECRET_ACCESS_KEY"] != hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    assert found["AWS_SESSION_TOKEN"] != hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    assert base64.b16decode(found["AWS_SECRET_ACCESS_KEY"].upper())
    assert cloud.secret_access_key not in found.values()


@proves("function_name_is_no_path")
def test_a_function_is_not_called_as_a_part_of_a_path(grounds: Site) -> None:
    create = grounds.client("lambda").create_function
    settings = {"Runtime": "python3.13", "Handler": "index.handler", "Code": {"ZipFile": zipped("")}}
    settings["Role"] = grounds.role()
    for name in ("url", "url-shortener", "account-settings", "a-code-signing-config", "event-invoke-config"):
        for called in (name, grounds.function_arn(name)):
            code, status, message = refusal(create, FunctionName=called, **settings)
            assert (code, status) == ("InvalidParameterValueException", 400)
            assert "not part of the lab's embedded cloud" in message
    assert grounds.function("", FunctionName="my-url") == "my-url"
