"""The leaderboard of a tuning job: its trials in a list that can be sorted and narrowed, and all about the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console import filtering
from console.formatting import count, duration, number
from console.screens.findings import Findings
from console.screens.tuning_facts import short_name, shown, trial_facts, trial_status
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.observe.tuning_rows import TrialRow
from workflows.tuning.analysis import ordered

FIRST_PARAMETER = 5
"""Columns before those of the hyperparameters."""


class TrialsPane(Vertical):
    """The trials, best first. ``s`` goes through the columns."""

    def __init__(self, *, id: str = "trials") -> None:
        super().__init__(id=id)
        self._findings: Findings | None = None
        self._now = 0.0
        self._order = 0
        self._descending = False
        self._ranks: dict[str, int] = {}
        self._parameters: tuple[str, ...] = ()
        self.filter = ""
        self.settled = False
        """Whether a person has moved the cursor; until then it stays on the best trial, whichever that is."""

    def on_key(self) -> None:
        self.settled = True

    def on_click(self) -> None:
        self.settled = True

    def compose(self) -> Iterable[Widget]:
        yield Rows[TrialRow](
            self._columns(), key=lambda trial: trial.name, cells=self._cells, id="trial-list"
        )
        yield Page(id="trial")
        yield Prompt()

    def on_mount(self) -> None:
        self.query_one("#trial").can_focus = False
        self.rows.show_when_empty("Loading the trials …")
        self.rows.mark_sorted(2, False)

    @property
    def rows(self) -> Rows[TrialRow]:
        return self.query_one("#trial-list", Rows)

    @property
    def current(self) -> TrialRow | None:
        """The trial under the cursor."""
        return self.rows.current

    def _columns(self) -> list[Column]:
        columns = [
            Column("#", 3, right=True),
            Column("Trial", 12),
            Column("Objective", 11, right=True, watch=True),
            Column("Status", 12, watch=True),
            Column("Time", 8, right=True, drop=2),
        ]
        for place, name in enumerate(self._parameters):
            columns.append(
                Column(
                    name,
                    max(9, min(11, len(name))),
                    right=True,
                    drop=1 if place < 2 else 4 if place < 4 else 9 + place,
                )
            )
        return [*columns, Column("Note", 14, grow=1, drop=6)]

    def _cells(self, trial: TrialRow) -> tuple[Cell, ...]:
        rank = self._ranks.get(trial.name)
        state = trial_status(trial)
        tuning = self._findings.view.detail.name if self._findings else ""
        first = rank == 1
        note = trial.failure_reason.strip().splitlines()[0] if trial.failure_reason.strip() else ""
        if not note and trial.value is None and trial.objective_status == "Failed":
            note = "no value in its log"
        return (
            Cell("◆" if first else str(rank or "–"), "series-2" if first else "dim"),
            Cell(short_name(trial.name, tuning), "strong" if first else ""),
            Cell(number(trial.value), "strong" if first else "" if trial.value is not None else "dim"),
            Cell(str(state), state.role),
            Cell(duration(trial.seconds(self._now)), "dim"),
            *(Cell(shown(trial.tuned[name]) if name in trial.tuned else "–") for name in self._parameters),
            Cell(note, "bad" if trial.failure_reason else "dim"),
        )

    def show_findings(self, findings: Findings, now: float) -> None:
        """Show the trials of a newer view."""
        self._findings, self._now = findings, now
        scored = [trial.name for trial in findings.ranked if trial.value is not None]
        self._ranks = {name: place for place, name in enumerate(scored, 1)}
        self._parameters = tuple(item.name for item in findings.view.detail.ranges)
        self.rows.set_columns(self._columns())
        self._show()

    def tick(self, now: float) -> None:
        """Durations grow."""
        self._now = now
        self.rows.repaint()

    def _sorted(self) -> Sequence[TrialRow]:
        assert self._findings is not None
        names = self._sortable()
        name = names[self._order % len(names)]
        if name == "rank":
            ranked = self._findings.ranked
            if not self._descending:
                return ranked
            valued = [trial for trial in ranked if trial.value is not None]
            return [*reversed(valued), *(trial for trial in ranked if trial.value is None)]
        return ordered(self._findings.view.trials, name, now=self._now, descending=self._descending)

    def _sortable(self) -> tuple[str, ...]:
        return ("rank", "name", "status", "duration", *self._parameters)

    def _show(self) -> None:
        if self._findings is None:
            return
        shown_trials = self._sorted()
        if self.filter:
            wanted = filtering.parse(self.filter)
            shown_trials = [trial for trial in shown_trials if wanted.matches(self._fields(trial))]
            if wanted.fuzzy:
                shown_trials = sorted(shown_trials, key=lambda trial: -wanted.score(self._fields(trial)))
        self.rows.show_when_empty(
            f"None of {count(len(self._findings.ranked), 'trial')} matches {self.filter!r}."
            if self.filter
            else "No trial has been started yet."
        )
        self.rows.show(shown_trials)
        if not self.settled:
            self.rows.action_first()
        self._describe()

    def _fields(self, trial: TrialRow) -> dict[str, str]:
        *_, note = self._cells(trial)
        return {
            "name": trial.name,
            "status": trial_status(trial).word,
            "value": number(trial.value),
            "note": note.text,
            **{name: shown(value) for name, value in trial.tuned.items()},
        }

    @on(Rows.Highlighted, "#trial-list")
    def _describe(self) -> None:
        trial, findings = self.current, self._findings
        page = self.query_one("#trial", Page)
        if trial is None or findings is None:
            page.show(lambda width: [])
            return
        now, rank = self._now, self._ranks.get(trial.name)
        page.show(lambda width: trial_facts(trial, findings.view.detail.name, now, width, rank=rank))

    # Actions

    def sort(self) -> None:
        """By the next column."""
        self._order = (self._order + 1) % len(self._sortable())
        self._descending = False
        self._reorder()

    def reverse(self) -> None:
        """The other way round."""
        self._descending = not self._descending
        self._reorder()

    def _reorder(self) -> None:
        places = [2, 1, 3, 4, *range(FIRST_PARAMETER, FIRST_PARAMETER + len(self._parameters))]
        self.rows.mark_sorted(places[self._order], self._descending)
        self._show()

    def ask_filter(self) -> None:
        """Open the prompt of the filter."""
        self.query_one(Prompt).ask("filter", "/", self.filter, filtering.HINT)

    def set_filter(self, text: str) -> None:
        """Narrow the list."""
        self.filter = text.strip()
        self._show()

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        event.stop()
        self.set_filter(event.value)

    @on(Prompt.Submitted)
    def _filtered(self, event: Prompt.Submitted) -> None:
        event.stop()
        self.set_filter(event.value)
