"""The data of the moons study: the rows that executed notebooks stored, and baselines with the reference's scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflows import costs
from workflows.studies.baselines import classifiers
from workflows.studies.moons import data


def test_the_training_rows_are_those_of_executed_notebooks(real_data: Path, tmp_path: Path) -> None:
    train_x, _, train_y, _ = data.make()
    data.write_csv(tmp_path / "train.csv", train_x, train_y)
    stored = (real_data / "moons" / "train.csv").read_text().splitlines()
    assert (tmp_path / "train.csv").read_text().splitlines() == stored


def test_the_data_is_the_same_in_every_run_and_leaves_the_generator_alone() -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]
    first, again = data.make(), data.make()
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert [len(part) for part in first] == [450, 150, 450, 150]
    assert (int((first[3] == 0).sum()), int(first[3].sum())) == (71, 79)


def test_csv_keeps_every_digit(tmp_path: Path) -> None:
    train_x, _, train_y, _ = data.make()
    data.write_csv(tmp_path / "rows.csv", train_x, train_y)
    points, labels = data.read_csv(tmp_path / "rows.csv")
    assert (points == train_x).all()
    assert (labels == train_y).all()


def test_the_baselines_have_the_scores_of_the_reference() -> None:
    train_x, test_x, train_y, test_y = data.make()
    logistic, svm = classifiers(train_x, train_y, test_x, test_y)
    assert logistic.accuracy == pytest.approx(0.86)
    assert svm.accuracy == pytest.approx(0.90)
    assert svm.cross_validated > logistic.cross_validated
    assert 0 < logistic.spread < 0.1
    assert len(svm.predictions) == 150


def test_costs_are_dated_estimates() -> None:
    hour = costs.estimate("ml.m5.xlarge", 3600)
    assert hour.dollars == pytest.approx(0.23)
    assert "estimate" in str(hour)
    assert costs.DATE in str(hour)
    assert costs.SOURCE in str(costs.estimate("ml.p99.huge", 10))
