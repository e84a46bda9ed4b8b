"""What is observed of SageMaker: frozen rows and details. All times are epoch seconds, durations seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from workflows.observe.fleets import Fleet, fleets

ACTIVE_JOB = frozenset({"InProgress", "Stopping", "Deleting"})
ACTIVE_ENDPOINT = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
DELETED_CONFIG = "It is deleted: the endpoint serves and bills on, and SageMaker tells neither its models nor its instance types."
UNPAID_ENDPOINT = frozenset({"Failed", "Deleting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One line of the list of jobs. ``instance_type`` is empty until the job was described once."""

    name: str
    status: str
    secondary_status: str = ""
    created: float
    modified: float
    ended: float | None = None
    instance_type: str = ""
    instance_count: int = 0
    kind: str = "training"

    @property
    def active(self) -> bool:
        """Whether the job can still change by itself."""
        return self.status in ACTIVE_JOB

    def seconds(self, now: float) -> float:
        """From creation to its end, or until ``now`` while it is active."""
        return max(0.0, (self.ended or (now if self.active else self.modified)) - self.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One secondary status: when it began, when it ended (None: not yet), and what SageMaker said."""

    status: str
    started: float
    ended: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One input channel."""

    name: str
    location: str
    content_type: str = ""
    mode: str = "File"
    distribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMetric:
    """The last value of a metric of a training job."""

    name: str
    value: float
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """One training job as DescribeTrainingJob tells it; ``raw`` is the whole answer, JSON-ready."""

    row: JobRow
    arn: str = ""
    failure_reason: str = ""
    image: str = ""
    role: str = ""
    input_mode: str = "File"
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    transitions: tuple[Transition, ...] = ()
    final_metrics: tuple[FinalMetric, ...] = ()
    metric_definitions: Mapping[str, str] = field(default_factory=dict)
    model_artifact: str = ""
    output_path: str = ""
    volume_gb: int = 0
    max_runtime: int = 0
    started: float | None = None
    training_seconds: int | None = None
    billable_seconds: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tuning_job(self) -> str:
        """The tuning job that made it; empty for a job that a person started."""
        return str(self.raw.get("TuningJobArn") or "").rpartition("/")[2]

    @property
    def name(self) -> str:
        """The job's name."""
        return self.row.name


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """One line of the list of endpoints. ``instances`` are (type, count), empty until the endpoint was described once;
    ``serverless``: it has a variant without instances."""

    name: str
    status: str
    created: float
    modified: float
    instances: tuple[tuple[str, int], ...] = ()
    serverless: bool = False

    @property
    def active(self) -> bool:
        """Whether a change is under way."""
        return self.status in ACTIVE_ENDPOINT

    @property
    def paid(self) -> bool:
        """Whether its instances cost something in this status."""
        return self.status not in UNPAID_ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """One variant of an endpoint; ``share`` is its part of the traffic by weight, 0 to 1: for a shadow variant the part
    of the requests that it gets a copy of. ``memory`` is MB where it is serverless, else 0."""

    name: str
    model: str = ""
    image: str = ""
    instance_type: str = ""
    current_weight: float = 0.0
    desired_weight: float = 0.0
    current_count: int = 0
    desired_count: int = 0
    share: float = 0.0
    status: str = ""
    message: str = ""
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFleet:
    """The fleet that an update builds beside the one in service: green. ``config`` is its configuration."""

    config: str
    started: float = 0.0
    variants: tuple[VariantRow, ...] = ()
    shadows: tuple[VariantRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Meter:
    """What metrics are kept for: a variant, in a deployment also one fleet's part of it (``config`` names the fleet)."""

    variant: str
    config: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDetail:
    """One endpoint with its variants; ``raw`` and ``raw_config`` are the whole answers, JSON-ready.

    ``shadows`` get copies of requests; ``pending`` is the new fleet while an update is under way.
    """

    row: EndpointRow
    arn: str = ""
    config: str = ""
    failure_reason: str = ""
    variants: tuple[VariantRow, ...] = ()
    shadows: tuple[VariantRow, ...] = ()
    pending: PendingFleet | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    raw_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.row.name

    @property
    def config_deleted(self) -> bool:
        """Whether its configuration is gone: then nothing names its models and instance types."""
        return set(self.raw_config) == {"EndpointConfigName"}

    @property
    def meters(self) -> tuple[Meter, ...]:
        """What it has metrics for: each variant, and while an update is under way each variant of both fleets."""
        found = [Meter(item.name) for item in self.variants]
        found += [Meter(item.name, shadow=True) for item in self.shadows]
        if self.pending is not None:
            found += [Meter(item.name, self.config) for item in self.variants]
            found += [Meter(item.name, self.pending.config) for item in self.pending.variants]
        return tuple(found)

    @property
    def instances(self) -> tuple[tuple[str, int], ...]:
        """(instance type, count) of all fleets, both of an update; what is still starting counts as it is wanted."""
        kinds: dict[str, int] = {}
        for fleet in self.fleets:
            if fleet.instance_type:
                kinds[fleet.instance_type] = kinds.get(fleet.instance_type, 0) + fleet.count
        return tuple(kinds.items())

    @property
    def fleets(self) -> tuple[Fleet, ...]:
        """What stands behind its variants, by role."""
        return fleets(self.raw, self.raw_config) or tuple(
            Fleet(
                variant=item.name,
                instance_type=item.instance_type,
                count=item.current_count or item.desired_count,
            )
            for item in self.variants
        )


class LogLine(NamedTuple):
    """One log event: its time, its stream's short name (without the job's prefix) and its text."""

    time: float
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """One answer of a log reader. ``complete``: everything that was there when it was asked has been read."""

    lines: tuple[LogLine, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class LogTail:
    """The kept end of a followed log. ``first`` is the number of ``lines[0]`` counted since the reading began.

    ``skipped``: before the line of this number there are others that nobody read or counted. ``tokens``: where the reading of
    each stream goes on.
    """

    lines: tuple[LogLine, ...] = ()
    first: int = 0
    skipped: int | None = None
    tokens: Mapping[str, str | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def end(self) -> int:
        """The number that the next line will get; pass it to `since` after the next snapshot."""
        return self.first + len(self.lines)

    def shortened(self, most: int) -> LogTail:
        """The same with this many lines at most, the newest."""
        dropped = max(0, len(self.lines) - most)
        return replace(self, lines=self.lines[dropped:], first=self.first + dropped)

    def since(self, number: int) -> tuple[LogLine, ...]:
        """The kept lines with this number and above: what is new for a reader that stopped there."""
        return self.lines[max(0, number - self.first) :]


@dataclass(frozen=True, slots=True)
class SeriesData:
    """One metric over time: ``points`` are (epoch seconds, value), oldest first. ``variant`` for endpoints' metrics."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str = ""
    variant: str = ""
    config: str = ""

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self.points[-1][1] if self.points else None


@dataclass(frozen=True, slots=True)
class VariantTraffic:
    """What one variant served in the observed window. Latencies are milliseconds; None when nothing was served.

    ``model_errors`` are requests that the container did not answer with success; they may be 5xx, too. ``config`` is
    that of a fleet during an update: then the numbers are that fleet's part.
    """

    variant: str
    invocations: float
    errors_4xx: float
    errors_5xx: float
    per_minute: float
    latency_mean: float | None
    latency_p50: float | None
    latency_p99: float | None
    latency_p90: float | None = None
    model_errors: float = 0.0
    config: str = ""
    shadow: bool = False

    @property
    def failed(self) -> float:
        """Requests that went wrong, each counted once as far as the metrics can tell."""
        return self.errors_4xx + max(self.errors_5xx, self.model_errors)


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """Live numbers of an endpoint over the last ``window`` seconds: totals per variant and the series to draw.

    Series names: ``Invocations``, ``p50``, ``p90``, ``p99`` and ``mean`` (milliseconds), ``4xx``, ``5xx``, ``model errors``.
    Those of a fleet during an update have its configuration in ``config``.
    """

    window: float
    period: int
    variants: tuple[VariantTraffic, ...]
    series: tuple[SeriesData, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One answer of an endpoint: what came back, from which variant, in how many milliseconds (seen from here)."""

    body: bytes
    content_type: str
    variant: str
    milliseconds: float
    inference_id: str = ""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What deleting an endpoint would delete, in order, and what is kept because something else uses it."""

    endpoint: str
    config: str = ""
    models: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per thing, to be shown before it is done."""
        lines = [f"Delete endpoint {self.endpoint}."]
        if self.config:
            lines.append(f"Delete endpoint configuration {self.config}.")
        lines += [f"Delete model {name}." for name in self.models]
        lines += [f"Keep {what}." for what in self.kept]
        return tuple(lines)
