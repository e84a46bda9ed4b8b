"""Endpoints: the list, one of them, what it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.budget import Pace
from workflows.explain import backend_lost, throttled
from workflows.observe import alarms, endpoints, metrics, scaling
from workflows.observe.gateway import Gateway
from workflows.observe.rows import EndpointDetail, EndpointRow, EndpointTraffic
from workflows.observe.watch_rows import AlarmRow, EndpointScaling
from workflows.pollers.lists import DESCRIBES_PER_POLL, ListPoller
from workflows.problem import Problem

LATELY = 1.25
"""Polls of an endpoint after which what the last one brought is no longer of use to others: it comes after 1.1 at most."""

VARIANTS_AGE = 10.0
"""Seconds after which it is looked again which variants and fleets there are."""


class EndpointsPoller(ListPoller[EndpointRow]):
    """The list of endpoints, with their instances: each is described once per change."""

    def __init__(self, known: tuple[EndpointRow, ...], pace: Pace) -> None:
        super().__init__(endpoints.list_pages, known, pace)
        self._described: dict[str, tuple[float, str]] = {}

    def _merged(self, row: EndpointRow) -> EndpointRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(row, instances=known.instances, serverless=known.serverless)

    def _enrich(self, gateway: Gateway) -> None:
        changed = [
            row
            for row in self._rows.values()
            if row.paid and self._described.get(row.name) != (row.modified, row.status)
        ]
        for row in sorted(changed, key=lambda row: -row.modified)[:DESCRIBES_PER_POLL]:
            self._described[row.name] = (row.modified, row.status)
            try:
                found = endpoints.describe(gateway, row.name)
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    del self._described[row.name]
                    raise
            else:
                serverless = any(fleet.serverless for fleet in found.fleets)
                self._put(replace(row, instances=found.instances, serverless=serverless))


def _describe(gateway: Gateway, name: str, detail: EndpointDetail | None, now: float) -> EndpointDetail:
    """An endpoint as it is now; its configuration is asked for once per name, because configurations never change."""
    known = dict(detail.raw_config) if detail and detail.raw_config else None
    found = endpoints.describe(gateway, name, known)
    getattr(gateway, "kept", {})["endpoint", name] = (now, found)
    return found


def _lately(
    gateway: Gateway, name: str, detail: EndpointDetail | None, now: float, pace: Pace
) -> EndpointDetail:
    """An endpoint as it was a moment ago, when it was described for somebody else then."""
    at, found = getattr(gateway, "kept", {}).get(("endpoint", name), (0.0, None))
    if found is not None and 0 <= now - at < max(VARIANTS_AGE, pace.idle * LATELY):
        kept: EndpointDetail = found
        return kept
    return _describe(gateway, name, detail, now)


class EndpointPoller:
    """One endpoint."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._detail: EndpointDetail | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> EndpointDetail:
        found = _describe(gateway, self._name, self._detail, now)
        if found != self._detail:
            self._detail = found
        return self._detail or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._detail is None or self._detail.row.active else pace.idle


class EndpointMetricsPoller:
    """What each variant of an endpoint serves, and what each fleet does while an update is under way."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._detail: EndpointDetail | None = None
        self._described = 0.0
        self._traffic: EndpointTraffic | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> EndpointTraffic:
        if self._detail is None or not self._detail.meters or now - self._described >= VARIANTS_AGE:
            self._detail = _lately(gateway, self._name, self._detail, now, self._pace)
            self._described = now
        found = metrics.endpoint_traffic(
            gateway,
            self._name,
            self._detail.meters,
            window=self._pace.traffic_window,
            period=self._pace.traffic_period,
            now=now,
        )
        if found != self._traffic:
            self._traffic = found
        return self._traffic or found

    def interval(self, pace: Pace) -> float | None:
        return pace.metrics


class EndpointAlarmsPoller:
    """The alarms that watch an endpoint."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._alarms: tuple[AlarmRow, ...] | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[AlarmRow, ...]:
        found = alarms.of_endpoint(gateway, self._name)
        if found != self._alarms:
            self._alarms = found
        return self._alarms or found

    def interval(self, pace: Pace) -> float | None:
        return pace.metrics


class EndpointScalingPoller:
    """How an endpoint's instances are scaled, and what was done lately."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._variants: tuple[str, ...] = ()
        self._described = 0.0
        self._scaling: EndpointScaling | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> EndpointScaling:
        if not self._variants or now - self._described >= VARIANTS_AGE:
            found_now = _lately(gateway, self._name, None, now, self._pace)
            self._variants, self._described = tuple(item.name for item in found_now.variants), now
        found = scaling.of_endpoint(gateway, self._name, self._variants)
        if found != self._scaling:
            self._scaling = found
        return self._scaling or found

    def interval(self, pace: Pace) -> float | None:
        return pace.metrics
