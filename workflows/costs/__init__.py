"""What things would cost on AWS: dated prices with their sources, and estimates from them.

`estimates` is what most callers need and is at hand here; `prices` holds the figures, `refresh` reads them from AWS's Price
List, `bills` says what an endpoint bills, `activity` whether anybody calls it, `overview` what bills now.
"""

from __future__ import annotations

from workflows.costs.estimates import MONTH, Estimate, Hourly, estimate, hourly, per_hour, total
from workflows.costs.prices import HOSTING, PAGE, TRAINING, TRANSFORM, basis

SOURCE = PAGE

__all__ = [
    "DATE", "HOSTING", "MONTH", "REGION", "SOURCE", "TRAINING", "TRANSFORM", "Estimate", "Hourly", "basis", "estimate", "hourly",
    "per_hour", "total",
]  # fmt: skip

DATE: str
"""As of when the prices in force are: a date, or a month."""
REGION: str
"""The region whose prices are in force."""


def __getattr__(name: str) -> str:
    """`DATE` and `REGION`, which may change with `mlconsole prices refresh`."""
    from workflows.costs import prices

    if name == "DATE":
        return prices.current().as_of
    if name == "REGION":
        return prices.current().region
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
