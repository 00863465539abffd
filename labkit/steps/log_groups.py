"""The log groups of the functions: made before Lambda would make them, with a tag and an end to what they keep."""

from __future__ import annotations

from functools import partial
from typing import Any

from labkit.machine.side_by_side import side_by_side
from labkit.steps.report import Expected
from labkit.steps.step import OURS, Deletion, Left, Thing, Things, foreign, is_tagged, refuse_foreign
from labkit.target import kinds
from labkit.target.names import REMOVABLE
from labkit.target.target import Target

RETENTION_DAYS = 7


def named_log_groups(target: Target) -> Things:
    """The log groups that bear the lab's names, somebody else's too, by function, each with its `tags`."""
    listed = target.every("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=target.names.log_group(""))
    groups = {group.get("logGroupName"): group for group in listed}
    found = {f: groups[target.names.log_group(f)] for f in REMOVABLE if target.names.log_group(f) in groups}
    tags = side_by_side(*(partial(_tags, target, function) for function in found))
    return {function: {**group, "tags": its} for (function, group), its in zip(found.items(), tags, strict=True)}


def _tags(target: Target, function: str) -> dict[str, str]:
    answer = target.read("logs", "list_tags_for_resource", resourceArn=target.names.log_group_arn(function)) or {}
    return dict(answer.get("tags", {}))


def our_log_groups(target: Target) -> Things:
    """The log groups that bear the lab's names and its tag, by function."""
    return {f: group for f, group in named_log_groups(target).items() if is_tagged(group["tags"], target)}


def ensure_log_group(target: Target, function: str, group: Thing | None) -> None:
    """Create a function's log group with tag and retention, or mend its retention.

    Args:
        target: the lab's place.
        function: one of the post's FUNCTIONS.
        group: the log group as `named_log_groups` tells it, if it exists.

    Raises:
        LabError: the log group is somebody else's.
    """
    logs, name = target.client("logs"), target.names.log_group(function)
    if group is None:
        target.deeds.created(kinds.LOG_GROUP, name)
        logs.create_log_group(logGroupName=name, tags=target.names.tags)
    elif not is_tagged(group["tags"], target):
        raise refuse_foreign(kinds.LOG_GROUP, name)
    kept = (group or {}).get("retentionInDays", "for ever")
    if target.deeds.drifted(kinds.LOG_GROUP, name, {"retention": kept}, {"retention": RETENTION_DAYS}):
        logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)


def log_group_rows(target: Target, function: str, groups: Things) -> list[Expected]:
    """The assertion on the retention of a function's log group."""
    actual = groups[function].get("retentionInDays", "for ever") if function in groups else "missing"
    subject = f"retention of {target.names.log_group(function)}, in days"
    return [Expected(subject, RETENTION_DAYS, actual, "Logs cost money for as long as they are kept.")]


def log_group_removal(target: Target, group: dict[str, Any]) -> Deletion | Left:
    """The deletion of a log group, or why it is left."""
    kind, name = kinds.LOG_GROUP, group["logGroupName"]
    if not is_tagged(group["tags"], target):
        return foreign(kind, name, name)
    if group.get("deletionProtectionEnabled"):
        why = (
            "somebody turned its deletion protection on; to turn it off: aws logs put-log-group-deletion-protection "
            f"--log-group-identifier {name} --no-deletion-protection-enabled"
        )
        return Left(kind, name, name, why, ours=True)
    return Deletion(kind, name, name, OURS, "logs", "delete_log_group", {"logGroupName": name})
