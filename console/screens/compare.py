"""Two training jobs side by side: settings and results, and their curves in the same charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console import actions
from console.formatting import crop_middle, duration, number, printable, span, status
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.charting import Charting
from console.screens.curvefeed import CurveFeed
from console.screens.curves import Charts, axis_label, base, charts
from console.screens.help import TextScreen
from console.trail import Place
from console.widgets.axis import short
from console.widgets.charts import ChartGrid
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines, Run, Series
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.inspecting.comparing import Pair, apart, compared
from workflows.observe.rows import JobDetail
from workflows.topics import Snapshot, Topic

LETTERS = ("A", "B")


class CompareScreen(Charting, ConsoleScreen):
    """A is the older of the two."""

    BINDINGS: ClassVar = list(actions.bindings("compare"))
    place = "compare"
    section = "jobs"
    thing = "training job"
    parts = (("differences", "Settings"), ("metrics", "Curves"))
    panes: ClassVar = {"differences": "differences", "metrics": "metrics"}
    beside = "metrics"
    smaller = "metrics"

    def __init__(self, left: str, right: str) -> None:
        super().__init__()
        self.names = (left, right)
        self._only_different = True
        self._feeds = tuple(CurveFeed(self, self._curves_changed) for _ in self.names)

    @property
    def location(self) -> Place:
        return Place("compare", " ".join(self.names))

    def body(self) -> Iterable[Widget]:
        with Vertical(id="compare"):
            yield Page(id="compared-jobs")
            yield Rows[Pair | str](
                [
                    Column("", 22),
                    Column("A", 16, grow=1, middle=True),
                    Column("B", 16, grow=1, middle=True),
                    Column("B − A", 10, right=True, drop=1),
                ],
                key=lambda row: row if isinstance(row, str) else (row.section, row.name),
                cells=_cells,
                title=lambda row: row if isinstance(row, str) else "",
                id="differences",
            )
            yield ChartGrid(id="metrics", empty="Neither job reports a metric with more than one value.")

    def opened(self) -> None:
        self.query_one("#compared-jobs").can_focus = False
        self._show()

    def topics(self) -> Sequence[Topic[Any]]:
        kinds = (topics.job, topics.job_logs, topics.job_metrics)
        return [kind(name) for kind in kinds for name in self.names]

    @property
    def absent(self) -> bool:
        return any(self.is_missing(topics.job(name)) for name in self.names)

    def missed(self) -> str:
        return ", ".join(name for name in self.names if self.is_missing(topics.job(name)))

    def trail(self) -> str:
        return "two training jobs"

    def detail(self, name: str) -> JobDetail | None:
        """What is known of one of the jobs."""
        found: JobDetail | None = self.value(topics.job(name)) or self.console.known(topics.job(name))
        return found

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        for name, feed in zip(self.names, self._feeds, strict=True):
            feed.read(self.value(topics.job_logs(name)), self.detail(name))
        if snapshot.topic.kind == "job":
            self._show()
        elif snapshot.topic.kind == "job-metrics":
            self.draw_charts()

    def _show(self) -> None:
        details = [self.detail(name) for name in self.names]
        now = self.console.services.now()
        heads: list[tuple[Run, str, list[Run]]] = []
        for letter, name, detail, role in zip(
            LETTERS, self.names, details, ("series-1", "series-2"), strict=True
        ):
            shown = status(detail.row.status) if detail else None
            state = (str(shown), shown.role) if shown else ("loading …", "dim")
            took = f" · {duration(detail.row.seconds(now))}" if detail else ""
            heads.append(((f" {letter}  ", role), name, [("  ", ""), state, (took, "dim")]))

        def write(width: int) -> Lines:
            lines: Lines = []
            for first, name, rest in heads:
                room = max(16, width - cell_len(first[0]) - sum(cell_len(text) for text, _ in rest))
                fitted = printable(name) if len(name) <= room else crop_middle(printable(name), room)
                lines.append([first, (fitted, "strong"), *rest])
            return lines

        self.query_one("#compared-jobs", Page).show(write)
        rows: Rows[Any] = self.query_one("#differences", Rows)
        left, right = details
        if left is None or right is None:
            rows.show_when_empty("Loading both jobs …")
            return
        pairs = [
            pair
            for pair in compared(left, right)
            if (pair.left or pair.right) and (pair.differs or not self._only_different)
        ]
        listed: list[Pair | str] = []
        for pair in pairs:
            if not listed or getattr(listed[-1], "section", "") != pair.section:
                listed.append(pair.section)
            listed.append(pair)
        rows.show_when_empty("They do not differ in anything that can be set.")
        rows.show(listed)

    def _curves_changed(self, first: bool) -> None:
        self.draw_charts(at_once=first)

    def draw_charts(self, *, at_once: bool = False) -> None:
        drawn = together(
            *(
                charts(self.value(topics.job_metrics(name)) or (), feed.curves, by_time=self._by_time)
                for name, feed in zip(self.names, self._feeds, strict=True)
            )
        )
        curves = [curve for feed in self._feeds for curve in feed.curves]
        self.query_one(ChartGrid).show_charts(
            self.in_turn(drawn),
            x_label=axis_label(curves, self._by_time),
            x_format=span if self._by_time else short,
            scale="log" if self._log_scale else "linear",
            more=f"{key('compare.next_chart')} begins with the next",
            at_once=at_once,
        )

    def part_shown(self, name: str) -> None:
        if name == "differences" and self.has("#differences"):
            self.query_one("#differences").focus()
        else:
            self.set_focus(None)

    def offers(self, action: actions.Action) -> bool:
        return (self.part == "metrics") is (
            action.verb in ("axis", "scale", "next_chart")
        ) or action.verb in ("next_part", "swap")

    @on(Rows.Opened, "#differences")
    def _whole(self) -> None:
        """Both values of the row as they are: a list has no room for the addresses of two artefacts."""
        row = self.query_one("#differences", Rows).current
        if isinstance(row, Pair):
            text = f"A\n{row.left or '–'}\n\nB\n{row.right or '–'}"
            self.console.push_screen(TextScreen(row.name, text, wrapped=True))

    def action_all(self) -> None:
        self._only_different = not self._only_different
        self._show()


def together(left: Charts, right: Charts) -> Charts:
    """One chart per exact metric, so that a line of A stands beside the same of B and nothing else."""
    found: dict[str, list[Series]] = {}
    for letter, group in zip(LETTERS, (left, right), strict=True):
        for _, several in group:
            for one in several:
                found.setdefault(one.name, []).append(replace(one, name=letter))
    ordered = sorted(found, key=lambda name: (base(name), name))
    return [(name, _both(found[name])) for name in ordered]


def _both(lines: Sequence[Series]) -> tuple[Series, ...]:
    """A line of each job, which keeps its colour and sign where the other has none."""
    there = {line.name: line for line in lines}
    return tuple(there.get(letter, Series(f"{letter} –", ())) for letter in LETTERS)


def _cells(row: Pair | str) -> tuple[Cell, ...]:
    if isinstance(row, str):
        return (Cell(row),)
    role = "" if row.differs else "dim"
    change = row.change if row.differs else None
    shown = "" if change is None else ("+" if change > 0 else "−") + number(abs(change))
    left, right = apart(row.left, row.right)
    return (
        Cell(printable(row.name), "dim"),
        Cell(_value(left), role),
        Cell(_value(right), role),
        Cell(shown, "dim"),
    )


def _value(text: str) -> str:
    return printable(text.replace("\n", " ")) if text else "–"


async def compare_marked(screen: ConsoleScreen, marked: Sequence[Any], noun: str) -> None:
    """Open the comparison of the two training jobs that are marked; where not exactly two are, say how to mark them."""
    if len(marked) == 2:
        older, newer = sorted(marked, key=lambda row: row.created)
        await screen.console.open(CompareScreen(older.name, newer.name))
        return
    mark = key("select.mark")
    said = f"Mark two {noun}s first: {mark} marks one."
    if len(marked) > 2:
        said = f"{len(marked)} {noun}s are marked: two are compared. {mark} takes a mark away."
    screen.console.flash(said, "wait")
