"""Which columns a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from console import actions
from console.keymap import key
from console.screens.dialogs import space
from console.widgets.columns import Cell, Column
from console.widgets.rows import Rows

WIDTH = 62
"""Cells of the dialog where there is room."""
FRAME = 7
"""Its lines besides columns and keys: border, padding, title, gaps."""
MOST, LEAST = 12, 3
"""Columns that are shown at once."""


class ColumnsScreen(ModalScreen[tuple[str, ...] | None], inherit_bindings=False):
    """Dismissed with the ids of the columns to be shown (empty: those that come with the list), None to leave all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("columns"))
    place = "columns"

    def __init__(
        self, noun: str, labels: Mapping[str, str], shown: Sequence[str], default: Sequence[str]
    ) -> None:
        super().__init__()
        self._noun, self._labels, self._default = noun, labels, tuple(default)
        self._shown = set(shown)
        self._order = [*shown, *(name for name in labels if name not in shown)]

    def compose(self) -> Iterable[Widget]:
        with Vertical(classes="dialog", id="columns"):
            yield Static(f"Columns of the list of {self._noun}s", classes="title", markup=False)
            yield Rows[str](
                [Column("", 3), Column("", 14, grow=1), Column("", 14)],
                key=lambda name: name,
                cells=self._cells,
                heading=False,
            )
            yield Static(self._hint(), classes="hint", markup=False)

    def _hint(self) -> str:
        return (
            f"{key('columns.show')} shows or hides · {key('columns.earlier')} {key('columns.later')} move it · "
            f"{key('columns.reset')} as they come · {key('columns.keep')} keeps · {key('columns.cancel')} leaves"
        )

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        self._fit()
        rows.show(list(self._order))
        rows.focus()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """The list gives way where the terminal is low: the keys below it stay in sight."""
        size = self.app.size
        cells, lines = space(size, WIDTH)
        hint = self.query_one(".hint").get_content_height(size, size, cells)
        most = max(LEAST, lines - FRAME - hint)
        self.query_one(Rows).styles.height = min(MOST, most, len(self._order))

    def _cells(self, name: str) -> tuple[Cell, ...]:
        shown = name in self._shown
        return (
            Cell("[✓]" if shown else "[ ]", "accent" if shown else "dim"),
            Cell(self._labels[name], "" if shown else "dim"),
            Cell(name, "dim"),
        )

    @property
    def _rows(self) -> Rows[str]:
        return self.query_one(Rows)

    @on(Rows.Opened)
    def action_keep(self) -> None:
        chosen = tuple(name for name in self._order if name in self._shown)
        self.dismiss(() if chosen == self._default else chosen)

    def action_show(self) -> None:
        name = str(self._rows.cursor_key)
        if self._shown == {name}:
            self.app.bell()  # a list without a column shows nothing
            return
        self._shown ^= {name}
        self._rows.repaint()

    def action_earlier(self) -> None:
        self._move(-1)

    def action_later(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        name = str(self._rows.cursor_key)
        at = self._order.index(name)
        to = max(0, min(len(self._order) - 1, at + step))
        self._order.insert(to, self._order.pop(at))
        self._rows.show(list(self._order))

    def action_reset(self) -> None:
        self._order = [*self._default, *(name for name in self._labels if name not in self._default)]
        self._shown = set(self._default)
        self._rows.show(list(self._order))

    def action_cancel(self) -> None:
        self.dismiss(None)
