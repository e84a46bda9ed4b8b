"""One transform job: progress by records and bytes, live log, throughput, what came out, settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import methodcaller
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import span, status
from console.keymap import key
from console.screens import transform_facts
from console.screens.base import ConsoleScreen
from console.screens.charting import InTurn
from console.screens.dialogs import ConfirmScreen
from console.screens.logpane import COMING, NONE, LogPane
from console.trail import Place
from console.widgets.charts import ChartGrid
from console.widgets.page import Page
from workflows import topics
from workflows.observe.transform_rows import TransformDetail, TransformOutput, TransformProgress, TransformRow
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic

FIRST_ROWS = 200

NO_POINT_YET = "No point yet: they come while the job runs."
NO_POINT = "No point: the job ended before its first, or they were deleted."


class TransformScreen(InTurn, ConsoleScreen):
    """What a transform job does and did."""

    BINDINGS: ClassVar = list(actions.bindings("transform"))
    place = "transform"
    section = "jobs"
    thing = "transform job"
    parts = (
        ("overview", "Overview"),
        ("log", "Log"),
        ("metrics", "Throughput"),
        ("output", "Output"),
        ("settings", "Settings"),
    )
    panes: ClassVar = {
        "overview": "overview",
        "log": "live log",
        "metrics": "live metrics",
        "output": "output",
        "settings": "settings",
    }
    beside = "live metrics log"
    smaller = "metrics"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self._output: TransformOutput | None = None
        self._output_problem = ""
        self._read: str | None = None
        """The status of the job when its output was read last."""

    @property
    def location(self) -> Place:
        return Place("transform", self.name_of)

    def subject(self) -> Place:
        return self.location

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="job"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield ChartGrid(id="metrics", empty=NO_POINT_YET)
                yield LogPane(empty=COMING)
            yield Page(id="output", waiting="Loading the transform job …")
            yield Page(id="settings", waiting="Loading the transform job …")

    def opened(self) -> None:
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        name = self.name_of
        return [topics.transform(name), topics.transform_logs(name), topics.transform_progress(name)]

    @property
    def detail(self) -> TransformDetail | None:
        topic = topics.transform(self.name_of)
        found: TransformDetail | None = self.value(topic) or self.console.known(topic)
        return found

    @property
    def row(self) -> TransformRow | None:
        """The line of the list, until more is known."""
        if self.detail is not None:
            return self.detail.row
        known = self.console.known(topics.TRANSFORMS) or ()
        return next((row for row in known if row.name == self.name_of), None)

    @property
    def progress(self) -> TransformProgress | None:
        topic = topics.transform_progress(self.name_of)
        found: TransformProgress | None = self.value(topic) or self.console.known(topic)
        return found

    def trail(self) -> str:
        return self.name_of

    def summary(self) -> str:
        row = self.row
        if row is None:
            return ""
        about = transform_facts.in_a_cell(self.progress)
        return f"{status(row.status)} · {about}" if about else str(status(row.status))

    def summary_role(self) -> str:
        row = self.row
        return status(row.status).role if row else "dim"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is None:
            return
        if snapshot.topic.kind == "transform-logs":
            self.query_one(LogPane).show_tail(snapshot.value)
            return
        if snapshot.topic.kind == "transform-progress":
            self.draw_charts()
        self._write()

    def draw_charts(self, *, at_once: bool = False) -> None:
        drawn = transform_facts.charts(self.progress.series) if self.progress is not None else []
        self.query_one(ChartGrid).show_charts(
            self.in_turn(drawn),
            x_label="time since its first point",
            x_format=span,
            more=f"{key('transform.next_chart')} begins with the next",
            at_once=at_once,
        )

    def tick(self) -> None:
        row = self.row
        if row is not None and row.active:
            self._write()

    def _write(self) -> None:
        services = self.console.services
        detail, row, progress, now = self.detail, self.row, self.progress, services.now()
        self.query_one("#overview", Page).show(
            lambda width: transform_facts.overview(detail, row, progress, now, width, target=services.target)
        )
        if detail is not None:
            self.query_one("#settings", Page).show(lambda width: transform_facts.settings(detail, width))
        if row is not None:
            self.query_one(LogPane).say_when_empty(COMING if row.active else NONE)
            self.query_one(ChartGrid).say_when_empty(NO_POINT_YET if row.active else NO_POINT)
        if self.part == "output":
            self._read_output()

    def _read_output(self) -> None:
        """Read what came out: once, and once more when the job has ended meanwhile."""
        row = self.row
        if row is None or self._read == row.status:
            return
        self._read = row.status
        services, name = self.console.services, self.name_of
        self._write_output()
        self.work(lambda: services.transform_output(name, FIRST_ROWS), self._was_read, self._not_read)

    def _was_read(self, found: TransformOutput) -> None:
        self._output, self._output_problem = found, ""
        self._write_output()

    def _not_read(self, problem: Problem) -> None:
        self._output_problem = f"{problem.sentence} {problem.remedy}".strip()
        self._write_output()

    def _write_output(self) -> None:
        if self.is_attached:
            found, problem = self._output, self._output_problem
            place = self.detail.output if self.detail is not None else ""
            self.query_one("#output", Page).show(
                lambda width: transform_facts.output(found, width, problem, place)
            )

    def part_shown(self, name: str) -> None:
        target = {
            "log": "#log LogView",
            "settings": "#settings",
            "overview": "#overview",
            "output": "#output",
        }
        if name in target:
            self.query_one(target[name]).focus()
        else:
            self.set_focus(None)
        self._write()

    # Keys

    def offers(self, action: actions.Action) -> bool:
        return action.verb != "stop" or self.row is None or self.row.active

    def action_log(self) -> None:
        self.show_part("log")

    def action_output(self) -> None:
        self.show_part("output")

    def action_stop(self) -> None:
        row = self.row
        if row is not None and self.console.allowed(actions.get("transform.stop")):
            confirm_stop(self, row)

    def action_copy(self) -> None:
        if self.detail is not None:
            self.console.copy(self.detail.output, "where the output is")


def confirm_stop(screen: ConsoleScreen, row: TransformRow) -> None:
    """Ask whether a transform job is to be stopped, and stop the one that the dialog named."""
    console, name = screen.console, row.name
    if not row.active:
        console.flash(f"{name} is {row.status}: there is nothing to stop.", "wait")
        return

    def chosen(choice: str | None) -> None:
        if choice == "Stop it":
            console.flash(f"Stopping {name} …", "wait")
            console.in_background(
                lambda: console.services.stop_transform(name),
                lambda _: console.flash(f"✓ {name} is asked to stop."),
            )

    console.push_screen(
        ConfirmScreen(
            f"Stop transform job {name}?",
            ["Objects that are not finished leave no output; it cannot go on afterwards."],
            "Stop it",
            typed=name if console.services.target == "aws" else "",
            does=methodcaller("stop_transform", name),
        ),
        chosen,
    )
