"""SageMaker models: an image, where the model data lies, and the variables of the container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import images
from engine.context import Engine
from engine.errors import ServiceError, validation
from engine.hosting import artifacts
from engine.http import Request
from engine.registry import operation
from engine.services.sagemaker import tags
from engine.services.sagemaker.common import arn_of, check_role
from engine.services.sagemaker.listing import Listing
from engine.store import Exists

KIND = "model"
_DESCRIBED = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)
_LIST = Listing("ListModels", KIND)


def model_arn(engine: Engine, name: str) -> str:
    """The model's ARN."""
    return arn_of(engine, KIND, name)


def no_model(engine: Engine, name: str) -> ServiceError:
    """AWS's sentence for a model that is not there."""
    return validation(f'Could not find model "{model_arn(engine, name)}".')


def container(document: Mapping[str, Any]) -> dict[str, Any]:
    """The one container of a stored model."""
    found: dict[str, Any] = document.get("PrimaryContainer") or document["Containers"][0]
    return found


@operation("sagemaker", "CreateModel")
async def create_model(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Check the container, its role and its model data, and store the model."""
    name = params["ModelName"]
    arn = model_arn(engine, name)
    if engine.store.find(KIND, name) is not None:
        raise validation(f'Cannot create already existing model "{arn}".')
    tags.check(params.get("Tags", []))
    if params.get("ExecutionRoleArn"):
        check_role(engine, params["ExecutionRoleArn"])
    _check_container(engine, _only_container(params))
    document = {key: params[key] for key in _DESCRIBED if params.get(key) is not None}
    document.setdefault("EnableNetworkIsolation", False)
    for definition in [document.get("PrimaryContainer"), *document.get("Containers", [])]:
        if definition is not None:
            definition.setdefault("Mode", "SingleModel")
            _describe_source(definition)
    try:
        engine.store.create(KIND, name, document, now=engine.clock.time())
    except Exists as error:
        raise validation(f'Cannot create already existing model "{arn}".') from error
    tags.add(engine, arn, params.get("Tags", []))
    return {"ModelArn": arn}


@operation("sagemaker", "DescribeModel")
async def describe_model(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The model as it was created."""
    name = params["ModelName"]
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_model(engine, name)
    return {
        **found.document,
        "ModelName": name,
        "ModelArn": model_arn(engine, name),
        "CreationTime": found.created,
    }


@operation("sagemaker", "ListModels")
async def list_models(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Models by name or creation, a page at a time."""
    page = _LIST.page(engine, params)
    models = [
        {"ModelName": item.name, "ModelArn": model_arn(engine, item.name), "CreationTime": item.created}
        for item in page.resources
    ]
    return {"Models": models, "NextToken": page.next_token}


@operation("sagemaker", "DeleteModel")
async def delete_model(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Forget the model; endpoints that serve it go on, its data in S3 stays."""
    name = params["ModelName"]
    if not engine.store.delete(KIND, name):
        raise no_model(engine, name)
    tags.drop(engine, model_arn(engine, name))
    return {}


def _only_container(params: Mapping[str, Any]) -> dict[str, Any]:
    primary, several = params.get("PrimaryContainer"), params.get("Containers")
    if primary is not None and several:
        raise validation("You must provide either PrimaryContainer or Containers, not both.")
    if primary is None and not several:
        raise validation("You must provide either PrimaryContainer or Containers.")
    if several and len(several) > 1:
        raise validation(
            f"Containers names {len(several)} containers: inference pipelines are not offered by this engine. "
            "Create a model with one container."
        )
    found: dict[str, Any] = primary if primary is not None else (several or [{}])[0]
    return found


def _check_container(engine: Engine, definition: Mapping[str, Any]) -> None:
    if definition.get("ModelPackageName"):
        raise validation(
            f"Could not find model package {definition['ModelPackageName']}: model packages are not offered by this engine. "
            "Name an Image and its model data instead."
        )
    if definition.get("Mode") == "MultiModel":
        raise validation("Multi-model containers are not offered by this engine. Use Mode SingleModel.")
    if definition.get("AdditionalModelDataSources"):
        raise validation("AdditionalModelDataSources are not offered by this engine.")
    image = definition.get("Image")
    if not image:
        raise validation("The container definition must name an Image.")
    try:
        images.resolve(image)
    except images.UnknownImage as error:
        raise validation(f"Requested image {image} not found. {error}") from error
    source = (definition.get("ModelDataSource") or {}).get("S3DataSource")
    if source and definition.get("ModelDataUrl") and source["S3Uri"] != definition["ModelDataUrl"]:
        raise validation("Only one of ModelDataUrl and ModelDataSource can be specified for a container.")
    place = artifacts.location(definition)
    if place is not None and not artifacts.exists(engine.objects, place):
        raise validation(f"Could not find model data at {place.uri}.")


def _describe_source(definition: dict[str, Any]) -> None:
    """AWS describes a ModelDataUrl also as a ModelDataSource."""
    uri = definition.get("ModelDataUrl")
    if uri and "ModelDataSource" not in definition:
        definition["ModelDataSource"] = {
            "S3DataSource": {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
        }
