"""The command line on ``:``: every action of the registry, and everything that has a name, found while typing."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.fuzzy import Matcher
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label

from console import actions, theme
from console.formatting import ago, status
from console.screens.base import ConsoleScreen
from console.screens.listing import ListScreen
from console.widgets.prompt import Field
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.lessons.catalog import number as lesson_number
from workflows.studies.catalog import StudyInfo
from workflows.topics import Topic

if TYPE_CHECKING:
    from console.app import Console

MOST = 100


@dataclass(frozen=True)
class Suggestion:
    """One line of the palette: what Enter does."""

    key: str
    command: str
    help: str
    run: Callable[[], Awaitable[None] | None]
    note: str = ""


class PaletteScreen(ModalScreen[Suggestion | None], inherit_bindings=False):
    """``jobs``, ``jobs failed``, ``endpoints``, ``studies moons``, ``theme light``, or any part of a name."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("prompt"))

    def compose(self) -> Iterable[Widget]:
        with Vertical(id="palette"):
            with Horizontal():
                yield Label(":")
                yield Field(placeholder="jobs · tuning · endpoints · studies moons · theme light · any name")
            yield Rows[Suggestion](
                [Column("", 22, grow=2, middle=True), Column("", 30, grow=3), Column("", 12, drop=1)],
                key=lambda item: item.key,
                cells=lambda item: (Cell(item.command, "key"), Cell(item.help), Cell(item.note, "dim")),
                heading=False,
            )

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.can_focus = False
        rows.show_when_empty("Nothing is called that.", "Esc leaves; ? in a screen lists its keys.")
        self.query_one(Input).focus()
        self._suggest("")

    @property
    def console(self) -> Console:
        return self.app  # type: ignore[return-value]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._suggest(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._suggest(event.value)
        chosen = self.query_one(Rows).current
        if chosen is not None:
            self._take(chosen)

    @on(Rows.Opened)
    def _clicked(self, event: Rows.Opened) -> None:
        chosen = self.query_one(Rows).current
        if chosen is not None:
            self._take(chosen)

    def _take(self, suggestion: Suggestion) -> None:
        """Leave, and let the application do it: a screen that waited for its own removal would wait for ever."""
        self.app.pop_screen()
        self.app.call_later(suggestion.run)

    def action_up(self) -> None:
        self.query_one(Rows).action_up()

    def action_down(self) -> None:
        self.query_one(Rows).action_down()

    def action_cancel(self) -> None:
        self.app.pop_screen()

    def _suggest(self, text: str) -> None:
        rows: Rows[Suggestion] = self.query_one(Rows)
        found = self.suggestions(text.strip().lstrip(":"))
        rows.show(found)
        if found:
            rows.put_cursor(found[0].key)

    def suggestions(self, text: str) -> list[Suggestion]:
        """What a text may mean, best first: a command with its argument, then commands and names that resemble it."""
        command, _, argument = text.partition(" ")
        argument = argument.strip()
        everything = [*self._commands(), *self._names()]
        if not text:
            return everything[:MOST]
        found: list[Suggestion] = []
        if argument:
            found += self._with_argument(command, argument)
        matcher = Matcher(text)
        scored = []
        for place, item in enumerate(everything):
            score = (
                math.inf
                if item.command == text
                else 2.0
                if item.command.startswith(text)
                else matcher.match(item.command)
            )
            if score > 0 or (not argument and text.lower() in item.help.lower()):
                scored.append((-score, place, item))
        found += [item for _, _, item in sorted(scored, key=lambda entry: entry[:2])]
        return list({item.key: item for item in found}.values())[:MOST]

    def _commands(self) -> list[Suggestion]:
        found = [
            Suggestion(
                action.id,
                action.command,
                action.help,
                self._doing(action),
                action.first_key if action.keys else "",
            )
            for action in actions.commands()
        ]
        screen = self.console.base_screen
        if screen is not None:
            found += [
                Suggestion(
                    action.id,
                    action.label.lower(),
                    action.help,
                    self._doing(action, screen),
                    action.first_key,
                )
                for action in actions.of(screen.place)
                if action.keys and not (action.changes and self.console.services.read_only)
            ]
        return found

    def _doing(
        self, action: actions.Action, where: ConsoleScreen | None = None
    ) -> Callable[[], Awaitable[None] | None]:
        target = where or self.console
        method: Callable[[], Awaitable[None] | None] = getattr(target, f"action_{action.verb}")
        return method

    def _names(self) -> list[Suggestion]:
        """Everything with a name that some screen has seen."""
        console, now = self.console, self.console.services.now()
        found = [
            Suggestion(
                f"study {info.name}",
                info.name,
                info.title,
                partial(console.open_study, info.name),
                "study",
            )
            for info in console.services.studies()
        ]
        found += [_lesson(console, info) for info in console.services.lessons()]
        for run in console.known(topics.RUNS) or ():
            found.append(
                Suggestion(
                    f"run {run.id}",
                    run.id,
                    f"{status(run.status)} · {ago(run.created, now)}",
                    partial(console.open_run, run.id),
                    "run",
                )
            )
        named: tuple[tuple[Topic[Any], str, str, Callable[[str], Awaitable[None]]], ...] = (
            (topics.JOBS, "job", "training job", console.open_job),
            (topics.TUNING_JOBS, "tuning", "tuning job", console.open_tuning),
            (topics.TRANSFORMS, "transform", "transform job", console.open_transform),
            (topics.ENDPOINTS, "endpoint", "endpoint", console.open_endpoint),
            (topics.EXPERIMENTS, "experiment", "A/B test", console.open_experiment),
        )
        for topic, kind, note, open_it in named:
            for row in console.known(topic) or ():
                found.append(
                    Suggestion(
                        f"{kind} {row.name}",
                        row.name,
                        f"{status(row.status)} · {ago(row.created, now)}",
                        partial(open_it, row.name),
                        note,
                    )
                )
        return found

    def _with_argument(self, command: str, argument: str) -> list[Suggestion]:
        console = self.console
        if command and "studies".startswith(command):
            return [
                Suggestion(
                    f"form {info.name}",
                    f"studies {info.name}",
                    f"Start {info.title}",
                    partial(console.open_study, info.name),
                )
                for info in console.services.studies()
                if argument.lower() in info.name
            ]
        if command and "lessons".startswith(command):
            return [
                _lesson(console, info)
                for info in console.services.lessons()
                if argument in (info.name, str(lesson_number(info))) or argument.lower() in info.title.lower()
            ]
        if command and "theme".startswith(command):
            return [
                Suggestion(
                    f"theme {name}",
                    f"theme {name.removeprefix('mlconsole-')}",
                    "Use these colours",
                    partial(console.use_theme, name),
                )
                for name in theme.NAMES
                if argument.lower() in name
            ]
        for section in ("jobs", "endpoints", "tuning"):
            if command and section.startswith(command):
                break
        else:
            return []

        async def filtered() -> None:
            await console.go(section)
            screen = console.screen
            if isinstance(screen, ListScreen):
                screen.set_filter(argument)

        return [
            Suggestion(
                f"{section} {argument}",
                f"{section} {argument}",
                f"List the {section} jobs that match {argument}"
                if section == "tuning"
                else f"List the {section} that match {argument}",
                filtered,
            )
        ]


def _lesson(console: Console, info: StudyInfo) -> Suggestion:
    """The page of a lesson."""
    return Suggestion(
        f"lesson {info.name}",
        f"lessons {lesson_number(info)} {info.name}",
        info.title,
        partial(console.open_lesson, info.name),
        "lesson",
    )
