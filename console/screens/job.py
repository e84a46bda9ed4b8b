"""One training job: timeline, metrics, live log, settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import span, status
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.screens.jobs import confirm_stop
from console.screens.logpane import LogPane
from console.widgets.charts import ChartGrid
from console.widgets.drawing import Series
from console.widgets.page import Page
from workflows import topics
from workflows.observe.rows import JobDetail, SeriesData
from workflows.topics import Snapshot, Topic


class JobScreen(ConsoleScreen):
    """What a training job does and did."""

    BINDINGS: ClassVar = list(actions.bindings("job"))
    place = "job"
    section = "jobs"
    parts = (("overview", "Overview"), ("log", "Log"), ("metrics", "Metrics"), ("settings", "Settings"))

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="job"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield ChartGrid(
                    id="metrics",
                    empty="This job reports no metric: it has no MetricDefinitions, or none matched yet.",
                )
                yield LogPane(empty="No line yet: the log begins when the container starts.")
            yield Page(id="settings")

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
        elif snapshot.topic.kind == "job-logs":
            self.query_one(LogPane).show_tail(snapshot.value)
        elif snapshot.topic.kind == "job-metrics":
            self.query_one(ChartGrid).show_charts(
                charts(snapshot.value), x_label="time since its first point", x_format=span
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
        return action.verb != "stop" or self.detail is None or self.detail.row.active

    def action_stop(self) -> None:
        detail = self.detail
        if detail is not None and self.console.allowed(actions.get("job.stop")):
            confirm_stop(self, detail.row)

    def action_copy(self) -> None:
        detail = self.detail
        if detail is not None:
            self.console.copy(detail.arn or detail.name, "the ARN of the job")


def charts(series: Sequence[SeriesData]) -> list[tuple[str, tuple[Series, ...]]]:
    """One chart per metric; a validation metric joins the training metric of the same name."""
    groups: dict[str, list[Series]] = {}
    start = min((one.points[0][0] for one in series if one.points), default=0.0)
    for one in sorted(series, key=lambda one: one.name):
        base = one.name.replace("validation", "train").replace("valid", "train").replace("val", "train")
        points = tuple((x - start, y) for x, y in one.points)
        groups.setdefault(base, []).append(Series(one.name, points, "" if one.unit == "None" else one.unit))
    return [(group[0].name if len(group) == 1 else "", tuple(group)) for group in groups.values()]
