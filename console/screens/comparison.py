"""Two runs of a study beside each other: what differs, what it did to the scores, and their tables and figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget

from console import actions
from console.screens import comparison_facts
from console.screens.base import ConsoleScreen
from console.screens.run_state import RunState
from console.services import Services
from console.widgets.canvas import Lines
from console.widgets.page import Page
from workflows.comparison import Comparison
from workflows.problem import Problem


@dataclass(frozen=True)
class Compared:
    """What is known of the two."""

    comparison: Comparison
    a: RunState
    b: RunState


class ComparisonScreen(ConsoleScreen):
    """Run A on the left or above, run B on the right or below."""

    BINDINGS: ClassVar = list(actions.bindings("comparison"))
    place = "comparison"
    section = "studies"
    parts = (("differs", "What differs"), ("sides", "Results side by side"))
    panes: ClassVar = {"differs": "differs", "sides": "sides"}

    def __init__(self, a: str, b: str) -> None:
        super().__init__()
        self.a, self.b = a, b
        self._found: Compared | None = None
        self._problem: Problem | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="comparison"):
            yield Page(id="differs")
            yield Page(id="sides", sideways=True)

    def opened(self) -> None:
        self._read()

    def trail(self) -> str:
        return "compare"

    def summary(self) -> str:
        return self._found.comparison.study if self._found is not None else ""

    def problem(self) -> Problem | None:
        return self._problem

    def look(self) -> None:
        """What could not be compared is compared once more."""
        if self._problem is not None:
            self._read()

    def _read(self) -> None:
        a, b, services = self.a, self.b, self.console.services
        self._found = self._problem = None
        self._draw()

        def compare() -> Compared:
            return Compared(services.compare(a, b), state_of(services, a), state_of(services, b))

        self.work(compare, self._known, self._failed)

    def _known(self, found: Compared) -> None:
        if (found.comparison.a.run, found.comparison.b.run) == (self.a, self.b):
            self._found = found
            self._draw()

    def _failed(self, problem: Problem) -> None:
        self._problem = problem
        self._draw()

    def _draw(self) -> None:
        if not self.is_attached or not self.has("#sides"):
            return
        found, problem = self._found, self._problem
        ground = self.console.ground
        waiting = "Comparing …" if problem is None else f"{problem.sentence} {problem.remedy}"

        def differs(width: int) -> Lines:
            if found is None:
                return [[(waiting, "dim")]]
            return comparison_facts.overview(found.comparison, width)

        def sides(width: int) -> Lines:
            if found is None:
                return [[(waiting, "dim")]]
            return comparison_facts.sides(found.a, found.b, width, ground=ground)

        self.query_one("#differs", Page).show(differs)
        self.query_one("#sides", Page).show(sides)
        self.draw_frame()

    def part_shown(self, name: str) -> None:
        if self.query(f"#{name}"):
            self.query_one(f"#{name}").focus()

    # Actions

    def action_swap(self) -> None:
        self.a, self.b = self.b, self.a
        self._read()

    async def action_first(self) -> None:
        await self.console.open_run(self.a)

    async def action_second(self) -> None:
        await self.console.open_run(self.b)

    def action_copy(self) -> None:
        if self._found is not None:
            lines = comparison_facts.overview(self._found.comparison, 100)
            text = "\n".join("".join(part for part, _ in line).rstrip() for line in lines)
            self.console.copy(text, "the comparison")


def state_of(services: Services, run: str) -> RunState:
    """A run as it is now, with what must not be shown of it marked. Blocks."""
    state = RunState(run=run)
    state.take(services.events_of(run))
    state.lineage = services.lineage(run)
    return state
