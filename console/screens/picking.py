"""Choosing one of a list of things, above the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from console import actions
from console.widgets.columns import Cell, Column
from console.widgets.rows import Rows

Item = tuple[str, str, str]
"""What is chosen, what it is, and a note."""


class PickScreen(ModalScreen[str | None], inherit_bindings=False):
    """Returns the first text of the chosen item, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [actions.get("dialog.cancel").binding()]

    def __init__(self, title: str, items: Sequence[Item]) -> None:
        super().__init__()
        self._title, self._items = title, tuple(items)

    def compose(self) -> Iterable[Widget]:
        with Vertical(id="pick") as box:
            box.border_title = self._title
            yield Rows[Item](
                [Column("", 20, grow=3, middle=True), Column("", 22, grow=2), Column("", 12, drop=1)],
                key=lambda item: item[0],
                cells=lambda item: (Cell(item[0], "strong"), Cell(item[1]), Cell(item[2], "dim")),
                heading=False,
            )
            yield Static("Enter takes it · Esc changes nothing", classes="hint")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show(self._items)
        rows.focus()

    @on(Rows.Opened)
    def _chosen(self) -> None:
        found = self.query_one(Rows).current
        self.dismiss(found[0] if found is not None else None)

    def action_cancel(self) -> None:
        self.dismiss(None)
