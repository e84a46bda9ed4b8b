"""The menu of case studies, and all runs to attach to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import methodcaller
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions, filtering
from console.exhibit import Exhibit
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.help import TextScreen
from console.screens.home import Entry, run_facts
from console.screens.studies_facts import run_cells, study_cells, study_facts
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows import topics
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo
from workflows.studies.shelf import Shelf
from workflows.topics import Snapshot, Topic

ENDED = ("completed", "refused", "failed", "stopped", "interrupted")
"""Statuses of a run of which only what it has left can be ended."""
CHECKED = 50
"""Runs whose results are compared with what they recorded: the newest."""


class StudiesScreen(ConsoleScreen):
    """Enter on a study opens its form, on a run attaches to it."""

    BINDINGS: ClassVar = list(actions.bindings("studies"))
    place = "studies"
    section = "studies"

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""
        self._marked: list[str] = []
        self._shelves: Mapping[str, Shelf] = {}
        self._withheld: Mapping[str, str] = {}
        self._checked: tuple[str, ...] = ()
        """The runs whose results were last looked at."""

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="split"):
            yield Rows[Entry](
                [
                    Column("", 13, watch=True),
                    Column("", 27, grow=3, middle=True),
                    Column("", 11, grow=1),
                    Column("", 19, grow=2),
                ],
                key=lambda entry: (entry.kind, entry.name),
                cells=self._cells,
                title=lambda entry: entry.title,
                heading=False,
                id="list",
            )
            yield Page(id="preview")
        yield Page(id="about")
        yield Prompt()

    def opened(self) -> None:
        for name in ("#preview", "#about"):
            self.query_one(name).can_focus = False
        self._rows().focus()
        self._show()
        self._describe()
        self.work(self.console.services.shelves, self._stocked)

    def _stocked(self, shelves: Mapping[str, Shelf]) -> None:
        self._shelves = shelves
        if self.is_attached:
            self._rows().repaint()
            self._describe()

    def _check(self) -> None:
        """Whether the scores in sight are still those of their runs; looked at again when a run has ended."""
        scored = [run for run in self._runs() if run.metrics and not run.active][:CHECKED]
        names = tuple(run.id for run in scored)
        if names == self._checked:
            return
        self._checked = names

        def known(withheld: Mapping[str, str]) -> None:
            self._withheld = withheld
            if withheld and self.is_attached:
                self._rows().repaint()
                self._describe()

        self.work(lambda: self.console.services.withheld(scored), known, lambda problem: None)

    def _rows(self) -> Rows[Entry]:
        return self.query_one("#list", Rows)

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.RUNS]

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        self._show()
        self._describe()
        self._check()

    def tick(self) -> None:
        self._rows().repaint()

    def _runs(self) -> Sequence[Run]:
        return self.value(topics.RUNS) or ()

    def summary(self) -> str:
        active = sum(1 for run in self._runs() if run.active)
        text = f"{active} of {len(self._runs())} runs active" if self._runs() else "no runs yet"
        return f"{text} · /{self._filter}" if self._filter else text

    @property
    def summary_matters(self) -> bool:
        return bool(self._filter)

    def _show(self) -> None:
        wanted = filtering.parse(self._filter)
        studies = [Entry("study", info.name, info) for info in self.console.services.studies()]
        runs = [Entry("run", run.id, run) for run in self._runs()]
        if wanted:
            studies = [entry for entry in studies if wanted.matches(self._told(entry))]
            runs = [entry for entry in runs if wanted.matches(self._told(entry))]
        entries = (
            [Entry("title", "studies", title="Case studies\tLast run\tData\tTakes"), *studies]
            if studies
            else []
        )
        if runs:
            entries += [Entry("title", "gap", title=" ")] if entries else []
            entries += [Entry("title", "runs", title=f"Runs\t{self._hint()}\tWhen\tResult"), *runs]
        self._rows().show_when_empty(
            f"Nothing matches {self._filter!r}. Press {key('studies.filter')} to change the filter."
        )
        self._rows().show(entries)

    def _told(self, entry: Entry) -> dict[str, str]:
        """What the filter looks at: what stands in the cells, but for ages, and what a run is of."""
        cells = [cell.text for cell in self._cells(entry)]
        if entry.kind == "study":
            info: StudyInfo = entry.resource
            return {**dict(zip(("name", "result", "data", "takes"), cells, strict=True)), "title": info.title}
        run: Run = entry.resource
        return {"name": run.id, "status": run.status, "study": run.study, "result": cells[-1]}

    def _hint(self) -> str:
        """What marks are for, once there is something to mark."""
        return (
            "◆ one more to compare" if len(self._marked) == 1 else "◆ d compares them" if self._marked else ""
        )

    def _of_study(self, name: str) -> list[Run]:
        return [run for run in self._runs() if run.study == name]

    def _cells(self, entry: Entry) -> tuple[Cell, ...]:
        if entry.kind == "study":
            info: StudyInfo = entry.resource
            shelf = self._shelves.get(info.name)
            return study_cells(
                info, self._of_study(info.name), shelf, self._withheld, target=self.console.services.target
            )
        run: Run = entry.resource
        return run_cells(run, self.console.services.now(), self._withheld, marked=run.id in self._marked)

    @on(Rows.Highlighted, "#list")
    def _describe(self) -> None:
        entry = self._rows().current
        if entry is None:
            return
        now = self.console.services.now()

        def write(width: int) -> Lines:
            if entry.kind == "study":
                info: StudyInfo = entry.resource
                shelf = self._shelves.get(info.name)
                runs = self._of_study(info.name)
                return study_facts(info, runs, shelf, self._withheld, now, width, brief=not self.wide)
            return run_facts(entry.resource, now, width, withheld=self._withheld.get(entry.name, ""))

        self.query_one("#preview" if self.wide else "#about", Page).show(write)
        self.draw_keys()

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#list"):
            self._describe()

    # Actions

    @on(Rows.Opened, "#list")
    async def _open(self) -> None:
        entry = self._rows().current
        if entry is None:
            return
        if entry.kind == "study":
            await self.console.open_study(entry.name)
        else:
            await self.console.open_run(entry.name)

    def offers(self, action: actions.Action) -> bool:
        of_runs = ("stop", "code", "mark", "compare")
        entry = self._rows().current if action.verb in of_runs else None
        if entry is None or entry.kind != "run":
            return action.verb not in of_runs
        return action.verb != "stop" or can_stop(entry.resource) or entry.resource.keep

    def _run(self) -> Run | None:
        entry = self._rows().current
        if entry is not None and entry.kind == "run":
            run: Run = entry.resource
            return run
        self.console.flash("Put the cursor on a run first.", "wait")
        return None

    def action_stop(self) -> None:
        run = self._run()
        if run is None or not self.console.allowed(actions.get("studies.stop")):
            return
        if can_stop(run) or not run.keep:
            confirm_stop(self, run.id, can_stop(run), run.status)
            return
        # A run that was to keep its endpoint has left something as long as nobody has deleted it.
        self.work(
            lambda: self.console.services.remains([run.id])[run.id],
            lambda left: confirm_stop(self, run.id, bool(left), run.status),
        )

    def action_code(self) -> None:
        run = self._run()
        if run is not None:
            show_code(self, run.id, run.interface)

    def action_mark(self) -> None:
        run = self._run()
        if run is None:
            self.console.flash("Put the cursor on a run: runs can be marked and compared.", "wait")
            return
        if run.id in self._marked:
            self._marked.remove(run.id)
        else:
            self._marked = [*self._marked[-1:], run.id]
        self._show()
        self._rows().repaint()

    async def action_compare(self) -> None:
        """The marked runs, older first; else the marked one and that under the cursor; else the run before and this one."""
        by_name = {run.id: run for run in self._runs()}
        chosen = [by_name[name] for name in self._marked if name in by_name]
        if len(chosen) < 2:
            run = self._run()
            if run is None:
                return
            chosen = [*(one for one in chosen if one.id != run.id), run]
        if len(chosen) < 2:
            (run,) = chosen
            before = (
                one for one in self._of_study(run.study) if one.created < run.created and not one.active
            )
            chosen = [*(one for one in (next(before, None),) if one is not None), run]
        if len(chosen) < 2:
            self.console.flash(
                "Mark another run of this study with Space, or start one: Enter on the study.", "wait"
            )
        elif chosen[0].study != chosen[1].study:
            self.console.flash("Runs of one study can be compared: these are of two.", "wait")
        else:
            a, b = sorted(chosen, key=lambda one: one.created)
            await self.console.open_comparison(a.id, b.id)

    def action_filter(self) -> None:
        self.query_one(Prompt).ask("filter", "/", self._filter, filtering.HINT)

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        self._filter = event.value.strip()
        self._show()
        self.draw_frame()

    def leave(self) -> bool:
        """Esc drops the filter first."""
        if self._filter:
            self._filter = ""
            self._show()
            self.draw_frame()
            return True
        return False


def can_stop(run: Run) -> bool:
    """Whether a run works still, or has ended and left something to delete."""
    return run.active or run.status == "interrupted" or bool(run.left_behind)


def confirm_stop(screen: ConsoleScreen, run: str, can_stop: bool, word: str) -> None:
    """Ask whether a run is to be stopped, and stop the run that the dialog named."""
    console = screen.console
    if not can_stop:
        console.flash(f"{run} is {word}: there is nothing to stop.", "wait")
        return

    ended = word in ENDED
    verb = "Delete it" if ended else "Stop it"
    doing, done = (
        (f"Deleting what {run} has left …", f"✓ What {run} has left is being deleted.")
        if ended
        else (f"Stopping {run}: it cleans up first …", f"✓ {run} is asked to stop.")
    )

    def chosen(choice: str | None) -> None:
        if choice == verb:
            console.flash(doing, "wait")
            console.in_background(lambda: console.services.stop_run(run), lambda _: console.flash(done))

    console.push_screen(
        ConfirmScreen(
            f"Delete what run {run} has left?" if ended else f"Stop run {run}?",
            [
                "Its endpoint, configuration, model and objects in S3 are deleted; its results and its report stay."
                if ended
                else "It deletes the endpoint, model and job it made, and ends."
            ],
            verb,
            typed=run if console.services.target == "aws" else "",
            does=methodcaller("stop_run", run),
        ),
        chosen,
    )


class ScriptScreen(TextScreen):
    """A run as a plain script: y copies it, i shows it in the other interface."""

    BINDINGS: ClassVar = list(actions.bindings("script"))

    def __init__(self, screen: ConsoleScreen, run: str, interface: str, script: Exhibit) -> None:
        super().__init__(script.title, script.text)
        self._script = script
        self._below, self._run, self._interface = screen, run, interface

    def hint(self) -> str:
        other = "SageMaker SDK" if self._interface == "low" else "boto3"
        return f"{key('code.copy')} copies it · {key('script.other')} shows it through {other} · arrows scroll · {key('code.close')} closes"

    def lines(self, width: int) -> Lines:
        return self._script.lines()

    def action_other(self) -> None:
        self.dismiss()
        show_code(self._below, self._run, "high" if self._interface == "low" else "low")


def show_code(screen: ConsoleScreen, run: str, interface: str) -> None:
    """Show a run as a plain script in an interface."""
    console = screen.console
    console.flash("Writing the script …", "dim")

    def write() -> Exhibit:
        what = "boto3" if interface == "low" else "SageMaker SDK"
        script = Exhibit(f"{run} as a plain script ({what})", "python", console.services.code(run, interface))
        script.lines()  # the colours take tens of milliseconds: they are kept for when it is drawn
        return script

    def written(script: Exhibit) -> None:
        console.push_screen(ScriptScreen(screen, run, interface, script))

    console.in_background_to_open(write, written)
