"""What is known of a resource as lines of text: pure functions from observed values to styled lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from console import money
from console.formatting import (
    ago,
    as_text,
    clock,
    count,
    crop,
    duration,
    figures,
    number,
    printable,
    status,
    thin_bar,
)
from console.screens import expenses
from console.widgets.drawing import Lines, Run
from workflows import costs
from workflows.costs.bills import Bill
from workflows.observe.rows import JobDetail, JobRow

LABEL = 16
LEAST_CELL = 6
"""Cells of a table's column below which a text tells nothing."""


def head(title: str, note: str = "") -> list[Run]:
    """A heading with a dim note."""
    return [(title, "head"), (f"  {note}" if note else "", "dim")]


def fact(label: str, value: str, width: int, role: str = "", *, label_width: int = LABEL) -> Lines:
    """A label and a value, wrapped below itself."""
    pieces = textwrap.wrap(_plain(value), max(12, width - label_width - 1), break_on_hyphens=False) or ["–"]
    lines: Lines = [[(crop(label, label_width - 1) + " ", "dim"), (pieces[0], role)]]
    return lines + [[(" " * label_width, ""), (piece, role)] for piece in pieces[1:]]


def pairs(values: Mapping[str, str], width: int, role: str = "") -> Lines:
    """Names and values in the order of their names, values below each other."""
    lines: Lines = []
    label_width = min(
        max(LABEL, *(len(name) + 2 for name in values)) if values else LABEL, max(LABEL, width // 2)
    )
    for name in sorted(values):
        lines += fact(name, values[name], width, role, label_width=label_width)
    return lines


def job_head(row: JobRow, now: float, width: int) -> Lines:
    """Name, status, and how long it takes or took."""
    shown = status(row.status)
    second = (
        f" · {row.secondary_status}" if row.secondary_status and row.secondary_status != row.status else ""
    )
    lines = [
        [(row.name, "strong")],
        [(f"{shown}", shown.role), (second, "dim"), (f" · {duration(row.seconds(now))}", "")],
    ]
    return [*lines, [(f"created {clock(row.created, day=True)} · {ago(row.created, now)}", "dim")]]


def job_facts(detail: JobDetail, now: float, width: int) -> Lines:
    """Failure, timeline, numbers, artefact: what a person wants to know first."""
    lines = job_head(detail.row, now, width)
    if detail.failure_reason:
        lines += [[], head("Why it failed")]
        for paragraph in detail.failure_reason.strip().splitlines()[-12:]:
            lines += [[(piece, "bad")] for piece in textwrap.wrap(_plain(paragraph), width) or [""]]
    if detail.tuning_job:
        lines += [[], *fact("Trial of", detail.tuning_job, width)]
    lines += [[], head("Timeline"), *timeline(detail, now, width)]
    if detail.final_metrics:
        lines += [[], head("Metrics", "last values")]
        lines += pairs(
            {metric.name: number(metric.value) for metric in detail.final_metrics}, width, "strong"
        )
    machine = f"{detail.row.instance_count or 1} × {detail.row.instance_type or '–'}"
    if cost := expenses.of_job(detail.row):
        machine += f" · about {cost} on AWS (estimate)"
    lines += [[], head("Resources"), *fact("Instance", machine, width)]
    if detail.training_seconds is not None:
        billable = (
            f", billable {duration(detail.billable_seconds)}" if detail.billable_seconds is not None else ""
        )
        lines += fact("Training time", duration(detail.training_seconds) + billable, width)
    if detail.max_runtime:
        lines += fact("Time limit", duration(detail.max_runtime), width)
    lines += fact("Model artefact", detail.model_artifact or "not written yet", width)
    return lines


def timeline(detail: JobDetail, now: float, width: int) -> Lines:
    """The secondary statuses in their order with a bar of their share of the time."""
    if not detail.transitions:
        return [[("no transitions reported yet", "dim")]]
    total = sum((step.ended or now) - step.started for step in detail.transitions) or 1.0
    lines: Lines = []
    room = max(6, min(24, width - 45))
    for step in detail.transitions:
        running = step.ended is None and detail.row.active
        seconds = (step.ended or (now if running else step.started)) - step.started
        role = "live" if running else "bad" if step.status == "Failed" else "ok"
        mark = "●" if running else status("Failed").glyph if step.status == "Failed" else "✓"
        line: list[Run] = [
            (f"{mark} ", role),
            (crop(step.status, 13), "strong" if running else ""),
            (f"{clock(step.started)}  ", "dim"),
            (crop(duration(seconds), 13), ""),
            (thin_bar(seconds / total, room)[0] or "╴", "live" if running else "dim"),
        ]
        lines.append(line)
        if step.message and running:
            lines.append([("  " + step.message, "dim")])
    return lines


def job_settings(detail: JobDetail, width: int) -> Lines:
    """Hyperparameters, channels, image, environment: how it was started."""
    lines: Lines = [head("Hyperparameters", count(len(detail.hyperparameters), "value"))]
    lines += pairs(detail.hyperparameters, width)
    lines += [[], head("Channels", "" if detail.channels else "none")]
    for channel in detail.channels:
        about = " · ".join(
            part for part in (channel.mode, channel.distribution, channel.content_type) if part
        )
        lines += fact(channel.name, f"{channel.location}  {about}", width)
    lines += [[], head("Container"), *fact("Image", detail.image, width), *fact("Role", detail.role, width)]
    lines += fact("Output", detail.output_path, width)
    lines += fact("Volume", f"{detail.volume_gb} GB" if detail.volume_gb else "–", width)
    lines += fact("ARN", detail.arn, width)
    if detail.environment:
        lines += [[], head("Environment"), *pairs(detail.environment, width)]
    if detail.metric_definitions:
        lines += [[], head("Metric definitions"), *pairs(detail.metric_definitions, width)]
    return lines


def bill_facts(bill: Bill, now: float, width: int) -> Lines:
    """What an endpoint costs on AWS by the hour, the month and since its creation; nothing where it bills nothing."""
    lines: Lines = []
    if bill.hourly.unknown:
        lines += fact("On AWS", f"no price is known here for {', '.join(bill.hourly.unknown)}", width)
    elif bill.hourly:
        about = "" if not bill.sourced else "about "  # a tilde says it already where nobody sources the price
        amounts = (
            f"{about}{money.hourly(bill)}, {money.monthly(bill)} a month, {money.so_far(bill, now)} so far"
        )
        lines += fact("On AWS", f"{amounts} (estimate, {costs.basis()})", width)
    for text in bill.by_use:
        lines += fact("By use", text, width)
    if bill.both_fleets:
        lines += sentences(["Both fleets of the update are billed until it is done."], width, "wait")
    return lines


def _plain(text: str) -> str:
    """Text of somebody else on one line, without escape sequences."""
    return text if text.isprintable() else " ".join(map(printable, text.splitlines()))


def sentences(texts: Iterable[str], width: int, role: str = "", *, indent: int = 0) -> Lines:
    """Texts, each wrapped, and indented by so many of the cells."""
    margin: list[Run] = [(" " * indent, "")] if indent else []
    wrapped = (piece for text in texts for piece in textwrap.wrap(_plain(text), width - indent) or [""])
    return [[*margin, (piece, role)] for piece in wrapped]


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    width: int,
    title: str = "",
    *,
    roles: Sequence[str] = (),
    cut: bool = False,
) -> Lines:
    """A table with a heading line; numbers at the right. ``roles`` are those of the rows.

    Texts give way to a width; where the figures have no room beside them, each row stands below itself, each value with its name.
    ``cut`` cuts figures and headings instead, for tables that are shown in full elsewhere.
    """
    texts = [[as_text(value) for value in row] for row in rows]
    heading: Lines = [head(title)] if title else []
    numeric = [figures([row[i] for row in texts if i < len(row)]) for i in range(len(columns))]
    widths = [
        max([len(name), *(len(row[i]) for row in texts if i < len(row))]) for i, name in enumerate(columns)
    ]
    while sum(widths) + 2 * len(widths) - 2 > width:
        giving = [
            w for w, number in zip(widths, numeric, strict=True) if w > LEAST_CELL and (cut or not number)
        ]
        if not giving:
            if cut:
                break
            return [*heading, *_below(columns, texts, roles)]
        widths[widths.index(max(giving))] -= 1

    def line(values: Sequence[str]) -> str:
        cells = [
            crop(value, w).rstrip().rjust(w) if right else crop(value, w)
            for value, w, right in zip(values, widths, numeric, strict=False)
        ]
        return "  ".join(cells)

    lines: Lines = [*heading, [(line(list(columns)), "dim")]]
    for row, role in zip_longest(texts, roles[: len(texts)], fillvalue=""):
        lines.append([(line(row), role)])
    return lines


def _below(columns: Sequence[str], texts: Sequence[Sequence[str]], roles: Sequence[str]) -> Lines:
    """Each row as its first cell, and the others with their names below it."""
    lines: Lines = []
    for row, role in zip_longest(texts, roles[: len(texts)], fillvalue=""):
        lines.append([(row[0], role or "strong")])
        line: list[Run] = [("  ", "")]
        for name, value in zip(columns[1:], row[1:], strict=False):
            line += [(" · " if len(line) > 1 else "", "dim"), (f"{name} ", "dim"), (value, "")]
        lines.append(line)
    return lines
