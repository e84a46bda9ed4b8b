"""The menu of case studies, and all runs to attach to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions, filtering
from console.formatting import duration, status
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.help import TextScreen
from console.screens.home import Entry, run_facts, run_outcome
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo
from workflows.topics import Snapshot, Topic


class StudiesScreen(ConsoleScreen):
    """Enter on a study opens its form, on a run attaches to it."""

    BINDINGS: ClassVar = list(actions.bindings("studies"))
    place = "studies"
    section = "studies"

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="split"):
            yield Rows[Entry](
                [
                    Column("", 13, watch=True),
                    Column("", 28, grow=3),
                    Column("", 8, drop=1),
                    Column("", 26, grow=2),
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

    def _rows(self) -> Rows[Entry]:
        return self.query_one("#list", Rows)

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.RUNS]

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        self._show()
        self._describe()

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
        matches = filtering.parse(self._filter).matches
        studies = [
            Entry("study", info.name, info)
            for info in self.console.services.studies()
            if matches({"name": info.name, "title": info.title})
        ]
        runs = [
            Entry("run", run.id, run)
            for run in self._runs()
            if matches({"name": run.id, "status": run.status, "study": run.study})
        ]
        entries = [Entry("title", "studies", title=" Case studies"), *studies] if studies else []
        if runs:
            entries += [Entry("title", "gap", title=" ")] if entries else []
            entries += [Entry("title", "runs", title=" Runs"), *runs]
        self._rows().show_when_empty(
            f"Nothing matches {self._filter!r}. Press {self.console.key('studies.filter')} to change the filter."
        )
        self._rows().show(entries)

    def _cells(self, entry: Entry) -> tuple[Cell, ...]:
        if entry.kind == "study":
            info: StudyInfo = entry.resource
            minutes = info.minutes[1 if self.console.services.target == "aws" else 0]
            return (
                Cell(info.name, "strong"),
                Cell(info.title),
                Cell(f"{len(info.steps)} steps", "dim"),
                Cell(f"about {duration(minutes * 60)}", "dim"),
            )
        run: Run = entry.resource
        now = self.console.services.now()
        shown = status("running" if run.status in ("starting", "stopping") else run.status)
        return (
            Cell(f"{shown.glyph} {run.status}", shown.role),
            Cell(run.id),
            Cell(run.interface, "dim"),
            Cell(run_outcome(run, now), "dim"),
        )

    @on(Rows.Highlighted, "#list")
    def _describe(self) -> None:
        entry = self._rows().current
        if entry is None:
            return
        now = self.console.services.now()

        def write(width: int) -> Lines:
            if entry.kind == "study":
                return study_facts(entry.resource, width)
            return run_facts(entry.resource, now, width)

        self.query_one("#preview" if self.wide else "#about", Page).show(write)
        self.draw_keys()

    def on_resize(self) -> None:
        super().on_resize()
        if self.query("#list"):
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
        entry = self._rows().current if action.verb in ("stop", "code") else None
        if entry is None or entry.kind != "run":
            return action.verb not in ("stop", "code")
        return action.verb != "stop" or can_stop(entry.resource)

    def _run(self) -> Run | None:
        entry = self._rows().current
        if entry is not None and entry.kind == "run":
            run: Run = entry.resource
            return run
        self.console.flash("Put the cursor on a run first.", "wait")
        return None

    def action_stop(self) -> None:
        run = self._run()
        if run is not None and self.console.allowed(actions.get("studies.stop")):
            confirm_stop(self, run.id, can_stop(run), run.status)

    def action_code(self) -> None:
        run = self._run()
        if run is not None:
            show_code(self, run.id, run.interface)

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


def study_facts(info: StudyInfo, width: int) -> Lines:
    """What a study does, teaches and takes."""
    lines: Lines = [
        [(info.title, "strong")],
        *facts.sentences([info.summary], width),
        [],
        facts.head("What you learn"),
    ]
    for text in info.teaches:
        for index, line in enumerate(facts.sentences([text], width - 2)):
            lines.append([("· " if index == 0 else "  ", "dim"), *line])
    steps = " → ".join(title for _, title in info.steps)
    lines += [[], facts.head("Steps"), *facts.sentences([steps], width, "dim")]
    here, aws = (duration(minutes * 60) for minutes in info.minutes)
    return [*lines, [], [(f"about {here} here, {aws} on AWS · Enter opens its form", "dim")]]


def confirm_stop(screen: ConsoleScreen, run: str, can_stop: bool, word: str) -> None:
    """Ask whether a run is to be stopped, and stop the run that the dialog named."""
    console = screen.console
    if not can_stop:
        console.flash(f"{run} is {word}: there is nothing to stop.", "wait")
        return

    def chosen(choice: str | None) -> None:
        if choice == "Stop it":
            console.flash(f"Stopping {run}: it cleans up first …", "wait")
            console.in_background(
                lambda: console.services.stop_run(run), lambda _: console.flash(f"✓ {run} is asked to stop.")
            )

    console.push_screen(
        ConfirmScreen(
            f"Stop run {run}?",
            ["It deletes the endpoint, model and job it made, and ends."],
            "Stop it",
            typed=run if console.services.target == "aws" else "",
        ),
        chosen,
    )


def show_code(screen: ConsoleScreen, run: str, interface: str) -> None:
    """Show a run as a plain script."""
    console = screen.console
    console.flash("Writing the script …", "dim")
    what = "boto3" if interface == "low" else "SageMaker SDK"

    def written(text: str) -> None:
        console.push_screen(TextScreen(f"{run} as a plain script ({what})", text))

    console.in_background(lambda: console.services.code(run), written)
