"""Batch transform jobs: list, describe, progress, stop."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Unpack

from workflows.observe.gateway import Gateway, answered
from workflows.observe.logs import TRANSFORM_GROUP, LogReader
from workflows.observe.metrics import data, fitting, query
from workflows.observe.objects import Listed, listed, parts, read_text
from workflows.observe.reading import Listing, not_found, pages_of, plain, seconds
from workflows.observe.rows import SeriesData
from workflows.observe.transform_rows import TransformDetail, TransformProgress, TransformRow
from workflows.problem import Problem

NAMESPACE = TRANSFORM_GROUP
TOTALS = (("records", "RecordsProcessed"), ("bytes", "BytesProcessed"), ("total", "BytesTotal"))
"""(query, metric): totals so far, put by the embedded SageMaker per TransformJobName; AWS has no such metrics."""
BUSY = ("CPUUtilization", "MemoryUtilization")
"""Published per instance, under the dimension Host, by both."""
RECENT = 10.0
"""Seconds over which a rate is taken."""
MOST_OBJECTS = 10_000
"""Input objects that are listed at most."""


def list_pages(gateway: Gateway, **listing: Unpack[Listing]) -> Iterator[tuple[TransformRow, ...]]:
    """Transform jobs page by page, the newest first unless another order is asked for.

    Raises:
        Problem: The list cannot be had.
    """
    for page in pages_of(gateway, "list_transform_jobs", **listing):
        yield tuple(_row(item) for item in page.get("TransformJobSummaries") or ())


def describe(gateway: Gateway, name: str) -> TransformDetail:
    """One transform job.

    Raises:
        Problem: There is no such job, or it cannot be had.
    """
    return detail(_asked(gateway, "describe_transform_job", name))


def stop(gateway: Gateway, name: str) -> None:
    """Ask a transform job to stop.

    Raises:
        Problem: There is no such job, or it has ended already.
    """
    _asked(gateway, "stop_transform_job", name)


def input_objects(gateway: Gateway, job: TransformDetail) -> tuple[Listed, ...] | None:
    """The objects that a job reads, by key; None where there are more than `MOST_OBJECTS`.

    Raises:
        Problem: The bucket or the manifest cannot be read.
    """
    if job.data_type != "ManifestFile":
        return listed(gateway, job.input, MOST_OBJECTS)
    import json

    try:
        entries = json.loads(read_text(gateway, job.input))
    except ValueError as error:
        raise Problem(f"The manifest {job.input} is no JSON: {error}.", "", "manifest") from error
    if not isinstance(entries, list) or not entries:
        raise Problem(f"The manifest {job.input} is no list.", "", "manifest")
    prefix = str(entries[0].get("prefix") or "") if isinstance(entries[0], dict) else ""
    names = [f"{prefix}{entry}" for entry in entries[1 if prefix else 0 :] if isinstance(entry, str)]
    inside = listed(gateway, prefix, MOST_OBJECTS) if prefix else ()
    if inside is None:
        return None
    sizes = {item.uri: item for item in inside}
    return tuple(sizes[name] for name in names if name in sizes)


def progress(gateway: Gateway, job: TransformDetail, *, period: int, now: float) -> TransformProgress:
    """How far a job is, and how busy its instances are.

    Args:
        period: Seconds per point; it grows where the job is too long for that.

    Raises:
        Problem: The metrics cannot be had.
    """
    begin = math.floor(job.started or job.row.created) - 60
    end = (job.row.ended or now) + 60
    period = fitting(period, end - begin)
    named = [{"Name": "TransformJobName", "Value": job.name}]
    queries = [query(name, NAMESPACE, metric, named, "Maximum", period) for name, metric in TOTALS]
    hosts = sorted({_host(stream) for stream in LogReader.of_transform(job.name).read_streams(gateway)})
    for number, host in enumerate(hosts):
        dimensions = [{"Name": "Host", "Value": host}]
        queries += [
            query(f"h{number}x{metric}", NAMESPACE, metric, dimensions, "Average", period) for metric in BUSY
        ]
    found = data(gateway, queries, begin, end)
    series = [
        SeriesData(name, found[name], "bytes" if name == "bytes" else "")
        for name in ("records", "bytes")
        if found.get(name)
    ]
    for number, host in enumerate(hosts):
        series += [
            SeriesData(metric, points, "%", host.removeprefix(f"{job.name}/"))
            for metric in BUSY
            if (points := found.get(f"h{number}x{metric}"))
        ]
    totals = {name: found[name][-1][1] if found.get(name) else None for name, _ in TOTALS}
    size = totals["total"]
    return TransformProgress(
        records=totals["records"],
        bytes=totals["bytes"],
        bytes_total=None if size is None else int(size),
        records_per_second=_rate(found.get("records", ()), job, period),
        bytes_per_second=_rate(found.get("bytes", ()), job, period),
        series=tuple(series),
    )


def detail(raw: Mapping[str, Any]) -> TransformDetail:
    """The detail in an answer of DescribeTransformJob."""
    given, wanted = raw.get("TransformInput") or {}, raw.get("TransformOutput") or {}
    source = (given.get("DataSource") or {}).get("S3DataSource") or {}
    resources, processing = raw.get("TransformResources") or {}, raw.get("DataProcessing") or {}
    created = seconds(raw.get("CreationTime")) or 0.0
    ended = seconds(raw.get("TransformEndTime"))
    reason = str(raw.get("FailureReason") or "")
    return TransformDetail(
        row=TransformRow(
            name=str(raw.get("TransformJobName") or ""),
            status=str(raw.get("TransformJobStatus") or ""),
            created=created,
            modified=ended or seconds(raw.get("TransformStartTime")) or created,
            ended=ended,
            failure_reason=reason,
            model=str(raw.get("ModelName") or ""),
            instance_type=str(resources.get("InstanceType") or ""),
            instance_count=int(resources.get("InstanceCount") or 0),
        ),
        arn=str(raw.get("TransformJobArn") or ""),
        failure_reason=reason,
        input=str(source.get("S3Uri") or ""),
        data_type=str(source.get("S3DataType") or "S3Prefix"),
        content_type=str(given.get("ContentType") or ""),
        compression=str(given.get("CompressionType") or "None"),
        split=str(given.get("SplitType") or "None"),
        output=str(wanted.get("S3OutputPath") or ""),
        accept=str(wanted.get("Accept") or ""),
        assemble=str(wanted.get("AssembleWith") or "None"),
        strategy=str(raw.get("BatchStrategy") or ""),
        max_payload_mb=raw.get("MaxPayloadInMB"),
        max_concurrent=raw.get("MaxConcurrentTransforms"),
        input_filter=str(processing.get("InputFilter") or ""),
        output_filter=str(processing.get("OutputFilter") or ""),
        join=str(processing.get("JoinSource") or "None"),
        environment=dict(sorted((raw.get("Environment") or {}).items())),
        started=seconds(raw.get("TransformStartTime")),
        raw=plain(raw),
    )


def output_folder(job: TransformDetail) -> tuple[str, str]:
    """Bucket and key prefix of a job's result; the prefix ends with a slash unless it is empty."""
    bucket, prefix = parts(job.output)
    return bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""


def _rate(points: tuple[tuple[float, float], ...], job: TransformDetail, period: int) -> float | None:
    """Per second: over the last points while the job runs, over all its time once it has ended; None before two points."""
    if not job.row.active:
        seconds_ = (job.row.ended or 0.0) - (job.started or 0.0)
        return points[-1][1] / seconds_ if points and job.started and seconds_ > 0 else None
    recent = [point for point in points if point[0] >= points[-1][0] - max(RECENT, 2 * period)]
    if len(recent) < 2:
        return None
    (begin, first), (end, last) = recent[0], recent[-1]
    return (last - first) / (end - begin)


def _host(stream: str) -> str:
    """The Host dimension of the instance that writes a log stream: its name without data log and time."""
    return re.sub(r"-\d{9,}$", "", stream.removesuffix("/data-log"))


def _row(item: Mapping[str, Any]) -> TransformRow:
    created = seconds(item.get("CreationTime")) or 0.0
    return TransformRow(
        name=str(item.get("TransformJobName") or ""),
        status=str(item.get("TransformJobStatus") or ""),
        created=created,
        modified=seconds(item.get("LastModifiedTime")) or created,
        ended=seconds(item.get("TransformEndTime")),
        failure_reason=str(item.get("FailureReason") or ""),
    )


def _asked(gateway: Gateway, method: str, name: str) -> dict[str, Any]:
    try:
        return answered(gateway, "sagemaker", method, TransformJobName=name)
    except Problem as problem:
        if not_found(problem):
            raise Problem(
                f"There is no transform job {name}.", "`mlconsole transform ls` lists them.", "not-found"
            ) from problem
        raise
