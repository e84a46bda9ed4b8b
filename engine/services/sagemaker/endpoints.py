"""SageMaker endpoints: created, described, listed, updated and deleted; `engine.hosting` runs them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any

from engine import __version__
from engine.context import Engine
from engine.errors import ServiceError, validation
from engine.hosting.blueprint import instance_ids
from engine.hosting.supervisor import KIND
from engine.http import Request
from engine.registry import operation
from engine.services.sagemaker import endpoint_configs, models, tags
from engine.services.sagemaker.common import arn_of
from engine.services.sagemaker.listing import Listing
from engine.services.sagemaker.patience import HOLD_SECONDS, patient
from engine.store import Exists, Resource

_CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_LIST = Listing("ListEndpoints", KIND)


def endpoint_arn(engine: Engine, name: str) -> str:
    """The endpoint's ARN."""
    return arn_of(engine, KIND, name)


def no_endpoint(engine: Engine, name: str) -> ServiceError:
    """AWS's sentence for an endpoint that is not there."""
    return validation(f'Could not find endpoint "{endpoint_arn(engine, name)}".')


@operation("sagemaker", "CreateEndpoint")
async def create_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Store the endpoint as Creating and begin to bring it up."""
    name = params["EndpointName"]
    arn = endpoint_arn(engine, name)
    taken = validation(f'Cannot create already existing endpoint "{arn}".')
    if engine.store.find(KIND, name) is not None:
        raise taken
    tags.check(params.get("Tags", []))
    _deployment(params.get("DeploymentConfig"))
    document = _document(engine, params["EndpointConfigName"])
    document["EndpointArn"] = arn
    try:
        engine.store.create(KIND, name, document, now=engine.clock.time(), status="Creating")
    except Exists as error:
        raise taken from error
    tags.add(engine, arn, params.get("Tags", []))
    engine.hosting.create(name)
    return {"EndpointArn": arn}


@operation("sagemaker", "DescribeEndpoint")
async def describe_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The endpoint as it is now.

    The SageMaker SDKs and botocore's waiters ask every 30 s while a status may change: their question is answered when it
    has changed, so that nobody waits for the clock.
    """
    name = params["EndpointName"]
    found = _find(engine, name)
    if found.status in _CHANGING and patient(request.headers):
        await engine.hosting.changes.wait(name, HOLD_SECONDS)
        found = _find(engine, name)
    return _described(name, found)


@operation("sagemaker", "ListEndpoints")
async def list_endpoints(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Endpoints by name, creation or status, a page at a time."""
    page = _LIST.page(engine, params)
    endpoints = [
        {
            "EndpointName": item.name,
            "EndpointArn": item.document["EndpointArn"],
            "CreationTime": item.created,
            "LastModifiedTime": item.modified,
            "EndpointStatus": item.status,
        }
        for item in page.resources
    ]
    return {"Endpoints": endpoints, "NextToken": page.next_token}


@operation("sagemaker", "DeleteEndpoint")
async def delete_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Take the endpoint out of service and end its workers."""
    name = params["EndpointName"]
    found = _find(engine, name)
    _settled(found)
    engine.store.update(KIND, name, lambda document: None, now=engine.clock.time(), status="Deleting")
    engine.hosting.delete(name)
    return {}


@operation("sagemaker", "UpdateEndpoint")
async def update_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Start the new configuration's fleet beside the old one and move all traffic at once when it is healthy."""
    name = params["EndpointName"]
    found = _find(engine, name)
    _settled(found, in_service=True)
    deployment = params.get("DeploymentConfig")
    _deployment(deployment)
    wanted = _document(engine, params["EndpointConfigName"])
    if params.get("RetainAllVariantProperties"):
        _retain(engine, found.document, wanted, params.get("ExcludeRetainedVariantProperties") or [])
    if deployment is not None:
        wanted["LastDeploymentConfig"] = deployment
    _begin_update(engine, name, wanted)
    return {"EndpointArn": found.document["EndpointArn"]}


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
async def update_weights_and_capacities(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Change variants' weights and instance counts in place."""
    name = params["EndpointName"]
    found = _find(engine, name)
    _settled(found, in_service=True)
    document = found.document
    weights, counts = dict(document["weights"]), dict(document["counts"])
    instances = dict(document["instances"])
    for wish in params["DesiredWeightsAndCapacities"]:
        variant = wish["VariantName"]
        if variant not in weights:
            raise validation(f'Could not find variant "{variant}" for endpoint "{document["EndpointArn"]}".')
        if wish.get("ServerlessUpdateConfig"):
            raise validation(
                f"Variant {variant} is not serverless: ServerlessUpdateConfig does not apply to it."
            )
        if wish.get("DesiredWeight") is not None:
            weights[variant] = float(wish["DesiredWeight"])
        count = wish.get("DesiredInstanceCount")
        if count == 0:
            raise validation(f"Variant {variant}: DesiredInstanceCount must be at least 1.")
        if count is not None:
            counts[variant] = count
            kept = list(instances[variant])
            fresh = instance_ids(count, engine.settings.cores)
            instances[variant] = (kept + fresh)[: len(fresh)]
    _begin_update(engine, name, {"weights": weights, "counts": counts, "instances": instances})
    return {"EndpointArn": document["EndpointArn"]}


def _find(engine: Engine, name: str) -> Resource:
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_endpoint(engine, name)
    return found


def _settled(found: Resource, *, in_service: bool = False) -> None:
    arn = found.document["EndpointArn"]
    if found.status in _CHANGING:
        raise validation(f'Cannot update in-progress endpoint "{arn}".')
    if in_service and found.status != "InService":
        raise validation(
            f'Cannot update endpoint "{arn}" with status {found.status}: only deleting it is allowed.'
        )


def _begin_update(engine: Engine, name: str, wanted: dict[str, Any]) -> None:
    def change(document: dict[str, Any]) -> None:
        document["update"] = wanted

    engine.store.update(KIND, name, change, now=engine.clock.time(), status="Updating")
    engine.hosting.update(name)


def _document(engine: Engine, config_name: str) -> dict[str, Any]:
    """What an endpoint keeps of its configuration and models, so that it goes on when those are deleted.

    Raises:
        ServiceError: ``ValidationException``: the configuration or a model is not there, or a part of it is not served.
    """
    config = engine.store.find(endpoint_configs.KIND, config_name)
    if config is None:
        raise endpoint_configs.no_config(engine, config_name)
    endpoint_configs.refuse_unserved(config.document)
    now = engine.clock.time()
    document: dict[str, Any] = {
        "EndpointConfigName": config_name,
        "config": config.document,
        "models": {},
        "images": {},
        "weights": {},
        "counts": {},
        "instances": {},
    }
    for variant in config.document["ProductionVariants"]:
        name = variant["VariantName"]
        model = engine.store.find(models.KIND, variant["ModelName"])
        if model is None:
            raise models.no_model(engine, variant["ModelName"])
        container = models.container(model.document)
        document["models"][name] = {
            "container": container,
            "EnableNetworkIsolation": bool(model.document.get("EnableNetworkIsolation")),
        }
        document["images"][name] = [_image(container["Image"], now)]
        document["weights"][name] = float(variant["InitialVariantWeight"])
        document["counts"][name] = variant["InitialInstanceCount"]
        document["instances"][name] = instance_ids(variant["InitialInstanceCount"], engine.settings.cores)
    return document


def _image(image: str, now: float) -> dict[str, Any]:
    """The image and a digest of what stands for it here: this engine, this Python and the name."""
    if "@sha256:" in image:
        return {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}
    digest = hashlib.sha256(f"{image}\n{sys.version}\n{__version__}".encode()).hexdigest()
    path, _, last = image.rpartition("/")
    repository = f"{path}/{last.partition(':')[0]}" if path else last.partition(":")[0]
    return {"SpecifiedImage": image, "ResolvedImage": f"{repository}@sha256:{digest}", "ResolutionTime": now}


def _retain(
    engine: Engine, before: Mapping[str, Any], wanted: dict[str, Any], excluded: list[dict[str, str]]
) -> None:
    """Keep the weights and instance counts of variants that both configurations have."""
    without = {item["VariantPropertyType"] for item in excluded}
    for name in wanted["weights"]:
        if name not in before["weights"]:
            continue
        if "DesiredWeight" not in without:
            wanted["weights"][name] = before["weights"][name]
        if "DesiredInstanceCount" not in without:
            count = before["counts"][name]
            wanted["counts"][name] = count
            wanted["instances"][name] = instance_ids(count, engine.settings.cores)


def _deployment(config: Mapping[str, Any] | None) -> None:
    """Only all at once, without waits and alarms, is offered so far.

    Raises:
        ServiceError: ``ValidationException`` that names what is not.
    """
    if not config:
        return
    blue_green = config.get("BlueGreenUpdatePolicy") or {}
    routing = blue_green.get("TrafficRoutingConfiguration") or {}
    parts = [name for name in ("RollingUpdatePolicy", "AutoRollbackConfiguration") if config.get(name)]
    if routing.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        parts.append(f"traffic routing of type {routing['Type']}")
    if blue_green.get("TerminationWaitInSeconds"):
        parts.append("TerminationWaitInSeconds")
    if parts:
        raise validation(
            f"This engine does not offer {', '.join(parts)} in a DeploymentConfig yet. Use ALL_AT_ONCE."
        )


def _described(name: str, found: Resource) -> dict[str, Any]:
    document = found.document
    output: dict[str, Any] = {
        "EndpointName": name,
        "EndpointArn": document["EndpointArn"],
        "EndpointConfigName": document["EndpointConfigName"],
        "EndpointStatus": found.status,
        "CreationTime": found.created,
        "LastModifiedTime": found.modified,
        "FailureReason": document.get("FailureReason"),
        "LastDeploymentConfig": document.get("LastDeploymentConfig"),
        "MetricsConfig": document["config"].get("MetricsConfig"),
    }
    if found.status not in ("Creating", "Failed"):
        wanted = document.get("update") or {}
        same = "config" not in wanted
        output["ProductionVariants"] = [
            _variant(document, wanted if same else {}, variant)
            for variant in document["config"]["ProductionVariants"]
        ]
        if wanted and not same:
            output["PendingDeploymentSummary"] = {
                "EndpointConfigName": wanted["EndpointConfigName"],
                "StartTime": found.modified,
                "ProductionVariants": [
                    {
                        "VariantName": variant["VariantName"],
                        "DeployedImages": wanted["images"][variant["VariantName"]],
                        "CurrentWeight": 0.0,
                        "DesiredWeight": wanted["weights"][variant["VariantName"]],
                        "CurrentInstanceCount": 0,
                        "DesiredInstanceCount": wanted["counts"][variant["VariantName"]],
                        "InstanceType": variant["InstanceType"],
                        "VariantStatus": [{"Status": "Creating", "StartTime": found.modified}],
                    }
                    for variant in wanted["config"]["ProductionVariants"]
                ],
            }
    return output


def _variant(
    document: Mapping[str, Any], wanted: Mapping[str, Any], variant: Mapping[str, Any]
) -> dict[str, Any]:
    name = variant["VariantName"]
    return {
        "VariantName": name,
        "DeployedImages": document["images"][name],
        "CurrentWeight": document["weights"][name],
        "DesiredWeight": wanted.get("weights", document["weights"])[name],
        "CurrentInstanceCount": document["counts"][name],
        "DesiredInstanceCount": wanted.get("counts", document["counts"])[name],
        "RoutingConfig": variant.get("RoutingConfig"),
    }
