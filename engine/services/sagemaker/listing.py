"""What every List operation of SageMaker has in common: filters, order, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.store import SORT_COLUMNS, Filter, Resource

if TYPE_CHECKING:
    from engine.context import Engine

DEFAULT_PAGE = 10

# Request parameter -> condition. AWS's "After" and "Before" both leave out the moment itself.
_CONDITIONS: dict[str, tuple[str, str]] = {
    "NameContains": ("name", "contains"),
    "CreationTimeAfter": ("created", ">"),
    "CreationTimeBefore": ("created", "<"),
    "LastModifiedTimeAfter": ("modified", ">"),
    "LastModifiedTimeBefore": ("modified", "<"),
    "StatusEquals": ("status", "="),
}


class Page(NamedTuple):
    """The resources of one page and the token of the next, None on the last; their documents are shared, for reading only."""

    resources: list[Resource]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One List operation.

    Args:
        operation: Its name: tokens of one operation are of no use to another.
        kind: The kind of resource in the store.
        sort_by: The order when the request names none (a value of its SortBy, or a column).
        descending: Whether that order and an unnamed SortOrder run backwards, as most of SageMaker's lists do.
        without: Parameters that the caller applies by itself.
    """

    operation: str
    kind: str
    sort_by: str = "CreationTime"
    descending: bool = True
    without: frozenset[str] = field(default_factory=frozenset)

    def page(self, engine: Engine, params: Mapping[str, Any], filters: Sequence[Filter] = ()) -> Page:
        """The page that a request asks for.

        Args:
            params: The request's parameters: filters, SortBy, SortOrder, MaxResults and NextToken by their usual names.
            filters: Further conditions of this operation.

        Raises:
            ServiceError: ``ValidationException``: the token is not one of this list with these filters.
        """
        conditions = [*filters, *self._conditions(params)]
        column = self._column(params)
        descending = params["SortOrder"] == "Descending" if "SortOrder" in params else self.descending
        limit = int(params.get("MaxResults") or DEFAULT_PAGE)
        after: tuple[float | str, str] | None = None
        if params.get("NextToken"):
            value, name = engine.tokens.decode(self.operation, params, params["NextToken"])
            after = (value, name)
        found = engine.store.select(
            self.kind,
            conditions,
            sort_by=column,
            descending=descending,
            limit=limit + 1,
            after=after,
            shared=True,
        )
        if len(found) <= limit:
            return Page(found, None)
        last = found[limit - 1]
        position = [getattr(last, column), last.name]
        return Page(found[:limit], engine.tokens.encode(self.operation, params, position))

    def _conditions(self, params: Mapping[str, Any]) -> list[Filter]:
        found = []
        for name, (column, operator) in _CONDITIONS.items():
            value = params.get(name)
            if value is not None and name not in self.without:
                found.append(
                    Filter(column, operator, value.timestamp() if hasattr(value, "timestamp") else value)
                )
        return found

    def _column(self, params: Mapping[str, Any]) -> str:
        chosen = str(params.get("SortBy", self.sort_by))
        return SORT_COLUMNS.get(chosen, chosen)
