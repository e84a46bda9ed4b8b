"""Models and endpoints through boto3."""

from __future__ import annotations

from typing import Any

from workflows.interfaces.base import EndpointRequest, ModelRequest

VARIANT = "AllTraffic"


def make_model(sagemaker: Any, request: ModelRequest) -> None:
    """Make a model.

    Args:
        sagemaker: A boto3 client, or one that passes calls on.
        request: Its role must be set.
    """
    sagemaker.create_model(**model_document(request))


def model_document(request: ModelRequest) -> dict[str, Any]:
    """What CreateModel is asked for; without a role where the request has none."""
    role = {"ExecutionRoleArn": request.role} if request.role else {}
    return {
        "ModelName": request.name,
        **role,
        "PrimaryContainer": {
            "Image": request.image,
            "ModelDataUrl": request.model_uri,
            "Environment": request.environment,
        },
        "Tags": tags(request.tags),
    }


def deploy(sagemaker: Any, request: EndpointRequest) -> None:
    """Make model, endpoint configuration and endpoint; returns while the endpoint is being created."""
    make_model(sagemaker, request)
    sagemaker.create_endpoint_config(
        EndpointConfigName=request.name,
        ProductionVariants=[
            {
                "VariantName": VARIANT,
                "ModelName": request.name,
                "InstanceType": request.instance_type,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
        Tags=tags(request.tags),
    )
    sagemaker.create_endpoint(
        EndpointName=request.name, EndpointConfigName=request.name, Tags=tags(request.tags)
    )


def tags(found: dict[str, str]) -> list[dict[str, str]]:
    """Tags as the API writes them."""
    return [{"Key": key, "Value": value} for key, value in found.items()]
