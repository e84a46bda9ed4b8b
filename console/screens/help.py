"""The keys that work on the screen below, from the registry; and long texts such as a run's code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import chop_cells
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from console import actions
from console.formatting import crop, printable
from console.keymap import Keymap, key
from console.places import PLACES
from console.widgets.drawing import Lines
from console.widgets.page import Page

if TYPE_CHECKING:
    from console.app import Console

AROUND = 4
"""Lines around a text: the border, the hint, a blank one."""


class TextScreen(ModalScreen[None], inherit_bindings=False):
    """A long text above the screen: y copies it, Esc closes it. ``wrapped``: lines that are too long go on below, as values may."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("code"))

    def __init__(self, title: str, text: str, *, wrapped: bool = False) -> None:
        super().__init__()
        self._title, self._text, self._wrapped = title, text, wrapped

    def compose(self) -> Iterable[Widget]:
        with Vertical(id="text") as box:
            box.border_title = self._title
            yield Page(sideways=True)
            yield Static(self.hint(), classes="hint")

    def hint(self) -> str:
        """The line below the text."""
        return f"{key('code.copy')} copies it · arrows scroll · {key('code.close')} closes"

    def on_mount(self) -> None:
        page = self.query_one(Page)
        page.show(self.lines)
        page.focus()
        if self._wrapped:
            self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """No larger than its text."""
        page = self.query_one(Page)
        self.query_one("#text").styles.max_height = len(self.lines(page.size.width)) + AROUND

    def lines(self, width: int) -> Lines:
        """The text for a width."""
        lines = [printable(line) for line in self._text.splitlines()]
        if self._wrapped:
            lines = [piece for line in lines for piece in chop_cells(line, max(1, width)) or [""]]
        return [[(line, "")] for line in lines]

    def action_copy(self) -> None:
        console: Console = self.app  # type: ignore[assignment]
        console.copy(self._text, "the text")

    def action_close(self) -> None:
        self.dismiss()


class HelpScreen(TextScreen):
    """The keys of some places. ``read_only``: those that change something are said to be off."""

    def __init__(self, places: Sequence[str], keymap: Keymap, *, read_only: bool = False) -> None:
        self._places, self._keymap, self._read_only = list(dict.fromkeys(places)), keymap, read_only
        super().__init__("Help", "\n".join("".join(text for text, _ in line) for line in self.lines(100)))

    def hint(self) -> str:
        return f"arrows scroll · {self._keymap.first(actions.get('code.close'))} closes · `mlconsole keys` tells how keys are changed"

    def lines(self, width: int) -> Lines:
        lines: Lines = []
        for place in self._places:
            lines += [[(PLACES[place], "head")]]
            for action in actions.of(place):
                shown = self._keymap.shown(action)
                if not shown:
                    continue
                asks = "  (asks)" if action.danger != "none" else ""
                if action.changes and self._read_only:
                    asks = "  (off: read-only)"
                lines += _explained(crop(shown, 15), action.help, asks, width)
            lines.append([])
        lines.append([("Commands after :", "head")])
        for action in actions.commands():
            word = " ".join(
                [f":{action.command} {action.argument}".rstrip(), *(f":{alias}" for alias in action.aliases)]
            )
            lines += _explained(crop(word, 19), action.help, "", width)
        lines += _explained(
            crop("any part of a name", 19), "A job, an endpoint, a run or a study: goes there", "", width
        )
        return lines


def _explained(key: str, text: str, asks: str, width: int) -> Lines:
    """A key and what it does, on as many lines as that takes."""
    margin = 2 + len(key)
    first, *more = textwrap.wrap(text + asks, max(20, width - margin)) or [""]
    lines: Lines = [[("  " + key, "key"), (first, "")], *([(" " * margin + rest, "")] for rest in more)]
    if asks and lines[-1][-1][0].endswith(asks.strip()):
        body, role = lines[-1].pop()
        lines[-1] += [(body.removesuffix(asks.strip()), role), (asks.strip(), "wait")]
    return lines
