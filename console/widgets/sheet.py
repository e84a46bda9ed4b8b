"""A table of a run as a list that can be sorted by any column, and pushed sideways where it is wider than the screen."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.cells import cell_len

from console import filtering
from console.formatting import as_text, count, figures
from console.widgets.columns import Cell, Column
from console.widgets.rows import Rows
from workflows.events import Table

WIDEST = 44
"""Cells of a column at first: longer texts get what the others leave."""
LEAST = 14
"""Cells in which the beginning of a text is worth showing."""
_NUMBER = re.compile(r"[−+~<>×-]?\s?(\d[\d ,]*(?:\.\d+)?(?:e[+-]?\d+)?)")
Line = tuple[int, tuple[Any, ...]]
"""A row's number in the table, and its values."""


class Sheet(Rows[Line]):
    """Rows of a `Table`. ``order`` is the column that gives the order (None: as the table has them)."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__([Column("", 10)], key=lambda line: line[0], cells=self._shown, id=id)
        self.table = Table(time=0, title="", columns=[], rows=[])
        self.order: int | None = None
        self.descending = False
        self._filter = ""
        self._first = 0
        self._natural: list[tuple[int, bool]] = []
        self._visible: tuple[int, ...] = ()

    def show_table(self, table: Table) -> None:
        """Show another table, in its own order."""
        self.table, self.order, self.descending, self._filter, self._first = table, None, False, "", 0
        texts = [[as_text(value) for value in row] for row in table.rows]
        self._natural = []
        for at, name in enumerate(table.columns):
            column = [row[at] for row in texts if at < len(row)]
            widest = max([cell_len(name) + 2, *map(cell_len, column)])
            self._natural.append((widest, figures(column)))
        self._arrange()
        self._fill()

    def narrow(self, text: str) -> None:
        """Only rows that match; see `console.filtering`."""
        self._filter = text
        self._fill()

    def sort_by(self, column: int | None) -> None:
        """Sort by a column: figures by their size, the largest first; the same column again turns the order round."""
        if column is not None and not 0 <= column < len(self.table.columns):
            return
        if column is not None and column == self.order:
            self.descending = not self.descending
        else:
            self.order = column
            self.descending = column is not None and self._natural[column][1]
        self._show_order()
        self._fill()
        self.action_first()

    def sort_next(self) -> None:
        """By the next column; after the last one, the table's own order again."""
        following = 0 if self.order is None else self.order + 1
        self.sort_by(following if following < len(self.table.columns) else None)
        if self.order is not None and self.order not in self._visible:
            self._first = self.order
            self._arrange()

    def reverse(self) -> None:
        """The order turned round."""
        self.descending = not self.descending
        self._show_order()
        self._fill()
        self.action_first()

    def column_of(self, place: int) -> int:
        """Which column of the table stands at a place on the screen."""
        return self._visible[place] if place < len(self._visible) else -1

    @property
    def pushed(self) -> tuple[int, int]:
        """How many columns are out of sight on the left and on the right."""
        if not self._visible:
            return 0, 0
        after = [at for at in self._visible if at]
        left = (after[0] - 1) if after else 0
        return left, len(self.table.columns) - 1 - self._visible[-1]

    def _fill(self) -> None:
        lines: list[Line] = [(number, tuple(row)) for number, row in enumerate(self.table.rows)]
        if self._filter:
            matches = filtering.parse(self._filter).matches
            columns = [name.lower() for name in self.table.columns]
            lines = [
                line
                for line in lines
                if matches({name: as_text(value) for name, value in zip(columns, line[1], strict=False)})
            ]
        if self.order is not None:
            order = self.order
            known = [line for line in lines if _rank(line[1], order) is not None]
            unknown = [line for line in lines if _rank(line[1], order) is None]
            lines = sorted(
                known, key=lambda line: _rank(line[1], order) or (0, 0, ""), reverse=self.descending
            )
            lines += unknown
        elif self.descending:
            lines.reverse()
        self.show_when_empty(
            f"None of {count(len(self.table.rows), 'row')} matches {self._filter!r}."
            if self._filter
            else "No rows."
        )
        self.show(lines)

    def _arrange(self) -> None:
        """Choose the columns that find room: the first, and those from the pushed one on."""
        room = self.size.width - 2
        columns: list[Column] = []
        chosen: list[int] = []
        used = 0
        for at in (0, *range(max(1, self._first), len(self._natural))) if self._natural else ():
            widest, number = self._natural[at]
            width = min(widest, WIDEST)
            left = max(8, room - used)
            if chosen and width > left and (number or left < LEAST):
                break
            chosen.append(at)
            columns.append(Column(self.table.columns[at], min(width, left), right=number))
            used += width + 2
        self._visible = tuple(chosen)
        spare = room - used + 2
        for place, at in enumerate(chosen):
            more = min(spare, self._natural[at][0] - columns[place].width)
            if more > 0:
                columns[place] = replace(columns[place], width=columns[place].width + more)
                spare -= more
        self.set_columns(columns)
        self._show_order()

    def _show_order(self) -> None:
        place = self._visible.index(self.order) if self.order in self._visible else -1
        self.mark_sorted(place, self.descending)

    def _shown(self, line: Line) -> tuple[Cell, ...]:
        values = line[1]
        return tuple(
            Cell(as_text(values[at]) if at < len(values) else "", "strong" if at == 0 else "")
            for at in self._visible
        )

    def action_left(self) -> None:
        if self._first > 1:
            self._first -= 1
            self._arrange()
            self.post_message(self.Highlighted(self, self.cursor_key))

    def action_right(self) -> None:
        if self.pushed[1]:
            self._first = max(1, self._first) + 1
            self._arrange()
            self.post_message(self.Highlighted(self, self.cursor_key))

    def on_resize(self) -> None:
        self._arrange()
        super().on_resize()


def _rank(values: Sequence[Any], column: int) -> tuple[int, float, str] | None:
    """What a value is sorted by: numbers by their size, texts that are figures too, others by their letters; None is last."""
    value = values[column] if column < len(values) else None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool | int | float):
        return 0, float(value), ""
    text = str(value).strip()
    if not text or text == "–":
        return None
    found = _NUMBER.match(text)
    if found:
        size = float(found[1].replace(" ", "").replace(",", ""))
        return 0, -size if text[0] in "−-" else size, text
    return 1, 0.0, text.lower()
