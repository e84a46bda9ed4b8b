"""Integrations of methods, and how their answers become responses."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.gateways import checks, patching, record
from engine.gateways.integrations import DEFAULT_MS
from engine.gateways.record import Document, missing, refused
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]
_TOLD = (
    "uri",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "contentHandling",
    "cacheKeyParameters",
    "tlsConfig",
)
_FIELDS = (
    patching.one("uri"),
    patching.one("httpMethod"),
    patching.one("credentials", operations=("replace", "remove")),
    patching.one("passthroughBehavior"),
    patching.one("timeoutInMillis", patching.integer),
    patching.one("contentHandling", operations=("replace", "remove")),
    patching.one("cacheNamespace"),
    patching.one("connectionType"),
    patching.entries("requestParameters"),
    patching.entries("requestTemplates"),
)
_RESPONSE_FIELDS = (
    patching.one("selectionPattern", operations=("replace", "remove")),
    patching.one("contentHandling", operations=("replace", "remove")),
    patching.entries("responseParameters"),
    patching.entries("responseTemplates"),
)


@operation("apigateway", "PutIntegration")
async def put_integration(engine: Engine, request: Request, params: Params) -> Params:
    """Put something behind a method, in place of what was there."""
    integration: Params = {
        "type": params["type"],
        "passthroughBehavior": params.get("passthroughBehavior") or "WHEN_NO_MATCH",
        "timeoutInMillis": params.get("timeoutInMillis") or DEFAULT_MS,
        "cacheNamespace": params.get("cacheNamespace") or params["resourceId"],
        "cacheKeyParameters": [],
        **{name: params[name] for name in _TOLD if params.get(name)},
    }
    if params.get("connectionType") == "VPC_LINK":
        raise refused("connectionType VPC_LINK: this engine has no VPC links; use INTERNET.")
    if params.get("responseTransferMode") == "STREAM":
        raise refused("responseTransferMode STREAM: this engine answers with whole bodies; use BUFFERED.")
    if params["type"] in ("HTTP", "HTTP_PROXY"):
        integration["connectionType"] = "INTERNET"
    if params.get("integrationHttpMethod"):
        integration["httpMethod"] = params["integrationHttpMethod"].upper()
    checks.integration(integration)

    def alter(document: Document) -> None:
        method = record.method(document, params["resourceId"], params["httpMethod"])
        method["methodIntegration"] = integration

    record.change(engine, params["restApiId"], alter)
    return integration


@operation("apigateway", "GetIntegration")
async def get_integration(engine: Engine, request: Request, params: Params) -> Params:
    """What stands behind a method."""
    document = record.api(engine, params["restApiId"]).document
    return record.integration(document, params["resourceId"], params["httpMethod"])


@operation("apigateway", "UpdateIntegration")
async def update_integration(engine: Engine, request: Request, params: Params) -> Params:
    """Change an integration."""

    def alter(document: Document) -> None:
        found = record.integration(document, params["resourceId"], params["httpMethod"])
        patching.apply(found, params.get("patchOperations") or [], _FIELDS)
        checks.integration(found)

    document = record.change(engine, params["restApiId"], alter)
    return record.integration(document, params["resourceId"], params["httpMethod"])


@operation("apigateway", "DeleteIntegration")
async def delete_integration(engine: Engine, request: Request, params: Params) -> Params:
    """Put nothing behind a method."""

    def alter(document: Document) -> None:
        record.integration(document, params["resourceId"], params["httpMethod"])
        del record.method(document, params["resourceId"], params["httpMethod"])["methodIntegration"]

    record.change(engine, params["restApiId"], alter)
    return {}


@operation("apigateway", "PutIntegrationResponse")
async def put_integration_response(engine: Engine, request: Request, params: Params) -> Params:
    """How the integration's answer becomes the method's response of a status."""
    response = {
        "statusCode": params["statusCode"],
        **{
            name: params[name]
            for name in ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling")
            if params.get(name) is not None
        },
    }

    def alter(document: Document) -> None:
        found = record.integration(document, params["resourceId"], params["httpMethod"])
        checks.response(record.method(document, params["resourceId"], params["httpMethod"]), response)
        found.setdefault("integrationResponses", {})[params["statusCode"]] = response

    record.change(engine, params["restApiId"], alter)
    return response


@operation("apigateway", "GetIntegrationResponse")
async def get_integration_response(engine: Engine, request: Request, params: Params) -> Params:
    """One integration response."""
    return _response(record.api(engine, params["restApiId"]).document, params)


@operation("apigateway", "UpdateIntegrationResponse")
async def update_integration_response(engine: Engine, request: Request, params: Params) -> Params:
    """Change an integration response."""

    def alter(document: Document) -> None:
        found = _response(document, params)
        patching.apply(found, params.get("patchOperations") or [], _RESPONSE_FIELDS)
        checks.response(record.method(document, params["resourceId"], params["httpMethod"]), found)

    return _response(record.change(engine, params["restApiId"], alter), params)


@operation("apigateway", "DeleteIntegrationResponse")
async def delete_integration_response(engine: Engine, request: Request, params: Params) -> Params:
    """Take an integration response away."""

    def alter(document: Document) -> None:
        _response(document, params)
        found = record.integration(document, params["resourceId"], params["httpMethod"])
        del found["integrationResponses"][params["statusCode"]]

    record.change(engine, params["restApiId"], alter)
    return {}


def _response(document: Document, params: Params) -> Params:
    found: Params | None = (
        record.integration(document, params["resourceId"], params["httpMethod"])
        .get("integrationResponses", {})
        .get(params["statusCode"])
    )
    if found is None:
        raise missing("Invalid Response status code specified")
    return found
