"""Methods of resources, and the responses they declare."""

from __future__ import annotations

import re
from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
from engine.gateways.record import Document, conflict, missing, refused
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]
_VERBS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_AUTHORISATIONS = ("NONE", "AWS_IAM")
_REQUEST = re.compile(
    r"method\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\..+"
)
_RESPONSE = re.compile(r"method\.response\.(header|multivalueheader)\.[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = re.compile(r"[1-5]\d\d")
_TOLD = ("operationName", "requestParameters", "requestModels", "requestValidatorId")


def _authorisation(told: str) -> str:
    if told not in _AUTHORISATIONS:
        if told in ("CUSTOM", "COGNITO_USER_POOLS"):
            raise refused(f"authorizationType {told}: this engine has no authorizers; use NONE or AWS_IAM.")
        raise refused(
            "Invalid authorization type specified. Setting the authorization type requires one of: NONE, AWS_IAM"
        )
    return told


_FIELDS = (
    patching.one("authorizationType", _authorisation),
    patching.one("apiKeyRequired", patching.boolean),
    patching.one("operationName"),
    patching.one("requestValidatorId", operations=("replace", "remove")),
    patching.entries("requestParameters", patching.boolean),
    patching.entries("requestModels"),
)
_RESPONSE_FIELDS = (
    patching.entries("responseParameters", patching.boolean),
    patching.entries("responseModels"),
)


@operation("apigateway", "PutMethod")
async def put_method(engine: Engine, request: Request, params: Params) -> Params:
    """Add a method to a resource."""
    verb = params["httpMethod"].upper()
    if verb not in _VERBS:
        raise refused(f"Invalid HTTP method specified. Must be one of: [{', '.join(_VERBS)}]")
    _parameters(params.get("requestParameters"), _REQUEST)
    method = {
        "httpMethod": verb,
        "authorizationType": _authorisation(params["authorizationType"]),
        "apiKeyRequired": bool(params.get("apiKeyRequired")),
        **{name: params[name] for name in _TOLD if params.get(name)},
    }

    def alter(document: Document) -> None:
        if params.get("requestValidatorId"):
            record.validator(document, params["requestValidatorId"])
        methods = record.resource(document, params["resourceId"]).setdefault("resourceMethods", {})
        if verb in methods:
            raise conflict("Method already exists for this resource")
        methods[verb] = method

    record.change(engine, params["restApiId"], alter)
    return method


@operation("apigateway", "GetMethod")
async def get_method(engine: Engine, request: Request, params: Params) -> Params:
    """One method with its integration and its responses."""
    document = record.api(engine, params["restApiId"]).document
    return record.method(document, params["resourceId"], params["httpMethod"])


@operation("apigateway", "UpdateMethod")
async def update_method(engine: Engine, request: Request, params: Params) -> Params:
    """Change a method."""

    def alter(document: Document) -> None:
        found = record.method(document, params["resourceId"], params["httpMethod"])
        patching.apply(found, params.get("patchOperations") or [], _FIELDS)
        _parameters(found.get("requestParameters"), _REQUEST)
        if found.get("requestValidatorId"):
            record.validator(document, found["requestValidatorId"])

    document = record.change(engine, params["restApiId"], alter)
    return record.method(document, params["resourceId"], params["httpMethod"])


@operation("apigateway", "DeleteMethod")
async def delete_method(engine: Engine, request: Request, params: Params) -> Params:
    """Take a method from its resource."""

    def alter(document: Document) -> None:
        found = record.method(document, params["resourceId"], params["httpMethod"])
        del record.resource(document, params["resourceId"])["resourceMethods"][found["httpMethod"]]

    record.change(engine, params["restApiId"], alter)
    return {}


@operation("apigateway", "PutMethodResponse")
async def put_method_response(engine: Engine, request: Request, params: Params) -> Params:
    """Declare a status with the headers that an integration may set."""
    _parameters(params.get("responseParameters"), _RESPONSE)
    status = _status(params)
    response = {
        "statusCode": status,
        **{name: params[name] for name in ("responseParameters", "responseModels") if params.get(name)},
    }

    def alter(document: Document) -> None:
        found = record.method(document, params["resourceId"], params["httpMethod"])
        responses = found.setdefault("methodResponses", {})
        if status in responses:
            raise conflict("Response already exists for this resource")
        responses[status] = response

    record.change(engine, params["restApiId"], alter)
    return response


@operation("apigateway", "GetMethodResponse")
async def get_method_response(engine: Engine, request: Request, params: Params) -> Params:
    """One declared response."""
    return _response(record.api(engine, params["restApiId"]).document, params)


@operation("apigateway", "UpdateMethodResponse")
async def update_method_response(engine: Engine, request: Request, params: Params) -> Params:
    """Change a declared response."""

    def alter(document: Document) -> None:
        found = _response(document, params)
        patching.apply(found, params.get("patchOperations") or [], _RESPONSE_FIELDS)
        _parameters(found.get("responseParameters"), _RESPONSE)

    return _response(record.change(engine, params["restApiId"], alter), params)


@operation("apigateway", "DeleteMethodResponse")
async def delete_method_response(engine: Engine, request: Request, params: Params) -> Params:
    """Take a declared response away."""

    def alter(document: Document) -> None:
        _response(document, params)
        found = record.method(document, params["resourceId"], params["httpMethod"])
        del found["methodResponses"][params["statusCode"]]

    record.change(engine, params["restApiId"], alter)
    return {}


def _response(document: Document, params: Params) -> Params:
    method = record.method(document, params["resourceId"], params["httpMethod"])
    found: Params | None = method.get("methodResponses", {}).get(params["statusCode"])
    if found is None:
        raise missing("Invalid Response status code specified")
    return found


def _status(params: Params) -> str:
    status: str = params["statusCode"]
    if _STATUS.fullmatch(status) is None:
        raise refused(f"Invalid response status code specified: {status}")
    return status


def _parameters(told: Params | None, pattern: re.Pattern[str]) -> None:
    wrong = [name for name in told or {} if pattern.fullmatch(name) is None]
    if wrong:
        raise refused(
            f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression "
            f"parameter specified: {', '.join(wrong)}]"
        )
