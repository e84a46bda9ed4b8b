"""The limits of hyperparameters: the smallest and largest value that is taken, and what lies just outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from algorithms.builtin import hyperparameters
from algorithms.builtin.deepar import hyperparameters as deepar
from algorithms.builtin.failures import ClientError
from algorithms.builtin.kmeans import training as kmeans
from algorithms.builtin.linear import hyperparameters as linear
from algorithms.builtin.pca import training as pca
from algorithms.builtin.xgb import table, versions

Read = Callable[[Mapping[str, str]], Any]

READERS: dict[str, tuple[dict[str, str], Read]] = {
    "pca": (
        {"feature_dim": "3", "mini_batch_size": "5", "num_components": "2"},
        lambda given: hyperparameters.parse(pca.PARAMETERS, given),
    ),
    "kmeans": (
        {"feature_dim": "3", "k": "2"},
        lambda given: kmeans.Settings.of(hyperparameters.parse(kmeans.PARAMETERS, given)),
    ),
    "linear": ({"predictor_type": "binary_classifier"}, linear.read),
    "deepar": (
        {"time_freq": "D", "context_length": "5", "prediction_length": "5", "epochs": "2"},
        deepar.parse,
    ),
    "xgb": ({"num_round": "2"}, lambda given: table.read(given, versions.of("1.7-1"))),
}


@pytest.mark.parametrize(
    ("algorithm", "name", "taken", "refused"),
    [
        ("pca", "num_components", "1 5.0 +7 1e2", "0 -1 1.5 1_0 auto nan inf ٣"),
        ("pca", "extra_components", "-1 0 100", "-2 0.5"),
        ("pca", "subtract_mean", "true FALSE True 1 0", "yes 2 auto"),
        ("pca", "algorithm_mode", "regular randomized", "Regular exact"),
        ("kmeans", "half_life_time_size", "0 1", "-1 auto"),
        ("kmeans", "extra_center_factor", "1 auto", "0 AUTO 1.5"),
        ("kmeans", "local_lloyd_tol", "0 1 1e-4", "-0.1 1.01 nan 0_1"),
        ("kmeans", "local_lloyd_num_trials", "1 auto", "0"),
        ("kmeans", "eval_metrics", '["msd"] ["ssd"] ["msd","ssd"]', '[] msd ["x"] {}'),
        ("linear", "num_classes", "1 1000000", "0 1000001"),
        ("linear", "learning_rate", "auto 1e-9 10", "0 -1 nan inf"),
        ("linear", "wd", "auto 0 1", "-1e-9"),
        ("linear", "momentum", "auto 0 0.999", "1 -0.1"),
        ("linear", "lr_scheduler_factor", "auto 0.5", "0 1"),
        ("linear", "target_recall", "0 1", "-0.01 1.01"),
        ("linear", "quantile", "0.01 0.99", "0 1"),
        ("linear", "positive_example_weight_mult", "balanced auto 1e-5 1e5", "0 -1 Balanced"),
        ("linear", "loss", "auto logistic hinge_loss", "squared_loss softmax_loss"),
        ("linear", "num_models", "auto 1", "0"),
        ("deepar", "time_freq", "M W D H min 5min 12H", "0D h 5 T -1D 1.5H"),
        ("deepar", "likelihood", "gaussian STUDENT-T student-t deterministic-l1 beta", "normal"),
        ("deepar", "dropout_rate", "0 0.99", "1 -0.1"),
        ("deepar", "num_dynamic_feat", "auto ignore 0 3 2.0", "-1 1.5 true x"),
        ("deepar", "cardinality", "auto ignore [3] [3,1]", "[] [0] [1.5] x"),
        ("deepar", "early_stopping_patience", "1 5.0", "0 1.5 true 1e999"),
        ("deepar", "test_quantiles", "[0.5] [0.001,0.999]", "[0] [1] [] 0.5"),
        ("xgb", "eta", "0 1 1e-3", "-0.1 1.01 nan"),
        ("xgb", "subsample", "0.01 1", "0 1.01"),
        ("xgb", "num_round", "1 4000", "0 -1 a 1.5 ٣"),
        ("xgb", "sketch_eps", "0.5", "0 1"),
        ("xgb", "tweedie_variance_power", "1.01 1.99", "1 2"),
        ("xgb", "seed", "0 -2147483647 2147483646", "2147483647 -2147483648"),
        ("xgb", "verbosity", "0 3", "-1 4"),
        ("xgb", "scale_pos_weight", "0.001", "0"),
        ("xgb", "csv_weights", "0 1", "2"),
    ],
)  # fmt: skip
def test_the_limits_of_a_hyperparameter(algorithm: str, name: str, taken: str, refused: str) -> None:
    given, read = READERS[algorithm]
    for text in taken.split():
        read({**given, name: text})
        if not text.startswith(("[", "{")):
            # The SageMaker SDK v2 sends texts in JSON quotes.
            read({**given, name: f'"{text}"'})
    for text in refused.split():
        with pytest.raises(ClientError, match=name):
            read({**given, name: text})
