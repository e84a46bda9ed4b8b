"""Costs & clean-up: what bills now, and what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions, money
from console.formatting import count, span
from console.screens import costs_facts, leftovers
from console.screens.base import ConsoleScreen
from console.screens.dialogs import MessageScreen
from console.screens.endpoints import confirm_deletion
from console.widgets.columns import Cell, Column
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows import topics
from workflows.costs.overview import Billed, CostView
from workflows.sweep.leftovers import ENDPOINT, Rules, SweepPlan

if TYPE_CHECKING:
    from workflows.lifetime import Lifetime
    from workflows.problem import Problem
    from workflows.topics import Snapshot, Topic


class CostsScreen(ConsoleScreen):
    """Two parts: the bill, dearest first, and what could be deleted."""

    BINDINGS: ClassVar = list(actions.bindings("costs"))
    place = "costs"
    section = "costs"
    parts = (("bills", "What bills"), ("leftovers", "Left over"))
    panes: ClassVar = {"bills": "list", "leftovers": "left-list"}

    def __init__(self) -> None:
        super().__init__()
        self.plan: SweepPlan | None = None
        self.chosen: set[tuple[str, str]] = set()
        self.owners = False
        self._looking = False
        self._asked = 0
        self._failed: Problem | None = None
        self._asked_for = ""

    # Body

    def body(self) -> Iterable[Widget]:
        yield Line(id="totals")
        yield Line(id="basis")
        with Horizontal(id="split"):
            yield Rows[Billed](
                [
                    Column("Name", 18, grow=3, middle=True),
                    Column("State", 12, watch=True),
                    Column("Instances", 20, drop=3),
                    Column("Per hour", 10, right=True),
                    Column("Per month", 9, right=True),
                    Column("So far", 8, right=True, drop=2),
                    Column("Up", 6, right=True, drop=1),
                    Column("Expires", 9, right=True),
                ],
                key=lambda row: (row.bill.kind, row.bill.name),
                cells=self._bill_cells,
                id="list",
            )
            yield leftovers.make_rows(
                lambda entry: leftovers.cells(entry, self.chosen, self.console.services.now())
            )
            yield Page(id="preview")
        yield Prompt()

    def opened(self) -> None:
        self.query_one("#preview").can_focus = False
        self._show_bills()
        self._show_leftovers()

    def part_shown(self, name: str) -> None:
        if not self.has("#left-list"):
            return
        (self._left if name == "leftovers" else self._bills).focus()
        if name == "leftovers" and self.plan is None:
            self._look()
        self._write()

    @property
    def _bills(self) -> Rows[Billed]:
        return self.query_one("#list", Rows)

    @property
    def _left(self) -> Rows[leftovers.Entry]:
        return self.query_one("#left-list", Rows)

    @property
    def view(self) -> CostView | None:
        """What bills, as far as it is known."""
        found: CostView | None = self.value(topics.COSTS)
        return found

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.COSTS]

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        self._show_bills()
        self._write()

    def tick(self) -> None:
        self._bills.repaint()
        self._left.repaint()

    def problem(self) -> Problem | None:
        return self._failed if self.part == "leftovers" and self._failed else super().problem()

    def summary(self) -> str:
        view, now = self.view, self.console.services.now()
        if view is None:
            return ""
        marked = sum(1 for row in view.rows if row.marks(now))
        return f"{count(len(view.rows), 'thing')} {'bills' if len(view.rows) == 1 else 'bill'}" + (
            f" · {marked} to look at" if marked else ""
        )

    def offers(self, action: actions.Action) -> bool:
        left_over = self.part == "leftovers"
        if action.verb in ("choose", "choose_all", "look", "owners"):
            return left_over
        if action.verb == "lifetime":
            return self._endpoint() is not None
        if action.verb == "delete":
            return bool(self.chosen) if left_over else self._endpoint() is not None
        return True

    # What bills

    def _show_bills(self) -> None:
        view = self.view
        rows = self._bills
        if view is None:
            rows.show_when_empty("Looking up what bills …")
        else:
            rows.show_when_empty(
                "Nothing bills: no endpoint, no running job.",
                "Tab shows what is left over.",
            )
        rows.show(view.rows if view is not None else ())

    def _bill_cells(self, row: Billed) -> tuple[Cell, ...]:
        now, bill = self.console.services.now(), row.bill
        word, role = costs_facts.state(row, now)
        return (
            Cell(bill.name),
            Cell(word, role),
            Cell(bill.instances, "dim"),
            Cell(money.hourly(bill)),
            Cell(money.monthly(bill), "strong"),
            Cell(money.so_far(bill, now), "dim"),
            Cell(span(now - bill.since), "dim"),
            Cell(*costs_facts.ending(row, now)),
        )

    def _endpoint(self) -> Billed | None:
        """The endpoint under the cursor of the bill."""
        row = self._bills.current if self.part == "bills" and self.has("#list") else None
        return row if row is not None and row.bill.kind == ENDPOINT else None

    # What is left over

    def _look(self) -> None:
        self._asked += 1
        number, rules = self._asked, self.rules
        self._looking, self._failed = True, None

        def planned(plan: SweepPlan) -> None:
            if number == self._asked:
                self.chosen &= {item.key for item in plan.free}
                self._looked(plan, None)

        def failed(problem: Problem) -> None:
            if number == self._asked:
                self._looked(self.plan, problem)

        self.work(lambda: self.console.services.plan_sweep(rules), planned, failed)
        self._show_leftovers()

    def _looked(self, plan: SweepPlan | None, problem: Problem | None) -> None:
        self._looking, self.plan, self._failed = False, plan, problem
        if self.is_attached:
            self._show_leftovers()
            self._write()
            self.draw_frame()

    @property
    def rules(self) -> Rules:
        """What counts as left over here."""
        return Rules(all_owners=self.owners)

    def _show_leftovers(self) -> None:
        rows = self._left
        if self.plan is None:
            rows.show_when_empty(
                "Looking for what is left over …" if self._looking else "n looks for what is left over."
            )
        else:
            rows.show_when_empty("Nothing is left over.", *self.plan.notes)
        rows.show(leftovers.entries(self.plan))

    # The lines above, and the preview

    def draw_frame(self) -> None:
        super().draw_frame()
        if self.is_mounted and self.has("#basis"):
            self._draw_totals()

    def _draw_totals(self) -> None:
        if self.part == "leftovers":
            picked = self.plan.chosen(list(self.chosen)) if self.plan else ()
            saved = sum(item.hourly.month for item in picked)
            lines = costs_facts.plan_totals(self.plan, len(picked), saved, self.owners)
        else:
            lines = costs_facts.totals(self.view, self.console.services.target)
        for name, line in zip(("#totals", "#basis"), lines, strict=True):
            self.query_one(name, Line).show([(" ", ""), *line])

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._write()
        self.draw_keys()

    def _write(self) -> None:
        page = self.query_one("#preview", Page)
        if not self.wide:
            return
        now, view = self.console.services.now(), self.view
        row = self._bills.current
        entry = self._left.current
        if self.part == "leftovers" and entry is not None and entry.item is not None:
            item = entry.item
            page.show(lambda width: costs_facts.leftover_facts(item, now, width))
        elif self.part == "bills" and row is not None and view is not None:
            page.show(lambda width: costs_facts.bill_facts(row, view, now, width))
        else:
            page.show(lambda width: [])

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#preview"):
            self._write()

    # Actions

    @on(Rows.Opened, "#list")
    async def _open(self) -> None:
        row = self._bills.current
        if row is None:
            return
        openers = {
            "endpoint": self.console.open_endpoint,
            "training job": self.console.open_job,
            "transform job": self.console.open_transform,
        }
        await openers[row.bill.kind](row.bill.name)

    @on(Rows.Opened, "#left-list")
    def _open_leftover(self) -> None:
        entry = self._left.current
        if entry is not None and entry.item is not None:
            item, now = entry.item, self.console.services.now()
            lines = costs_facts.leftover_facts(item, now, 64)
            self.app.push_screen(
                MessageScreen(item.kind.capitalize(), ["".join(text for text, _ in line) for line in lines] )
            )  # fmt: skip

    def action_choose(self) -> None:
        entry = self._left.current
        if self.part != "leftovers" or entry is None or entry.item is None:
            return
        if entry.item.protected:
            self.console.flash(f"{entry.item.name} stays: {entry.item.protected}.", "wait")
            return
        self.chosen ^= {entry.item.key}
        self._left.action_down()
        self._rechosen()

    def action_choose_all(self) -> None:
        if self.part != "leftovers" or self.plan is None:
            return
        everything = {item.key for item in self.plan.free}
        self.chosen = set() if self.chosen == everything else everything
        self._rechosen()

    def _rechosen(self) -> None:
        self._left.repaint()
        self.draw_frame()

    def action_owners(self) -> None:
        if self.part == "leftovers":
            self.owners = not self.owners
            self.chosen.clear()
            self._look()
            self.draw_frame()

    def action_look(self) -> None:
        if self.part == "leftovers":
            self.console.flash("Looking for what is left over …", "dim")
            self._look()

    def action_copy(self) -> None:
        current = (self._left if self.part == "leftovers" else self._bills).cursor_key
        if isinstance(current, tuple):
            self.console.copy(str(current[1]), "the name")

    def action_lifetime(self) -> None:
        row = self._endpoint()
        if row is None or not self.console.allowed(actions.get("costs.lifetime")):
            return
        self._asked_for = row.bill.name
        self.query_one(Prompt).ask(
            "lifetime", "lifetime ", "", f"of {row.bill.name}: 90m · 8h · 7d · off · keep"
        )

    @on(Prompt.Submitted)
    def _lifetime(self, event: Prompt.Submitted) -> None:
        text, name = event.value.strip().lower(), self._asked_for
        if not text:
            return
        seconds = seconds_of(text)
        if seconds is None and text not in ("off", "keep"):
            self.console.flash(f"✗ {text!r} is no lifetime: write 90m, 8h, 7d, off or keep.", "bad")
            return

        def changed(told: Lifetime) -> None:
            if told.keep:
                said = "is kept: no sweep deletes it"
            elif told.expires is None:
                said = "lives until somebody deletes it"
            else:
                said = (
                    f"expires in {span(told.expires - self.console.services.now())}; then a sweep offers it"
                )
            self.console.flash(f"✓ {name} {said}.")

        services = self.console.services
        self.work(lambda: services.set_lifetime(name, seconds, keep=text == "keep"), changed)

    def action_delete(self) -> None:
        if not self.console.allowed(actions.get("costs.delete")):
            return
        if self.part == "bills":
            row = self._endpoint()
            if row is not None:
                confirm_deletion(self, row.bill.name)
            return
        plan = self.plan
        picked = list(plan.chosen(list(self.chosen))) if plan is not None else []
        if plan is None or not picked:
            self.console.flash("Nothing is chosen: space chooses, a chooses all that may go.", "wait")
            return

        def over() -> None:
            self.chosen.clear()
            if self.is_attached:
                self._look()

        leftovers.confirm_sweep(self.console, picked, plan, self.rules, over)


def seconds_of(text: str) -> float | None:
    """The seconds of ``90m``, ``8h``, ``7d``; None for anything else."""
    factor = {"m": 60.0, "h": 3600.0, "d": 86_400.0}.get(text[-1:])
    try:
        return float(text[:-1]) * factor if factor else None
    except ValueError:
        return None
