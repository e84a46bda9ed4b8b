"""Drift of an endpoint: what it is asked now against a baseline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console import actions
from console.screens import drift_facts
from console.screens.base import ConsoleScreen
from console.screens.costs import seconds_of
from console.trail import Place
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from workflows.drift.report import DriftReport
from workflows.problem import Problem


class DriftScreen(ConsoleScreen):
    """Compares at once with the first half of the capture; b names another baseline."""

    BINDINGS: ClassVar = list(actions.bindings("drift"))
    place = "drift"
    section = "endpoints"

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.baseline, self.since, self.column = "first:half", "", ""
        self.report: DriftReport | None = None
        self._failed: Problem | None = None
        self._asked = 0

    @property
    def location(self) -> Place:
        return Place("drift", self.endpoint)

    def body(self) -> Iterable[Widget]:
        with Vertical(id="drift"):
            yield Page(id="drift-page")
        yield Prompt()

    def opened(self) -> None:
        self.query_one(Page).focus()
        self._look()

    def trail(self) -> str:
        return f"{self.endpoint} › drift"

    def summary(self) -> str:
        return "" if self.report is None else drift_facts.VERDICTS[self.report.verdict][0]

    def summary_role(self) -> str:
        return "dim" if self.report is None else drift_facts.VERDICTS[self.report.verdict][1]

    def problem(self) -> Problem | None:
        return self._failed

    def _look(self) -> None:
        self._asked += 1
        number, services = self._asked, self.console.services
        endpoint, baseline, column = self.endpoint, self.baseline, self.column
        since = seconds_of(self.since) if self.since else None

        def compared(report: DriftReport) -> None:
            if number == self._asked:
                self.report, self._failed = report, None
                self._write()

        def failed(problem: Problem) -> None:
            if number == self._asked:
                self.report, self._failed = None, problem
                self._write()

        self.report, self._failed = None, None
        self.work(lambda: services.drift(endpoint, baseline, since, column), compared, failed)
        self._write()

    def _write(self) -> None:
        if not self.is_attached:
            return
        report, waiting = self.report, self._failed is None
        asked = drift_facts.Asked(self.baseline, self.since, self.column)
        self.query_one(Page).show(lambda width: drift_facts.page(report, asked, width, waiting=waiting))
        self.draw_frame()

    # Actions

    def action_baseline(self) -> None:
        self._ask("baseline", self.baseline, "a file · s3://… · job:NAME/CHANNEL · first:500 · first:half · before:1d")  # fmt: skip

    def action_since(self) -> None:
        self._ask("window", self.since, "90m · 12h · 7d · empty: all that was captured")

    def action_column(self) -> None:
        self._ask("column", self.column, "the column or JSON member that holds texts; empty: none")

    def action_look(self) -> None:
        self._look()

    def _ask(self, what: str, value: str, placeholder: str) -> None:
        self.query_one(Prompt).ask(what, f"{what} ", value, placeholder)

    @on(Prompt.Submitted)
    def _answered(self, event: Prompt.Submitted) -> None:
        text = event.value.strip()
        if event.purpose == "baseline":
            self.baseline = text or "first:half"
        elif event.purpose == "column":
            self.column = text
        elif text and seconds_of(text) is None:
            self.console.flash(f"✗ {text!r} is no length of time: write 90m, 12h or 7d.", "bad")
            return
        else:
            self.since = text
        self._look()
