"""One A/B test: verdict, difference with its sequence, variants, guardrails; live while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions, verdicts
from console.screens import experiment_facts
from console.screens.base import ConsoleScreen
from console.screens.experiment_actions import (
    choose_promotion,
    confirm_removal,
    confirm_stop,
    confirm_weights,
    said,
)
from console.trail import Place
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.prompt import Prompt
from workflows import topics
from workflows.abtest.drafting import parse_weights
from workflows.abtest.report import Feed, Report, View
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic

INLINE = 11
"""Lines of the chart where it stands between the facts."""


class ExperimentScreen(ConsoleScreen):
    """Where an A/B test stands."""

    BINDINGS: ClassVar = list(actions.bindings("experiment"))
    place = "experiment"
    section = "endpoints"
    thing = "A/B test"
    parts = (("overview", "Overview"), ("chart", "Chart"), ("settings", "Test"))
    panes: ClassVar = {"overview": "overview", "chart": "band", "settings": "settings"}
    beside = "band"
    smaller = "band"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self._shown = 0

    @property
    def location(self) -> Place:
        return Place("experiment", self.name_of)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="experiment"):
            yield Page(id="overview")
            yield Plot(id="band", waiting="Loading the test …")
            yield Page(id="settings", waiting="Loading the test …")
        yield Prompt()

    def opened(self) -> None:
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.experiment(self.name_of)]

    def trail(self) -> str:
        return f"A/B {self.name_of}"

    @property
    def report(self) -> Report | None:
        topic = topics.experiment(self.name_of)
        view: View | None = self.value(topic) or self.console.known(topic)
        if view is not None:
            return view.report
        known: Sequence[Report] = self.console.known(topics.EXPERIMENTS) or ()
        return next((row for row in known if row.name == self.name_of), None)

    @property
    def feed(self) -> Feed | None:
        topic = topics.experiment(self.name_of)
        view: View | None = self.value(topic) or self.console.known(topic)
        return view.feed if view is not None else None

    def summary(self) -> str:
        return str(verdicts.chip(self.report)) if self.report is not None else ""

    def summary_role(self) -> str:
        return verdicts.chip(self.report).role if self.report is not None else "dim"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is not None:
            self._write()

    def tick(self) -> None:
        if self.report is not None and self.report.state == "running":
            self._write()

    def on_resize(self) -> None:
        super().on_resize()
        self._write()

    def _write(self, *, at_once: bool = False) -> None:
        if not self.has("#band"):
            return
        report, feed, now = self.report, self.feed, self.console.services.now()
        shown, inline = self._shown, 0 if self.wide else INLINE
        self.query_one("#overview", Page).show(
            lambda width: experiment_facts.overview(report, feed, now, width, shown=shown, chart=inline)
        )
        if report is None:
            return
        one = report.comparisons[shown % len(report.comparisons)]
        self.query_one("#band", Plot).show(
            (report.name, one.variant, one.history, one.n, one.value, one.low, one.high),
            lambda width, height: experiment_facts.funnel(report, one, width, height),
            at_once=at_once,
        )
        self.query_one("#settings", Page).show(lambda width: experiment_facts.settings(report, width))

    def part_shown(self, name: str) -> None:
        if name == "chart":
            self.set_focus(None)
        else:
            self.query_one(f"#{name}").focus()

    # Keys

    def offers(self, action: actions.Action) -> bool:
        if self.report is None:
            return True
        running = self.report.state == "running"
        if action.verb in ("promote", "weigh", "feed", "replay", "stop"):
            return running
        return action.verb != "delete" or not running

    def action_next_variant(self) -> None:
        self._shown += 1
        self._write(at_once=True)

    def action_promote(self) -> None:
        if self.report is not None and self.console.allowed(actions.get("experiment.promote")):
            challengers = self.report.experiment.challengers
            ahead = challengers[self._shown % len(challengers)]
            choose_promotion(self, self.report, self.report.winner or ahead)

    def action_stop(self) -> None:
        if self.report is not None and self.console.allowed(actions.get("experiment.stop")):
            confirm_stop(self, self.report)

    def action_delete(self) -> None:
        if self.report is not None and self.console.allowed(actions.get("experiment.delete")):
            confirm_removal(self, self.report)

    def action_weigh(self) -> None:
        if self._may("experiment.weigh") and self.report is not None:
            present = " ".join(f"{arm.variant}={arm.weight:g}" for arm in self.report.arms)
            self.query_one(Prompt).ask("weigh", "weights", present, "A=1 B=3: a new segment begins")

    def action_feed(self) -> None:
        if self._may("experiment.feed"):
            self.query_one(Prompt).ask("feed", "rewards from", "", "a file of inferenceId,reward lines")

    def action_replay(self) -> None:
        if not self._may("experiment.replay"):
            return
        services, name = self.console.services, self.name_of
        if self.feed is not None and self.feed.active:
            self.work(lambda: services.stop_feed(name), lambda _: self.console.flash("✓ The replay ends."))
            return
        from console.screens.experiment_feed import ExperimentFeedScreen

        self.console.call_later(self.console.open, ExperimentFeedScreen(name))

    def _may(self, action: str) -> bool:
        """Whether something may be done that needs a running test; says why not."""
        if self.report is None or not self.console.allowed(actions.get(action)):
            return False
        if self.report.state != "running":
            self.console.flash(f"{self.name_of} has ended: {self.report.state}.", "wait")
            return False
        return True

    @on(Prompt.Submitted)
    def _typed(self, event: Prompt.Submitted) -> None:
        services, name, text = self.console.services, self.name_of, event.value.strip()
        if not text:
            return
        if event.purpose == "feed":
            self.work(
                lambda: services.feed_experiment(name, text),
                lambda intake: self.console.flash(f"✓ {said(intake)}."),
            )
            return
        try:
            weights = parse_weights(text.replace(",", " ").split())
        except Problem as problem:
            self.console.tell(problem)
            return
        before = " ".join(f"{arm.variant}={arm.weight:g}" for arm in self.report.arms) if self.report else ""
        confirm_weights(self, name, before, weights)

    def action_copy(self) -> None:
        self.console.copy(self.name_of, "the name of the A/B test")
