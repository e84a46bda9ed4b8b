"""One poller per topic: what is asked at each poll, and when the next one is worth it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from workflows.budget import Pace
from workflows.explain import backend_lost, throttled
from workflows.observe import endpoints, jobs, logs, metrics
from workflows.observe.gateway import Gateway
from workflows.observe.rows import (
    EndpointDetail,
    EndpointRow,
    EndpointTraffic,
    JobDetail,
    JobRow,
    LogTail,
    SeriesData,
)
from workflows.problem import Problem
from workflows.topics import Topic

T = TypeVar("T")
R = TypeVar("R", JobRow, EndpointRow)

MOST_LINES = 20_000
"""Lines of a followed log that are kept in memory."""

DESCRIBES_PER_POLL = 2
"""Running jobs and changed endpoints that are described per poll of their list, for their instance types."""

OVERLAP = 2.0
"""Seconds that an incremental list looks back, because times of several writers are compared."""


class Poller(Protocol):
    """Asks for one topic, again and again; it is used by one thread at a time."""

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> Any:
        """The value now. ``emit`` shows a part of it early; ``now`` is epoch seconds."""

    def interval(self, pace: Pace) -> float | None:
        """Seconds until the next poll; None: it cannot change by itself any more."""


class ListPoller(Generic[R]):
    """A list of jobs or endpoints.

    The first poll pages through everything and shows each page. Later ones ask only for what changed since; SageMaker cannot
    sort by the time of the last change, but filters by it. A list that fits one page is asked for as a whole, which costs the
    same and also shows what was deleted; a longer one is, every ``pace.full`` seconds.
    """

    def __init__(
        self, list_pages: Callable[..., Iterator[tuple[R, ...]]], known: tuple[R, ...], pace: Pace
    ) -> None:
        self._list_pages: Callable[..., Iterator[tuple[R, ...]]] = list_pages
        self._pace = pace
        self._rows: dict[str, R] = {row.name: row for row in known}
        self._shown: tuple[R, ...] = known
        self._listed_at: float | None = None
        self._pages = 0

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[R, ...]:
        due = self._listed_at is None or now - self._listed_at >= self._pace.full
        if due or self._pages <= 1:
            self._list(gateway, emit, now)
        else:
            self._update(gateway)
        self._enrich(gateway)
        return self._sorted()

    def interval(self, pace: Pace) -> float | None:
        return pace.active if any(row.active for row in self._rows.values()) else pace.idle

    def _list(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> None:
        fresh: dict[str, R] = {}
        count = 0
        for page in self._list_pages(gateway):
            count += 1
            for row in page:
                fresh[row.name] = self._merged(row)
            if self._listed_at is None:
                self._rows |= fresh
                emit(self._sorted())
        self._rows, self._pages, self._listed_at = fresh, count, now

    def _update(self, gateway: Gateway) -> None:
        newest = max((row.modified for row in self._rows.values()), default=0.0)
        for page in self._list_pages(gateway, modified_after=newest - OVERLAP):
            changed = False
            for row in page:
                merged = self._merged(row)
                if self._rows.get(row.name) != merged:
                    self._rows[row.name] = merged
                    changed = True
            if not changed:
                return

    def _merged(self, row: R) -> R:
        return row

    def _enrich(self, gateway: Gateway) -> None:
        """Add what the list does not tell."""

    def _sorted(self) -> tuple[R, ...]:
        rows = tuple(sorted(self._rows.values(), key=lambda row: (-row.created, row.name)))
        if rows != self._shown:
            self._shown = rows
        return self._shown


class JobsPoller(ListPoller[JobRow]):
    """The list of training jobs, with the instance types of those that run."""

    def __init__(self, known: tuple[JobRow, ...], pace: Pace) -> None:
        super().__init__(jobs.list_pages, known, pace)

    def _merged(self, row: JobRow) -> JobRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(row, instance_type=known.instance_type, instance_count=known.instance_count)

    def _enrich(self, gateway: Gateway) -> None:
        bare = [row for row in self._rows.values() if row.active and not row.instance_type]
        for row in sorted(bare, key=lambda row: -row.created)[:DESCRIBES_PER_POLL]:
            try:
                self._rows[row.name] = jobs.describe(gateway, row.name).row
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    raise


class EndpointsPoller(ListPoller[EndpointRow]):
    """The list of endpoints, with their instances: each is described once per change."""

    def __init__(self, known: tuple[EndpointRow, ...], pace: Pace) -> None:
        super().__init__(endpoints.list_pages, known, pace)
        self._described: dict[str, tuple[float, str]] = {}

    def _merged(self, row: EndpointRow) -> EndpointRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(row, instances=known.instances)

    def _enrich(self, gateway: Gateway) -> None:
        changed = [
            row
            for row in self._rows.values()
            if row.paid and self._described.get(row.name) != (row.modified, row.status)
        ]
        for row in sorted(changed, key=lambda row: -row.modified)[:DESCRIBES_PER_POLL]:
            self._described[row.name] = (row.modified, row.status)
            try:
                found = endpoints.describe(gateway, row.name)
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    del self._described[row.name]
                    raise
            else:
                self._rows[row.name] = replace(row, instances=found.instances)


class JobPoller:
    """One training job, until it has ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._detail: JobDetail | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> JobDetail:
        found = jobs.describe(gateway, self._name)
        if found != self._detail:
            self._detail = found
        return self._detail or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._detail is None or self._detail.row.active else None


class EndpointPoller:
    """One endpoint; its configuration is asked for once per name, because configurations never change."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._detail: EndpointDetail | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> EndpointDetail:
        known = dict(self._detail.raw_config) if self._detail and self._detail.raw_config else None
        found = endpoints.describe(gateway, self._name, known)
        if found != self._detail:
            self._detail = found
        return self._detail or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._detail is None or self._detail.row.active else pace.idle


class LogPoller:
    """A followed log: the newest lines first, then what comes; quiet logs are asked less often."""

    def __init__(self, reader: logs.LogReader) -> None:
        self._reader = reader
        self._tail = LogTail()
        self._quiet = 0
        self._complete = True

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> LogTail:
        page = self._reader.read(gateway, most_pages=5)
        self._complete = page.complete
        self._quiet = 0 if page.lines else self._quiet + 1
        if page.lines:
            lines = self._tail.lines + page.lines
            dropped = max(0, len(lines) - MOST_LINES)
            self._tail = LogTail(lines[dropped:], self._tail.first + dropped)
        return self._tail

    def interval(self, pace: Pace) -> float | None:
        if not self._complete:
            return 0.0
        return min(max(pace.idle, pace.logs) * 4, pace.logs * 1.5 ** min(self._quiet, 20))


class JobMetricsPoller:
    """The training metrics of a job, once more after it has ended and then no more."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._detail: JobDetail | None = None
        self._series: tuple[SeriesData, ...] = ()
        self._after_end = 0

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[SeriesData, ...]:
        if self._detail is None or self._detail.row.active:
            self._detail = jobs.describe(gateway, self._name)
        found = metrics.job_series(gateway, self._detail, period=self._pace.training_period, now=now)
        if not self._detail.row.active:
            self._after_end += 1
        if found != self._series:
            self._series = found
        return self._series

    def interval(self, pace: Pace) -> float | None:
        # Data points may arrive a little after the job has ended.
        return None if self._after_end >= 2 else pace.metrics


class EndpointMetricsPoller:
    """What each variant of an endpoint serves. Its variants are looked up again every tenth time."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._variants: tuple[str, ...] = ()
        self._polls = 0
        self._traffic: EndpointTraffic | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> EndpointTraffic:
        if not self._variants or self._polls % 10 == 0:
            self._variants = tuple(
                variant.name for variant in endpoints.describe(gateway, self._name).variants
            )
        self._polls += 1
        found = metrics.endpoint_traffic(
            gateway,
            self._name,
            self._variants,
            window=self._pace.traffic_window,
            period=self._pace.traffic_period,
            now=now,
        )
        if found != self._traffic:
            self._traffic = found
        return self._traffic or found

    def interval(self, pace: Pace) -> float | None:
        return pace.metrics


class RunsPoller:
    """The runs of studies on this machine: files, no AWS call."""

    local = True

    def __init__(self) -> None:
        self._active = True
        self._runs: tuple[Any, ...] = ()

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> tuple[Any, ...]:
        from workflows.runs import list_runs

        found = tuple(list_runs())
        self._active = any(run.active for run in found)
        if found != self._runs:
            self._runs = found
        return self._runs

    def interval(self, pace: Pace) -> float | None:
        return 1.0 if self._active else 3.0


def poller(topic: Topic[Any], known: Any, pace: Pace) -> Any:
    """The poller of a topic.

    Args:
        known: The last known value, for lists: it is shown until the first pages replace it.

    Raises:
        Problem: There is no such topic.
    """
    match topic.kind:
        case "jobs":
            return JobsPoller(known or (), pace)
        case "endpoints":
            return EndpointsPoller(known or (), pace)
        case "runs":
            return RunsPoller()
        case "job":
            return JobPoller(topic.name)
        case "endpoint":
            return EndpointPoller(topic.name)
        case "job-logs":
            return LogPoller(logs.LogReader.of_job(topic.name, tail=logs.PAGE))
        case "endpoint-logs":
            return LogPoller(logs.LogReader.of_endpoint(topic.name, tail=1_000))
        case "job-metrics":
            return JobMetricsPoller(topic.name, pace)
        case "endpoint-metrics":
            return EndpointMetricsPoller(topic.name, pace)
    raise Problem(f"There is nothing to observe called {topic}.")
