"""What executed copies of the course's notebook printed in their training logs, for the last 30 days of 2007, 2008 and 2009."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """One run's test scores; ``median`` is the quantile loss at 0.5, None where it is not known."""

    about: str
    rmse: float
    wql: float
    median: float | None = None


PRINTED = (
    Printed("2019-03", 0.3479, 0.1427, 0.1829),
    Printed("2020-04, all series stamped 2007", 0.3439, 0.1485),
    Printed("2020-06", 0.3457, 0.1499, 0.1949),
    Printed("2021-09", 0.3801, 0.1616),
    Printed("2022-05", 0.4356, 0.1885, 0.2339),
    Printed("2022-05, once more", 0.3619, 0.1508, 0.1917),
)
BEST = min(item.wql for item in PRINTED)
"""The best mean wQL that any of them printed."""
