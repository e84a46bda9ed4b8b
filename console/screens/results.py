"""A run as lines: its steps while it runs, its tables, figures and gates when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.formatting import crop, duration, number, status, thin_bar
from console.screens import facts
from console.screens.run_state import RunState, Step
from console.widgets import drawing
from console.widgets.drawing import Lines, Run, Series
from workflows.events import Figure, Gate, Note, Table

FIELD_COLOURS = ("#2f6fbf", "#d98a3d")
"""The two ends of a field: told apart in the common kinds of colour blindness."""


def overview(
    state: RunState, now: float, width: int, *, run: str, brief: bool = False, log: str = ""
) -> Lines:
    """Status, why it failed and what to do then, steps with their times, gates, and what came out.

    ``log`` is the path of what the run's process printed.
    """
    shown = status("running" if state.status == "starting" else state.status)
    about = " · ".join(
        part
        for part in (state.study, f"interface {state.interface}" if state.interface else "", state.target)
        if part
    )
    lines: Lines = [
        [(run, "strong")],
        [
            (f"{shown.glyph} {state.status}", shown.role),
            (f" · {duration(state.seconds(now))}", ""),
            (f" · {about}" if about else "", "dim"),
        ],
    ]
    if not state.steps:
        return [*lines, [], [("Waiting for the run's first event …", "dim")]]
    ended = state.finished
    unhappy = ended is not None and shown.role == "bad"
    if ended is not None and unhappy:
        lines += [[]] if not brief else []
        lines += facts.sentences((ended.message or "It ended without a message.").splitlines(), width, "bad")
        lines += next_steps(ended.status, width, log)
    lines += [[]] if not brief else []
    for step in state.steps:
        lines += step_lines(step, now, width)
    if state.question is not None:
        lines += [
            [],
            [("? ", "wait"), (crop(state.question.text, width - 2).rstrip(), "wait")],
            [("  a answers", "dim")],
        ]
    if state.gates:
        lines += [[], facts.head("Gates")]
        for gate in state.gates:
            lines += gate_lines(gate, width)
    if state.finished is not None:
        said = state.finished.message if not unhappy else ""
        if said or state.finished.metrics or state.finished.left_behind:
            lines += [[], facts.head("Result")]
        if said:
            lines += facts.sentences(said.splitlines(), width)
        lines += facts.pairs(
            {name: number(value) for name, value in state.finished.metrics.items()}, width, "strong"
        )
        lines += (
            [[("Left in place:", "wait")], *facts.sentences(state.finished.left_behind, width, "wait")]
            if state.finished.left_behind
            else []
        )
    return lines


def next_steps(ended: str, width: int, log: str) -> Lines:
    """What to do after a run that did not end well, and where to look."""
    what = {
        "refused": "Next: n opens the form with these settings; change them so that the gate can pass.",
        "interrupted": "Next: u goes on with it and reuses its finished steps; x deletes what it made.",
    }.get(
        ended,
        "Next: u tries the failed step again and reuses the finished ones; n opens the form with these settings.",
    )
    lines = facts.sentences([what], width, "wait")
    return lines + (facts.fact("Process log", log, width, "dim", label_width=13) if log else [])


def step_lines(step: Step, now: float, width: int) -> Lines:
    """Glyph, title, time; below it the progress or the summary."""
    shown = status(step.status)
    seconds = (
        step.seconds
        if step.seconds is not None
        else (now - step.started if step.started and step.status == "running" else None)
    )
    took = duration(seconds) if seconds is not None else ""
    name_width = max(12, min(34, width - 14))
    role = {"pending": "dim", "running": "strong"}.get(step.status, "")
    line: list[Run] = [
        (f"{shown.glyph} ", shown.role),
        (crop(step.title, name_width), role),
        (f"{took:>10}", "dim"),
    ]
    room = width - name_width - 15
    summary = step.summary if step.status != "pending" else ""
    lines: Lines = [line]
    progress = step.progress
    if step.status == "running" and progress is not None:
        if progress.total:
            part = progress.done / progress.total
            text = f" {number(progress.done)} of {number(progress.total)} {progress.unit}".rstrip()
            done, rest = thin_bar(part, max(8, min(24, width - 30)))
            note = f"  {progress.note}" if progress.note else ""
            lines.append([("  ", ""), (done, "live"), (rest, "faint"), (text, ""), (note, "dim")])
        elif progress.note:
            lines.append([("  " + crop(progress.note, width - 2).rstrip(), "dim")])
    elif summary and room >= 30:
        line.append(("   " + crop(summary, room).rstrip(), "dim"))
    elif summary and step.status in ("failed", "skipped"):
        lines += [[("  ", ""), *piece] for piece in facts.sentences([summary], width - 2, "dim")]
    return lines


def gate_lines(gate: Gate, width: int) -> Lines:
    """The verdict, and the reason in its sentence."""
    shown = status(gate.verdict)
    pieces = facts.sentences([f"{gate.name}: {gate.reason}"], width - 2)
    return [
        [(f"{shown.glyph} " if index == 0 else "  ", shown.role), *piece]
        for index, piece in enumerate(pieces)
    ]


def results(state: RunState, width: int, *, colours: bool) -> Lines:
    """Tables, figures and gates in the order in which they came, then what was made."""
    if not state.results and not state.artifacts:
        return [[("No result yet: tables, figures and gates appear here as the run makes them.", "dim")]]
    lines: Lines = []
    for result in state.results:
        if isinstance(result, Gate):
            lines += gate_lines(result, width)
            continue
        if lines and lines[-1]:
            lines.append([])
        if isinstance(result, Note):
            lines += note(result, width)
        elif isinstance(result, Table):
            lines += facts.table(result.columns, result.rows, width, result.title)
        else:
            lines += figure(result, width, 20, colours=colours)
        lines.append([])
    if state.artifacts:
        lines += [facts.head("What it made")]
        for artifact in state.artifacts:
            lines += facts.fact(artifact.what, f"{artifact.name}  {artifact.location}".rstrip(), width)
    return lines


def note(event: Note, width: int) -> Lines:
    """What a lesson says, and what it shows: files, exchanges, commands."""
    width = min(width, 100)
    lines: Lines = [facts.head(event.title)]
    for paragraph in event.text.split("\n\n"):
        lines += [*facts.sentences([paragraph], width), []]
    for shown in event.shown:
        lines.append([(crop(shown.get("title", ""), width).rstrip(), "dim")])
        lines += [
            [("  " + crop(line, width - 2).rstrip(), "strong")] for line in shown.get("text", "").splitlines()
        ]
        lines.append([])
    return lines[:-1]


def figure(event: Figure, width: int, height: int, *, colours: bool) -> Lines:
    """A figure in characters, in whichever form it has."""
    width = min(width, 110)
    if event.form == "field":
        grid = next((one for one in event.series if "z" in one), None)
        if grid is not None:
            points = [
                (str(one.get("name", "")), _floats(one["x"]), _floats(one["y"]))
                for one in event.series
                if "z" not in one
            ]
            width = min(width, 72)
            return drawing.field_plot(
                [_floats(row) for row in grid["z"]],
                _floats(grid["x"]),
                _floats(grid["y"]),
                points,
                width,
                height + 4,
                title=event.title,
                x_label=event.x_label,
                y_label=event.y_label,
                colours=FIELD_COLOURS if colours else None,
            )
    if event.form == "bar" and event.series:
        first = event.series[0]
        labels = [str(value) for value in first["x"]]
        return drawing.bars(labels, _floats(first["y"]), width, len(labels) + 1, title=event.title)
    series = [
        Series(str(one.get("name", "")), tuple(zip(_floats(one["x"]), _floats(one["y"]), strict=False)))
        for one in event.series
    ]
    return drawing.chart(
        series, width, height, title=event.title, x_label=event.x_label, markers=event.form == "scatter"
    )


def _floats(values: Sequence[Any]) -> list[float]:
    return [float(value) if value is not None else float("nan") for value in values]
