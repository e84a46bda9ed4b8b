"""A study and its runs as lines and cells: what it teaches, takes and costs, whether its data is there, how its runs went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.formatting import ago, count, duration, number, span, status
from console.keymap import key
from console.money import amount
from console.screens import facts
from console.screens.run_scores import leading
from console.widgets.canvas import Lines, Run
from console.widgets.columns import Cell
from workflows import costs
from workflows import runs as ledger
from workflows.studies.catalog import StudyInfo
from workflows.studies.shelf import DataState, Shelf

HISTORY = 8
"""Runs that a preview names."""
BLOCKS = "▁▂▃▄▅▆▇█"
MOST_BLOCKS = 24
DATA: Mapping[DataState, tuple[str, str]] = {
    "real": ("✓", "ok"), "imported": ("✓", "ok"), "generated": ("✓", "ok"), "none": ("✓", "ok"), "sample": ("◐", "wait"),
    "synthetic": ("◌", "wait"), "missing": ("✗", "bad"),
}  # fmt: skip


def study_cells(
    info: StudyInfo,
    runs: Sequence[ledger.Run],
    shelf: Shelf | None,
    withheld: Mapping[str, str],
    *,
    target: str,
) -> tuple[Cell, ...]:
    """Its name, how its last run went and how many there are, its data, what a run takes."""
    data = Cell("…", "dim")
    if shelf is not None:
        glyph, kind = DATA[shelf.data]
        data = Cell(f"{glyph} {shelf.data}" if shelf.data != "none" else "–", kind)
    told = takes(info, shelf, target)
    took = Cell(told, "dim", short=told.partition(" · ")[0])
    return Cell(info.name, "strong"), last_run(runs, withheld), data, took


def takes(info: StudyInfo, shelf: Shelf | None, target: str) -> str:
    """``2 min · free here``, ``45 min · to $0.31``."""
    here, aws = (span(minutes * 60) for minutes in info.minutes)
    if target != "aws":
        return f"{here} · free here"
    return f"{aws} · to {amount(shelf.dollars)}" if shelf is not None else aws


def last_run(runs: Sequence[ledger.Run], withheld: Mapping[str, str]) -> Cell:
    """How the newest of these runs went, in a few words."""
    if not runs:
        return Cell("never run here", "dim")
    newest = runs[0]
    shown = status("running" if newest.status in ("starting", "stopping") else newest.status)
    total = count(len(runs), "run")
    if newest.id in withheld:
        return Cell(f"✗ withheld · {total}", "bad", short="✗ withheld")
    if newest.metrics and newest.status in ("completed", "refused"):
        name, value = leading(newest)
        figure = f" {number(value)}"
        said = f"{shown.glyph} {'SYNTHETIC' if newest.synthetic else name}{figure}"
        return Cell(f"{said} · {total}", shown.role, len(figure), said)
    said = f"{shown.glyph} {newest.status}"
    return Cell(f"{said} · {total}", shown.role, short=said)


def run_cells(run: ledger.Run, now: float, withheld: Mapping[str, str], *, marked: bool) -> tuple[Cell, ...]:
    """Its status, its id with the mark of those that are to be compared, its age, how far it is or what came out."""
    shown = status("running" if run.status in ("starting", "stopping") else run.status)
    return (
        Cell(f"{shown.glyph} {run.status}", shown.role),
        Cell(f"◆ {run.id}" if marked else run.id, "accent" if marked else ""),
        Cell(span(now - run.created) if run.active else ago(run.ended or run.created, now), "dim"),
        _outcome(run, withheld),
    )


def _outcome(run: ledger.Run, withheld: Mapping[str, str]) -> Cell:
    if run.status == "waiting":
        return Cell(f"asks: {key('list.open')} answers", "wait")
    if run.active:
        return Cell(run.step or "starting", "live")
    if run.id in withheld:
        return Cell("results withheld", "bad")
    name, value = leading(run)
    if name:
        shown = f" {number(value)}"
        return Cell(f"{'SYNTHETIC ' if run.synthetic else ''}{name}{shown}", keep=len(shown))
    return Cell()


def study_facts(
    info: StudyInfo,
    runs: Sequence[ledger.Run],
    shelf: Shelf | None,
    withheld: Mapping[str, str],
    now: float,
    width: int,
    *,
    brief: bool = False,
) -> Lines:
    """What a run takes, its data, how its runs went, what it teaches and does; ``brief``: the first lines tell the most."""
    here, aws = (duration(minutes * 60) for minutes in info.minutes)
    price = f", at most about {amount(shelf.dollars)} (estimate)" if shelf is not None else ""
    lines: Lines = [[(info.title, "strong")]]
    lines += facts.fact("Takes", f"{here} here, free; {aws} on AWS{price}", width, label_width=7)
    if shelf is not None:
        glyph, role = DATA[shelf.data]
        pieces = facts.fact("Data", f"{glyph} {shelf.data}: {shelf.note}", width, label_width=7)
        pieces[0][1] = (pieces[0][1][0], role)
        lines += pieces
    if brief:
        lines += _scores(info, runs, withheld)
        lines += [facts.head("What you learn")]
    else:
        lines += [*_scores(info, runs, withheld), *_history(runs, withheld, now, width)]
        lines += [[], *facts.sentences([info.summary], width), [], facts.head("What you learn")]
    for text in info.teaches:
        for index, line in enumerate(facts.sentences([text], width - 2)):
            lines.append([("· " if index == 0 else "  ", "dim"), *line])
    steps = " → ".join(title for _, title in info.steps)
    lines += [[], facts.head("Steps"), *facts.sentences([steps], width, "dim")]
    if shelf is not None and shelf.dollars:
        basis = f"The estimate is both default machines for all of that time, {costs.basis()}."
        lines += [[], *facts.sentences([basis], width, "dim")]
    return lines


def _scores(info: StudyInfo, runs: Sequence[ledger.Run], withheld: Mapping[str, str]) -> Lines:
    """How many runs there are, and their most important metric as it went."""
    if not runs:
        return [[("Runs   ", "dim"), (f"none yet: {key('list.open')} opens the form", "")]]
    scored = [run for run in runs if run.metrics and run.id not in withheld]
    # Scores on made-up data stand beside real ones in no line.
    scored = [run for run in scored if not run.synthetic] or scored
    line: list[Run] = [("Runs   ", "dim"), (f"{len(runs)}", "strong")]
    if scored:
        name, newest = leading(scored[0])
        values = [run.metrics[name] for run in reversed(scored) if name in run.metrics][-MOST_BLOCKS:]
        better = next((one.better for one in info.measures if one.metric == name), "higher")
        made_up = "SYNTHETIC " if scored[0].synthetic else ""
        line.append((f" · {made_up}{name} {number(newest)}", ""))
        if len(values) > 1:
            best = min(values) if better == "lower" else max(values)
            line += [(f" · best {number(best)}  ", ""), (spark(values), "series-1")]
    return [line]


def _history(runs: Sequence[ledger.Run], withheld: Mapping[str, str], now: float, width: int) -> Lines:
    """The newest runs."""
    lines: Lines = []
    for run in runs[:HISTORY]:
        shown = status("running" if run.status in ("starting", "stopping") else run.status)
        outcome = _outcome(run, withheld)
        lines.append(
            [
                (f"       {shown.glyph} ", shown.role),
                (f"{ago(run.ended or run.created, now):<11}", "dim"),
                ((outcome.text or run.status)[: max(0, width - 22)], outcome.role),
            ]
        )
    return lines


def spark(values: Sequence[float]) -> str:
    """Values as blocks of their height between the least and the most."""
    low, high = min(values), max(values)
    if high <= low:
        return BLOCKS[3] * len(values)
    return "".join(BLOCKS[round((value - low) / (high - low) * (len(BLOCKS) - 1))] for value in values)
