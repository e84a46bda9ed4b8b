"""What the list of lessons and the page of a lesson share: all runs, and the progress that threads work out from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.lessons_facts import Coursework
from workflows import topics
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, Try
from workflows.topics import Snapshot, Topic


class CourseScreen(ConsoleScreen):
    """Looks at the progress anew whenever a run has come, gone or ended."""

    section = "lessons"

    def __init__(self) -> None:
        super().__init__()
        self.course: Coursework | None = None
        self._seen: tuple[tuple[str, str], ...] | None = None
        """The runs with their statuses when progress was last looked at."""

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.RUNS]

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        self.look()
        self.show_course()

    def runs_of(self, info: StudyInfo) -> Sequence[Run]:
        """The runs of a lesson, newest first."""
        return [run for run in self.value(topics.RUNS) or () if run.study == info.name]

    def look(self) -> None:
        """Work out progress, bills and which results are withheld, in a thread."""
        services = self.console.services
        lessons = services.lessons()
        names = {info.name for info in lessons}
        runs = [run for run in self.value(topics.RUNS) or () if run.study in names]
        seen = tuple((run.id, run.status) for run in runs)
        if seen == self._seen:
            return
        self._seen = seen
        scored = [run for run in runs if run.metrics and not run.active]

        def work() -> Coursework:
            from workflows.lessons.catalog import bill

            return Coursework(
                progress=dict(services.progress()),
                bills={info.name: bill(info) for info in lessons},
                withheld=dict(services.withheld(scored)),
            )

        def known(course: Coursework) -> None:
            self.course = course
            if self.is_attached:
                self.show_course()
                self.draw_frame()

        self.work(work, known)

    def show_course(self) -> None:
        """Show the runs and what is known of the progress."""

    # Actions

    async def start(self, info: StudyInfo, *, interface: str = "", tried: Try | None = None) -> None:
        """Open the form of a lesson, on the interface that was not taken yet."""
        preferred = self.console.services.interface
        known = self.course.of(info) if self.course is not None else None
        chosen = interface or (
            known.next_interface(preferred) if known is not None and tried is None else preferred
        )
        await self.console.open_study(info.name, tried=tried, interface=chosen)

    async def vary(self, info: StudyInfo) -> None:
        """Open the form with the next change that was not tried."""
        if self.course is None:
            self.console.flash("Your progress is being looked at: a moment.", "wait")
            return
        tried = self.course.of(info).next_try(info)
        if tried is None:
            enter, other = key("list.open"), key("lesson.next_part")
            self.console.flash(
                f"You have tried all of it. Any of them again: {enter} on the lesson, {other}, {enter} on the change.",
                "ok",
            )
            return
        await self.start(info, tried=tried)

    async def open_last(self, info: StudyInfo) -> None:
        """Attach to the newest run."""
        runs = self.runs_of(info)
        if runs:
            await self.console.open_run(runs[0].id)
        else:
            self.console.flash(
                f"There is no run of this lesson: {key(f'{self.place}.start')} starts one.",
                "wait",
            )
