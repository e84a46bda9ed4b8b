"""Home: what runs now, what failed lately, what is hosted, the latest runs. Enter goes to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from console import actions
from console.formatting import ago, count, duration, number, span, status
from console.keymap import key
from console.screens import expenses, facts, transform_facts, tuning_facts
from console.screens import traffic as traffic_of
from console.screens.base import ConsoleScreen
from console.screens.curves import charts
from console.screens.endpoints import instances
from console.screens.jobs import headline, is_trial
from console.screens.listing import SELDOM
from console.screens.run_scores import leading, ordered
from console.screens.welcome import Welcome
from console.trail import Place
from console.widgets import charts as chart_grid
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.observe.rows import EndpointRow, JobRow
from workflows.observe.transform_rows import TransformRow
from workflows.observe.tuning_rows import TuningRow
from workflows.problem import Problem
from workflows.runs import Run
from workflows.topics import Snapshot, Topic

LATELY = 86_400.0
"""Seconds for which a failure is news."""
MOST_RUNS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a page with sections: a section's title, or a resource (a job, an endpoint, a run, a study)."""

    kind: str
    name: str
    resource: Any = None
    title: str = ""


class HomeScreen(ConsoleScreen):
    """Everything that may want attention, on one page."""

    BINDINGS: ClassVar = list(actions.bindings("home"))
    place = "home"
    section = "home"

    def __init__(self) -> None:
        super().__init__()
        self._settled = False
        self._counted: object = None
        self._running_jobs = 0
        self._ticks = 0
        self._costs = ""

    def on_key(self) -> None:
        self._settled = True

    def body(self) -> Iterable[Widget]:
        yield Welcome()
        yield Static(id="costs", markup=False)
        with Horizontal(id="split"):
            yield Rows[Entry](
                [
                    Column("", 13, watch=True),
                    Column("", 28, grow=1, middle=True),
                    Column("", 12, drop=1),
                    Column("", 26, grow=1, watch=True),
                ],
                key=lambda entry: (entry.kind, entry.name),
                cells=self._cells,
                title=lambda entry: entry.title,
                heading=False,
                id="list",
            )
            yield Page(id="preview")

    def opened(self) -> None:
        self.query_one("#preview").can_focus = False
        self._rows().focus()
        self._show()
        self.console.in_background(self.console.services.first_time, self._welcome)

    def _welcome(self, first: bool) -> None:
        if first:
            self.query_one(Welcome).show(self.console.services.target, self.console.services.read_only)

    def leave(self) -> bool:
        return self.query_one(Welcome).dismiss()

    def _rows(self) -> Rows[Entry]:
        return self.query_one("#list", Rows)

    def subject(self) -> Place | None:
        entry = self._rows().current
        kind = {"job": "job", "endpoint": "endpoint", "tuning": "tuning-job", "transform": "transform"}
        return Place(kind[entry.kind], entry.name) if entry is not None and entry.kind in kind else None

    def topics(self) -> Sequence[Topic[Any]]:
        found: list[Topic[Any]] = [
            topics.JOBS,
            topics.ENDPOINTS,
            topics.RUNS,
            topics.TUNING_JOBS,
            topics.TRANSFORMS,
        ]
        entry = self._rows().current if self.has("#list") else None
        if self.wide and entry is not None:
            if entry.kind == "job":
                found += [topics.job(entry.name), topics.job_metrics(entry.name)]
            elif entry.kind == "endpoint":
                found += [topics.endpoint(entry.name), topics.endpoint_metrics(entry.name)]
            elif entry.kind == "tuning":
                found.append(topics.tuning(entry.name))
            elif entry.kind == "transform":
                found += [topics.transform(entry.name), topics.transform_progress(entry.name)]
        return found

    def problem(self) -> Problem | None:
        """Who may not list transform or tuning jobs still has a Home without a complaint."""
        for topic in (topics.JOBS, topics.ENDPOINTS, topics.RUNS):
            snapshot = self.snapshots.get(topic)
            if snapshot is not None and snapshot.error is not None:
                return snapshot.error
        return None

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if not self.news(snapshot):
            return  # thousands of jobs are not gone through for that
        if not snapshot.topic.name:
            self._show()
        self._preview()

    def tick(self) -> None:
        """Durations of what runs move every second; what ages, or has failed too long ago to stand here, need not."""
        self._ticks += 1
        if self._ticks % SELDOM == 0:
            self._show()
            self._preview()
        elif any(getattr(entry.resource, "active", False) for entry in self._rows().in_sight):
            self._rows().repaint()

    def summary(self) -> str:
        jobs: Sequence[JobRow] | None = self.value(topics.JOBS)
        hosted: Sequence[EndpointRow] | None = self.value(topics.ENDPOINTS)
        if jobs is not self._counted:
            self._counted, self._running_jobs = jobs, sum(1 for job in jobs or () if job.active)
        parts = []  # what nobody has told yet is not none
        if jobs is not None:
            parts.append(count(self._running_jobs, "running job"))
        if hosted is not None:
            parts.append(count(len(hosted), "endpoint"))
        return " · ".join(parts)

    # Contents

    def _show(self) -> None:
        self._show_costs()
        rows = self._rows()
        entries = self._entries()
        if not entries:
            rows.show_when_empty(*self._when_empty())
        rows.show(entries)
        if not self._settled:  # until all lists are there, the cursor waits at the first row
            rows.action_first()
            lists = (topics.JOBS, topics.ENDPOINTS, topics.RUNS)
            self._settled = all(topic in self.snapshots for topic in lists)

    def _show_costs(self) -> None:
        services = self.console.services
        text = expenses.sentence(
            self.value(topics.JOBS) or (),
            self.value(topics.ENDPOINTS) or (),
            target=services.target,
            region=services.region,
        )
        if text != self._costs:
            self._costs = text
            line = self.query_one("#costs", Static)
            line.update(text)
            line.set_class(bool(text), "-shown")

    def _when_empty(self) -> Sequence[str]:
        snapshot = self.snapshots.get(topics.JOBS)
        if snapshot is None or (snapshot.value is None and snapshot.error is None):
            return (
                "Connecting … nothing is known from last time.",
                "",
                f"Press {key('app.studies')} to see the case studies, {key('app.lessons')} the lessons meanwhile.",
            )
        if snapshot.value is None:
            return ("Nothing is known of what runs: the line above tells why.",)
        nothing = "Nothing runs, nothing failed, nothing is hosted: nothing costs."
        if self.console.services.read_only:
            return (
                nothing,
                "",
                f"Press {key('app.studies')} to see the case studies, {key('app.lessons')} the lessons. This console is read-only and starts none.",
            )
        return (
            nothing,
            "",
            f"Press {key('app.studies')} (or {key('home.new_run')}) and start a case study: it trains a model, checks it, hosts it and cleans up.",
            f"Press {key('app.lessons')} for the lessons: they do the same step by step, and explain it.",
        )

    def _entries(self) -> list[Entry]:
        now = self.console.services.now()
        jobs: Sequence[JobRow] = self.value(topics.JOBS) or ()
        endpoints: Sequence[EndpointRow] = self.value(topics.ENDPOINTS) or ()
        runs: Sequence[Run] = self.value(topics.RUNS) or ()
        tunings: Sequence[TuningRow] = self.value(topics.TUNING_JOBS) or ()
        transforms: Sequence[TransformRow] = self.value(topics.TRANSFORMS) or ()
        live = [Entry("run", run.id, run) for run in runs if run.active]
        live += [Entry("tuning", row.name, row) for row in tunings if row.active]
        searching = tuple(f"{row.name}-" for row in tunings if row.active)
        live += [
            Entry("job", job.name, job)
            for job in jobs
            if job.active and not (is_trial(job.name) and job.name.startswith(searching))
        ]
        live += [Entry("transform", row.name, row) for row in transforms if row.active]
        failed = [
            Entry("job", job.name, job)
            for job in jobs
            if job.status == "Failed" and now - job.modified < LATELY
        ][:8]
        failed += [
            Entry("run", run.id, run)
            for run in runs
            if run.status in ("failed", "refused", "interrupted")
            and now - (run.ended or run.created) < LATELY
        ][:8]
        failed += [
            Entry(kind, row.name, row)
            for kind, rows in (("tuning", tunings), ("transform", transforms))
            for row in rows
            if row.status == "Failed" and now - row.modified < LATELY
        ][:8]
        past = [
            Entry("run", run.id, run)
            for run in runs
            if not run.active and run.id not in {e.name for e in failed}
        ][:MOST_RUNS]
        hosted = [Entry("endpoint", row.name, row) for row in endpoints]
        sections = (
            ("Runs now", live),
            ("Failed in the last 24 hours", failed),
            ("Endpoints · each costs until it is deleted", hosted),
            ("Latest runs", past),
        )
        entries: list[Entry] = []
        for title, found in sections:
            if found:
                if entries:
                    entries.append(Entry("gap", title, title=" "))
                entries.append(Entry("title", title, title=f" {title}"))
                entries += found
        return entries

    def _cells(self, entry: Entry) -> tuple[Cell, ...]:
        now = self.console.services.now()
        if entry.kind == "job":
            job: JobRow = entry.resource
            shown = status(job.status)
            detail = self.console.known(topics.job(job.name))
            about = job.secondary_status if job.active else f"{ago(job.modified, now)}"
            if cost := expenses.of_job(job):
                about = f"{cost} · {about}"
            if detail is not None and job.active and (metric := headline(detail)) is not None:
                about += f" · {metric.name} {number(metric.value)}"
            return (
                Cell(str(shown), shown.role),
                Cell(job.name),
                Cell("training job", "dim"),
                Cell(f"{duration(job.seconds(now))} · {about}", "dim"),
            )
        if entry.kind == "endpoint":
            row: EndpointRow = entry.resource
            shown = status(row.status)
            cost = expenses.of_endpoint(row)
            about = " · ".join(
                part
                for part in (f"up {span(now - row.created)}", str(cost) if cost else "", instances(row))
                if part
            )
            return (Cell(str(shown), shown.role), Cell(row.name), Cell("endpoint", "dim"), Cell(about, "dim"))
        if entry.kind == "tuning":
            return self._tuning_cells(entry.resource)
        if entry.kind == "transform":
            transform: TransformRow = entry.resource
            shown = status(transform.status)
            far = transform_facts.in_a_cell(self.console.known(topics.transform_progress(transform.name)))
            about = " · ".join(part for part in (duration(transform.seconds(now)), far) if part)
            return (
                Cell(str(shown), shown.role),
                Cell(transform.name),
                Cell("transform", "dim"),
                Cell(about, "dim"),
            )
        run: Run = entry.resource
        shown = status("running" if run.status in ("starting", "stopping") else run.status)
        return (
            Cell(f"{shown.glyph} {run.status}", shown.role),
            Cell(run.id),
            Cell("study run", "dim"),
            run_outcome(run, now),
        )

    def _tuning_cells(self, row: TuningRow) -> tuple[Cell, ...]:
        shown, now = status(row.status), self.console.services.now()
        about = tuning_facts.counted(row)
        if row.best_value is not None:
            about += f" · best {number(row.best_value)}"
        return (
            Cell(str(shown), shown.role),
            Cell(row.name),
            Cell("tuning job", "dim"),
            Cell(f"{about} · {duration(row.seconds(now))}", "dim"),
        )

    # Preview

    @on(Rows.Highlighted, "#list")
    def _moved(self) -> None:
        self._preview()
        self.set_timer(0.2, lambda: self.observe() if self.is_current else None)

    def _preview(self) -> None:
        if not self.wide:
            return
        page = self.query_one("#preview", Page)
        entry = self._rows().current
        now = self.console.services.now()
        if entry is None:
            page.show(lambda width: [])
        elif entry.kind == "job":
            detail = self.console.known(topics.job(entry.name))
            series = self.console.known(topics.job_metrics(entry.name)) or ()

            def write(width: int) -> Lines:
                lines = (
                    facts.job_facts(detail, now, width)
                    if detail
                    else facts.job_head(entry.resource, now, width)
                )
                drawn = charts(series)[:2]
                if drawn:
                    lines += [[], *chart_grid.grid(drawn, width, 9 * len(drawn), x_format=span)]
                return lines

            page.show(write)
        elif entry.kind == "endpoint":
            known = self.console.known(topics.endpoint(entry.name))
            traffic = self.console.known(topics.endpoint_metrics(entry.name))
            page.show(lambda width: traffic_of.preview(known, entry.resource, traffic, now, width))
        elif entry.kind == "tuning":
            view = self.console.known(topics.tuning(entry.name))
            target = self.console.services.target
            page.show(lambda width: tuning_facts.overview(view, entry.resource, now, width, target=target))
        elif entry.kind == "transform":
            described = self.console.known(topics.transform(entry.name))
            progress = self.console.known(topics.transform_progress(entry.name))
            target = self.console.services.target
            page.show(
                lambda width: transform_facts.overview(
                    described, entry.resource, progress, now, width, target=target
                )
            )
        else:
            page.show(lambda width: run_facts(entry.resource, now, width))

    # Actions

    @on(Rows.Opened, "#list")
    async def _open(self) -> None:
        entry = self._rows().current
        if entry is None:
            return
        if entry.kind == "job":
            await self.console.open_job(entry.name)
        elif entry.kind == "endpoint":
            await self.console.open_endpoint(entry.name)
        elif entry.kind == "tuning":
            await self.console.open_tuning(entry.name)
        elif entry.kind == "transform":
            await self.console.open_transform(entry.name)
        else:
            await self.console.open_run(entry.name)

    async def action_new_run(self) -> None:
        if self.console.allowed(actions.get("home.new_run")):
            await self.console.go("studies")


def run_outcome(run: Run, now: float) -> Cell:
    """How far a run is, or how it ended."""
    if run.status == "waiting":
        return Cell(f"asks you something: {key('list.open')} answers", "dim")
    if run.active:
        return Cell(f"{span(now - run.created)} · {run.step or 'starting'}", "dim")
    when = ago(run.ended or run.created, now)
    name, value = leading(run)
    if not name:
        return Cell(when, "dim")
    told = f" {number(value)} · {when}"
    return Cell(f"{'SYNTHETIC ' if run.synthetic else ''}{name}{told}", "dim", len(told))


def run_facts(run: Run, now: float, width: int, *, withheld: str = "") -> Lines:
    """A run in a preview: state, result (or why it is ``withheld``), settings."""
    shown = status("running" if run.status in ("starting", "stopping") else run.status)
    lines: Lines = [
        [(run.id, "strong")],
        [
            (f"{shown.glyph} {run.status}", shown.role),
            (f" · {run.study} · interface {run.interface} · {run.target}", "dim"),
        ],
        [
            (f"started {ago(run.created, now)}", "dim"),
            (f" · {duration((run.ended or now) - run.created)}", ""),
            (" · SYNTHETIC data" if run.synthetic else "", "wait"),
        ],
    ]
    if withheld:
        lines += [[], *facts.sentences([withheld], width, "bad")]
    elif run.message:
        lines += [[], *facts.sentences(run.message.splitlines(), width, "bad" if shown.role == "bad" else "")]
    if run.metrics and not withheld:
        lines += [[], facts.head("Result")]
        lines += facts.pairs({name: number(value) for name, value in ordered(run).items()}, width, "strong")
    if run.left_behind:
        lines += [[], facts.head("Left in place")]
        lines += facts.sentences(run.left_behind, width, "wait")
    settings = {name: str(value) for name, value in run.parameters.items()}
    return [*lines, [], facts.head("Settings", run.preset), *facts.pairs(settings, width)]
