"""Gateway responses: what API Gateway answers by itself, customised per API."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.gateways import checks, patching, record
from engine.gateways.answers import STATUSES, described
from engine.gateways.record import Document, missing, refused
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]
_FIELDS = (
    patching.one("statusCode"),
    patching.entries("responseParameters"),
    patching.entries("responseTemplates"),
)


@operation("apigateway", "PutGatewayResponse")
async def put_gateway_response(engine: Engine, request: Request, params: Params) -> Params:
    """Customise an answer; it counts from the next deployment."""
    kind = _kind(params)
    custom = {
        name: params[name]
        for name in ("statusCode", "responseParameters", "responseTemplates")
        if params.get(name)
    }
    checks.gateway_response(custom)

    def alter(document: Document) -> None:
        document["Responses"][kind] = custom

    document = record.change(engine, params["restApiId"], alter)
    return described(kind, document["Responses"])


@operation("apigateway", "GetGatewayResponse")
async def get_gateway_response(engine: Engine, request: Request, params: Params) -> Params:
    """One answer, as it is or customised."""
    return described(_kind(params), record.api(engine, params["restApiId"]).document["Responses"])


@operation("apigateway", "GetGatewayResponses")
async def get_gateway_responses(engine: Engine, request: Request, params: Params) -> Params:
    """All answers."""
    custom = record.api(engine, params["restApiId"]).document["Responses"]
    return {"items": [described(kind, custom) for kind in STATUSES]}


@operation("apigateway", "UpdateGatewayResponse")
async def update_gateway_response(engine: Engine, request: Request, params: Params) -> Params:
    """Change an answer."""
    kind = _kind(params)

    def alter(document: Document) -> None:
        shown = described(kind, document["Responses"])
        custom = {
            name: dict(shown[name]) if isinstance(shown.get(name), dict) else shown.get(name)
            for name in ("statusCode", "responseParameters", "responseTemplates")
            if shown.get(name)
        }
        patching.apply(custom, params.get("patchOperations") or [], _FIELDS)
        checks.gateway_response(custom)
        document["Responses"][kind] = custom

    document = record.change(engine, params["restApiId"], alter)
    return described(kind, document["Responses"])


@operation("apigateway", "DeleteGatewayResponse")
async def delete_gateway_response(engine: Engine, request: Request, params: Params) -> Params:
    """Answer as API Gateway does by itself."""
    kind = _kind(params)

    def alter(document: Document) -> None:
        if document["Responses"].pop(kind, None) is None:
            raise missing("Gateway response type not defined on api")

    record.change(engine, params["restApiId"], alter)
    return {}


def _kind(params: Params) -> str:
    kind: str = params["responseType"]
    if kind not in STATUSES:
        raise refused(f"Invalid gateway response type specified: {kind}")
    return kind
