"""What PutMetricAlarm refuses, in CloudWatch's words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from engine.alarms.rules import COMPARISONS, TREATMENTS
from engine.errors import ServiceError
from engine.metricstore.statistics import BASIC, parse
from engine.services.cloudwatch import dimensions_of

_DAY, _WEEK, _HOUR = 86400, 604800, 3600
_ACTION = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:[\w-]*:.+", re.DOTALL)
_NOT_HERE = {
    "Metrics": "metric math (Metrics)",
    "ThresholdMetricId": "anomaly detection (ThresholdMetricId)",
    "EvaluationCriteria": "PromQL alarms (EvaluationCriteria)",
    "EvaluationInterval": "PromQL alarms (EvaluationInterval)",
    "WarmUpConfiguration": "warm-up periods (WarmUpConfiguration)",
}
_REQUIRED = ("MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")


def invalid(message: str) -> ServiceError:
    """``ValidationError``."""
    return ServiceError("ValidationException", message)


def check(params: Mapping[str, Any]) -> None:
    """Refuse an alarm that CloudWatch would refuse, or that this engine does not watch.

    Raises:
        ServiceError: ``ValidationError``, ``MissingParameter`` or ``InvalidParameterCombination``.
    """
    for name, what in _NOT_HERE.items():
        if params.get(name):
            raise invalid(
                f"This engine does not offer {what}. Give MetricName, Namespace and a static Threshold."
            )
    if (params.get("EvaluationWindow") or {}).get("WallClockWindow") is not None:
        raise invalid("This engine does not offer wall clock windows. Leave EvaluationWindow out.")
    for name in _REQUIRED:
        if params.get(name) is None:
            raise ServiceError("MissingRequiredParameterException", f"The parameter {name} is required.")
    if not math.isfinite(params["Threshold"]):
        raise invalid(f"The value {params['Threshold']} for parameter Threshold is not a number.")
    for kind in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in params.get(kind) or ():
            if _ACTION.fullmatch(action) is None:
                raise invalid(f"Invalid arn syntax: {action}")
    _statistic(params)
    _periods(params)
    comparison = params["ComparisonOperator"]
    if comparison not in COMPARISONS:
        raise invalid(f"The comparison operator {comparison} is for anomaly detection alarms only.")
    treatment = params.get("TreatMissingData")
    if treatment is not None and treatment not in TREATMENTS:
        raise invalid(
            f"Option {treatment} is not supported for TreatMissingData. Supported options: [{', '.join(TREATMENTS)}]"
        )
    dimensions_of(params.get("Dimensions"))


def _statistic(params: Mapping[str, Any]) -> None:
    statistic, extended = params.get("Statistic"), params.get("ExtendedStatistic")
    if statistic and extended:
        raise ServiceError(
            "InvalidParameterCombinationException",
            "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.",
        )
    if not statistic and not extended:
        raise ServiceError(
            "MissingRequiredParameterException",
            "At least one of the parameters Statistic and ExtendedStatistic must be specified.",
        )
    if extended and (extended in BASIC or parse(extended) is None):
        raise invalid(f"The value {extended} for parameter ExtendedStatistic is not supported.")
    low = params.get("EvaluateLowSampleCountPercentile")
    if low is None:
        return
    if low not in ("evaluate", "ignore"):
        raise invalid(
            f"Option {low} is not supported for EvaluateLowSampleCountPercentile. Supported options: [evaluate, ignore]"
        )
    if not (extended or "").startswith("p"):
        raise invalid("EvaluateLowSampleCountPercentile is for alarms on percentiles only.")


def _periods(params: Mapping[str, Any]) -> None:
    period, periods = params["Period"], params["EvaluationPeriods"]
    if period not in (10, 20, 30) and period % 60:
        raise invalid("Period must be 10, 20, 30 or a multiple of 60")
    if period < _HOUR and period * periods > _DAY:
        raise invalid(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {_DAY}) "
            f"for alarms using period < {_HOUR}"
        )
    if period * periods > _WEEK:
        raise invalid(
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {_WEEK}) "
            f"for alarms using period >= {_HOUR}"
        )
    if (params.get("DatapointsToAlarm") or 1) > periods:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
