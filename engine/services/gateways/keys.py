"""API keys."""

from __future__ import annotations

import secrets
import string
from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
from engine.gateways.plans import KEY, PLAN
from engine.gateways.record import Document, conflict, missing, refused
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.paging import page
from engine.store import Resource

Params = dict[str, Any]
_ALPHABET = string.ascii_letters + string.digits
_LENGTH, _SHORTEST, _LONGEST = 40, 20, 128
_FIELDS = (
    patching.one("name"),
    patching.one("description"),
    patching.one("enabled", patching.boolean),
    patching.one("customerId"),
)


def api_key(engine: Engine, key_id: str) -> Resource:
    """The key.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found = engine.store.find(KEY, key_id)
    if found is None:
        raise missing("Invalid API Key identifier specified")
    return found


@operation("apigateway", "CreateApiKey")
async def create_api_key(engine: Engine, request: Request, params: Params) -> Params:
    """A key with a random value, or with one of the caller's."""
    value = params.get("value") or "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if not _SHORTEST <= len(value) <= _LONGEST:
        raise refused(f"API Key value should be at least {_SHORTEST} and at most {_LONGEST} characters")
    if params.get("stageKeys"):
        raise refused("stageKeys are deprecated: add the key to a usage plan of the stage.")
    if any(row.document["value"] == value for row in engine.store.select(KEY, shared=True)):
        raise conflict("API Key already exists")
    now = int(engine.clock.time())
    key = {
        "id": record.new_id(),
        "value": value,
        "enabled": bool(params.get("enabled")),
        "createdDate": now,
        "lastUpdatedDate": now,
        "stageKeys": [],
        **{name: params[name] for name in ("name", "description", "customerId", "tags") if params.get(name)},
    }
    record.create(engine, KEY, key["id"], key, taken="API Key already exists")
    return key


@operation("apigateway", "GetApiKey")
async def get_api_key(engine: Engine, request: Request, params: Params) -> Params:
    """One key; its value only when ``includeValue`` asks for it."""
    return _shown(api_key(engine, params["apiKey"]).document, bool(params.get("includeValue")))


@operation("apigateway", "GetApiKeys")
async def get_api_keys(engine: Engine, request: Request, params: Params) -> Params:
    """Keys by id, those whose name begins with ``name`` when that is given."""
    begin, whole = params.get("nameQuery") or "", bool(params.get("includeValues"))
    rows = engine.store.select(KEY, sort_by="name", shared=True)
    found = [(row.name, row.document) for row in rows if row.document.get("name", "").startswith(begin)]
    customer = params.get("customerId")
    items = [(name, _shown(key, whole)) for name, key in found if customer in (None, key.get("customerId"))]
    return page(engine, request, params, items)


@operation("apigateway", "UpdateApiKey")
async def update_api_key(engine: Engine, request: Request, params: Params) -> Params:
    """Change a key; its value stays."""
    api_key(engine, params["apiKey"])

    def alter(document: Document) -> None:
        patching.apply(document, params.get("patchOperations") or [], _FIELDS)
        document["lastUpdatedDate"] = int(engine.clock.time())

    changed = engine.store.update(KEY, params["apiKey"], alter, now=engine.clock.time())
    return _shown(changed.document, False)


@operation("apigateway", "DeleteApiKey")
async def delete_api_key(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a key, and take it out of its usage plans."""
    api_key(engine, params["apiKey"])
    engine.store.delete(KEY, params["apiKey"])

    def without(document: Document) -> None:
        document["Keys"] = [one for one in document["Keys"] if one != params["apiKey"]]

    for row in engine.store.select(PLAN):
        if params["apiKey"] in row.document["Keys"]:
            engine.store.update(PLAN, row.name, without, now=engine.clock.time())
    return {}


def _shown(key: Document, whole: bool) -> Document:
    return key if whole else {name: value for name, value in key.items() if name != "value"}
