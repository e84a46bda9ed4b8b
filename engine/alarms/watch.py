"""One alarm as the engine watches it: its document, and when it is looked at next."""

from __future__ import annotations

from typing import Any

from engine.alarms import windows
from engine.alarms.rules import Point, Rule, Verdict, evaluate
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
    """

    def __init__(
        self, document: dict[str, Any], *, width: int | None = None, idle: float | None = None
    ) -> None:
        self.document = document
        self.rule = Rule.of(document)
        self.metric = Metric.of(document)
        self.width = width or document["Period"]
        self.idle = idle
        self.held = 0.0
        self._next = 0.0
        self._read_at = 0.0
        self._empty = False
        self._judged = False

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

    def hold(self, until: float) -> None:
        """Leave the alarm as it is until then (epoch seconds), and judge it after that even if nothing new came."""
        self.held = until
        self._judged = False

    @property
    def pace(self) -> float:
        """Seconds from one look to the next."""
        return max(1.0, self.width * self.rule.periods / _LOOKS_PER_SPAN)

    def due(self, store: MetricStore, now: float) -> bool:
        """Whether looking at the data could change anything."""
        if now < max(self.held, self._next):
            return False
        if not self._judged or not self._empty:
            return True
        metric = self.metric
        return (
            store.last(metric.namespace, metric.name, metric.dimensions) > self._read_at - _SETTLING_SECONDS
        )

    def judge(self, store: MetricStore, now: float) -> Verdict | None:
        """Read the data and judge it; reads files. None when the state stays."""
        self._next = now + self.pace
        points = windows.read(store, self.metric, now, self.document["Period"], self.width, self.rule.periods)
        self._read_at, self._judged = now, True
        self._empty = not any(points) and self.idle is None
        if self.idle is not None:
            points = self._idle(points, now)
        return evaluate(self.rule, points)

    def _idle(self, points: list[Point | None], now: float) -> list[Point | None]:
        """The points with silence filled in, as far back as the alarm exists."""
        assert self.idle is not None
        begin = self.document["AlarmConfigurationUpdatedTimestamp"]
        end = int(now) + 1
        filled: list[Point | None] = []
        for index, point in enumerate(points):
            start = end - (len(points) - index) * self.width
            silent = point is None and start >= begin
            filled.append(Point(start, self.idle, 0.0) if silent else point)
        return filled
