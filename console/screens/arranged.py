"""What screens share of which a list can be narrowed, sorted and given other columns: its keys, its prompt, its remembered view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic

from textual import on

from console import filtering
from console.arrangement import Arrangement, ListColumn, Row
from console.formatting import count
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.trail import Place
from console.view import View
from console.widgets.choosing import ChoosableRows
from console.widgets.columns import Cell, Column
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows


class ArrangedScreen(ConsoleScreen, Generic[Row]):
    """A screen with such a list. One with several of them tells by these members about the one that is in sight; it has a `Prompt`."""

    noun = "row"

    @property
    def arrangement(self) -> Arrangement[Row]:
        """How the list is looked at."""
        raise NotImplementedError

    @property
    def view_place(self) -> str:
        """Under what its view is remembered, its named views are kept and its exports are named."""
        return self.place

    def rows(self) -> Rows[Any]:
        """The list widget."""
        raise NotImplementedError

    def everything(self) -> Sequence[Row]:
        """All rows known."""
        raise NotImplementedError

    def listed(self) -> Sequence[Row]:
        """The rows that the filter shows, in their order."""
        return self.rows().items

    def show_rows(self) -> None:
        """Filter, sort and show."""
        raise NotImplementedError

    def document(self, row: Row) -> object:
        """A row as it is exported as JSON."""
        return row

    @property
    def list_in_sight(self) -> bool:
        """Whether the list is on the screen."""
        return self.has("#list")

    @property
    def has_marks(self) -> bool:
        """Whether rows are marked that a person sees, or has narrowed away."""
        return self.list_in_sight and bool(self.rows().chosen)

    def selection(self) -> list[Row]:
        """The marked rows that still exist, or else the row under the cursor: what an action is about."""
        rows = self.rows()
        if rows.chosen:  # as they are listed, then those that the filter hides
            everything = {self.arrangement.key(row): row for row in (*self.listed(), *self.everything())}
            return [row for key, row in everything.items() if key in rows.chosen]
        return [rows.current] if rows.current is not None else []

    def place_of(self, row: Row) -> Place | None:
        """A row as a resource of AWS; None where AWS does not know such things."""
        return None

    # What is shown

    @property
    def view(self) -> View:
        """How a person looks at the list."""
        return self.arrangement.view

    @property
    def filter(self) -> str:
        """The text of the filter."""
        return self.view.filter

    @property
    def all_columns(self) -> dict[str, ListColumn[Row]]:
        """All columns by their ids."""
        return self.arrangement.all_columns

    @property
    def shown(self) -> list[ListColumn[Row]]:
        """The columns that are shown, in their order."""
        return self.arrangement.shown

    @property
    def sorted_by(self) -> tuple[ListColumn[Row], bool]:
        """The column that gives the order, and whether the largest comes first."""
        return self.arrangement.sorted_by

    def _widget_columns(self) -> list[Column]:
        return self.arrangement.widget_columns()

    def _cells(self, row: Row) -> tuple[Cell, ...]:
        return self.arrangement.cells(row)

    def none_matches(self, total: int) -> Sequence[str]:
        """What stands in a list of which the filter shows none of so many rows."""
        change, drop = key(f"{self.place}.filter"), key("app.back")
        problem = self.arrangement.filter.problem
        return (
            f"None of {count(total, self.noun)} matches {self.filter!r}."
            if total > 1
            else f"The only {self.noun} does not match {self.filter!r}.",
            *([f"There is {problem}."] if problem.startswith("no field") else []),
            f"Press {change} to change the filter, {drop} to drop it.",
        )

    def of_all(self, shown: int, total: int) -> str:
        """How many of them the filter shows, and which filter."""
        of = f"{shown} of " if total else ""
        return f"{of}{count(total, self.noun)} · /{self.filter}"

    @property
    def summary_matters(self) -> bool:
        return self.list_in_sight and (bool(self.arrangement.filter) or self.has_marks)

    # The view

    def use_view(self, view: View) -> None:
        """Other columns, another order, another filter; remembered for this target."""
        self.arrangement.use(view, self.arrangement.field_names(self.everything()))
        self.rows().set_columns(self._widget_columns())
        self._mark_order()
        self.show_rows()
        self.draw_frame()
        self.console.remember_view(self.view_place, view)

    def set_filter(self, text: str) -> None:
        """Narrow the list."""
        self.use_view(replace(self.view, filter=text.strip()))

    def open_filtered(self, text: str) -> None:
        """Narrow the list that the command of the section is about."""
        self.set_filter(text)

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

    def _tell_ahead(self, rows: Iterator[Row]) -> None:
        """Go through the rows while the filter is being typed, a few between two keys."""
        if self.is_attached and self.asking and self.arrangement.tell_ahead(rows):
            self.call_later(self._tell_ahead, rows)

    @property
    def asking(self) -> bool:
        """Whether the filter is being typed."""
        return self.query_one(Prompt).is_open

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        if event.purpose == "filter":
            told = self.arrangement.filter.problem, "wait"
            self.set_filter(event.value)
            if self.arrangement.filter.problem:
                self.console.flash(self.arrangement.filter.problem, "wait")
            elif self.console.flash_text == told:
                self.console.unflash()

    @on(Prompt.Submitted)
    def _filtered(self, event: Prompt.Submitted) -> None:
        if event.purpose == "filter":
            self.set_filter(event.value)

    def leave(self) -> bool:
        """Esc takes the marks away, then the filter; False when there is neither."""
        rows = self.rows()
        if rows.chosen and isinstance(rows, ChoosableRows):
            rows.choose(())
            return True
        if self.arrangement.filter:
            self.set_filter("")
            return True
        return False

    def action_sort(self) -> None:
        following = self.arrangement.following()
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

    @on(Rows.HeadingPressed)
    def _heading(self, event: Rows.HeadingPressed) -> None:
        column = self.arrangement.at(event.column) if event.rows is self.rows() else None
        if column is not None:
            self.sort_by(column.id)

    def _mark_order(self) -> None:
        self.rows().mark_sorted(*self.arrangement.mark)

    @on(ChoosableRows.Chosen)
    def _chosen(self) -> None:
        self.draw_frame()
