"""What the forms share that start something and then show it: marks on wrong fields, the way to what was started, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual import on
from textual.widgets import Input, Static

from console.screens.base import ConsoleScreen
from workflows.problem import Problem


class StartingForm(ConsoleScreen):
    """A form whose fields have a mark ``w-<name>`` (class ``about``) beside them."""

    going = "runs"
    """What a thing does that was started, in the sentence that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.starting = False

    async def show_started(self, name: str) -> None:
        """Open what was started."""
        raise NotImplementedError

    def mark(self, wrong: Collection[str]) -> None:
        """Mark the fields of these names as wrong, and no others."""
        for about in self.query(".about"):
            bad = str(about.id or "").removeprefix("w-") in wrong
            if about.has_class("-wrong") != bad:
                about.set_class(bad, "-wrong")
                if isinstance(about, Static):
                    about.update("✗" if bad else "")

    def start(self, name: str, task: Callable[[], str]) -> None:
        """Do what starts it in the background (it returns the name of what runs then), and show that."""
        self.starting = True
        self.console.flash(f"Starting {name} …", "dim")
        self.work(task, self._started, self._not_started)

    def _started(self, name: str) -> None:
        self.console.flash(f"✓ {name} {self.going}; it goes on when you leave.")
        self.console.services.refresh()
        self.console.run_worker(self._open(name), exit_on_error=True)

    async def _open(self, name: str) -> None:
        if self.is_current:
            await self.app.pop_screen()
        await self.show_started(name)

    def _not_started(self, problem: Problem) -> None:
        self.starting = False
        self.console.tell(problem)

    def action_close(self) -> None:
        self.app.pop_screen()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()
