"""A virtual list of keyed rows: only visible rows are drawn, only changed lines are repainted, the cursor follows its row."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import actions
from console.formatting import crop, crop_before, crop_middle, right
from console.jumping import Target
from console.theme import Painted
from console.widgets.columns import Cell, Column, laid_out
from console.widgets.heading import column_at, heading, labels

Item = TypeVar("Item")
MOST_STRIPS = 500
MARK_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class _Line:
    """What stands on one line of the screen; two equal lines need no repaint."""

    key: Hashable = None
    cells: tuple[Cell, ...] = ()
    title: str = ""
    note: str = ""
    cursor: bool = False
    marked: frozenset[int] = frozenset()
    chosen: bool = False


_BLANK = _Line()


class Rows(Painted, ScrollView, Generic[Item], can_focus=True, inherit_bindings=False):
    """A list of any length.

    ``key`` gives the identity of an item, ``cells`` draws it (called for visible items only), ``title`` makes an item a
    heading between the rows (the cursor passes over it) when it returns a text.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("list"))

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another row."""

        rows: Rows[Any]
        key: Hashable

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    @dataclass
    class Opened(Message):
        """Enter, or a click on the row under the cursor."""

        rows: Rows[Any]
        key: Hashable

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    @dataclass
    class HeadingPressed(Message):
        """A click on the label of a column, counted from 0."""

        rows: Rows[Any]
        column: int

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        key: Callable[[Item], Hashable],
        cells: Callable[[Item], tuple[Cell, ...]],
        title: Callable[[Item], str] = lambda item: "",
        heading: bool = True,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._key, self._cells, self._title = key, cells, title
        self._heading = 1 if heading else 0
        self.chosen: set[Hashable] = set()
        """The keys of rows that are marked, in lists where they can be (`ChoosableRows`)."""
        self._items: Sequence[Item] = ()
        self._keys: list[Hashable] = []
        self._index: dict[Hashable, int] = {}
        self._cursor = 0
        self._cursor_key: Hashable = None
        self._painted: dict[int, _Line] = {}
        self._due = False
        self._marks: dict[tuple[Hashable, int], None] = {}
        self._strips: dict[_Line, Strip] = {}
        """Lines as they were drawn last: when the page scrolls by a row, all others are there already."""
        self._widths: list[int] = []
        self._sorted: tuple[int, bool] | None = None
        self._empty: tuple[str, ...] = ()

    # What it shows

    def show_when_empty(self, *lines: str) -> None:
        """What stands there while the list has no rows: what that means, and what to do."""
        self._empty = lines
        self.repaint()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns: what a list shows may depend on what is listed."""
        if tuple(columns) == self._columns:
            return
        self._columns = tuple(columns)
        self._widths = []
        self._painted.clear()
        self._strips.clear()
        self.refresh()

    @property
    def _notes(self) -> list[str]:
        """The lines of what stands there while there is no row, for the present width."""
        room = max(10, self.size.width - 4)
        return [
            line for text in self._empty for line in textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        ]

    @property
    def lines_needed(self) -> int:
        """Lines in which all of it can be seen: the labels, the rows or what stands there without any."""
        return self._heading + (len(self._items) or len(self._notes) + 1)

    @property
    def items(self) -> Sequence[Item]:
        return self._items

    @property
    def keys(self) -> Sequence[Hashable]:
        """The keys of what is listed, headings among them."""
        return self._keys

    def is_row(self, key: Hashable) -> bool:
        """Whether the key is that of a row and not of a heading."""
        return key in self._index and not self._title(self._items[self._index[key]])

    @property
    def cursor_key(self) -> Hashable:
        """The key of the row under the cursor; None in an empty list."""
        return self._cursor_key

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self._items[self._cursor] if self._cursor_key is not None else None

    @property
    def in_sight(self) -> Sequence[Item]:
        """The items on the screen."""
        first = self.scroll_offset.y
        return self._items[first : first + self.room]

    @property
    def room(self) -> int:
        """How many rows are visible at a time."""
        return max(1, self.size.height - self._heading)

    def show(self, items: Sequence[Item]) -> None:
        """Show these items. The cursor stays on its resource, the page stays where it is, changed cells are marked."""
        before = self._cells_on_screen()
        old_row = self._cursor - self.scroll_offset.y
        self._items = items
        self._keys = [self._key(item) for item in items]
        self._index = {key: row for row, key in enumerate(self._keys)}
        had = self._cursor_key
        moved = self._index.get(had, -1) if had is not None else -1
        self._cursor = moved if moved >= 0 else self._selectable(min(self._cursor, len(items) - 1))
        self._cursor_key = self._keyed(self._cursor)
        size = Size(0, len(items) + self._heading)
        if size != self.virtual_size:
            self.virtual_size = size
        if self.scroll_offset.y and moved >= 0 and 0 <= old_row < self.room:
            self.scroll_to(y=max(0, self._cursor - old_row), animate=False, force=True, immediate=True)
        self._keep_in_sight()
        self._mark_changes(before)
        self.repaint()
        if self._cursor_key != had:
            self.post_message(self.Highlighted(self, self._cursor_key))

    def put_cursor(self, key: Hashable) -> bool:
        """Move the cursor to the row of a key; False when there is none."""
        row = self._index.get(key)
        if row is None:
            return False
        self._move(row)
        return True

    def mark_sorted(self, column: int, descending: bool) -> None:
        """Show in the heading which column gives the order."""
        self._sorted = (column, descending)
        self.repaint()

    def repaint(self) -> None:
        """Draw the lines again that differ from what is on the screen: after a change, and once a second for ages."""
        for y in range(self.size.height):
            if self._painted.get(y) != self._line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def repaint_soon(self) -> None:
        """Draw them again when all that has come by now was taken: forty answers that come together are one drawing."""
        if not self._due:
            self._due = True
            self.call_next(self._repaint_due)

    def _repaint_due(self) -> None:
        self._due = False
        self.repaint()

    # Drawing

    def render_line(self, y: int) -> Strip:
        line = self._line(y)
        self._painted[y] = line
        width = self.size.width
        widths = self._layout()
        base = self.rich_style
        if line is _BLANK:
            return Strip.blank(width, base)
        if line.note:
            return Strip([Segment(crop("  " + line.note, width), base + self.paint("dim"))], width)
        if line.title:
            role = self.paint("head") if y or not self._heading else self.paint("dim")
            return self._titled(line.title, width, role)
        known = self._strips.get(line)
        if known is not None:
            return known
        over = Style.null()
        if line.cursor:
            over = self.paint("cursor" if self.has_focus else "cursor-blurred")
        edge = ("▌" if line.cursor else " ") + ("◆" if line.chosen else " ")
        segments = [Segment(edge, base + self.paint("accent") + over)]
        for index, (column, cell, cells) in enumerate(zip(self._columns, line.cells, widths, strict=False)):
            if not cells:
                continue
            said = cell.short if cell.short and cell_len(cell.text) > cells else cell.text
            text = (
                right(said, cells)
                if column.right
                else crop_before(said, cells, cell.keep)
                if cell.keep
                else (crop_middle if column.middle else crop)(said, cells)
            )
            style = base + self.paint(cell.role) + over
            if line.chosen:
                style += self.paint("strong")
            if index in line.marked:
                style += self.paint("changed")
            segments.append(Segment(text, style))
            segments.append(Segment("  ", base + over))
        strip = Strip(segments).adjust_cell_length(width, base + over)
        if not line.cursor:  # the cursor's line looks otherwise without the focus
            if len(self._strips) > MOST_STRIPS:
                self._strips.clear()
            self._strips[line] = strip
        return strip

    def _titled(self, title: str, width: int, role: Style) -> Strip:
        """A heading; what follows tabs stands above the columns."""
        name, *labels = title.split("\t")
        if not labels:
            return Strip([Segment(crop(title, width), self.rich_style + role)], width)
        text = "  "
        for index, (label, cells) in enumerate(zip((name.strip(), *labels), self._layout(), strict=False)):
            if cells:
                shown = right(label, cells) if self._columns[index].right else crop(label, cells)
                text += shown + "  "
        first = 2 + (self._layout()[0] or 0)
        return Strip(
            [
                Segment(text[:first], self.rich_style + role),
                Segment(crop(text[first:].rstrip(), width - first), self.rich_style + self.paint("dim")),
            ]
        ).adjust_cell_length(width, self.rich_style)

    def _line(self, y: int) -> _Line:
        if y < self._heading:
            return _Line(title=heading(self._columns, self._layout(), self._sorted))
        row = y - self._heading + self.scroll_offset.y
        if not self._items:
            notes = self._notes
            return _Line(note=notes[row - 1]) if 1 <= row <= len(notes) else _BLANK
        if row >= len(self._items):
            return _BLANK
        item = self._items[row]
        if title := self._title(item):
            return _Line(self._keys[row], title=title)
        key = self._keys[row]
        marked = (
            frozenset(c for c in range(len(self._columns)) if (key, c) in self._marks)
            if self._marks
            else frozenset()
        )
        cursor = row == self._cursor and self._cursor_key is not None
        return _Line(
            key,
            self._cells(item),
            cursor=cursor,
            marked=marked,
            chosen=bool(self.chosen) and key in self.chosen,
        )

    @property
    def across(self) -> int:
        """The cells that all columns have together."""
        return self.size.width - 2

    def _layout(self) -> list[int]:
        """The width of each column in cells; 0 for a column that is dropped."""
        if self._widths and self._widths[-1] == self.size.width:
            return self._widths[:-1]
        self._strips.clear()  # a size is there, and drawn for, before the event that tells of it
        widths = laid_out(self._columns, self.across)
        self._widths = [*widths, self.size.width]
        return widths

    def jump_targets(self) -> Iterator[Target]:
        """The labels of columns with a name, to sort by; and the rows in sight."""
        if self._heading and self._sorted:
            for column, start, _ in labels(self._layout()):
                if self._columns[column].label:
                    yield Target(start, 0, partial(self.post_message, self.HeadingPressed(self, column)))
        for y in range(self._heading, self.size.height):
            row = y - self._heading + self.scroll_offset.y
            if row < len(self._items) and self.is_row(self._keys[row]):
                yield Target(0, y, partial(self._jump, self._keys[row]))

    def _jump(self, key: Hashable) -> None:
        if self.can_focus:
            self.focus()
        self.put_cursor(key)

    def _cells_on_screen(self) -> dict[Hashable, tuple[Cell, ...]]:
        return {line.key: line.cells for line in self._painted.values() if line.cells}

    def _mark_changes(self, before: dict[Hashable, tuple[Cell, ...]]) -> None:
        watched = [index for index, column in enumerate(self._columns) if column.watch]
        if not watched or not before:
            return
        first = self.scroll_offset.y
        fresh = False
        for row in range(first, min(first + self.room, len(self._items))):
            old = before.get(self._keys[row])
            if old is None:
                continue
            new = self._cells(self._items[row])
            for index in watched:
                if index < len(old) and index < len(new) and old[index].text != new[index].text:
                    self._marks[self._keys[row], index] = None
                    fresh = True
        if fresh:
            self.set_timer(MARK_SECONDS, self._unmark)

    def _unmark(self) -> None:
        self._marks.clear()
        self.repaint()

    # Moving

    def _keyed(self, row: int) -> Hashable:
        return self._keys[row] if 0 <= row < len(self._keys) and not self._title(self._items[row]) else None

    def _selectable(self, row: int, step: int = 1) -> int:
        """The nearest row at or after ``row`` (then before it) that is no heading."""
        row = max(0, row)
        for way in (step, -step):
            at = row
            while 0 <= at < len(self._items):
                if not self._title(self._items[at]):
                    return at
                at += way
        return row

    def _move(self, row: int, step: int = 1) -> None:
        row = self._selectable(max(0, min(row, len(self._items) - 1)), step)
        key = self._keyed(row)
        if key is None or key == self._cursor_key:
            self._keep_in_sight(edge=True)
            return
        top = self.scroll_offset.y
        self.repaint_cursor()
        self._cursor, self._cursor_key = row, key
        self._keep_in_sight(edge=True)
        if self.scroll_offset.y == top:  # otherwise the scrolling draws all
            self.repaint_cursor()
        self.post_message(self.Highlighted(self, key))

    def _keep_in_sight(self, edge: bool = False) -> None:
        if not self.size.height or not self._items:
            return
        top = self.scroll_offset.y
        wanted = top
        first = self._cursor
        if edge:  # a heading above the first row comes into sight with it
            while first > 0 and self._title(self._items[first - 1]):
                first -= 1
        if first < top:
            wanted = first
        elif self._cursor >= top + self.room:
            wanted = self._cursor - self.room + 1
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True, immediate=True)

    def action_up(self) -> None:
        self._move(self._cursor - 1, -1)

    def action_down(self) -> None:
        self._move(self._cursor + 1)

    def action_page_up(self) -> None:
        self._move(self._cursor - self.room, -1)

    def action_page_down(self) -> None:
        self._move(self._cursor + self.room)

    def action_first(self) -> None:
        self._move(0)

    def action_last(self) -> None:
        self._move(len(self._items) - 1, -1)

    def action_left(self) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x - 8), animate=False, force=True, immediate=True)

    def action_right(self) -> None:
        self.scroll_to(x=self.scroll_offset.x + 8, animate=False, force=True, immediate=True)

    def action_open(self) -> None:
        if self._cursor_key is not None:
            self.post_message(self.Opened(self, self._cursor_key))

    def on_click(self, event: events.Click) -> None:
        if event.y < self._heading:
            column = column_at(self._layout(), event.x)
            if column is not None:
                self.post_message(self.HeadingPressed(self, column))
            return
        row = event.y - self._heading + self.scroll_offset.y
        if not 0 <= row < len(self._items):
            return
        if row == self._cursor:
            self.action_open()
        else:
            self._move(row)

    # What makes every line another one

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.repaint_cursor()

    def repaint_cursor(self) -> None:
        """Draw the cursor's line again: its colour says whether the keys go here."""
        y = self._cursor - self.scroll_offset.y + self._heading
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def recoloured(self) -> None:
        super().recoloured()
        self._painted.clear()
        self._strips.clear()

    def on_resize(self) -> None:
        self._painted.clear()
        self._strips.clear()
        self._widths = []
        self._keep_in_sight()
