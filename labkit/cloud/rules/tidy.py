"""What every answer of MiniStack goes through on its way out."""

from __future__ import annotations

import logging
from dataclasses import replace

from labkit.cloud.exchange import Answer
from labkit.cloud.rules.call import Call, Refusal, refused
from labkit.cloud.rules.registry import gate

log = logging.getLogger(__name__)


@gate(
    "every path",
    aws="Most control planes let no page read their answers. Cognito's calls for users do: Amplify depends on it.",
    source="https://github.com/aws-amplify/amplify-js/issues/7285",
    confidence="ours",
    ministack="Sends Access-Control-Allow-Origin: * with every answer.",
)
def without_cors(answer: Answer) -> Answer:
    """No answer of this cloud lets a page of another origin read it; an HTTP API's own CORS settings are not served."""
    kept = tuple((name, value) for name, value in answer.headers if not name.lower().startswith("access-control-"))
    return replace(answer, headers=kept)


@gate(
    "every service",
    aws="Answers a body that it cannot read with 400 SerializationException, and never with its own traceback.",
    source="https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html",
    confidence="inferred",
    ministack="Answers 500 InternalError with the text of the Python exception that the body caused.",
)
def nothing_internal_leaks(call: Call, answer: Answer) -> Answer:
    """An exception inside MiniStack is answered as 400 SerializationException, and goes to the cloud's log."""
    content = answer.json() if answer.status == 500 else None  # noqa: PLR2004 - an HTTP status
    if not isinstance(content, dict) or content.get("__type") != "InternalError":
        return answer
    log.warning("MiniStack failed in %s %s: %s", call.service, call.operation, content.get("message"))
    refusal = Refusal("SerializationException", "A parameter is not of the kind that the operation takes.")
    return refused(call.service, refusal)
