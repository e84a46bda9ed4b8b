"""The list of what is left over, and deleting what was chosen from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import TYPE_CHECKING

from console import money
from console.formatting import ago, count
from console.messages import WorkFinished
from console.screens import costs_facts
from console.screens.dialogs import ConfirmScreen, MessageScreen
from console.widgets.columns import Cell, Column
from console.widgets.rows import Rows

if TYPE_CHECKING:
    from console.app import Console
    from workflows.sweep.leftovers import Leftover, Outcome, Rules, SweepPlan, SweepReport

PLURALS = {"S3 objects": "S3 objects of runs"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the leftovers: the title of a kind, or one of it."""

    key: Hashable
    item: Leftover | None = None
    title: str = ""


def make_rows(drawn: Callable[[Entry], tuple[Cell, ...]]) -> Rows[Entry]:
    """The list widget, new."""
    return Rows[Entry](
        [
            Column("", 2),
            Column("Name", 22, grow=2, middle=True),
            Column("Age", 7, right=True),
            Column("Size", 8, right=True, drop=2),
            Column("Per month", 9, right=True, drop=1),
            Column("Why", 24, grow=3),
        ],
        key=lambda entry: entry.key,
        cells=drawn,
        title=lambda entry: entry.title,
        id="left-list",
    )


def entries(plan: SweepPlan | None) -> list[Entry]:
    """Leftovers below the titles of their kinds."""
    from workflows.sweep.plan import by_kind  # with all that can be left over: not on the start path

    found: list[Entry] = []
    for kind, items in by_kind(plan.items if plan else ()).items():
        free = sum(1 for item in items if not item.protected)
        title = PLURALS.get(kind, f"{kind[:1].upper()}{kind[1:]}s")
        if found:
            found.append(Entry(("gap", kind), title=" "))
        found.append(Entry(("title", kind), title=f" {title} · {free} of {len(items)} may go"))
        found += [Entry(item.key, item) for item in items]
    return found


def cells(entry: Entry, chosen: Collection[tuple[str, str]], now: float) -> tuple[Cell, ...]:
    """One leftover: whether it is chosen, what it is, what it costs, why it is one or why it stays."""
    item = entry.item
    if item is None:
        return ()
    if item.protected:
        mark, role, why = Cell(" ·", "dim"), "dim", Cell(f"stays: {item.protected}", "dim")
    else:
        here = item.key in chosen
        mark, role, why = Cell(" ✗" if here else " □", "bad" if here else ""), "", Cell(item.reason)
    name = item.name.partition("/mlconsole/")[2] or item.name if item.objects is not None else item.name
    return (
        mark,
        Cell(name, role),
        Cell(ago(item.created, now).removesuffix(" ago") if item.created else "", "dim"),
        Cell(costs_facts.leftover_size(item), "dim"),
        Cell(money.amount(item.hourly.month) if item.hourly.dollars else "", role or "strong"),
        why,
    )


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
        console.push_screen(MessageScreen(title, costs_facts.report_sentences(report)))

    def confirmed(choice: str | None) -> None:
        if choice == "Delete":
            console.flash(f"Deleting {count(len(picked), 'thing')} …", "wait")
            console.in_background(lambda: console.services.sweep(picked, rules, told), swept)

    typed = picked[0].name if len(picked) == 1 else "sweep"
    console.push_screen(
        ConfirmScreen(
            f"Delete {count(len(picked), 'thing')}?",
            costs_facts.deletion_sentences(list(picked), plan),
            "Delete",
            typed=typed if console.services.target == "aws" else "",
            does=methodcaller("sweep", picked, rules, lambda outcome: None),
        ),
        confirmed,
    )
