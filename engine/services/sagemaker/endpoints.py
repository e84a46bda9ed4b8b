"""SageMaker endpoints: created, described, listed, updated and deleted; `engine.hosting` runs them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from engine import __version__
from engine.context import Engine
from engine.errors import ServiceError, validation
from engine.hosting import progress
from engine.hosting.blueprint import instance_ids
from engine.hosting.supervisor import KIND
from engine.http import Request
from engine.registry import operation
from engine.services.sagemaker import (
    deployment_checks,
    endpoint_configs,
    endpoint_summaries,
    inference_checks,
    models,
    tags,
)
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
    document = _document(engine, params["EndpointConfigName"])
    document["EndpointArn"] = arn
    if params.get("DeploymentConfig"):
        deployment_checks.check(params["DeploymentConfig"], document["counts"])
        document["LastDeploymentConfig"] = params["DeploymentConfig"]
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
    return endpoint_summaries.described(name, found, engine.settings.cores)


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
    engine.scaling.forget(name)
    engine.hosting.delete(name)
    return {}


@operation("sagemaker", "UpdateEndpoint")
async def update_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Begin to bring another configuration's fleet into service, by the steps of the deployment configuration."""
    name = params["EndpointName"]
    found = _find(engine, name)
    _settled(found, in_service=True)
    before = found.document
    wanted = _document(engine, params["EndpointConfigName"])
    if bool(wanted["config"].get("AsyncInferenceConfig")) != bool(
        before["config"].get("AsyncInferenceConfig")
    ):
        raise validation(
            f'Cannot update endpoint "{before["EndpointArn"]}" between real-time and asynchronous inference.'
        )
    if found.status == "InService" and all(
        wanted[key] == before[key] for key in ("EndpointConfigName", "config", "models")
    ):
        raise validation(
            f'Cannot update endpoint "{before["EndpointArn"]}" with endpoint configuration '
            f'"{params["EndpointConfigName"]}", which it already uses. Create a new endpoint configuration.'
        )
    if params.get("RetainAllVariantProperties"):
        _retain(engine, before, wanted, params.get("ExcludeRetainedVariantProperties") or [])
    deployment = params.get("DeploymentConfig")
    if deployment is None and params.get("RetainDeploymentConfig"):
        deployment = before.get("LastDeploymentConfig")
    deployment_checks.check(deployment, progress.production(wanted, "counts"))
    deployment_checks.check_alarms(engine, deployment)
    if found.status == "UpdateRollbackFailed" and (deployment or {}).get("RollingUpdatePolicy"):
        raise validation(
            f'Cannot update endpoint "{before["EndpointArn"]}" with status UpdateRollbackFailed by a RollingUpdatePolicy: it '
            "has instances of two endpoint configurations. Use a BlueGreenUpdatePolicy."
        )
    if any(variant.get("ServerlessConfig") for variant in wanted["config"]["ProductionVariants"]):
        deployment = None  # AWS updates these all at once, whatever is asked for.
    wanted["DeploymentConfig"] = deployment
    wanted["previous"] = found.status
    wanted["progress"] = progress.begin(engine.clock.time())
    _begin_update(engine, name, wanted)
    return {"EndpointArn": before["EndpointArn"]}


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
async def update_weights_and_capacities(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Change variants' weights and instance counts in place."""
    name = params["EndpointName"]
    reshape(engine, name, params["DesiredWeightsAndCapacities"])
    return {"EndpointArn": endpoint_arn(engine, name)}


def reshape(engine: Engine, name: str, wishes: Iterable[Mapping[str, Any]]) -> None:
    """Begin to give variants other weights and instance counts, as UpdateEndpointWeightsAndCapacities names them.

    Raises:
        ServiceError: ``ValidationException``: there is no such endpoint or variant, it is not in service, or a wish cannot be met.
    """
    found = _find(engine, name)
    _settled(found, in_service=True, mixed=False)
    document = found.document
    weights, counts = dict(document["weights"]), dict(document["counts"])
    instances, serverless = dict(document["instances"]), dict(document.get("serverless", {}))
    named: set[str] = set()
    for wish in wishes:
        variant = wish["VariantName"]
        if variant in named:
            raise validation(f'Variant "{variant}" is named more than once in DesiredWeightsAndCapacities.')
        named.add(variant)
        if variant not in weights:
            raise validation(f'Could not find variant "{variant}" for endpoint "{document["EndpointArn"]}".')
        if wish.get("ServerlessUpdateConfig"):
            serverless[variant] = inference_checks.updated(
                serverless.get(variant), wish["ServerlessUpdateConfig"], variant
            )
        if wish.get("DesiredWeight") is not None:
            weights[variant] = inference_checks.weight(wish["DesiredWeight"], variant)
        count = wish.get("DesiredInstanceCount")
        if count is not None and variant in serverless:
            raise validation(f"Variant {variant} is serverless: DesiredInstanceCount does not apply to it.")
        if count == 0 and not document["config"].get("AsyncInferenceConfig"):
            raise validation(f"Variant {variant}: DesiredInstanceCount must be at least 1.")
        if count is not None:
            counts[variant] = count
            kept = list(instances[variant])
            fresh = instance_ids(count, engine.settings.cores)
            instances[variant] = (kept + fresh)[: len(fresh)]
    _begin_update(
        engine, name, {"weights": weights, "counts": counts, "instances": instances, "serverless": serverless}
    )


def _find(engine: Engine, name: str) -> Resource:
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_endpoint(engine, name)
    return found


def _settled(found: Resource, *, in_service: bool = False, mixed: bool = True) -> None:
    """Refuse to change an endpoint at which something is under way, or that does not serve.

    Args:
        mixed: Whether one will do that serves with instances of two configurations.
    """
    arn = found.document["EndpointArn"]
    if found.status in _CHANGING:
        raise validation(f'Cannot update in-progress endpoint "{arn}".')
    if not in_service or found.status == "InService" or (mixed and found.status == "UpdateRollbackFailed"):
        return
    ways = "updating it to another endpoint configuration or deleting it are"
    if found.status != "UpdateRollbackFailed":
        ways = "deleting it is"
    raise validation(f'Cannot update endpoint "{arn}" with status {found.status}: only {ways} allowed.')


def _begin_update(engine: Engine, name: str, wanted: dict[str, Any]) -> None:
    def change(document: dict[str, Any]) -> None:
        document["update"] = wanted
        if wanted.get("DeploymentConfig"):
            document["LastDeploymentConfig"] = wanted["DeploymentConfig"]

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
        "serverless": {},
    }
    shadows = config.document.get("ShadowProductionVariants", [])
    for variant in [*config.document["ProductionVariants"], *shadows]:
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
        if variant.get("ServerlessConfig"):
            document["serverless"][name] = variant["ServerlessConfig"]
        document["counts"][name] = variant.get("InitialInstanceCount", 0)
        document["instances"][name] = instance_ids(document["counts"][name], engine.settings.cores)
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
    """Keep the weights and instance counts of variants that both configurations have, and the data capture of before."""
    without = {item["VariantPropertyType"] for item in excluded}
    for name in wanted["weights"]:
        if name not in before["weights"]:
            continue
        if "DesiredWeight" not in without:
            wanted["weights"][name] = before["weights"][name]
        # A serverless variant has no number of instances that another could keep.
        serverless = name in wanted["serverless"] or name in before.get("serverless", {})
        if "DesiredInstanceCount" not in without and not serverless:
            count = before["counts"][name]
            wanted["counts"][name] = count
            wanted["instances"][name] = instance_ids(count, engine.settings.cores)
    capture = before["config"].get("DataCaptureConfig")
    if capture is not None and "DataCaptureConfig" not in without:
        wanted["config"] = {**wanted["config"], "DataCaptureConfig": capture}
