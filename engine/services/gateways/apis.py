"""REST APIs: created, read, listed, changed, deleted."""

from __future__ import annotations

import copy
from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
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
    endpoint = params.get("endpointConfiguration") or {"types": ["EDGE"]}
    if "PRIVATE" in endpoint.get("types", ()):
        raise refused("endpointConfiguration: this engine has no VPC; use REGIONAL or EDGE.")
    api_id, root = record.new_id(), record.new_id()
    api = {
        "id": api_id,
        "name": params["name"],
        "createdDate": int(engine.clock.time()),
        "apiKeySource": params.get("apiKeySource") or "HEADER",
        "endpointConfiguration": {"ipAddressType": "ipv4", **endpoint},
        "disableExecuteApiEndpoint": bool(params.get("disableExecuteApiEndpoint")),
        **{name: params[name] for name in _TOLD if params.get(name) not in (None, {}, [])},
        "rootResourceId": root,
    }
    _check(api)
    document: Document = {
        "Api": api,
        "Resources": {root: {"id": root, "path": "/"}},
        "Responses": {},
    }
    if params.get("cloneFrom"):
        document |= _cloned(record.api(engine, params["cloneFrom"]).document, api)
    record.create(engine, API, api_id, document, taken="An API with this identifier already exists")
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
    """The source's resources with the new API's root, and its gateway responses."""
    old = source["Api"]["rootResourceId"]
    ids = {one: record.new_id(6) for one in source["Resources"]} | {old: api["rootResourceId"]}
    resources = {}
    for resource in copy.deepcopy(source["Resources"]).values():
        resource["id"] = ids[resource["id"]]
        if "parentId" in resource:
            resource["parentId"] = ids[resource["parentId"]]
        resources[resource["id"]] = resource
    return {"Resources": resources, "Responses": copy.deepcopy(source["Responses"])}
