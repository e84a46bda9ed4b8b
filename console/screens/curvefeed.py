"""The curves in a training job's log, found away from the event loop as its lines come."""

from __future__ import annotations

from collections.abc import Callable

from console.screens.base import ConsoleScreen
from workflows.observe.curves import Curve, CurveReader
from workflows.observe.rows import JobDetail, LogTail
from workflows.problem import Problem


class CurveFeed:
    """Calls ``changed`` with whether these are the first curves; `curves` has them. Many lines times many expressions take a while."""

    def __init__(self, screen: ConsoleScreen, changed: Callable[[bool], None]) -> None:
        self.curves: tuple[Curve, ...] = ()
        self._screen, self._changed = screen, changed
        self._reader: CurveReader | None = None
        self._lines_read = 0
        self._reading = False
        self._next: tuple[LogTail, JobDetail] | None = None

    def read(self, tail: LogTail | None, detail: JobDetail | None) -> None:
        """Find the metrics in the lines that are new."""
        if tail is None or detail is None or not detail.metric_definitions:
            return
        self._next = tail, detail
        if self._reading or tail.end <= self._lines_read:
            return
        reader = self._reader = self._reader or CurveReader(detail.metric_definitions)
        lines, self._lines_read, self._reading = tail.since(self._lines_read), tail.end, True

        def found() -> tuple[Curve, ...]:
            reader.read(lines)
            return reader.curves()

        self._screen.work(found, self._were_read, self._not_read)

    def _were_read(self, curves: tuple[Curve, ...]) -> None:
        self._reading = False
        if not self._screen.is_attached:
            return
        if curves != self.curves:
            first, self.curves = not self.curves, curves
            self._changed(first)
        if self._next is not None:
            self.read(*self._next)

    def _not_read(self, problem: Problem) -> None:
        self._reading = False
        self._screen.console.tell(problem)
