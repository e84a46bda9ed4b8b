"""Dialogs: a confirmation that names what it concerns, a question of a run, a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import ScrollableContainer, Vertical
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.keymap import key
from console.services import Services
from console.widgets.drawing import Lines, Run
from console.widgets.folding import fold
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Field

if TYPE_CHECKING:
    from console.app import Console

Task = Callable[[Services], Any]
"""What is done with the services that it is given."""

WIDTH, AROUND = 72, 6
"""Cells of a dialog where there is room, and those of its border and padding."""
FRAME, PADDING = 4, 2
"""Lines of a dialog besides its texts: border, the choices and the gap above them; and those of its padding, where there is room for it."""
LEAST = 3
"""Lines of its list, and of its sentences, at least."""


def space(terminal: Size, width: int = WIDTH) -> Size:
    """The cells of a line in a dialog, and the lines with its border and padding, that `.dialog` in app.tcss allows it."""
    return Size(min(width, terminal.width * 96 // 100) - AROUND, terminal.height * 9 // 10)


class ChoiceScreen(ModalScreen[str | None], inherit_bindings=False):
    """Asks for one of some choices. Returns the choice, or None when it was left.

    With ``typed`` the dangerous choices need that text typed first. ``listed`` are names that it concerns, in a list that scrolls.
    ``does`` is what is done with the services that it is given when it is wanted, or that for each choice: it can be rehearsed before.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("dialog"))
    place = "dialog"

    def __init__(
        self,
        title: str,
        sentences: Sequence[str],
        choices: Sequence[str],
        *,
        default: str = "",
        danger: bool = False,
        typed: str = "",
        needs_typing: Sequence[str] = (),
        listed: Sequence[str] = (),
        does: Task | Mapping[str, Task] | None = None,
    ) -> None:
        super().__init__()
        self.listed, self._does = listed, does
        self._title, self._sentences, self._choices = title, [s for s in sentences if s], list(choices)
        self._chosen = self._choices.index(default) if default in self._choices else 0
        self._danger, self._typed, self._needs_typing = danger, typed, set(needs_typing)
        self._deaf = False
        self._scrolls = False
        """Whether there is more of the list or of the sentences than is shown."""

    def compose(self) -> Iterable[Widget]:
        with Vertical(classes="dialog -danger" if self._danger else "dialog"):
            yield Static(self._title, classes="title", markup=False)
            if self.listed:
                page = Page(classes="listed")
                page.can_focus = False
                yield page
            with ScrollableContainer(classes="said", can_focus=False):
                yield Static("\n".join(self._sentences), classes="sentences", markup=False)
            if self._typed:
                yield Static(f"Type {self._typed} to allow it.", classes="hint", markup=False)
                yield Field(placeholder=self._typed)
            yield Line(id="choices")

    def on_mount(self) -> None:
        if self.listed:
            self.query_one(Page).show(lambda width: self._lines)
        self._fit()
        self._draw()

    def on_resize(self) -> None:
        self._fit()
        self._draw()

    @property
    def _lines(self) -> Lines:
        return [[("· ", "dim"), (name, "strong")] for name in self.listed]

    @property
    def _room(self) -> int:
        """The cells of a line."""
        return space(self.app.size).width

    @property
    def _rows(self) -> int:
        """The lines that the list takes: those of long names go on below themselves."""
        return sum(len(fold(line, self._room)) for line in self._lines)

    def _fit(self) -> None:
        """Give the list and the sentences the lines that the rest leaves: what allows it, and the choices, are always in sight."""
        said = self._tall(".sentences")
        most = space(self.app.size).height - FRAME
        fixed = self._tall(".title") + 1 + (self._tall(".hint") + 3 if self._typed else 0)
        wanted = said + (min(self._rows, LEAST) + 1 if self.listed else 0)
        tight = wanted + PADDING > most - fixed
        self.query_one(".dialog").set_class(tight, "-tight")
        room = most - fixed - (0 if tight else PADDING) - bool(self.listed)
        told = min(said, max(LEAST, room - LEAST if self.listed else room))
        self.query_one(".said").styles.height = told
        if self.listed:
            shown = min(self._rows, max(LEAST, room - told))
            self.query_one(Page).styles.height = shown
        self._scrolls = told < said or bool(self.listed and shown < self._rows)

    def _tall(self, name: str) -> int:
        """The lines that a text takes."""
        room = Size(self._room, self.app.size.height)
        return self.query_one(name).get_content_height(room, room, self._room)

    def deafen(self, deaf: bool) -> None:
        """Show that no choice can be taken yet, as the keys that come now are meant for something else; or that one can.

        The keys are named as long as they count: not by dim colours alone.
        """
        self._deaf = deaf
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        runs: list[Run] = []
        room = self._room
        airy = sum(len(choice) + 6 for choice in self._choices) + len(f"{key('dialog.cancel')} leaves") < room
        side = "  " if airy else " "
        narrow = sum(len(choice) + 3 for choice in self._choices) > room
        for index, choice in enumerate(self._choices):
            here = index == self._chosen and not self._deaf
            blocked = self._blocked(choice)
            role = (
                "dim"
                if (blocked or self._deaf) and not here
                else "badge"
                if here and not blocked
                else "here"
                if here
                else ""
            )
            runs += [(f"{side}{choice}{side}", f"{role}@{choice}"), ("" if narrow else side, "")]
        hints = [
            f"{key('dialog.left')} {key('dialog.right')} {key('dialog.choose')}",
            f"{key('dialog.cancel')} leaves",
        ]
        if self._scrolls:
            hints.insert(1, f"{key('dialog.up')} {key('dialog.down')} scroll")
        if self._does is not None:
            hints.insert(0, f"{key('dialog.calls')} calls")
        # one by one: where there is no room for all, how to read on and how to leave stay
        hint: list[Run] = [(text + (" · " if text != hints[-1] else ""), "dim") for text in hints]
        self.query_one("#choices", Line).show(runs[:-1], [] if self._deaf else hint)

    def _blocked(self, choice: str) -> bool:
        return (
            choice in self._needs_typing
            and bool(self._typed)
            and self.query_one(Input).value.strip() != self._typed
        )

    @on(Input.Changed)
    def _typing(self) -> None:
        self._draw()

    @on(Input.Submitted)
    def _entered(self) -> None:
        if self._chosen == self._choices.index(self._choices[0]) and len(self._choices) > 1:
            open_choices = [c for c in self._choices if c in self._needs_typing]
            if open_choices and not self._blocked(open_choices[0]):
                self.dismiss(open_choices[0])
                return
        self.action_choose()

    @on(Line.Pressed)
    def _pressed(self, event: Line.Pressed) -> None:
        if self._deaf:
            return
        self._chosen = self._choices.index(event.name)
        self._draw()
        self.action_choose()

    def action_up(self) -> None:
        self._scroll(-1)

    def action_down(self) -> None:
        self._scroll(1)

    def action_page_up(self) -> None:
        self._scroll(-1, page=True)

    def action_page_down(self) -> None:
        self._scroll(1, page=True)

    def _scroll(self, sign: int, *, page: bool = False) -> None:
        """The list, then the sentences below it; upwards the other way round."""
        parts = [*self.query(Page), self.query_one(".said")][::sign]
        for part in parts:
            before = part.scroll_offset.y
            step = max(1, part.size.height - 1) if page else 1
            part.scroll_to(y=before + sign * step, animate=False, force=True, immediate=True)
            if part.scroll_offset.y != before:
                return

    def action_left(self) -> None:
        self._chosen = (self._chosen - 1) % len(self._choices)
        self._draw()

    def action_right(self) -> None:
        self._chosen = (self._chosen + 1) % len(self._choices)
        self._draw()

    def action_choose(self) -> None:
        choice = self._choices[self._chosen]
        if not self._blocked(choice):
            self.dismiss(choice)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_calls(self) -> None:
        """Show what would be sent, above this question."""
        does = self._does
        if isinstance(does, Mapping):
            # What is safe is marked first and does nothing: then the first that does something.
            does = does.get(self._choices[self._chosen]) or next(iter(does.values()), None)
        console: Console = self.app  # type: ignore[assignment]
        if does is None:
            return

        def shown(lines: Sequence[str]) -> None:
            from console.screens.help import TextScreen

            if self.is_current:
                console.push_screen(TextScreen("Would be sent; nothing has been", "\n".join(lines)))

        services = console.services
        console.in_background_to_open(lambda: services.rehearse(does), shown)


class ConfirmScreen(ChoiceScreen):
    """Confirms something dangerous: what is safe is marked first. Dismissed with ``verb`` when it is wanted."""

    def __init__(
        self,
        title: str,
        sentences: Sequence[str],
        verb: str,
        *,
        typed: str = "",
        listed: Sequence[str] = (),
        does: Task | None = None,
    ) -> None:
        super().__init__(
            title,
            sentences,
            ["Cancel", verb],
            danger=True,
            typed=typed,
            needs_typing=[verb],
            listed=listed,
            does=does,
        )


class MessageScreen(ChoiceScreen):
    """Says something that needs more than a line."""

    def __init__(self, title: str, sentences: Sequence[str], *, listed: Sequence[str] = ()) -> None:
        super().__init__(title, sentences, ["Close"], listed=listed)
