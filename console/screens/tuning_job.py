"""One tuning job: leaderboard, progress, scatter plots, parallel view, what matters, tuned against default."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import count, number, status
from console.screens import tuning_actions, tuning_facts, tuning_parallel, tuning_plots, tuning_verdicts
from console.screens.arranged import ArrangedScreen
from console.screens.findings import Findings, find
from console.screens.tuning_trials import Trials, TrialsPane
from console.trail import Place
from console.view import View
from console.widgets.choosing import ChoosableRows
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows import topics
from workflows.observe.tuning_rows import TrialRow, TuningRow, TuningView
from workflows.topics import Snapshot, Topic
from workflows.tuning import apart
from workflows.tuning.importance import Importance

GROWTH = 1.1
"""What matters is worked out again when there are this many times as many values, or when the job has ended."""


class TuningJobScreen(ArrangedScreen[TrialRow]):
    """What a tuning job searches and has found."""

    BINDINGS: ClassVar = list(actions.bindings("tuning"))
    place = "tuning"
    section = "tuning"
    thing = "tuning job"
    noun = "trial"
    parts = (
        ("overview", "Overview"),
        ("trials", "Trials"),
        ("progress", "Progress"),
        ("scatter", "Scatter"),
        ("parallel", "Parallel"),
        ("importance", "Importance"),
        ("default", "Default"),
    )
    panes: ClassVar = {
        "overview": "overview",
        "trials": "work trials",
        "progress": "work progress",
        "scatter": "work scatter",
        "parallel": "work parallel",
        "importance": "work importance",
        "default": "work default",
    }
    beside = "work progress trials"
    smaller = "progress"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self.findings: Findings | None = None
        self.importance: Importance | None = None
        self._weighed: tuple[int, bool] | None = None
        self._weighing = False
        self._working = False
        self._newest: TuningView | None = None
        self._by_time = False
        self._parameter = 0
        self._first_axis = 0
        self._lines = tuning_parallel.FIRST_LINES
        self._trials = Trials(lambda: self.console.services.now())

    @property
    def location(self) -> Place:
        return Place("tuning-job", self.name_of)

    def subject(self) -> Place:
        return self.location

    def body(self) -> Iterable[Widget]:
        # The columns and the order that were chosen on any tuning job; what one was narrowed to tells nothing of another.
        self._trials.use(replace(self.console.remembered_view(self.view_place), filter=""))
        with Horizontal(id="tuning-job"):
            yield Page(id="overview")
            with Vertical(id="work"):
                yield Plot(id="progress", waiting="Loading the trials …")
                yield TrialsPane(self._trials, self.console.services.now)
                yield Plot(id="scatter", waiting="Loading the trials …")
                yield Plot(id="parallel", waiting="Loading the trials …")
                yield Page(id="importance", waiting="Loading the trials …")
                yield Page(id="default", waiting="Loading the trials …")
        yield Prompt()

    def opened(self) -> None:
        self._draw()

    # The list of trials

    @property
    def arrangement(self) -> Trials:
        return self._trials

    @property
    def view_place(self) -> str:
        return "trials"

    def rows(self) -> ChoosableRows[TrialRow]:
        return self.query_one(TrialsPane).rows

    def everything(self) -> Sequence[TrialRow]:
        return self.findings.ranked if self.findings is not None else ()

    def show_rows(self) -> None:
        if self.findings is None:
            return
        everything = self.everything()
        pane = self.query_one(TrialsPane)
        pane.rows.show_when_empty(
            *(self.none_matches(len(everything)) if everything else ["No trial has been started yet."])
        )
        pane.show(self._trials.arranged(everything, asking=self.asking))

    @property
    def list_in_sight(self) -> bool:
        return self.has("#trials") and "trials" in self.shown_panes()

    def place_of(self, row: TrialRow) -> Place:
        return Place("job", row.name)

    # What is known

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.tuning(self.name_of)]

    @property
    def seen(self) -> TuningView | None:
        topic = topics.tuning(self.name_of)
        found: TuningView | None = self.value(topic) or self.console.known(topic)
        return found

    @property
    def row(self) -> TuningRow | None:
        """The line of the list, until more is known."""
        view = self.seen
        if view is not None:
            return view.detail.row
        known = self.console.known(topics.TUNING_JOBS) or ()
        return next((row for row in known if row.name == self.name_of), None)

    def trail(self) -> str:
        return self.name_of

    def summary(self) -> str:
        row = self.row
        if row is None:
            return ""
        if self.summary_matters:
            marks, total = len(self.rows().chosen), len(self.everything())
            told = [f"{marks} marked"] if marks else []
            told += [self.of_all(len(self.listed()), total)] if self.filter else []
            return " · ".join(told)
        text = str(status(row.status))
        best = self.seen.detail.best if self.seen else None
        return f"{text} · best {number(best.value)}" if best is not None and best.value is not None else text

    def summary_role(self) -> str:
        row = self.row
        return status(row.status).role if row else "dim"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is not None:
            self._newest = snapshot.value
            self._look()
        if self.has("#overview"):
            self._draw_overview()

    def _look(self) -> None:
        """Work out what the newest view tells, one view at a time and away from the event loop."""
        if self._working or self._newest is None:
            return
        view, self._newest, self._working = self._newest, None, True
        now = self.console.services.now()
        self.work(lambda: find(view, now), self._found, self._not_found)

    def _found(self, findings: Findings) -> None:
        self._working = False
        if not self.is_attached:
            return
        first, self.findings = self.findings is None, findings
        self._trials.know(findings)
        self._draw(at_once=first)
        self._look()

    def _not_found(self, problem: Any) -> None:
        self._working = False
        self.console.tell(problem)

    def _weigh(self) -> None:
        """Work out what matters: only while that is looked at, and when there is much more to go by."""
        found = self.findings
        if found is None or self._weighing or self.part != "importance":
            return
        scored = len(found.progress)
        active = found.view.detail.row.active
        if self._weighed is not None:
            before, was_active = self._weighed
            if scored == before or (active == was_active and scored < before * GROWTH):
                return
        self._weighing, self._weighed = True, (scored, active)
        detail, trials = found.view.detail, found.view.trials
        self.work(lambda: apart.importance(detail, trials), self._was_weighed, self._not_weighed)

    def _was_weighed(self, result: Importance) -> None:
        self._weighing = False
        if self.is_attached:
            self.importance = result
            self._draw()

    def _not_weighed(self, problem: Any) -> None:
        self._weighing = False
        self.console.tell(problem)

    # Drawing

    def tick(self) -> None:
        row = self.row
        if row is not None and row.active:
            self._draw_overview()
            self.rows().repaint()

    def _draw_overview(self) -> None:
        services = self.console.services
        view, row, now, findings = self.seen, self.row, services.now(), self.findings
        self.query_one("#overview", Page).show(
            lambda width: tuning_facts.overview(
                view, row, now, width, target=services.target, findings=findings
            )
        )

    def _draw(self, *, at_once: bool = False) -> None:
        """Draw the part in sight."""
        if not self.has("#default"):
            return  # the screen is being built, or taken down
        self._draw_overview()
        findings, now = self.findings, self.console.services.now()
        if findings is None:
            return
        part = self.part
        beside = part == "overview" and self.wide
        if part in ("trials", "parallel") or beside:
            self.show_rows()
        if part == "progress" or beside:
            self.query_one("#progress", Plot).show(
                (findings, self._by_time),
                partial(tuning_plots.progress, findings, by_time=self._by_time),
                at_once=at_once,
            )
        if part == "scatter":
            self.query_one("#scatter", Plot).show(
                (findings, self._parameter),
                partial(tuning_plots.against, findings, self._parameter),
                at_once=at_once,
            )
        if part == "parallel":
            self._draw_parallel(findings, at_once)
        if part == "importance":
            found = self.importance
            self.query_one("#importance", Page).show(lambda width: tuning_verdicts.importance(found, width))
            self._weigh()
        if part == "default":
            self.query_one("#default", Page).show(lambda width: tuning_verdicts.default(findings, now, width))

    def _draw_parallel(self, findings: Findings, at_once: bool) -> None:
        trial = self.query_one(TrialsPane).current
        chosen = trial.name if trial is not None else ""
        order = tuple(item.name for item in self.importance.parameters) if self.importance else ()
        self.query_one("#parallel", Plot).show(
            (findings, self._first_axis, self._lines, chosen, order),
            partial(self._parallel, findings, chosen, order),
            at_once=at_once,
        )

    def _parallel(
        self, findings: Findings, chosen: str, order: Sequence[str], width: int, height: int
    ) -> Any:
        return tuning_parallel.parallel(
            findings, width, height, first=self._first_axis, lines=self._lines, chosen=chosen, order=order
        )

    def part_shown(self, name: str) -> None:
        target = {"overview": "#overview", "trials": "#trial-list", "importance": "#importance", "default": "#default"}  # fmt: skip
        if name in target:
            self.query_one(target[name]).focus()
        else:
            self.set_focus(None)
        self._draw(at_once=True)

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#overview"):
            self._draw()

    # Keys

    def offers(self, action: actions.Action) -> bool:
        row, part = self.row, self.part
        belongs = {
            "next_parameter": ("scatter", "parallel"),
            "previous_parameter": ("scatter", "parallel"),
            "next_trial": ("parallel",),
            "previous_trial": ("parallel",),
            "open": ("parallel",),
            "more": ("parallel",),
            "fewer": ("parallel",),
            "axis": ("progress", "overview" if self.wide else "progress"),
            "copy": ("trials", "parallel", "overview"),
            "best": ("overview", "progress", "default", "importance"),
            "defaults": ("overview", "default"),
            "deploy": ("overview", "trials"),
        }
        if action.verb in belongs and part not in belongs[action.verb]:
            return False
        if action.verb in ("filter", "sort", "reverse", "columns", "compare"):
            return self.list_in_sight
        if action.verb in ("best", "deploy"):
            view = self.seen
            return view is not None and view.detail.best is not None
        return row is None or tuning_facts.possible(action.verb, row)

    def leave(self) -> bool:
        return self.list_in_sight and super().leave()

    def _turn(self, step: int) -> None:
        if self.findings is None:
            return
        number_of = max(1, len(self.findings.against))
        if self.part == "scatter":
            self._parameter = (self._parameter + step) % number_of
        elif self.part == "parallel":
            self._first_axis = (self._first_axis + step) % number_of
        self._draw(at_once=True)

    def action_next_parameter(self) -> None:
        self._turn(1)

    def action_previous_parameter(self) -> None:
        self._turn(-1)

    def action_next_trial(self) -> None:
        if self.part == "parallel":
            pane = self.query_one(TrialsPane)
            pane.settled = True
            pane.rows.action_down()
            self._draw(at_once=True)

    def action_previous_trial(self) -> None:
        if self.part == "parallel":
            pane = self.query_one(TrialsPane)
            pane.settled = True
            pane.rows.action_up()
            self._draw(at_once=True)

    def action_axis(self) -> None:
        self._by_time = not self._by_time
        self._draw(at_once=True)

    def action_more(self) -> None:
        self._lines = min(tuning_parallel.MOST_LINES, self._lines * 2)
        self._draw(at_once=True)

    def action_fewer(self) -> None:
        self._lines = max(1, self._lines // 2)
        self._draw(at_once=True)

    def use_view(self, view: View) -> None:
        self._to_the_list()
        super().use_view(view)

    def action_filter(self) -> None:
        self._to_the_list()
        super().action_filter()

    def _to_the_list(self) -> None:
        if not self.list_in_sight:
            self.show_part("trials")

    async def action_compare(self) -> None:
        from console.screens.compare import compare_marked

        await compare_marked(self, self.selection() if self.has_marks else [], "trial")

    @on(Rows.Opened, "#trial-list")
    async def _opened(self, event: Rows.Opened) -> None:
        await self.console.open_job(str(event.key))

    async def action_open(self) -> None:
        trial = self.query_one(TrialsPane).current if self.part == "parallel" else None
        if trial is not None:
            await self.console.open_job(trial.name)

    def _best(self) -> TrialRow | None:
        view = self.seen
        if view is None or view.detail.best is None:
            self.console.flash("No trial has a value yet.", "wait")
            return None
        return view.detail.best

    async def action_best(self) -> None:
        best = self._best()
        if best is not None:
            await self.console.open_job(best.name)

    def action_copy(self) -> None:
        view, pane = self.seen, self.query_one(TrialsPane)
        if view is None:
            return
        copied: dict[str, Any] = {}
        if self.has_marks:
            copied = {
                trial.name: tuning_facts.hyperparameters(trial, view.detail) for trial in self.selection()
            }
            of = count(len(copied), "trial")
        elif trial := pane.current if self.part in ("trials", "parallel") else self._best():
            copied = tuning_facts.hyperparameters(trial, view.detail)
            of = f"trial {tuning_facts.short_name(trial.name, self.name_of)}"
        if copied:
            self.console.copy(json.dumps(copied, indent=2), f"the hyperparameters of {of}")

    def action_stop(self) -> None:
        row = self.row
        if row is not None and self.console.allowed(actions.get("tuning.stop")):
            tuning_actions.confirm_stop(self, row)

    def action_delete(self) -> None:
        row = self.row
        if row is not None and self.console.allowed(actions.get("tuning.delete")):
            tuning_actions.confirm_delete(self, row)

    def action_warm_start(self) -> None:
        row = self.row
        if row is not None and self.console.allowed(actions.get("tuning.warm_start")):
            tuning_actions.open_warm_start(self, row)

    def action_deploy(self) -> None:
        view = self.seen
        if view is not None and self.console.allowed(actions.get("tuning.deploy")):
            tuning_actions.confirm_deploy(self, view)

    def action_defaults(self) -> None:
        view = self.seen
        if view is not None and self.console.allowed(actions.get("tuning.defaults")):
            tuning_actions.confirm_defaults(self, view)
