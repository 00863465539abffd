"""CloudWatch Logs: what a function may write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labkit.cloud.rules import state
from labkit.cloud.rules.call import Here
from labkit.cloud.rules.registry import patch


@patch(
    "logs",
    "services.lambda_svc",
    "_emit_lambda_logs",
    aws="A function writes its log as its role: without CreateLogGroup it makes no group, without CreateLogStream and "
    "PutLogEvents it writes nothing, and the call goes on.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    ministack="Writes every log, and makes the group.",
)
def logs_are_written_as_the_role(
    here: Here, original: Callable[..., None], function: Mapping[str, Any], *args: Any, **kwargs: Any
) -> None:
    """A function's log is written as far as its role allows: a group that is not there is made only if the role may."""
    config = function.get("config") or function
    _, _, _, region, account_id, *_ = config["FunctionArn"].split(":")
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    arn = f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:any"
    needed = ["logs:CreateLogStream", "logs:PutLogEvents"]
    if group not in dict(state.log_groups(account_id, region)):
        needed.append("logs:CreateLogGroup")
    if all(state.role_may(account_id, config["Role"], action, arn) for action in needed):
        original(function, *args, **kwargs)
