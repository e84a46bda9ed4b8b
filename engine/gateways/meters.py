"""CloudWatch metrics of APIs, in the namespace AWS/ApiGateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.gateways.call import Call

NAMESPACE = "AWS/ApiGateway"


def count(engine: Engine, api_name: str, call: Call, status: int, milliseconds: float) -> None:
    """Count one request, for the API and for its stage."""
    now = engine.clock.time()
    values = [
        ("Count", 1.0, "Count"),
        ("4XXError", float(400 <= status < 500), "Count"),
        ("5XXError", float(status >= 500), "Count"),
        ("Latency", milliseconds, "Milliseconds"),
    ]
    if call.integration_ms is not None:
        values.append(("IntegrationLatency", call.integration_ms, "Milliseconds"))
    for dimensions in ({"ApiName": api_name}, {"ApiName": api_name, "Stage": call.stage_name}):
        for metric, value, unit in values:
            engine.metrics.put(NAMESPACE, metric, dimensions, value, now, unit)
