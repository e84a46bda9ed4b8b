"""The command line on ``:``: every action, screen and resource, found while typing, completed, and remembered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from console import actions
from console.commands import Commands, Suggestion, ghost
from console.keymap import key
from console.widgets.columns import Cell, Column
from console.widgets.prompt import Field
from console.widgets.rows import Rows

if TYPE_CHECKING:
    from console.app import Console


class _Ghost(Suggester):
    """Shows dim what the first matching command goes on with; → takes it."""

    def __init__(self, palette: PaletteScreen) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._palette = palette

    async def get_suggestion(self, value: str) -> str | None:
        return ghost(value, self._palette.found) or None


class PaletteScreen(ModalScreen[Suggestion | None], inherit_bindings=False):
    """``jobs``, ``jobs failed``, ``endpoints fraud``, ``sort duration``, ``q``, or any part of a name."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("prompt"), *actions.bindings("command")]

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text
        self.found: list[Suggestion] = []
        self._at = 0
        """How many commands back in the history the line is."""
        self._draft = ""
        self._chosen = False
        """Whether a suggestion was chosen with a key since the line was typed in last."""

    def compose(self) -> Iterable[Widget]:
        with Vertical(id="palette"):
            with Horizontal():
                yield Label(":")
                line = Field(
                    self._text,
                    placeholder="jobs failed · endpoints fraud · job NAME · sort duration · theme light · q",
                )
                line.suggester = _Ghost(self)
                yield line
            yield Rows[Suggestion](
                [Column("", 22, grow=2, middle=True), Column("", 30, grow=3), Column("", 12, drop=1)],
                key=lambda item: item.key,
                cells=lambda item: (Cell(item.command, "key"), Cell(item.help), Cell(item.note, "dim")),
                heading=False,
            )
            yield Static(
                f"{key('command.complete')} completes · ↑ ↓ choose · {key('command.earlier')} "
                f"{key('command.later')} typed before · {key('prompt.cancel')} leaves",
                classes="hint",
            )

    def on_mount(self) -> None:
        self._commands = Commands(self.console)
        rows = self.query_one(Rows)
        rows.can_focus = False
        self._line.focus()  # what was typed meanwhile stands in it already
        self._line.cursor_position = len(self._line.value)
        self._suggest(self._line.value)

    @property
    def console(self) -> Console:
        return self.app  # type: ignore[return-value]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._chosen = False
        self._suggest(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        rows: Rows[Suggestion] = self.query_one(Rows)
        if not event.value.strip() and not self._chosen:
            self.action_cancel()  # nothing typed, nothing chosen: nothing is done
            return
        marked = rows.cursor_key
        self._suggest(event.value)
        if self._chosen:
            rows.put_cursor(marked)
        self._take(rows.current)

    @on(Rows.Opened)
    def _clicked(self, event: Rows.Opened) -> None:
        self._take(self.query_one(Rows).current)

    def _take(self, suggestion: Suggestion | None) -> None:
        """Leave, and let the application do it: a screen that waited for its own removal would wait for ever."""
        if suggestion is None:
            return
        self.console.memory.add_command(suggestion.command)
        self.app.pop_screen()
        self.app.call_later(suggestion.run)

    def action_up(self) -> None:
        self._chosen = True
        self.query_one(Rows).action_up()

    def action_down(self) -> None:
        self._chosen = True
        self.query_one(Rows).action_down()

    def action_cancel(self) -> None:
        self.app.pop_screen()

    def action_complete(self) -> None:
        """Write the marked command into the line; where it stands there already, the next one."""
        rows: Rows[Suggestion] = self.query_one(Rows)
        current = rows.current
        if current is None:
            return
        if self._line.value.strip() == current.command:
            kept = self.found
            self.action_down()
            current = rows.current or current
            with self._line.prevent(Input.Changed):
                self._put(current)
            self.found = kept
            return
        self._put(current)

    def _put(self, suggestion: Suggestion) -> None:
        self._line.value = suggestion.command + (" " if suggestion.takes else "")
        self._line.cursor_position = len(self._line.value)

    def action_earlier(self) -> None:
        self._step(1)

    def action_later(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        """Through the commands typed before; past the newest comes what stood in the line."""
        history = self.console.memory.commands()
        at = max(0, min(len(history), self._at + step))
        if at == self._at:
            return
        if self._at == 0:
            self._draft = self._line.value
        self._at = at
        self._line.value = history[-at] if at else self._draft
        self._line.cursor_position = len(self._line.value)

    @property
    def _line(self) -> Input:
        return self.query_one(Input)

    def suggest_again(self) -> None:
        """More is known than when it was opened."""
        self._suggest(self._line.value)

    def _suggest(self, text: str) -> None:
        rows: Rows[Suggestion] = self.query_one(Rows)
        self.found = self._commands.suggestions(text)
        if not self.found:
            leaves = f"{key('prompt.cancel')} leaves; {key('app.help')} in a screen lists its keys."
            rows.show_when_empty("Nothing is called that.", self._commands.instead(text) or leaves)
        rows.show(self.found)
        if self.found:
            rows.put_cursor(self.found[0].key)
