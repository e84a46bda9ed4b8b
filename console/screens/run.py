"""A run of a study, live or past: steps, charts, log, results, calls; questions are answered here."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import status
from console.messages import RunEventsArrived
from console.screens import results
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ChoiceScreen
from console.screens.form import Settings
from console.screens.logpane import LogPane
from console.screens.run_state import RunState
from console.screens.studies import confirm_stop, show_code
from console.widgets.charts import ChartGrid
from console.widgets.page import Page
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.events import ApiCall, Event, Question
from workflows.explain import explain
from workflows.problem import Problem
from workflows.runs import Run
from workflows.topics import Topic


class Feed:
    """Events on their way from the following thread to the screen: many events, one message."""

    def __init__(self, screen: RunScreen, run: str) -> None:
        self._screen, self._run = screen, run
        self._waiting: deque[Event] = deque()
        self._told = False
        self._lock = threading.Lock()
        self.closed = False

    def start(self) -> None:
        """Follow in a daemon thread."""
        threading.Thread(target=self._follow, name=f"follow-{self._run}", daemon=True).start()

    def _follow(self) -> None:
        try:
            self._screen.console.services.follow(self._run, self._deliver, lambda: self.closed)
        except Exception as error:
            problem = explain(error, self._screen.console.services.target)
            self._screen.post_message(RunEventsArrived(self._run, (), problem))

    def _deliver(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)
            tell, self._told = not self._told, True
        if tell:
            self._screen.post_message(RunEventsArrived(self._run, ()))

    def take(self) -> list[Event]:
        """What has come since the last time."""
        with self._lock:
            events = list(self._waiting)
            self._waiting.clear()
            self._told = False
        return events


class RunScreen(ConsoleScreen):
    """Attaches to a run. Leaving the screen leaves the run alone."""

    BINDINGS: ClassVar = list(actions.bindings("run"))
    place = "run"
    section = "studies"
    parts = (
        ("overview", "Run"),
        ("results", "Results"),
        ("log", "Log"),
        ("metrics", "Charts"),
        ("calls", "Calls"),
    )
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
        self._finished_shown = False

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
        if lines:
            self.query_one(LogPane).extend(lines)
        self._draw()
        self._ask()

    def _ask(self) -> None:
        question = self.state.question
        if question is None or question is self._asked or not self.is_current:
            return
        self._asked = question
        self.action_answer()

    def _draw(self) -> None:
        now, state = self.console.services.now(), self.state
        low = self.app.size.height < 30
        log = str(row.log) if (row := self._row) else ""
        self.query_one("#overview", Page).show(
            lambda width: results.overview(state, now, width, run=self.run_id, brief=low, log=log)
        )
        ansi = self.app.theme.startswith("ansi") or self.app.no_color
        self.query_one("#results", Page).show(lambda width: results.results(state, width, colours=not ansi))
        self.query_one(ChartGrid).show_charts(state.charts(), x_label="epoch")
        calls = self.query_one("#calls", Rows)
        at_end = calls.cursor_key in (None, len(calls.items) - 1)
        if len(calls.items) != len(state.calls):
            calls.show(list(enumerate(state.calls)))
            if at_end and state.calls:
                calls.put_cursor(len(state.calls) - 1)
        if state.finished is not None and not self._finished_shown:
            self._finished_shown = True
            if self.part == "overview" and state.results and not self.wide and state.status == "completed":
                self.console.flash("✓ Completed. Tab shows the results.", "ok")
        self.draw_frame()

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
            now, state = self.console.services.now(), self.state
            low = self.app.size.height < 30
            log = str(row.log) if (row := self._row) else ""
            self.query_one("#overview", Page).show(
                lambda width: results.overview(state, now, width, run=self.run_id, brief=low, log=log)
            )

    def on_resize(self) -> None:
        super().on_resize()
        if self.query("#overview"):
            self._draw()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.query("#overview"):
            self._ask()

    def part_shown(self, name: str) -> None:
        target = {
            "log": "#log LogView",
            "overview": "#overview",
            "results": "#results",
            "calls": "#calls",
        }.get(name)
        if target and self.query(target):
            self.query_one(target).focus()
        else:
            self.set_focus(None)

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

    def action_answer(self) -> None:
        question = self.state.question
        if question is None:
            self.console.flash("This run asks nothing at the moment.", "wait")
            return
        if not self.console.allowed(actions.get("run.answer")):
            return
        run, services = self.run_id, self.console.services

        def chosen(choice: str | None) -> None:
            if choice is None:
                self.console.flash("The run waits. a opens the question again.", "wait")
                return
            self.work(
                lambda: services.answer(run, question.question, choice),
                lambda _: self.console.flash(f"✓ Answered: {choice}."),
            )

        reasons = [
            f"{status(gate.verdict).glyph} {gate.name}: {gate.reason}"
            for gate in self.state.gates
            if gate.verdict != "pass"
        ]
        self.app.push_screen(
            ChoiceScreen(question.text, reasons, question.choices, default=question.default), chosen
        )

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
                return self._can_resume
        return True

    @property
    def _row(self) -> Run | None:
        """The run as the list of runs tells it."""
        return next((run for run in self.console.known(topics.RUNS) or () if run.id == self.run_id), None)

    @property
    def _can_stop(self) -> bool:
        """Whether it works still, or has ended and left something to delete."""
        ended = self.state.finished
        return ended is None or ended.status == "interrupted" or bool(ended.left_behind)

    @property
    def _can_resume(self) -> bool:
        ended = self.state.finished
        return ended is not None and ended.status in ("interrupted", "stopped", "failed")

    async def action_again(self) -> None:
        state, row = self.state, self._row
        if state.finished is None:
            self.console.flash("The run goes on still: x stops it.", "wait")
            return
        like = Settings(
            state.parameters,
            state.interface,
            keep=row.keep if row else False,
            preset=row.preset if row else "",
        )
        await self.console.open_study(state.study, like)

    def action_resume(self) -> None:
        if not self.console.allowed(actions.get("run.resume")):
            return
        if not self._can_resume:
            self.console.flash(f"{self.run_id} is {self.state.status}: there is nothing to resume.", "wait")
            return
        run, services = self.run_id, self.console.services

        def chosen(choice: str | None) -> None:
            if choice == "Resume it":
                self.console.flash(f"Resuming {run} …", "dim")
                self.work(lambda: services.resume_run(run), self._resumed)

        if self.state.target != "aws":
            chosen("Resume it")
            return
        self.app.push_screen(
            ChoiceScreen(
                f"Resume run {run}?",
                [
                    "Steps whose inputs are unchanged are reused; the others run again.",
                    "Training and hosting cost their instances' time on AWS.",
                ],
                ["Cancel", "Resume it"],
            ),
            chosen,
        )

    def _resumed(self, _: object) -> None:
        self.console.flash(f"✓ {self.run_id} goes on.")
        if self.is_current:
            self.console.run_worker(self._attach_again(), exit_on_error=True)

    async def _attach_again(self) -> None:
        await self.app.pop_screen()
        await self.console.open_run(self.run_id)

    def action_code(self) -> None:
        show_code(self, self.run_id, self.state.interface)

    def action_copy(self) -> None:
        self.console.copy(self.run_id, "the run's id")
