"""What is known of a transform job as lines of text and as charts: pure functions from observed values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.formatting import (
    ago,
    clock,
    count,
    crop,
    duration,
    number,
    printable,
    size,
    span,
    status,
    thin_bar,
)
from console.screens import facts
from console.widgets.drawing import Lines, Run, Series
from workflows import costs

if TYPE_CHECKING:
    from workflows.observe.rows import SeriesData
    from workflows.observe.transform_rows import (
        TransformDetail,
        TransformOutput,
        TransformProgress,
        TransformRow,
    )


def rate(value: float | None) -> str:
    """Records per second: ``1 240/s``; empty where it is not known."""
    return f"{number(round(value) if value >= 100 else value)}/s" if value is not None else ""


def in_a_cell(progress: TransformProgress | None) -> str:
    """How far it is, for a list: ``62% · 1 240/s``."""
    if progress is None:
        return ""
    part = progress.part_done
    if part is not None and part < 1:
        done = f"{part:.0%}"
    elif progress.records is not None:
        return f"{number(progress.records)} records"
    else:
        done = size(progress.bytes) if progress.bytes is not None else ""
    return " · ".join(text for text in (done, rate(progress.records_per_second)) if text)


def overview(
    detail: TransformDetail | None,
    row: TransformRow | None,
    progress: TransformProgress | None,
    now: float,
    width: int,
    *,
    target: str,
) -> Lines:
    """State, failure, progress, where it reads and writes, what it costs."""
    row = detail.row if detail is not None else row
    if row is None:
        return [[("Loading the transform job …", "dim")]]
    state = status(row.status)
    lines: Lines = [
        [(row.name, "strong")],
        [
            (str(state), state.role),
            (" · batch transform", "dim"),
            (f" · {duration(row.seconds(now))}", ""),
        ],
        [(f"created {clock(row.created, day=True)} · {ago(row.created, now)}", "dim")],
    ]
    reason = detail.failure_reason if detail is not None else row.failure_reason
    if reason:
        lines += [[], facts.head("Why it failed")]
        lines += facts.sentences(reason.strip().splitlines()[-12:], width, "bad")
    lines += [[], facts.head("Progress"), *_progress(progress, row, width)]
    if detail is None:
        return lines
    lines += [[], facts.head("Data")]
    lines += facts.fact("Input", f"{detail.input}  {_reading(detail)}", width)
    lines += facts.fact("Output", f"{detail.output}  {_writing(detail)}", width)
    lines += facts.fact("Model", row.model or "–", width)
    machine = f"{row.instance_count or 1} × {row.instance_type or '–'}"
    begun = detail.started or row.created
    estimate = costs.estimate(
        row.instance_type,
        max(0.0, (row.ended or now) - begun),
        row.instance_count or 1,
        costs.TRANSFORM,
    )
    if estimate.dollars is not None:
        machine += f" · {estimate} so far" if row.active else f" · {estimate}"
        machine += " on AWS, free here" if target == "embedded" else ""
    return lines + facts.fact("Instance", machine, width)


def _progress(progress: TransformProgress | None, row: TransformRow, width: int) -> Lines:
    if progress is None:
        return [[("Loading …", "dim")]]
    lines: Lines = []
    part = progress.part_done if row.status != "Completed" else 1.0
    if part is not None:
        done, rest = thin_bar(part, max(10, min(40, width - 36)))
        line: list[Run] = [(done, "live" if row.active else "ok" if part == 1 else "bad"), (rest, "faint"), (f" {part:4.0%}", "strong")]  # fmt: skip
        if progress.bytes is not None and progress.bytes_total:
            line.append((f"  {size(progress.bytes)} of {size(progress.bytes_total)}", "dim"))
        lines.append(line)
    if progress.records is not None:
        lines += facts.fact("Records", number(progress.records), width, "strong")
    speed = [
        text
        for text in (
            f"{rate(progress.records_per_second)[:-2]} records/s"
            if progress.records_per_second is not None
            else "",
            f"{size(progress.bytes_per_second)}/s" if progress.bytes_per_second is not None else "",
        )
        if text
    ]
    if speed:
        lines += facts.fact("Throughput", " · ".join(speed), width)
    if row.active and progress.seconds_left is not None:
        lines += facts.fact("Time left", f"about {span(progress.seconds_left)}", width)
    if not lines:
        lines = facts.sentences(["AWS publishes no count of records; how busy the instances are is in Throughput."], width, "dim")  # fmt: skip
    return lines


def _reading(detail: TransformDetail) -> str:
    parts = [detail.content_type, "" if detail.split == "None" else f"split by {detail.split}"]
    parts.append("manifest" if detail.data_type == "ManifestFile" else "")
    parts.append("" if detail.compression == "None" else detail.compression)
    return " · ".join(part for part in parts if part)


def _writing(detail: TransformDetail) -> str:
    parts = [detail.accept, "" if detail.assemble == "None" else f"assembled with {detail.assemble}"]
    parts.append("" if detail.join == "None" else "joined with its input")
    return " · ".join(part for part in parts if part)


def settings(detail: TransformDetail, width: int) -> Lines:
    """How records become requests, and requests answers."""
    lines: Lines = [facts.head("Requests")]
    lines += facts.fact("Batch strategy", detail.strategy or "the container decides", width)
    payload = f"{detail.max_payload_mb} MB" if detail.max_payload_mb is not None else "6 MB, the default"
    lines += facts.fact("Largest request", payload, width)
    at_once = str(detail.max_concurrent) if detail.max_concurrent else "the container decides"
    lines += facts.fact("At a time", at_once, width)
    lines += [[], facts.head("Data processing")]
    lines += facts.fact("Input filter", detail.input_filter or "everything ($)", width)
    lines += facts.fact("Output filter", detail.output_filter or "everything ($)", width)
    lines += facts.fact("Join", "the input" if detail.join != "None" else "nothing", width)
    lines += [[], facts.head("Container"), *facts.fact("Model", detail.row.model, width)]
    lines += facts.fact("ARN", detail.arn, width)
    if detail.environment:
        lines += [[], facts.head("Environment"), *facts.pairs(detail.environment, width)]
    return lines


def output(found: TransformOutput | None, width: int, problem: str = "", place: str = "") -> Lines:
    """What came out: the objects, and the first rows beside their input; ``place`` is where they lie."""
    if problem:
        return facts.sentences([problem], width, "bad")
    if found is None:
        return [[("Reading the output …", "wait")]]
    lines: Lines = [facts.head("Objects", count(len(found.objects), "object"))]
    for name, octets in found.objects[:12]:
        lines.append([(crop(name, max(10, width - 12)), ""), (f"{size(octets):>10}", "dim")])
    if len(found.objects) > 12:
        lines.append([(f"and {len(found.objects) - 12} more", "dim")])
    total = f"the first {len(found.rows)}" if found.total_rows is None or found.total_rows > len(found.rows) else count(found.total_rows, "row")  # fmt: skip
    lines += [[], facts.head("Rows", total)]
    if not found.rows:
        if found.objects:
            return [*lines, [("The objects are empty.", "dim")]]
        where = facts.fact("Place", place, width) if place else []
        none = "Nothing lies there: it was deleted, or the job wrote nothing."
        return [*lines, *where, *facts.sentences([none], width, "dim")]
    left = max(0, min(width // 2, max(len(given) for given, _ in found.rows)))
    lines.append([(crop("Input", left) + "  " if left else "", "dim"), ("Answer", "dim")])
    for given, answered in found.rows:
        line: list[Run] = [(crop(printable(given), left) + "  ", "dim")] if left else []
        lines.append([*line, (crop(printable(answered), max(8, width - left - 2)).rstrip(), "")])
    return lines


def charts(series: Sequence[SeriesData]) -> list[tuple[str, tuple[Series, ...]]]:
    """Throughput, what is done so far, and how busy each instance is, over the time since the first point."""
    start = min((one.points[0][0] for one in series if one.points), default=0.0)
    found: list[tuple[str, tuple[Series, ...]]] = []
    for one in series:
        if one.name not in ("records", "bytes") or len(one.points) < 2:
            continue
        name, unit = ("MB", 1e6) if one.name == "bytes" else (one.name, 1.0)
        so_far = tuple((x - start, y / unit) for x, y in one.points)
        speed = tuple(
            (x, (y - before) / (x - earlier))
            for (earlier, before), (x, y) in itertools.pairwise(so_far)
            if x > earlier
        )
        for title, points in ((f"{name} per second", speed), (f"{name} so far", so_far)):
            found.append((title, (Series(title, points),)))
    for name in ("CPUUtilization", "MemoryUtilization"):
        lines = tuple(
            Series(one.variant or name, tuple((x - start, y) for x, y in one.points), one.unit)
            for one in series
            if one.name == name and one.points
        )
        if lines:
            found.append((name, lines))
    return found
