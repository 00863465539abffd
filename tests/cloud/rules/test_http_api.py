"""The control plane of HTTP APIs: what is refused, and what deployments make visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.cloud.rules.issuers import issuer
from tests.cloud.rules.proof import proves
from tests.cloud.rules.site import Site, eventually, refusal

HELLO = "def handler(event, context):\n    print('x')\n    return {'statusCode': 200, 'body': 'hello'}\n"
JWT_NEEDS_AUTHORIZER = (
    "BadRequestException",
    400,
    "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.",
)


@pytest.fixture(scope="module")
def function(grounds: Site) -> str:
    return grounds.function(HELLO)


@dataclass(frozen=True)
class Built:
    """An API with one route and its integration."""

    site: Site
    id: str
    integration: str
    route: str

    @property
    def gateway(self) -> Any:
        return self.site.client("apigatewayv2")

    def refused(self, operation: str, **parameters: Any) -> tuple[str, int, str]:
        """How a call about this API is refused."""
        return refusal(getattr(self.gateway, operation), ApiId=self.id, **parameters)


@pytest.fixture
def api(grounds: Site, function: str) -> Built:
    api_id = grounds.api()
    integration = grounds.integration(api_id, function)
    return Built(grounds, api_id, integration, grounds.route(api_id, "GET /hello", integration))


@proves("route_key_has_method_and_path")
@pytest.mark.parametrize("key", ["/hello", "GET", "FETCH /hello", "GET hello", "get /hello", "GET  /hello", ""])
def test_a_route_key_is_a_method_and_a_path(api: Built, key: str) -> None:
    assert api.refused("create_route", RouteKey=key)[:2] == ("BadRequestException", 400)


@proves("route_key_is_unique")
def test_a_route_key_occurs_once(api: Built) -> None:
    conflict = ("ConflictException", 409, "Route with key GET /hello already exists for this API")
    assert api.refused("create_route", RouteKey="GET /hello") == conflict
    other = api.site.route(api.id, "GET /other", api.integration)
    assert api.refused("update_route", RouteId=other, RouteKey="GET /hello") == conflict
    api.gateway.update_route(ApiId=api.id, RouteId=other, RouteKey="GET /other", OperationName="same")


@proves("jwt_route_needs_its_authorizer")
def test_a_jwt_route_names_an_authorizer(api: Built) -> None:
    assert api.refused("create_route", RouteKey="GET /x", AuthorizationType="JWT") == JWT_NEEDS_AUTHORIZER
    unknown = {"RouteKey": "GET /x", "AuthorizationType": "JWT", "AuthorizerId": "abc123"}
    assert api.refused("create_route", **unknown) == JWT_NEEDS_AUTHORIZER
    assert api.refused("update_route", RouteId=api.route, AuthorizationType="JWT") == JWT_NEEDS_AUTHORIZER


@proves("route_target_is_an_integration")
def test_a_route_points_at_an_integration(api: Built) -> None:
    parameters = {"RouteKey": "GET /x", "Target": "integrations/nothere"}
    assert api.refused("create_route", **parameters)[:2] == ("BadRequestException", 400)


@proves("integration_in_use_stays")
def test_an_integration_in_use_is_not_deleted(api: Built) -> None:
    code, status, message = api.refused("delete_integration", IntegrationId=api.integration)
    assert (code, status) == ("ConflictException", 409)
    assert api.route in message
    api.gateway.delete_route(ApiId=api.id, RouteId=api.route)
    api.gateway.delete_integration(ApiId=api.id, IntegrationId=api.integration)


@proves("deleting_needs_something_there")
@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_route", {"RouteId": "nothere"}),
        ("delete_integration", {"IntegrationId": "nothere"}),
        ("delete_authorizer", {"AuthorizerId": "nothere"}),
        ("delete_stage", {"StageName": "nothere"}),
        ("delete_deployment", {"DeploymentId": "nothere"}),
    ],
)
def test_deleting_what_is_not_there_is_a_404(api: Built, operation: str, parameters: dict[str, str]) -> None:
    assert api.refused(operation, **parameters)[:2] == ("NotFoundException", 404)


@proves("stage_name_is_new_and_plain")
def test_a_stage_occurs_once_and_has_a_plain_name(api: Built) -> None:
    api.site.stage(api.id, "dev", auto=False)
    assert api.refused("create_stage", StageName="dev") == ("ConflictException", 409, "Stage already exists")
    for name in ("a b", "$other", "x/y", "a" * 129):
        assert api.refused("create_stage", StageName=name)[:2] == ("BadRequestException", 400)


@proves("endpoint_can_be_called")
def test_the_endpoint_of_an_api_can_be_called(api: Built, function: str) -> None:
    api.site.stage(api.id)
    api.site.permit_api(function, api.id, statement=f"endpoint-{api.id}")
    endpoint = api.gateway.get_api(ApiId=api.id)["ApiEndpoint"]
    assert eventually(lambda: requests.get(f"{endpoint}/hello", timeout=10).status_code, 200) == 200


# Authorizers


@pytest.fixture(scope="module")
def pool_issuer(grounds: Site) -> str:
    return f"https://cognito-idp.{grounds.place.region}.amazonaws.com/{grounds.pool()}"


def authorizer(issuer_url: Any = None, **changes: Any) -> dict[str, Any]:
    """The parameters of an authorizer, with some of them changed; None leaves one out."""
    parameters = {
        "Name": "jwt",
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": issuer_url, "Audience": ["app"]},
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


@proves("issuer_can_be_discovered")
def test_an_issuer_must_be_discovered(api: Built, pool_issuer: str) -> None:
    typo = pool_issuer.replace(api.site.place.region, "us-east1")
    code, status, message = api.refused("create_authorizer", **authorizer(typo))
    assert (code, status) == ("BadRequestException", 400)
    assert f"Invalid issuer: {typo}. Issuer must have a valid discovery endpoint ended with" in message
    for wrong in (f"{pool_issuer}/", f"{pool_issuer[:-9]}nothere00", "https://example.com", "foo", "file:///etc"):
        assert api.refused("create_authorizer", **authorizer(wrong))[:2] == ("BadRequestException", 400)


@proves("issuer_can_be_discovered")
def test_an_issuer_on_this_machine_is_discovered_by_http(api: Built) -> None:
    with issuer() as url:
        made = api.gateway.create_authorizer(ApiId=api.id, **authorizer(url))["AuthorizerId"]
    gone = api.refused("update_authorizer", AuthorizerId=made, JwtConfiguration={"Issuer": url, "Audience": ["app"]})
    assert gone[:2] == ("BadRequestException", 400)
    with issuer({"/.well-known/openid-configuration": ["no object"]}) as url:
        assert api.refused("create_authorizer", **authorizer(url, Name="b"))[:2] == ("BadRequestException", 400)


@proves("jwt_authorizer_is_complete")
@pytest.mark.parametrize(
    "changes",
    [
        {"IdentitySource": ["Authorization"]},
        {"IdentitySource": ["$request.header.A", "$request.header.B"]},
        {"IdentitySource": ["$request.path.x"]},
        {"JwtConfiguration": None},
        {"AuthorizerType": "REQUEST"},
    ],
)
def test_a_jwt_authorizer_is_complete(api: Built, pool_issuer: str, changes: dict[str, Any]) -> None:
    assert api.refused("create_authorizer", **authorizer(pool_issuer, **changes))[:2] == ("BadRequestException", 400)


@proves("jwt_authorizer_is_complete")
def test_a_jwt_authorizer_has_an_audience(api: Built, pool_issuer: str) -> None:
    without = authorizer(JwtConfiguration={"Issuer": pool_issuer})
    assert api.refused("create_authorizer", **without)[:2] == ("BadRequestException", 400)


@proves("authorizer_name_is_unique", "authorizer_in_use_stays", "open_route_has_no_authorizer")
def test_an_authorizer_in_use_stays_and_its_name_is_its_own(api: Built, pool_issuer: str) -> None:
    made = api.gateway.create_authorizer(ApiId=api.id, **authorizer(pool_issuer))["AuthorizerId"]
    message = "Authorizer name must be unique. Authorizer jwt already exists in this RestApi."
    assert api.refused("create_authorizer", **authorizer(pool_issuer)) == ("BadRequestException", 400, message)
    jwt = {"ApiId": api.id, "RouteId": api.route, "AuthorizationType": "JWT", "AuthorizerId": made}
    api.gateway.update_route(**jwt, AuthorizationScopes=["read"])
    code, status, message = api.refused("delete_authorizer", AuthorizerId=made)
    assert (code, status) == ("ConflictException", 409)
    assert message == f"Cannot delete authorizer '{made}', is referenced in route: GET /hello"
    api.gateway.update_route(ApiId=api.id, RouteId=api.route, AuthorizationType="NONE", AuthorizationScopes=[])
    assert "AuthorizerId" not in api.gateway.get_route(ApiId=api.id, RouteId=api.route)
    api.gateway.delete_authorizer(ApiId=api.id, AuthorizerId=made)


# Deployments


@pytest.fixture
def deployable(api: Built, function: str) -> Built:
    api.site.permit_api(function, api.id, statement=f"deploy-{api.id}")
    return api


@proves("deployment_needs_its_stage", "deployment_needs_a_route")
def test_a_deployment_needs_its_stage_and_a_route(api: Built) -> None:
    unknown = ("NotFoundException", 404, "Invalid stage identifier specified")
    assert api.refused("create_deployment", StageName="Test") == unknown
    api.gateway.delete_route(ApiId=api.id, RouteId=api.route)
    message = "Unable to deploy API because no routes exist in this API"
    assert api.refused("create_deployment") == ("BadRequestException", 400, message)


@proves("stage_serves_its_deployment")
def test_a_stage_serves_what_was_deployed_to_it(deployable: Built) -> None:
    site, api = deployable.site, deployable.id
    site.stage(api, "Test", auto=False)
    assert site.status(api, "/Test/hello") == 404
    first = deployable.gateway.create_deployment(ApiId=api, StageName="Test")["DeploymentId"]
    assert deployable.gateway.get_stage(ApiId=api, StageName="Test")["DeploymentId"] == first
    assert eventually(lambda: site.status(api, "/Test/hello"), 200) == 200
    site.route(api, "GET /later", deployable.integration)
    deployable.gateway.update_route(ApiId=api, RouteId=deployable.route, RouteKey="GET /renamed")
    assert [site.status(api, f"/Test/{path}") for path in ("hello", "later", "renamed")] == [200, 404, 404]
    deployable.gateway.create_deployment(ApiId=api, StageName="Test")
    assert eventually(lambda: site.status(api, "/Test/later"), 200) == 200
    assert [site.status(api, f"/Test/{path}") for path in ("hello", "renamed")] == [404, 200]
    deployable.gateway.update_stage(ApiId=api, StageName="Test", DeploymentId=first)
    assert eventually(lambda: site.status(api, "/Test/hello"), 200) == 200


@proves("stage_takes_a_deployment_that_fits", "stage_serves_its_deployment")
def test_a_stage_takes_a_deployment_that_fits(deployable: Built) -> None:
    api, gateway = deployable.id, deployable.gateway
    made = gateway.create_deployment(ApiId=api)["DeploymentId"]
    assert deployable.refused("create_stage", StageName="a", DeploymentId="nothere")[:2] == ("NotFoundException", 404)
    both = {"StageName": "a", "DeploymentId": made, "AutoDeploy": True}
    assert deployable.refused("create_stage", **both)[:2] == ("BadRequestException", 400)
    gateway.create_stage(ApiId=api, StageName="a", DeploymentId=made)
    assert eventually(lambda: deployable.site.status(api, "/a/hello"), 200) == 200


@proves("automatic_stages_deploy_themselves")
def test_an_automatic_stage_serves_every_change(deployable: Built) -> None:
    site, api = deployable.site, deployable.id
    site.stage(api)
    assert eventually(lambda: site.status(api, "/hello"), 200) == 200
    site.route(api, "GET /later", deployable.integration)
    assert eventually(lambda: site.status(api, "/later"), 200) == 200
    stage = deployable.gateway.get_stage(ApiId=api, StageName="$default")
    assert deployable.gateway.get_deployment(ApiId=api, DeploymentId=stage["DeploymentId"])["AutoDeployed"] is True
    deployable.gateway.update_stage(ApiId=api, StageName="$default", AutoDeploy=False)
    site.route(api, "GET /much-later", deployable.integration)
    assert [site.status(api, path) for path in ("/later", "/much-later")] == [200, 404]


@proves("deleted_means_gone")
def test_what_is_deleted_is_gone(deployable: Built) -> None:
    site, api = deployable.site, deployable.id
    site.stage(api)
    site.stage(api, "dev")
    assert eventually(lambda: site.status(api, "/dev/hello"), 200) == 200
    deployable.gateway.delete_stage(ApiId=api, StageName="dev")
    assert eventually(lambda: site.status(api, "/dev/hello"), 404) == 404
    assert site.status(api, "/hello") == 200
    deployable.gateway.delete_api(ApiId=api)
    assert eventually(lambda: site.status(api, "/hello"), 404) == 404
    assert deployable.refused("get_authorizers")[:2] == ("NotFoundException", 404)


@proves("described_tags_are_current")
def test_descriptions_tell_the_tags_of_now(site: Site) -> None:
    gateway = site.client("apigatewayv2")
    api_id = gateway.create_api(Name=site.name("api"), ProtocolType="HTTP", Tags={"old": "1"})["ApiId"]
    site.later(gateway.delete_api, ApiId=api_id)
    gateway.create_stage(ApiId=api_id, StageName="one", Tags={"old": "1"})
    gateway.create_stage(ApiId=api_id, StageName="two")

    def told() -> list[dict[str, str]]:
        stages = {stage["StageName"]: stage for stage in gateway.get_stages(ApiId=api_id)["Items"]}
        listed = next(api for api in gateway.get_apis()["Items"] if api["ApiId"] == api_id)
        described = [gateway.get_api(ApiId=api_id), listed, gateway.get_stage(ApiId=api_id, StageName="one")]
        return [one.get("Tags", {}) for one in (*described, stages["one"], stages["two"])]

    arn = f"arn:aws:apigateway:{site.place.region}::/apis/{api_id}"
    assert told() == [{"old": "1"}] * 4 + [{}]
    for resource in (arn, f"{arn}/stages/one", f"{arn}/stages/two"):
        gateway.tag_resource(ResourceArn=resource, Tags={"new": "2", "third": "3"})
        gateway.untag_resource(ResourceArn=resource, TagKeys=["old", "third"])
        assert gateway.get_tags(ResourceArn=resource)["Tags"] == {"new": "2"}
    assert told() == [{"new": "2"}] * 5


@proves("jwt_authorizers_have_no_lambda_settings")
def test_a_jwt_authorizer_has_no_settings_of_another_kind(api: Built, pool_issuer: str) -> None:
    lambda_settings = {"AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "EnableSimpleResponses"}
    made = api.gateway.create_authorizer(ApiId=api.id, **authorizer(pool_issuer))
    known = {"ApiId": api.id, "AuthorizerId": made["AuthorizerId"]}
    changed = api.gateway.update_authorizer(**known, Name="other", AuthorizerPayloadFormatVersion="2.0")
    for told in (
        made,
        changed,
        api.gateway.get_authorizer(**known),
        *api.gateway.get_authorizers(ApiId=api.id)["Items"],
    ):
        assert {name for name in told if name in lambda_settings or name.startswith("AuthorizerU")} == set()
