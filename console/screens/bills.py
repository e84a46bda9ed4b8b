"""What bills, as a list: its columns, and what its filter looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from console import costs, money
from console.arrangement import Arrangement, ListColumn
from console.formatting import clock, span
from console.screens import costs_facts
from console.widgets.columns import Cell, Column
from workflows.costs.overview import Billed

KINDS = {"endpoint": "endpoint", "training job": "job", "transform job": "transform"}
"""The kinds of bills as `workflows.inspecting.kinds` names them."""


def key(row: Billed) -> tuple[str, str]:
    """What identifies a bill: an endpoint may be called like a job."""
    return row.bill.kind, row.bill.name


def arrangement(now: Callable[[], float]) -> Arrangement[Billed]:
    """The list as it comes: dearest first."""
    return Arrangement(partial(_columns, now), "hour", key=key, fields=lambda row: _fields(row, now()))


def _fields(row: Billed, now: float) -> Mapping[str, str]:
    return {
        "name": row.bill.name,
        "kind": row.bill.kind,
        "state": " ".join([*row.marks(now), row.bill.status]),
    }


def _columns(now: Callable[[], float]) -> Sequence[ListColumn[Billed]]:
    def column(
        name: str, column: Column, cell: Callable[[Billed], Cell], *, extra: bool = False, clock: bool = False
    ) -> ListColumn[Billed]:
        order = costs.BILLS[name]
        return ListColumn(
            name, column, cell, lambda row: order(row, now()), name in costs.LARGEST_FIRST, extra, clock
        )

    return (
        column("name", Column("Name", 18, grow=3, middle=True), lambda row: Cell(row.bill.name)),
        column("state", Column("State", 12, watch=True), lambda row: Cell(*costs_facts.state(row, now()))),
        column("instances", Column("Instances", 20, drop=3), lambda row: Cell(row.bill.instances, "dim")),
        column("hour", Column("An hour", 10, right=True), lambda row: Cell(money.hourly(row.bill))),
        column("month", Column("A month", 9, right=True), lambda row: Cell(money.monthly(row.bill), "strong")),
        column("so-far", Column("So far", 8, right=True, drop=2), lambda row: Cell(money.so_far(row.bill, now()), "dim"), clock=True),
        column("up", Column("Up", 6, right=True, drop=1), lambda row: Cell(span(now() - row.bill.since), "dim"), clock=True),
        column("expires", Column("Expires", 9, right=True), lambda row: Cell(*costs_facts.ending(row, now())), clock=True),
        column("kind", Column("Kind", 13, drop=4), lambda row: Cell(row.bill.kind, "dim"), extra=True),
        column("owner", Column("Made by", 20, drop=5), lambda row: Cell(row.owner or "–", "dim"), extra=True),
        ListColumn("since", Column("Since", 12, drop=6), lambda row: Cell(clock(row.bill.since, day=True), "dim"), lambda row: row.bill.since, True, extra=True),
    )  # fmt: skip
