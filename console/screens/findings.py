"""What the trials of a tuning job tell, worked out away from the event loop: one frozen value for all panes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflows.tuning.analysis import (
    Against,
    Parallel,
    ProgressPoint,
    against,
    best_so_far,
    leaderboard,
    parallel,
)
from workflows.tuning.comparison import Comparison, comparison
from workflows.tuning.forecast import Forecast, forecast

if TYPE_CHECKING:
    from workflows.observe.tuning_rows import TrialRow, TuningView


@dataclass(frozen=True, slots=True)
class Findings:
    """What is computed from one view of a tuning job in milliseconds; ``ranked`` has the best trial first."""

    view: TuningView
    ranked: tuple[TrialRow, ...]
    progress: tuple[ProgressPoint, ...]
    against: tuple[Against, ...]
    parallel: Parallel
    forecast: Forecast
    comparison: Comparison

    @property
    def minimize(self) -> bool:
        """Whether less is better."""
        objective = self.view.detail.objective
        return objective is None or objective.direction == "Minimize"


def find(view: TuningView, now: float) -> Findings:
    """Work it out. It takes up to a tenth of a second for thousands of trials: call it in a thread."""
    objective = view.detail.objective
    direction = objective.direction if objective else "Minimize"
    return Findings(
        view=view,
        ranked=leaderboard(view.trials, direction),
        progress=best_so_far(view.trials, direction),
        against=against(view.detail, view.trials),
        parallel=parallel(view.detail, view.trials),
        forecast=forecast(view, now),
        comparison=comparison(view),
    )
