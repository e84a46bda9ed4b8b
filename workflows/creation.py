"""A new real-time endpoint: a variant per model or training job, each with its share of the traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.interfaces.rollouts.base import Rollouts
from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.rollout.facts import Source, model_source


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant as a person asks for it. ``source`` is a model, or a training job whose model is made where there is none."""

    name: str
    source: str
    weight: float = 1.0
    instance_type: str = "ml.m5.large"
    instances: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What is asked for to make an endpoint: the requests of CreateModel, CreateEndpointConfig and CreateEndpoint.

    ``shares`` are the parts of the traffic by variant, 0 to 1.
    """

    name: str
    variants: tuple[NewVariant, ...]
    models: tuple[Mapping[str, Any], ...]
    configuration: Mapping[str, Any]
    endpoint: Mapping[str, Any]
    shares: Mapping[str, float] = field(default_factory=dict)


def plan(
    gateway: Gateway,
    name: str,
    variants: Sequence[NewVariant],
    *,
    role: str,
    capture: int = 0,
    capture_to: str = "",
    tags: Mapping[str, str] | None = None,
) -> Creation:
    """What making the endpoint takes; reads, changes nothing.

    Args:
        role: The execution role of models that have to be made and bring none.
        capture: Per cent of the requests that are captured, with their answers; 0: none.
        capture_to: The S3 prefix they are captured to.

    Raises:
        Problem: A source is no model and no training job with a model, or the weights give nobody traffic.
    """
    names = [item.name for item in variants]
    twice = next((item for item in names if names.count(item) > 1), "")
    if twice:
        raise Problem(f"Variant {twice} comes twice.", "Give each variant a name of its own.", "variants")
    total = sum(item.weight for item in variants)
    if not total > 0:
        raise Problem("No variant would get traffic: the weights are all 0.", "Give one a weight.", "weights")
    sources = [_source(gateway, item.source) for item in variants]
    models = {found.model: _with_role(found.document, role) for found in sources if found.document}
    tagged = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}
    captured = {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": capture,
            "DestinationS3Uri": capture_to,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        }
    }
    return Creation(
        name=name,
        variants=tuple(variants),
        models=tuple(models.values()),
        configuration={
            "EndpointConfigName": name,
            "ProductionVariants": [
                {
                    "VariantName": item.name,
                    "ModelName": found.model,
                    "InstanceType": item.instance_type,
                    "InitialInstanceCount": item.instances,
                    "InitialVariantWeight": item.weight,
                }
                for item, found in zip(variants, sources, strict=True)
            ],
            **(captured if capture else {}),
            **tagged,
        },
        endpoint={"EndpointName": name, "EndpointConfigName": name, **tagged},
        shares={item.name: item.weight / total for item in variants},
    )


def create(rollouts: Rollouts, planned: Creation) -> tuple[str, ...]:
    """Make models, configuration and endpoint; returns while it is being created. Says what was made.

    Raises:
        Problem: SageMaker refuses something; what was made before it is deleted again.
    """
    made: list[str] = []
    models: list[str] = []
    configured = False
    try:
        for document in planned.models:
            if rollouts.model_exists(document["ModelName"]):
                continue
            rollouts.make_model(document)
            models.append(document["ModelName"])
            made.append(f"Made model {document['ModelName']}.")
        rollouts.make_configuration(planned.configuration)
        configured = True
        made.append(f"Made endpoint configuration {planned.name}.")
        rollouts.make_endpoint(planned.endpoint)
    except Problem:
        if configured:
            rollouts.delete_configuration(planned.name)
        for name in models:
            rollouts.delete_model(name)
        raise
    return (*made, f"Endpoint {planned.name} is being created.")


def _source(gateway: Gateway, given: str) -> Source:
    found = model_source(gateway, given)
    if found is None:
        raise Problem(
            f"{given} is none of: model, training job.",
            "`mlconsole jobs ls --status completed` lists training jobs with a model.",
            "source",
        )
    return found


def _with_role(document: Mapping[str, Any], role: str) -> dict[str, Any]:
    return {"ExecutionRoleArn": role, **document}
