"""One endpoint: variants and weights, live traffic and latency, its log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import clock, status
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.screens.endpoints import confirm_deletion
from console.screens.experiment_form import open_experiment_form
from console.screens.logpane import LogPane
from console.screens.traffic import traffic_charts
from console.screens.transform_form import open_transform_form
from console.widgets.charts import ChartGrid
from console.widgets.page import Page
from workflows import topics
from workflows.observe.rows import EndpointDetail, EndpointTraffic
from workflows.topics import Snapshot, Topic


class EndpointScreen(ConsoleScreen):
    """What an endpoint serves."""

    BINDINGS: ClassVar = list(actions.bindings("endpoint"))
    place = "endpoint"
    section = "endpoints"
    parts = (("overview", "Overview"), ("metrics", "Traffic"), ("log", "Log"))

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="endpoint"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield ChartGrid(id="metrics", empty="No traffic yet: i sends a payload.")
                yield LogPane(empty="No line yet: the log begins when the container starts.")

    def opened(self) -> None:
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        name = self.name_of
        return [
            topics.endpoint(name),
            topics.endpoint_metrics(name),
            topics.endpoint_logs(name),
            topics.EXPERIMENTS,
        ]

    def trail(self) -> str:
        return self.name_of

    def summary(self) -> str:
        detail = self._detail
        return str(status(detail.row.status)) if detail else ""

    def summary_role(self) -> str:
        detail = self._detail
        return status(detail.row.status).role if detail else "dim"

    @property
    def _detail(self) -> EndpointDetail | None:
        topic = topics.endpoint(self.name_of)
        found: EndpointDetail | None = self.value(topic) or self.console.known(topic)
        return found

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is None or snapshot.topic == topics.EXPERIMENTS:
            return
        if snapshot.topic.kind == "endpoint-logs":
            self.query_one(LogPane).show_tail(snapshot.value)
            return
        if snapshot.topic.kind == "endpoint-metrics":
            self.query_one(ChartGrid).show_charts(
                traffic_charts(snapshot.value, self.console.services.now()), x_format=clock
            )
        self._write()

    def tick(self) -> None:
        self._write()

    def _write(self) -> None:
        detail, now = self._detail, self.console.services.now()
        row = next(
            (row for row in self.console.known(topics.ENDPOINTS) or () if row.name == self.name_of), None
        )
        traffic: EndpointTraffic | None = self.value(topics.endpoint_metrics(self.name_of))
        self.query_one("#overview", Page).show(
            lambda width: facts.endpoint_facts(detail, row, traffic, now, width)
        )

    def part_shown(self, name: str) -> None:
        target = {"log": "#log LogView", "overview": "#overview"}.get(name)
        if target:
            self.query_one(target).focus()
        else:
            self.set_focus(None)

    async def action_invoke(self) -> None:
        if self.console.allowed(actions.get("endpoint.invoke")):
            from console.screens.invoke import InvokeScreen

            variants = tuple(variant.name for variant in self._detail.variants) if self._detail else ()
            await self.console.open(InvokeScreen(self.name_of, variants))

    def action_transform(self) -> None:
        variants = self._detail.variants if self._detail else ()
        if not variants:
            self.console.flash("Its model is not known yet.", "wait")
        elif self.console.allowed(actions.get("endpoint.transform")):
            open_transform_form(self, max(variants, key=lambda variant: variant.share).model)

    async def action_experiment(self) -> None:
        """The test that runs on this endpoint, else the form of a new one."""
        running = next(
            (
                row
                for row in self.console.known(topics.EXPERIMENTS) or ()
                if row.state == "running" and row.experiment.endpoint == self.name_of
            ),
            None,
        )
        if running is not None:
            await self.console.open_experiment(running.name)
        elif self._detail is not None and len(self._detail.variants) < 2:
            self.console.flash("It has one variant: there is nothing to compare.", "wait")
        elif self.console.allowed(actions.get("endpoint.experiment")):
            open_experiment_form(self, self.name_of)

    def action_delete(self) -> None:
        if self.console.allowed(actions.get("endpoint.delete")):
            confirm_deletion(self, self.name_of)

    def action_copy(self) -> None:
        self.console.copy(self._detail.arn if self._detail else self.name_of, "the ARN of the endpoint")
