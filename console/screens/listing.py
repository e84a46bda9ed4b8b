"""What the lists of jobs and of endpoints share: columns, filter, order, marked rows, the preview beside them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console.arrangement import Arrangement, ListColumn, Row
from console.formatting import ago, clock, count, status
from console.keymap import key
from console.screens.arranged import ArrangedScreen
from console.trail import Place
from console.widgets.choosing import ChoosableRows
from console.widgets.columns import Cell
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.topics import Snapshot, Topic

SELDOM = 10
"""Ticks between two drawings of a list in which nothing runs, for the ages in it."""


class ListScreen(ArrangedScreen[Row]):
    """A live list. Subclasses say what is listed and which columns there are; the first of ``orders`` sorts it at first."""

    noun = "row"
    topic: Topic[Any]
    order = "created"

    def __init__(self) -> None:
        super().__init__()
        self._arrangement = Arrangement[Row](
            self.columns, self.order, key=self.key, fields=self.fields, leading=self.leading
        )
        self._ticks = 0
        self._rows_due = False

    @property
    def arrangement(self) -> Arrangement[Row]:
        return self._arrangement

    # What is listed

    def columns(self) -> Sequence[ListColumn[Row]]:
        """All columns that there are, in the order in which they are shown at first."""
        raise NotImplementedError

    def key(self, row: Row) -> Hashable:
        """The identity of a row."""
        return str(row.name)  # type: ignore[attr-defined]

    def fields(self, row: Row) -> Mapping[str, str]:
        """What the filter looks at besides the cells of the columns that are shown."""
        raise NotImplementedError

    def detail_topic(self, name: str) -> Topic[Any]:
        """What is observed for the preview of the row under the cursor."""
        raise NotImplementedError

    def write_preview(self, name: str) -> None:
        """Draw the preview of a row."""

    def empty_lines(self) -> Sequence[str]:
        """What stands in a list without rows that was fetched."""
        return ()

    def leading(self) -> Sequence[ListColumn[Row]]:
        """Columns that stand before those that are shown, and that nobody chooses."""
        return ()

    def rows(self) -> ChoosableRows[Row]:
        """The list widget."""
        return self.query_one("#list", ChoosableRows)

    def body(self) -> Iterable[Widget]:
        self.arrangement.use(self.console.remembered_view(self.view_place))
        rows = ChoosableRows[Row](self._widget_columns(), key=self.key, cells=self._cells, id="list")
        yield from self.arranged(rows)
        yield Prompt()

    def arranged(self, rows: ChoosableRows[Row]) -> Iterable[Widget]:
        """The list, and what stands with it."""
        preview = Page(id="preview")
        preview.can_focus = False
        yield Horizontal(rows, preview, id="split")

    def opened(self) -> None:
        self._mark_order()
        self.rows().focus()
        self.show_rows()

    def sources(self) -> Sequence[Topic[Any]]:
        """The topics of which the rows are made."""
        return (self.topic,)

    def topics(self) -> Sequence[Topic[Any]]:
        current = self.rows().cursor_key if self.is_mounted and self.has("#list") else None
        return [self.topic, self.detail_topic(str(current))] if self.wide and current else [self.topic]

    def on_screen_resume(self) -> None:
        self.arrangement.forget()  # another screen may have come to know more
        super().on_screen_resume()

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        listed = snapshot.topic in self.sources() and self.news(snapshot)
        if listed:
            self.show_rows()
            if snapshot.value is not None and snapshot.complete:
                self.rows().keep_chosen(self.key(row) for row in self.existing())
        elif snapshot.value is not None:
            self.arrangement.forget(snapshot.topic.name)
            if self.arrangement.filter:
                self._show_rows_soon()
        current = self.rows().cursor_key
        if current is not None and (listed or snapshot.topic.name == str(current)):
            self.write_preview(str(current))

    def tick(self) -> None:
        """Durations of what runs move every second, all other ages need not."""
        self._ticks += 1
        seldom = self._ticks % SELDOM == 0
        rows = self.rows()
        if seldom or any(getattr(row, "active", True) for row in rows.in_sight):
            rows.repaint()
        if seldom and rows.cursor_key is not None:
            self.write_preview(str(rows.cursor_key))

    def _primary(self) -> Snapshot[Any] | None:
        return self.snapshots.get(self.topic)

    def everything(self) -> Sequence[Row]:
        """All rows known."""
        return self.value(self.topic) or ()

    def existing(self) -> Iterable[Row]:
        """All rows that there are, whichever part is shown: what is not among them loses its mark."""
        return self.everything()

    def show_rows(self) -> None:
        everything = self.everything()
        shown = self.arrangement.arranged(everything, asking=self.asking)
        rows = self.rows()
        rows.show_when_empty(*self.when_empty(len(everything)))
        rows.show(shown)

    def _show_rows_soon(self) -> None:
        """When all that has come by now was taken: what is in sight is described all at once."""
        if not self._rows_due:
            self._rows_due = True
            self.call_after_refresh(self._show_due_rows)

    def _show_due_rows(self) -> None:
        self._rows_due = False
        if self.is_attached:
            self.show_rows()

    def awaited(self) -> Sequence[str]:
        """What stands in the list as long as nothing was fetched."""
        snapshot = self.snapshots.get(self.topic)
        if snapshot is None or (snapshot.value is None and snapshot.error is None):
            return (f"Loading {self.noun}s …",)
        if snapshot.value is None:
            return (f"No {self.noun}s could be loaded yet. {key('app.refresh')} tries again.",)
        return ()

    def when_empty(self, total: int) -> Sequence[str]:
        """What stands in the list while none of so many rows is shown."""
        if awaited := self.awaited():
            return awaited
        if total and self.arrangement.filter:
            return self.none_matches(total)
        return self.empty_lines()

    def summary(self) -> str:
        listed = self.has("#list")
        total, shown = len(self.everything()), len(self.rows().items) if listed else 0
        if not total and self.awaited():
            return ""  # what nobody has told yet is not none
        text = self.of_all(shown, total) if self.arrangement.filter else count(total, self.noun)
        if listed and (marked := len(self.rows().chosen)):
            text = f"{marked} marked · {text}"
        return text + self.coming()

    def coming(self) -> str:
        """Whether that is all, behind the number of rows."""
        snapshot = self.snapshots.get(self.topic)
        if snapshot is None or snapshot.complete:
            return ", the newest" if snapshot is not None and snapshot.more else ""
        return " …"

    def subject(self) -> Place | None:
        row = self.rows().current
        return self.place_of(row) if row is not None else None

    def place_of(self, row: Row) -> Place | None:
        """A row as a resource of AWS; None where AWS does not know such things."""
        kind = self.kind_of(row)
        return Place(kind, str(row.name)) if kind else None  # type: ignore[attr-defined]

    def kind_of(self, row: Row) -> str:
        """What a row is, as `workflows.inspecting.kinds` names it; empty where AWS does not know such things."""
        return ""

    def action_copy(self) -> None:
        chosen = self.selection()
        if chosen:
            names = "\n".join(str(row.name) for row in chosen)  # type: ignore[attr-defined]
            what = f"the name of the {self.noun}" if len(chosen) == 1 else count(len(chosen), "name")
            self.console.copy(names, what)

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._watching = getattr(self, "_watching", 0) + 1
        number = self._watching
        self.set_timer(0.2, lambda: self._rested(number))
        current = self.rows().cursor_key
        if current is not None:
            self.write_preview(str(current))
        self.draw_keys()

    def _rested(self, number: int) -> None:
        """The cursor rests on a row: only now is it worth a call."""
        if number == self._watching and self.is_current:
            self.observe()

    def on_resize(self) -> None:
        super().on_resize()
        self.arrangement.forget_columns()
        if self.has("#list"):
            self.rows().set_columns(self._widget_columns())
        if self.is_current:
            self.observe()


def status_cell(row: Any) -> Cell:
    """The status of a row: glyph, word and colour."""
    shown = status(row.status)
    return Cell(str(shown), shown.role)


def when(time: float, now: float) -> str:
    """A time in a list: today as a clock, yesterday and before as an age."""
    return clock(time) if 0 <= now - time < 43_200 else ago(time, now)
