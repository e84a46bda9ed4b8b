"""CloudWatch metrics: putting, listing and reading data. JSON and the older query protocol share these handlers."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.metricstore.bins import Bin
from engine.metricstore.periods import beginning
from engine.metricstore.statistics import BASIC, parse
from engine.registry import operation

_WEEKS_BACK = 14 * 86400
_AHEAD = 2 * 3600
_MOST_DATA = 1000
_MOST_VALUES = 150
_MOST_POINTS = 1440
_PAGE = 500
_LARGEST = 2.0**360
_RECENT = 3 * 3600


def invalid_value(message: str) -> ServiceError:
    """``InvalidParameterValue``."""
    return ServiceError("InvalidParameterValueException", message)


def invalid_combination(message: str) -> ServiceError:
    """``InvalidParameterCombination``."""
    return ServiceError("InvalidParameterCombinationException", message)


def dimensions_of(items: list[dict[str, Any]] | None) -> dict[str, str]:
    """Dimensions as a dict.

    Raises:
        ServiceError: ``InvalidParameterValue``: a name is given twice.
    """
    found: dict[str, str] = {}
    for item in items or ():
        if item["Name"] in found:
            raise invalid_value(f"The dimension {item['Name']} is given twice.")
        found[item["Name"]] = item["Value"]
    return found


def check_period(period: int) -> None:
    """Refuse a period that CloudWatch does not have.

    Raises:
        ServiceError: ``InvalidParameterValue``.
    """
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise invalid_value(
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}."
        )


@operation("cloudwatch", "PutMetricData")
async def put_metric_data(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Take data points: single values, values with counts, statistic sets. All or none of a request."""
    namespace = params["Namespace"]
    if namespace.startswith("AWS/"):
        raise invalid_value("The value AWS/ for parameter Namespace is invalid.")
    data = [*params.get("MetricData", ())]
    for group in params.get("EntityMetricData", ()):
        data += group.get("MetricData", ())
    if not data:
        raise ServiceError("MissingRequiredParameterException", "The parameter MetricData is required.")
    if len(data) > _MOST_DATA:
        raise invalid_value(f"The collection MetricData must not have a size greater than {_MOST_DATA}.")
    now = engine.clock.time()
    checked = [_datum(item, f"MetricData.member.{i}", now) for i, item in enumerate(data, 1)]
    for (values, statistic_set, timestamp), item in zip(checked, data, strict=True):
        unit = item.get("Unit") or "None"
        dimensions = dimensions_of(item.get("Dimensions"))
        if statistic_set is not None:
            engine.metrics.put_statistics(
                namespace, item["MetricName"], dimensions, statistic_set, timestamp, unit
            )
        else:
            engine.metrics.put_values(namespace, item["MetricName"], dimensions, values, timestamp, unit)
    return {}


_Datum = tuple[list[tuple[float, float]], tuple[float, float, float, float] | None, float]


def _datum(item: dict[str, Any], path: str, now: float) -> _Datum:
    """The values with their counts, or the statistic set, and the time of a datum.

    Raises:
        ServiceError: In CloudWatch's words.
    """
    given = [name for name in ("Value", "Values", "StatisticValues") if item.get(name) not in (None, [])]
    if len(given) > 1:
        text = f"The parameters {path}.{given[0]} and {path}.{given[1]} are mutually exclusive and you have specified both."
        raise invalid_combination(text)
    if not given:
        text = f"At least one of the parameters {path}.Value, {path}.Values or {path}.StatisticValues must be specified."
        raise ServiceError("MissingRequiredParameterException", text)
    dimensions_of(item.get("Dimensions"))
    resolution = item.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise invalid_value(f"The value {resolution} for parameter {path}.StorageResolution is invalid.")
    moment = item.get("Timestamp")
    timestamp = moment.timestamp() if moment is not None else now
    if timestamp > now + _AHEAD:
        raise invalid_value(
            f"The parameter {path}.Timestamp must specify a time no more than two hours in the future."
        )
    if timestamp < now - _WEEKS_BACK:
        raise invalid_value(f"The parameter {path}.Timestamp must specify a time within the past two weeks.")
    if given == ["StatisticValues"]:
        found = item["StatisticValues"]
        numbers = tuple(
            _number(found[name], f"{path}.{name}") for name in ("SampleCount", "Sum", "Minimum", "Maximum")
        )
        if numbers[0] <= 0 or numbers[2] > numbers[3]:
            raise invalid_value(f"The statistic set {path}.StatisticValues holds no possible statistics.")
        return [], (numbers[0], numbers[1], numbers[2], numbers[3]), timestamp
    if given == ["Value"]:
        return [(_number(item["Value"], f"{path}.Value"), 1.0)], None, timestamp
    values = [_number(value, f"{path}.Values") for value in item["Values"]]
    counts = [_number(count, f"{path}.Counts") for count in item.get("Counts") or [1.0] * len(values)]
    if len(values) > _MOST_VALUES or len(counts) != len(values):
        raise invalid_value(
            f"The parameters {path}.Values and {path}.Counts must be of the same size, at most {_MOST_VALUES}."
        )
    if any(count <= 0 for count in counts):
        raise invalid_value(f"Each of {path}.Counts must be greater than zero.")
    return list(zip(values, counts, strict=True)), None, timestamp


def _number(value: float, path: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise invalid_value(f"The value {value} for parameter {path} is invalid.")
    return float(value)


@operation("cloudwatch", "ListMetrics")
async def list_metrics(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Metrics that have data; units do not tell metrics apart."""
    wanted = params.get("Dimensions") or ()
    since = engine.clock.time() - _RECENT if params.get("RecentlyActive") else 0.0
    token = params.get("NextToken")
    after: list[Any] = []
    if token:
        text = "The token you provided is invalid or has expired."
        after = engine.tokens.decode(
            "ListMetrics", params, token, code="InvalidParameterValueException", message=text
        )
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in engine.metrics.series(params.get("Namespace"), params.get("MetricName")):
        key = (item.namespace, item.name, item.dimensions)
        if [*map(_plain, key)] <= after or item.last < since or key in found:
            continue
        held = dict(item.dimensions)
        if all(
            entry["Name"] in held and entry.get("Value", held[entry["Name"]]) == held[entry["Name"]]
            for entry in wanted
        ):
            found[key] = {
                "Namespace": item.namespace,
                "MetricName": item.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in item.dimensions],
            }
    keys = list(found)
    answer: dict[str, Any] = {"Metrics": [found[key] for key in keys[:_PAGE]]}
    if len(keys) > _PAGE:
        answer["NextToken"] = engine.tokens.encode("ListMetrics", params, [*map(_plain, keys[_PAGE - 1])])
    return answer


def _plain(part: Any) -> Any:
    """A part of a series' key as JSON gives it back."""
    return [list(pair) for pair in part] if isinstance(part, tuple) else part


@operation("cloudwatch", "GetMetricStatistics")
async def get_metric_statistics(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Statistics of one metric; without a unit each unit has its own data points."""
    names = [*(params.get("Statistics") or ()), *(params.get("ExtendedStatistics") or ())]
    if not names:
        raise invalid_combination(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    parsed = {}
    for name in names:
        found = parse(name)
        if found is None or (name in BASIC) is not (name in (params.get("Statistics") or ())):
            raise invalid_value(f"The value {name} for parameter ExtendedStatistics is not supported.")
        parsed[name] = found
    period = params["Period"]
    check_period(period)
    start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
    if start >= end:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    first, last = beginning(start, period, engine.clock.time()), math.ceil(end)
    points = math.ceil((last - first) / period)
    if points > _MOST_POINTS:
        raise invalid_combination(
            f"You have requested up to {points:,} datapoints, which exceeds the limit of {_MOST_POINTS:,}. You may reduce the "
            "datapoints requested by increasing Period, or decreasing the time range."
        )
    units = await asyncio.to_thread(
        engine.metrics.bins,
        params["Namespace"],
        params["MetricName"],
        dimensions_of(params.get("Dimensions")),
        first,
        last,
        period,
        unit=params.get("Unit"),
        distribution=any(needs for _, needs in parsed.values()),
        phase=first % period,
    )
    datapoints = [
        _datapoint(timestamp, unit, found, {name: compute(found) for name, (compute, _) in parsed.items()})
        for unit, bins in units.items()
        for timestamp, found in bins.items()
    ]
    datapoints.sort(key=lambda point: point["Timestamp"])
    return {"Label": params["MetricName"], "Datapoints": datapoints}


def _datapoint(timestamp: int, unit: str, found: Bin, values: dict[str, float | None]) -> dict[str, Any]:
    point: dict[str, Any] = {"Timestamp": timestamp, "Unit": unit}
    point.update({name: value for name, value in values.items() if name in BASIC and value is not None})
    extended = {name: value for name, value in values.items() if name not in BASIC and value is not None}
    if extended:
        point["ExtendedStatistics"] = extended
    return point
