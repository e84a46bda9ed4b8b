"""Where the periods of a request for statistics begin."""

from __future__ import annotations

_MINUTE = 60
_DAY = 86_400
_COARSER = ((63 * _DAY, 3600), (15 * _DAY, 300))
"""(age, seconds) in seconds: what is older is kept, and begins, no finer than so."""


def beginning(start: float, period: int, now: float) -> int:
    """The time (epoch seconds) from which on the periods of a request follow each other.

    CloudWatch rounds the start time down to the minute, beyond 15 days to 5 minutes, beyond 63 days to the hour, and for periods
    below a minute to a multiple of them (`GetMetricStatistics`, ``StartTime``). Data points are stamped from there on, not at
    multiples of the period: a request for one period of the length of its window gets all of it in one data point.
    """
    grain = next((grain for age, grain in _COARSER if now - start > age), min(period, _MINUTE))
    return int(start // grain * grain)
