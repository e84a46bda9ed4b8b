"""The objective of the trials as plots: over time with the best so far, and against each searched hyperparameter."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial

from console.formatting import count, crop_middle, span
from console.screens.findings import Findings
from console.widgets.axis import Axis, Scale
from console.widgets.canvas import Lines, Run
from console.widgets.charts import tiles
from console.widgets.drawing import Series
from console.widgets.scatter import Mark, Plane, scatter
from workflows.observe.tuning_rows import TrialRow
from workflows.tuning.analysis import Against

BEST, GOOD, OTHER, EARLY, FAILED = "◆", "●", "○", "◧", "×"
LEAST_TILE = (52, 13)
MOST_REST = 1_000
"""Trials outside the best quarter that are drawn."""


def fence(values: Sequence[float], minimize: bool) -> float | None:
    """The worst value that still gets its place: three quartile distances beyond the quartiles; None where all have theirs.

    One diverged trial would press all the others into a line.
    """
    if len(values) < 5:
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    width = 3 * (high - low)
    limit = high + width if minimize else low - width
    beyond = max(values) > limit if minimize else min(values) < limit
    return limit if beyond and width > 0 else None


class Marks:
    """How the trials of one view are marked, and the values they get on the axis."""

    def __init__(self, findings: Findings) -> None:
        ranked = [trial for trial in findings.ranked if trial.value is not None]
        values = [float(trial.value or 0.0) for trial in ranked]
        self.minimize = findings.minimize
        self.limit = fence(values, findings.minimize)
        inside = [value for value in values if not self.outside(value)]
        reach = 0.08 * (max(inside) - min(inside)) if inside else 0.0
        self.worst = (max if self.minimize else min)(inside, default=0.0)
        self.edge = self.worst + (reach if self.minimize else -reach)
        """Where values far off stand as arrows: just beyond the worst of the others."""
        self.best = ranked[0].name if ranked else ""
        self.good = {trial.name for trial in ranked[: max(1, len(ranked) // 4)]}
        self.early = {trial.name for trial in ranked if trial.early_stopped}
        self.beyond = sum(1 for value in values if self.outside(value))
        rest = [trial.name for trial in ranked[max(1, len(ranked) // 4) :]]
        self.every = -(-len(rest) // MOST_REST)
        """Of the rest only every so many-th is drawn: thousands of points in some hundred cells tell no more."""
        self.left_out = (
            {name for place, name in enumerate(rest) if place % self.every} - self.early
            if self.every > 1
            else set()
        )

    def outside(self, value: float) -> bool:
        """Whether a value is too far off to get its place."""
        return self.limit is not None and (value > self.limit if self.minimize else value < self.limit)

    def mark(self, x: float, trial: str, value: float) -> Mark:
        """The mark of a trial; one too far off stands at the edge as an arrow."""
        if self.outside(value):
            return Mark(x, self.edge, "▲" if self.minimize else "▼", "dim")
        if trial == self.best:
            return Mark(x, value, BEST, "series-2")
        if trial in self.early:
            return Mark(x, value, EARLY, "wait")
        return Mark(x, value, GOOD, "series-1") if trial in self.good else Mark(x, value, OTHER, "dim")

    def order(self, mark: Mark) -> int:
        """What is drawn later stands over the others."""
        return (OTHER, EARLY, GOOD, BEST).index(mark.glyph) if mark.glyph in (OTHER, EARLY, GOOD, BEST) else 0

    def key(self) -> list[Run]:
        """What the glyphs mean."""
        runs: list[Run] = [
            (f"{GOOD} top ¼  ", "series-1"),
            (f"{OTHER} {'rest' if self.every < 2 else f'1 in {self.every}'}  ", "dim"),
        ]
        if self.early:
            runs.append((f"{EARLY} early  ", "wait"))
        if self.beyond:
            runs.append((f"{'▲' if self.minimize else '▼'} {self.beyond} far  ", "dim"))
        return runs


def _objective(findings: Findings) -> str:
    objective = findings.view.detail.objective
    return objective.name if objective is not None else "objective"


def progress(findings: Findings, width: int, height: int, *, by_time: bool) -> Lines:
    """The value of each trial in the order in which they ended, the best so far as a line, the default's spread as a band."""
    marks = Marks(findings)
    ended = sorted(
        (trial for trial in findings.view.trials if trial.ended is not None),
        key=lambda trial: (trial.ended or 0.0, trial.name),
    )
    begun = findings.view.detail.row.created

    def place(number_of: int, trial: TrialRow) -> float:
        return (trial.ended or begun) - begun if by_time else float(number_of)

    at = {trial.name: place(index, trial) for index, trial in enumerate(ended, 1)}
    points = [
        marks.mark(at[p.trial], p.trial, p.value)
        for p in findings.progress
        if p.trial in at and p.trial not in marks.left_out
    ]
    failed = [
        Mark(at[trial.name], None, FAILED, "bad")
        for trial in ended
        if trial.value is None and trial.status == "Failed"
    ]
    line = tuple(
        (at[p.trial], p.best) for p in findings.progress if p.trial in at and not marks.outside(p.best)
    )
    head: list[Run] = [
        (f"{_objective(findings)}  ", "strong"),
        (f"━{BEST} best so far  ", "series-2"),
        *marks.key(),
    ]
    band = default_band(findings)
    if band is not None:
        head.append(("░ default", "dim"))
    last = max(at.values(), default=1.0)
    plane = Plane(
        head=tuple(head),
        x=Axis(0.0, last or 1.0) if by_time else Axis(1.0, max(2.0, last)),
        ticks=((1.0, "trial 1"),) if not by_time and last < 2 else (),
        x_format=span if by_time else lambda value: f"trial {round(value)}",
        band=band,
        below="failed",
    )
    return scatter(
        [*sorted(points, key=marks.order), *failed],
        width,
        height,
        plane,
        [(Series("best", line), "series-2")],
    )


def default_band(findings: Findings) -> tuple[float, float] | None:
    """The range in which another run of the default configuration is to be expected, where there are enough of them."""
    found = findings.comparison
    if found.mean is None or found.limit_one is None:
        return None
    reach = abs(found.limit_one - found.mean)
    return found.mean - reach, found.mean + reach


_SCALES: dict[str, Scale] = {"linear": "linear", "log": "log", "reverse-log": "reverse-log"}


def against(findings: Findings, index: int, width: int, height: int) -> Lines:
    """The objective against hyperparameters: one that fills the room, or as many as can be read, beginning with ``index``."""
    charts = findings.against
    if not charts:
        return [[], [("  No hyperparameter with a range was searched.", "dim")]]
    marks = Marks(findings)
    columns = max(1, min(width // LEAST_TILE[0], len(charts)))
    rows = max(1, min((height - 1) // LEAST_TILE[1], -(-len(charts) // columns)))
    shown = [charts[(index + i) % len(charts)] for i in range(min(columns * rows, len(charts)))]
    names = [chart.parameter for chart in charts]
    if len(shown) == 1:
        name = crop_middle(shown[0].parameter, min(len(shown[0].parameter), max(12, width // 2)))
        head = [("against ", "dim"), (f"{name} ", "strong"), (f"{names.index(shown[0].parameter) + 1} of {len(names)}   ", "dim"), (f"{BEST} best  ", "series-2"), *marks.key()]  # fmt: skip
        return one(shown[0], marks, width, height, head)
    drawn = [partial(_tile, chart, marks) for chart in shown]
    more = f"   {count(len(charts) - len(shown), 'more parameter')}: n" if len(shown) < len(charts) else ""
    head = [
        (f"{_objective(findings)}  ", "strong"),
        (f"{BEST} best  ", "series-2"),
        *marks.key(),
        (more, "dim"),
    ]
    return [head, *tiles(drawn, width, height - 1, columns, rows)]


def _tile(chart: Against, marks: Marks, width: int, height: int) -> Lines:
    return one(chart, marks, width, height, [(f"{chart.parameter}  ", "strong"), (_scale_note(chart), "dim")])


def _scale_note(chart: Against) -> str:
    return {"log": "logarithmic", "reverse-log": "reverse logarithmic"}.get(chart.scale, "")


def one(chart: Against, marks: Marks, width: int, height: int, head: Sequence[Run]) -> Lines:
    """One hyperparameter: numbers on their scale, categories as strips side by side with a line at their median."""
    if chart.categories or chart.scale == "category":
        return _strips(chart, marks, width, height, head)
    kept = (p for p in chart.points if p.trial not in marks.left_out)
    points = sorted((marks.mark(p.x, p.trial, p.value) for p in kept), key=marks.order)
    low, high = chart.low, chart.high
    axis = Axis(low, high if high > low else low + 1, _SCALES.get(chart.scale, "linear"))
    return scatter(points, width, height, Plane(head=tuple(head), x=axis))


def _strips(chart: Against, marks: Marks, width: int, height: int, head: Sequence[Run]) -> Lines:
    names = chart.categories or ("",)
    points: list[Mark] = []
    for category in range(len(names)):
        mine = [p for p in chart.points if round(p.x) == category]
        for place, p in enumerate(mine):
            # Beside each other in an order that does not go along with the value: equal values must not hide each other.
            aside = ((place * 7) % 13 - 6) / 6 * 0.3
            if p.trial not in marks.left_out:
                points.append(marks.mark(category + 0.5 + aside, p.trial, p.value))
        values = [p.value for p in mine if not marks.outside(p.value)]
        if len(values) >= 3:
            middle = statistics.median(values)
            points += [Mark(category + 0.5 + step / 20, middle, "─", "series-3") for step in range(-8, 9)]
    points.sort(key=lambda mark: (mark.glyph != "─", marks.order(mark)))
    ticks = tuple((i + 0.5, name) for i, name in enumerate(names))
    key = [*head[:3], ("── median  ", "series-3"), *head[3:]]
    return scatter(points, width, height, Plane(head=tuple(key), x=Axis(0.0, float(len(names))), ticks=ticks))
