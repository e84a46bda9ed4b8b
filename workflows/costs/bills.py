"""What an endpoint bills: by the hour for each of its fleets, and what is billed by use instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.costs import prices
from workflows.costs.estimates import NOTHING, Hourly, hourly
from workflows.costs.prices import HOSTING, TRAINING, TRANSFORM
from workflows.observe.fleets import Fleet
from workflows.observe.rows import UNPAID_ENDPOINT, EndpointDetail, JobDetail
from workflows.observe.transform_rows import TransformDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of a bill: a fleet, what it costs an hour, and in words what is billed by use."""

    what: str
    role: str = "serving"
    instance_type: str = ""
    count: int = 0
    hourly: Hourly = NOTHING
    by_use: str = ""
    sourced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one resource bills now. ``since`` is from when on it is billed (epoch seconds).

    ``kind``: endpoint, training job, transform job. All amounts are estimates in US dollars at the prices in force.
    """

    kind: str
    name: str
    status: str
    since: float
    parts: tuple[Part, ...] = ()

    @property
    def hourly(self) -> Hourly:
        """By the hour, all parts together."""
        return sum((part.hourly for part in self.parts), Hourly())

    @property
    def by_use(self) -> tuple[str, ...]:
        """What is billed by use."""
        return tuple(part.by_use for part in self.parts if part.by_use)

    @property
    def instances(self) -> str:
        """The fleets in words: ``2 × ml.m5.large``, ``serverless 2048 MB``."""
        return ", ".join(dict.fromkeys(part.what for part in self.parts if part.what))

    @property
    def sourced(self) -> bool:
        """Whether all its prices were read from a source."""
        return all(part.sourced for part in self.parts)

    @property
    def both_fleets(self) -> bool:
        """Whether two fleets stand side by side because of an update."""
        return any(part.role == "new" for part in self.parts)

    def so_far(self, now: float) -> float | None:
        """US dollars since ``since`` at today's size: SageMaker does not tell what size it had before. None: not known."""
        rate = self.hourly
        if rate.unknown:
            return None
        return rate.dollars * max(0.0, now - self.since) / 3600


def of_endpoint(detail: EndpointDetail) -> Bill:
    """The bill of an endpoint; a failed one, or one that is being deleted, bills nothing."""
    paid = detail.row.status not in UNPAID_ENDPOINT
    return Bill(
        kind="endpoint",
        name=detail.name,
        status=detail.row.status,
        since=detail.row.created,
        parts=tuple(_part(fleet) for fleet in detail.fleets) if paid else (),
    )


def of_job(detail: JobDetail | TransformDetail) -> Bill:
    """The bill of a training or transform job; one that has ended bills nothing any more."""
    row = detail.row
    component = TRANSFORM if row.kind == "transform" else TRAINING
    instances = [(row.instance_type, row.instance_count or 1)] if row.active else []
    return Bill(
        kind=f"{row.kind} job",
        name=row.name,
        status=row.status,
        since=detail.started or row.created,
        parts=_instances(instances, component),
    )


def total(bills: Iterable[Bill]) -> Hourly:
    """By the hour, all together."""
    return sum((bill.hourly for bill in bills), Hourly())


def _instances(kinds: Iterable[tuple[str, int]], component: str) -> tuple[Part, ...]:
    return tuple(
        Part(
            what=f"{count} × {kind}",
            instance_type=kind,
            count=count,
            hourly=hourly([(kind, count)], component),
            sourced=_sourced(component, kind),
        )
        for kind, count in kinds
        if kind
    )


def _part(fleet: Fleet) -> Part:
    if fleet.serverless:
        return _serverless(fleet)
    if not fleet.instance_type and fleet.count:  # its configuration is deleted; AWS bills it all the same
        unknown = Hourly(0.0, ("instances of an unknown type",))
        return Part(what=f"{fleet.count} × ?", role=fleet.role, count=fleet.count, hourly=unknown)
    return Part(
        what=f"{fleet.count} × {fleet.instance_type}" if fleet.instance_type else "",
        role=fleet.role,
        instance_type=fleet.instance_type,
        count=fleet.count,
        hourly=hourly([(fleet.instance_type, fleet.count)]),
        by_use="scaled to zero: bills again with the next request"
        if fleet.asynchronous and not fleet.count
        else "",
        sourced=_sourced(HOSTING, fleet.instance_type) if fleet.count else True,
    )


def _serverless(fleet: Fleet) -> Part:
    """Serverless bills the seconds of requests by memory and the data; only provisioned concurrency bills while nobody asks."""
    known = prices.current()
    size = f"{fleet.memory_mb} MB" if fleet.memory_mb else ""
    second = known.find(prices.SERVERLESS, f"memory {size}".strip(), unit="second")
    data = known.find("Data", "serverless request and response", unit="GB")
    by_use = (
        f"${second.usd:g} a second of requests"
        if second
        else "by the second of requests (no price is known here)"
    )
    if data:
        by_use += f" and ${data.usd:g} a GB"
    rate = Hourly()
    if fleet.provisioned:
        warm = known.find(prices.SERVERLESS, f"provisioned concurrency {size}".strip(), unit="second")
        if warm:
            rate = Hourly(warm.usd * fleet.provisioned * 3600)
        else:
            rate = Hourly(0.0, (f"{fleet.provisioned} × provisioned concurrency {size}".strip(),))
    return Part(what=f"serverless {size}".strip(), role=fleet.role, hourly=rate, by_use=by_use)


def _sourced(component: str, instance_type: str) -> bool:
    figure = prices.current().find(component, instance_type)
    return figure is None or figure.read
