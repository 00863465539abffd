"""Operations that list: their pages, and the look-up of resources by tag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from labkit.cloud.exchange import Answer
from labkit.cloud.rules import state
from labkit.cloud.rules.call import QUERY_NAMESPACES, Call, Refusal, are_texts
from labkit.cloud.rules.registry import after, before

TAGGING = "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html"

MOST_RESOURCES = 100
MOST_ROLES = 100


@after(
    "apigateway",
    "GetApis",
    "GetRoutes",
    "GetIntegrations",
    "GetAuthorizers",
    "GetStages",
    "GetDeployments",
    aws="MaxResults members a page, and a NextToken while there are more.",
    source="https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html",
    ministack="Everything on one page.",
)
def api_lists_have_pages(call: Call, answer: Answer) -> Answer | None:
    """Lists of HTTP APIs and their parts are cut into pages where the call asks for it."""
    content, size = answer.json(), call.text("maxResults")
    if not answer.good or not size.isdecimal() or not int(size):
        return None
    page, token = _page(content["items"], int(size), call.text("nextToken"))
    return answer.with_json({"items": page, **({"nextToken": token} if token else {})})


@after(
    "iam",
    "ListRoles",
    aws="MaxItems roles a page, 100 by default, and a Marker while there are more.",
    source="https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html",
    ministack="Every role on one page.",
)
def roles_have_pages(call: Call, answer: Answer) -> Answer | None:
    """The list of roles is cut into pages of MaxItems, or of 100."""
    size = call.text("MaxItems")
    if not answer.good:
        return None
    namespace = QUERY_NAMESPACES["iam"]
    ElementTree.register_namespace("", namespace)
    document = ElementTree.fromstring(answer.body)  # noqa: S314 - MiniStack's own answer
    result, roles = document.find(f"{{{namespace}}}ListRolesResult"), document.find(f".//{{{namespace}}}Roles")
    if result is None or roles is None:
        return None
    page, token = _page(list(roles), int(size) if size.isdecimal() and int(size) else MOST_ROLES, call.text("Marker"))
    roles[:] = page
    if token:
        result.find(f"{{{namespace}}}IsTruncated").text = "true"  # type: ignore[union-attr] # always there
        ElementTree.SubElement(result, f"{{{namespace}}}Marker").text = token
    return Answer(answer.status, answer.headers, ElementTree.tostring(document))


@before(
    "tagging",
    "GetResources",
    aws="Finds functions, user pools, HTTP APIs and their stages, and log groups by tag, in pages; no roles and no "
    "users.",
    source=TAGGING,
    ministack="Finds functions and user pools only, on one page.",
)
def tags_find_what_they_find_on_aws(call: Call) -> Answer | Refusal:
    """Those five kinds are found, 100 or ResourcesPerPage of them a page."""
    kinds, filters = call.params.get("ResourceTypeFilters") or [], call.params.get("TagFilters") or []
    if not are_texts(kinds) or not _are_filters(filters):
        return Refusal("InvalidParameterException", "The filters are not lists of what they should be.")
    found = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, tags in _tagged(call)
        if tags and _is_of_kind(arn, kinds) and _has_tags(tags, filters)
    ]
    size = call.params.get("ResourcesPerPage")
    size = size if isinstance(size, int) and 1 <= size <= MOST_RESOURCES else MOST_RESOURCES
    page, token = _page(found, size, call.text("PaginationToken"))
    content = {"ResourceTagMappingList": page, "PaginationToken": token}
    return Answer.of_json(200, content, media="application/x-amz-json-1.1")


def _tagged(call: Call) -> Iterator[tuple[str, dict[str, str]]]:
    where = call.here.account_id, call.region
    yield from state.functions(*where)
    yield from ((pool["Arn"], pool.get("UserPoolTags") or {}) for pool in state.user_pools(*where))
    for api in state.apis(*where):
        yield api.arn(), api.tags()
        yield from ((api.arn(stage), api.tags(stage)) for stage in api.stages)
    yield from ((group["arn"].removesuffix(":*"), group["tags"]) for _, group in state.log_groups(*where))


def _is_of_kind(arn: str, kinds: list[str]) -> bool:
    _, _, service, _, _, resource = arn.split(":", 5)
    kind = resource.lstrip("/").replace(":", "/").split("/")[0]
    return not kinds or any(wanted in (service, f"{service}:{kind}") for wanted in kinds)


def _has_tags(tags: dict[str, str], filters: list[dict[str, Any]]) -> bool:
    """Every filter's key is among the tags, with one of the filter's values if it names any."""
    return all(f["Key"] in tags and (not f.get("Values") or tags[f["Key"]] in f["Values"]) for f in filters)


def _are_filters(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(f, dict) and isinstance(f.get("Key"), str) and are_texts(f.get("Values") or []) for f in value
    )


def _page(members: list[Any], size: int, token: str) -> tuple[list[Any], str]:
    """One page, and the token of the next: where it begins. Empty on the last."""
    start = int(token) if token.isdecimal() else 0
    end = start + size
    return members[start:end], str(end) if end < len(members) else ""
