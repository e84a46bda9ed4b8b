"""Aliases of functions: a name for a version, or for two with weights."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.functions import names, record
from engine.functions.names import LATEST, conflict, function_arn, invalid, missing
from engine.functions.record import ALIAS
from engine.http import Request
from engine.registry import operation
from engine.services.functions import checks
from engine.services.functions.paging import page
from engine.services.functions.publishing import version_must_exist
from engine.store import Exists, Resource

Params = dict[str, Any]


@operation("lambda", "CreateAlias")
async def create_alias(engine: Engine, request: Request, params: Params) -> Params:
    """Name a version."""
    function = _function(engine, params)
    name, version = params["Name"], params["FunctionVersion"]
    version_must_exist(engine, function, version)
    routing = _routing(engine, function, version, params.get("RoutingConfig"))
    document = {
        "AliasArn": function_arn(engine.settings, function, name),
        "Name": name,
        "FunctionVersion": version,
        "Description": params.get("Description") or "",
        "RevisionId": record.revision(),
        **routing,
    }
    try:
        engine.store.create(ALIAS, f"{function}:{name}", document, now=engine.clock.time(), parent=function)
    except Exists as error:
        raise conflict(f"Alias already exists: {document['AliasArn']}") from error
    return document


@operation("lambda", "GetAlias")
async def get_alias(engine: Engine, request: Request, params: Params) -> Params:
    """One alias."""
    return _found(engine, _function(engine, params), params["Name"]).document


@operation("lambda", "ListAliases")
async def list_aliases(engine: Engine, request: Request, params: Params) -> Params:
    """A function's aliases by name, of one version when it is named."""
    function = _function(engine, params)
    version = params.get("FunctionVersion")
    items = [
        (row.document["Name"], row.document)
        for row in record.aliases(engine, function)
        if version in (None, row.document["FunctionVersion"])
    ]
    return page(engine, request, params, items, "Aliases")


@operation("lambda", "UpdateAlias")
async def update_alias(engine: Engine, request: Request, params: Params) -> Params:
    """Lead an alias elsewhere."""
    function = _function(engine, params)
    found = _found(engine, function, params["Name"]).document
    checks.matches(params.get("RevisionId"), found)
    version = params.get("FunctionVersion") or found["FunctionVersion"]
    version_must_exist(engine, function, version)
    told = params.get("RoutingConfig")
    routing = _routing(engine, function, version, found.get("RoutingConfig") if told is None else told)

    def change(document: Params) -> None:
        checks.matches(params.get("RevisionId"), document)
        document["FunctionVersion"] = version
        if params.get("Description") is not None:
            document["Description"] = params["Description"]
        document.pop("RoutingConfig", None)
        document |= {"RevisionId": record.revision(), **routing}

    name = f"{function}:{params['Name']}"
    return engine.store.update(ALIAS, name, change, now=engine.clock.time()).document


@operation("lambda", "DeleteAlias")
async def delete_alias(engine: Engine, request: Request, params: Params) -> Params:
    """Forget an alias; the version stays. One that is not there is no error, as on Lambda."""
    function = _function(engine, params)
    engine.store.delete(ALIAS, f"{function}:{params['Name']}")
    return {}


def _function(engine: Engine, params: Params) -> str:
    name = names.reference(engine.settings, params["FunctionName"]).name
    record.function(engine, name)
    return name


def _found(engine: Engine, function: str, name: str) -> Resource:
    found = engine.store.find(ALIAS, f"{function}:{name}")
    if found is None:
        raise missing(f"Cannot find alias arn: {function_arn(engine.settings, function, name)}")
    return found


def _routing(engine: Engine, function: str, version: str, told: Params | None) -> Params:
    """The ``RoutingConfig`` member, or nothing."""
    weights: dict[str, float] = (told or {}).get("AdditionalVersionWeights") or {}
    if not weights:
        return {}
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, weight in weights.items():
        if LATEST in (other, version):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if other == version:
            raise invalid(
                f"Invalid function version {version}. Function version {version} is already included in routing configuration."
            )
        if not 0.0 <= weight <= 1.0:
            raise invalid("Invalid weight: it must be between 0.0 and 1.0")
        version_must_exist(engine, function, other)
    return {"RoutingConfig": {"AdditionalVersionWeights": weights}}
