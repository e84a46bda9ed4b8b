"""API keys and usage plans: who may call a method that asks for a key, how fast, and how often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.gateways.answers import INVALID_KEY, QUOTA, THROTTLED, Refused
from engine.store import Filter, Missing

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.gateways.call import Call

KEY = "api-key"
"""Document: what GetApiKey answers."""
PLAN = "usage-plan"
"""Document: ``Plan`` (what GetUsagePlan answers), ``Keys`` (ids of API keys)."""
USAGE = "api-usage"
"""Name ``PLAN/KEY/yyyy-mm-dd``, parent ``PLAN/KEY``. Document: ``Used``."""

Document = dict[str, Any]


def admit(engine: Engine, call: Call) -> dict[str, str]:
    """Check the key of a call and count it; the identity members that then are known.

    Raises:
        Refused: 403 without a key of a plan for this stage, 429 over the plan's rate or quota.
    """
    value = call.header("X-Api-Key")
    keys = engine.store.select(KEY, shared=True) if value else []
    key = next((row.document for row in keys if row.document["value"] == value), None)
    if key is None or not key["enabled"]:
        raise Refused(INVALID_KEY)
    found = _plan(engine, key["id"], call)
    if found is None:
        raise Refused(INVALID_KEY)
    plan = found["Plan"]
    throttle = plan.get("throttle") or {}
    if "rateLimit" in throttle:
        bucket = ("plan", plan["id"], key["id"])
        burst = max(1, throttle.get("burstLimit") or throttle["rateLimit"])
        if not engine.gateways.throttle.admits(bucket, throttle["rateLimit"], burst):
            raise Refused(THROTTLED)
    quota = plan.get("quota")
    today = datetime.fromtimestamp(engine.clock.time(), UTC).date()
    if quota and used(engine, plan["id"], key["id"], _begin(today, quota["period"]), today) >= quota["limit"]:
        raise Refused(QUOTA)
    _count(engine, plan["id"], key["id"], today)
    return {"apiKey": key["value"], "apiKeyId": key["id"]}


def used(engine: Engine, plan: str, key: str, first: date, last: date) -> int:
    """How many requests of a key a plan has counted from one day to another."""
    return sum(
        count
        for day, count in days(engine, plan, key).items()
        if first.isoformat() <= day <= last.isoformat()
    )


def days(engine: Engine, plan: str, key: str) -> dict[str, int]:
    """The requests of a key by day (``yyyy-mm-dd``, UTC)."""
    rows = engine.store.select(USAGE, [Filter("parent", "=", f"{plan}/{key}")])
    return {row.name.rpartition("/")[2]: row.document["Used"] for row in rows}


def _plan(engine: Engine, key: str, call: Call) -> Document | None:
    for row in engine.store.select(PLAN, shared=True):
        stages = row.document["Plan"].get("apiStages") or []
        here = any(one["apiId"] == call.api_id and one["stage"] == call.stage_name for one in stages)
        if here and key in row.document["Keys"]:
            return row.document
    return None


def _begin(today: date, period: str) -> date:
    """The first day of the quota's period: today, Sunday, or the first of the month."""
    if period == "MONTH":
        return today.replace(day=1)
    return today - timedelta(days=(today.weekday() + 1) % 7) if period == "WEEK" else today


def _count(engine: Engine, plan: str, key: str, today: date) -> None:
    name, now = f"{plan}/{key}/{today.isoformat()}", engine.clock.time()

    def more(document: Document) -> None:
        document["Used"] += 1

    try:
        engine.store.update(USAGE, name, more, now=now)
    except Missing:
        engine.store.create(USAGE, name, {"Used": 1}, now=now, parent=f"{plan}/{key}")
