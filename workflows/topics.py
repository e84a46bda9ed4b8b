"""What can be subscribed to at the hub, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from workflows.abtest.report import Report as TestReport
    from workflows.abtest.report import View
    from workflows.costs.overview import CostView
    from workflows.observe.rows import (
        EndpointDetail,
        EndpointRow,
        EndpointTraffic,
        JobDetail,
        JobRow,
        LogTail,
        SeriesData,
    )
    from workflows.observe.transform_rows import TransformDetail, TransformProgress, TransformRow
    from workflows.observe.tuning_rows import TuningRow, TuningView
    from workflows.observe.watch_rows import AlarmRow, EndpointScaling
    from workflows.problem import Problem
    from workflows.rollout.asked import RolloutView
    from workflows.runs import Run
    from workflows.safety.auditlog import Entry
    from workflows.traffic.reports import Report

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topic(Generic[T]):
    """A kind of observation and the name of what is observed (empty for lists)."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


JOBS: Topic[tuple[JobRow, ...]] = Topic("jobs")
ENDPOINTS: Topic[tuple[EndpointRow, ...]] = Topic("endpoints")
TUNING_JOBS: Topic[tuple[TuningRow, ...]] = Topic("tuning-jobs")
TRANSFORMS: Topic[tuple[TransformRow, ...]] = Topic("transforms")
RUNS: Topic[tuple[Run, ...]] = Topic("runs")
EXPERIMENTS: Topic[tuple[TestReport, ...]] = Topic("experiments")
REPLAYS: Topic[tuple[Report, ...]] = Topic("replays")
AUDIT: Topic[tuple[Entry, ...]] = Topic("audit")
COSTS: Topic[CostView] = Topic("costs")


def job(name: str) -> Topic[JobDetail]:
    """One training job, described."""
    return Topic("job", name)


def endpoint(name: str) -> Topic[EndpointDetail]:
    """One endpoint with its configuration."""
    return Topic("endpoint", name)


def job_logs(name: str) -> Topic[LogTail]:
    """The log of a training job, followed."""
    return Topic("job-logs", name)


def endpoint_logs(name: str) -> Topic[LogTail]:
    """The log of all variants of an endpoint, followed."""
    return Topic("endpoint-logs", name)


def job_metrics(name: str) -> Topic[tuple[SeriesData, ...]]:
    """The training metrics of a job."""
    return Topic("job-metrics", name)


def endpoint_metrics(name: str) -> Topic[EndpointTraffic]:
    """Invocations, latency and errors per variant."""
    return Topic("endpoint-metrics", name)


def endpoint_alarms(name: str) -> Topic[tuple[AlarmRow, ...]]:
    """The alarms that watch an endpoint."""
    return Topic("endpoint-alarms", name)


def endpoint_scaling(name: str) -> Topic[EndpointScaling]:
    """How the instances of an endpoint are scaled."""
    return Topic("endpoint-scaling", name)


def tuning(name: str) -> Topic[TuningView]:
    """One tuning job with its trials and the default runs made for it."""
    return Topic("tuning", name)


def transform(name: str) -> Topic[TransformDetail]:
    """One transform job, described."""
    return Topic("transform", name)


def transform_progress(name: str) -> Topic[TransformProgress]:
    """Records and bytes of a transform job, and how busy its instances are."""
    return Topic("transform-progress", name)


def transform_logs(name: str) -> Topic[LogTail]:
    """The log of a transform job, followed."""
    return Topic("transform-logs", name)


def experiment(name: str) -> Topic[View]:
    """One A/B test: where it stands, and what feeds it."""
    return Topic("experiment", name)


def rollout(name: str) -> Topic[RolloutView]:
    """One rollout: how far it is, its alarms, its events."""
    return Topic("rollout", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Generic[T]):
    """What is known of a topic at one moment.

    ``value`` is the last good answer (None: there was none yet) and ``fetched_at`` its time; ``error`` says why the newest
    attempt failed, while the value stays. ``stale``: the value is from an earlier session or older than two polls.
    ``next_at`` and ``throttled_until`` are epoch seconds (None: no poll is armed, not throttled). ``complete`` is False while
    a list is still being paged in; ``more``: it has older members that are not listed. ``noticed``: changes are noticed between
    polls, so that it is true until the next one. ``generation`` grows with each new subscription and each new target: a consumer drops a
    snapshot with a smaller one than it has seen.
    """

    topic: Topic[T]
    value: T | None = None
    fetched_at: float | None = None
    error: Problem | None = None
    stale: bool = False
    complete: bool = True
    more: bool = False
    next_at: float | None = None
    throttled_until: float | None = None
    generation: int = 0
    noticed: bool = False

    def age(self, now: float) -> float | None:
        """Seconds since the last good answer, or zero while the next poll is not due and changes are noticed."""
        if self.fetched_at is None:
            return None
        if (
            self.noticed
            and not self.stale
            and self.error is None
            and self.next_at is not None
            and now < self.next_at
        ):
            return 0.0
        return max(0.0, now - self.fetched_at)


BackendState = Literal["unknown", "connecting", "ok", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatus:
    """What the status bar shows. ``target`` is ``embedded`` or ``aws``; ``retry_at`` epoch seconds while the backend is lost."""

    target: str = "embedded"
    region: str = ""
    account: str = ""
    backend: BackendState = "unknown"
    problem: Problem | None = None
    retry_at: float | None = None
    throttled_until: float | None = None
    calls_per_minute: int = 0
    calls: int = 0
    throttles: int = 0
    tokens: float = 0.0
    in_flight: int = 0
    paused: bool = False


AnySnapshot = Snapshot[Any]
