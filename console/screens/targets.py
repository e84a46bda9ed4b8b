"""Several targets side by side: what runs and what serves at each, and why one does not answer."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.widget import Widget

from console import actions, targets
from console.formatting import count, span
from console.messages import GlanceArrived
from console.screens.base import ConsoleScreen
from console.trail import Place
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Cell, Column, Rows

if TYPE_CHECKING:
    from workflows.problem import Problem
    from workflows.targets.entries import Entry
    from workflows.targets.glance import Glance

EVERY, SLOWLY = 60.0, 300.0
"""Seconds between two looks while the screen is in sight; on a slow line."""
ROOMY = 140
"""Columns from which on the states of endpoints are words."""
STALE = 2.5
"""From so many times that on, figures are marked as old."""


class TargetsScreen(ConsoleScreen):
    """A row for each target, filled as it answers. Enter works there from then on."""

    BINDINGS: ClassVar = list(actions.bindings("targets"))
    place = "targets"
    section = "home"

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

    def body(self) -> Iterable[Widget]:
        yield Rows["Entry"](self._columns(), key=lambda entry: entry, cells=self._cells, id="list")
        yield Page(id="reasons")

    def opened(self) -> None:
        self.entries = self.console.services.targets()
        self._list.styles.height = len(self.entries) + 1
        self._list.focus()
        self._show()

    @property
    def _list(self) -> Rows[Entry]:
        return self.query_one("#list", Rows)

    # Asking

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._due:
            self._ask()

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_mounted and self.has("#list"):
            self._list.set_columns(self._columns())

    def look(self) -> None:
        self._ask()

    def tick(self) -> None:
        if self._due and self.app.app_focus and not self.console.hub_status.paused:
            self._ask()
        self._list.repaint()

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

    # Showing

    def here(self, entry: Entry) -> bool:
        """Whether the console works at this target now."""
        services = self.console.services
        if entry.target != services.target:
            return False
        return entry.target == "embedded" or (entry.profile, entry.region) == (
            services.profile,
            services.region,
        )

    def _show(self) -> None:
        self._list.set_columns(self._columns())
        self._list.show(self.entries)
        self.query_one("#reasons", Page).show(self._reasons)
        self.draw_frame()

    @property
    def _roomy(self) -> bool:
        return self.app.size.width >= ROOMY

    def _columns(self) -> list[Column]:
        wide = self.wide
        return [
            Column("Target", 16, grow=2, middle=True),
            Column("Region", 12, drop=2),
            Column("Account", 12, drop=1),
            Column("State", 12, watch=True),
            Column("Training" if wide else "Train", 8 if wide else 5, right=True, watch=True),
            Column("Tuning" if wide else "Tune", 6 if wide else 4, right=True, watch=True),
            Column("Transform" if wide else "Batch", 9 if wide else 5, right=True, watch=True),
            Column("Endpoints", 25 if self._roomy else 13 if wide else 11, watch=True),
            Column("$/h", 8 if wide else 7, right=True),
            Column("Age", 4, right=True),
        ]

    def _cells(self, entry: Entry) -> tuple[Cell, ...]:
        glance, problem = self.seen.get(entry), self.failed.get(entry)
        mark = "▸ " if self.here(entry) else "  "
        name = Cell(mark + str(entry), "strong" if self.here(entry) else "")
        state = Cell(*targets.failure(problem)) if problem else Cell(*targets.state(glance)) if glance else Cell("… asking" if entry in self._asking else "–", "dim")  # fmt: skip
        if glance is None:
            return (name, Cell(entry.region or "–", "dim"), Cell("–", "dim"), state, *[Cell("–", "dim")] * 6)
        age = max(0.0, self.console.services.now() - glance.at)
        old = problem is not None or age >= STALE * self._every
        role = "dim" if old else ""
        bad = "bad" if glance.endpoints is not None and glance.endpoints.failed and not old else role
        numbers = (targets.tally(found) for found in (glance.training, glance.tuning, glance.transform))
        return (
            name,
            Cell(glance.region, "dim"),
            Cell(glance.account, "dim"),
            state,
            *(Cell(text, "dim" if text in ("0", "–") else role) for text in numbers),
            Cell(targets.endpoints(glance, short=not self._roomy) or "–", bad),
            Cell(targets.price(glance) or "–", role or ("strong" if glance.hourly else "dim")),
            Cell(span(age), "wait" if old else "dim"),
        )

    def _reasons(self, width: int) -> Lines:
        """Below the rows: why one did not answer, what its figures rest on, and how to have others here."""
        lines: Lines = []
        room = max(20, width - 2)

        def paragraph(text: str, role: str) -> Lines:
            return [[("  " + piece, role)] for piece in textwrap.wrap(text, room, break_on_hyphens=False)]

        for entry in self.entries:
            glance, problem = self.seen.get(entry), self.failed.get(entry)
            if problem is not None:
                lines += [[], [(f"✗ {entry}", "bad")], *paragraph(problem.sentence, "")]
                if glance is not None:
                    lines += paragraph("Shown is what was seen last.", "wait")
                lines += paragraph(problem.remedy, "dim") if problem.remedy else []
            elif glance is not None and glance.notes:
                lines += [[], [(f"! {entry}", "wait")]]
                for note in glance.notes:
                    lines += paragraph(note, "")
        bases = dict.fromkeys(glance.basis for glance in self.seen.values() if glance.basis)
        if bases:
            more = (
                ""
                if not any(one.at_least for one in self.seen.values())
                else "; > is what was looked at, and more is up"
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

    def summary(self) -> str:
        text = count(len(self.entries), "target")
        if self.failed:
            text += f" · {len(self.failed)} failed"
        return f"{text} · asking {len(self._asking)} …" if self._asking else text

    # Doing

    @on(Rows.Opened, "#list")
    def _open(self) -> None:
        entry = self._list.current
        if entry is None:
            return
        if self.here(entry):
            self.console.flash("You work there already.", "dim")
            return
        self.console.move(**entry.changes)

    def action_copy(self) -> None:
        entry = self._list.current
        if entry is None:
            return
        found = self.seen.get(entry)
        document: dict[str, Any] = found.as_dict() if found else {"target": str(entry)}
        if problem := self.failed.get(entry):
            document["problem"] = problem.as_dict()
        self.console.copy(json.dumps(document, ensure_ascii=False), "what is known of the target")
