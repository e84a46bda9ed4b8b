"""A run of a study, live or past: steps, charts, log, results, calls; questions are answered here."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import status
from console.keymap import key
from console.messages import RunEventsArrived
from console.screens import results, run_actions, run_question, run_resuming
from console.screens.base import ConsoleScreen
from console.screens.charting import InTurn
from console.screens.form import Settings
from console.screens.logpane import LogPane
from console.screens.result import ResultScreen
from console.screens.run_feed import Feed
from console.screens.run_state import RunState
from console.screens.studies import confirm_stop, show_code
from console.screens.tuning_actions import open_tune
from console.trail import Place
from console.widgets.canvas import Lines
from console.widgets.charts import ENLARGE, ChartGrid, Titled
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.events import ApiCall, Figure, Question
from workflows.lessons.progress import Progress
from workflows.lineage import Lineage
from workflows.problem import Problem
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, Try
from workflows.topics import Topic


class RunScreen(InTurn, ConsoleScreen):
    """Attaches to a run. Leaving the screen leaves the run alone."""

    BINDINGS: ClassVar = list(actions.bindings("run"))
    place = "run"
    section = "studies"
    thing = "run"
    parts = (
        ("overview", "Run"),
        ("results", "Results"),
        ("log", "Log"),
        ("metrics", "Charts"),
        ("calls", "Calls"),
    )
    of_a_lesson = (("overview", "Run"), ("results", "Lesson"), *parts[2:])
    panes: ClassVar = {
        "overview": "overview live log",
        "results": "results",
        "log": "live log",
        "metrics": "live metrics",
        "calls": "calls",
    }
    beside = "live metrics log"
    smaller = "metrics"

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = run
        self.state = RunState()
        self._feed: Feed | None = None
        self._problem: Problem | None = None
        self._asked: Question | None = None
        self._to_ask: Question | None = None
        """Is asked once nobody types."""
        self._finished_shown = False
        self._lesson: StudyInfo | None = None
        self._next_try: Try | None = None
        """What a lesson suggests once the run has ended."""
        self._drawn: results.Drawn = {}
        self._begins: list[int] = []
        """The line of the page of results on which each of ``state.viewed`` begins."""
        self._following = False
        """Whether the page of results, once it is written, is to be scrolled to the figure that moves."""

    @property
    def location(self) -> Place:
        return Place("run", self.run_id)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="run"):
            yield Page(id="overview")
            with Vertical(id="live"):
                yield ChartGrid(id="metrics", empty="No metric yet: the charts begin with the training.")
                yield LogPane(empty="No line yet.")
            yield Page(id="results")
            yield Rows[tuple[int, ApiCall]](
                [
                    Column("Service", 18),
                    Column("Operation", 24, grow=1),
                    Column("Time", 9, right=True),
                    Column("Error", 18, drop=1),
                    Column("Parameters", 20, grow=3, drop=2),
                ],
                key=lambda item: item[0],
                cells=self._call_cells,
                id="calls",
            )

    def opened(self) -> None:
        self.query_one("#calls", Rows).show_when_empty("No AWS call yet.")
        self._draw()
        self._feed = Feed(self, self.run_id)
        self._feed.start()

    def look(self) -> None:
        """A run that was not there may be there now."""
        if self.absent:
            self._problem = None
            self._feed = Feed(self, self.run_id)
            self._feed.start()

    def on_unmount(self) -> None:
        super().on_unmount()
        if self._feed is not None:
            self._feed.closed = True

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.RUNS]

    def trail(self) -> str:
        return self.run_id

    def summary(self) -> str:
        shown = status(self.state.status)
        return f"{shown.glyph} {self.state.status}"

    def summary_role(self) -> str:
        return status(self.state.status).role

    def problem(self) -> Problem | None:
        return self._problem

    @property
    def absent(self) -> bool:
        return self._problem is not None and self.state.started is None and self._row is None

    # Events

    @on(RunEventsArrived)
    def _arrived(self, message: RunEventsArrived) -> None:
        if message.problem is not None:
            self._problem = message.problem
            self.draw_frame()
            return
        if self._feed is None or not self.is_attached:
            return
        lines = self.state.take(self._feed.take())
        self._be_a_lesson()
        if lines:
            self.query_one(LogPane).extend(lines)
        self._draw()
        self._ask()

    def _be_a_lesson(self) -> None:
        """A run of a lesson is read: its results are the lesson, and it leads to the next change."""
        if self._lesson is not None or not self.state.study:
            return
        lessons = self.console.services.lessons()
        self._lesson = next((info for info in lessons if info.name == self.state.study), None)
        if self._lesson is not None:
            self.section, self.parts = "lessons", self.of_a_lesson
            self.show_part(self.part)

    def _overview(self) -> None:
        now, state = self.console.services.now(), self.state
        low = self.app.size.height < 30
        log = str(row.log) if (row := self._row) else ""
        lesson, following = self._lesson is not None, self._next_try
        self.query_one("#overview", Page).show(
            lambda width: results.overview(
                state,
                now,
                width,
                run=self.run_id,
                brief=low,
                log=log,
                lesson=lesson,
                next_try=following,
            )
        )

    def _ask(self) -> None:
        question = self.state.question
        if question is None or question is self._asked or question is self._to_ask or not self.is_current:
            return
        self._to_ask = question

        def ask() -> None:
            self._to_ask = None
            if self.state.question is question is not self._asked and self.is_current:
                self.action_answer()  # else `tick` asks, once this screen is in sight again

        self.console.interrupt(ask)

    def _draw(self) -> None:
        self._overview()
        state, ground = self.state, self.console.ground

        def write(width: int) -> Lines:
            lines, self._begins = results.results(state, width, ground=ground, drawn=self._drawn)
            if self._following:
                self._following = False
                self.call_after_refresh(self._look_at_what_moves)
            return lines

        self.query_one("#results", Page).show(write)
        drawn = state.charts()
        self._draw_charts(drawn)
        beside = "live log" if self._lesson is not None and not drawn else type(self).beside
        if beside != self.beside:  # some lessons have no metric
            self.beside = beside
            self.show_panes()
        calls = self.query_one("#calls", Rows)
        at_end = calls.cursor_key in (None, len(calls.items) - 1)
        if len(calls.items) != len(state.calls):
            calls.show(list(enumerate(state.calls)))
            if at_end and state.calls:
                calls.put_cursor(len(state.calls) - 1)
        if state.finished is not None and not self._finished_shown:
            self._finished_shown = True
            self._look_at_what_stays()
            self._look_what_is_next()
            if (
                self.part == "overview" and state.results and not self.wide and state.status == "completed"
                and self._lesson is None
            ):  # fmt: skip
                self.console.flash(f"✓ Completed. {key('run.next_part')} shows the results.", "ok")
        self.draw_frame()

    def _look_at_what_stays(self) -> None:
        """Whether the results are still what the run computed, and what it has kept."""
        run, services = self.run_id, self.console.services

        def known(found: tuple[Lineage, Sequence[str]]) -> None:
            self.state.lineage, self.state.kept = found
            if self.is_attached:
                self._draw()

        # What cannot be told is not worth a message: the run itself says so where it cannot be read.
        self.work(lambda: (services.lineage(run), services.remains([run])[run]), known, lambda problem: None)

    def _look_what_is_next(self) -> None:
        """Which of the suggested changes of a lesson has not been tried."""
        info, services = self._lesson, self.console.services
        if info is None:
            return

        def known(progress: Mapping[str, Progress]) -> None:
            self._next_try = progress[info.name].next_try(info) if info.name in progress else None
            if self.is_attached:
                self._draw()

        self.work(services.progress, known, lambda problem: None)

    def _call_cells(self, item: tuple[int, ApiCall]) -> tuple[Cell, ...]:
        call = item[1]
        return (
            Cell(call.service, "dim"),
            Cell(call.operation, "bad" if call.error else "strong"),
            Cell(f"{call.seconds * 1000:.0f} ms", "dim"),
            Cell(call.error, "bad"),
            Cell(json.dumps(call.parameters, default=str)[:400], "dim"),
        )

    def tick(self) -> None:
        if self.state.finished is None:
            self._overview()
            self._ask()

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#overview"):
            self._draw()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.has("#overview"):
            self._ask()

    def _draw_charts(self, drawn: Titled, *, at_once: bool = False) -> None:
        more = f"{key('run.next_chart')} begins with the next" if self.part == "metrics" else ENLARGE
        self.query_one(ChartGrid).show_charts(
            self.in_turn(drawn), x_label=self.state.counted, more=more, at_once=at_once
        )

    def draw_charts(self, *, at_once: bool = False) -> None:
        self._draw_charts(self.state.charts(), at_once=at_once)

    def part_shown(self, name: str) -> None:
        target = {
            "log": "#log LogView",
            "overview": "#overview",
            "results": "#results",
            "calls": "#calls",
        }.get(name)
        if target and self.query(target):
            self.query_one(target).focus()
            if name == "results" and self.state.finished is None:
                self._following = True
                self._draw()
        else:
            self.set_focus(None)
            self.draw_charts(at_once=True)

    def _look_at_what_moves(self) -> None:
        """Scrolls to the figure that is drawn anew while its step runs: it stands below all that came before it."""
        step = self.state.current
        for begin, result in zip(self._begins, self.state.viewed, strict=False):
            if step is not None and isinstance(result, Figure) and result.key and result.step == step.id:
                page = self.query_one("#results", Page)
                page.scroll_to(y=page.row_of(begin), animate=False, force=True, immediate=True)
                return

    # Actions

    @on(Rows.Opened, "#calls")
    def _open_call(self, event: Rows.Opened) -> None:
        from console.screens.help import TextScreen

        found = self.query_one("#calls", Rows).current
        if found is not None:
            call: ApiCall = found[1]
            self.app.push_screen(
                TextScreen(
                    f"{call.service} {call.operation}",
                    json.dumps(call.parameters, indent=2, default=str, ensure_ascii=False),
                )
            )

    @on(Page.Pressed, "#results")
    def _pressed(self, event: Page.Pressed) -> None:
        at = bisect.bisect_right(self._begins, event.line) - 1
        if at >= 0:
            self._view(at)

    def action_open(self) -> None:
        """The first result of which the beginning is in sight, else the one that fills the page."""
        if self.part != "results":
            self.show_part("results")
            return
        page = self.query_one("#results", Page)
        first = page.scroll_offset.y
        top, end = page.line_at(first), page.line_at(first + page.size.height)
        at = next((at for at, line in enumerate(self._begins) if top <= line < end), -1)
        self._view(at if at >= 0 else bisect.bisect_right(self._begins, top) - 1)

    def _view(self, at: int) -> None:
        if not self.state.viewed:
            self.console.flash("Nothing to look at yet.", "wait")
            return
        self.app.push_screen(
            ResultScreen(self.run_id, lambda: self.state.viewed, max(0, at), section=self.section)
        )

    def action_answer(self) -> None:
        question = self.state.question
        if question is None:
            self.console.flash("This run asks nothing at the moment.", "wait")
            return
        self._asked = question
        if not self.console.allowed(actions.get("run.answer")):
            return
        run_question.ask(self, self.run_id, question, self.state)

    def action_stop(self) -> None:
        if self.console.allowed(actions.get("run.stop")):
            confirm_stop(self, self.run_id, self._can_stop, self.state.status)

    def offers(self, action: actions.Action) -> bool:
        match action.verb:
            case "stop":
                return self._can_stop
            case "answer":
                return self.state.question is not None
            case "again":
                return self.state.finished is not None
            case "resume":
                return run_resuming.can_resume(self.state)
            case "open":
                return self.part == "results" and bool(self.state.viewed)
            case "compare" | "report":
                return self.state.finished is not None
            case "endpoint":
                return bool(run_actions.kept_endpoint(self.state))
            case "experiment":
                return bool(run_actions.kept(self.state.kept, "model"))
            case "tune":
                return bool(run_actions.training_job(self.state))
            case "lesson":
                return self._lesson is not None
            case "vary":
                return self._next_try is not None
            case "next_chart" | "previous_chart":
                return self.part == "metrics"
        return True

    @property
    def _row(self) -> Run | None:
        """The run as the list of runs tells it."""
        return next((run for run in self.console.known(topics.RUNS) or () if run.id == self.run_id), None)

    @property
    def _can_stop(self) -> bool:
        """Whether it works still, or has ended and left something to delete."""
        ended = self.state.finished
        return ended is None or ended.status == "interrupted" or bool(ended.left_behind or self.state.kept)

    async def action_again(self) -> None:
        state, row = self.state, self._row
        if state.finished is None:
            self.console.flash(f"The run goes on still: {key('run.stop')} stops it.", "wait")
            return
        like = Settings(
            state.parameters,
            state.interface,
            keep=row.keep if row else False,
            preset=row.preset if row else "",
        )
        await self.console.open_study(state.study, like)

    def action_resume(self) -> None:
        if self.console.allowed(actions.get("run.resume")):
            keep = bool(self._row and self._row.keep)
            run_resuming.resume(self, self.run_id, self.state, keep=keep)

    def action_compare(self) -> None:
        run_actions.choose_other(self, self.run_id, self.state.study)

    def action_report(self) -> None:
        run_actions.open_report(self, self.run_id)

    async def action_endpoint(self) -> None:
        endpoint = run_actions.kept_endpoint(self.state)
        if endpoint:
            await self.console.open_endpoint(endpoint)
        elif self.state.finished is None:
            self.console.flash("The run goes on still: what it keeps is known once it has ended.", "wait")
        else:
            self.console.flash("This run has no endpoint: `keep` in its form leaves it in place.", "wait")

    def action_experiment(self) -> None:
        if self.console.allowed(actions.get("run.experiment")):
            run_actions.start_experiment(self, self.run_id, self.state)

    def action_tune(self) -> None:
        job = run_actions.training_job(self.state)
        if not job and self.state.finished is None:
            self.console.flash("The run goes on still: its job can be tuned once it has ended.", "wait")
        elif not job:
            self.console.flash("This run has no training job that has completed.", "wait")
        elif self.console.allowed(actions.get("run.tune")):
            open_tune(self, job)

    def action_code(self) -> None:
        show_code(self, self.run_id, self.state.interface)

    async def action_lesson(self) -> None:
        if self._lesson is not None:
            await self.console.open_lesson(self._lesson.name)
        else:
            self.console.flash(f"This is no run of a lesson: {key('app.lessons')} lists the lessons.", "wait")

    async def action_vary(self) -> None:
        if self._lesson is None:
            self.console.flash(f"Only lessons suggest what to try: {key('app.lessons')} lists them.", "wait")
        elif self.state.finished is None:
            self.console.flash(
                f"The lesson goes on still: {key('run.vary')} tries a change once it has ended.", "wait"
            )
        elif self._next_try is None:
            self.console.flash(
                f"You have tried all that this lesson suggests; {key('run.lesson')} lists it.", "ok"
            )
        else:
            await self.console.open_study(
                self._lesson.name, tried=self._next_try, interface=self.state.interface
            )

    def action_copy(self) -> None:
        self.console.copy(self.run_id, "the run's id")
