"""The live list of tuning jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from console import actions
from console.formatting import number, span, status
from console.screens import tuning_facts
from console.screens.listing import ListScreen, Order, when
from console.screens.tuning_actions import confirm_delete, confirm_stop, open_warm_start
from console.widgets.page import Page
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.observe.tuning_rows import TuningRow, TuningView

if TYPE_CHECKING:
    from workflows.problem import Problem
    from workflows.topics import Snapshot, Topic


class TuningScreen(ListScreen[TuningRow]):
    """Every tuning job; Enter opens one, x stops one, w searches on from one."""

    BINDINGS: ClassVar = list(actions.bindings("tunings"))
    place = "tunings"
    section = "tuning"
    noun = "tuning job"
    topic = topics.TUNING_JOBS
    orders = (
        Order[TuningRow](5, lambda row: (row.created, row.name), descending=True),
        Order[TuningRow](0, lambda row: row.name),
        Order[TuningRow](1, lambda row: (row.status != "InProgress", row.status, -row.created)),
        Order[TuningRow](2, lambda row: (row.strategy, -row.created)),
        Order[TuningRow](4, lambda row: row.counts.ended, descending=True),
    )

    def make_rows(self) -> Rows[TuningRow]:
        return Rows(
            [
                Column("Name", 18, grow=3, middle=True),
                Column("Status", 13, watch=True),
                Column("Strategy", 9, drop=2),
                Column("Best", 9, grow=1, right=True, watch=True),
                Column("Trials", 15, watch=True),
                Column("Created", 9),
                Column("Took", 6, right=True, drop=3),
                Column(
                    "On AWS" if self.console.services.target == "embedded" else "Cost", 8, right=True, drop=1
                ),
            ],
            key=lambda row: row.name,
            cells=self._cells,
            id="list",
        )

    def _cells(self, row: TuningRow) -> tuple[Cell, ...]:
        now = self.console.services.now()
        shown = status(row.status)
        view = self._view(row.name)
        best = row.best_value
        if best is None and view is not None and view.detail.best is not None:
            best = view.detail.best.value
        return (
            Cell(row.name),
            Cell(str(shown), shown.role),
            Cell(row.strategy, "dim"),
            Cell(number(best), "strong" if best is not None else "dim"),
            Cell(tuning_facts.counted(row)),
            Cell(when(row.created, now), "dim"),
            Cell(span(row.seconds(now))),
            Cell(tuning_facts.cost_of(view) if view is not None else "–", "dim"),
        )

    def _view(self, name: str) -> TuningView | None:
        found: TuningView | None = self.console.known(topics.tuning(name))
        return found

    def fields(self, row: TuningRow) -> Mapping[str, str]:
        return {
            "name": row.name,
            "status": row.status,
            "strategy": row.strategy,
            "objective": row.objective,
        }

    def detail_topic(self, name: str) -> Topic[TuningView]:
        return topics.tuning(name)

    def topics(self) -> Sequence[Topic[Any]]:
        """Here every visible tuning job is looked into, for its best value and its cost; on AWS that would eat the budget."""
        found = list(super().topics())
        if self.console.services.target == "embedded" and self.query("#list"):
            found += [
                topics.tuning(row.name)
                for row in self.rows().in_sight
                if topics.tuning(row.name) not in found
            ]
        return found

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        super().arrived(snapshot)
        if snapshot.topic == self.topic:
            self.observe()
        elif snapshot.value is not None:
            self.rows().repaint()

    def problem(self) -> Problem | None:
        snapshot = self.snapshots.get(self.topic)
        return snapshot.error if snapshot else None

    def write_preview(self, name: str) -> None:
        row = self.rows().current
        if row is None or not self.wide:
            return
        now, view, target = self.console.services.now(), self._view(name), self.console.services.target
        self.query_one("#preview", Page).show(
            lambda width: tuning_facts.overview(view, row, now, width, target=target)
        )

    def empty_lines(self) -> Sequence[str]:
        return (
            "No tuning job has run here yet.",
            "n goes to the training jobs: t on one that went well searches better hyperparameters for it.",
        )

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        await self.console.open_tuning(str(event.key))

    def offers(self, action: actions.Action) -> bool:
        row = self.rows().current
        if row is None:
            return action.verb not in ("stop", "delete", "warm_start", "copy")
        return tuning_facts.possible(action.verb, row)

    async def action_new(self) -> None:
        await self.console.go("jobs")
        self.console.flash(
            "Put the cursor on a training job that went well; t makes a tuning job of it.", "wait"
        )

    def action_stop(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("tunings.stop")):
            confirm_stop(self, row)

    def action_delete(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("tunings.delete")):
            confirm_delete(self, row)

    def action_warm_start(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("tunings.warm_start")):
            open_warm_start(self, row)
