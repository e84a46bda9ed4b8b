"""The audit log: what was changed from here, by whom, with which result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from textual import on

from console import actions
from console.arrangement import ListColumn
from console.formatting import ago, clock, duration, grouped
from console.screens.facts import fact, head
from console.screens.help import TextScreen
from console.screens.listing import ListScreen, when
from console.trail import Place
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.safety.auditlog import Entry
from workflows.topics import Topic

RESULTS = {"ok": ("✓", "ok"), "unknown": ("?", "wait"), "read-only": ("■", "wait")}
"""Glyph and role of a result; every other one is an error."""
MEANINGS = {
    "unknown": "No answer was written down: the process was killed meanwhile, or the call goes on.",
    "read-only": "It was not sent: changes are switched off.",
}


def result(entry: Entry) -> Cell:
    """What came of a change: glyph, word and role."""
    glyph, role = RESULTS.get(entry.result, ("✗", "bad"))
    return Cell(f"{glyph} {entry.result}", role)


def facts(entry: Entry, now: float, width: int) -> Lines:
    """One entry with all that it holds."""
    shown = result(entry)
    lines: Lines = [[(entry.operation, "strong")], [(shown.text, shown.role)]]
    if text := entry.message or MEANINGS.get(entry.result, ""):
        lines += fact("", text, width, "dim")
    lines.append([])
    where = " ".join(part for part in (entry.target, entry.profile, entry.account, entry.region) if part)
    took = duration(entry.seconds) if entry.seconds is not None else ""
    for label, value in (
        ("resource", entry.resource), ("service", entry.service), ("when", f"{clock(entry.time, day=True)} · {ago(entry.time, now)}"),
        ("who", f"{entry.user} on {entry.host}"), ("by", entry.by), ("where", where or "this machine"), ("took", took),
    ):  # fmt: skip
        if value:
            lines += fact(label, value, width)
    if entry.parameters:
        lines += [[], head("Parameters")]
        for name, value in entry.parameters.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines += fact(name, text, width)
    return lines


class AuditScreen(ListScreen[Entry]):
    """Every change that was asked for from this machine, the newest first."""

    BINDINGS: ClassVar = list(actions.bindings("audit"))
    place = "audit"
    section = "home"
    noun = "change"
    topic = topics.AUDIT
    order = "when"

    def columns(self) -> Sequence[ListColumn[Entry]]:
        return (
            ListColumn("when", Column("When", 9), lambda row: Cell(when(row.time, self.console.services.now()), "dim"), lambda row: row.time, descending=True, clock=True),
            ListColumn("operation", Column("Operation", 22, grow=1), lambda row: Cell(row.operation), lambda row: (row.operation, row.time)),
            ListColumn("resource", Column("Resource", 20, grow=3, middle=True), lambda row: Cell(row.resource, "strong"), lambda row: (row.resource, row.time)),
            ListColumn("result", Column("Result", 12, grow=1, watch=True), result, lambda row: (row.result, row.time)),
            ListColumn("by", Column("By", 16, grow=1, drop=1), lambda row: Cell(row.by, "dim"), lambda row: (row.by, row.time)),
            ListColumn("target", Column("Where", 9, drop=2), lambda row: Cell(row.target or "here", "dim"), lambda row: (row.target, row.time)),
            ListColumn("user", Column("Who", 10, drop=3), lambda row: Cell(row.user, "dim"), lambda row: (row.user, row.time), extra=True),
            ListColumn("account", Column("Account", 12, drop=4), lambda row: Cell(row.account, "dim"), lambda row: (row.account, row.time), extra=True),
            ListColumn("region", Column("Region", 12, drop=4), lambda row: Cell(row.region, "dim"), lambda row: (row.region, row.time), extra=True),
        )  # fmt: skip

    @property
    def location(self) -> Place:
        return Place("audit")

    def trail(self) -> str:
        return "Audit log"

    def key(self, row: Entry) -> str:
        return row.id

    def fields(self, row: Entry) -> Mapping[str, str]:
        return {
            "operation": row.operation, "resource": row.resource, "result": row.result, "by": row.by, "target": row.target or "here",
            "user": row.user, "account": row.account, "region": row.region, "service": row.service,
        }  # fmt: skip

    def topics(self) -> Sequence[Topic[Any]]:
        return [self.topic]

    def write_preview(self, name: str) -> None:
        row = self.rows().current
        if row is not None and self.wide:
            now = self.console.services.now()
            self.query_one("#preview", Page).show(lambda width: facts(row, now, width))

    @on(Rows.Highlighted, "#list")
    def _looked_at(self) -> None:
        self.write_preview("")

    def empty_lines(self) -> Sequence[str]:
        return (
            "Nothing was changed from here yet.",
            "Everything that is started, stopped, changed or deleted is written down here.",
        )

    @on(Rows.Opened, "#list")
    def _open(self) -> None:
        row = self.rows().current
        if row is not None:
            text = json.dumps(asdict(row), indent=2, ensure_ascii=False)
            self.console.push_screen(TextScreen(f"{row.operation} {row.resource}".rstrip(), text))

    def action_copy(self) -> None:
        chosen = self.selection()
        if chosen:
            text = "\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in chosen)
            self.console.copy(text, "the entry" if len(chosen) == 1 else f"{grouped(len(chosen))} entries")
