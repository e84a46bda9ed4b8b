"""The leaderboard of a tuning job: how its trials are listed, and the pane with all about the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console.arrangement import Arrangement, ListColumn
from console.formatting import duration, number
from console.screens.findings import Findings
from console.screens.listing import when
from console.screens.tuning_facts import dollars, short_name, shown, trial_facts, trial_status
from console.widgets.choosing import ChoosableRows
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows.observe.tuning_rows import TrialRow
from workflows.tuning.analysis import scored, sort_key

OWN = ("name", "value", "status", "duration", "note", "created", "cost")
"""The columns that every tuning job has; a hyperparameter that is called like one of them is `hyper-…`."""


class Trials(Arrangement[TrialRow]):
    """How the trials are looked at: best first, with a column for each hyperparameter that is searched.

    A view that was made on a tuning job which searches other hyperparameters shows all those of this one in their place.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(
            self._columns,
            "value",
            key=lambda trial: trial.name,
            fields=self._fields,
            leading=lambda: (self._rank,),
        )
        self._now = now
        self.findings: Findings | None = None
        self.ranks: dict[str, int] = {}
        """The places of the trials that have a value, from 1 for the best."""
        self._hyperparameters: dict[str, str] = {}
        """The ids of their columns, by their names."""
        self._rank = ListColumn[TrialRow]("", Column("#", 3, right=True), self._rank_cell)

    def know(self, findings: Findings) -> None:
        """A newer view of the tuning job."""
        self.findings = findings
        best_first = scored(findings.ranked)
        self.ranks = {trial.name: place for place, trial in enumerate(best_first, 1)}
        names = [item.name for item in findings.view.detail.ranges]
        self._hyperparameters = {
            name: f"hyper-{name}".lower() if name.lower() in OWN else name.lower() for name in names
        }
        self.forget_columns()

    @property
    def shown(self) -> list[ListColumn[TrialRow]]:
        chosen, known = self.view.columns, self.all_columns
        here = self._hyperparameters.values()
        others = [place for place, name in enumerate(chosen) if name not in known]
        if not others or not here or any(name in chosen for name in here):
            return super().shown
        names = (*chosen[: others[0]], *here, *chosen[others[0] :])
        return [known[name] for name in names if name in known]

    def _columns(self) -> Sequence[ListColumn[TrialRow]]:
        column, now = ListColumn[TrialRow], self._now
        maximize = self.findings is not None and not self.findings.minimize

        def own(
            name: str, column: Column, cell: Callable[[TrialRow], Cell], *, extra: bool = False
        ) -> ListColumn[TrialRow]:
            return ListColumn(
                name,
                column,
                cell,
                lambda trial: sort_key(trial, name, now()),
                descending=maximize if name == "value" else name == "created",
                extra=extra,
                clock=name in ("duration", "created"),
            )

        hyperparameters = [
            column(
                identifier,
                Column(
                    name,
                    max(9, min(11, len(name))),
                    right=True,
                    drop=1 if place < 2 else 4 if place < 4 else 9 + place,
                ),
                partial(_tuned, name),
                partial(_tuned_key, name),
            )
            for place, (name, identifier) in enumerate(self._hyperparameters.items())
        ]
        return (
            own("name", Column("Trial", 12), self._name),
            own("value", Column("Objective", 11, right=True, watch=True), self._value),
            own("status", Column("Status", 12, watch=True), _status),
            own("duration", Column("Time", 8, right=True, drop=2), lambda trial: Cell(duration(trial.seconds(now())), "dim")),
            *hyperparameters,
            column("note", Column("Note", 14, grow=1, drop=6), lambda trial: Cell(_note(trial), "bad" if trial.failure_reason else "dim"), lambda trial: _note(trial) or None),
            own("created", Column("Created", 9, drop=7), lambda trial: Cell(when(trial.created, now()), "dim"), extra=True),
            own("cost", Column("Cost", 9, right=True, drop=8), lambda trial: Cell(dollars(trial.cost), "dim"), extra=True),
        )  # fmt: skip

    def _fields(self, trial: TrialRow) -> Mapping[str, str]:
        return {
            "name": trial.name,
            "value": number(trial.value),
            "status": trial_status(trial).word,
            "note": _note(trial),
            **{
                self._hyperparameters[name]: shown(value)
                for name, value in trial.tuned.items()
                if name in self._hyperparameters
            },
        }

    def _rank_cell(self, trial: TrialRow) -> Cell:
        rank = self.ranks.get(trial.name)
        return Cell("◆" if rank == 1 else str(rank or "–"), "series-2" if rank == 1 else "dim")

    def _name(self, trial: TrialRow) -> Cell:
        tuning = self.findings.view.detail.name if self.findings else ""
        return Cell(short_name(trial.name, tuning), "strong" if self.ranks.get(trial.name) == 1 else "")

    def _value(self, trial: TrialRow) -> Cell:
        role = "strong" if self.ranks.get(trial.name) == 1 else "" if trial.value is not None else "dim"
        return Cell(number(trial.value), role)


def _status(trial: TrialRow) -> Cell:
    state = trial_status(trial)
    return Cell(str(state), state.role)


def _tuned(name: str, trial: TrialRow) -> Cell:
    return Cell(shown(trial.tuned[name]) if name in trial.tuned else "–")


def _tuned_key(name: str, trial: TrialRow) -> tuple[int, float, str] | None:
    return sort_key(trial, name, trial.created)


def _note(trial: TrialRow) -> str:
    """Why it failed, or has no value."""
    if reason := trial.failure_reason.strip():
        return reason.splitlines()[0]
    return "no value in its log" if trial.value is None and trial.objective_status == "Failed" else ""


class TrialsPane(Vertical):
    """The list of trials, and below it the one under the cursor."""

    def __init__(self, trials: Trials, now: Callable[[], float], *, id: str = "trials") -> None:
        super().__init__(id=id)
        self._trials, self._now = trials, now
        self.settled = False
        """Whether a person has moved the cursor; until then it stays on the best trial, whichever that is."""

    def on_key(self) -> None:
        self.settled = True

    def on_click(self) -> None:
        self.settled = True

    def compose(self) -> Iterable[Widget]:
        trials = self._trials
        yield ChoosableRows[TrialRow](
            trials.widget_columns(), key=trials.key, cells=trials.cells, id="trial-list"
        )
        yield Page(id="trial")

    def on_mount(self) -> None:
        self.query_one("#trial").can_focus = False
        self.rows.show_when_empty("Loading the trials …")
        self.rows.mark_sorted(*self._trials.mark)

    @property
    def rows(self) -> ChoosableRows[TrialRow]:
        """The list."""
        return self.query_one("#trial-list", ChoosableRows)

    @property
    def current(self) -> TrialRow | None:
        """The trial under the cursor."""
        return self.rows.current

    def show(self, listed: Sequence[TrialRow]) -> None:
        """Show these trials in this order, with the columns that there are now."""
        self.rows.set_columns(self._trials.widget_columns())
        self.rows.mark_sorted(*self._trials.mark)
        self.rows.show(listed)
        if not self.settled:
            self.rows.action_first()
        self._describe()

    @on(Rows.Highlighted, "#trial-list")
    def _describe(self) -> None:
        trial, findings = self.current, self._trials.findings
        page = self.query_one("#trial", Page)
        if trial is None or findings is None:
            page.show(lambda width: [])
            return
        now, rank = self._now(), self._trials.ranks.get(trial.name)
        page.show(lambda width: trial_facts(trial, findings.view.detail.name, now, width, rank=rank))
