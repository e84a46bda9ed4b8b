"""Forecasting: by command and from the menu, both interfaces, real and made-up days."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.tmux import needs_tmux
from tests.studies.launching import Home, Launched
from workflows import events

pytestmark = pytest.mark.timeout(600)

QUICK: dict[str, Any] = {
    "epochs": 10, "mini-batch-size": 64, "context-length": 30, "jobs": 1, "seed": 0, "samples": 100, "backtests": 2,
}  # fmt: skip
SAMPLE: dict[str, Any] = QUICK | {"data": "synthetic"}


@pytest.fixture
def days(home: Home) -> Launched:
    """The real days, low level, by command."""
    return home.once("forecasting", "low", QUICK, real=True)


def _scores(found: Launched) -> None:
    metrics = found.last.metrics
    assert {"mean_wql", "rmse", "coverage", "unseen_mean_wql", "empty_wql", "what_if_kw"} <= metrics.keys()
    assert 0.05 < metrics["mean_wql"] == metrics["jobs_median_wql"] < 1.25 * metrics["baseline_wql"]
    assert metrics["agreement_sigma"] < 5


def test_low_on_the_days_by_command(days: Launched) -> None:
    _scores(days)
    assert days.last.metrics["baseline_wql"] == pytest.approx(0.1458, abs=6e-5)


@needs_tmux
@pytest.mark.slow
def test_high_on_the_days_from_the_menu(home: Home, days: Launched) -> None:
    found = home.again("forecasting", days, "high")
    _scores(found)
    assert found.last.metrics["baseline_wql"] == days.last.metrics["baseline_wql"]


@needs_tmux
@pytest.mark.slow
def test_low_on_the_sample_from_the_menu(home: Home) -> None:
    found = home.menu("forecasting", "low", SAMPLE)
    _scores(found)


@pytest.mark.slow
def test_high_on_the_sample_by_command_with_the_notebooks_series(home: Home) -> None:
    given = SAMPLE | {"series": "years", "features": "none", "backtests": 0}
    found = home.command("forecasting", "high", given)
    assert "what_if_kw" not in found.last.metrics and "unseen_mean_wql" not in found.last.metrics
    assert any(
        event.message.startswith("No what-if: with features=none") for event in found.of_kind(events.Log)
    )
    assert found.gates["whole series"] == "warn"
