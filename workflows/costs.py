"""What a run would cost on AWS: a small, dated snapshot of on-demand prices. Every figure is an estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DATE = "2026-09"
REGION = "us-east-1"
SOURCE = "https://aws.amazon.com/sagemaker/pricing/"

_PER_HOUR = {
    "ml.t2.medium": 0.056,
    "ml.t2.large": 0.111,
    "ml.m4.xlarge": 0.24,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.c4.xlarge": 0.239,
    "ml.c5.large": 0.102,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.g4dn.xlarge": 0.736,
}
"""US dollars an hour in `REGION`; other regions differ by up to half as much again."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars for a duration, or None where the snapshot has no price."""

    dollars: float | None
    instance_type: str

    def __str__(self) -> str:
        if self.dollars is None:
            return f"no price is known here for {self.instance_type}; see {SOURCE}"
        shown = f"${self.dollars:.4f}" if self.dollars < 0.01 else f"${self.dollars:.3f}"
        return f"about {shown} (estimate: {REGION} on-demand prices of {DATE})"


def per_hour(instance_type: str) -> float | None:
    """US dollars an hour, or None when the snapshot does not know the instance type."""
    return _PER_HOUR.get(instance_type)


def estimate(instance_type: str, seconds: float, count: int = 1) -> Estimate:
    """What ``count`` instances would cost for that long."""
    price = per_hour(instance_type)
    return Estimate(None if price is None else price * seconds / 3600 * count, instance_type)


def total(instances: Iterable[tuple[str, int]], seconds: float) -> float | None:
    """US dollars that these (instance type, count) would cost for that long; None where a price is not known."""
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

    def __str__(self) -> str:
        known = f"${self.dollars:.3f}/h" if self.dollars < 10 else f"${self.dollars:,.2f}/h"
        if not self.unknown:
            return known
        return f"{known} + ?" if self.dollars else "no price"


def hourly(instances: Iterable[tuple[str, int]]) -> Hourly:
    """What these (instance type, count) cost an hour while they are up."""
    dollars, unknown = 0.0, []
    for instance_type, count in instances:
        price = per_hour(instance_type)
        if price is not None:
            dollars += price * count
        elif instance_type and count:
            unknown.append(instance_type)
    return Hourly(dollars, tuple(dict.fromkeys(unknown)))
