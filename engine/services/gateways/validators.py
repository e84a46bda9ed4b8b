"""Request validators: whether requests without required parameters reach an integration."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
from engine.gateways.record import Document, refused
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.paging import page

Params = dict[str, Any]


def _body(told: str) -> bool:
    return _refuse_body(patching.boolean(told))


_FIELDS = (
    patching.one("name"),
    patching.one("validateRequestParameters", patching.boolean),
    patching.one("validateRequestBody", _body),
)


@operation("apigateway", "CreateRequestValidator")
async def create_request_validator(engine: Engine, request: Request, params: Params) -> Params:
    """A validator for the API's methods."""
    validator = {
        "id": record.new_id(6),
        "name": params.get("name") or "",
        "validateRequestBody": _refuse_body(bool(params.get("validateRequestBody"))),
        "validateRequestParameters": bool(params.get("validateRequestParameters")),
    }

    def alter(document: Document) -> None:
        document.setdefault("Validators", {})[validator["id"]] = validator

    record.change(engine, params["restApiId"], alter)
    return validator


@operation("apigateway", "GetRequestValidator")
async def get_request_validator(engine: Engine, request: Request, params: Params) -> Params:
    """One validator."""
    document = record.api(engine, params["restApiId"]).document
    return record.validator(document, params["requestValidatorId"])


@operation("apigateway", "GetRequestValidators")
async def get_request_validators(engine: Engine, request: Request, params: Params) -> Params:
    """An API's validators by id."""
    document = record.api(engine, params["restApiId"]).document
    return page(engine, request, params, list(document.get("Validators", {}).items()))


@operation("apigateway", "UpdateRequestValidator")
async def update_request_validator(engine: Engine, request: Request, params: Params) -> Params:
    """Change a validator; it counts from the next deployment."""

    def alter(document: Document) -> None:
        found = record.validator(document, params["requestValidatorId"])
        patching.apply(found, params.get("patchOperations") or [], _FIELDS)

    document = record.change(engine, params["restApiId"], alter)
    return record.validator(document, params["requestValidatorId"])


@operation("apigateway", "DeleteRequestValidator")
async def delete_request_validator(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a validator that no method has."""

    def alter(document: Document) -> None:
        found = record.validator(document, params["requestValidatorId"])
        for resource in document["Resources"].values():
            for method in resource.get("resourceMethods", {}).values():
                if method.get("requestValidatorId") == found["id"]:
                    raise refused(
                        f"Cannot delete request validator '{found['name']}', it is referenced by the method "
                        f"{method['httpMethod']} of {resource['path']}"
                    )
        del document["Validators"][found["id"]]

    record.change(engine, params["restApiId"], alter)
    return {}


def _refuse_body(told: bool) -> bool:
    if told:
        raise refused(
            "validateRequestBody: this engine does not validate bodies by models; validate in the function."
        )
    return False
