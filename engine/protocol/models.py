"""The services on the engine's port, and botocore's models of them, loaded when first used."""

from __future__ import annotations

import functools
import gc
from typing import Any, NamedTuple


class Service(NamedTuple):
    """What must be known of a service before its model is loaded.

    ``scope`` is the name in a signature's credential scope, ``wire`` the protocol that its model resolves to, ``target`` the prefix
    of X-Amz-Target, ``version`` the Version of query requests, ``invalid`` the error code of failed validation,
    ``limit`` the largest body in bytes that is read into memory.
    """

    name: str
    scope: str
    wire: str
    target: str = ""
    json_version: str = "1.1"
    version: str = ""
    invalid: str = "ValidationException"
    limit: int = 10 * 2**20
    query_errors: bool = False


# Twice what an invocation may hold: the operation itself refuses the rest with its own error.
INVOCATION_LIMIT = 12 * 2**20

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service("sagemaker", "sagemaker", "json", "SageMaker"),
        Service(
            "sagemaker-runtime", "sagemaker", "rest-json", invalid="ValidationError", limit=INVOCATION_LIMIT
        ),
        Service("sagemaker-metrics", "sagemaker", "rest-json", invalid="ValidationError"),
        Service("s3", "s3", "rest-xml", invalid="InvalidArgument"),
        Service("logs", "logs", "json", "Logs_20140328", invalid="InvalidParameterException"),
        Service(
            "cloudwatch",
            "monitoring",
            "json",
            "GraniteServiceVersion20100801",
            "1.0",
            "2010-08-01",
            "ValidationError",
            query_errors=True,
        ),
        Service("sts", "sts", "query", version="2011-06-15", invalid="ValidationError"),
        Service("iam", "iam", "query", version="2010-05-08", invalid="ValidationError"),
        Service("lambda", "lambda", "rest-json", limit=70_167_211),
        Service("apigateway", "apigateway", "rest-json", invalid="BadRequestException"),
        Service("apigatewayv2", "apigateway", "rest-json", invalid="BadRequestException"),
        Service(
            "ecr", "ecr", "json", "AmazonEC2ContainerRegistry_V20150921", invalid="InvalidParameterException"
        ),
        Service("application-autoscaling", "application-autoscaling", "json", "AnyScaleFrontendService"),
    )
}

CONTROL = Service("engine", "mlconsole", "rest-json")
"""The engine's own reset: no AWS service, but signed like one."""

TARGETS = {service.target: service for service in SERVICES.values() if service.target}
VERSIONS = {service.version: service for service in SERVICES.values() if service.version}
SCOPES: dict[str, tuple[Service, ...]] = {}
for _service in SERVICES.values():
    SCOPES[_service.scope] = (*SCOPES.get(_service.scope, ()), _service)


def _strip(node: Any) -> None:
    """Drop the documentation from a service description: two thirds of its memory, and nothing reads it."""
    if isinstance(node, dict):
        if isinstance(node.get("documentation"), str):
            del node["documentation"]
        for value in node.values():
            _strip(value)


@functools.cache
def description(service: str) -> dict[str, Any]:
    """The service's description as botocore ships it, without documentation and examples."""
    import botocore.loaders

    loaded: dict[str, Any] = botocore.loaders.Loader().load_service_model(service, "service-2")
    _strip(loaded)
    # A description lives as long as the process: half a million objects that the collector need not visit again and again.
    gc.freeze()
    return loaded


@functools.cache
def model(service: str) -> Any:
    """botocore's ``ServiceModel`` of the service."""
    import botocore.model

    return botocore.model.ServiceModel(description(service), service)


@functools.cache
def operation(service: str, name: str) -> Any | None:
    """botocore's ``OperationModel``, or None when the service has no such operation."""
    if name not in description(service)["operations"]:
        return None
    return model(service).operation_model(name)


class Fault(NamedTuple):
    """A modelled exception: its shape's name, its code on the wire, HTTP status and the name of its message member."""

    shape: str
    code: str
    status: int
    message: str


@functools.cache
def faults(service: str) -> dict[str, Fault]:
    """The service's modelled exceptions by shape name and by code."""
    found: dict[str, Fault] = {}
    for name, shape in description(service)["shapes"].items():
        if not shape.get("exception"):
            continue
        error = shape.get("error", {})
        status = error.get("httpStatusCode", 500 if shape.get("fault") else 400)
        members = shape.get("members", {})
        message = next((member for member in members if member.lower() == "message"), "message")
        fault = Fault(name, error.get("code", name), status, message)
        found[name] = fault
        found.setdefault(fault.code, fault)
    return found
