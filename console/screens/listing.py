"""What the lists of jobs and of endpoints share: columns, filter, order, marked rows, the preview beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import filtering
from console.formatting import ago, clock, count, status
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.trail import Place
from console.view import View, ordered
from console.widgets.choosing import ChoosableRows
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.topics import Snapshot, Topic

Row = TypeVar("Row")
PIECE = 250
"""Rows of which it is told at once, in a millisecond or two, what the filter looks at."""
SELDOM = 10
"""Ticks between two drawings of a list in which nothing runs, for the ages in it."""


@dataclass(frozen=True)
class ListColumn(Generic[Row]):
    """A column that a person may show, hide, move and sort by.

    ``id`` is its word after ``:sort`` and in a filter, ``key`` what it is sorted by (None: it cannot be; a row for which it
    returns None stands last), ``descending`` whether the largest comes first then, ``extra`` that it is shown only where somebody has chosen it,
    ``clock`` that it moves while nothing happens, as ages do: the filter looks there only for a word with its name, ``created:07``.
    """

    id: str
    column: Column
    cell: Callable[[Row], Cell]
    key: Callable[[Row], Any] | None = None
    descending: bool = False
    extra: bool = False
    clock: bool = False


class ListScreen(ConsoleScreen, Generic[Row]):
    """A live list. Subclasses say what is listed and which columns there are; the first of ``orders`` sorts it at first."""

    noun = "row"
    topic: Topic[Any]
    order = "created"

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self._filter = filtering.Filter()
        self._ticks = 0
        self._rows_due = False
        self._told: dict[int, tuple[Row, dict[str, str], str]] = {}
        """What the filter looks at, by the ids of the rows, and as one text in small letters: each letter that is typed looks at all of
        them again."""
        self._outdated: set[str] = set()
        """The names of those of which more has become known since."""

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

    def field_names(self) -> Sequence[str]:
        """The names of what the filter looks at, for ``field:word``."""
        everything = self.everything()
        return list(dict.fromkeys([*self.fields(everything[0]), *self.all_columns])) if everything else []

    def _narrowed(self, everything: Sequence[Row]) -> tuple[list[Row], dict[Hashable, float]]:
        """The rows that the filter shows, and by their keys how well they fit what is looked for by its letters.

        It looks at the fields of a row and at what stands in its cells. A column that is called like a field shows that field.
        """
        wanted, columns = self._filter, self.all_columns
        names = self.fields(everything[0]).keys() if everything else ()
        steady = self._steady(names)
        others = [column for column in columns.values() if column not in steady and column.id not in names]
        if len(self._told) > 2 * len(everything):
            self._told.clear()  # most of it is of rows that others have replaced
        self._forget_outdated()
        words = wanted.words
        found: list[Row] = []
        scores: dict[Hashable, float] = {}
        for row in everything:
            known = self._told.get(id(row))
            if known is None or known[0] is not row:
                known = self._tell(row, steady)
            _, fields, text = known
            if words is not None:
                for word, negative in words:
                    if (word in text) is negative:
                        break
                else:
                    found.append(row)
                continue

            def more(field: str, row: Row = row) -> list[str]:
                return [column.cell(row).text for column in others if column.id.startswith(field)]

            if wanted.matches(fields, more):
                found.append(row)
                if wanted.fuzzy:
                    scores[self.key(row)] = wanted.score(fields)
        return found, scores

    def _steady(self, names: Collection[str]) -> list[ListColumn[Row]]:
        """The columns that are shown of which the filter looks at the cells, besides the fields of these names."""
        return [column for column in self.shown if not column.clock and column.id not in names]

    def _tell(self, row: Row, steady: Sequence[ListColumn[Row]]) -> tuple[Row, dict[str, str], str]:
        """Note what the filter looks at in a row."""
        fields = {**self.fields(row), **{column.id: column.cell(row).text for column in steady}}
        told = self._told[id(row)] = row, fields, "\0".join(fields.values()).lower()
        return told

    def _forget_outdated(self) -> None:
        if self._outdated:
            for number, (row, _, _) in list(self._told.items()):
                if str(getattr(row, "name", self.key(row))) in self._outdated:
                    del self._told[number]
            self._outdated.clear()

    def _tell_ahead(self, rows: Iterator[Row]) -> None:
        """Go through the rows while the filter is being typed, a few between two keys: for 5,000 it takes 20 ms."""
        if not self.is_attached or not self.asking:
            return
        piece = list(islice(rows, PIECE))
        if piece:
            steady = self._steady(self.fields(piece[0]).keys())
            for row in piece:
                known = self._told.get(id(row))
                if known is None or known[0] is not row:
                    self._tell(row, steady)
            self.call_later(self._tell_ahead, rows)

    @property
    def asking(self) -> bool:
        """Whether the filter is being typed."""
        return self.query_one(Prompt).is_open

    def document(self, row: Row) -> object:
        """A row as it is exported as JSON."""
        return row

    def detail_topic(self, name: str) -> Topic[Any]:
        """What is observed for the preview of the row under the cursor."""
        raise NotImplementedError

    def write_preview(self, name: str) -> None:
        """Draw the preview of a row."""

    def empty_lines(self) -> Sequence[str]:
        """What stands in a list without rows that was fetched."""
        return ()

    # Columns and order

    @cached_property
    def all_columns(self) -> dict[str, ListColumn[Row]]:
        """All columns by their ids."""
        return {column.id: column for column in self.columns()}

    @property
    def shown(self) -> list[ListColumn[Row]]:
        """The columns that are shown, in their order."""
        known = self.all_columns
        chosen = [known[name] for name in self.view.columns if name in known]
        return chosen or [column for column in known.values() if not column.extra]

    def leading(self) -> Sequence[ListColumn[Row]]:
        """Columns that stand before those that are shown, and that nobody chooses."""
        return ()

    def _widget_columns(self) -> list[Column]:
        """Columns as the widget has them. Who has chosen columns wants to see them: only what does not fit is dropped, from the right."""
        leading = [column.column for column in self.leading()]
        if not self.view.columns:
            return [*leading, *(column.column for column in self.shown)]
        return [*leading, *(replace(column.column, drop=place) for place, column in enumerate(self.shown))]

    def _cells(self, row: Row) -> tuple[Cell, ...]:
        return tuple(column.cell(row) for column in (*self.leading(), *self.shown))

    @property
    def sorted_by(self) -> tuple[ListColumn[Row], bool]:
        """The column that gives the order, and whether the largest comes first."""
        column = self.all_columns.get(self.view.sort)
        if column is None or column.key is None:
            column = self.all_columns[self.order]
            return column, column.descending
        return column, self.view.descending

    def rows(self) -> ChoosableRows[Row]:
        """The list widget."""
        return self.query_one("#list", ChoosableRows)

    def body(self) -> Iterable[Widget]:
        self.view = self.console.remembered_view(self.place)
        self._filter = filtering.parse(self.view.filter)
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
        self._told.clear()  # another screen may have come to know more
        super().on_screen_resume()

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        listed = snapshot.topic in self.sources() and self.news(snapshot)
        if listed:
            self.show_rows()
        elif (self._filter or self._told) and snapshot.value is not None:
            if name := snapshot.topic.name:  # a cell of it may have another text
                self._outdated.add(name)
            else:
                self._told.clear()
            if self._filter:
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

    @property
    def filter(self) -> str:
        """The text of the filter."""
        return self.view.filter

    def show_rows(self) -> None:
        """Filter, sort and show. What is looked for by its letters comes in the order of how well it fits."""
        everything = self.everything()
        column, descending = self.sorted_by
        assert column.key is not None
        shown, scores = self._narrowed(everything) if self._filter else (everything, {})
        if not self._filter and not self.asking:
            self._told.clear()
        shown = ordered(shown, column.key, descending)
        if scores:
            shown = sorted(shown, key=lambda row: -scores[self.key(row)])
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
        if total and self._filter:
            change, drop = key(f"{self.place}.filter"), key("app.back")
            reason = (
                [f"There is {self._filter.problem}."] if self._filter.problem.startswith("no field") else []
            )
            return (
                f"None of {count(total, self.noun)} matches {self.filter!r}.",
                *reason,
                f"Press {change} to change the filter, {drop} to drop it.",
            )
        return self.empty_lines()

    def summary(self) -> str:
        listed = self.has("#list")
        total, shown = len(self.everything()), len(self.rows().items) if listed else 0
        if not total and self.awaited():
            return ""  # what nobody has told yet is not none
        text = (
            count(total, self.noun)
            if not self._filter
            else f"{shown} of {count(total, self.noun)} · /{self.filter}"
        )
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

    @property
    def summary_matters(self) -> bool:
        return bool(self._filter) or bool(self.has("#list") and self.rows().chosen)

    # Marked rows

    def selection(self) -> list[Row]:
        """The marked rows that still exist, or else the row under the cursor: what an action is about."""
        rows = self.rows()
        if rows.chosen:  # as they are listed, then those that the filter hides
            everything = {self.key(row): row for row in (*rows.items, *self.everything())}
            return [row for key, row in everything.items() if key in rows.chosen]
        return [rows.current] if rows.current is not None else []

    @on(ChoosableRows.Chosen)
    def _chosen(self) -> None:
        self.draw_frame()

    # The view

    def use_view(self, view: View) -> None:
        """Other columns, another order, another filter; remembered for this target."""
        if view.columns != self.view.columns:
            self._told.clear()
        self.view = view
        self._filter = filtering.parse(view.filter, self.field_names())
        self.rows().set_columns(self._widget_columns())
        self._mark_order()
        self.show_rows()
        self.draw_frame()
        self.console.remember_view(self.place, view)

    def set_filter(self, text: str) -> None:
        """Narrow the list."""
        self.use_view(replace(self.view, filter=text.strip()))

    def sort_by(self, name: str, descending: bool | None = None) -> None:
        """Sort by a column, by default as that column is read; one that gives the order already is turned round."""
        column = self.all_columns[name]
        if column.key is None:
            self.console.flash(
                f"{column.column.label} is not sorted by: it comes later than the rows.", "wait"
            )
            return
        if descending is None:
            here, now = self.sorted_by
            descending = not now if here.id == name else column.descending
        self.use_view(replace(self.view, sort=name, descending=descending))

    def action_filter(self) -> None:
        self.query_one(Prompt).ask(
            "filter", "/", self.filter, f"{filtering.HINT} — {count(len(self.everything()), self.noun)}"
        )
        self.call_after_refresh(self._tell_ahead, iter(self.everything()))

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        self.set_filter(event.value)
        if self._filter.problem:
            self.console.flash(self._filter.problem, "wait")

    @on(Prompt.Submitted)
    def _filtered(self, event: Prompt.Submitted) -> None:
        self.set_filter(event.value)

    def leave(self) -> bool:
        """Esc takes the marks away, then the filter; False when there is neither."""
        if self.rows().chosen:
            self.rows().choose(())
            return True
        if self._filter:
            self.set_filter("")
            return True
        return False

    def action_sort(self) -> None:
        here, _ = self.sorted_by
        sortable = [column for column in self.shown if column.key is not None]
        if self.all_columns[self.order] not in sortable:
            sortable.append(self.all_columns[self.order])  # the order at first can be come back to
        at = next((place for place, column in enumerate(sortable) if column.id == here.id), -1)
        if not self.view.sort:  # from the order that comes with the list one begins at the left
            at = 0 if sortable[0].id == here.id else -1
        following = sortable[(at + 1) % len(sortable)]
        self.sort_by(following.id, following.descending)

    def action_reverse(self) -> None:
        here, descending = self.sorted_by
        self.sort_by(here.id, not descending)

    def action_columns(self) -> None:
        from console.screens.columns import ColumnsScreen

        def chosen(columns: tuple[str, ...] | None) -> None:
            if columns is not None:
                self.use_view(replace(self.view, columns=columns))

        labels = {column.id: column.column.label for column in self.all_columns.values()}
        default = tuple(column.id for column in self.all_columns.values() if not column.extra)
        self.console.push_screen(
            ColumnsScreen(self.noun, labels, tuple(column.id for column in self.shown), default), chosen
        )

    @on(Rows.HeadingPressed, "#list")
    def _heading(self, event: Rows.HeadingPressed) -> None:
        place = event.column - len(self.leading())
        if place >= 0:
            self.sort_by(self.shown[place].id)

    def _mark_order(self) -> None:
        column, descending = self.sorted_by
        places = [shown.id for shown in self.shown]
        place = len(self.leading()) + places.index(column.id) if column.id in places else -1
        self.rows().mark_sorted(place, descending)

    def action_copy(self) -> None:
        chosen = self.selection()
        if chosen:
            names = "\n".join(str(row.name) for row in chosen)  # type: ignore[attr-defined]
            what = f"the name of the {self.noun}" if len(chosen) == 1 else f"{len(chosen)} names"
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
        self.__dict__.pop("all_columns", None)  # they may be other ones where there is more or less room
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
