"""Pages of list operations, and resources found by their tags."""

from __future__ import annotations

from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, eventually

HELLO = "def handler(event, context):\n    return 'hi'\n"


@proves("api_lists_have_pages")
def test_lists_of_apis_and_their_parts_have_pages(site: Site) -> None:
    gateway, api = site.client("apigatewayv2"), site.api()
    for path in ("a", "b", "c"):
        gateway.create_route(ApiId=api, RouteKey=f"GET /{path}")
    first = gateway.get_routes(ApiId=api, MaxResults="2")
    second = gateway.get_routes(ApiId=api, MaxResults="2", NextToken=first["NextToken"])
    assert [len(first["Items"]), len(second["Items"])] == [2, 1]
    assert "NextToken" not in second
    keys = {route["RouteKey"] for route in first["Items"] + second["Items"]}
    assert keys == {"GET /a", "GET /b", "GET /c"}
    assert len(gateway.get_routes(ApiId=api)["Items"]) == 3


@proves("roles_have_pages")
def test_roles_have_pages(site: Site) -> None:
    iam, made = site.client("iam"), {site.role().rpartition("/")[2] for _ in range(3)}
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Roles"]) <= 2 for page in pages)
    assert made <= {role["RoleName"] for page in pages for role in page["Roles"]}
    assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


@proves("tags_find_what_they_find_on_aws")
def test_tags_find_functions_pools_apis_stages_and_log_groups(site: Site) -> None:
    value = site.name("value")
    tags = {"labkit-test": value}
    gateway, logs = site.client("apigatewayv2"), site.client("logs")
    function, pool, api = site.function(HELLO, Tags=tags), site.pool(UserPoolTags=tags), site.api()
    group = site.name("group")
    region, account = site.place.region, site.place.account
    api_arn = f"arn:aws:apigateway:{region}::/apis/{api}"
    gateway.tag_resource(ResourceArn=api_arn, Tags=tags)
    gateway.create_stage(ApiId=api, StageName="Test", Tags=tags)
    logs.create_log_group(logGroupName=group, tags=tags)
    site.later(logs.delete_log_group, logGroupName=group)
    role = site.role().rpartition("/")[2]
    site.client("iam").tag_role(RoleName=role, Tags=[{"Key": "labkit-test", "Value": value}])
    expected = {
        f"arn:aws:lambda:{region}:{account}:function:{function}",
        f"arn:aws:cognito-idp:{region}:{account}:userpool/{pool}",
        api_arn,
        f"{api_arn}/stages/Test",
        f"arn:aws:logs:{region}:{account}:log-group:{group}",
    }
    tagging = site.client("resourcegroupstaggingapi")
    wanted = [{"Key": "labkit-test", "Values": [value, "other"]}]

    def found(**more: object) -> set[str]:
        pages = tagging.get_paginator("get_resources").paginate(TagFilters=wanted, **more)
        return {resource["ResourceARN"] for page in pages for resource in page["ResourceTagMappingList"]}

    assert eventually(found, expected, seconds=120) == expected
    assert found(PaginationConfig={"PageSize": 2}) == expected
    assert found(ResourceTypeFilters=["lambda:function"]) == {f"arn:aws:lambda:{region}:{account}:function:{function}"}
    assert found(ResourceTypeFilters=["apigateway"]) == {api_arn, f"{api_arn}/stages/Test"}
    assert found(ResourceTypeFilters=["logs:log-group"]) == {f"arn:aws:logs:{region}:{account}:log-group:{group}"}
    page = tagging.get_resources(TagFilters=wanted, ResourcesPerPage=2)
    assert len(page["ResourceTagMappingList"]) == 2
    assert page["PaginationToken"]
    both = [*wanted, {"Key": "nothere", "Values": []}]
    assert tagging.get_resources(TagFilters=both)["ResourceTagMappingList"] == []
