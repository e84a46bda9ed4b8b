"""What bills now: every endpoint with its bill, whether anybody calls it and when it expires, and the jobs that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows import lifetime
from workflows.costs import prices
from workflows.costs.activity import WINDOW, Activity, of_endpoints
from workflows.costs.bills import Bill, of_endpoint, of_job, total
from workflows.costs.estimates import Hourly
from workflows.lifetime import UNLIMITED, Lifetime
from workflows.observe import endpoints, jobs, transforms
from workflows.observe.gateway import Gateway
from workflows.observe.reading import not_found
from workflows.observe.rows import EndpointDetail, EndpointRow
from workflows.problem import Problem

TAGS_KEPT = 60.0
"""Seconds for which the tags of an endpoint are not asked for again."""
MOST_JOBS = 50
"""Running jobs of each kind that are described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """One line: the bill, and for an endpoint its activity, its lifetime and who made it (empty: not mlconsole)."""

    bill: Bill
    activity: Activity | None = None
    lifetime: Lifetime = UNLIMITED
    owner: str = ""
    arn: str = ""

    def marks(self, now: float) -> tuple[str, ...]:
        """Why somebody should look at it: ``expired``, ``idle``, ``failed``."""
        found = []
        if self.bill.status == "Failed":
            found.append("failed")
        if self.lifetime.expired(now):
            found.append("expired")
        if self.activity is not None and self.activity.verdict == "idle":
            found.append("idle")
        return tuple(found)

    def as_dict(self, at: float) -> dict[str, object]:
        """All of it for JSON, as it is at a time; amounts in US dollars, times in epoch seconds."""
        bill = self.bill
        return {
            "kind": bill.kind,
            "name": bill.name,
            "status": bill.status,
            "since": bill.since,
            "per_hour": bill.hourly.dollars,
            "per_month": bill.hourly.month,
            "so_far": bill.so_far(at),
            "unknown_prices": bill.hourly.unknown,
            "unsourced_prices": not bill.sourced,
            "both_fleets": bill.both_fleets,
            "by_use": bill.by_use,
            "parts": bill.parts,
            "marks": self.marks(at),
            "activity": self.activity,
            "expires": self.lifetime.expires,
            "keep": self.lifetime.keep,
            "owner": self.owner,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CostView:
    """Everything that bills now, dearest first. ``region`` and ``as_of`` tell the prices, ``unsourced`` whether some of those
    used are only widely repeated, ``notes`` what could not be had."""

    rows: tuple[Billed, ...] = ()
    at: float = 0.0
    region: str = ""
    as_of: str = ""
    unsourced: bool = False
    notes: tuple[str, ...] = ()

    @property
    def hourly(self) -> Hourly:
        """By the hour, all together."""
        return total(row.bill for row in self.rows)

    @property
    def so_far(self) -> float:
        """US dollars since each was created, at today's sizes, as far as prices are known."""
        return sum(row.bill.so_far(self.at) or 0.0 for row in self.rows)


class Survey:
    """Looks at an account again and again. What the list tells as unchanged is not described again; tags are remembered a while."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._known: dict[str, tuple[EndpointRow, EndpointDetail]] = {}
        self._tags: dict[str, tuple[float, Mapping[str, str]]] = {}

    def look(self, gateway: Gateway, now: float) -> CostView:
        """What bills now.

        Raises:
            Problem: The endpoints cannot be listed. What else cannot be had is told in the notes.
        """
        notes: list[str] = []
        details = self._endpoints(gateway)
        activity: dict[str, Activity] = {}
        try:
            activity = of_endpoints(gateway, details, now=now, window=self._window)
        except Problem as problem:
            notes.append(f"Whether endpoints are called is not known: {problem.sentence}")
        rows = [self._endpoint(gateway, detail, activity.get(detail.name), now, notes) for detail in details]
        rows += [Billed(bill=bill) for bill in _running(gateway, notes)]
        rows.sort(key=lambda row: (-row.bill.hourly.dollars, row.bill.kind, row.bill.name))
        known = prices.current()
        return CostView(
            rows=tuple(rows),
            at=now,
            region=known.region,
            as_of=known.as_of,
            unsourced=any(not row.bill.sourced for row in rows),
            notes=tuple(dict.fromkeys(notes)),
        )

    def _endpoints(self, gateway: Gateway) -> list[EndpointDetail]:
        found: dict[str, tuple[EndpointRow, EndpointDetail]] = {}
        for row in [row for page in endpoints.list_pages(gateway) for row in page]:
            before, detail = self._known.get(row.name, (None, None))
            if detail is None or before != row or row.active:
                config = dict(detail.raw_config) if detail is not None else None
                try:
                    detail = endpoints.describe(gateway, row.name, config)
                except Problem as problem:
                    if not_found(problem):
                        continue  # it was deleted since it was listed
                    raise
            found[row.name] = (row, detail)
        self._known = found
        return [detail for _, detail in found.values()]

    def _endpoint(
        self,
        gateway: Gateway,
        detail: EndpointDetail,
        activity: Activity | None,
        now: float,
        notes: list[str],
    ) -> Billed:
        tags: Mapping[str, str] = {}
        try:
            tags = self._tags_of(gateway, detail.arn, now)
        except Problem as problem:
            if not not_found(problem):
                notes.append(f"When {detail.name} expires is not known: {problem.sentence}")
        told = lifetime.of_tags(tags)
        if told.problem:
            notes.append(f"Endpoint {detail.name}: {told.problem}.")
        return Billed(
            bill=of_endpoint(detail), activity=activity, lifetime=told, owner=lifetime.owner(tags), arn=detail.arn
        )  # fmt: skip

    def _tags_of(self, gateway: Gateway, arn: str, now: float) -> Mapping[str, str]:
        kept = self._tags.get(arn)
        keep_for = TAGS_KEPT if gateway.target == "aws" else 0.0
        if kept is None or now - kept[0] >= keep_for:
            kept = self._tags[arn] = (now, lifetime.tags_of(gateway, arn))
        return kept[1]


def look(gateway: Gateway, now: float, window: float = WINDOW) -> CostView:
    """What bills now, asked for once.

    Raises:
        Problem: The endpoints cannot be listed.
    """
    return Survey(window).look(gateway, now)


def _running(gateway: Gateway, notes: list[str]) -> list[Bill]:
    found: list[Bill] = []
    try:
        names = [row.name for page in jobs.list_pages(gateway, status="InProgress") for row in page]
        found += [of_job(jobs.describe(gateway, name)) for name in names[:MOST_JOBS]]
        moving = [row.name for page in transforms.list_pages(gateway, status="InProgress") for row in page]
        found += [of_job(transforms.describe(gateway, name)) for name in moving[:MOST_JOBS]]
    except Problem as problem:
        notes.append(f"Not all running jobs are known: {problem.sentence}")
        return found
    left = max(0, len(names) - MOST_JOBS) + max(0, len(moving) - MOST_JOBS)
    if left:
        notes.append(f"{left} running jobs more are not counted.")
    return found
