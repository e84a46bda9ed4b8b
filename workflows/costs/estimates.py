"""Estimates from the prices in force: what a run, a job or an endpoint would cost on AWS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.costs.prices import HOSTING, PAGE, TRAINING, current

MONTH = 730.0
"""Hours in a month, as AWS's own calculator counts them: 8,760 / 12."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars for a duration, or None where the snapshot has no price."""

    dollars: float | None
    instance_type: str

    def __str__(self) -> str:
        if self.dollars is None:
            return f"no price is known here for {self.instance_type}; see {PAGE}"
        shown = f"${self.dollars:.4f}" if self.dollars < 0.01 else f"${self.dollars:.3f}"
        shown = "less than $0.0001" if 0 < self.dollars < 0.00005 else f"about {shown}"
        prices = current()
        return f"{shown} (estimate: {prices.region} on-demand prices of {prices.as_of})"


def per_hour(instance_type: str, component: str = HOSTING) -> float | None:
    """US dollars an hour, or None when no price is known for the instance type in this use (Hosting, Training …)."""
    figure = current().find(component, instance_type)
    return figure.usd if figure else None


def estimate(instance_type: str, seconds: float, count: int = 1, component: str = TRAINING) -> Estimate:
    """What ``count`` instances of a job would cost for that long."""
    price = per_hour(instance_type, component)
    return Estimate(None if price is None else price * seconds / 3600 * count, instance_type)


def total(instances: Iterable[tuple[str, int]], seconds: float) -> float | None:
    """US dollars that these (instance type, count) of a job would cost for that long; None where a price is not known."""
    kinds = tuple(instances)
    dollars = [estimate(kind, seconds, count).dollars for kind, count in kinds]
    known = [amount for amount in dollars if amount is not None]
    return sum(known) if kinds and len(known) == len(dollars) else None


@dataclass(frozen=True, slots=True)
class Hourly:
    """US dollars an hour as far as prices are known; ``unknown`` names the instance types that the snapshot lacks."""

    dollars: float = 0.0
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Hourly) -> Hourly:
        return Hourly(self.dollars + other.dollars, tuple(dict.fromkeys((*self.unknown, *other.unknown))))

    def __bool__(self) -> bool:
        return bool(self.dollars or self.unknown)

    @property
    def month(self) -> float:
        """US dollars a month, as far as prices are known."""
        return self.dollars * MONTH

    def __str__(self) -> str:
        known = f"${self.dollars:.3f}/h" if self.dollars < 10 else f"${self.dollars:,.2f}/h"
        if not self.unknown:
            return known
        return f"{known} + ?" if self.dollars else "no price"


NOTHING = Hourly()


def hourly(instances: Iterable[tuple[str, int]], component: str = HOSTING) -> Hourly:
    """What these (instance type, count) cost an hour while they are up."""
    dollars, unknown = 0.0, []
    for instance_type, count in instances:
        price = per_hour(instance_type, component)
        if price is not None:
            dollars += price * count
        elif instance_type and count:
            unknown.append(instance_type)
    return Hourly(dollars, tuple(dict.fromkeys(unknown)))
