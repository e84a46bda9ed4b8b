"""XGBoost's hyperparameters and tags: ranges, failure texts, and what reaches the library."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb import ranges, table, versions

NEW, OLD = versions.of("1.7-1"), versions.of("1")
UNIT = ranges.Interval(0, 1)
POSITIVE = ranges.Interval(0)
INTERVALS = {
    "eta": UNIT,
    "gamma": POSITIVE,
    "max_depth": POSITIVE,
    "min_child_weight": POSITIVE,
    "max_delta_step": POSITIVE,
    "subsample": ranges.Interval(0, 1, open_low=True),
    "colsample_bytree": ranges.Interval(0, 1, open_low=True),
    "colsample_bylevel": ranges.Interval(0, 1, open_low=True),
    "colsample_bynode": ranges.Interval(0, 1, open_low=True),
    "lambda": POSITIVE,
    "alpha": POSITIVE,
    "sketch_eps": ranges.Interval(0, 1, open_low=True, open_high=True),
    "scale_pos_weight": ranges.Interval(0, open_low=True),
    "max_leaves": POSITIVE,
    "max_bin": POSITIVE,
    "rate_drop": UNIT,
    "skip_drop": UNIT,
    "one_drop": UNIT,
    "lambda_bias": UNIT,
    "tweedie_variance_power": ranges.Interval(1, 2, open_low=True, open_high=True),
    "base_score": POSITIVE,
    "num_round": ranges.Interval(1),
    "early_stopping_rounds": ranges.Interval(1),
    "verbosity": ranges.Interval(0, 3),
    "nthread": ranges.Interval(1),
    "seed": ranges.Interval(-(2**31), 2**31 - 1, open_low=True, open_high=True),
    "csv_weights": UNIT,
    "refresh_leaf": UNIT,
    "num_parallel_tree": ranges.Interval(1),
    "_kfold": ranges.Interval(2),
    "_num_cv_round": ranges.Interval(1),
}
WHOLE = {
    "max_depth", "max_leaves", "max_bin", "one_drop", "num_round", "early_stopping_rounds", "verbosity", "nthread", "seed",
    "csv_weights", "refresh_leaf", "num_parallel_tree", "_kfold", "_num_cv_round",
}  # fmt: skip


def read(given_: dict[str, str], version: versions.Version = NEW) -> dict[str, Any]:
    return table.read({"num_round": "1", **given_}, version)


@given(
    st.sampled_from(sorted(INTERVALS)),
    st.one_of(
        st.integers(-(2**33), 2**33),
        st.sampled_from([-1, 0, 1, 2, 3, 4, 2**31, -(2**31), 0.5, 1.5]),
        st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]),
    ),
)
def test_a_number_is_taken_exactly_when_it_is_in_the_range(name: str, number: float) -> None:
    interval = INTERVALS[name]
    if name in WHOLE and (not math.isfinite(number) or number != int(number)):
        expected = re.escape(f"Hyperparameter {name}: could not parse value {str(number)!r}")
    elif number in interval and math.isfinite(number):
        expected = ""
    else:
        shown = int(number) if name in WHOLE else float(number)
        expected = re.escape(f"Hyperparameter {name}: value {shown} not in range {interval}")
    if not expected:
        assert read({name: str(number)})[name] == number
        return
    with pytest.raises(ClientError, match=f"^{expected}$"):
        read({name: str(number)})


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"objective": "reg:nothing"}, "Hyperparameter objective: value reg:nothing not in range ['binary:logistic',"),
        ({"booster": "forest"}, "Hyperparameter booster: value forest not in range ['gbtree', 'gblinear', 'dart']"),
        ({"nothing": "1"}, "Extraneous hyperparameter found: nothing"),
        ({"silent": "1"}, "Extraneous hyperparameter found: silent"),
        ({"eval_metric": "rmse,wrong"}, "Hyperparameter eval_metric: value ['rmse', 'wrong'] not in range ["),
        ({"eval_metric": "error@x"}, "Hyperparameter eval_metric: value ['error@x'] not in range ["),
        ({"eval_metric": "auc", "objective": "reg:gamma"}, "Metric 'auc' can only be applied for classification and ranking problems."),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        ({"objective": "multi:softprob"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"num_class": "3"}, "Do not need to setup parameter 'num_class' for learning task other than multi-classification."),
        ({"monotone_constraints": "(1,0)"}, "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."),
        ({"monotone_constraints": "(2,)", "tree_method": "hist"}, "Hyperparameter monotone_constraints: value [2] not in range [-1, 0, 1]"),
        ({"monotone_constraints": "__import__('os')", "tree_method": "hist"}, "Hyperparameter monotone_constraints: could not parse value"),
        ({"interaction_constraints": "[[0,1],2]", "tree_method": "hist"}, "Hyperparameter interaction_constraints: could not parse value"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected."),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options: 'shotgun', 'coord_descent'."),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update' can only be used with updater 'refresh' and 'prune'"),
        ({"_tuning_objective_metric": "train:rmse"}, "Hyperparameter _tuning_objective_metric: value train:rmse not in range ["),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_the_container_says_it(given_: dict[str, str], problem: str) -> None:
    with pytest.raises(ClientError) as caught:
        read(given_)
    assert str(caught.value).startswith(problem)


def test_quoted_and_structured_hyperparameters_reach_the_library() -> None:
    values = read(
        {
            "objective": '"reg:linear"',
            "monotone_constraints": "(1, -1)",
            "interaction_constraints": "[[0, 1], [2]]",
            "tree_method": "hist",
            "updater": "grow_quantile_histmaker,prune",
            "eval_metric": " rmse , error@0.7",
            "sagemaker_region": "eu-west-1",
            "max_depth": "3.0",
        }
    )
    assert values["eval_metric"] == ["rmse", "error@0.7"]
    assert table.library_parameters(values) == {
        "objective": "reg:squarederror",
        "monotone_constraints": "(1,-1)",
        "interaction_constraints": "[[0, 1], [2]]",
        "tree_method": "hist",
        "updater": "grow_quantile_histmaker,prune",
        "max_depth": 3,
    }
    assert table.library_parameters(read({"silent": "1"}, OLD)) == {"verbosity": 0}


@pytest.mark.parametrize(
    ("tag", "text", "pickles", "commas", "silent"),
    [
        ("1", "0.72", True, True, True),
        ("latest", "0.72", True, True, True),
        ("0.72", "0.72", True, True, True),
        ("0.90-2-cpu-py3", "0.90-2", True, True, False),
        ("1.0-1-cpu-py3", "1.0-1", True, True, False),
        ("1.2-1", "1.2-1", True, True, False),
        ("1.2-2", "1.2-2", True, False, False),
        ("1.3-1", "1.3-1", False, False, False),
        ("1.7-1", "1.7-1", False, False, False),
        ("3.0-5", "3.0-5", False, False, False),
        ("", "3.2-0", False, False, False),
    ],
)
def test_a_tag_decides(tag: str, text: str, pickles: bool, commas: bool, silent: bool) -> None:
    found = versions.of(tag)
    assert str(found) == text
    assert (found.pickles, found.joins_with_commas, found.takes_silent) == (pickles, commas, silent)
