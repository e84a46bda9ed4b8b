"""Operating points, splits and weights of the fraud study, against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from workflows.studies.fraud import curves, data
from workflows.studies.fraud.requirement import Requirement

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(1, 30)), min_size=2, max_size=40
).filter(lambda rows: {label for label, _, _ in rows} == {0, 1})


def arrays(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, scores, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return labels, scores / 8, weights


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_every_point_counts_what_its_threshold_flags(rows: list[tuple[int, int, int]]) -> None:
    labels, scores, weights = arrays(rows)
    found = curves.curve(labels, scores, weights)
    for index in range(len(found.scores)):
        point = found.point(index)
        again = curves.at(labels, scores >= point.threshold, weights)
        assert (point.tn, point.fp, point.fn, point.tp) == pytest.approx(
            (again.tn, again.fp, again.fn, again.tp)
        )
    expected = average_precision_score(labels, scores, sample_weight=weights)
    assert found.average_precision == pytest.approx(expected)


@given(ROWS, st.sampled_from(["catch", "flag", "precise", "cost"]), st.floats(0.05, 0.95))
@settings(max_examples=80, deadline=None)
def test_the_chosen_point_is_the_best_that_meets_the_requirement(
    rows: list[tuple[int, int, int]], kind: str, share: float
) -> None:
    labels, scores, weights = arrays(rows)
    needed = Requirement(kind, share, 10, 3)  # type: ignore[arg-type]
    found = curves.curve(labels, scores, weights)
    chosen = curves.choose(found, needed)
    points = [found.point(index) for index in range(len(found.scores))]
    meeting = [
        point for point in points if point.meets(needed) and (kind != "precise" or point.tp + point.fp > 0)
    ]
    if meeting:
        assert chosen.meets(needed)
        assert chosen.merit(needed) == pytest.approx(max(point.merit(needed) for point in meeting))
    else:
        assert kind == "precise"
        assert chosen.precision == pytest.approx(max(point.precision for point in points))


def test_rows_that_are_not_aligned_and_scores_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not aligned"):
        curves.curve([0, 1], [0.5], [1, 1])
    with pytest.raises(ValueError, match="not aligned"):
        curves.at([0, 1], [True], [1, 1])
    with pytest.raises(ValueError, match="finite"):
        curves.curve([0, 1], [0.5, float("nan")], [1, 1])


def test_copies_of_a_row_stay_together_however_the_rows_are_ordered() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 30))
    features[200:] = features[:100]
    assigned = data.assign(features, 4)
    assert (assigned[200:] == assigned[:100]).all()
    order = random.permutation(300)
    assert (data.assign(features[order], 4) == assigned[order]).all()
    assert (data.assign(features, 5) != assigned).any()
    parted = data.assign(features, 4, "random")
    assert (parted[200:] != parted[:100]).any()
    assert np.bincount(parted).tolist() == [168, 42, 90]
    copies, frauds = data.duplicates(features, np.r_[np.ones(100), np.zeros(100), np.ones(100)])
    assert (int(copies.sum()), frauds) == (100, 100)


def test_weights_stand_for_the_population_and_repeating_keeps_it() -> None:
    labels = np.array([1] * 5 + [0] * 40)
    weights = data.weights(labels, 40 * 20.7)
    rows = data.Rows(np.zeros((45, 30), np.float32), labels, weights)
    assert rows.fraud_share == pytest.approx(5 / 833)
    again = rows.of(data.repeated(rows))
    assert int(again.labels.sum()) == 5
    assert len(again) == 833
    kept = data.thin(np.arange(45.0).reshape(-1, 1), labels, 10, 1)
    assert labels[kept].tolist().count(0) == 10
    assert labels[kept].sum() == 5
