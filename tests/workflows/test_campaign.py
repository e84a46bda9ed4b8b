"""Several studies one after another: which runs there are, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflows.transactions import transactions
from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.studies import campaign
from workflows.studies.campaign import Figure, Outcome, Planned
from workflows.studies.catalog import catalog


def test_every_study_is_planned_through_both_interfaces_on_the_data_there_are(tmp_path: Path) -> None:
    nothing = Configuration(data_dir=str(tmp_path))
    planned = campaign.plan(nothing)
    assert {(item.study, item.interface) for item in planned} == {
        (info.name, interface) for info in catalog() for interface in ("low", "high")
    }
    assert {item.data for item in planned} == {"generated", "synthetic"}
    transactions(tmp_path)
    kinds = [item.data for item in campaign.plan(nothing, ["fraud"], ["low"])]
    assert kinds == ["real", "synthetic"]
    (real,) = campaign.plan(nothing, ["fraud"], ["high"], ["real"])
    assert (real.data, real.parameters) == ("real", {})
    with pytest.raises(WorkflowError, match="There are no real data for plagiarism"):
        campaign.plan(nothing, ["plagiarism"], ["low"], ["real"])
    with pytest.raises(WorkflowError, match="no study 'fruad'"):
        campaign.plan(nothing, ["fruad"])


def test_the_notebooks_figures_stand_beside_its_own_data_only() -> None:
    metrics = {"accuracy": 0.9, "baseline_accuracy": 0.91}
    assert campaign.figures("moons", metrics, "generated") == (Figure("Accuracy", 0.9, 0.91, 0.807),)
    assert [figure.notebook for figure in campaign.figures("fraud", {}, "synthetic")] == [None] * 3
    printed = {
        info.name: [one.notebook for one in campaign.figures(info.name, {}, "real")] for info in catalog()
    }
    assert printed == {
        "moons": [0.807],
        "population": [0.80167, None],
        "fraud": [None, 0.112, 0.78],
        "forecasting": [0.1427, None],
        "plagiarism": [None, 0.96],
    }


def test_a_loss_is_better_when_it_is_lower_and_a_near_miss_is_a_miss() -> None:
    lost, near, won = (Figure("loss", ours, 0.15, 0.1427, "lower") for ours in (0.1502, 0.1429, 0.1427))
    assert [one.beats(one.baseline) for one in (lost, near, won)] == [False, True, True]
    assert [one.beats(one.notebook) for one in (lost, near, won)] == [False, False, True]
    assert not Figure("accuracy", 121 / 150, None, 0.807).beats(0.807)


@pytest.mark.parametrize(
    ("status", "left", "figures", "verdict"),
    [
        ("completed", (), (Figure("a", 0.9, 0.9, 0.8), Figure("b", None, 1.0, None)), "ok"),
        ("completed", (), (Figure("a", 0.9, 0.95, 0.8),), "behind the baseline"),
        (
            "completed",
            (),
            (Figure("loss", 0.3, 0.2, 0.1, "lower"),),
            "behind the baseline and the notebook",
        ),
        ("completed", ("endpoint x",), (), "left 1 behind"),
        ("refused", (), (Figure("a", 0.9, 0.9, 0.8),), "refused"),
    ],
)
def test_verdicts(status: str, left: tuple[str, ...], figures: tuple[Figure, ...], verdict: str) -> None:
    outcome = Outcome(Planned("moons", "low", "generated"), "r", status, 1.0, figures, "", left)
    assert outcome.verdict == verdict
    assert outcome.complete == (status == "completed" and not left)
