"""The live list of A/B tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on

from console import actions, verdicts
from console.arrangement import ListColumn
from console.formatting import number
from console.keymap import key
from console.screens import experiment_facts
from console.screens.experiment_actions import confirm_stop
from console.screens.listing import ListScreen, when
from console.trail import Place
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.folding import fold
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.abtest.report import Report, View
from workflows.topics import Topic

LOWEST, HIGHEST = 6, 12
"""Lines of the chart in the preview: as many as the facts leave, none where it could not be read."""


def _verdict(row: Report) -> Cell:
    chip = verdicts.chip(row)
    running = row.state == "running"
    return Cell(f"{chip}{'' if running else f' · {row.state}'}", chip.role if running else "dim")


class ExperimentsScreen(ListScreen[Report]):
    """Every A/B test of this machine; Enter opens one, x ends one. New ones are started on an endpoint."""

    BINDINGS: ClassVar = list(actions.bindings("experiments"))
    place = "experiments"
    section = "endpoints"
    noun = "A/B test"
    topic = topics.EXPERIMENTS
    order = "started"

    def columns(self) -> Sequence[ListColumn[Report]]:
        return (
            ListColumn("name", Column("Name", 18, grow=3, middle=True), lambda row: Cell(row.name), lambda row: row.name),
            ListColumn("endpoint", Column("Endpoint", 14, grow=1, drop=2), lambda row: Cell(row.experiment.endpoint, "dim"), lambda row: row.experiment.endpoint),
            ListColumn("verdict", Column("Verdict", 26, grow=2, watch=True), _verdict, lambda row: (row.verdict, row.name)),
            ListColumn("difference", Column("Difference", 16, watch=True, drop=1), lambda row: Cell(experiment_facts.cell(row))),
            ListColumn("requests", Column("Requests", 9, right=True), lambda row: Cell(number(row.requests)), lambda row: row.requests, descending=True),
            ListColumn("started", Column("Started", 9), lambda row: Cell(when(row.started, self.console.services.now()), "dim"), lambda row: (row.started, row.name), descending=True, clock=True),
            ListColumn("rewarded", Column("Rewarded", 9, right=True, drop=3), lambda row: Cell(number(row.rewarded)), lambda row: row.rewarded, descending=True, extra=True),
            ListColumn("variants", Column("Variants", 8, right=True, drop=4), lambda row: Cell(str(len(row.arms))), lambda row: len(row.arms), descending=True, extra=True),
        )  # fmt: skip

    @property
    def location(self) -> Place:
        return Place("experiments")

    def trail(self) -> str:
        return "A/B tests"

    def fields(self, row: Report) -> Mapping[str, str]:
        return {
            "name": row.name,
            "endpoint": row.experiment.endpoint,
            "status": row.state,
            "verdict": row.verdict,
            "chip": _verdict(row).text,
        }

    def detail_topic(self, name: str) -> Topic[View]:
        return topics.experiment(name)

    def write_preview(self, name: str) -> None:
        row = self.rows().current
        if row is None or not self.wide:
            return
        view: View | None = self.console.known(topics.experiment(name))
        report, now = view.report if view else row, self.console.services.now()
        feed = view.feed if view else None
        page = self.query_one("#preview", Page)

        def write(width: int) -> Lines:
            told = experiment_facts.overview(report, feed, now, width)
            left = page.size.height - 1 - sum(len(fold(line, width)) for line in told)
            chart = min(HIGHEST, left) if left >= LOWEST else 0
            return experiment_facts.overview(report, feed, now, width, chart=chart) if chart else told

        page.show(write)

    def empty_lines(self) -> Sequence[str]:
        return (
            "No A/B test yet.",
            f"Open an endpoint with two variants or more ({key('app.endpoints')}), and press {key('endpoint.experiment')} there.",
        )

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        await self.console.open_experiment(str(event.key))

    def action_stop(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("experiments.stop")):
            confirm_stop(self, row)
