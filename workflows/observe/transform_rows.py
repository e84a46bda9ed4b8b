"""What is observed of batch transform: frozen rows and details. Times are epoch seconds, durations seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.observe.rows import SeriesData

ACTIVE_TRANSFORM = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformRow:
    """One line of the list of transform jobs; it has what `JobRow` has, so that one list can show both.

    ``model``, ``instance_type`` and ``instance_count`` are not in SageMaker's list: empty until the job was described once.
    """

    name: str
    status: str
    secondary_status: str = ""
    created: float
    modified: float
    ended: float | None = None
    failure_reason: str = ""
    model: str = ""
    instance_type: str = ""
    instance_count: int = 0
    kind: str = "transform"

    @property
    def active(self) -> bool:
        """Whether the job can still change by itself."""
        return self.status in ACTIVE_TRANSFORM

    def seconds(self, now: float) -> float:
        """From creation to its end, or until ``now`` while it is active."""
        return max(0.0, (self.ended or (now if self.active else self.modified)) - self.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformDetail:
    """One transform job as DescribeTransformJob tells it; ``raw`` is the whole answer, JSON-ready.

    ``strategy`` is ``MultiRecord`` or ``SingleRecord`` (empty: the container decides), ``split`` and ``assemble`` are
    ``None``, ``Line``, ``RecordIO`` …, ``data_type`` ``S3Prefix`` or ``ManifestFile``; ``max_payload_mb`` and
    ``max_concurrent`` are None where the container decides. Filters are JSONPath, ``join`` is ``Input`` or ``None``.
    """

    row: TransformRow
    arn: str = ""
    failure_reason: str = ""
    input: str = ""
    data_type: str = "S3Prefix"
    content_type: str = ""
    compression: str = "None"
    split: str = "None"
    output: str = ""
    accept: str = ""
    assemble: str = "None"
    strategy: str = ""
    max_payload_mb: int | None = None
    max_concurrent: int | None = None
    input_filter: str = ""
    output_filter: str = ""
    join: str = "None"
    environment: Mapping[str, str] = field(default_factory=dict)
    started: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The transform job's name."""
        return self.row.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformProgress:
    """How far a transform job is, from its CloudWatch metrics.

    Every number is None where the metric does not exist: AWS publishes only the utilisation of the instances, the embedded
    SageMaker counts records and bytes too. ``bytes_total`` is the size of the input.
    ``records_per_second`` and ``bytes_per_second`` are over the last seconds, and of an ended job over all its time;
    ``series`` is for charts (``records`` and ``bytes`` so far, ``CPUUtilization``, ``MemoryUtilization``).
    """

    records: float | None = None
    bytes: float | None = None
    bytes_total: int | None = None
    records_per_second: float | None = None
    bytes_per_second: float | None = None
    series: tuple[SeriesData, ...] = ()

    @property
    def part_done(self) -> float | None:
        """Processed over all bytes, 0 to 1; None where one of them is not known."""
        if self.bytes is None or not self.bytes_total:
            return None
        return min(1.0, self.bytes / self.bytes_total)

    @property
    def seconds_left(self) -> float | None:
        """At the rate of the last points; None where it is not known."""
        if self.bytes is None or not self.bytes_total or not self.bytes_per_second:
            return None
        return max(0.0, self.bytes_total - self.bytes) / self.bytes_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformOutput:
    """The result of a transform job as far as it was read: objects with their sizes, and the first rows.

    ``rows`` are (input record, what the model answered) in the input's order; the input is empty where it was not asked
    for or is not split into lines. ``total_rows`` is None where not everything was read.
    """

    objects: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, str], ...]
    total_rows: int | None = None
