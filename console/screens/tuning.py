"""The live list of tuning jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from console import actions
from console.arrangement import ListColumn
from console.formatting import number, span
from console.keymap import key
from console.screens import tuning_facts
from console.screens.bulk import Deed, confirm_all, marked
from console.screens.listing import ListScreen, status_cell, when
from console.screens.tuning_actions import confirm_delete, confirm_stop, open_warm_start
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.rows import Rows
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

    def columns(self) -> Sequence[ListColumn[TuningRow]]:
        cost = "On AWS" if self.console.services.target == "embedded" else "Cost"
        return (
            ListColumn("name", Column("Name", 18, grow=3, middle=True), lambda row: Cell(row.name), lambda row: row.name),
            ListColumn("status", Column("Status", 13, watch=True), status_cell, lambda row: (row.status != "InProgress", row.status, -row.created)),
            ListColumn("strategy", Column("Strategy", 9, drop=2), lambda row: Cell(row.strategy, "dim"), lambda row: (row.strategy, -row.created)),
            ListColumn("best", Column("Best", 9, grow=1, right=True, watch=True), self._best_cell, self._best, descending=True),
            ListColumn("trials", Column("Trials", 15, watch=True), lambda row: Cell(tuning_facts.counted(row)), lambda row: row.counts.ended, descending=True),
            ListColumn("created", Column("Created", 9), lambda row: Cell(when(row.created, self._now), "dim"), lambda row: (row.created, row.name), descending=True, clock=True),
            ListColumn("took", Column("Took", 6, right=True, drop=3), lambda row: Cell(span(row.seconds(self._now))), lambda row: row.seconds(self._now), descending=True, clock=True),
            ListColumn("cost", Column(cost, 8, right=True, drop=1), self._cost),
            ListColumn("objective", Column("Objective", 20, drop=4), lambda row: Cell(self._objective(row), "dim"), self._objective, extra=True),
            ListColumn("modified", Column("Modified", 9, drop=5), lambda row: Cell(when(row.modified, self._now), "dim"), lambda row: row.modified, descending=True, extra=True, clock=True),
        )  # fmt: skip

    @property
    def _now(self) -> float:
        return self.console.services.now()

    def _best(self, row: TuningRow) -> float | None:
        view = self._view(row.name)
        if row.best_value is None and view is not None and view.detail.best is not None:
            return view.detail.best.value
        return row.best_value

    def _best_cell(self, row: TuningRow) -> Cell:
        best = self._best(row)
        return Cell(number(best), "strong" if best is not None else "dim")

    def _cost(self, row: TuningRow) -> Cell:
        view = self._view(row.name)
        return Cell(tuning_facts.cost_of(view) if view is not None else "–", "dim")

    def _objective(self, row: TuningRow) -> str:
        view = self._view(row.name)
        objective = view.detail.objective if view is not None else None
        return row.objective or (objective.name if objective else "") or "–"

    def kind_of(self, row: TuningRow) -> str:
        return "tuning-job"

    def _view(self, name: str) -> TuningView | None:
        found: TuningView | None = self.console.known(topics.tuning(name))
        return found

    def fields(self, row: TuningRow) -> Mapping[str, str]:
        return {
            "name": row.name,
            "status": row.status,
            "strategy": row.strategy,
            "objective": self._objective(row),
        }

    def detail_topic(self, name: str) -> Topic[TuningView]:
        return topics.tuning(name)

    def topics(self) -> Sequence[Topic[Any]]:
        """Here every visible tuning job is looked into, for its best value and its cost; on AWS that would eat the budget."""
        found = list(super().topics())
        if self.console.services.target == "embedded" and self.has("#list"):
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
            f"{key('tunings.new')} goes to the training jobs: {key('jobs.tune')} on one that went well searches better hyperparameters for it.",
        )

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        await self.console.open_tuning(str(event.key))

    def offers(self, action: actions.Action) -> bool:
        row = self.rows().current
        if row is None:
            return action.verb not in ("stop", "delete", "warm_start", "copy")
        return bool(self.rows().chosen) or tuning_facts.possible(action.verb, row)

    async def action_new(self) -> None:
        await self.console.go("jobs")
        self.console.flash(
            "Put the cursor on a training job that went well; t makes a tuning job of it.", "wait"
        )

    def _all(self, verb: str, do: str, sentences: Sequence[str], done: str) -> bool:
        """Ask for all marked tuning jobs with which that can be done; False when none is marked."""
        chosen = marked(self)
        if chosen is None:
            return False
        deeds = [
            Deed(row.name, row.name, methodcaller(do, row.name))
            for row in chosen
            if tuning_facts.possible(verb, row)
        ]
        if deeds:
            confirm_all(self, verb, "tuning job", deeds, sentences, done)
        else:
            self.console.flash(f"With none of the marked tuning jobs that can be done: {verb}.", "wait")
        return True

    def action_stop(self) -> None:
        row = self.rows().current
        if row is None or not self.console.allowed(actions.get("tunings.stop")):
            return
        sentences = [
            "Their running trials are stopped; what has ended keeps its value.",
            "They cannot go on afterwards; a warm start searches on from them.",
        ]
        if not self._all("stop", "stop_tuning", sentences, "are asked to stop"):
            confirm_stop(self, row)

    def action_delete(self) -> None:
        row = self.rows().current
        if row is None or not self.console.allowed(actions.get("tunings.delete")):
            return
        sentences = [
            "Their training jobs, models and logs stay.",
            "Which of them belonged together is known no more, and nothing can be warm-started from them.",
        ]
        if not self._all("delete", "delete_tuning", sentences, "are deleted; their training jobs stay"):
            confirm_delete(self, row)

    def action_warm_start(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("tunings.warm_start")):
            open_warm_start(self, row)
