"""What the lists of costs and of leftovers can be sorted by, on the screen and by the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.costs.overview import Billed
from workflows.sweep.leftovers import ORDER, Leftover


def _dollars(row: Billed, now: float) -> float | None:
    return row.bill.hourly.dollars or None


def _state(row: Billed, now: float) -> tuple[int, str]:
    """What somebody should look at comes first."""
    marks = row.marks(now)
    return (0, marks[0]) if marks else (1, row.bill.status)


BILLS: dict[str, Callable[[Billed, float], Any]] = {
    "hour": _dollars,
    "name": lambda row, now: row.bill.name,
    "kind": lambda row, now: row.bill.kind,
    "state": _state,
    "instances": lambda row, now: row.bill.instances or None,
    "month": _dollars,
    "so-far": lambda row, now: row.bill.so_far(now) or None,
    "up": lambda row, now: now - row.bill.since,
    "expires": lambda row, now: None if row.lifetime.keep else row.lifetime.expires,
    "owner": lambda row, now: row.owner or None,
}
"""By what a bill is sorted at a time (epoch seconds). None stands for what has none, or what is not known: it comes last either way."""

LEFTOVERS: dict[str, Callable[[Leftover], Any]] = {
    "kind": lambda item: ORDER.index(item.kind),
    "name": lambda item: item.name,
    "age": lambda item: None if item.created is None else -item.created,
    "size": lambda item: item.octets,
    "month": lambda item: item.hourly.dollars or None,
    "why": lambda item: (bool(item.protected), item.protected or item.reason),
    "owner": lambda item: item.owner or None,
}
"""By what a leftover is sorted; at first by kind, in the order of deletion. What may go comes before what stays."""

LARGEST_FIRST = ("hour", "month", "so-far", "up", "age", "size")
"""What is read from its largest on."""
