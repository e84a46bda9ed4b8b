"""One training job: timeline, metrics, live log, settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import span, status
from console.keymap import key
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.screens.charting import Charting
from console.screens.curvefeed import CurveFeed
from console.screens.curves import axis_label, charts
from console.screens.jobs import confirm_stop
from console.screens.logpane import COMING, NONE, LogPane
from console.screens.transform_form import open_transform_form
from console.screens.tuning_actions import open_tune
from console.trail import Place
from console.widgets.axis import short
from console.widgets.charts import ChartGrid
from console.widgets.page import Page
from workflows import topics
from workflows.observe.rows import JobDetail, SeriesData
from workflows.topics import Snapshot, Topic


def no_curve(detail: JobDetail) -> str:
    """What stands in the place of a job's charts while it has none."""
    many = len(detail.metric_definitions)
    if not many:
        return "It has no MetricDefinitions: SageMaker looks for no values in its log."
    ones = "its metric definition" if many == 1 else f"any of its {many} metric definitions"
    return f"No line of the log {f'has matched {ones} yet' if detail.row.active else f'matched {ones}'}."


class JobScreen(Charting, ConsoleScreen):
    """What a training job does and did."""

    BINDINGS: ClassVar = list(actions.bindings("job"))
    place = "job"
    section = "jobs"
    thing = "training job"
    parts = (("overview", "Overview"), ("log", "Log"), ("metrics", "Metrics"), ("settings", "Settings"))
    panes: ClassVar = {
        "overview": "overview",
        "log": "live log",
        "metrics": "live metrics",
        "settings": "settings",
    }
    beside = "live metrics log"
    smaller = "metrics"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self._feed = CurveFeed(self, lambda first: self.draw_charts(at_once=first))

    @property
    def location(self) -> Place:
        return Place("job", self.name_of)

    def subject(self) -> Place:
        return self.location

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="job"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield ChartGrid(id="metrics")
                yield LogPane(empty=COMING)
            yield Page(id="settings", waiting="Loading the job …")

    def opened(self) -> None:
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        name = self.name_of
        return [topics.job(name), topics.job_logs(name), topics.job_metrics(name)]

    @property
    def detail(self) -> JobDetail | None:
        found: JobDetail | None = self.value(topics.job(self.name_of)) or self.console.known(
            topics.job(self.name_of)
        )
        return found

    def trail(self) -> str:
        return self.name_of

    def summary(self) -> str:
        detail = self.detail
        return str(status(detail.row.status)) if detail else ""

    def summary_role(self) -> str:
        detail = self.detail
        return status(detail.row.status).role if detail else "dim"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is None:
            return
        if snapshot.topic.kind == "job":
            self._write()
            self._read_curves()
        elif snapshot.topic.kind == "job-logs":
            self.query_one(LogPane).show_tail(snapshot.value)
            self._read_curves()
        elif snapshot.topic.kind == "job-metrics":
            self.draw_charts()

    def _read_curves(self) -> None:
        self._feed.read(self.value(topics.job_logs(self.name_of)), self.detail)

    def draw_charts(self, *, at_once: bool = False) -> None:
        series: Sequence[SeriesData] = self.value(topics.job_metrics(self.name_of)) or ()
        drawn = charts(series, self._feed.curves, by_time=self._by_time)
        self.query_one(ChartGrid).show_charts(
            self.in_turn(drawn),
            x_label=axis_label(self._feed.curves, self._by_time, series),
            x_format=span if self._by_time else short,
            scale="log" if self._log_scale else "linear",
            more=f"{key('job.next_chart')} begins with the next",
            at_once=at_once,
        )

    def tick(self) -> None:
        detail = self.detail
        if detail is not None and detail.row.active:
            self._write()

    def _write(self) -> None:
        detail, now = self.detail, self.console.services.now()
        overview, settings = self.query_one("#overview", Page), self.query_one("#settings", Page)
        if detail is None:
            overview.show(lambda width: [[(self.name_of, "strong")], [("Loading the job …", "dim")]])
            return
        overview.show(lambda width: facts.job_facts(detail, now, width))
        settings.show(lambda width: facts.job_settings(detail, width))
        self.query_one(LogPane).say_when_empty(COMING if detail.row.active else NONE)
        self.query_one(ChartGrid).say_when_empty(no_curve(detail))

    def part_shown(self, name: str) -> None:
        target = {"log": "#log LogView", "settings": "#settings", "overview": "#overview"}.get(name)
        if target:
            self.query_one(target).focus()
        else:
            self.set_focus(None)

    def action_log(self) -> None:
        self.show_part("log")

    def action_metrics(self) -> None:
        self.show_part("metrics")

    def offers(self, action: actions.Action) -> bool:
        if action.verb in ("axis", "scale", "next_chart"):
            shown = self.part == "metrics" or (self.wide and self.part == "overview")
            return shown and self.query_one(ChartGrid).filled
        row = self.detail.row if self.detail is not None else None
        if action.verb == "tuning":
            return self.detail is not None and bool(self.detail.tuning_job)
        if action.verb in ("tune", "transform"):
            return row is not None and row.status in ("Completed", "Stopped")
        return action.verb != "stop" or row is None or row.active

    async def action_tuning(self) -> None:
        tuning = self.detail.tuning_job if self.detail is not None else ""
        if tuning:
            await self.console.open_tuning(tuning)
        else:
            self.console.flash("No tuning job made it.", "wait")

    def action_tune(self) -> None:
        if self._trained() and self.console.allowed(actions.get("job.tune")):
            open_tune(self, self.name_of)

    def action_transform(self) -> None:
        if self._trained() and self.console.allowed(actions.get("job.transform")):
            open_transform_form(self, self.name_of)

    def _trained(self) -> bool:
        """Whether there is a model; says so where there is none."""
        detail = self.detail
        if detail is not None and detail.row.status in ("Completed", "Stopped"):
            return True
        self.console.flash("Only a training job that has completed can be tuned or used.", "wait")
        return False

    def action_stop(self) -> None:
        detail = self.detail
        if detail is not None and self.console.allowed(actions.get("job.stop")):
            confirm_stop(self, detail.row)

    def action_copy(self) -> None:
        detail = self.detail
        if detail is not None:
            self.console.copy(detail.arn or detail.name, "the ARN of the job")
