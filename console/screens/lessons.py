"""The course: five lessons, how far one is, what each takes. Enter opens a lesson's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions
from console.screens.base import LOW
from console.screens.course import CourseScreen
from console.screens.lessons_facts import lesson_cells, preview, steps
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows.studies.catalog import StudyInfo


class LessonsScreen(CourseScreen):
    """A row per lesson; below the list what the one under the cursor teaches, with its steps beside that where there is room."""

    BINDINGS: ClassVar = list(actions.bindings("lessons"))
    place = "lessons"

    def body(self) -> Iterable[Widget]:
        yield Rows[StudyInfo](
            [
                Column("Lesson", 28, grow=1),
                Column("Done", 12),
                Column("Tried", 6),
                Column("Here", 7, drop=2),
                Column("On AWS", 6, right=True, drop=1),
                Column("Last run", 14, drop=3),
            ],
            key=lambda info: info.name,
            cells=self._cells,
            id="list",
        )
        with Horizontal(id="below"):
            yield Page(id="about")
            yield Page(id="steps")

    def opened(self) -> None:
        for page in self.query(Page):
            page.can_focus = False
        self._rows().show(list(self.console.services.lessons()))
        self._rows().focus()
        self.look()
        self.show_course()

    def _rows(self) -> Rows[StudyInfo]:
        return self.query_one("#list", Rows)

    def summary(self) -> str:
        if self.course is None:
            return ""
        lessons = self.console.services.lessons()
        done = sum(1 for info in lessons if self.course.of(info).done)
        return f"{done} of {len(lessons)} taken" if self.wide else f"{done}/{len(lessons)}"

    def tick(self) -> None:
        self._rows().repaint()

    def _cells(self, info: StudyInfo) -> tuple[Cell, ...]:
        return lesson_cells(info, self.course, self.runs_of(info), self.console.services.now())

    def show_course(self) -> None:
        self._rows().repaint()
        self._describe()

    @on(Rows.Highlighted, "#list")
    def _describe(self) -> None:
        info = self._rows().current
        if info is None:
            return
        now, course, runs = self.console.services.now(), self.course, self.runs_of(info)
        brief = self.app.size.height < LOW

        def write(width: int) -> Lines:
            return preview(info, course, runs, now, width, brief=brief)

        self.query_one("#about", Page).show(write)
        self.query_one("#steps", Page).show(lambda width: steps(info))
        self.draw_keys()

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#list"):
            self._describe()

    def offers(self, action: actions.Action) -> bool:
        info = self._rows().current
        return action.verb != "last" or (info is not None and bool(self.runs_of(info)))

    # Actions

    @on(Rows.Opened, "#list")
    async def _open(self) -> None:
        info = self._rows().current
        if info is not None:
            await self.console.open_lesson(info.name)

    async def action_start(self) -> None:
        if (info := self._rows().current) is not None:
            await self.start(info)

    async def action_vary(self) -> None:
        if (info := self._rows().current) is not None:
            await self.vary(info)

    async def action_last(self) -> None:
        if (info := self._rows().current) is not None:
            await self.open_last(info)
