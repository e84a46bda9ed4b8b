"""The alarms of a rollout: what PutMetricAlarm is asked for, and what DescribeAlarms tells of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.observe.metrics import SERVING
from workflows.observe.reading import seconds
from workflows.rollout.facts import Baseline, Fleet
from workflows.rollout.request import GAUGES, Gauge, Limit, RolloutRequest

PREFIX = "mlconsole"
MANUAL = "roll-back-now"
"""What ends the name of the alarm that a person sets off: SageMaker has no other way to stop an update that runs."""
NAMESPACE = "mlconsole/Rollouts"
"""Of the manual alarm's metric, which nobody ever puts: the alarm stays as it is set."""
MOST_ALARMS = 10
"""Alarms that an AutoRollbackConfiguration takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """One generated alarm. ``threshold`` is what a person reads (a share, milliseconds), ``blue`` what blue had of it (None: not
    known), ``relative`` whether the threshold was taken from that."""

    name: str
    variant: str
    gauge: Gauge
    threshold: float
    blue: float | None = None
    relative: bool = False


def manual_name(rollout: str) -> str:
    """The name of a rollout's manual alarm."""
    return f"{PREFIX}-{rollout}-{MANUAL}"


def guardrails(
    request: RolloutRequest, rollout: str, fleets: tuple[Fleet, ...]
) -> tuple[tuple[Guardrail, ...], tuple[str, ...]]:
    """The alarms for each variant that changes, and a sentence for each that cannot be made."""
    made: list[Guardrail] = []
    missing: list[str] = []
    for fleet in fleets:
        for key, limit in request.limits.items():
            gauge = GAUGES[key]
            past = fleet.baseline.values.get(key)
            threshold = _threshold(gauge, limit, fleet.baseline)
            if threshold is None:
                missing.append(
                    f"No alarm on the {gauge.title} of {fleet.variant}: blue served "
                    f"{fleet.baseline.invocations:.0f} requests in the last hour, too few to take {limit.text(gauge)} of."
                )
                continue
            made.append(
                Guardrail(
                    name=f"{PREFIX}-{rollout}-{fleet.variant}-{key}",
                    variant=fleet.variant,
                    gauge=gauge,
                    threshold=threshold,
                    blue=past,
                    relative=limit.relative,
                )
            )
    return tuple(made), tuple(missing)


def _threshold(gauge: Gauge, limit: Limit, past: Baseline) -> float | None:
    """What may not be passed; None where blue's past is too thin. A multiple of hardly any errors is never below 1 %."""
    if not limit.relative:
        return limit.value
    known = past.values.get(gauge.key)
    if not past.enough or known is None:
        return None
    made = known * limit.value
    return max(0.01, min(made, 0.99)) if gauge.unit == "share" else made


def document(guardrail: Guardrail, request: RolloutRequest, *, rollout: str, config: str) -> dict[str, Any]:
    """What PutMetricAlarm is asked for. The third dimension selects the new fleet: blue's own errors do not count.

    No request is no breach, and a percentile of so few requests that it is one request's luck is passed over.
    """
    gauge = guardrail.gauge
    statistic = (
        {"ExtendedStatistic": gauge.statistic, "EvaluateLowSampleCountPercentile": "ignore"}
        if gauge.statistic.startswith("p")
        else {"Statistic": gauge.statistic}
    )
    return {
        "AlarmName": guardrail.name,
        "AlarmDescription": f"Guardrail of rollout {rollout}: {gauge.title} of {guardrail.variant} on {request.endpoint}.",
        "Namespace": SERVING,
        "MetricName": gauge.metric,
        "Dimensions": [
            {"Name": "EndpointName", "Value": request.endpoint},
            {"Name": "VariantName", "Value": guardrail.variant},
            {"Name": "EndpointConfigName", "Value": config},
        ],
        **statistic,
        "Period": request.period,
        "EvaluationPeriods": request.periods,
        "Threshold": round(guardrail.threshold * gauge.factor, 9),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": tags(rollout),
    }


def manual_document(request: RolloutRequest, rollout: str) -> dict[str, Any]:
    """The manual alarm: without data it keeps the state that it is given (``ignore``)."""
    return {
        "AlarmName": manual_name(rollout),
        "AlarmDescription": f"Set to ALARM by hand, it rolls {request.endpoint} back (rollout {rollout}).",
        "Namespace": NAMESPACE,
        "MetricName": "ManualRollback",
        "Dimensions": [{"Name": "Rollout", "Value": rollout}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
        "Tags": tags(rollout),
    }


def tags(rollout: str) -> list[dict[str, str]]:
    """What everything that a rollout makes is tagged with."""
    return [{"Key": "mlconsole:rollout", "Value": rollout}]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """An alarm of a rollout now. ``value`` is the newest data point that it was judged by, in the gauge's own unit (None: none
    yet); ``gauge`` is empty for a person's own alarms and for the manual one. Thresholds as `Guardrail`'s."""

    name: str
    state: str
    gauge: str = ""
    variant: str = ""
    value: float | None = None
    threshold: float | None = None
    blue: float | None = None
    reason: str = ""
    since: float = 0.0
    manual: bool = False

    @property
    def title(self) -> str:
        """What it watches, short."""
        if self.manual:
            return "roll back now"
        return GAUGES[self.gauge].title if self.gauge else self.name


def state_of(item: Mapping[str, Any], known: Mapping[str, Guardrail], manual: str) -> AlarmState:
    """The state of an alarm that DescribeAlarms tells of."""
    name = str(item["AlarmName"])
    guardrail = known.get(name)
    value = _newest(item)
    return AlarmState(
        name=name,
        state=str(item.get("StateValue") or "INSUFFICIENT_DATA"),
        gauge=guardrail.gauge.key if guardrail else "",
        variant=guardrail.variant if guardrail else "",
        value=None if value is None else value / (guardrail.gauge.factor if guardrail else 1.0),
        threshold=guardrail.threshold if guardrail else _number(item.get("Threshold")),
        blue=guardrail.blue if guardrail else None,
        reason=str(item.get("StateReason") or ""),
        since=seconds(item.get("StateUpdatedTimestamp")) or 0.0,
        manual=name == manual,
    )


def _newest(item: Mapping[str, Any]) -> float | None:
    """The newest data point in StateReasonData, which is JSON within the answer."""
    try:
        points = json.loads(str(item.get("StateReasonData") or "{}")).get("recentDatapoints") or []
    except (ValueError, AttributeError):
        return None
    return _number(points[-1]) if points else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
