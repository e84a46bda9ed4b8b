"""LinearLearner's parts: losses against finite differences, optimizers against plain loops, selection against brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from algorithms.builtin.failures import ClientError
from algorithms.builtin.linear import grid, hyperparameters, losses, optimizers
from algorithms.builtin.linear.fitting import Watch
from algorithms.builtin.linear.metrics import roc_auc
from algorithms.builtin.linear.model import raw_scores, score_threshold, value_threshold
from algorithms.builtin.linear.sampling import Picker
from algorithms.builtin.linear.scaling import Moments, Scaling
from algorithms.builtin.linear.selection import calibrate
from algorithms.builtin.linear.spool import Spool
from algorithms.builtin.linear.stack import Stack

BINARY = {"predictor_type": "binary_classifier"}
REGRESSOR = {"predictor_type": "regressor"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": "4"}


def setting(**given: Any) -> hyperparameters.Settings:
    return hyperparameters.read({name: str(value) for name, value in given.items()})


CASES = [
    ("binary_classifier", "logistic"),
    ("binary_classifier", "hinge_loss"),
    ("multiclass_classifier", "softmax_loss"),
    *(("regressor", name) for name in hyperparameters.LOSSES["regressor"]),
]


@pytest.mark.parametrize(("kind", "name"), CASES)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.1, 1.0, 5.0]))
@settings(max_examples=8, deadline=None)
def test_every_gradient_is_the_slope_of_its_loss(kind: str, name: str, seed: int, scale: float) -> None:
    loss = losses.of(setting(predictor_type=kind, num_classes=4, loss=name, quantile=0.3, huber_delta=0.7))
    random = np.random.default_rng(seed)
    models, outputs = 3, 4 if kind == "multiclass_classifier" else 1
    z = random.normal(0, scale, (5, models * outputs))
    y = random.normal(0, scale, 5) if kind == "regressor" else random.integers(0, max(2, outputs), 5) * 1.0
    value, slope = loss.compute(z, y)
    assert value.shape == (5, models)
    assert (value >= 0).all()
    step = 1e-6
    for row in range(5):
        for column in range(z.shape[1]):
            up, down = z.copy(), z.copy()
            up[row, column] += step
            down[row, column] -= step
            high, low = (loss.compute(moved, y)[0][row].sum() for moved in (up, down))
            numeric = (high - low) / (2 * step)
            # At a kink the numeric slope lies between the two sides; a random point is not within a step of one.
            assert slope[row, column] == pytest.approx(numeric, abs=1e-4 * max(1, scale))


@pytest.mark.parametrize("value", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_far_scores_neither_overflow_nor_lose_the_loss(value: float) -> None:
    z = np.full((1, 1), value, np.float32)
    with np.errstate(over="raise", invalid="raise"):
        loss, slope = losses.logistic(z, np.ones(1, np.float32))
        cube, _ = losses.softmax(np.array([[value, 0, 0]], np.float32), np.zeros(1, np.float32), 3)
    assert loss[0, 0] == pytest.approx(max(-value, 0), abs=0.7)
    assert -1 <= slope[0, 0] <= 0
    assert np.isfinite(cube).all()


def test_adam_is_the_published_algorithm() -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(4, 3)).astype("f4")
    plain = weights.astype(float)
    mean, square = np.zeros((4, 3)), np.zeros((4, 3))
    adam = optimizers.create("adam", (4, 3), beta_1=0.8, beta_2=0.95)
    rate = np.array([[0.1, 0.01, 1.0]], "f4")
    for step in range(1, 30):
        gradient = random.normal(size=(4, 3))
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.95 * square + 0.05 * gradient**2
        plain -= rate * (mean / (1 - 0.8**step)) / (np.sqrt(square / (1 - 0.95**step)) + 1e-8)
        adam.step(weights, gradient.astype("f4"), rate)
    assert np.allclose(weights, plain, atol=1e-4)


def test_sgd_has_momentum_and_rmsprop_divides_by_the_running_square() -> None:
    random = np.random.default_rng(1)
    start = random.normal(size=(3, 2))
    sgd_weights, rms_weights = start.astype("f4"), start.astype("f4")
    sgd, rms = optimizers.create("sgd", (3, 2), momentum=0.5), optimizers.create("rmsprop", (3, 2))
    plain_sgd, plain_rms = start.copy(), start.copy()
    velocity, square = np.zeros((3, 2)), np.zeros((3, 2))
    rate = np.full((1, 1), 0.1, "f4")
    for _ in range(20):
        gradient = random.normal(size=(3, 2))
        velocity = 0.5 * velocity - 0.1 * gradient
        plain_sgd += velocity
        square = 0.9 * square + 0.1 * gradient**2
        plain_rms -= 0.1 * gradient / np.sqrt(square + 1e-8)
        sgd.step(sgd_weights, gradient.astype("f4"), rate)
        rms.step(rms_weights, gradient.astype("f4"), rate)
    assert np.allclose(sgd_weights, plain_sgd, atol=1e-4)
    assert np.allclose(rms_weights, plain_rms, atol=1e-4)


def test_shrinking_stops_at_zero() -> None:
    weights = np.array([[1.0, -1.0, 0.05, -0.05, 0.0]], "f4")
    optimizers.shrink(weights, np.full((1, 5), 0.1, "f4"))
    assert weights.tolist() == [pytest.approx([0.9, -0.9, 0, 0, 0])]


def _stack(given: dict[str, Any], candidates: int, features: int, **more: Any) -> Stack:
    chosen = setting(**given, num_models=candidates)
    return Stack(chosen, grid.candidates(chosen, candidates, 9.0, 100), features, losses.of(chosen), **more)


@pytest.mark.parametrize("given", [BINARY, REGRESSOR, MULTICLASS])
def test_a_stack_moves_each_model_as_if_it_were_alone(given: dict[str, str]) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 6)).astype("f4")
    y = random.integers(0, 2, 50).astype("f4")
    chosen = setting(**given, num_models=5)
    candidates = grid.candidates(chosen, 5, 9.0, 100)
    loss = losses.of(chosen)
    scaling = Scaling(np.zeros(6), np.ones(6))
    together = Stack(chosen, candidates, 6, loss)
    outputs = chosen.outputs
    alone = []
    for index, candidate in enumerate(candidates):
        one = Stack(chosen, [candidate], 6, loss)
        one.weights = together.weights[:, index * outputs : (index + 1) * outputs].copy()
        alone.append(one)
    for _ in range(10):
        sums = together.learn(scaling.design(x), y)
        assert np.allclose(sums, [one.learn(scaling.design(x), y)[0] for one in alone], rtol=1e-4)
    assert np.allclose(together.weights, np.hstack([one.weights for one in alone]), atol=1e-4)


def test_positive_rows_weigh_as_if_they_were_repeated() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)).astype("f4"), (np.arange(40) % 4 == 0).astype("f4")
    repeated = np.repeat(np.arange(40), np.where(y > 0, 3, 1))
    scaling = Scaling(np.zeros(3), np.ones(3))
    # SGD's step is the mean over rows, so the repeated rows' rate is taken up by their number.
    settled = {**BINARY, "optimizer": "sgd", "momentum": 0, "use_lr_scheduler": "false", "wd": 0, "l1": 0}
    weighted = _stack({**settled, "learning_rate": 0.4, "positive_example_weight_mult": 3}, 1, 3)
    copied = _stack({**settled, "learning_rate": 0.4 * len(repeated) / 40}, 1, 3)
    for _ in range(5):
        first = weighted.learn(scaling.design(x), y)
        second = copied.learn(scaling.design(x[repeated]), y[repeated])
        assert first == pytest.approx(second, rel=1e-4)
    assert np.allclose(weighted.weights, copied.weights, atol=1e-5)


def test_without_bias_the_bias_stays_zero() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)).astype("f4"), (np.arange(40) % 2).astype("f4")
    stack = _stack({**BINARY, "use_bias": "false", "init_bias": 3}, 4, 3)
    for _ in range(5):
        stack.learn(Scaling(np.zeros(3), np.ones(3)).design(x), y)
    assert (stack.weights[-1] == 0).all()
    assert (stack.weights[:-1] != 0).any()


def test_the_grid_has_32_different_models_and_model_0_is_the_customers() -> None:
    chosen = setting(**BINARY, learning_rate=0.02, wd=0.5, l1=0.25, lr_scheduler_step=7)
    found = grid.candidates(chosen, 32, 1.0, 1000)
    assert len(set(found)) == 32
    first = found[0]
    assert (first.learning_rate, first.wd, first.l1, first.lr_scheduler_step) == (0.02, 0.5, 0.25, 7)
    assert found == grid.candidates(chosen, 32, 1.0, 1000)


@pytest.mark.parametrize("models", [1, 2, 3, 17, 32, 50])
def test_any_number_of_models_begins_with_the_same_model(models: int) -> None:
    chosen = setting(**BINARY)
    found = grid.candidates(chosen, models, 1.0, 1000)
    assert len(found) == models
    assert found[0] == grid.candidates(chosen, 32, 1.0, 1000)[0]
    assert len(set(found)) == models


def test_an_automatic_positive_weight_is_one_more_dimension() -> None:
    weights = {
        c.positive_weight
        for c in grid.candidates(setting(**BINARY, positive_example_weight_mult="auto"), 32, 100.0, 10)
    }
    assert weights == {1.0, 10.0, 100.0}
    balanced = grid.candidates(setting(**BINARY, positive_example_weight_mult="balanced"), 32, 100.0, 10)
    assert {c.positive_weight for c in balanced} == {100.0}


def test_tuning_trains_one_model_and_many_classes_train_fewer() -> None:
    assert grid.count(setting(**BINARY), 30) == 32
    assert grid.count(setting(**BINARY, _tuning_objective_metric="validation:recall"), 30) == 1
    assert grid.count(setting(predictor_type="multiclass_classifier", num_classes=1_000_000), 30) == 1
    assert grid.count(setting(**BINARY, num_models=7), 30) == 7


scores = st.lists(
    st.tuples(st.sampled_from([-3.0, -1.5, -0.2, 0.0, 0.1, 0.7, 2.0, 9.0]), st.booleans()),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("criterion", hyperparameters.CRITERIA)
@given(
    rows=scores, target=st.sampled_from([0.0, 0.3, 0.5, 0.8, 0.9, 1.0]), beta=st.sampled_from([0.5, 1.0, 2.0])
)
@settings(max_examples=150, deadline=None)
def test_a_threshold_is_what_trying_all_of_them_finds(
    criterion: str, rows: list[tuple[float, bool]], target: float, beta: float
) -> None:
    z = np.array([score for score, _ in rows], np.float32)
    y = np.array([label for _, label in rows], np.float32)
    chosen = setting(
        **BINARY,
        binary_classifier_model_selection_criteria=criterion,
        target_recall=target,
        target_precision=target,
        f_beta=beta,
    )
    cut = calibrate(z, y, chosen)
    tried = []
    for threshold in [*sorted(set(z.tolist())), math.inf]:
        guess = z >= threshold
        hits, taken, total = int((guess & (y > 0)).sum()), int(guess.sum()), int(y.sum())
        precision, recall = hits / taken if taken else 0.0, hits / total if total else 0.0
        f = (1 + beta**2) * hits / (beta**2 * total + taken) if taken or total else 0.0
        tried.append((float((guess == (y > 0)).mean()), f, precision, recall, taken))
    guess = z >= cut.threshold
    hits = int((guess & (y > 0)).sum())
    assert cut.precision == pytest.approx(hits / guess.sum() if guess.any() else 0.0)
    assert cut.recall == pytest.approx(hits / y.sum() if y.any() else 0.0)
    if criterion == "loss_function":
        assert cut.threshold == 0.0
    elif criterion == "accuracy":
        assert cut.value == pytest.approx(max(t[0] for t in tried))
        assert cut.value == pytest.approx(float((guess == (y > 0)).mean()))
    elif criterion == "f_beta":
        assert cut.value == pytest.approx(max(t[1] for t in tried))
    elif criterion == "precision_at_target_recall":
        able = [t[2] for t in tried if t[3] >= target]
        assert cut.reached == bool(able)
        if able:
            assert cut.value == cut.precision == pytest.approx(max(able))
            assert cut.recall >= target
    else:
        able = [t[3] for t in tried if t[4] and t[2] >= target]
        assert cut.reached == bool(able)
        if able:
            assert cut.value == cut.recall == pytest.approx(max(able))
        else:
            assert cut.precision == pytest.approx(max(t[2] for t in tried))


@given(rows=scores)
@settings(max_examples=100, deadline=None)
def test_the_area_under_the_curve_is_scikit_learns(rows: list[tuple[float, bool]]) -> None:
    z, y = np.array([s for s, _ in rows]), np.array([label for _, label in rows])
    if y.all() or not y.any():
        assert math.isnan(roc_auc(z, y))
    else:
        assert roc_auc(z, y) == pytest.approx(reference.roc_auc_score(y, z))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("mean", "deviation"), [(True, True), (False, True), (True, False)])
def test_weights_for_raw_features_give_the_scores_of_scaled_ones(
    sparse: bool, mean: bool, deviation: bool
) -> None:
    random = np.random.default_rng(0)
    x = (random.normal(size=(60, 5)) * [1, 10, 100, 0.1, 0] + [0, 5, 50, 1, 3]).astype("f4")
    x[random.random(x.shape) < 0.5] = 0
    given: Any = sp.csr_matrix(x) if sparse else x
    moments = Moments()
    for start in range(0, 60, 17):
        moments.add(given[start : start + 17])
    assert np.allclose(moments.mean, x.mean(axis=0), atol=1e-5)
    assert np.allclose(moments.deviation(), np.where(x.std(axis=0) > 0, x.std(axis=0), 1), rtol=1e-4)
    scaling = Scaling(
        moments.mean if mean else np.zeros(5), moments.deviation() if deviation else np.ones(5), 3.0, 2.0
    )
    weights = random.normal(size=(6, 4)).astype("f4")
    design = scaling.design(given)
    raw, bias = scaling.unscaled(weights)
    # Labels were scaled as well: scores come back on their own scale.
    assert np.allclose(raw_scores(given, raw, bias), design.scores(weights) * 2 + 3, rtol=1e-3, atol=1e-3)
    slopes = random.normal(size=(60, 4)).astype("f4")
    dense = scaling.design(x)
    assert np.allclose(design.gradient(slopes), dense.gradient(slopes), rtol=1e-3, atol=1e-2)


def test_a_constant_column_is_not_blown_up() -> None:
    moments = Moments()
    for _ in range(3):
        moments.add(np.full((50, 1), 0.1, "f4"))
    assert moments.deviation().tolist() == [1.0]


@given(st.integers(1, 300), st.integers(1, 400), st.lists(st.integers(1, 50), min_size=1))
def test_a_sample_has_the_wanted_size_and_is_spread(total: int, wanted: int, steps: list[int]) -> None:
    picker = Picker(total, wanted)
    picked: list[bool] = []
    while len(picked) < total:
        picked += picker.next(min(steps[len(picked) % len(steps)], total - len(picked))).tolist()
    assert sum(picked) == min(total, wanted)
    places = np.flatnonzero(picked)
    assert np.ptp(np.diff(places)) <= 1 if len(places) > 2 else True


@pytest.mark.parametrize("memory", [0, 200, 10**6])
def test_a_spool_gives_back_what_it_was_given(tmp_path: Any, memory: int) -> None:
    spool = Spool(tmp_path, memory)
    blocks = [(np.arange(n, dtype="f4").reshape(-1, 1), np.arange(n)) for n in (3, 0, 7, 50)]
    for block in blocks:
        spool.add(*block)
    for _ in range(2):
        for index in (3, 0, 2, 1):
            for kept, given_array in zip(spool[index], blocks[index], strict=True):
                assert kept.dtype == given_array.dtype
                assert np.array_equal(kept, given_array)
    assert list(tmp_path.iterdir()) == []


def test_early_stopping_waits_for_the_patience_and_ignores_small_gains() -> None:
    watch = Watch(patience=3, tolerance=0.01)
    assert watch.see(1.0, 1.0)
    assert watch.see(0.999, 0.999)
    assert watch.waited == 1
    assert not watch.see(1.1, 1.1)
    assert not watch.over
    assert not watch.see(1.1, 1.1)
    assert watch.over


@pytest.mark.parametrize("value", [-40.0, -3.0, 0.0, 2.5, 20.0])
def test_thresholds_translate_between_score_and_value(value: float) -> None:
    assert value_threshold("logistic", score_threshold("logistic", value)) == pytest.approx(value, abs=1e-4)
    assert score_threshold("hinge_loss", value) == value


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "'predictor_type' is a required property"),
        ({"predictor_type": "binary"}, "'binary' is not one of"),
        (
            {**BINARY, "mini_batch_siz": 1},
            "Additional properties are not allowed ('mini_batch_siz' was unexpected)",
        ),
        ({**BINARY, "feature_dim": "abc"}, "'abc' is not valid under any of the given schemas"),
        ({**BINARY, "epochs": 0}, "'0' is not valid under any of the given schemas"),
        ({**BINARY, "learning_rate": 0}, "schema['properties']['learning_rate']"),
        ({**BINARY, "momentum": 1}, "schema['properties']['momentum']"),
        ({**BINARY, "target_recall": 1.1}, "schema['properties']['target_recall']"),
        ({**BINARY, "quantile": 1}, "schema['properties']['quantile']"),
        (
            {**BINARY, "positive_example_weight_mult": 0},
            "schema['properties']['positive_example_weight_mult']",
        ),
        ({**BINARY, "positive_example_weight_mult": "fair"}, "'fair' is not valid"),
        ({**BINARY, "use_bias": "maybe"}, "'maybe' is not one of"),
        ({**BINARY, "optimizer": "adagrad"}, "'adagrad' is not one of"),
        (
            {**BINARY, "loss": "squared_loss"},
            "loss 'squared_loss' cannot be used with predictor_type 'binary_classifier'",
        ),
        ({**REGRESSOR, "loss": "logistic"}, "Use one of: auto, squared_loss"),
        ({"predictor_type": "multiclass_classifier"}, "num_classes is 1"),
        (
            {"predictor_type": "multiclass_classifier", "num_classes": 1_000_001},
            "schema['properties']['num_classes']",
        ),
    ],
)
def test_a_bad_hyperparameter_is_refused_in_the_containers_words(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError) as caught:
        setting(**given)
    assert text in str(caught.value)


def test_defaults_and_old_names() -> None:
    plain = setting(**BINARY)
    assert (plain.loss, plain.optimizer, plain.epochs, plain.mini_batch_size) == (
        "logistic",
        "adam",
        15,
        1000,
    )
    assert (plain.criterion, plain.criterion_given, plain.num_models) == ("accuracy", False, None)
    assert (plain.normalize_data, plain.normalize_label, plain.unbias_data) == (True, False, True)
    assert setting(**REGRESSOR).normalize_label
    assert not setting(**REGRESSOR, normalize_label="false").unbias_label
    old = setting(**BINARY, binary_classifier_model_selection_criteria="f1", f_beta=2)
    assert (old.criterion, old.f_beta) == ("f_beta", 1.0)
    assert (
        setting(**BINARY, binary_classifier_model_selection_criteria="cross_entropy_loss").criterion
        == "loss_function"
    )
    assert setting(**BINARY, num_calibration_samples="auto").num_calibration_samples == 10_000_000
    assert setting(**BINARY, use_bias="True", mini_batch_size='"200"').mini_batch_size == 200
