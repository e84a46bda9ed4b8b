"""Layers: published in versions, listed, deleted. Functions that have a deleted version keep it."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.functions import names, record
from engine.functions.names import invalid, layer_arn, missing
from engine.functions.record import LAYER, LAYER_COUNT
from engine.http import Request
from engine.registry import operation
from engine.services.functions import code
from engine.services.functions.paging import page
from engine.store import Exists, Filter, Resource

Params = dict[str, Any]
_TOLD = ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")


@operation("lambda", "PublishLayerVersion")
async def publish_layer_version(engine: Engine, request: Request, params: Params) -> Params:
    """Keep a zip as the layer's next version."""
    name = names.layer(engine.settings, params["LayerName"]).name
    async with engine.functions.packaging:
        package = await code.kept(engine, params["Content"], "PublishLayerVersion")
        now = engine.clock.time()
        number = _next(engine, name)
        document = {
            "LayerArn": layer_arn(engine.settings, name),
            "LayerVersionArn": layer_arn(engine.settings, name, number),
            "Version": number,
            "CreatedDate": record.moment(now),
            "Description": "",
            **{key: params[key] for key in _TOLD if params.get(key)},
            "Content": {"CodeSha256": package.sha256, "CodeSize": package.size},
            "Package": package.digest,
            "Unpacked": package.unpacked,
        }
        engine.store.create(LAYER, record.layer_name(name, number), document, now=now, parent=name)
    return _whole(engine, document)


@operation("lambda", "GetLayerVersion")
async def get_layer_version(engine: Engine, request: Request, params: Params) -> Params:
    """One version of a layer, and where its zip can be fetched."""
    told = names.layer(engine.settings, params["LayerName"])
    return _whole(engine, record.layer(engine, told.name, params["VersionNumber"]).document)


@operation("lambda", "GetLayerVersionByArn")
async def get_layer_version_by_arn(engine: Engine, request: Request, params: Params) -> Params:
    """`get_layer_version` by the version's ARN."""
    told = names.layer(engine.settings, params["Arn"])
    if not told.version:
        raise invalid(f"{params['Arn']} is not the ARN of a layer's version.")
    return _whole(engine, record.layer(engine, told.name, told.version).document)


@operation("lambda", "ListLayerVersions")
async def list_layer_versions(engine: Engine, request: Request, params: Params) -> Params:
    """A layer's versions, the newest first."""
    name = names.layer(engine.settings, params["LayerName"]).name
    rows = _matching(engine.store.select(LAYER, [Filter("parent", "=", name)]), params)
    items = [(f"{10**10 - row.document['Version']:011d}", _brief(row.document)) for row in rows]
    return page(engine, request, params, items, "LayerVersions")


@operation("lambda", "ListLayers")
async def list_layers(engine: Engine, request: Request, params: Params) -> Params:
    """Layers by name, each with its newest version that matches."""
    newest: dict[str, Params] = {}
    for row in _matching(engine.store.select(LAYER, sort_by="name"), params):
        newest[row.parent] = row.document
    items = [
        (
            name,
            {
                "LayerName": name,
                "LayerArn": document["LayerArn"],
                "LatestMatchingVersion": _brief(document),
            },
        )
        for name, document in newest.items()
    ]
    return page(engine, request, params, items, "Layers")


@operation("lambda", "DeleteLayerVersion")
async def delete_layer_version(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a version; one that is not there is no error, as on Lambda."""
    name = names.layer(engine.settings, params["LayerName"]).name
    if engine.store.delete(LAYER, record.layer_name(name, params["VersionNumber"])):
        engine.functions.spawn(engine.functions.sweep())
    return {}


def _next(engine: Engine, name: str) -> int:
    """The layer's next number: those of deleted versions are not used again."""
    number = 1
    now = engine.clock.time()

    def count(document: Params) -> None:
        nonlocal number
        number = document["Next"]
        document["Next"] = number + 1

    try:
        engine.store.create(LAYER_COUNT, name, {"Next": 2}, now=now)
    except Exists:
        engine.store.update(LAYER_COUNT, name, count, now=now)
    return number


def _matching(rows: list[Resource], params: Params) -> list[Resource]:
    runtime, architecture = params.get("CompatibleRuntime"), params.get("CompatibleArchitecture")
    return [
        row
        for row in rows
        if (not runtime or runtime in row.document.get("CompatibleRuntimes", ()))
        and (not architecture or architecture in row.document.get("CompatibleArchitectures", ()))
    ]


def _brief(document: Params) -> Params:
    return {name: value for name, value in document.items() if name not in ("Content", "LayerArn")}


def _whole(engine: Engine, document: Params) -> Params:
    if not document.get("Package"):
        raise missing("The resource you requested does not exist.")
    content = {**document["Content"], "Location": code.url(engine, document["Package"])}
    return {**document, "Content": content}
