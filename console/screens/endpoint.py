"""One endpoint: its variants side by side, live traffic, log, captured requests, alarms, scaling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import clock, status
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.charting import InTurn
from console.screens.endpoint_facts import Watched, endpoint_facts, scaling_facts, traffic_facts
from console.screens.endpoint_panes import AlarmsPane, CapturesPane
from console.screens.endpoints import confirm_deletion
from console.screens.experiment_form import open_experiment_form
from console.screens.logpane import COMING, LogPane
from console.screens.rollout_form import open_rollout_of
from console.screens.traffic import traffic_charts
from console.screens.transform_form import open_transform_form
from console.screens.weights import change_weights
from console.trail import Place
from console.widgets.charts import ChartGrid
from console.widgets.page import Page
from workflows import topics
from workflows.observe.captures import CapturePage
from workflows.observe.rows import EndpointDetail, EndpointTraffic
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic
from workflows.traffic.reports import Report


class EndpointScreen(InTurn, ConsoleScreen):
    """What an endpoint serves. Parts that are not in sight are not asked for."""

    BINDINGS: ClassVar = list(actions.bindings("endpoint"))
    place = "endpoint"
    section = "endpoints"
    thing = "endpoint"
    parts = (
        ("overview", "Overview"),
        ("metrics", "Traffic"),
        ("log", "Log"),
        ("captures", "Captures"),
        ("alarms", "Alarms"),
        ("scaling", "Scaling"),
    )
    panes: ClassVar = {
        "overview": "overview",
        "metrics": "live compared metrics",
        "log": "live log",
        "captures": "captures",
        "alarms": "alarms",
        "scaling": "scaling",
    }
    beside = "live metrics log"
    smaller = "metrics"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self._variant = ""
        """The variant whose log and captures are shown; empty: all."""

    @property
    def location(self) -> Place:
        return Place("endpoint", self.name_of)

    def subject(self) -> Place:
        return self.location

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="endpoint"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield Page(id="compared")
                yield ChartGrid(
                    id="metrics",
                    empty=f"No traffic yet: {key('endpoint.invoke')} sends a payload, {key('endpoint.replay')} many.",
                )
                yield LogPane(empty=COMING)
            yield CapturesPane()
            yield AlarmsPane(self._ask_history)
            yield Page(id="scaling")

    def opened(self) -> None:
        self.query_one("#compared").can_focus = False
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        name, part = self.name_of, self.part
        found: list[Topic[Any]] = [topics.endpoint(name)]
        both = part == "overview" and self.wide
        if part in ("overview", "metrics"):
            found.append(topics.endpoint_metrics(name))
        if part == "log" or both:
            found.append(topics.endpoint_logs(name))
        if part in ("overview", "alarms"):
            found.append(topics.endpoint_alarms(name))
        if part == "scaling":
            found.append(topics.endpoint_scaling(name))
        if part == "overview":
            found += [topics.REPLAYS, topics.EXPERIMENTS]
        return found

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

    @property
    def _replay(self) -> Report | None:
        """The replay at this endpoint that goes on, if there is one."""
        found = self.value(topics.REPLAYS) or self.console.known(topics.REPLAYS) or ()
        return next((report for report in found if report.active and report.endpoint == self.name_of), None)

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is None or snapshot.topic == topics.EXPERIMENTS:
            return
        kind = snapshot.topic.kind
        if kind == "endpoint-logs":
            self.query_one(LogPane).show_tail(snapshot.value)
            return
        now = self.console.services.now()
        if kind == "endpoint-metrics":
            self.draw_charts()
        if kind == "endpoint-alarms":
            self.query_one(AlarmsPane).show_alarms(snapshot.value, self.name_of, now)
        self._write()

    def on_resize(self) -> None:
        super().on_resize()
        self.observe()  # side by side more is in sight

    def tick(self) -> None:
        self._write()
        self.query_one(AlarmsPane).tick(self.console.services.now())

    def draw_charts(self, *, at_once: bool = False) -> None:
        traffic: EndpointTraffic | None = self.value(topics.endpoint_metrics(self.name_of))
        if traffic is None:
            return
        drawn = traffic_charts(traffic, self.console.services.now())
        self.query_one(ChartGrid).show_charts(
            self.in_turn(drawn),
            x_format=clock,
            more=f"{key('endpoint.next_chart')} begins with the next",
            at_once=at_once,
        )

    def _write(self) -> None:
        detail, now = self._detail, self.console.services.now()
        row = next(
            (row for row in self.console.known(topics.ENDPOINTS) or () if row.name == self.name_of), None
        )
        traffic: EndpointTraffic | None = self.value(topics.endpoint_metrics(self.name_of))
        watched = Watched(self.value(topics.endpoint_alarms(self.name_of)), self._replay)
        self.query_one("#overview", Page).show(
            lambda width: endpoint_facts(detail, row, traffic, now, width, watched)
        )
        compared = self.query_one("#compared", Page)
        called = traffic is not None and any(one.invocations for one in traffic.variants)
        compared.styles.height = 2 + (len(traffic.variants) if traffic else 0) + (not called)
        compared.show(lambda width: traffic_facts(traffic, width, detail))
        scaling = self.value(topics.endpoint_scaling(self.name_of))
        self.query_one("#scaling", Page).show(lambda width: scaling_facts(scaling, self.name_of, now, width))

    def part_shown(self, name: str) -> None:
        target = {
            "log": "#log LogView",
            "overview": "#overview",
            "captures": "#capture-list",
            "alarms": "#alarm-list",
            "scaling": "#scaling",
        }.get(name)
        if target:
            self.query_one(target).focus()
        else:
            self.set_focus(None)
        self.observe()
        if name == "captures":
            self._read_captures()
        if name == "alarms":
            found = self.value(topics.endpoint_alarms(self.name_of))
            if found is not None:
                now = self.console.services.now()
                self.query_one(AlarmsPane).show_alarms(found, self.name_of, now)

    # What is read when it is looked at

    def _read_captures(self, *, older: bool = False) -> None:
        pane, services = self.query_one(CapturesPane), self.console.services
        after = pane.found[-1] if older and pane.found else None
        name, variant = self.name_of, self._variant
        pane.tell(self._detail, variant, "reading …")

        def shown(page: CapturePage) -> None:
            if self.is_attached and variant == self._variant:
                pane.show_page(page, added=after is not None)
                self.draw_keys()  # whether there are older ones

        def failed(problem: Problem) -> None:
            if self.is_attached:
                pane.fail(str(problem))

        self.work(lambda: services.captures(name, variant, after), shown, failed)

    def _ask_history(self, alarm: str) -> None:
        pane, services = self.query_one(AlarmsPane), self.console.services

        def failed(problem: Problem) -> None:
            pane.forget(alarm)
            self.console.tell(problem)

        self.work(
            lambda: services.alarm_history(alarm), lambda found: pane.show_history(alarm, found), failed
        )

    # Keys

    def offers(self, action: actions.Action) -> bool:
        only = {
            "older": ("captures",),
            "newest": ("captures",),
            "variant": ("log", "captures"),
            "next_chart": ("metrics",),
        }
        if self.deleted and action.verb in ("rollout", "drift"):
            return False  # both ask the endpoint
        if action.id == "list.open":
            return False  # what is under the cursor is told below the list
        if action.verb == "next_chart" and not self.query_one(ChartGrid).filled:
            return False
        if action.verb == "older" and not self.query_one(CapturesPane).more:
            return False
        return action.verb not in only or self.part in only[action.verb]

    async def action_invoke(self) -> None:
        if self.console.allowed(actions.get("endpoint.invoke")):
            from console.screens.invoke import InvokeScreen

            variants = tuple(variant.name for variant in self._detail.variants) if self._detail else ()
            await self.console.open(InvokeScreen(self.name_of, variants))

    def action_split(self) -> None:
        if self._detail is None or not self._detail.variants:
            self.console.flash("Its variants are not known yet.", "wait")
        elif self.console.allowed(actions.get("endpoint.split")):
            change_weights(self, self._detail)

    async def action_replay(self) -> None:
        running = self._replay
        if running is not None:
            await self.console.open_replay(running.id)
        elif self.console.allowed(actions.get("endpoint.replay")):
            from console.screens.replay_form import ReplayFormScreen

            variants = tuple(variant.name for variant in self._detail.variants) if self._detail else ()
            await self.console.open(ReplayFormScreen(self.name_of, variants))

    def action_variant(self) -> None:
        """The next variant, then all again."""
        names = ["", *(variant.name for variant in self._detail.variants)] if self._detail else [""]
        if self._detail:
            names += [variant.name for variant in self._detail.shadows]
        here = names.index(self._variant) if self._variant in names else 0
        self._variant = names[(here + 1) % len(names)]
        self.query_one(LogPane).show_only(self._variant)
        self.query_one(CapturesPane).clear()
        if self.part == "captures":
            self._read_captures()
        self.console.flash(f"Shown: {self._variant or 'all variants'}.", "dim")

    def action_older(self) -> None:
        if self.part == "captures" and self.query_one(CapturesPane).more:
            self._read_captures(older=True)

    def action_newest(self) -> None:
        if self.part == "captures":
            self._read_captures()

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

    def action_rollout(self) -> None:
        if self.console.allowed(actions.get("endpoint.rollout")):
            open_rollout_of(self, self.name_of)

    def action_delete(self) -> None:
        if self.console.allowed(actions.get("endpoint.delete")):
            confirm_deletion(self, self.name_of)

    async def action_drift(self) -> None:
        await self.console.open_drift(self.name_of)

    def action_copy(self) -> None:
        self.console.copy(self._detail.arn if self._detail else self.name_of, "the ARN of the endpoint")
