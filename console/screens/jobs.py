"""The live list of training jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import on

from console import actions
from console.formatting import duration, number, status
from console.screens import facts
from console.screens.dialogs import ConfirmScreen
from console.screens.listing import ListScreen, Order, when
from console.widgets.page import Page
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.observe.rows import FinalMetric, JobDetail, JobRow
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic


class JobsScreen(ListScreen[JobRow]):
    """Every training job; Enter opens one, x stops one."""

    BINDINGS: ClassVar = list(actions.bindings("jobs"))
    place = "jobs"
    section = "jobs"
    noun = "job"
    topic = topics.JOBS
    orders = (
        Order[JobRow](3, lambda row: (row.created, row.name), descending=True),
        Order[JobRow](0, lambda row: row.name),
        Order[JobRow](1, lambda row: (row.status != "InProgress", row.status, -row.created)),
        Order[JobRow](4, lambda row: (row.ended or row.modified) - row.created, descending=True),
    )

    def make_rows(self) -> Rows[JobRow]:
        return Rows(
            [
                Column("Name", 22, grow=3, middle=True),
                Column("Status", 13, watch=True),
                Column("Type", 13, drop=2),
                Column("Created", 10),
                Column("Duration", 12, right=True),
                Column("Metric", 15, drop=1, watch=True),
            ],
            key=lambda row: row.name,
            cells=self._cells,
            id="list",
        )

    def _cells(self, row: JobRow) -> tuple[Cell, ...]:
        now = self.console.services.now()
        shown = status(row.status)
        detail: JobDetail | None = self.console.known(topics.job(row.name))
        metric = ""
        if detail is not None and (best := headline(detail)) is not None:
            metric = f"{best.name.rpartition(':')[2]} {number(best.value)}"
        return (
            Cell(row.name),
            Cell(str(shown), shown.role),
            Cell(row.instance_type or (detail.row.instance_type if detail else "") or "–", "dim"),
            Cell(when(row.created, now), "dim"),
            Cell(duration(row.seconds(now))),
            Cell(metric, "dim"),
        )

    def fields(self, row: JobRow) -> Mapping[str, str]:
        return {
            "name": row.name,
            "status": row.status,
            "type": row.instance_type,
            "secondary": row.secondary_status,
        }

    def detail_topic(self, name: str) -> Topic[JobDetail]:
        return topics.job(name)

    def topics(self) -> Sequence[Topic[Any]]:
        """Here every visible job is described once, for its metric; on AWS that would eat the account's budget."""
        found = list(super().topics())
        if self.console.services.target == "embedded" and self.query("#list"):
            found += [
                topics.job(row.name) for row in self.rows().in_sight if topics.job(row.name) not in found
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
        now = self.console.services.now()
        detail: JobDetail | None = self.console.known(topics.job(name))
        page = self.query_one("#preview", Page)
        if detail is None:
            page.show(lambda width: facts.job_head(row, now, width))
        else:
            page.show(
                lambda width: [*facts.job_facts(detail, now, width), [], *facts.job_settings(detail, width)]
            )

    def empty_lines(self) -> Sequence[str]:
        return ("No training job has run here yet.", "Press 4 and choose a case study: it trains one.")

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        await self.console.open_job(str(event.key))

    def offers(self, action: actions.Action) -> bool:
        row = self.rows().current if action.verb == "stop" else None
        return row is None or row.active

    def action_stop(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("jobs.stop")):
            confirm_stop(self, row)


_TELLING = ("accuracy", "auc", "f1", "r2", "rmse", "loss")


def headline(detail: JobDetail) -> FinalMetric | None:
    """The metric that tells most about a job: a validation score before a training loss."""

    def rank(metric: FinalMetric) -> tuple[int, bool]:
        name = metric.name.lower()
        place = next((i for i, word in enumerate(_TELLING) if word in name), len(_TELLING))
        return place, not name.startswith(("val", "test"))

    return min(detail.final_metrics, key=rank, default=None)


def confirm_stop(screen: ListScreen[JobRow] | object, row: JobRow) -> None:
    """Ask whether the training job of a row is to be stopped, and stop the job that the dialog named."""
    from console.screens.base import ConsoleScreen

    assert isinstance(screen, ConsoleScreen)
    console = screen.console
    if not row.active:
        console.flash(f"{row.name} is {row.status}: there is nothing to stop.", "wait")
        return
    name = row.name

    def chosen(choice: str | None) -> None:
        if choice == "Stop it":
            console.flash(f"Stopping {name} …", "wait")
            console.in_background(
                lambda: console.services.stop_job(name),
                lambda _: console.flash(f"✓ {name} is asked to stop."),
            )

    console.push_screen(
        ConfirmScreen(
            f"Stop training job {name}?",
            ["The container gets 120 s to save its model; what it wrote until then is kept."],
            "Stop it",
            typed=name if console.services.target == "aws" else "",
        ),
        chosen,
    )
