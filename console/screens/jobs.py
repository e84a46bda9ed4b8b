"""The live list of training and transform jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import methodcaller
from typing import Any, ClassVar

from textual import on

from console import actions
from console.arrangement import ListColumn
from console.formatting import count, duration, number
from console.keymap import key
from console.screens import facts, transform_facts
from console.screens.base import ConsoleScreen
from console.screens.bulk import Deed, confirm_all, marked
from console.screens.dialogs import ConfirmScreen
from console.screens.listing import ListScreen, status_cell, when
from console.widgets.columns import Cell, Column, laid_out
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.observe.rows import FinalMetric, JobDetail, JobRow
from workflows.observe.transform_rows import TransformDetail, TransformRow
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic

AnyJob = JobRow | TransformRow
KINDS = (("all", "All"), ("training", "Training"), ("trials", "Tuning trials"), ("transform", "Transform"))
MARKS = {"training": " ", "trial": "◇", "transform": "⇉"}
"""What stands before the name where there is no column for the kind; the titles of the parts tell what they mean."""
_MARKED_NAME = 19
"""Cells of the column of names beside marks at least: the three that a mark takes are those of names, and no other column leaves."""
_TRIAL = re.compile(r".+-\d{3,}-[0-9a-f]{8}\Z")
_TRANSFORM = "transform/"
"""Begins the key of a transform job: it may be called like a training job."""


@lru_cache(maxsize=50_000)
def is_trial(name: str) -> bool:
    """Whether a training job is called as tuning jobs call their trials."""
    return _TRIAL.match(name) is not None


def kind_of(row: AnyJob) -> str:
    """``training``, ``trial`` or ``transform``."""
    return "transform" if isinstance(row, TransformRow) else "trial" if is_trial(row.name) else "training"


class JobsScreen(ListScreen[AnyJob]):
    """Every training and transform job; Enter opens one, x stops one, t tunes one, b lets its model answer for a file."""

    BINDINGS: ClassVar = list(actions.bindings("jobs"))
    place = "jobs"
    section = "jobs"
    noun = "job"
    topic = topics.JOBS
    parts: tuple[tuple[str, str], ...] = KINDS

    def __init__(self) -> None:
        super().__init__()
        self._settled = False
        self._marking = False
        """Whether each row is marked with its kind."""

    def on_key(self) -> None:
        self._settled = True

    def columns(self) -> Sequence[ListColumn[AnyJob]]:
        return (
            ListColumn("name", Column("Name", 22, grow=3, middle=True), lambda row: Cell(row.name), lambda row: row.name),
            ListColumn("status", Column("Status", 13, watch=True), status_cell, lambda row: (row.status != "InProgress", row.status, -row.created)),
            ListColumn("kind", Column("Kind", 9, drop=2), lambda row: Cell(kind_of(row), "dim"), lambda row: (kind_of(row), -row.created)),
            ListColumn("type", Column("Type", 13, drop=3), self._machine, lambda row: (row.instance_type, -row.created)),
            ListColumn("created", Column("Created", 9), self._since("created"), lambda row: (row.created, row.name), descending=True, clock=True),
            ListColumn("duration", Column("Duration", 11, right=True), self._duration, lambda row: (row.ended or row.modified) - row.created, descending=True, clock=True),
            ListColumn("result", Column("Result", 15, drop=1, watch=True), self._result),
            ListColumn("ended", Column("Ended", 9, drop=4), self._since("ended"), lambda row: row.ended or 0.0, descending=True, extra=True, clock=True),
            ListColumn("modified", Column("Modified", 9, drop=5), self._since("modified"), lambda row: row.modified, descending=True, extra=True, clock=True),
            ListColumn("step", Column("Step", 16, drop=6, watch=True), lambda row: Cell(getattr(row, "secondary_status", "") or "–", "dim"), lambda row: getattr(row, "secondary_status", ""), extra=True),
        )  # fmt: skip

    # The kinds of jobs, where their column finds no room

    def leading(self) -> Sequence[ListColumn[AnyJob]]:
        mark = ListColumn[AnyJob]("", Column("", 1), lambda row: Cell(MARKS[kind_of(row)], "dim"))
        return (mark,) if self._marking else ()

    def _widget_columns(self) -> list[Column]:
        columns = super()._widget_columns()
        if not self._marking:
            return columns
        return [
            replace(column, width=_MARKED_NAME) if column.label == "Name" else column for column in columns
        ]

    def _mark_kinds(self) -> None:
        """Mark them where jobs of several kinds stand in a list that does not show their kinds."""
        rows = self.rows()
        if not rows.size.width:
            return
        columns = super()._widget_columns()[len(self.leading()) :]
        widths = dict(zip((one.id for one in self.shown), laid_out(columns, rows.across), strict=True))
        marking = not widths.get("kind") and self._mixed()
        if marking == self._marking:
            return
        self._marking = marking
        rows.set_columns(self._widget_columns())
        self._mark_order()
        signs = {"trials": MARKS["trial"], "transform": MARKS["transform"]} if marking else {}
        self.parts = tuple((name, f"{signs.get(name, '')} {title}".strip()) for name, title in KINDS)
        self._draw_parts()

    def _mixed(self) -> bool:
        """Whether jobs of several kinds are listed; only the first part can have them."""
        if self.part != KINDS[0][0]:
            return False
        kinds = map(kind_of, self.everything())
        first = next(kinds, None)
        return any(kind != first for kind in kinds)

    def show_rows(self) -> None:
        self._mark_kinds()
        super().show_rows()

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#list"):
            self.call_after_refresh(self._mark_kinds)  # when the list has its new width

    def kind_of(self, row: AnyJob) -> str:
        return "transform" if isinstance(row, TransformRow) else "job"

    def key(self, row: AnyJob) -> str:
        return _TRANSFORM + row.name if isinstance(row, TransformRow) else row.name

    def _since(self, member: str) -> Callable[[AnyJob], Cell]:
        def cell(row: AnyJob) -> Cell:
            moment: float | None = getattr(row, member)
            return Cell(when(moment, self.console.services.now()) if moment else "–", "dim")

        return cell

    def _duration(self, row: AnyJob) -> Cell:
        return Cell(duration(row.seconds(self.console.services.now())))

    def _machine(self, row: AnyJob) -> Cell:
        if row.instance_type:
            return Cell(row.instance_type, "dim")
        topic: Topic[Any] = (
            topics.transform(row.name) if isinstance(row, TransformRow) else topics.job(row.name)
        )
        described: JobDetail | TransformDetail | None = self.console.known(topic)
        return Cell((described.row.instance_type if described else "") or "–", "dim")

    def _result(self, row: AnyJob) -> Cell:
        if isinstance(row, TransformRow):
            return Cell(
                transform_facts.in_a_cell(self.console.known(topics.transform_progress(row.name))), "dim"
            )
        detail: JobDetail | None = self.console.known(topics.job(row.name))
        best = headline(detail) if detail is not None else None
        return Cell(f"{best.name.rpartition(':')[2]} {number(best.value)}" if best else "", "dim")

    def existing(self) -> Sequence[AnyJob]:
        return [*(self.value(topics.JOBS) or ()), *(self.value(topics.TRANSFORMS) or ())]

    def everything(self) -> Sequence[AnyJob]:
        training: Sequence[JobRow] = self.value(topics.JOBS) or ()
        transforms: Sequence[TransformRow] = self.value(topics.TRANSFORMS) or ()
        match self.part:
            case "training":
                return [row for row in training if not is_trial(row.name)]
            case "trials":
                return [row for row in training if is_trial(row.name)]
            case "transform":
                return transforms
        return [*training, *transforms]

    def fields(self, row: AnyJob) -> Mapping[str, str]:
        return {
            "name": row.name,
            "status": row.status,
            "kind": kind_of(row),
            "type": self._machine(row).text,
            "secondary": row.secondary_status,
        }

    def detail_topic(self, name: str) -> Topic[Any]:
        if name.startswith(_TRANSFORM):
            return topics.transform(name.removeprefix(_TRANSFORM))
        return topics.job(name)

    def sources(self) -> Sequence[Topic[Any]]:
        return (self.topic, topics.TRANSFORMS)

    def topics(self) -> Sequence[Topic[Any]]:
        """Here every visible job is described once, for its result; on AWS that would eat the account's budget."""
        found = list(super().topics())
        if self.part in ("all", "transform"):
            found.append(topics.TRANSFORMS)
        if self.console.services.target == "embedded" and self.has("#list"):
            for row in self.rows().in_sight:
                asked: list[Topic[Any]] = [topics.job(row.name)]
                if isinstance(row, TransformRow):
                    asked = [topics.transform(row.name), topics.transform_progress(row.name)]
                found += [topic for topic in asked if topic not in found]
        return found

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        super().arrived(snapshot)
        if snapshot.topic in self.sources():
            if not self._settled:  # until both lists are there, the cursor waits at the first row
                self.rows().action_first()
                self._settled = {topics.JOBS, topics.TRANSFORMS} <= self.snapshots.keys()
            self.observe()
        elif snapshot.value is not None:
            self.rows().repaint_soon()
            self._preview_again(snapshot.topic.name)

    def _preview_again(self, name: str) -> None:
        row = self.rows().current
        if row is not None and row.name == name:
            self.write_preview(self.key(row))

    def problem(self) -> Problem | None:
        snapshot = self.snapshots.get(topics.TRANSFORMS if self.part == "transform" else self.topic)
        return snapshot.error if snapshot else None

    def part_shown(self, name: str) -> None:
        if self.has("#list") and self.is_mounted:
            self.show_rows()
            self.observe()
            self.draw_frame()

    def write_preview(self, name: str) -> None:
        row = self.rows().current
        if row is None or not self.wide:
            return
        now, target = self.console.services.now(), self.console.services.target
        page = self.query_one("#preview", Page)
        if isinstance(row, TransformRow):
            described: TransformDetail | None = self.console.known(topics.transform(row.name))
            progress = self.console.known(topics.transform_progress(row.name))
            page.show(
                lambda width: transform_facts.overview(described, row, progress, now, width, target=target)
            )
            return
        detail: JobDetail | None = self.console.known(topics.job(name))
        if detail is None:
            page.show(lambda width: facts.job_head(row, now, width))
        else:
            page.show(
                lambda width: [*facts.job_facts(detail, now, width), [], *facts.job_settings(detail, width)]
            )

    def empty_lines(self) -> Sequence[str]:
        return {
            "trials": ("No trial of a tuning job has run here yet.", f"{key('jobs.tune')} on a training job makes a tuning job of it."),
            "transform": ("No transform job has run here yet.", f"{key('jobs.transform')} on a training job lets its model answer for a whole file."),
        }.get(self.part, ("No training job has run here yet.", f"Press {key('app.studies')} and choose a case study: it trains one."))  # fmt: skip

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        key = str(event.key)
        if key.startswith(_TRANSFORM):
            await self.console.open_transform(key.removeprefix(_TRANSFORM))
        else:
            await self.console.open_job(key)

    def offers(self, action: actions.Action) -> bool:
        row = self.rows().current if action.verb in ("stop", "tune", "transform") else None
        if row is None:
            return True
        if action.verb == "stop":
            return row.active or bool(self.rows().chosen)
        return isinstance(row, JobRow) and row.status in ("Completed", "Stopped")

    async def action_compare(self) -> None:
        from console.screens.compare import compare_marked

        marked = self.selection() if self.has_marks else []
        if len(marked) == 2 and any(isinstance(row, TransformRow) for row in marked):
            self.console.flash("Two training jobs can be compared, transform jobs cannot.", "wait")
        else:
            await compare_marked(self, marked, "training job")

    def _stop_all(self, active: Sequence[AnyJob], ended: int) -> None:
        if not active:
            self.console.flash("None of the marked jobs runs: there is nothing to stop.", "wait")
            return
        deeds = [
            Deed(
                self.key(row),
                row.name,
                methodcaller("stop_transform" if isinstance(row, TransformRow) else "stop_job", row.name),
            )
            for row in active
        ]
        sentences = [
            "Containers of training jobs get 120 s to save their model; what they wrote until then is kept."
        ]
        if ended:
            sentences.append(
                f"Left out: {count(ended, 'marked job')} that {'has' if ended == 1 else 'have'} ended."
            )
        confirm_all(self, "stop", "job", deeds, sentences, "are asked to stop")

    def action_stop(self) -> None:
        row = self.rows().current
        if row is None or not self.console.allowed(actions.get("jobs.stop")):
            return
        chosen = marked(self)
        if chosen is not None:
            self._stop_all([one for one in chosen if one.active], sum(not one.active for one in chosen))
            return
        if isinstance(row, TransformRow):
            from console.screens.transform import confirm_stop as confirm_stop_transform

            confirm_stop_transform(self, row)
        else:
            confirm_stop(self, row)

    def action_tune(self) -> None:
        row = self._trained()
        if row is not None and self.console.allowed(actions.get("jobs.tune")):
            from console.screens.tuning_actions import open_tune

            open_tune(self, row.name)

    def action_transform(self) -> None:
        row = self._trained()
        if row is not None and self.console.allowed(actions.get("jobs.transform")):
            from console.screens.transform_form import open_transform_form

            open_transform_form(self, row.name)

    def _trained(self) -> JobRow | None:
        """The training job under the cursor; says why there is none."""
        row = self.rows().current
        if isinstance(row, JobRow) and row.status in ("Completed", "Stopped"):
            return row
        self.console.flash("Put the cursor on a training job that has completed.", "wait")
        return None

    def action_copy(self) -> None:
        row = self.rows().current
        if row is not None:
            self.console.copy(row.name, f"the name of the {kind_of(row)} job")


_TELLING = ("accuracy", "auc", "f1", "r2", "rmse", "loss")


def headline(detail: JobDetail) -> FinalMetric | None:
    """The metric that tells most about a job: a validation score before a training loss."""

    def rank(metric: FinalMetric) -> tuple[int, bool]:
        name = metric.name.lower()
        place = next((i for i, word in enumerate(_TELLING) if word in name), len(_TELLING))
        return place, not name.startswith(("val", "test"))

    return min(detail.final_metrics, key=rank, default=None)


def confirm_stop(screen: ConsoleScreen, row: JobRow) -> None:
    """Ask whether the training job of a row is to be stopped, and stop the job that the dialog named."""
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
            does=methodcaller("stop_job", name),
        ),
        chosen,
    )
