"""The list of what is left over, and deleting what was chosen from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, methodcaller
from typing import TYPE_CHECKING

from console import costs, money
from console.arrangement import Arrangement, ListColumn
from console.formatting import ago, count
from console.messages import WorkFinished
from console.screens import costs_facts
from console.screens.dialogs import ConfirmScreen, MessageScreen
from console.widgets.columns import Cell, Column
from console.widgets.rows import Rows
from workflows.sweep.leftovers import CONFIG, LOGS, OBJECTS, TARGET, Leftover

if TYPE_CHECKING:
    from console.app import Console
    from workflows.sweep.leftovers import Outcome, Rules, SweepPlan, SweepReport

PLURALS = {"S3 objects": "S3 objects of runs"}
SHORT = {
    CONFIG: "config", TARGET: "target", OBJECTS: "objects", LOGS: "logs",
}  # fmt: skip
"""Kinds in a column of eight cells."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the leftovers: the title of a kind, or one of it."""

    key: Hashable
    item: Leftover | None = None
    title: str = ""


class Leftovers(Arrangement[Leftover]):
    """How the list is looked at: below the titles of their kinds, until another column sorts them."""

    def __init__(self, chosen: Callable[[], Collection[tuple[str, str]]], now: Callable[[], float]) -> None:
        super().__init__(
            self._columns, "kind", key=lambda item: item.key, fields=_fields, leading=lambda: (self._mark,)
        )
        self._now = now
        self._mark = ListColumn[Leftover]("", Column("", 2), lambda item: _mark(item, chosen()))

    @property
    def grouped(self) -> bool:
        """Whether the titles of the kinds stand above what is of that kind."""
        return self.view.sort in ("", "kind") and not self.filter.fuzzy

    def _columns(self) -> Sequence[ListColumn[Leftover]]:
        def column(
            name: str,
            column: Column,
            cell: Callable[[Leftover], Cell],
            *,
            extra: bool = False,
            clock: bool = False,
        ) -> ListColumn[Leftover]:
            return ListColumn(
                name, column, cell, costs.LEFTOVERS[name], name in costs.LARGEST_FIRST, extra, clock
            )

        grouped = self.grouped
        return (
            column("name", Column("Name", 20 if grouped else 18, grow=2, middle=True), lambda item: Cell(_name(item), _role(item))),
            column("kind", Column("Kind", 8), lambda item: Cell(SHORT.get(item.kind, item.kind), "dim"), extra=grouped),
            column("age", Column("Age", 7, right=True), self._age, clock=True),
            column("size", Column("Size", 8, right=True, drop=2), lambda item: Cell(costs_facts.leftover_size(item), "dim")),
            column("month", Column("A month", 9, right=True, drop=1), _month),
            column("why", Column("Why", 24 if grouped else 16, grow=3), _why),
            column("owner", Column("Made by", 20, drop=5), lambda item: Cell(item.owner or "–", "dim"), extra=True),
        )  # fmt: skip

    def _age(self, item: Leftover) -> Cell:
        return Cell(ago(item.created, self._now()).removesuffix(" ago") if item.created else "", "dim")

    def make_rows(self) -> Rows[Entry]:
        """The list widget, new."""
        return Rows[Entry](
            self.widget_columns(),
            key=lambda entry: entry.key,
            cells=lambda entry: self.cells(entry.item) if entry.item is not None else (),
            title=lambda entry: entry.title,
            id="left-list",
        )

    def entries(self, everything: Sequence[Leftover]) -> list[Entry]:
        """What the filter shows, below the titles of its kinds where it stands so."""
        shown = self.arranged(everything)
        if not self.grouped:
            return [Entry(item.key, item) for item in shown]
        found: list[Entry] = []
        for kind, of_kind in groupby(shown, attrgetter("kind")):
            items = list(of_kind)
            free = sum(1 for item in items if not item.protected)
            title = PLURALS.get(kind, f"{kind[:1].upper()}{kind[1:]}s")
            if found:
                found.append(Entry(("gap", kind), title=" "))
            found.append(Entry(("title", kind), title=f" {title} · {free} of {len(items)} may go"))
            found += [Entry(item.key, item) for item in items]
        return found


def _fields(item: Leftover) -> Mapping[str, str]:
    return {
        "name": item.name,
        "kind": item.kind,
        "why": f"stays: {item.protected}; {item.reason}" if item.protected else item.reason,
    }


def _mark(item: Leftover, chosen: Collection[tuple[str, str]]) -> Cell:
    """Whether it is chosen, or can be."""
    if item.protected:
        return Cell(" ·", "dim")
    return Cell(" ✗", "bad") if item.key in chosen else Cell(" □")


def _role(item: Leftover) -> str:
    return "dim" if item.protected else ""


def _name(item: Leftover) -> str:
    return item.name.partition("/mlconsole/")[2] or item.name if item.objects is not None else item.name


def _month(item: Leftover) -> Cell:
    return Cell(money.amount(item.hourly.month) if item.hourly.dollars else "", _role(item) or "strong")


def _why(item: Leftover) -> Cell:
    """Why it is a leftover, or why it stays."""
    return Cell(f"stays: {item.protected}", "dim") if item.protected else Cell(item.reason)


def confirm_sweep(
    console: Console, picked: Sequence[Leftover], plan: SweepPlan, rules: Rules, over: Callable[[], None]
) -> None:
    """Show what would go, delete it when that is confirmed, and tell what became of it; ``over`` is called then."""
    done = [0]

    def said(outcome: Outcome) -> None:
        done[0] += 1
        console.flash(f"{outcome.state}: {outcome.kind} {outcome.name} ({done[0]})", "wait")

    def told(outcome: Outcome) -> None:
        """Called in another thread."""
        console.post_message(WorkFinished(said, console.tell, outcome))

    def swept(report: SweepReport) -> None:
        over()
        title = "Not all of it could be deleted" if report.failed else "Cleaned up"
        proof = "Each deletion was proved by asking for it again." if report.deleted else ""
        dialog = MessageScreen(
            title, [proof], listed=[costs_facts.outcome_line(one) for one in report.outcomes]
        )
        console.interrupt(lambda: console.push_screen(dialog))

    def confirmed(choice: str | None) -> None:
        if choice == "Delete":
            console.flash(f"Deleting {count(len(picked), 'thing')} …", "wait")
            console.in_background(lambda: console.services.sweep(picked, rules, told), swept)

    typed = picked[0].name if len(picked) == 1 else "sweep"
    console.push_screen(
        ConfirmScreen(
            f"Delete {count(len(picked), 'thing')}?",
            costs_facts.deletion_sentences(picked, plan),
            "Delete",
            listed=[item.whole() for item in picked],
            typed=typed if console.services.target == "aws" else "",
            does=methodcaller("sweep", picked, rules, lambda outcome: None),
        ),
        confirmed,
    )
