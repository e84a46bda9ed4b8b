"""What the forms share that start something and then show it: marks on wrong fields, the way to what was started, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from console.screens.base import ConsoleScreen
from console.widgets.select import Choice
from workflows.problem import Problem


class StartingForm(ConsoleScreen):
    """A form whose fields, ``<letter>-<name>``, have a mark ``w-<name>`` (class ``about``) beside them."""

    hints: ClassVar[Mapping[str, str]] = {}
    """What each field means, by its name."""
    going = "runs"
    """What a thing does that was started, in the sentence that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.starting = False
        self.fields: dict[str, Choice | Input] = {}
        self._to_check = False

    def row(self, name: str, field: Choice | Input, label: str = "") -> Iterable[Widget]:
        """A field with its label before it and its mark behind; ``fields`` has it by its name."""
        self.fields[name] = field
        with Horizontal(classes="parameter"):
            yield Label(label or name.replace("_", " "), classes="name", markup=False)
            yield field
            yield Static("", classes="about", id=f"w-{name}", markup=False)

    def text(self, name: str) -> str:
        """What stands in a field, without blanks around it; empty where the form lacks it."""
        return self.fields[name].value.strip() if name in self.fields else ""

    def explanation(self, kind: str, name: str) -> str:
        """What the field ``<kind>-<name>`` means; the hint below the fields shows that of the one in focus."""
        return self.hints.get(name, "")

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        if self.has("#hint"):
            kind, _, name = (
                str(self.focused.id or "").partition("-") if self.focused is not None else ("", "", "")
            )
            self.query_one("#hint", Static).update(self.explanation(kind, name))

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self) -> None:
        """Every field tells that it has changed when a form opens: one check answers all of them."""
        if not self._to_check:
            self._to_check = True
            self.call_later(self._check_once)

    def _check_once(self) -> None:
        self._to_check = False
        if self.has("#verdict"):
            self.draw_check()

    def draw_check(self) -> None:
        """Tell whether what stands in the form can be started, and what it would do."""
        raise NotImplementedError

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
        self.starting = False
        if self.is_current:  # who has gone on is told, and not taken away from there
            await self.app.pop_screen()
            await self.show_started(name)

    def price(self, task: Callable[[], Any], priced: Callable[[Any], None]) -> None:
        """Look up what starting it costs, and handle that: keys wait for the question that may come of it."""
        self.starting = True
        self.console.in_background_to_open(task, priced, self._not_started, self._left)

    def _left(self) -> None:
        """What would be started was left: it may be wanted again."""
        self.starting = False

    def _not_started(self, problem: Problem) -> None:
        self.starting = False
        self.console.tell(problem)

    def action_close(self) -> None:
        self.app.pop_screen()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()
