"""One alarm as the engine watches it: its document, and when it is looked at next."""

from __future__ import annotations

import math
from typing import Any

from engine.alarms import windows
from engine.alarms.rules import ALARM, Point, Rule, Verdict, evaluate
from engine.alarms.windows import Metric
from engine.series import MetricStore

_LOOKS_PER_SPAN = 120
"""How often an alarm is looked at while its evaluation periods pass: what it costs does not grow with them."""
_SETTLING_SECONDS = 2.0
"""A second's values may still be added to for so long after its first one came."""


class Watch:
    """An alarm's document (members as DescribeAlarms has them, times in epoch seconds) and what is known of its data.

    Args:
        width: The period in seconds as it passes here; the declared one unless its waits are scaled.
        idle: What a period without data counts as, for metrics whose silence means zero; None leaves it missing.
        since: Epoch seconds; silence before does not count: the alarm, or the engine, was not there.
    """

    def __init__(
        self,
        document: dict[str, Any],
        *,
        width: int | None = None,
        idle: float | None = None,
        since: float = 0.0,
    ) -> None:
        self.document = document
        self.rule = Rule.of(document)
        self.metric = Metric.of(document)
        self.width = width or document["Period"]
        self.idle = idle
        self._since = since
        self.held = 0.0
        self._next = 0.0
        self.points: list[Point | None] = []
        self._read_at = 0.0
        self._empty = False
        # A sum or a count that is too low may only be one that has not grown yet.
        self._patient = self.metric.statistic in windows.GROWING and self.rule.comparison.startswith("Less")

    @property
    def name(self) -> str:
        """AlarmName."""
        name: str = self.document["AlarmName"]
        return name

    @property
    def state(self) -> str:
        """StateValue."""
        state: str = self.document["StateValue"]
        return state

    def hold(self, until: float, told: Any = None) -> None:
        """Leave the alarm as it is until then (epoch seconds), and judge it after that even if nothing new came.

        ``told`` are reason data that may have ``recentDatapoints``; they stand for the alarm's own until then.
        """
        values = told.get("recentDatapoints") if isinstance(told, dict) else None
        if isinstance(values, list):
            numbers = [value for value in values if isinstance(value, int | float)]
            self.points = [Point(math.ceil(until), float(value), 1.0) for value in numbers]
        self.held = until
        self._empty = False

    @property
    def pace(self) -> float:
        """Seconds from one look to the next."""
        return max(1.0, self.width * self.rule.periods / _LOOKS_PER_SPAN)

    def due(self, store: MetricStore, now: float) -> bool:
        """Whether looking at the data could change anything."""
        if now < max(self.held, self._next):
            return False
        # Data may have come ahead of its time: what is empty is looked at once a period all the same.
        empty = self._empty and now < self._read_at + self.width
        return not empty or self._last(store) > self._read_at - _SETTLING_SECONDS

    def judge(self, store: MetricStore, now: float) -> Verdict | None:
        """Read the data and judge it; reads files. None when the state stays.

        The periods that are over decide. The last seconds are looked at, too, as the newest of periods that end now: they raise an alarm
        before the period is over, and are all there is to judge while a metric is new.
        """
        self._next = now + self.pace
        self._read_at = now
        end = int(now)
        self.points = over = self._points(store, end // self.width * self.width)
        verdict = evaluate(self.rule, over)
        forgotten = self._last(store) < end - self.width * len(over)
        self._empty = self.idle is None and forgotten and not any(over)
        if self._patient or self._empty or (verdict is not None and verdict.state == ALARM):
            return verdict
        moving = self._points(store, end)
        early = evaluate(self.rule, moving)
        newest = moving[-1]
        breaks = newest is not None and self.rule.breaches(newest.value)
        if (breaks and early is not None and early.state == ALARM) or (any(moving) and not any(over)):
            self.points = moving
            return early
        return verdict

    def _last(self, store: MetricStore) -> float:
        return store.last(self.metric.namespace, self.metric.name, self.metric.dimensions)

    def _points(self, store: MetricStore, end: int) -> list[Point | None]:
        """The data points of periods up to ``end``, with silence filled in where it counts."""
        points = windows.read(store, self.metric, end, self.document["Period"], self.width, self.rule.periods)
        if self.idle is None:
            return points
        starts = range(end - len(points) * self.width, end, self.width)
        return [
            Point(start, self.idle, 0.0) if point is None and start >= self._since else point
            for start, point in zip(starts, points, strict=True)
        ]
