"""A lesson as lines and cells: what it teaches at each step, what it costs on AWS, how far one is, what to try."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.formatting import ago, status
from console.keymap import key
from console.money import amount
from console.screens import facts
from console.screens.studies_facts import last_run
from console.widgets.canvas import Lines
from console.widgets.columns import Cell
from workflows import costs
from workflows import runs as ledger
from workflows.lessons.catalog import number
from workflows.lessons.progress import INTERFACES, Progress
from workflows.studies.catalog import StudyInfo, Try

Bill = tuple[Sequence[tuple[str, str, float, float | None]], float | None]
"""As `workflows.lessons.catalog.bill` gives it: rows of (what for, instance type, minutes, US dollars), and their sum."""
READ_WIDTH = 92
"""Cells of a line of prose: longer ones are hard to read."""
THROUGH = {"low": "boto3", "high": "SageMaker SDK v3"}


@dataclass(frozen=True, slots=True)
class Coursework:
    """What threads have worked out about the lessons, by their names: progress, bills; and of which runs results are withheld, with
    the reasons."""

    progress: dict[str, Progress] = field(default_factory=dict)
    bills: dict[str, Bill] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)

    def of(self, info: StudyInfo) -> Progress:
        """How far one is in a lesson."""
        return self.progress.get(info.name, Progress(info.name))


def tries(info: StudyInfo) -> tuple[Try, ...]:
    """What a lesson suggests to change."""
    return info.lesson.tries if info.lesson else ()


def changes(one: Try) -> str:
    """``c=0.001``"""
    return " ".join(f"{name}={value}" for name, value in one.changes.items())


def about(interface: str) -> str:
    """What taking a lesson through an interface is, and which key shows its code."""
    what, script = {
        "low": ("Every AWS call by hand.", "a boto3 script, which runs as printed"),
        "high": ("The same lesson through ModelTrainer, ModelBuilder and their like.", "a script"),
    }[interface]
    return f"{what} {key('run.code')} in the run shows all of it as {script}."


def minutes(value: float) -> str:
    """``18 s``, ``1.5 min``, ``45 min``"""
    return f"{value * 60:.0f} s" if value < 1 else f"{value:g} min"


def lesson_cells(
    info: StudyInfo, course: Coursework | None, runs: Sequence[ledger.Run], now: float
) -> tuple[Cell, ...]:
    """Number and title, both interfaces, tries, the time it takes here, its cost on AWS, the last run."""
    done, tried, cost = Cell("…", "dim"), Cell("…", "dim"), "…"
    if course is not None:
        known = course.of(info)
        marks = " ".join(f"{name} {'✓' if name in known.done else '–'}" for name in INTERFACES)
        complete = len(known.done) == len(INTERFACES)
        done = Cell(marks, "ok" if complete else "" if known.done else "dim")
        total = len(tries(info))
        tried = Cell(
            f"{len(known.tried)} of {total}",
            "ok" if len(known.tried) == total else "" if known.tried else "dim",
        )
        cost = amount(course.bills[info.name][1]) if info.name in course.bills else "–"
    here = minutes(info.minutes[0])
    return (
        Cell(f"{number(info)} {info.title}", "strong", short=f"{number(info)} {subject(info.title)}"), done, tried,
        Cell(here, "dim"), Cell(cost, "dim"),
        Cell(*_latest(info, course, runs, now)),
    )  # fmt: skip


def subject(title: str) -> str:
    """A title up to where it goes into particulars: ``Deploying a model`` of ``Deploying a model, with Lambda and API Gateway``."""
    return re.split(r"[,:]| and ", title, maxsplit=1)[0]


def _latest(
    info: StudyInfo, course: Coursework | None, runs: Sequence[ledger.Run], now: float
) -> tuple[str, str]:
    """How the newest run is or was; remembered when it was deleted."""
    if runs:
        newest = runs[0]
        shown = status("running" if newest.status in ("starting", "stopping") else newest.status)
        when = newest.step or newest.status if newest.active else ago(newest.ended or newest.created, now)
        return f"{shown.glyph} {when}", shown.role
    known = course.of(info) if course is not None else None
    if known is not None and known.status:
        return f"{status(known.status).glyph} deleted", "dim"
    return "never", "dim"


def preview(
    info: StudyInfo,
    course: Coursework | None,
    runs: Sequence[ledger.Run],
    now: float,
    width: int,
    *,
    brief: bool = False,
) -> Lines:
    """A lesson below the list: in a few lines what it is about and how far one is; ``brief`` without blank ones between them."""
    read = min(width, READ_WIDTH)
    lines = facts.sentences([f"Lesson {number(info)}: {info.title}"], width, "strong")
    lines += [*facts.sentences([info.summary], read), *([] if brief else [[]])]
    lines += learned(info, read)
    return [*lines, *([] if brief else [[]]), *standing(info, course, runs, now, width)]


def steps(info: StudyInfo) -> Lines:
    """The titles of a lesson's steps."""
    numbered: Lines = [
        [(f"{at:>2}  ", "dim"), (title, "")] for at, (_, title) in enumerate(info.steps, start=1)
    ]
    return [facts.head("Steps"), *numbered]


def learned(info: StudyInfo, width: int) -> Lines:
    """What one learns."""
    lines: Lines = [facts.head("What you learn")]
    for text in info.teaches:
        for at, line in enumerate(facts.sentences([text], width - 2)):
            lines.append([("· " if at == 0 else "  ", "dim"), *line])
    return lines


def standing(
    info: StudyInfo, course: Coursework | None, runs: Sequence[ledger.Run], now: float, width: int
) -> Lines:
    """How far one is, in lines of label and value."""
    if course is None:
        return [[("Looking at your progress …", "dim")]]
    known = course.of(info)
    parts = [
        f"✓ {THROUGH[name]} {ago(known.done[name], now)}"
        if name in known.done
        else f"– {THROUGH[name]} not yet"
        for name in INTERFACES
    ]
    lines = facts.fact("Progress", " · ".join(parts), width, label_width=10)
    total = len(tries(info))
    following = known.next_try(info)
    text = f"{len(known.tried)} of {total} changes tried" + (
        f"; next: {following.title}" if following else ""
    )
    lines += facts.fact("Tries", text, width, label_width=10)
    here, aws = (minutes(value) for value in info.minutes)
    bill = course.bills.get(info.name)
    price = f", about {amount(bill[1])} (estimate)" if bill is not None else ""
    lines += facts.fact("Takes", f"{here} here, free; {aws} on AWS{price}", width, label_width=10)
    if runs:
        last = last_run(runs, course.withheld)
        lines += facts.fact("Runs", last.text, width, last.role, label_width=10)
    elif known.last:
        lines += facts.fact(
            "Runs", f"the last, {known.last}, is deleted; what you did is remembered", width, label_width=10
        )
    return lines


def whole(
    info: StudyInfo, course: Coursework | None, runs: Sequence[ledger.Run], now: float, width: int
) -> Lines:
    """Everything about a lesson: what it teaches, says at each step, suggests to change, costs on AWS."""
    read = min(width, READ_WIDTH)
    lines: Lines = [
        [(f"Lesson {number(info)}: {info.title}", "strong")],
        *facts.sentences([info.summary], read),
        [],
    ]
    lines += [
        *learned(info, read),
        [],
        facts.head("How far you are"),
        *standing(info, course, runs, now, width),
    ]
    told = info.lesson
    if told is None:
        return lines
    lines += [[], facts.head("Step by step")]
    for at, (step, title) in enumerate(info.steps, start=1):
        lines.append([(f"{at:>2}  ", "dim"), (title, "strong")])
        lines += [[("    ", ""), *line] for line in facts.sentences([told.explains.get(step, "")], read - 4)]
    lines += [
        [],
        facts.head(
            "Try it",
            f"change a value, see what happens: {key('lesson.vary')} opens the form with the next one",
        ),
    ]
    for one in told.tries:
        done = course is not None and one.title in course.of(info).tried
        lines.append(
            [
                ("✓ " if done else "· ", "ok" if done else "dim"),
                (one.title, "strong"),
                (f"  {changes(one)}", "accent"),
            ]
        )
        lines += facts.sentences([one.look], read, indent=2)
    if course is not None and info.name in course.bills:
        lines += [[], *bill_lines(course.bills[info.name], width)]
    return lines


def bill_lines(bill: Bill, width: int) -> Lines:
    """What would run on AWS with the machines of the defaults, and what that costs."""
    known, total = bill
    rows = [[what, instance, f"{length:g}", amount(dollars)] for what, instance, length, dollars in known]
    lines = facts.table(
        ["what", "instance", "minutes", "US dollars"], [*rows, ["in all", "", "", amount(total)]], min(width, READ_WIDTH),
        "What it costs on AWS",
    )  # fmt: skip
    return lines + facts.sentences(
        [f"An estimate, {costs.basis()}. On this machine it costs nothing."], min(width, READ_WIDTH), "dim"
    )
