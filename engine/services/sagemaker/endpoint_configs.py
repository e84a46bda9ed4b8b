"""SageMaker endpoint configurations: which models, on how many instances, with what share of the traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError, validation
from engine.http import Request
from engine.registry import operation
from engine.services.sagemaker import inference_checks, models, tags
from engine.services.sagemaker.common import arn_of, check_role
from engine.services.sagemaker.listing import Listing
from engine.store import Exists

KIND = "endpoint-config"
_DESCRIBED = (
    "ProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
    "CrossRegionTrafficConfig",
)
_LIST = Listing("ListEndpointConfigs", KIND)


def config_arn(engine: Engine, name: str) -> str:
    """The configuration's ARN."""
    return arn_of(engine, KIND, name)


def no_config(engine: Engine, name: str) -> ServiceError:
    """AWS's sentence for a configuration that is not there."""
    return validation(f'Could not find endpoint configuration "{config_arn(engine, name)}".')


@operation("sagemaker", "CreateEndpointConfig")
async def create_endpoint_config(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Check the variants and store the configuration."""
    name = params["EndpointConfigName"]
    arn = config_arn(engine, name)
    if engine.store.find(KIND, name) is not None:
        raise validation(f'Cannot create already existing endpoint configuration "{arn}".')
    tags.check(params.get("Tags", []))
    if params.get("ExecutionRoleArn"):
        check_role(engine, params["ExecutionRoleArn"])
    _check(engine, params)
    document = {key: params[key] for key in _DESCRIBED if params.get(key) is not None}
    for variant in [*document["ProductionVariants"], *document.get("ShadowProductionVariants", [])]:
        variant.setdefault("InitialVariantWeight", 1.0)
    try:
        engine.store.create(KIND, name, document, now=engine.clock.time())
    except Exists as error:
        raise validation(f'Cannot create already existing endpoint configuration "{arn}".') from error
    tags.add(engine, arn, params.get("Tags", []))
    return {"EndpointConfigArn": arn}


@operation("sagemaker", "DescribeEndpointConfig")
async def describe_endpoint_config(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """The configuration as it was created."""
    name = params["EndpointConfigName"]
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_config(engine, name)
    return {
        **found.document,
        "EndpointConfigName": name,
        "EndpointConfigArn": config_arn(engine, name),
        "CreationTime": found.created,
    }


@operation("sagemaker", "ListEndpointConfigs")
async def list_endpoint_configs(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Configurations by name or creation, a page at a time."""
    page = _LIST.page(engine, params)
    configs = [
        {
            "EndpointConfigName": item.name,
            "EndpointConfigArn": config_arn(engine, item.name),
            "CreationTime": item.created,
        }
        for item in page.resources
    ]
    return {"EndpointConfigs": configs, "NextToken": page.next_token}


@operation("sagemaker", "DeleteEndpointConfig")
async def delete_endpoint_config(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Forget the configuration; endpoints made from it keep what they were made with."""
    name = params["EndpointConfigName"]
    if not engine.store.delete(KIND, name):
        raise no_config(engine, name)
    tags.drop(engine, config_arn(engine, name))
    return {}


def refuse_unserved(document: Mapping[str, Any]) -> None:
    """Refuse a configuration of which a part would be ignored: it can be stored and described, but not served.

    Raises:
        ServiceError: ``ValidationException`` that names the parts.
    """
    parts = [name for name in ("ExplainerConfig", "CrossRegionTrafficConfig") if document.get(name)]
    for variant in [*document["ProductionVariants"], *document.get("ShadowProductionVariants", [])]:
        for name in (
            "ManagedInstanceScaling",
            "InstancePools",
            "AcceleratorType",
            "CapacityReservationConfig",
            "CoreDumpConfig",
            "AcceleratorPartitionLayouts",
        ):
            if variant.get(name):
                parts.append(f"ProductionVariants.{variant['VariantName']}.{name}")
        strategy = (variant.get("RoutingConfig") or {}).get("RoutingStrategy", "RANDOM")
        if strategy not in ("RANDOM", "LEAST_OUTSTANDING_REQUESTS"):
            parts.append(f"ProductionVariants.{variant['VariantName']}.RoutingConfig {strategy}")
    if parts:
        raise validation(
            f"This engine does not serve {', '.join(parts)} yet. Create an endpoint configuration without it."
        )


def _check(engine: Engine, params: Mapping[str, Any]) -> None:
    variants = params["ProductionVariants"]
    shadows = params.get("ShadowProductionVariants") or []
    names = Counter(variant["VariantName"] for variant in [*variants, *shadows])
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise validation(
            f"Variant names must be unique within an endpoint configuration; duplicate: {', '.join(twice)}."
        )
    if shadows and (len(shadows) > 1 or len(variants) > 1):
        raise validation(
            "A configuration with a shadow variant has exactly one production variant and one shadow variant."
        )
    for variant in [*variants, *shadows]:
        name = variant["VariantName"]
        inference_checks.weight(variant.get("InitialVariantWeight", 1.0), name)
        model = variant.get("ModelName")
        if not model:
            raise validation(
                f"Variant {name} names no ModelName: inference components are not offered by this engine."
            )
        if engine.store.find(models.KIND, model) is None:
            raise models.no_model(engine, model)
        serverless = variant.get("ServerlessConfig")
        pools = variant.get("InstancePools")
        if serverless:
            if variant.get("InstanceType") or variant.get("InitialInstanceCount"):
                raise validation(
                    f"Variant {name}: InstanceType and InitialInstanceCount cannot be combined with ServerlessConfig."
                )
        elif not pools:
            if not variant.get("InstanceType"):
                raise validation(f"Variant {name}: InstanceType is required.")
            if not variant.get("InitialInstanceCount"):
                raise validation(f"Variant {name}: InitialInstanceCount is required.")
    if sum(variant.get("InitialVariantWeight", 1.0) for variant in variants) <= 0:
        raise validation("The sum of the production variants' InitialVariantWeight must be greater than 0.")
    inference_checks.check(params)
