"""Lambda: which functions can be made, when they can be used, and as whom they run."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import state
from labkit.cloud.rules.call import Call, Here, Refusal, members, service_model
from labkit.cloud.rules.registry import after, before, gate, patch

GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg/"
REFERENCE = "https://docs.aws.amazon.com/lambda/latest/api/"

# Those in Python and Node.js that can be created in October 2026; the deprecated ones of them until February 2027.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RUNTIMES = (
    *("nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"),
    *("python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"),
)
RETIRED = (
    *("nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x"),
    *("python2.7", "python3.6", "python3.7"),
)

# What MiniStack looks for in the path of a call before it looks for a function there.
MISREAD = re.compile("^(url|account-settings)|event-invoke-config|provisioned-concurrency|code-signing-config")

# Everybody, an account, what IAM or STS names, a service.
PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:\S+|[a-z0-9.-]+\.(amazon|amazonaws)\.com(\.cn)?|[a-z0-9.-]+\.amazonaws\.eu"
)

_SEAL = secrets.token_bytes(32)

CODE_CHANGES = ("UpdateFunctionCode", "UpdateFunctionConfiguration")


@gate(
    "lambda",
    aws="ValidationException: 1 validation error detected: Value 'a.b' at 'statementId' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+). So it is for every parameter with a pattern.",
    source=REFERENCE + "API_AddPermission.html; https://github.com/foremast/foremast/pull/191",
    ministack="Takes any text.",
)
def texts_match_their_patterns(call: Call) -> Refusal | None:
    """Texts that do not match the pattern or the length of their parameter, as botocore's model of Lambda has them, are
    that 400; a text inside a structure is not looked at."""
    if call.service != "lambda":
        return None
    wrong = [
        f"Value '{call.text(name)}' at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must {what}"
        for name, shape in _texts()[call.operation].items()
        if isinstance(call.params.get(name), str)
        for what in _unmet(call.text(name), shape)
    ]
    if not wrong:
        return None
    counted = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
    return Refusal("ValidationException", f"{counted}: {'; '.join(wrong)}")


def _unmet(text: str, shape: Mapping[str, Any]) -> Iterator[str]:
    """The constraints of a shape that a text does not meet."""
    if "pattern" in shape and not re.fullmatch(shape["pattern"], text, re.ASCII):
        yield f"satisfy regular expression pattern: {shape['pattern']}"
    if len(text) > shape.get("max", len(text)):
        yield f"have length less than or equal to {shape['max']}"
    if len(text) < shape.get("min", 0):
        yield f"have length greater than or equal to {shape['min']}"


@cache
def _texts() -> dict[str, dict[str, dict[str, Any]]]:
    """The shapes of the texts that Lambda's operations take, by operation and parameter."""
    model = service_model("lambda")

    def of(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
        taken = {name: model["shapes"][member["shape"]] for name, member in members(model, operation).items()}
        return {name: shape for name, shape in taken.items() if shape["type"] == "string"}

    return {name: of(operation) for name, operation in model["operations"].items()}


@before(
    "lambda",
    "AddPermission",
    aws="InvalidParameterValueException: The provided principal was invalid. Please check the principal and try again.",
    source="https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1189; "
    + REFERENCE
    + "API_AddPermission.html",
    confidence="inferred",
    ministack="Takes any text.",
)
def principal_can_be_somebody(call: Call) -> Refusal | None:
    """A principal that is not *, an account, an ARN of IAM's or a host of AWS's is that 400. Which services there are
    is not known here."""
    if PRINCIPAL.fullmatch(call.text("Principal")):
        return None
    message = "The provided principal was invalid. Please check the principal and try again."
    return Refusal("InvalidParameterValueException", message)


@before(
    "lambda",
    "CreateFunction",
    aws="A function's name has letters, digits, hyphens and underscores.",
    source=REFERENCE + "API_CreateFunction.html",
    ministack="Takes calls of a function whose name it also knows as a part of paths for calls of something else.",
)
def function_name_is_no_path(call: Call) -> Refusal | None:
    """Names that begin with url or account-settings, or hold the name of a function's setting, are not part of this
    cloud: 400 InvalidParameterValueException."""
    name = call.text("FunctionName").rpartition(":")[2]
    if not MISREAD.search(name):
        return None
    message = f"A function called {name[:64]} is not part of the lab's embedded cloud, which would misread its path."
    return Refusal("InvalidParameterValueException", message)


@before(
    "lambda",
    "CreateFunction",
    "UpdateFunctionConfiguration",
    aws="The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda functions. We "
    "recommend you use a supported runtime while creating or updating functions.",
    source="https://github.com/monken/aws-ecr-public/issues/13; " + GUIDE + "lambda-runtimes.html",
    ministack="Creates it, also of a runtime that never existed.",
)
def runtime_is_supported(call: Call) -> Refusal | None:
    """A retired or unknown runtime is a 400 InvalidParameterValueException; only Python and Node.js are here."""
    runtime = call.params.get("Runtime")
    if runtime is None or runtime in RUNTIMES:
        return None
    if runtime in RETIRED:
        message = (
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    else:
        message = (
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(RUNTIMES)}]"
        )
    return Refusal("InvalidParameterValueException", message)


@before(
    "lambda",
    "CreateFunction",
    "UpdateFunctionConfiguration",
    aws="InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda. So it is for "
    "a role that trusts somebody else, for one that does not exist, and for some seconds for a new one.",
    source=GUIDE + "troubleshooting-deployment.html",
    confidence="inferred",
    ministack="Refuses an unknown role with other words, and takes a role that trusts somebody else.",
)
def lambda_can_assume_the_role(call: Call) -> Refusal | None:
    """A role that Lambda cannot assume is that 400; in rough weather so is a role that is younger than two seconds."""
    arn, here = call.text("Role"), call.here
    if not arn and call.operation != "CreateFunction":
        return None
    role = state.role(here.account_id, arn)
    settled = here.weather.settled("role", arn.rpartition("/")[2], here.now())
    if role and settled and state.trusts(role, "lambda.amazonaws.com"):
        return None
    message = "The role defined for the function cannot be assumed by Lambda."
    return Refusal("InvalidParameterValueException", message)


@after(
    "iam",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    aws="IAM's changes take some seconds until every service sees them.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html",
    ministack="Sees them at once.",
)
def roles_take_time(call: Call, answer: Answer) -> None:
    """In rough weather Lambda sees a new role, or a new trust policy, after two seconds."""
    if answer.status == 200:  # noqa: PLR2004 - an HTTP status
        call.here.weather.changed("role", call.text("RoleName"), call.here.now())


@before(
    "lambda",
    "Invoke",
    aws="ResourceConflictException (409): The operation cannot be performed at this time. The function is currently "
    "in the following state: Pending.",
    source=GUIDE + "functions-states.html",
    ministack="Invokes it.",
)
def pending_function_is_not_invoked(call: Call) -> Refusal | None:
    """A new function is Pending for 0.1 seconds, in rough weather for 1.5, and until then not invoked."""
    function = _function(call)
    if function is None or function["config"].get("StateReasonCode") != "Creating":
        return None
    message = (
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )
    return Refusal("ResourceConflictException", message, 409)


@before(
    "lambda",
    *CODE_CHANGES,
    aws="ResourceConflictException (409): The operation cannot be performed at this time. An update is in progress.",
    source=GUIDE + "functions-states.html",
    ministack="Takes the next change at once.",
)
def function_in_change_is_not_changed(call: Call) -> Refusal | None:
    """While a function is Pending or its last update is in progress, another update is a 409."""
    function = _function(call)
    if function is None or function["config"].get("LastUpdateStatus") != "InProgress":
        return None
    arn = function["config"]["FunctionArn"]
    message = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    return Refusal("ResourceConflictException", message, 409)


@after(
    "lambda",
    "AddPermission",
    aws="The first calls after AddPermission may still be refused.",
    source=GUIDE + "access-control-resource-based.html",
    confidence="inferred",
    ministack="Does not look at permissions.",
)
def permissions_take_time(call: Call, answer: Answer) -> None:
    """In rough weather a permission counts after 1.5 seconds."""
    function = _function(call)
    if function and answer.status == 201:  # noqa: PLR2004 - an HTTP status
        name = f"{function['config']['FunctionArn']} {call.text('StatementId')}"
        call.here.weather.changed("permission", name, call.here.now())


@patch(
    "lambda",
    "core.lambda_runtime",
    "execution_credentials",
    aws="A function runs with temporary credentials of its role that nobody can guess.",
    source=GUIDE + "lambda-intro-execution-role.html",
    ministack="Derives them from the function's and the role's names.",
)
def worker_credentials_are_unguessable(
    _: Here, original: Callable[[Mapping[str, Any]], dict[str, str]], config: Mapping[str, Any]
) -> dict[str, str]:
    """A function's credentials are made with a secret of this run, and its calls are allowed what its role is."""
    made = original(config)
    secret, token = (_sealed(made[name]) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    state.set_session_secret(made["AWS_ACCESS_KEY_ID"], secret, token)
    return made | {"AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def _sealed(text: str) -> str:
    return hmac.new(_SEAL, text.encode(), "sha256").hexdigest()


def _function(call: Call) -> state.Record | None:
    return state.function(call.here.account_id, call.region, call.text("FunctionName"))
