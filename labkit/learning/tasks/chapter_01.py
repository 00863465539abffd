"""Chapter 01: the trigger's line, and the log policy of a role."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from labkit.aws import as_list
from labkit.learning.own_function import answers
from labkit.learning.task import checks
from labkit.learning.work import NotYet, Workplace
from labkit.steps.function_code import package, source_file
from labkit.steps.functions import find_function
from labkit.target.names import PRE_TOKEN

# The app client that the task speaks of, and one that nobody can know of.
CLIENT, ANOTHER = "abc", "7q2"
# What Cognito may send of a user's groups, and by which app client, by what is said of such a user.
USERS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "a user in two groups": ({"groupsToOverride": ["admin", "regular"]}, CLIENT),
    "a user in one group": ({"groupsToOverride": ["Night-Shift"]}, CLIENT),
    "a user in no group": ({"groupsToOverride": []}, CLIENT),
    "a user whose groups are null": (None, CLIENT),
    "a user of another app client": ({"groupsToOverride": ["admin", "regular"]}, ANOTHER),
}


@checks("trigger")
def trigger(place: Workplace) -> str:
    """Run the learner's file with each kind of user, then look whether it is what is deployed."""
    settings = place.settings
    file = source_file(PRE_TOKEN, settings.runtime, settings.copy_home)
    if place.has_copy and not file.is_relative_to(place.copy):
        raise NotYet(say=f"There is no {file.name} in lambdas/{PRE_TOKEN} of your copy. It comes back: labkit chapters")
    events = [_event(groups, client) for groups, client in USERS.values()]
    for (user, (groups, client)), answer in zip(USERS.items(), answers(file, events), strict=True):
        _judge(user, (groups or {}).get("groupsToOverride", []), client, *answer)
    found = find_function(place.target, PRE_TOKEN)
    code = package(PRE_TOKEN, settings.runtime, settings.copy_home)
    if found is None or found["Configuration"]["CodeSha256"] != code.code_sha256:
        raise NotYet("not-deployed")
    return "two groups, one, none and null each get the scope that they should, and this code is deployed."


def _event(groups: dict[str, Any] | None, client: str) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "userName": "somebody",
        "callerContext": {"clientId": client},
        "request": {"groupConfiguration": groups},
        "response": {"claimsOverrideDetails": None},
    }


def _judge(user: str, groups: list[str], client: str, answer: Any, raised: str | None) -> None:
    """Raise NotYet unless the answer to a user of these groups has their scope."""
    wanted = [f"{group}-{client}" for group in groups]
    if raised:
        raise NotYet(
            "raises-without-groups" if not groups else None, say=f"For {user} it stops.", found=raised, user=user
        )
    if not isinstance(answer, dict) or "callerContext" not in answer:
        raise NotYet("no-event", found=json.dumps(answer), user=user)
    found = _scope(answer)
    if sorted(found.split(" ") if isinstance(found, str) and found else [found] if found else []) == sorted(wanted):
        return
    wrong = _wrong_answer(groups, client, found)
    raise NotYet(
        wrong, say=f"For {user} the scope is another.", wanted=" ".join(wanted) or "no scope", found=found, user=user
    )


def _scope(answer: dict[str, Any]) -> Any:
    details = (answer.get("response") or {}).get("claimsOverrideDetails") or {}
    return (details.get("claimsToAddOrOverride") or {}).get("scope")


def _wrong_answer(groups: list[str], client: str, found: Any) -> str | None:
    """The name of a common wrong answer."""
    if not found:
        return "open"
    if not isinstance(found, str):
        return "not-text"
    if not groups:
        return "scope-of-nothing"
    made = {
        " ".join(f"{group}-{CLIENT}" for group in groups): "one-client",
        ", ".join(f"{group}-{client}" for group in groups): "commas",
        ",".join(f"{group}-{client}" for group in groups): "commas",
        " ".join(f"{client}-{group}" for group in groups): "turned-round",
        " ".join(groups): "group-alone",
        " ".join(f"{group}-{client}" for group in groups).lower(): "lower-case",
        f"{groups[0]}-{client}": "first-group-only",
        f"{groups[-1]}-{client}": "first-group-only",
    }
    if found in made:
        return made[found]
    if sorted(found.split()) == sorted(f"{group}-{client}" for group in groups):
        return "blanks"
    glued = found.split(" ")
    if len(glued) == len(groups) and all(
        w.startswith(g) and w.endswith(client) for g, w in zip(groups, glued, strict=True)
    ):
        return "other-sign"
    return None


# What the function needs, and what it must not have: (name of the wrong answer, action, resource below the log group).
STREAM = ":log-stream:2026/11/25/[$LATEST]0123"
NEEDED = (("no-stream", "logs:CreateLogStream"), ("no-events", "logs:PutLogEvents"))
TOO_MUCH = (
    ("other-service", "s3:GetObject", "arn:aws:s3:::somebody/else"),
    ("every-resource", "logs:PutLogEvents", "{other}" + STREAM),
    ("makes-groups", "logs:CreateLogGroup", "{group}"),
    ("makes-groups", "logs:CreateLogGroup", "{group}:*"),
    ("every-action", "logs:DeleteLogStream", "{group}" + STREAM),
    ("every-action", "logs:GetLogEvents", "{group}" + STREAM),
)


@checks("log-policy")
def log_policy(place: Workplace, policy: Any) -> str:
    """Ask of a policy what it allows: the two calls on the trigger's own log group, and no other."""
    statements = _statements(policy)
    group = place.target.names.log_group_arn(PRE_TOKEN)
    other = group.replace(PRE_TOKEN, "LambdaForAdminUser")
    for wrong, action in NEEDED:
        if not _allows(statements, action, group + STREAM):
            above = _allows(statements, action, group)
            raise NotYet(
                "group-without-streams" if above else wrong, wanted=f"{action} on {group}:*", found="not allowed"
            )
    for wrong, action, resource in TOO_MUCH:
        if _allows(statements, action, resource.format(group=group, other=other)):
            raise NotYet(wrong, wanted=f"no {action} on {resource.format(group=group, other=other)}", found="allowed")
    return "it allows CreateLogStream and PutLogEvents in the trigger's own log group, and nothing else."


def _statements(policy: Any) -> list[dict[str, Any]]:
    """The statements of a policy that is given as a document or as its JSON."""
    try:
        document = json.loads(policy) if isinstance(policy, str) else policy
    except ValueError as error:
        raise NotYet(say=f"This text is no JSON: {error}.") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise NotYet("no-policy", found=type(document).__name__)
    statements = as_list(document["Statement"])
    if any(not isinstance(s, dict) or not {"Effect", "Action", "Resource"} <= s.keys() for s in statements):
        trust = any(isinstance(s, dict) and "Principal" in s for s in statements)
        raise NotYet("trust" if trust else "no-policy", found=json.dumps(statements, default=str))
    if conditions := [s["Condition"] for s in statements if s.get("Condition")]:
        say = "A `Condition` makes a statement hold for some calls only. The function's lines need none."
        raise NotYet(say=say, found=json.dumps(conditions[0], default=str))
    return statements


def _allows(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Whether a policy allows an action on a resource. A Deny wins; actions know no case, and `*` and `?` match any."""
    effects = {
        s["Effect"]
        for s in statements
        if _matches(s["Action"], action.lower(), lower=True) and _matches(s["Resource"], resource)
    }
    return effects == {"Allow"}


def _matches(patterns: Any, text: str, *, lower: bool = False) -> bool:
    # A bracket is no pattern in a policy.
    each = (str(pattern).replace("[", "[[]") for pattern in as_list(patterns))
    return any(fnmatchcase(text, pattern.lower() if lower else pattern) for pattern in each)
