"""Resources: the tree of an API's paths."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.gateways import checks, patching, record
from engine.gateways.record import Document, refused
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.paging import page

Params = dict[str, Any]
_MOST = 300


@operation("apigateway", "CreateResource")
async def create_resource(engine: Engine, request: Request, params: Params) -> Params:
    """A child of a resource."""
    part, created = params["pathPart"], {"id": record.new_id(6)}

    def alter(document: Document) -> None:
        parent = record.resource(document, params["parentId"])
        checks.path_part(document, parent, part)
        if len(document["Resources"]) >= _MOST:
            raise refused(f"Maximum number of resources for this API has been reached: {_MOST}")
        created.update(parentId=parent["id"], pathPart=part, path=_path(parent["path"], part))
        document["Resources"][created["id"]] = created

    record.change(engine, params["restApiId"], alter)
    return created


@operation("apigateway", "GetResource")
async def get_resource(engine: Engine, request: Request, params: Params) -> Params:
    """One resource; with ``embed=methods`` its methods and their integrations."""
    document = record.api(engine, params["restApiId"]).document
    return _shown(record.resource(document, params["resourceId"]), params)


@operation("apigateway", "GetResources")
async def get_resources(engine: Engine, request: Request, params: Params) -> Params:
    """All resources, by id."""
    document = record.api(engine, params["restApiId"]).document
    items = [(name, _shown(found, params)) for name, found in document["Resources"].items()]
    return page(engine, request, params, items)


@operation("apigateway", "UpdateResource")
async def update_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Rename a resource, or move it below another one."""

    def rename(found: Document, names: list[str], action: str, value: str | None) -> None:
        found["pathPart"] = value or ""

    def move(found: Document, names: list[str], action: str, value: str | None) -> None:
        found["parentId"] = value or ""

    fields = (
        patching.Field("/pathPart", ("replace",), rename),
        patching.Field("/parentId", ("replace",), move),
    )

    def alter(document: Document) -> None:
        found = record.resource(document, params["resourceId"])
        if "parentId" not in found:
            raise refused("Root resource cannot be updated")
        others = {**document, "Resources": {k: v for k, v in document["Resources"].items() if v is not found}}
        patching.apply(found, params.get("patchOperations") or [], fields)
        parent = record.resource(document, found["parentId"])
        if parent is found or parent["path"].startswith(f"{found['path']}/"):
            raise refused("A resource cannot be moved below itself")
        checks.path_part(others, parent, found["pathPart"])
        _repath(document, found, parent["path"])

    document = record.change(engine, params["restApiId"], alter)
    return _shown(record.resource(document, params["resourceId"]), params)


@operation("apigateway", "DeleteResource")
async def delete_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a resource and what is below it."""

    def alter(document: Document) -> None:
        found = record.resource(document, params["resourceId"])
        if "parentId" not in found:
            raise refused("Root resource cannot be deleted")
        doomed = {found["id"]}
        while (
            more := {one["id"] for one in document["Resources"].values() if one.get("parentId") in doomed}
            - doomed
        ):
            doomed |= more
        for one in doomed:
            del document["Resources"][one]

    record.change(engine, params["restApiId"], alter)
    return {}


def _shown(resource: Params, params: Params) -> Params:
    methods = resource.get("resourceMethods")
    if not methods:
        return {name: value for name, value in resource.items() if name != "resourceMethods"}
    whole = "methods" in (params.get("embed") or [])
    return {**resource, "resourceMethods": {name: one if whole else {} for name, one in methods.items()}}


def _path(parent: str, part: str) -> str:
    return f"{parent.rstrip('/')}/{part}"


def _repath(document: Document, resource: Params, parent: str) -> None:
    resource["path"] = _path(parent, resource["pathPart"])
    for one in document["Resources"].values():
        if one.get("parentId") == resource["id"]:
            _repath(document, one, resource["path"])
