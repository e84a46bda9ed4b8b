"""REST APIs: created, read, listed, changed, deleted."""

from __future__ import annotations

import copy
from typing import Any

from engine.context import Engine
from engine.gateways import openapi, patching, record
from engine.gateways.record import API, Document, refused
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.paging import page

Params = dict[str, Any]
_LARGEST_COMPRESSION = 10 * 2**20
_TOLD = ("description", "version", "binaryMediaTypes", "minimumCompressionSize", "tags")
_FIELDS = (
    patching.one("name"),
    patching.one("description", operations=("replace", "remove")),
    patching.one("version"),
    patching.one("apiKeySource"),
    patching.members("binaryMediaTypes"),
    patching.one("minimumCompressionSize", patching.integer, ("replace", "remove")),
    patching.one("disableExecuteApiEndpoint", patching.boolean),
    patching.Field(
        "/endpointConfiguration/types/{}",
        ("replace",),
        lambda document, names, operation, value: _set_type(document, value),
    ),
)


@operation("apigateway", "CreateRestApi")
async def create_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """A new API with its root resource, or a copy of another one's resources."""
    if not params["name"].strip():
        raise refused("API Name cannot be empty")
    if params.get("policy"):
        raise refused(
            "policy: this engine does not evaluate resource policies of APIs. Use authorizationType AWS_IAM on the methods."
        )
    if "PRIVATE" in (params.get("endpointConfiguration") or {}).get("types", ()):
        raise refused("endpointConfiguration: this engine has no VPC; use REGIONAL or EDGE.")
    document = _new(engine, params)
    api: Params = document["Api"]
    _check(api)
    if params.get("cloneFrom"):
        document |= _cloned(record.api(engine, params["cloneFrom"]).document, api)
    record.create(engine, API, api["id"], document, taken="An API with this identifier already exists")
    return api


@operation("apigateway", "GetRestApi")
async def get_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """One API."""
    found: Params = record.api(engine, params["restApiId"]).document["Api"]
    return found


@operation("apigateway", "GetRestApis")
async def get_rest_apis(engine: Engine, request: Request, params: Params) -> Params:
    """All APIs, by id."""
    rows = engine.store.select(API, sort_by="name", shared=True)
    return page(engine, request, params, [(row.name, row.document["Api"]) for row in rows])


@operation("apigateway", "UpdateRestApi")
async def update_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """Change an API; what concerns requests counts from its next deployment."""

    def alter(document: Document) -> None:
        patching.apply(document["Api"], params.get("patchOperations") or [], _FIELDS)
        _check(document["Api"])

    changed: Params = record.change(engine, params["restApiId"], alter)["Api"]
    return changed


@operation("apigateway", "DeleteRestApi")
async def delete_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """Delete an API with its deployments and stages."""
    record.api(engine, params["restApiId"])
    record.delete(engine, params["restApiId"])
    engine.gateways.forget(params["restApiId"])
    return {}


@operation("apigateway", "GetAccount")
async def get_account(engine: Engine, request: Request, params: Params) -> Params:
    """The account's limits."""
    from engine.gateways.throttling import ACCOUNT_BURST, ACCOUNT_RATE

    return {
        "throttleSettings": {"burstLimit": ACCOUNT_BURST, "rateLimit": ACCOUNT_RATE},
        "features": [],
        "apiKeyVersion": "4",
    }


@operation("apigateway", "ImportRestApi")
async def import_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """A new API from an OpenAPI document."""
    source = openapi.read(params["body"])
    document = _new(engine, {"name": openapi.title(source)})
    _fill(document, source, params, overwrite=True)
    api: Params = document["Api"]
    record.create(engine, API, api["id"], document, taken="An API with this identifier already exists")
    return api


@operation("apigateway", "PutRestApi")
async def put_rest_api(engine: Engine, request: Request, params: Params) -> Params:
    """An OpenAPI document into an API: added to it, or with ``mode=overwrite`` in place of it."""
    source = openapi.read(params["body"])

    def alter(document: Document) -> None:
        _fill(document, source, params, overwrite=params.get("mode") == "overwrite")

    changed: Params = record.change(engine, params["restApiId"], alter)["Api"]
    return changed


def _fill(document: Document, source: Document, params: Params, *, overwrite: bool) -> None:
    warnings = openapi.apply(document, source, overwrite=overwrite)
    if warnings and params.get("failOnWarnings"):
        raise refused(f"Warnings found during import: {'; '.join(warnings)}")
    document["Api"] = {name: value for name, value in document["Api"].items() if name != "warnings"}
    document["Api"] |= {"warnings": warnings} if warnings else {}


def _new(engine: Engine, params: Params) -> Document:
    """An API with its root resource."""
    root = record.new_id()
    endpoint = params.get("endpointConfiguration") or {"types": ["EDGE"]}
    api = {
        "id": record.new_id(),
        "name": params["name"],
        "createdDate": int(engine.clock.time()),
        "apiKeySource": params.get("apiKeySource") or "HEADER",
        "endpointConfiguration": {"ipAddressType": "ipv4", **endpoint},
        "disableExecuteApiEndpoint": bool(params.get("disableExecuteApiEndpoint")),
        **{name: params[name] for name in _TOLD if params.get(name) not in (None, {}, [])},
        "rootResourceId": root,
    }
    return {"Api": api, "Resources": {root: {"id": root, "path": "/"}}, "Responses": {}}


def _check(api: Params) -> None:
    size = api.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= _LARGEST_COMPRESSION:
        raise refused("Invalid minimum compression size, must be between 0 and 10485760")
    if api["apiKeySource"] not in ("HEADER", "AUTHORIZER"):
        raise refused(f"Invalid API key source {api['apiKeySource']}: use HEADER or AUTHORIZER")


def _set_type(document: Document, value: str | None) -> None:
    if value not in ("EDGE", "REGIONAL"):
        raise refused(f"Invalid endpoint type {value}: use REGIONAL or EDGE")
    document["endpointConfiguration"]["types"] = [value]


def _cloned(source: Document, api: Params) -> Document:
    """The source's resources with the new API's root, its gateway responses and its validators."""
    old = source["Api"]["rootResourceId"]
    ids = {one: record.new_id(6) for one in source["Resources"]} | {old: api["rootResourceId"]}
    resources = {}
    for resource in copy.deepcopy(source["Resources"]).values():
        resource["id"] = ids[resource["id"]]
        if "parentId" in resource:
            resource["parentId"] = ids[resource["parentId"]]
        resources[resource["id"]] = resource
    kept: Document = {
        name: copy.deepcopy(source[name]) for name in ("Responses", "Validators") if name in source
    }
    return {"Resources": resources, **kept}
