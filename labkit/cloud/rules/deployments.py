"""What each stage of an HTTP API serves: the API as it was when the stage was last deployed.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

import secrets

from labkit.cloud.exchange import Answer
from labkit.cloud.rules.call import Call, Refusal
from labkit.cloud.rules.registry import after, before
from labkit.cloud.rules.state import Api, api, forget_api

STAGES = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html"
API_REFERENCE = "https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/"

CHANGES = tuple(
    f"{verb}{thing}" for verb in ("Create", "Update", "Delete") for thing in ("Route", "Integration", "Authorizer")
)


@before(
    "apigateway",
    "CreateDeployment",
    aws="A deployment names a stage that exists, or none.",
    source=API_REFERENCE + "apis-apiid-deployments.html",
    confidence="inferred",
    ministack="Makes the deployment and forgets the stage's name.",
)
def deployment_needs_its_stage(call: Call) -> Refusal | None:
    """A deployment to an unknown stage is refused: 404 NotFoundException."""
    name, owner = call.text("stageName"), api(call.text("apiId"))
    if not owner or not name or name in owner.stages:
        return None
    return Refusal("NotFoundException", "Invalid stage identifier specified", 404)


@before(
    "apigateway",
    "CreateDeployment",
    aws="Unable to deploy API because no routes exist in this API (400).",
    source="https://github.com/mach-composer/mach-composer-cli/issues/42",
    confidence="inferred",
    ministack="Makes the deployment.",
)
def deployment_needs_a_route(call: Call) -> Refusal | None:
    """An API without routes is not deployed: 400 BadRequestException."""
    owner = api(call.text("apiId"))
    if not owner or owner.routes:
        return None
    return Refusal("BadRequestException", "Unable to deploy API because no routes exist in this API")


@before(
    "apigateway",
    "CreateStage",
    "UpdateStage",
    aws="DeploymentId cannot be set on a stage that deploys automatically, and names a deployment that exists.",
    source=API_REFERENCE + "apis-apiid-stages-stagename.html",
    ministack="Takes any deployment id.",
)
def stage_takes_a_deployment_that_fits(call: Call) -> Refusal | None:
    """A deployment id on an automatic stage is a 400 BadRequestException, an unknown one a 404 NotFoundException."""
    owner, deployment_id = api(call.text("apiId")), call.text("deploymentId")
    if not owner or not deployment_id:
        return None
    before_update = owner.stages.get(call.text("stageName"), {})
    if call.params.get("autoDeploy", before_update.get("autoDeploy")):
        return Refusal("BadRequestException", "Deployment ID cannot be set on stages that have auto deploy enabled")
    if deployment_id not in owner.deployments:
        return Refusal("NotFoundException", "Invalid deployment identifier specified", 404)
    return None


@after(
    "apigateway",
    "CreateDeployment",
    "CreateStage",
    "UpdateStage",
    aws="A stage serves the deployment that it was given: the API as it was then. Later changes stay invisible until "
    "the next deployment.",
    source=STAGES,
    ministack="Every stage serves the API as it is, also one that was never deployed.",
)
def stage_serves_its_deployment(call: Call, answer: Answer) -> Answer | None:
    """A stage serves its last deployment, a stage that was never deployed serves nothing (404)."""
    owner = api(call.text("apiId")) if answer.good else None
    if owner is None:
        return None
    here, content = call.here, answer.json()
    deployment_id = content.get("deploymentId") if call.operation == "CreateDeployment" else call.text("deploymentId")
    if call.operation == "CreateDeployment":
        here.deployments.freeze(owner, deployment_id)
    stage = owner.stages.get(call.text("stageName"))
    if stage is None or not deployment_id:
        return None
    stage["deploymentId"] = deployment_id
    here.deployments.deploy(owner.id, stage["stageName"], deployment_id, here.now())
    return answer.with_json({**content, "deploymentId": deployment_id})


@after(
    "apigateway",
    *CHANGES,
    "CreateStage",
    "UpdateStage",
    aws="A stage with automatic deployment deploys every change by itself, a few seconds later.",
    source=STAGES,
    ministack="Changes are visible at once.",
)
def automatic_stages_deploy_themselves(call: Call, answer: Answer) -> Answer | None:
    """Every change is a deployment of its own, visible at once in calm weather and 1.5 seconds later in rough."""
    owner = api(call.text("apiId")) if answer.good else None
    automatic = [stage for stage in owner.stages.values() if stage.get("autoDeploy")] if owner else []
    if owner is None or not automatic:
        return None
    here, deployment_id = call.here, secrets.token_hex(4)
    for earlier in _replace_automatic(owner, deployment_id):
        here.deployments.forget_deployment(owner.id, earlier)
    here.deployments.freeze(owner, deployment_id)
    for stage in automatic:
        stage["deploymentId"] = deployment_id
        stage["lastDeploymentStatusMessage"] = f"Successfully deployed stage with deployment ID '{deployment_id}'"
        visible = here.now() + here.weather.settling("deployment")
        here.deployments.deploy(owner.id, stage["stageName"], deployment_id, visible)
    return None


def _replace_automatic(owner: Api, deployment_id: str) -> list[str]:
    """List an automatic deployment in the place of those before it, which are returned."""
    earlier = [key for key, record in owner.deployments.items() if record.get("autoDeployed")]
    for key in earlier:
        del owner.deployments[key]
    owner.deployments[deployment_id] = {
        "deploymentId": deployment_id,
        "deploymentStatus": "DEPLOYED",
        "autoDeployed": True,
        "createdDate": owner.record["createdDate"],
        "description": "Automatic deployment triggered by changes to the Api configuration",
    }
    return earlier


@after(
    "apigateway",
    "DeleteStage",
    "DeleteDeployment",
    "DeleteApi",
    aws="What belongs to a deleted API, stage or deployment is gone with it.",
    source=API_REFERENCE + "apis-apiid.html",
    ministack="Keeps the authorizers of a deleted API.",
)
def deleted_means_gone(call: Call, answer: Answer) -> Answer | None:
    """Deployments, stages and authorizers go with the API."""
    if not answer.good:
        return None
    api_id, deployments = call.text("apiId"), call.here.deployments
    if call.operation == "DeleteStage":
        deployments.forget_stage(api_id, call.text("stageName"))
    elif call.operation == "DeleteDeployment":
        deployments.forget_deployment(api_id, call.text("deploymentId"))
    else:
        deployments.forget_api(api_id)
        forget_api(api_id)
    return None
