"""When an alarm is in which state: M out of N data points, and missing ones, as the CloudWatch user guide tells it.

Source: "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Avoiding premature transitions to alarm
state" of the Amazon CloudWatch User Guide, with their tables. The guide does not say how many periods an alarm looks back; its
examples look at five for three evaluation periods, so here it is always two more than the evaluation periods.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
SPARE_PERIODS = 2
"""How many periods an alarm looks back beyond its evaluation periods."""
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
"""Operators on a static threshold, and how reasons word them."""


class Point(NamedTuple):
    """A period's statistic: where the period begins (epoch seconds), its value, and how many samples it has."""

    timestamp: int
    value: float
    samples: float


@dataclass(frozen=True, slots=True)
class Rule:
    """What of an alarm's configuration decides its state.

    ``explicit`` says that DatapointsToAlarm was given; ``least_samples`` is the number of samples below which a period says nothing
    (EvaluateLowSampleCountPercentile is ignore), 0 when all do.
    """

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str = "missing"
    explicit: bool = False
    least_samples: float = 0.0

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Rule:
        """The rule of an alarm as PutMetricAlarm takes it."""
        periods = document["EvaluationPeriods"]
        return cls(
            document["ComparisonOperator"],
            document["Threshold"],
            periods,
            document.get("DatapointsToAlarm") or periods,
            document.get("TreatMissingData") or "missing",
            document.get("DatapointsToAlarm") is not None,
            _least_samples(document),
        )

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


class Verdict(NamedTuple):
    """The state an alarm should have, the real data points that were looked at, newest first, and how many were filled in."""

    state: str
    points: tuple[Point, ...]
    filled: int


def evaluate(rule: Rule, points: Sequence[Point | None]) -> Verdict | None:
    """Judge the data points of an evaluation range.

    Args:
        points: One a period, oldest first, None where there is no data.

    Returns:
        None when the alarm keeps the state it has.
    """
    real = tuple(point for point in reversed(points) if point is not None)
    chosen = real[: rule.periods]
    filled = rule.periods - len(chosen)
    if any(point.samples < rule.least_samples for point in chosen):
        return None
    breaching = sum(rule.breaches(point.value) for point in chosen)
    if not filled:
        return Verdict(ALARM if breaching >= rule.to_alarm else OK, chosen, 0)
    if rule.missing in ("breaching", "notBreaching"):
        counted = breaching + (filled if rule.missing == "breaching" else 0)
        return Verdict(ALARM if counted >= rule.to_alarm else OK, chosen, filled)
    if not chosen:
        return Verdict(UNKNOWN, (), filled) if rule.missing == "missing" else None
    if breaching >= rule.to_alarm:
        return Verdict(ALARM, chosen, filled)
    if breaching < len(chosen):
        return Verdict(OK, chosen, filled)
    # All there is breaches, but it is too little to be sure: an alarm only once the oldest of it is old enough.
    oldest = next(index for index, point in enumerate(points) if point is not None)
    if rule.missing == "missing" and len(points) - oldest >= rule.to_alarm:
        return Verdict(ALARM, chosen, filled)
    return None


def _least_samples(document: Mapping[str, Any]) -> float:
    """Ten samples beyond the percentile, as the guide's "Percentile-based alarms and low data samples" has it."""
    name = document.get("ExtendedStatistic") or ""
    if document.get("EvaluateLowSampleCountPercentile") != "ignore" or not name.startswith("p"):
        return 0.0
    fraction = float(name[1:]) / 100
    beyond = 1 - fraction if fraction >= 0.5 else fraction
    return 10 / beyond if beyond > 0 else 0.0
