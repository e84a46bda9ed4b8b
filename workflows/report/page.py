"""Sets a report's content as one HTML page: escaped, with its style, its figures and its small script inside."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from workflows.events import Figure, Progress
from workflows.report import content as contents
from workflows.report.content import ROLES, Content, StepPart
from workflows.report.figures import draw, palette
from workflows.report.figures.canvas import SERIES
from workflows.runs import Run
from workflows.wording import clock, number, printable

GENERATOR = "mlconsole report"
"""What the page says it is: the mark of a file that may be written over."""
_HASH = re.compile(r"[0-9a-f]{64}")
_COMMAND = re.compile(r"`([^`\n]+)`")
_MARKED = re.compile(r"«([^«»]*)»")
_BLANK = ("", "-", "–")


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: what is shown, and the number by which it is sorted where it is one."""

    html: Markup
    numeric: bool
    key: float | None


def render(run: Run) -> tuple[str, Content]:
    """The page of a run, and what is in it. Blocks: it reads the run's folder."""
    page = contents.content(run)
    drawn = _Figures()
    text = _environment().get_template("report.html.j2").render(
        page=page,
        generator=GENERATOR,
        version=page.run.versions.get("mlconsole") or _version(),
        style=Markup(_style()),
        script=Markup(_file("report.js")),
        as_cells=as_cells,
        prose=prose,
        is_numeric=is_numeric,
        role=lambda verdict: ROLES.get(verdict, "plain"),
        figure=drawn.figure,
        has_figure=_has_figure,
        has_results=_has_results,
        progress=_progress,
        moment=clock,
        parameters=contents.parameters,
        changed=_changed(page),
        metric_rows=lambda: [
            [name, as_cell(value), page.lineage.origins.get(name) or "several steps"] for name, value in page.metrics
        ],
        lineage_rows=lambda: [
            [item.step, item.what, item.name, item.sha256, item.state or "recorded"]
            for item in page.lineage.items
        ],
        made_rows=lambda: [[item.what, item.name, item.location, item.sha256] for item in page.made],
        bill_rows=lambda: [
            [line.what, line.name, line.instance_type, line.seconds, line.dollars, line.basis]
            for line in page.bill.lines
        ],
        count_rows=lambda: [
            [count.service, count.operation, count.calls, count.failed, round(count.seconds, 3)]
            for count in page.counts
        ],
    )  # fmt: skip
    return text, page


def as_cells(rows: Sequence[Sequence[Any]]) -> list[list[Cell]]:
    """A table's cells; the fractions of a column have the same number of decimals."""
    widest = max((len(row) for row in rows), default=0)
    decimals = [_decimals([row[column] for row in rows if column < len(row)]) for column in range(widest)]
    numeric = [is_numeric(rows, column) for column in range(len(decimals))]
    found = [[as_cell(value, decimals[column]) for column, value in enumerate(row)] for row in rows]
    # What is blank among numbers stands where they stand: the cells beside it stay in line.
    return [
        [
            replace(cell, numeric=True) if numeric[column] and cell.html in _BLANK else cell
            for column, cell in enumerate(row)
        ]
        for row in found
    ]


def as_cell(value: Any, decimals: int | None = None) -> Cell:
    """A value as a table shows it: numbers short, hashes whole but small, ``«marked»`` words marked."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, bool):
        return Cell(escape("yes" if value else "no"), False, None)
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return Cell(escape("–"), True, None)
        shown = f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else number(value)
        if decimals is not None and isinstance(value, float):
            shown = f"{value:.{decimals}f}"
        return Cell(escape(shown), True, float(value))
    text = cleaned("–" if value is None else str(value))
    if _HASH.fullmatch(text):
        return Cell(Markup('<span class="hash">{}</span>').format(text), False, None)
    return Cell(_coded(_MARKED, text, "mark"), False, None)


def _decimals(values: Sequence[Any]) -> int | None:
    """The decimals that all fractions of a column get; None where they are of too different sizes for that."""
    fractions = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    texts = [number(value) for value in fractions]
    if not any("." in text for text in texts) or any("e" in text or " " in text for text in texts):
        return None
    most = max(len(text.partition(".")[2]) for text in texts)
    largest = max(abs(value) for value in fractions)
    return most if most <= 5 and largest < 1000 else None


def is_numeric(rows: Sequence[Sequence[Any]], column: int) -> bool:
    """Whether all values of a column are numbers, but for blanks."""
    values = [row[column] for row in rows if column < len(row) and row[column] not in (None, *_BLANK)]
    return bool(values) and all(
        value.numeric
        if isinstance(value, Cell)
        else isinstance(value, int | float) and not isinstance(value, bool)
        for value in values
    )


def prose(text: str) -> Markup:
    """A sentence, its `commands` set as such."""
    return _coded(_COMMAND, cleaned(text), "code")


def _coded(pattern: re.Pattern[str], text: str, tag: str) -> Markup:
    """The text escaped, what a pattern's group matches in an element of its own."""
    return Markup().join(
        Markup("<{0}>{1}</{0}>").format(Markup(tag), piece) if place % 2 else escape(piece)
        for place, piece in enumerate(pattern.split(text))
    )


def cleaned(text: str) -> str:
    """Text without control characters and half characters: neither may stand in a page."""
    whole = text if text.isprintable() else "\n".join(printable(line) for line in text.splitlines())
    return whole.encode("utf-8", "replace").decode("utf-8")


class _Figures:
    """Draws the page's figures, each with an id of its own."""

    def __init__(self) -> None:
        self._count = 0

    def figure(self, figure: Figure) -> Markup:
        self._count += 1
        clean = replace(
            figure,
            title=cleaned(figure.title),
            x_label=cleaned(figure.x_label),
            y_label=cleaned(figure.y_label),
            series=_cleaned(figure.series),
        )
        drawing = Markup(draw(clean, f"figure-{self._count}"))
        return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(clean.title, drawing)


def _cleaned(values: Any) -> Any:
    if isinstance(values, str):
        return cleaned(values)
    if isinstance(values, dict):
        return {name: _cleaned(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_cleaned(value) for value in values]
    return values


def _has_figure(step: StepPart) -> bool:
    return any(part.figure is not None for part in step.parts)


def _has_results(step: StepPart) -> bool:
    """Whether a step has something to show below its heading: gates that passed are listed with all gates."""
    loud = any(part.gate is None or part.gate.verdict != "pass" for part in step.parts)
    return bool(loud or step.charts or step.withheld)


def _progress(progress: Progress) -> str:
    of = f" of {number(progress.total)}" if progress.total else ""
    return f"{number(progress.done)}{of} {progress.unit} {progress.note}".strip()


def _changed(page: Content) -> str:
    count = sum(item.changed for item in page.settings)
    if not count:
        return "All parameters have their defaults."
    return f"{count} of {len(page.settings)} parameters differ from their defaults; they are marked."


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("workflows.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        finalize=_finalized,
    )


def _finalized(value: Any) -> Any:
    return cleaned(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _style() -> str:
    series = "\n".join(
        f".plot .s{number}, svg.time .s{number} {{ fill: var(--s{number}); }} .plot .line.s{number} {{ fill: none; stroke: var(--s{number}); }}"
        for number in range(SERIES)
    )
    return _file("report.css").replace("@SERIES@", series).replace("@RAMPS@", palette.style())


def _file(name: str) -> str:
    return resources.files("workflows.report").joinpath(name).read_text(encoding="utf-8")


def _version() -> str:
    from workflows.versions import libraries

    return libraries().get("mlconsole", "")
