"""A run as lines: its steps while it runs, its tables, figures and gates when they are there."""

from __future__ import annotations

from collections.abc import Sequence

from console import figures
from console.exhibit import cropped, exhibits
from console.formatting import as_text, count, crop, duration, number, status, thin_bar
from console.keymap import key
from console.screens import facts
from console.screens.run_state import RunState, Step
from console.widgets.canvas import Lines, Run
from console.widgets.tint import Ground
from workflows.events import Figure, Gate, Note, Table
from workflows.studies.catalog import Try

MOST_ROWS = 30
"""Rows of a table on the page of results."""
LEAST = 16
"""Characters to which a column of that page is cut before it gives way; fewer do not tell a heading from another."""
MOST_LINES = 8
"""Lines of a file or an exchange on the page of results."""
READ_WIDTH = 92
"""Cells of a line of prose: longer ones are hard to read."""


def overview(
    state: RunState,
    now: float,
    width: int,
    *,
    run: str,
    brief: bool = False,
    log: str = "",
    lesson: bool = False,
    next_try: Try | None = None,
) -> Lines:
    """Status, why it failed and what to do then, what a lesson says at this step, steps with their times, gates, and what came out.

    ``log`` is the path of what the run's process printed, ``lesson`` whether it is read, ``next_try`` what that suggests once it has ended.
    """
    shown = status("running" if state.status == "starting" else state.status)
    how, took = f"{shown.glyph} {state.status}", f" · {duration(state.seconds(now))}"
    origin = " · SYNTHETIC data" if state.synthetic else " · real data" if state.real else ""
    parts = [state.study, f"interface {state.interface}" if state.interface else "", state.target]
    about, room = _apart(parts), width - len(how + took + origin)
    if len(about) > room:
        about = _apart(parts[1:])  # the run's id begins with its study
    lines: Lines = [
        [(run, "strong")],
        [
            (how, shown.role),
            (took, ""),
            (crop(about, room).rstrip(), "dim"),
            (origin, "" if state.real else "wait"),
        ],
    ]
    if not state.steps:
        return [*lines, [], [("Waiting for the run's first event …", "dim")]]
    ended = state.ended
    unhappy = ended is not None and shown.role == "bad"
    if ended is not None and unhappy:
        lines += [[]] if not brief else []
        lines += facts.sentences((ended.message or "It ended without a message.").splitlines(), width, "bad")
        lines += next_steps(ended.status, width, log)
    lines += [[]] if not brief else []
    lines += teaching(state, width) if ended is None else reading(next_try, width) if lesson else []
    if state.withheld and (ended is None or not unhappy):
        lines += [*facts.sentences([state.withheld], width, "bad"), *([[]] if not brief else [])]
    for step in state.steps:
        lines += step_lines(step, now, width, state.summary(step))
    if state.question is not None:
        lines += [
            [],
            [("? ", "wait"), (state.question.text, "wait")],
            [(f"  {key('run.answer')} answers", "dim")],
        ]
    if state.gates:
        lines += [[], facts.head("Gates")]
        for gate in state.gates:
            lines += gate_lines(gate, width)
    if ended is not None:
        said = ended.message if not unhappy and ended.message != state.withheld else ""
        if said or ended.metrics or ended.left_behind:
            lines += [[], facts.head("Result")]
        if said:
            lines += facts.sentences(said.splitlines(), width)
        lines += facts.pairs({name: number(value) for name, value in ended.metrics.items()}, width, "strong")
        lines += (
            [[("Left in place:", "wait")], *facts.sentences(ended.left_behind, width, "wait")]
            if ended.left_behind
            else []
        )
    return lines


def _apart(parts: Sequence[str]) -> str:
    """The parts there are, with a point before each."""
    return "".join(f" · {part}" for part in parts if part)


def teaching(state: RunState, width: int) -> Lines:
    """What a lesson says at the step that runs, and the titles of what it has shown there since."""
    notes = state.notes
    if not notes:
        return []
    step = next(at for at, one in enumerate(state.steps, start=1) if one.status == "running")
    said, *seen = notes
    lines: Lines = [[(said.title, "head"), (f"  step {step} of {len(state.steps)}", "dim")]]
    lines += facts.sentences(said.text.split("\n\n"), min(width, READ_WIDTH))
    lines += [[("▸ ", "key"), (one.title, "")] for one in seen]
    return [*lines, []]


def reading(following: Try | None, width: int) -> Lines:
    """Where a lesson is read once it has ended, and what to change next."""
    read, vary = key("run.next_part"), key("run.vary")
    gap = max(len(read), len(vary)) + 1
    lines: Lines = [
        [(read, "key"), (" " * (gap - len(read)) + "reads it at your pace, with all that it showed", "")],
    ]
    if following is not None:
        changes = " ".join(f"{name}={value}" for name, value in following.changes.items())
        line: list[Run] = [
            (vary, "key"),
            (" " * (gap - len(vary)) + "tries: ", ""),
            (following.title, "strong"),
            (f"  {changes}", "accent"),
        ]
        lines.append(cropped(line, width))
    return [*lines, []]


def next_steps(ended: str, width: int, log: str) -> Lines:
    """What to do after a run that did not end well, and where to look."""
    again, resume, stop = key("run.again"), key("run.resume"), key("run.stop")
    what = {
        "refused": f"Next: {again} opens the form with these settings; change them so that the gate can pass.",
        "interrupted": f"Next: {resume} goes on with it and reuses its finished steps; {stop} deletes what it made.",
    }.get(
        ended,
        f"Next: {resume} tries the failed step again and reuses the finished ones; {again} opens the form with these settings.",
    )
    lines = facts.sentences([what], width, "wait")
    return lines + (facts.fact("Process log", log, width, "dim", label_width=13) if log else [])


def step_lines(step: Step, now: float, width: int, summary: str) -> Lines:
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
    summary = summary if step.status != "pending" else ""
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
            lines.append([("  " + progress.note, "dim")])
    elif summary and room >= 30:
        line.append(("   " + crop(summary, room).rstrip(), "dim"))
    elif summary and step.status in ("failed", "skipped"):
        lines += facts.sentences([summary], width, "dim", indent=2)
    return lines


def gate_lines(gate: Gate, width: int) -> Lines:
    """The verdict, and the reason in its sentence."""
    shown = status(gate.verdict)
    pieces = facts.sentences([f"{gate.name}: {gate.reason}"], width - 2)
    return [
        [(f"{shown.glyph} " if index == 0 else "  ", shown.role), *piece]
        for index, piece in enumerate(pieces)
    ]


Drawn = dict[tuple[int, int, Ground], tuple[Figure, Lines]]
"""Figures that are drawn already, by their id (which nobody else gets while they are kept here), width and ground: a large one takes tens of milliseconds, and
each event of a live run writes the page anew."""


def results(
    state: RunState, width: int, *, ground: Ground, drawn: Drawn | None = None
) -> tuple[Lines, list[int]]:
    """Tables, figures and gates in the order in which they came, then what was made; and the line where each of
    ``state.viewed`` begins. ``drawn`` keeps figures from one call to the next; it is of one run."""
    drawn = {} if drawn is None else drawn
    lines: Lines = facts.sentences([state.withheld], width, "bad") if state.withheld else []
    begins: list[int] = []
    if not state.shown and not state.artifacts:
        hint = "No result yet: tables, figures and gates appear here as the run makes them."
        return [*lines, [(hint if not state.withheld else "", "dim")]], begins
    for result in state.shown:
        if isinstance(result, Gate):
            lines += gate_lines(result, width)
            continue
        if lines and lines[-1]:
            lines.append([])
        if isinstance(result, Note):
            said, within = note(result, width, _place(result, state.steps), key("run.open"))
            begins += [len(lines) + line for line in within]
            lines += [*said, []]
            continue
        begins.append(len(lines))
        if isinstance(result, Table):
            lines += short_table(result, width, key("run.open"))
        else:
            at = (id(result), width, ground)
            if at not in drawn:
                drawn[at] = result, figures.on_page(result, width, ground=ground)
            lines += drawn[at][1]
        lines.append([])
    if state.artifacts:
        lines += [facts.head("What it made")]
        for artifact in state.artifacts:
            lines += facts.fact(artifact.what, f"{artifact.name}  {artifact.location}".rstrip(), width)
    return lines, begins


def short_table(table: Table, width: int, opens: str = "") -> Lines:
    """A table among other results: the first rows of a long one, the columns of a wide one that can be read, and what is more,
    which the key ``opens`` shows."""
    shown = legible(table, width)
    rows = [row[:shown] for row in table.rows[:MOST_ROWS]]
    lines = facts.table(table.columns[:shown], rows, width, table.title, cut=True)
    more = [
        count(left, f"more {what}")
        for left, what in ((len(table.rows) - MOST_ROWS, "row"), (len(table.columns) - shown, "column"))
        if left > 0
    ]
    if more:
        lines.append([(f"… {' and '.join(more)}{f': {opens} shows all of them' if opens else ''}", "dim")])
    return lines


def legible(table: Table, width: int) -> int:
    """How many columns, from the left, stand beside each other with `LEAST` characters of each, or all that it has."""
    room, shown = width, 0
    for at, name in enumerate(table.columns):
        cells = (as_text(row[at]) for row in table.rows[:MOST_ROWS] if at < len(row))
        room -= 2 + min(LEAST, max([len(name), *map(len, cells)]))
        if room < -2 and shown > 1:  # no gap after the last one
            return shown
        shown += 1
    return shown


def _place(event: Note, steps: Sequence[Step]) -> str:
    """``step 2 of 7`` for what is said when a step begins: its heading is that of the step."""
    at = next((at for at, one in enumerate(steps, start=1) if one.id == event.step), 0)
    return f"step {at} of {len(steps)}" if at and steps[at - 1].title == event.title else ""


def note(event: Note, width: int, place: str = "", opens: str = "") -> tuple[Lines, list[int]]:
    """What a lesson says, wrapped, and the first lines of what it shows, which are never wrapped; and the line on which each of these
    begins. ``place`` stands beside the heading; the key ``opens`` shows all of a text of which the first lines stand here."""
    lines: Lines = [facts.head(event.title, place) if place else [(event.title, "strong")]]
    begins: list[int] = []
    if event.text:
        lines += facts.sentences(event.text.split("\n\n"), min(width, READ_WIDTH))
    for shown in exhibits(event):
        begins.append(len(lines) + 1)
        lines += [
            [],
            [
                ("▸ ", "key"),
                (shown.title, "strong"),
                (f"  {shown.kind}", "dim"),
            ],
        ]
        lines += [[("│ ", "faint"), *cropped(line, width - 2)] for line in shown.lines(MOST_LINES)]
        if (more := shown.text.count("\n") + 1 - MOST_LINES) > 0:
            rest = f"… {count(more, 'more line')}{f': {opens} shows all of it' if opens else ''}"
            lines.append([("│ ", "faint"), (rest, "dim")])
    return lines, begins
