"""Usage plans: which keys may call which stages, how fast, and how often."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from engine.context import Engine
from engine.gateways import patching, plans, record
from engine.gateways.plans import PLAN, USAGE
from engine.gateways.record import Document, conflict, missing, refused
from engine.http import Request
from engine.registry import operation
from engine.services.gateways.keys import api_key
from engine.services.gateways.paging import page
from engine.store import Filter, Resource

Params = dict[str, Any]
_PERIODS = ("DAY", "WEEK", "MONTH")


def _part(member: str, name: str, check: patching.Check) -> patching.Field:
    def change(document: Document, names: list[str], action: str, value: str | None) -> None:
        if value is None:
            raise refused(f"Invalid patch value specified for path '/{member}/{name}'")
        document.setdefault(member, {})[name] = check(value)

    return patching.Field(f"/{member}/{name}", ("add", "replace"), change)


def _whole(member: str) -> patching.Field:
    return patching.Field(
        f"/{member}", ("remove",), lambda document, names, action, value: document.pop(member, None)
    )


def _stage(document: Document, names: list[str], action: str, value: str | None) -> None:
    api, _, stage = (value or "").partition(":")
    if not api or not stage:
        raise refused(f"Invalid API stage {value}: it is written as API_ID:STAGE")
    kept = [one for one in document.get("apiStages", []) if (one["apiId"], one["stage"]) != (api, stage)]
    document["apiStages"] = [*kept, {"apiId": api, "stage": stage}] if action == "add" else kept


_FIELDS = (
    patching.one("name"),
    patching.one("description"),
    patching.Field("/apiStages", ("add", "remove"), _stage),
    _part("throttle", "rateLimit", patching.number),
    _part("throttle", "burstLimit", patching.integer),
    _part("quota", "limit", patching.integer),
    _part("quota", "offset", patching.integer),
    _part("quota", "period", patching.text),
    _whole("throttle"),
    _whole("quota"),
)


@operation("apigateway", "CreateUsagePlan")
async def create_usage_plan(engine: Engine, request: Request, params: Params) -> Params:
    """A plan for the keys that will be added to it."""
    plan = {
        "id": record.new_id(6),
        "name": params["name"],
        "apiStages": params.get("apiStages") or [],
        **{name: params[name] for name in ("description", "throttle", "quota", "tags") if params.get(name)},
    }
    _check(engine, plan)
    record.create(engine, PLAN, plan["id"], {"Plan": plan, "Keys": []}, taken="Usage Plan already exists")
    return plan


@operation("apigateway", "GetUsagePlan")
async def get_usage_plan(engine: Engine, request: Request, params: Params) -> Params:
    """One plan."""
    found: Params = _plan(engine, params).document["Plan"]
    return found


@operation("apigateway", "GetUsagePlans")
async def get_usage_plans(engine: Engine, request: Request, params: Params) -> Params:
    """Plans by id, those of a key when it is named."""
    rows = engine.store.select(PLAN, sort_by="name", shared=True)
    key = params.get("keyId")
    items = [(row.name, row.document["Plan"]) for row in rows if key is None or key in row.document["Keys"]]
    return page(engine, request, params, items)


@operation("apigateway", "UpdateUsagePlan")
async def update_usage_plan(engine: Engine, request: Request, params: Params) -> Params:
    """Change a plan: at once."""
    _plan(engine, params)

    def alter(document: Document) -> None:
        patching.apply(document["Plan"], params.get("patchOperations") or [], _FIELDS)
        _check(engine, document["Plan"])

    name = params["usagePlanId"]
    changed: Params = engine.store.update(PLAN, name, alter, now=engine.clock.time()).document["Plan"]
    return changed


@operation("apigateway", "DeleteUsagePlan")
async def delete_usage_plan(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a plan that has no stages any more, with what it counted."""
    found = _plan(engine, params)
    if found.document["Plan"]["apiStages"]:
        raise refused(
            f"Cannot delete Usage Plan {found.name} because it is associated with API stages: remove those first"
        )
    for key in found.document["Keys"]:
        for row in engine.store.select(USAGE, [Filter("parent", "=", f"{found.name}/{key}")]):
            engine.store.delete(USAGE, row.name)
    engine.store.delete(PLAN, found.name)
    return {}


@operation("apigateway", "CreateUsagePlanKey")
async def create_usage_plan_key(engine: Engine, request: Request, params: Params) -> Params:
    """Add a key to a plan."""
    _plan(engine, params)
    if params["keyType"] != "API_KEY":
        raise refused(f"Invalid key type {params['keyType']}: it must be API_KEY")
    key = api_key(engine, params["keyId"]).document

    def alter(document: Document) -> None:
        if key["id"] in document["Keys"]:
            raise conflict("Usage Plan Key already exists")
        document["Keys"].append(key["id"])

    engine.store.update(PLAN, params["usagePlanId"], alter, now=engine.clock.time())
    return _shown(key)


@operation("apigateway", "GetUsagePlanKey")
async def get_usage_plan_key(engine: Engine, request: Request, params: Params) -> Params:
    """A key of a plan."""
    _must_have(_plan(engine, params), params)
    return _shown(api_key(engine, params["keyId"]).document)


@operation("apigateway", "GetUsagePlanKeys")
async def get_usage_plan_keys(engine: Engine, request: Request, params: Params) -> Params:
    """A plan's keys by id."""
    begin = params.get("nameQuery") or ""
    keys = [api_key(engine, one).document for one in _plan(engine, params).document["Keys"]]
    items = [(key["id"], _shown(key)) for key in keys if key.get("name", "").startswith(begin)]
    return page(engine, request, params, items)


@operation("apigateway", "DeleteUsagePlanKey")
async def delete_usage_plan_key(engine: Engine, request: Request, params: Params) -> Params:
    """Take a key out of a plan."""
    _must_have(_plan(engine, params), params)

    def alter(document: Document) -> None:
        document["Keys"] = [one for one in document["Keys"] if one != params["keyId"]]

    engine.store.update(PLAN, params["usagePlanId"], alter, now=engine.clock.time())
    return {}


@operation("apigateway", "GetUsage")
async def get_usage(engine: Engine, request: Request, params: Params) -> Params:
    """What a plan's keys used each day of a range, and what the quota left at its end."""
    found = _plan(engine, params).document
    first, last = _day(params["startDate"]), _day(params["endDate"])
    if last < first or (last - first).days > 90:
        raise refused("Invalid date range: at most 90 days, the end not before the start")
    quota = found["Plan"].get("quota") or {}
    keys: list[str] = [params["keyId"]] if params.get("keyId") else found["Keys"]
    shown: dict[str, list[list[int]]] = {}
    for key in keys:
        counted = plans.days(engine, found["Plan"]["id"], key)
        left = quota.get("limit", 0)
        shown[key] = []
        for number in range((last - first).days + 1):
            used = counted.get((first + timedelta(days=number)).isoformat(), 0)
            left = max(0, left - used)
            shown[key].append([used, left])
    told = {name: params[name] for name in ("usagePlanId", "startDate", "endDate")}
    return {**told, "items": shown}


def _plan(engine: Engine, params: Params) -> Resource:
    found = engine.store.find(PLAN, params["usagePlanId"])
    if found is None:
        raise missing("Invalid Usage Plan ID specified")
    return found


def _must_have(plan: Resource, params: Params) -> None:
    if params["keyId"] not in plan.document["Keys"]:
        raise missing(f"Invalid Usage Plan Key identifier specified {params['keyId']}")


def _check(engine: Engine, plan: Params) -> None:
    for one in plan["apiStages"]:
        if one.get("throttle"):
            raise refused("throttle of an apiStage: set limits of methods on the stage (UpdateStage).")
        if engine.store.find(record.STAGE, f"{one.get('apiId')}/{one.get('stage')}") is None:
            raise missing(f"API Stage not found: {one.get('apiId')}:{one.get('stage')}")
    throttle, quota = plan.get("throttle"), plan.get("quota")
    if throttle is not None and (throttle.get("rateLimit", 0) < 0 or throttle.get("burstLimit", 0) < 0):
        raise refused("Usage Plan throttle rate limit and burst limit cannot be negative")
    if quota is not None and (quota.get("period") not in _PERIODS or quota.get("limit", 0) < 1):
        raise refused("Usage Plan quota needs a limit of at least 1 and a period: DAY, WEEK or MONTH")


def _shown(key: Params) -> Params:
    return {"id": key["id"], "type": "API_KEY", "value": key["value"], "name": key.get("name")}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refused(f"Invalid date {text}: it is written as yyyy-mm-dd") from error
