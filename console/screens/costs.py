"""Costs & clean-up: what bills now, and what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions
from console.arrangement import Arrangement
from console.formatting import count
from console.screens import bills, costs_facts, leftovers
from console.screens.arranged import ArrangedScreen
from console.screens.dialogs import MessageScreen
from console.screens.endpoints import confirm_deletion, confirm_deletions
from console.trail import Place
from console.widgets.choosing import ChoosableRows
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


class CostsScreen(ArrangedScreen[Any]):
    """Two parts: the bill, dearest first, and what could be deleted."""

    BINDINGS: ClassVar = list(actions.bindings("costs"))
    place = "costs"
    section = "costs"
    noun = "thing"
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
        self._asked_for: tuple[str, ...] = ()
        self._billed = bills.arrangement(self._now)
        self._left_over = leftovers.Leftovers(lambda: self.chosen, self._now)

    def _now(self) -> float:
        return self.console.services.now()

    # Body

    def body(self) -> Iterable[Widget]:
        self._billed.use(self.console.remembered_view("costs"))
        self._left_over.use(self.console.remembered_view("leftovers"))
        yield Line(id="totals")
        yield Line(id="basis")
        with Horizontal(id="split"):
            yield ChoosableRows[Billed](
                self._billed.widget_columns(), key=bills.key, cells=self._billed.cells, id="list"
            )
            yield self._left_over.make_rows()
            yield Page(id="preview")
        yield Prompt()

    def opened(self) -> None:
        self.query_one("#preview").can_focus = False
        self._bills.mark_sorted(*self._billed.mark)
        self._left.mark_sorted(*self._left_over.mark)
        self._show_bills()
        self._show_leftovers()

    # The list that is in sight

    @property
    def arrangement(self) -> Arrangement[Any]:
        return self._left_over if self.part == "leftovers" else self._billed

    @property
    def view_place(self) -> str:
        return "leftovers" if self.part == "leftovers" else "costs"

    def rows(self) -> Rows[Any]:
        return self._left if self.part == "leftovers" else self._bills

    def everything(self) -> Sequence[Any]:
        if self.part == "leftovers":
            return self.plan.items if self.plan is not None else ()
        return self.seen.rows if self.seen is not None else ()

    def listed(self) -> Sequence[Any]:
        if self.part == "leftovers":
            return [entry.item for entry in self._left.items if entry.item is not None]
        return self._bills.items

    def show_rows(self) -> None:
        if self.part == "leftovers":
            self._show_leftovers()
        else:
            self._show_bills()
        self._write()

    def document(self, row: Any) -> object:
        if isinstance(row, Billed):
            return row.as_dict(self._now())
        return {**row.as_dict(), "chosen": row.key in self.chosen}

    def open_filtered(self, text: str) -> None:
        self.show_part("bills")
        self.set_filter(text)

    def subject(self) -> Place | None:
        row = self._bills.current if self.part == "bills" else None
        return self.place_of(row) if row is not None else None

    def place_of(self, row: Any) -> Place | None:
        return Place(bills.KINDS[row.bill.kind], row.bill.name)

    # Both lists

    def part_shown(self, name: str) -> None:
        if not self.has("#left-list"):
            return
        (self._left if name == "leftovers" else self._bills).focus()
        if name == "leftovers" and self.plan is None:
            self._look()
        self._write()

    @property
    def _bills(self) -> ChoosableRows[Billed]:
        return self.query_one("#list", ChoosableRows)

    @property
    def _left(self) -> Rows[leftovers.Entry]:
        return self.query_one("#left-list", Rows)

    @property
    def seen(self) -> CostView | None:
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
        view, now = self.seen, self._now()
        if self.arrangement.filter and self.has("#left-list") and (total := len(self.everything())):
            return self._with_marks(self.of_all(len(self.listed()), total))
        if view is None:
            return ""
        marked = sum(1 for row in view.rows if row.marks(now))
        return self._with_marks(
            f"{count(len(view.rows), 'thing')} {'bills' if len(view.rows) == 1 else 'bill'}"
            + (f" · {marked} to look at" if marked else "")
        )

    def _with_marks(self, text: str) -> str:
        chosen = self.rows().chosen if self.has("#left-list") else ()
        return f"{len(chosen)} marked · {text}" if chosen else text

    def offers(self, action: actions.Action) -> bool:
        left_over = self.part == "leftovers"
        if action.verb in ("choose", "choose_all", "look", "owners"):
            return left_over
        if action.verb == "lifetime":
            return bool(self._endpoints())
        if action.verb == "delete":
            return bool(self.chosen) if left_over else bool(self._endpoints())
        return True

    # What bills

    def _show_bills(self) -> None:
        view, rows = self.seen, self._bills
        if view is None:
            rows.show_when_empty("Looking up what bills …")
        elif view.rows:
            rows.show_when_empty(*self.none_matches(len(view.rows)))
        else:
            rows.show_when_empty(
                "Nothing bills: no endpoint, no running job.",
                "Tab shows what is left over.",
            )
        rows.show(self._billed.arranged(view.rows) if view is not None else ())
        if view is not None:
            rows.keep_chosen(bills.key(row) for row in view.rows)

    def _endpoints(self) -> list[str]:
        """The endpoints among the marked rows of the bill, or else the one under the cursor."""
        chosen = self.selection() if self.part == "bills" and self.has("#list") else []
        return [row.bill.name for row in chosen if row.bill.kind == ENDPOINT]

    def _only_endpoints(self, what: str) -> list[str]:
        """The same; says so where something else is marked, too."""
        names = self._endpoints()
        others = len(self.selection()) - len(names) if self.part == "bills" else 0
        if others:
            self.console.flash(f"Only endpoints {what}: {count(others, 'job')} left out.", "wait")
        return names

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
        elif self.plan.items:
            rows.show_when_empty(*self.none_matches(len(self.plan.items)))
        else:
            rows.show_when_empty("Nothing is left over.", *self.plan.notes)
        rows.show(self._left_over.entries(self.plan.items if self.plan is not None else ()))

    # The lines above, and the preview

    def draw_frame(self) -> None:
        super().draw_frame()
        if self.is_mounted and self.has("#basis"):
            self._draw_totals()

    def _draw_totals(self) -> None:
        listed = self.listed() if self.arrangement.filter else None
        number = len(listed) if listed is not None else None
        if self.part == "leftovers":
            picked = self.plan.chosen(list(self.chosen)) if self.plan else ()
            saved = sum(item.hourly.month for item in picked)
            hidden = len({item.key for item in picked} - {item.key for item in listed or picked})
            lines = costs_facts.plan_totals(self.plan, len(picked), saved, self.owners, number, hidden)
        else:
            lines = costs_facts.totals(self.seen, self.console.services.target, number)
        for name, line in zip(("#totals", "#basis"), lines, strict=True):
            self.query_one(name, Line).show([(" ", ""), *line])

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._write()
        self.draw_keys()

    def _write(self) -> None:
        page = self.query_one("#preview", Page)
        now, view = self._now(), self.seen
        row = self._bills.current
        entry = self._left.current
        if self.part == "leftovers" and entry is not None and entry.item is not None:
            item = entry.item
            tells = costs_facts.leftover_facts if self.wide else costs_facts.leftover_brief
            page.show(lambda width: tells(item, now, width))
        elif self.part == "bills" and row is not None and view is not None:
            page.show(
                lambda width: (
                    costs_facts.bill_facts(row, view, now, width)
                    if self.wide
                    else costs_facts.bill_brief(row, now, width)
                )
            )
        else:
            page.show(lambda width: [])
        page.display = self.wide or self.rows().current is not None

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
            item, now = entry.item, self._now()
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
        listed = {item.key for item in self.listed() if not item.protected}
        self.chosen = self.chosen - listed if listed <= self.chosen else self.chosen | listed
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
        names = [row.name if self.part == "leftovers" else row.bill.name for row in self.selection()]
        if names:
            self.console.copy("\n".join(names), "the name" if len(names) == 1 else f"{len(names)} names")

    def selection(self) -> list[Any]:
        found = super().selection()
        return [entry.item for entry in found] if self.part == "leftovers" else found

    def action_lifetime(self) -> None:
        if not self._endpoints() or not self.console.allowed(actions.get("costs.lifetime")):
            return
        names = self._only_endpoints("have a lifetime")
        self._asked_for = tuple(names)
        of = names[0] if len(names) == 1 else f"{len(names)} endpoints"
        self.query_one(Prompt).ask("lifetime", "lifetime ", "", f"of {of}: 90m · 8h · 7d · off · keep")

    @on(Prompt.Submitted)
    def _lifetime(self, event: Prompt.Submitted) -> None:
        text, names = event.value.strip().lower(), self._asked_for
        if event.purpose != "lifetime" or not text:
            return
        seconds = seconds_of(text)
        if seconds is None and text not in ("off", "keep"):
            self.console.flash(f"✗ {text!r} is no lifetime: write 90m, 8h, 7d, off or keep.", "bad")
            return

        def changed(told: Lifetime) -> None:
            self.console.flash(f"✓ {costs_facts.lifetime_told(told, names, self._now())}")

        services = self.console.services
        self.work(
            lambda: [services.set_lifetime(name, seconds, keep=text == "keep") for name in names][-1], changed
        )

    def action_delete(self) -> None:
        if not self.console.allowed(actions.get("costs.delete")):
            return
        if self.part == "bills":
            names = self._only_endpoints("are deleted here")
            if names and self._bills.chosen:
                confirm_deletions(self, names, lambda name: (ENDPOINT, name))
            elif names:
                confirm_deletion(self, names[0])
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
