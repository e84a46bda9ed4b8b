"""A lesson before it is taken and between its runs: what it teaches, says and costs; what can be started, tried and looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console import actions
from console.formatting import ago
from console.keymap import key
from console.screens import facts
from console.screens.course import CourseScreen
from console.screens.home import Entry
from console.screens.lessons_facts import THROUGH, about, changes, tries, whole
from console.screens.studies_facts import run_cells
from console.trail import Place
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows.lessons.progress import INTERFACES
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, Try


class LessonScreen(CourseScreen):
    """Its text, and a list of choices: Enter starts the lesson, starts it with a change, or attaches to a run."""

    BINDINGS: ClassVar = list(actions.bindings("lesson"))
    place = "lesson"
    parts = (("overview", "Lesson"), ("choices", "Start, try, runs"))
    panes: ClassVar = {"overview": "overview", "choices": "choices"}

    def __init__(self, info: StudyInfo) -> None:
        super().__init__()
        self.info = info

    @property
    def location(self) -> Place | None:
        return Place("lesson", self.info.name)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="lesson"):
            yield Page(id="overview")
            with Vertical(id="choices"):
                yield Rows[Entry](
                    [
                        Column("", 13),
                        Column("", 27, grow=3, middle=True),
                        Column("", 11, grow=1, drop=1),
                        Column("", 17, grow=2),
                    ],
                    key=lambda entry: (entry.kind, entry.name),
                    cells=self._cells,
                    title=lambda entry: entry.title,
                    heading=False,
                    id="list",
                )
                yield Page(id="choice")

    def shown_panes(self) -> set[str]:
        return {*self.panes} if self.wide else super().shown_panes()

    def opened(self) -> None:
        self.query_one("#choice").can_focus = False
        self.look()
        self.show_course()
        self.part_shown(self.part)

    def part_shown(self, name: str) -> None:
        if self.has("#list"):
            self.query_one("#list" if name == "choices" else "#overview").focus()

    def trail(self) -> str:
        return self.info.name

    def summary(self) -> str:
        if self.course is None:
            return ""
        known = self.course.of(self.info)
        done = " ".join(f"{name} {'✓' if name in known.done else '–'}" for name in INTERFACES)
        return f"{done} · tried {len(known.tried)} of {len(tries(self.info))}"

    def tick(self) -> None:
        self._rows().repaint()

    def _rows(self) -> Rows[Entry]:
        return self.query_one("#list", Rows)

    def show_course(self) -> None:
        info, course, runs = self.info, self.course, self.runs_of(self.info)
        now = self.console.services.now()
        self.query_one("#overview", Page).show(lambda width: whole(info, course, runs, now, width))
        entries = [Entry("title", "start", title="Start it")]
        entries += [Entry("start", name, name) for name in INTERFACES]
        entries += [
            Entry("gap", "try", title=" "),
            Entry("title", "tries", title="Try it\tchange a value\t\tChange"),
        ]
        entries += [Entry("try", one.title, one) for one in tries(info)]
        if runs:
            entries += [Entry("gap", "run", title=" "), Entry("title", "runs", title="Runs\t\tWhen\tResult")]
            entries += [Entry("run", run.id, run) for run in runs]
        self._rows().show(entries)
        self._rows().repaint()
        self._explain()

    def _cells(self, entry: Entry) -> tuple[Cell, ...]:
        now = self.console.services.now()
        known = self.course.of(self.info) if self.course is not None else None
        if entry.kind == "start":
            since = known.done.get(entry.name) if known is not None else None
            mark = Cell(f"✓ {entry.name}", "ok") if since is not None else Cell(f"· {entry.name}", "dim")
            when = Cell(ago(since, now) if since is not None else "not yet", "dim")
            return mark, Cell(f"through {THROUGH[entry.name]}", "strong"), when, Cell()
        if entry.kind == "try":
            one: Try = entry.resource
            tried = known is not None and one.title in known.tried
            mark = Cell("✓ tried", "ok") if tried else Cell("· not yet", "dim")
            return mark, Cell(one.title, "strong"), Cell(), Cell(changes(one), "accent")
        run: Run = entry.resource
        return run_cells(run, now, self.course.withheld if self.course is not None else {}, marked=False)

    @on(Rows.Highlighted, "#list")
    def _explain(self) -> None:
        """What the choice under the cursor does."""
        entry = self._rows().current
        text = ""
        if entry is not None and entry.kind == "start":
            text = about(entry.name)
        elif entry is not None and entry.kind == "try":
            one: Try = entry.resource
            text = f"{one.look} {key('list.open')} opens the form with {changes(one)}."
        elif entry is not None:
            run: Run = entry.resource
            text = (
                run.message
                or f"{key('list.open')} attaches to it: what it said at each step, its results, calls and code."
            )

        def write(width: int) -> Lines:
            return facts.sentences([text], width, "dim")

        self.query_one("#choice", Page).show(write)
        self.draw_keys()

    def offers(self, action: actions.Action) -> bool:
        match action.verb:
            case "last":
                return bool(self.runs_of(self.info))
            case "vary":
                return self.course is None or self.course.of(self.info).next_try(self.info) is not None
        return True

    # Actions

    @on(Rows.Opened, "#list")
    async def _open(self) -> None:
        entry = self._rows().current
        if entry is None:
            return
        if entry.kind == "start":
            await self.start(self.info, interface=entry.name)
        elif entry.kind == "try":
            await self.start(self.info, tried=entry.resource)
        else:
            await self.console.open_run(entry.name)

    async def action_start(self) -> None:
        await self.start(self.info)

    async def action_vary(self) -> None:
        await self.vary(self.info)

    async def action_last(self) -> None:
        await self.open_last(self.info)
