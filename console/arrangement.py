"""One list as a person looks at it: which of its columns, in which order, narrowed to what. It knows rows and cells, no widget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

from console import filtering
from console.view import View, ordered
from console.widgets.columns import Cell, Column

Row = TypeVar("Row")
PIECE = 250
"""Rows of which it is told at once, in a millisecond or two, what the filter looks at."""


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


class Arrangement(Generic[Row]):
    """The columns, the order and the filter of a list.

    ``columns`` gives all columns that there are, in the order in which they are shown at first; ``order`` is the id of the one that sorts
    at first; ``key`` is the identity of a row; ``fields`` is what the filter looks at besides the cells of the columns that are shown;
    ``leading`` gives columns that stand before those that are shown, and that nobody chooses.
    """

    def __init__(
        self,
        columns: Callable[[], Sequence[ListColumn[Row]]],
        order: str,
        *,
        key: Callable[[Row], Hashable],
        fields: Callable[[Row], Mapping[str, str]],
        leading: Callable[[], Sequence[ListColumn[Row]]] = lambda: (),
    ) -> None:
        self.columns, self.order, self.key, self.fields, self.leading = columns, order, key, fields, leading
        self.view = View()
        self.filter = filtering.Filter()
        self._told: dict[int, tuple[Row, dict[str, str], str]] = {}
        """What the filter looks at, by the ids of the rows, and as one text in small letters: each letter that is typed looks at all of
        them again."""
        self._outdated: set[str] = set()
        """The names of those of which more has become known since."""

    # Columns and order

    @cached_property
    def all_columns(self) -> dict[str, ListColumn[Row]]:
        """All columns by their ids."""
        return {column.id: column for column in self.columns()}

    def forget_columns(self) -> None:
        """They may be other ones now: there is more or less room, or another order."""
        self.__dict__.pop("all_columns", None)

    @property
    def shown(self) -> list[ListColumn[Row]]:
        """The columns that are shown, in their order."""
        known = self.all_columns
        chosen = [known[name] for name in self.view.columns if name in known]
        return chosen or [column for column in known.values() if not column.extra]

    def widget_columns(self) -> list[Column]:
        """Columns as the widget has them. Who has chosen columns wants to see them: only what does not fit is dropped, from the right."""
        leading = [column.column for column in self.leading()]
        if not self.view.columns:
            return [*leading, *(column.column for column in self.shown)]
        return [*leading, *(replace(column.column, drop=place) for place, column in enumerate(self.shown))]

    def cells(self, row: Row) -> tuple[Cell, ...]:
        """What stands in the columns of the widget."""
        return tuple(column.cell(row) for column in (*self.leading(), *self.shown))

    def at(self, place: int) -> ListColumn[Row] | None:
        """The column at a place of the widget; None for one that nobody chooses."""
        place -= len(self.leading())
        return self.shown[place] if place >= 0 else None

    @property
    def sorted_by(self) -> tuple[ListColumn[Row], bool]:
        """The column that gives the order, and whether the largest comes first."""
        column = self.all_columns.get(self.view.sort)
        if column is None or column.key is None:
            column = self.all_columns[self.order]
            return column, column.descending
        return column, self.view.descending

    @property
    def mark(self) -> tuple[int, bool]:
        """Where the widget shows the order: the place of the column (-1: it is not shown), and whether the largest comes first."""
        column, descending = self.sorted_by
        places = [shown.id for shown in self.shown]
        return (
            len(self.leading()) + places.index(column.id) if column.id in places else -1,
            descending,
        )

    def following(self) -> ListColumn[Row]:
        """The column that is sorted by after the present one."""
        here, _ = self.sorted_by
        sortable = [column for column in self.shown if column.key is not None]
        if self.all_columns[self.order] not in sortable:
            sortable.append(self.all_columns[self.order])  # the order at first can be come back to
        at = next((place for place, column in enumerate(sortable) if column.id == here.id), -1)
        if not self.view.sort:  # from the order that comes with the list one begins at the left
            at = 0 if sortable[0].id == here.id else -1
        return sortable[(at + 1) % len(sortable)]

    # The filter

    def use(self, view: View, names: Sequence[str] = ()) -> None:
        """Look at it so; ``names`` are those of the fields that a filter may name."""
        if view.columns != self.view.columns:
            self._told.clear()
        self.view = view
        self.filter = filtering.parse(view.filter, names)
        self.forget_columns()

    def forget(self, name: str = "") -> None:
        """A cell may have another text than the filter has seen, in the row of a name or in any."""
        if not name:
            self._told.clear()
            self._outdated.clear()
        elif self._told:
            self._outdated.add(name)

    def tell_ahead(self, rows: Iterator[Row]) -> bool:
        """Go through some of the rows before the filter does: for 5,000 it takes 20 ms. False: there were none any more."""
        piece = list(islice(rows, PIECE))
        if piece:
            steady = self._steady(self.fields(piece[0]).keys())
            for row in piece:
                self._seen(row, steady)
        return bool(piece)

    def field_names(self, everything: Sequence[Row]) -> Sequence[str]:
        """The names of what the filter looks at, for ``field:word``."""
        return list(dict.fromkeys([*self.fields(everything[0]), *self.all_columns])) if everything else []

    def arranged(self, everything: Sequence[Row], *, asking: bool = False) -> list[Row]:
        """Filtered and sorted. What is looked for by its letters comes in the order of how well it fits.

        ``asking``: the filter is being typed, and what it looks at is kept although there is none yet.
        """
        column, descending = self.sorted_by
        assert column.key is not None
        shown, scores = self._narrowed(everything) if self.filter else (everything, {})
        if not self.filter and not asking:
            self.forget()
        shown = ordered(shown, column.key, descending)
        return sorted(shown, key=lambda row: -scores[self.key(row)]) if scores else shown

    def _narrowed(self, everything: Sequence[Row]) -> tuple[list[Row], dict[Hashable, float]]:
        """The rows that the filter shows, and by their keys how well they fit what is looked for by its letters.

        It looks at the fields of a row and at what stands in its cells. A column that is called like a field shows that field.
        """
        wanted, columns = self.filter, self.all_columns
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
            fields, text = self._seen(row, steady)
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

    def _seen(self, row: Row, steady: Sequence[ListColumn[Row]]) -> tuple[dict[str, str], str]:
        """What the filter looks at in a row."""
        known = self._told.get(id(row))
        if known is None or known[0] is not row:
            fields = {**self.fields(row), **{column.id: column.cell(row).text for column in steady}}
            known = self._told[id(row)] = row, fields, "\0".join(fields.values()).lower()
        return known[1], known[2]

    def _forget_outdated(self) -> None:
        if self._outdated:
            for number, (row, _, _) in list(self._told.items()):
                if str(getattr(row, "name", self.key(row))) in self._outdated:
                    del self._told[number]
            self._outdated.clear()
