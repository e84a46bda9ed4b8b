"""How a person looks at a list: which columns in which order, sorted by what, narrowed to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class View:
    """Empty members stand for what the list itself has: its columns, its order, no filter."""

    columns: tuple[str, ...] = ()
    sort: str = ""
    descending: bool = False
    filter: str = ""

    def as_dict(self) -> dict[str, Any] | None:
        """JSON-ready; None where nothing is other than usual."""
        values: dict[str, Any] = {}
        if self.columns:
            values["columns"] = list(self.columns)
        if self.sort:
            values |= {"sort": self.sort, "descending": self.descending}
        if self.filter:
            values["filter"] = self.filter
        return values or None

    @classmethod
    def from_dict(cls, values: Any) -> View:
        """What `as_dict` wrote; what does not look like it counts as not there."""
        if not isinstance(values, Mapping):
            return cls()
        columns, sort, narrowed = values.get("columns"), values.get("sort"), values.get("filter")
        return cls(
            tuple(name for name in columns if isinstance(name, str)) if isinstance(columns, list) else (),
            sort if isinstance(sort, str) else "",
            values.get("descending") is True,
            narrowed if isinstance(narrowed, str) else "",
        )


def ordered(rows: Iterable[Row], key: Callable[[Row], Any], descending: bool) -> list[Row]:
    """Rows by a key. Those for which it is None (not known) come last whichever way, and equal ones stay as they came."""
    keyed = [(key(row), row) for row in rows]
    known = sorted(
        (pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending
    )
    return [row for _, row in known] + [row for value, row in keyed if value is None]
