"""The parallel view of the trials of a tuning job."""

from __future__ import annotations

from collections.abc import Sequence

from console.formatting import crop, number
from console.screens.findings import Findings
from console.screens.tuning_facts import short_name, shown, tuned_text
from console.screens.tuning_plots import BEST, Marks
from console.widgets.axis import short
from console.widgets.canvas import Lines, Run
from console.widgets.parallel import Dimension, Thread, fitting
from console.widgets.parallel import parallel as draw
from workflows.tuning.analysis import ParallelLine

FIRST_LINES = 8
MOST_LINES = 128
CHOSEN = "●"


def parallel(
    findings: Findings,
    width: int,
    height: int,
    *,
    first: int,
    lines: int,
    chosen: str,
    order: Sequence[str] = (),
) -> Lines:
    """As many axes as can be told apart, beginning with ``first``, the objective as the last one with its better end on top.

    ``lines``: how many of the best trials are drawn as lines. ``chosen``: a trial that stands out beside the best.
    ``order``: names of hyperparameters, the most important first.
    """
    view = findings.parallel
    if not view.lines:
        return [[], [("  No trial has a value yet.", "dim")]]
    names = [axis.range.name for axis in view.axes]
    axes = sorted(range(len(names)), key=lambda i: order.index(names[i]) if names[i] in order else len(order))
    room = fitting(width) - 1
    if len(axes) > room:
        axes = [axes[(first + i) % len(axes)] for i in range(room)]
    left_out = len(names) - len(axes)
    marks = Marks(findings)
    objective = findings.view.detail.objective
    best, worst = (view.low, view.high) if findings.minimize else (view.high, view.low)
    if marks.limit is not None:
        worst = marks.worst
    dimensions = [
        Dimension(names[i], shown(view.axes[i].labels[-1]), shown(view.axes[i].labels[0])) if view.axes[i].labels else Dimension(names[i], "", "")
        for i in axes
    ]  # fmt: skip
    dimensions.append(Dimension(objective.name if objective else "objective", short(best), short(worst)))

    def height_of(line: ParallelLine) -> float:
        return (line.value - worst) / (best - worst) if best != worst else 0.5

    threads = []
    for rank, line in enumerate(view.lines):
        if rank >= MOST_LINES and line.trial in marks.left_out and line.trial != chosen:
            continue
        role, glyph = "series-1" if rank < max(1, lines // 4) else "dim", ""
        if rank == 0:
            role, glyph = "series-2", BEST
        elif line.trial == chosen:
            role, glyph = "series-3", CHOSEN
        parts = (*(line.positions[i] for i in axes), height_of(line))
        threads.append(Thread(parts, role, glyph, drawn=rank < lines or line.trial == chosen))
    threads.sort(key=lambda thread: (thread.glyph == BEST, thread.glyph == CHOSEN, thread.role == "series-1"))
    total = len(view.lines)
    key: list[Run] = [(f"{BEST} best  ", "series-2")]
    if total > 1:
        key += [
            (f"━ top {min(max(1, lines // 4), total)}  ", "series-1"),
            (f"━ top {min(lines, total)} of {total}  ", "dim"),
        ]
    if total > lines:
        key.append(("┼ others  ", "dim"))
    if any(thread.glyph == CHOSEN for thread in threads):
        key.append((f"{CHOSEN} chosen  ", "series-3"))
    if left_out:
        key.append((f"{left_out} more: n  ", "wait"))
    return [key, *draw(dimensions, threads, width, height - 3), *_values(findings, chosen, width)]


def _values(findings: Findings, chosen: str, width: int) -> Lines:
    """The best trial and the chosen one with their values, a line each."""
    tuning = findings.view.detail.name
    best = next((trial for trial in findings.ranked if trial.value is not None), None)
    other = next((trial for trial in findings.ranked if trial.name == chosen), None)
    lines: Lines = []
    for trial, glyph, role in ((best, BEST, "series-2"), (other, CHOSEN, "series-3")):
        if trial is None or (glyph == CHOSEN and best is not None and trial.name == best.name):
            continue
        head = f"{short_name(trial.name, tuning)[:3]} {number(trial.value)}"
        text = crop(f"  {tuned_text(trial)}", max(0, width - len(head) - 2)).rstrip()
        lines.append([(f"{glyph} ", role), (head, "strong"), (text, "dim")])
    return lines
