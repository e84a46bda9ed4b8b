"""Deployments: an API as it was at one moment, which stages serve."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
from engine.gateways.record import DEPLOYMENT, Document, refused
from engine.gateways.supervisor import frozen
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.paging import page
from engine.services.gateways.stages import new_stage, put_stage
from engine.store import Filter

Params = dict[str, Any]
_FIELDS = (patching.one("description", operations=("replace", "remove")),)


@operation("apigateway", "CreateDeployment")
async def create_deployment(engine: Engine, request: Request, params: Params) -> Params:
    """Freeze the API, and let a stage serve it when one is named."""
    api_id = params["restApiId"]
    document = record.api(engine, api_id).document
    _check(document)
    deployment: Params = {"id": record.new_id(6), "createdDate": int(engine.clock.time())}
    if params.get("description"):
        deployment["description"] = params["description"]
    stage = None
    if params.get("stageName"):
        stage = new_stage(
            engine,
            {**params, "description": params.get("stageDescription"), "deploymentId": deployment["id"]},
        )
    kept = {"Deployment": deployment, "Snapshot": frozen(document)}
    record.create(
        engine,
        DEPLOYMENT,
        f"{api_id}/{deployment['id']}",
        kept,
        parent=api_id,
        taken="Deployment already exists",
    )
    if stage is not None:
        put_stage(engine, api_id, stage)
    return deployment


@operation("apigateway", "GetDeployment")
async def get_deployment(engine: Engine, request: Request, params: Params) -> Params:
    """One deployment; with ``embed=apisummary`` its methods."""
    found = record.deployment(engine, params["restApiId"], params["deploymentId"]).document
    if "apisummary" not in (params.get("embed") or []):
        return dict(found["Deployment"])
    summary = {
        resource["path"]: {
            name: {
                "authorizationType": method["authorizationType"],
                "apiKeyRequired": method["apiKeyRequired"],
            }
            for name, method in resource["resourceMethods"].items()
        }
        for resource in found["Snapshot"]["Resources"].values()
        if resource.get("resourceMethods")
    }
    return {**found["Deployment"], "apiSummary": summary}


@operation("apigateway", "GetDeployments")
async def get_deployments(engine: Engine, request: Request, params: Params) -> Params:
    """An API's deployments, the newest first."""
    record.api(engine, params["restApiId"])
    rows = engine.store.select(DEPLOYMENT, [Filter("parent", "=", params["restApiId"])])
    items = [(f"{1e12 - row.created:016.3f} {row.name}", row.document["Deployment"]) for row in rows]
    return page(engine, request, params, items)


@operation("apigateway", "UpdateDeployment")
async def update_deployment(engine: Engine, request: Request, params: Params) -> Params:
    """Describe a deployment anew; what it froze stays."""
    record.deployment(engine, params["restApiId"], params["deploymentId"])

    def alter(document: Document) -> None:
        patching.apply(document["Deployment"], params.get("patchOperations") or [], _FIELDS)

    name = f"{params['restApiId']}/{params['deploymentId']}"
    changed: Params = engine.store.update(DEPLOYMENT, name, alter, now=engine.clock.time()).document[
        "Deployment"
    ]
    return changed


@operation("apigateway", "DeleteDeployment")
async def delete_deployment(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a deployment that no stage serves."""
    api_id, deployment_id = params["restApiId"], params["deploymentId"]
    record.deployment(engine, api_id, deployment_id)
    if any(stage["deploymentId"] == deployment_id for stage in record.stages(engine, api_id)):
        raise refused("Active stages pointing to this deployment must be moved or deleted")
    engine.store.delete(DEPLOYMENT, f"{api_id}/{deployment_id}")
    engine.gateways.forget(api_id)
    return {}


def _check(document: Document) -> None:
    methods = [
        method for one in document["Resources"].values() for method in one.get("resourceMethods", {}).values()
    ]
    if not methods:
        raise refused("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for method in methods):
        raise refused("No integration defined for method")
