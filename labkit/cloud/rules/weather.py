"""How settled the cloud is: calm, or as rough as AWS can be, which is slow to settle and sometimes turns a call away.

Rough weather is repeatable: the same seed and the same calls of an operation strike the same of them.
"""

from __future__ import annotations

from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.registry import gate

# The name and status of each service's throttling error.
THROTTLED = {
    "apigateway": ("TooManyRequestsException", "Too Many Requests", 429),
    "cognito-idp": ("TooManyRequestsException", "Rate exceeded", 400),
    "iam": ("Throttling", "Rate exceeded", 400),
    "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
    "logs": ("ThrottlingException", "Rate exceeded", 400),
    "sts": ("Throttling", "Rate exceeded", 400),
    "tagging": ("ThrottledException", "Rate exceeded", 400),
}


@gate(
    "every service",
    aws="A service that is called too often answers with its own throttling error: HTTP 400 at Cognito, IAM, STS, "
    "Logs and tagging, 429 at API Gateway and Lambda.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html",
    ministack="Never throttles.",
)
def throttled(call: Call) -> Refusal | None:
    """In rough weather some calls are throttled, never the same operation twice in a row; quotas are not counted."""
    if not call.here.weather.strikes("throttling", f"{call.service} {call.operation}"):
        return None
    return Refusal(*THROTTLED[call.service])


@gate(
    "apigateway",
    aws="Two changes of one API at the same time: 409 ConflictException, which names itself as worth a retry.",
    source="https://github.com/hashicorp/terraform-provider-aws/issues/40575",
    confidence="maintainer",
    ministack="Never answers so.",
)
def conflicting(call: Call) -> Refusal | None:
    """In rough weather some changes of an API are answered with that 409, never the same operation twice in a row."""
    changes = call.service == "apigateway" and call.request.method != "GET" and "apiId" in call.params
    if not changes or not call.here.weather.strikes("conflict", call.operation):
        return None
    return Refusal(
        "ConflictException",
        "Unable to complete operation due to concurrent modification. Please try again later.",
        409,
    )
