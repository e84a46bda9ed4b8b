"""CloudWatch: GetMetricData, several metrics and expressions at once."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.metricstore import expressions
from engine.metricstore.expressions import ExpressionError, TimeSeries
from engine.metricstore.statistics import parse
from engine.registry import operation
from engine.services.cloudwatch import check_period, dimensions_of, invalid_value

_MOST_QUERIES = 500
_MOST_POINTS = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_LABEL = re.compile(r"\$\{(?:PROP\('([^']+)'\)|(LABEL|AVG|MIN|MAX|SUM|FIRST|LAST))\}")


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


@operation("cloudwatch", "GetMetricData")
async def get_metric_data(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Time series of up to 500 metrics and expressions, newest first unless asked otherwise."""
    queries = params["MetricDataQueries"]
    _check(queries)
    start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
    if start >= end:
        raise _refused("The parameter StartTime must be less than the parameter EndTime.")
    limit = params.get("MaxDatapoints") or _MOST_POINTS
    if not 1 <= limit <= _MOST_POINTS:
        raise invalid_value(f"The parameter MaxDatapoints must be between 1 and {_MOST_POINTS}.")
    token = params.get("NextToken")
    skip = 0
    if token:
        skip = engine.tokens.decode(
            "GetMetricData",
            params,
            token,
            code="InvalidNextToken",
            message="The next token specified is invalid.",
        )
    results = await asyncio.to_thread(_Evaluation(engine, queries, start, end).results)
    descending = params.get("ScanBy") != "TimestampAscending"
    return _page(engine, params, results, descending, skip, limit)


def _page(
    engine: Engine,
    params: dict[str, Any],
    results: list[dict[str, Any]],
    descending: bool,
    skip: int,
    limit: int,
) -> dict[str, Any]:
    """Points of all results are counted through; a page is ``limit`` of them behind the first ``skip``."""
    shown, passed, left = [], 0, limit
    for result in results:
        items = sorted(result.pop("points").items(), reverse=descending)
        begin = min(max(skip - passed, 0), len(items))
        page = items[begin : begin + left]
        passed += len(items)
        left -= len(page)
        if skip and begin == len(items) and items:
            continue  # Told wholly by the pages before.
        complete = begin + len(page) == len(items)
        shown.append(
            {
                **result,
                "Timestamps": [timestamp for timestamp, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "Complete" if complete else "PartialData",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if passed > skip + limit:
        answer["NextToken"] = engine.tokens.encode("GetMetricData", params, skip + limit)
    return answer


def _check(queries: list[dict[str, Any]]) -> None:
    if not queries:
        raise ServiceError(
            "MissingRequiredParameterException", "The parameter MetricDataQueries is required."
        )
    if len(queries) > _MOST_QUERIES:
        raise _refused(f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}.")
    seen: set[str] = set()
    for i, query in enumerate(queries, 1):
        path = f"MetricDataQueries.member.{i}"
        if not _ID.fullmatch(query["Id"]):
            raise _refused(
                f"The value {query['Id']} for parameter {path}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )
        if query["Id"] in seen:
            raise _refused(f"The values for parameter id in MetricDataQueries are not unique: {query['Id']}.")
        seen.add(query["Id"])
        stat = query.get("MetricStat")
        if (stat is None) == (query.get("Expression") is None):
            raise _refused(f"{path} must have just one of MetricStat and Expression.")
        if stat is None:
            continue
        check_period(stat["Period"])
        if parse(stat["Stat"]) is None:
            raise _refused(f"The value {stat['Stat']} for parameter {path}.MetricStat.Stat is not supported.")
        for name in ("Namespace", "MetricName"):
            if not stat["Metric"].get(name):
                raise _refused(f"The parameter {path}.MetricStat.Metric.{name} is required.")
    if not any(query.get("ReturnData", True) for query in queries):
        raise _refused("At least one of the MetricDataQueries must return data.")


class _Evaluation:
    """All queries of one request; expressions are evaluated once, after what they name."""

    def __init__(self, engine: Engine, queries: list[dict[str, Any]], start: float, end: float) -> None:
        self._engine = engine
        self._queries = {query["Id"]: query for query in queries}
        self._start, self._end = start, end
        self._known: dict[str, TimeSeries] = {}
        self._lists: dict[str, list[TimeSeries]] = {}
        self._running: set[str] = set()
        self._metrics = {name for name, query in self._queries.items() if query.get("MetricStat")}

    def results(self) -> list[dict[str, Any]]:
        """Id, label and points of each query that returns data.

        Raises:
            ServiceError: ``ValidationError``: an expression cannot be evaluated.
        """
        for name in [*sorted(self._metrics), *self._queries]:
            self._compute(name)
        found = []
        for name, query in self._queries.items():
            if not query.get("ReturnData", True):
                continue
            several = self._lists[name] if name in self._lists else [self._known[name]]
            for series in several:
                found.append({"Id": name, "Label": self._label(query, series), "points": series.points})
        return found

    def _compute(self, name: str) -> None:
        if name in self._known or name in self._lists:
            return
        query = self._queries[name]
        if name in self._metrics:
            self._known[name] = self._read(query["MetricStat"])
            return
        if name in self._running:
            raise _refused(f"Error in expression '{name}': it depends on itself.")
        self._running.add(name)
        try:
            for other in expressions.names_in(query["Expression"]) & set(self._queries):
                self._compute(other)
            span = (int(self._start), math.ceil(self._end))
            value = expressions.evaluate(query["Expression"], self._known, self._metrics, span)
        except ExpressionError as error:
            raise _refused(f"Error in expression '{name}': {error}.") from error
        if isinstance(value, TimeSeries):
            self._known[name] = value
        elif isinstance(value, list):
            self._lists[name] = value
        else:
            raise _refused(f"Error in expression '{name}': it must return a time series, not a number.")

    def _read(self, stat: dict[str, Any]) -> TimeSeries:
        period, metric = stat["Period"], stat["Metric"]
        points = self._engine.metrics.statistics(
            metric["Namespace"],
            metric["MetricName"],
            dimensions_of(metric.get("Dimensions")),
            self._start,
            self._end,
            period,
            [stat["Stat"]],
            unit=stat.get("Unit"),
        )
        return TimeSeries(period, {point.timestamp: point.values[stat["Stat"]] for point in points})

    def _label(self, query: dict[str, Any], series: TimeSeries) -> str:
        plain = self._plain_label(query)
        given = query.get("Label")
        if given is None:
            return plain
        values = [value for _, value in sorted(series.points.items())]

        def replace(match: re.Match[str]) -> str:
            if match[1] is not None:
                return self._property(query, match[1])
            if match[2] == "LABEL":
                return plain
            if not values:
                return "--"
            number = {
                "AVG": math.fsum(values) / len(values),
                "MIN": min(values),
                "MAX": max(values),
                "SUM": math.fsum(values),
                "FIRST": values[0],
                "LAST": values[-1],
            }[match[2]]
            return f"{number:.6g}"

        return _LABEL.sub(replace, given)

    def _plain_label(self, query: dict[str, Any]) -> str:
        """The metric's name, with dimensions and statistic where several queries have that name."""
        stat = query.get("MetricStat")
        if stat is None:
            return str(query["Id"])
        name = stat["Metric"]["MetricName"]
        same = [
            other
            for other in self._queries.values()
            if other.get("MetricStat") and other["MetricStat"]["Metric"]["MetricName"] == name
        ]
        if len(same) == 1:
            return str(name)
        values = dimensions_of(stat["Metric"].get("Dimensions")).values()
        return " ".join([*values, name, stat["Stat"]])

    def _property(self, query: dict[str, Any], name: str) -> str:
        stat = query.get("MetricStat") or {}
        metric = stat.get("Metric") or {}
        if name.startswith("Dim."):
            return dimensions_of(metric.get("Dimensions")).get(name[4:], "")
        known = {
            "AccountId": self._engine.settings.account_id,
            "MetricName": metric.get("MetricName", ""),
            "Namespace": metric.get("Namespace", ""),
            "Period": stat.get("Period", ""),
            "Region": self._engine.settings.region,
            "Stat": stat.get("Stat", ""),
        }
        return str(known.get(name, ""))
