"""Integrations of methods, and how their answers become responses."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from engine.context import Engine
from engine.gateways import mapping, patching, record, templates
from engine.gateways.integrations import DEFAULT_MS, LAMBDA_URI
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
_BEHAVIOURS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_TARGET = re.compile(
    r"integration\.request\.(path|querystring|header|multivaluequerystring|multivalueheader)\..+"
)
_SHORTEST_MS = 50
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
    _check(integration)

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
        _check(found)

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
        _check_response(record.method(document, params["resourceId"], params["httpMethod"]), response)
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
        _check_response(record.method(document, params["resourceId"], params["httpMethod"]), found)

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


def _check(integration: Params) -> None:
    kind, uri = integration["type"], integration.get("uri", "")
    if kind != "MOCK" and not integration.get("httpMethod"):
        raise refused("Enumeration value for HttpMethod must be non-empty")
    if kind in ("AWS", "AWS_PROXY"):
        _check_lambda(integration, uri)
    elif kind in ("HTTP", "HTTP_PROXY"):
        filled = re.sub(r"\$\{stageVariables\.[^}]+\}|\{[^}]+\}", "x", uri)
        parts = urlsplit(filled)
        if (parts.scheme not in ("http", "https") and not uri.startswith("${")) or (
            not parts.netloc and not uri.startswith("${")
        ):
            raise refused("Invalid HTTP endpoint specified for URI")
    if integration["passthroughBehavior"].upper() not in _BEHAVIOURS:
        raise refused(f"Invalid passthrough behavior specified. Must be one of: [{', '.join(_BEHAVIOURS)}]")
    if not _SHORTEST_MS <= integration["timeoutInMillis"] <= DEFAULT_MS:
        raise refused(f"Timeout should be between {_SHORTEST_MS} ms and {DEFAULT_MS} ms")
    templates.check(integration.get("requestTemplates"))
    for name, expression in (integration.get("requestParameters") or {}).items():
        if _TARGET.fullmatch(name) is None or not mapping.known(expression, "method.request"):
            raise _bad_mapping(f"{name}: {expression}")


def _check_lambda(integration: Params, uri: str) -> None:
    if not uri.startswith("arn:"):
        raise refused("Invalid ARN specified in the request")
    if LAMBDA_URI.fullmatch(uri) is None:
        service = uri.split(":")[4] if uri.count(":") > 4 else uri
        raise refused(
            f"Integrations of type {integration['type']} invoke Lambda functions in this engine, not {service}. AWS ARN for "
            "integration must contain path: arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations"
        )
    if integration["type"] == "AWS_PROXY" and integration["httpMethod"] not in ("POST", "ANY"):
        # AWS accepts other methods and then fails every request; so does this engine's Lambda: only POST invokes.
        raise refused("A Lambda proxy integration is invoked by POST: set integrationHttpMethod to POST")


def _check_response(method: Params, response: Params) -> None:
    declared = method.get("methodResponses", {}).get(response["statusCode"])
    if declared is None:
        raise missing("Invalid Response status code specified")
    templates.check(response.get("responseTemplates"))
    for name, expression in (response.get("responseParameters") or {}).items():
        if name not in (declared.get("responseParameters") or {}):
            raise _bad_mapping(name)
        if not mapping.known(expression, "integration.response"):
            raise _bad_mapping(expression)
    pattern = response.get("selectionPattern")
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            raise refused(f"Invalid selection pattern specified: {pattern}") from error


def _bad_mapping(what: str) -> Exception:
    return refused(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter "
        f"specified: {what}]"
    )
