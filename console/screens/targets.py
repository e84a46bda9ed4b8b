"""Several targets side by side: what runs and what serves at each, and why one does not answer."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.widget import Widget

from console import actions, targets
from console.arrangement import ListColumn
from console.formatting import span
from console.messages import GlanceArrived
from console.screens.listing import ListScreen
from console.trail import Place
from console.widgets.choosing import ChoosableRows
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows.targets.glance import Glance

if TYPE_CHECKING:
    from workflows.problem import Problem
    from workflows.targets.entries import Entry
    from workflows.targets.glance import Tally
    from workflows.topics import Topic

EVERY, SLOWLY = 60.0, 300.0
"""Seconds between two looks while the screen is in sight; on a slow line."""
ROOMY = 140
"""Columns from which on the states of endpoints are words."""
STALE = 2.5
"""From so many times that on, figures are marked as old."""


class TargetsScreen(ListScreen[Glance]):
    """A row for each target, filled as it answers. Enter works there from then on.

    A row is what was seen last, with the problem of the newest look; its ``at`` is 0 as long as nothing was seen.
    """

    BINDINGS: ClassVar = list(actions.bindings("targets"))
    place = "targets"
    section = "home"
    noun = "target"
    order = "listed"

    def __init__(self) -> None:
        super().__init__()
        self.entries: Sequence[Entry] = ()
        self.seen: dict[Entry, Glance] = {}
        """The last good look at each target."""
        self.failed: dict[Entry, Problem] = {}
        """Why the newest look at a target failed."""
        self._asking: set[Entry] = set()
        self._asked_at = 0.0

    @property
    def location(self) -> Place:
        return Place("targets")

    def trail(self) -> str:
        return "Targets"

    def arranged(self, rows: ChoosableRows[Glance]) -> Iterable[Widget]:
        yield rows
        yield Page(id="reasons")

    def opened(self) -> None:
        self.entries = self.console.services.targets()
        super().opened()

    # Asking

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._due:
            self._ask()

    def look(self) -> None:
        self._ask()

    def tick(self) -> None:
        super().tick()
        if self._due and self.app.app_focus and not self.console.hub_status.paused:
            self._ask()

    @property
    def _every(self) -> float:
        return SLOWLY if self.console.low_bandwidth else EVERY

    @property
    def _due(self) -> bool:
        return not self._asking and self.console.services.now() - self._asked_at >= self._every

    def _ask(self) -> None:
        """Ask those anew that are not being asked: one that hangs is left alone, and keeps no other one from it."""
        entries = [entry for entry in self.entries if entry not in self._asking]
        if not entries:
            return
        self._asked_at = self.console.services.now()
        self._asking.update(entries)
        services = self.console.services
        self.work(
            lambda: services.glances(entries, self._deliver_glance),
            lambda _: self._over(entries),
            lambda problem: self._over(entries, problem),
        )
        self._show()

    def _deliver_glance(self, glance: Glance) -> None:
        """Called in another thread."""
        self.post_message(GlanceArrived(glance))

    @on(GlanceArrived)
    def _answered(self, message: GlanceArrived) -> None:
        glance = message.glance
        self._asking.discard(glance.entry)
        if glance.problem is None:
            self.seen[glance.entry] = glance
            self.failed.pop(glance.entry, None)
        else:
            self.failed[glance.entry] = glance.problem
        if self.is_attached:
            self._show()

    def _over(self, entries: Sequence[Entry], problem: Problem | None = None) -> None:
        """The look has ended: nobody is waited for any more."""
        for entry in entries:
            if problem is not None and entry in self._asking:
                self.failed[entry] = problem
            self._asking.discard(entry)
        if self.is_attached:
            self._show()

    # What is listed

    def _primary(self) -> None:
        """No age in the header: each row has its own."""

    def topics(self) -> Sequence[Topic[Any]]:
        return ()  # they are asked from here

    def awaited(self) -> Sequence[str]:
        return ()  # which ones there are is known at once

    def everything(self) -> Sequence[Glance]:
        return [self._row(entry) for entry in self.entries]

    def _row(self, entry: Entry) -> Glance:
        seen = self.seen.get(entry) or Glance(entry=entry, at=0.0, region=entry.region)
        return replace(seen, problem=self.failed.get(entry))

    def key(self, row: Glance) -> Entry:
        return row.entry

    def fields(self, row: Glance) -> Mapping[str, str]:
        return {
            "target": str(row.entry), "region": row.region, "account": row.account, "state": self._state(row).text,
            "profile": row.entry.profile, "endpoints": targets.endpoints(row),
        }  # fmt: skip

    def document(self, row: Glance) -> dict[str, Any]:
        return {**row.as_dict(), "at": row.at or None}

    def here(self, entry: Entry) -> bool:
        """Whether the console works at this target now."""
        services = self.console.services
        if entry.target != services.target:
            return False
        return entry.target == "embedded" or (entry.profile, entry.region) == (
            services.profile,
            services.region,
        )

    def columns(self) -> Sequence[ListColumn[Glance]]:
        wide = self.wide

        def column(
            name: str, column: Column, cell: Callable[[Glance], Cell], *, extra: bool = False
        ) -> ListColumn[Glance]:
            return ListColumn(name, column, cell, targets.ORDERS[name], name in targets.LARGEST_FIRST, extra)

        return (
            column("target", Column("Target", 16, grow=2, middle=True), self._named),
            column("region", Column("Region", 12, drop=6), lambda row: Cell(row.region or "–", "dim")),
            column("account", Column("Account", 12, drop=5), lambda row: Cell(row.account or "–", "dim")),
            column("state", Column("State", 12, watch=True), self._state),
            column("training", Column("Training" if wide else "Train", 8 if wide else 5, drop=1, right=True, watch=True), lambda row: self._tally(row, row.training)),
            column("tuning", Column("Tuning" if wide else "Tune", 6 if wide else 4, drop=3, right=True, watch=True), lambda row: self._tally(row, row.tuning)),
            column("transform", Column("Transform" if wide else "Batch", 9 if wide else 5, drop=2, right=True, watch=True), lambda row: self._tally(row, row.transform)),
            column("endpoints", Column("Endpoints", 25 if self._roomy else 13 if wide else 11, watch=True), self._endpoints),
            column("cost", Column("$/h", 8 if wide else 7, right=True), self._cost),
            ListColumn("age", Column("Age", 4, drop=4, right=True), self._age_cell, lambda row: -row.at if row.at else None, clock=True),
            ListColumn("profile", Column("Profile", 14, drop=7), lambda row: Cell(row.entry.profile or "–", "dim"), lambda row: row.entry.profile or None, extra=True),
            ListColumn("listed", Column("Listed", 8, drop=8, right=True), lambda row: Cell(str(1 + self.entries.index(row.entry)), "dim"), lambda row: self.entries.index(row.entry), extra=True),
        )  # fmt: skip

    @property
    def _roomy(self) -> bool:
        return self.app.size.width >= ROOMY

    # Cells

    def _age(self, row: Glance) -> float:
        return max(0.0, self.console.services.now() - row.at)

    def _old(self, row: Glance) -> bool:
        """Whether the figures of a row are no longer those of now."""
        return row.problem is not None or self._age(row) >= STALE * self._every

    def _figure(self, row: Glance, text: str, role: str = "") -> Cell:
        return Cell(text or "–", "dim" if text in ("", "0", "–") or self._old(row) else role)

    def _named(self, row: Glance) -> Cell:
        here = self.here(row.entry)
        return Cell(("▸ " if here else "  ") + str(row.entry), "strong" if here else "")

    def _state(self, row: Glance) -> Cell:
        if row.at or row.problem is not None:
            return Cell(*targets.state(row))
        return Cell("… asking" if row.entry in self._asking else "–", "dim")

    def _tally(self, row: Glance, found: Tally | None) -> Cell:
        return self._figure(row, targets.tally(found))

    def _endpoints(self, row: Glance) -> Cell:
        failed = row.endpoints is not None and row.endpoints.failed
        return self._figure(row, targets.endpoints(row, short=not self._roomy), "bad" if failed else "")

    def _cost(self, row: Glance) -> Cell:
        return self._figure(row, targets.price(row), "strong" if row.hourly else "dim")

    def _age_cell(self, row: Glance) -> Cell:
        return Cell(span(self._age(row)), "wait" if self._old(row) else "dim") if row.at else Cell("–", "dim")

    # Showing

    def _show(self) -> None:
        self.show_rows()
        self.draw_frame()

    def show_rows(self) -> None:
        super().show_rows()
        rows, total = self.rows(), len(self.entries)
        lines = 0 if rows.items else 1 + len(self.when_empty(total))
        rows.styles.height = 1 + max(total, lines)  # the reasons stay where they are whatever is listed
        self.query_one("#reasons", Page).show(self._reasons)

    def _reasons(self, width: int) -> Lines:
        """Below the rows, for those that are listed: why one did not answer, what its figures rest on, and how to have others here."""
        lines: Lines = []
        room = max(20, width - 2)

        def paragraph(text: str, role: str) -> Lines:
            return [[("  " + piece, role)] for piece in textwrap.wrap(text, room, break_on_hyphens=False)]

        listed = self.rows().items
        for row in listed:
            if row.problem is not None:
                lines += [[], [(f"✗ {row.entry}", "bad")], *paragraph(row.problem.sentence, "")]
                if row.at:
                    lines += paragraph("Shown is what was seen last.", "wait")
                lines += paragraph(row.problem.remedy, "dim") if row.problem.remedy else []
            elif row.notes:
                lines += [[], [(f"! {row.entry}", "wait")]]
                for note in row.notes:
                    lines += paragraph(note, "")
        bases = dict.fromkeys(row.basis for row in listed if row.basis)
        if bases:
            more = (
                "" if not any(row.at_least for row in listed) else "; > is what was looked at, and more is up"
            )
            lines += [[], *paragraph(f"$/h is an estimate from {', '.join(bases)}{more}.", "dim")]
        if all(self.here(entry) or entry.target == "embedded" for entry in self.entries):
            lines += [
                [],
                *paragraph(
                    "Other accounts and regions stand here, too, when the option targets names them:", ""
                ),
            ]
            lines += paragraph('targets = "embedded, PROFILE, PROFILE@REGION, @REGION"', "strong")
            lines += paragraph(
                "It belongs into the file that `mlconsole config path` prints, or into MLCONSOLE_TARGETS.",
                "dim",
            )
        return lines

    def coming(self) -> str:
        failed = f" · {len(self.failed)} failed" if self.failed else ""
        return f"{failed} · asking {len(self._asking)} …" if self._asking else failed

    # Doing

    @on(Rows.Opened, "#list")
    def _open(self) -> None:
        row = self.rows().current
        if row is None:
            return
        if self.here(row.entry):
            self.console.flash("You work there already.", "dim")
            return
        self.console.move(**row.entry.changes)

    def action_copy(self) -> None:
        chosen = self.selection()
        if chosen:
            text = "\n".join(json.dumps(self.document(row), ensure_ascii=False) for row in chosen)
            of = "the target" if len(chosen) == 1 else f"{len(chosen)} targets"
            self.console.copy(text, f"what is known of {of}")
