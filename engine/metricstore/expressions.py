"""Metric math: arithmetic on time series, as GetMetricData's ``Expression`` writes it.

Offered: numbers, ids of other queries, ``+ - * / ^``, unary minus, parentheses, ``[a, b]``, ``METRICS()`` and ``METRICS("part of id")``, and the
functions SUM, AVG, MIN, MAX, ABS, CEIL, FLOOR, RATE, DIFF, RUNNING_SUM, PERIOD, FILL (a number, REPEAT, LINEAR). As on AWS, an operation between two series keeps the
timestamps that both have; a function of several series keeps those that any has.
"""

from __future__ import annotations

import bisect
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time as now

from engine.metricstore.periods import beginning

Points = dict[int, float]


@dataclass(slots=True)
class TimeSeries:
    """Values by period start, and the period."""

    period: int
    points: Points = field(default_factory=dict)


Value = float | TimeSeries | list[TimeSeries]
_TOKEN = re.compile(
    r'\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|"([^"]*)"|([-+*/^(),\[\]]))'
)
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


class ExpressionError(Exception):
    """An expression cannot be read or has no meaning; the text says why."""


def names_in(expression: str) -> set[str]:
    """The words of an expression that may be ids of other queries."""
    return {text for kind, text in _tokens(expression) if kind == "name" and text[:1].islower()}


def evaluate(
    expression: str, known: Mapping[str, TimeSeries], metrics: set[str], span: tuple[int, int]
) -> Value:
    """The value of an expression.

    Args:
        known: Time series by query id.
        metrics: Which of them are metrics, not expressions: what METRICS() stands for.
        span: The first and the end of the time that was asked for, which FILL fills.

    Raises:
        ExpressionError: It cannot be evaluated.
    """
    parser = _Parser(_tokens(expression), known, metrics, span)
    value = parser.sum()
    if parser.tokens:
        raise ExpressionError(f"{parser.tokens[-1][1]!r} was not expected")
    return value


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"{text[position:][:20].strip()!r} is not offered in metric math here")
        kind = ("number", "name", "text", "sign")[(match.lastindex or 1) - 1]
        tokens.append((kind, match[match.lastindex or 1]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, evaluating as it goes."""

    def __init__(
        self,
        tokens: list[tuple[str, str]],
        known: Mapping[str, TimeSeries],
        metrics: set[str],
        span: tuple[int, int],
    ) -> None:
        self.tokens = tokens[::-1]
        self._known = known
        self._metrics = metrics
        self._span = span
        self._depth = 0

    def sum(self) -> Value:
        """A whole expression."""
        value = self._product()
        while sign := self._accept("+", "-"):
            value = _apply(sign, value, self._product())
        return value

    def _product(self) -> Value:
        value = self._signed()
        while sign := self._accept("*", "/"):
            value = _apply(sign, value, self._signed())
        return value

    def _signed(self) -> Value:
        if self._accept("-"):
            return _apply("*", -1.0, self._signed())
        value = self._one()
        return _apply("^", value, self._signed()) if self._accept("^") else value

    def _one(self) -> Value:
        self._depth += 1
        if self._depth > 500:
            raise ExpressionError("it is nested too deeply")
        if self._accept("("):
            value = self.sum()
            self._expect(")")
            return value
        if self._accept("["):
            return _several(self._arguments("]"))
        if not self.tokens:
            raise ExpressionError("it ends too early")
        kind, text = self.tokens.pop()
        if kind == "number":
            return float(text)
        if kind == "name" and self._accept("("):
            return self._call(text.upper())
        if kind == "name" and text in self._known:
            return self._known[text]
        raise ExpressionError(f"{text!r} is neither a query id nor a function that is offered")

    def _call(self, name: str) -> Value:
        if name == "METRICS":
            part = ""
            if self.tokens and self.tokens[-1][0] == "text":
                part = self.tokens.pop()[1]
            self._expect(")")
            return [self._known[key] for key in sorted(self._metrics) if part in key]
        if name == "FILL":
            return self._fill()
        arguments = self._arguments(")")
        if name in _AGGREGATES:
            if len(arguments) == 1 and isinstance(arguments[0], TimeSeries):
                return _scalar(_AGGREGATES[name], arguments[0])
            return _across(_AGGREGATES[name], _several(arguments))
        if name not in _PER_SERIES or len(arguments) != 1:
            raise ExpressionError(
                f"{name} with {len(arguments)} arguments is not offered in metric math here"
            )
        function, argument = _PER_SERIES[name], arguments[0]
        if isinstance(argument, list):
            return [function(one) for one in argument]
        if isinstance(argument, TimeSeries):
            return function(argument)
        raise ExpressionError(f"{name} takes a time series")

    def _fill(self) -> Value:
        series = self.sum()
        self._expect(",")
        if self.tokens and self.tokens[-1] in (("name", "REPEAT"), ("name", "LINEAR")):
            how: str | float = self.tokens.pop()[1]
        else:
            value = self.sum()
            if not isinstance(value, float):
                raise ExpressionError("FILL takes a number, REPEAT or LINEAR")
            how = value
        self._expect(")")
        if isinstance(series, float):
            raise ExpressionError("FILL takes a time series")
        if isinstance(series, list):
            return [_filled(one, how, self._span) for one in series]
        return _filled(series, how, self._span)

    def _arguments(self, end: str) -> list[Value]:
        found: list[Value] = []
        if self._accept(end):
            return found
        found.append(self.sum())
        while self._accept(","):
            found.append(self.sum())
        self._expect(end)
        return found

    def _accept(self, *signs: str) -> str:
        if self.tokens and self.tokens[-1][0] == "sign" and self.tokens[-1][1] in signs:
            return self.tokens.pop()[1]
        return ""

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise ExpressionError(f"{sign!r} is missing")


def _apply(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [_series(_apply(sign, one, right)) for one in left]
    if isinstance(right, list):
        return [_series(_apply(sign, left, one)) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        value = _compute(sign, left, right)
        if value is None:
            raise ExpressionError(f"{left} {sign} {right} has no value")
        return value
    both = [one for one in (left, right) if isinstance(one, TimeSeries)]
    times = set.intersection(*(set(one.points) for one in both))
    points = {}
    for time in sorted(times):
        first = left.points[time] if isinstance(left, TimeSeries) else left
        second = right.points[time] if isinstance(right, TimeSeries) else right
        value = _compute(sign, first, second)
        if value is not None:
            points[time] = value
    return TimeSeries(max(one.period for one in both), points)


def _compute(sign: str, left: float, right: float) -> float | None:
    """The result; None where it does not exist (a division by zero makes no data point on AWS)."""
    try:
        value = _ARITHMETIC[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    # A negative number to a broken power is complex.
    return float(value) if not isinstance(value, complex) and math.isfinite(value) else None


def _series(value: Value) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise ExpressionError("a list may hold time series only")
    return value


def _several(values: list[Value]) -> list[TimeSeries]:
    flat: list[TimeSeries] = []
    for value in values:
        flat += [_series(one) for one in (value if isinstance(value, list) else [value])]
    return flat


def _average(values: list[float]) -> float:
    return math.fsum(values) / len(values)


_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum,
    "AVG": _average,
    "MIN": min,
    "MAX": max,
}


def _scalar(function: Callable[[list[float]], float], series: TimeSeries) -> Value:
    """An aggregate of one series is one number, which meets every timestamp of the series."""
    if not series.points:
        return TimeSeries(series.period)
    value = function(list(series.points.values()))
    return TimeSeries(series.period, dict.fromkeys(series.points, value))


def _across(function: Callable[[list[float]], float], several: list[TimeSeries]) -> Value:
    if not several:
        raise ExpressionError("there is no time series to aggregate")
    times = sorted({time for one in several for time in one.points})
    points = {time: function([one.points[time] for one in several if time in one.points]) for time in times}
    return TimeSeries(max(one.period for one in several), points)


def _each(function: Callable[[float], float]) -> Callable[[TimeSeries], TimeSeries]:
    return lambda series: TimeSeries(
        series.period, {time: float(function(value)) for time, value in series.points.items()}
    )


def _rate(series: TimeSeries) -> TimeSeries:
    items = sorted(series.points.items())
    return TimeSeries(
        series.period,
        {late: (new - old) / (late - early) for (early, old), (late, new) in itertools.pairwise(items)},
    )


def _difference(series: TimeSeries) -> TimeSeries:
    items = sorted(series.points.items())
    return TimeSeries(series.period, {late: new - old for (_, old), (late, new) in itertools.pairwise(items)})


def _running_sum(series: TimeSeries) -> TimeSeries:
    total, points = 0.0, {}
    for time, value in sorted(series.points.items()):
        total += value
        points[time] = total
    return TimeSeries(series.period, points)


_PER_SERIES: dict[str, Callable[[TimeSeries], TimeSeries]] = {
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "RATE": _rate,
    "DIFF": _difference,
    "RUNNING_SUM": _running_sum,
    "PERIOD": lambda series: TimeSeries(series.period, dict.fromkeys(series.points, float(series.period))),
}


def _filled(series: TimeSeries, how: str | float, span: tuple[int, int]) -> TimeSeries:
    """Values at every period between two times."""
    period = series.period
    times = range(beginning(span[0], period, now()), span[1], period)
    if isinstance(how, float):
        return TimeSeries(period, {time: series.points.get(time, how) for time in times})
    points = dict(series.points)
    known = sorted(points)
    for time in times:
        place = bisect.bisect(known, time)
        if time in points or place == 0:
            continue
        before = known[place - 1]
        if how == "REPEAT":
            points[time] = series.points[before]
        elif place < len(known):
            behind = known[place]
            share = (time - before) / (behind - before)
            points[time] = series.points[before] + share * (series.points[behind] - series.points[before])
    return TimeSeries(period, dict(sorted(points.items())))
