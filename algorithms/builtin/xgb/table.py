"""The hyperparameters of SageMaker's XGBoost: names, ranges, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.builtin.xgb.metrics import MAXIMIZE, MINIMIZE
from algorithms.builtin.xgb.ranges import (
    Hyperparameter,
    Values,
    choice,
    integer,
    parse,
    real,
    structure,
    words,
)
from algorithms.builtin.xgb.versions import Version

_CONTROL = (
    "num_round", "csv_weights", "early_stopping_rounds", "_kfold", "_num_cv_round", "_tuning_objective_metric", "eval_metric",
    "save_model_on_termination", "use_dask_gpu_training", "silent",
)  # fmt: skip
"""For the container, not for the library."""

_MULTICLASS = ("multi:softmax", "multi:softprob")
OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob", "rank:pairwise",
    "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror",
    "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip
_METRICS = (*MAXIMIZE, *MINIMIZE)
_WITH_THRESHOLD = ("error", "ndcg", "map")

_GROWERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_quantile_histmaker")
_TREE_UPDATERS = (*_GROWERS, "grow_skmaker", "sync", "refresh", "prune")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_UPDATING = ("refresh", "prune")


def _check_updater(value: list[str], others: Values) -> str | None:
    if others.get("booster") == "gblinear":
        if len(value) != 1 or value[0] not in _LINEAR_UPDATERS:
            return "Linear updater should be one of these options: 'shotgun', 'coord_descent'."
    elif others.get("process_type") == "update":
        if not set(value) <= set(_UPDATING):
            return "process_type 'update' can only be used with updater 'refresh' and 'prune'"
    elif not set(value) <= set(_TREE_UPDATERS):
        return f"Tree updater should be selected from these options: {', '.join(map(repr, _TREE_UPDATERS))}."
    elif sum(item in _GROWERS for item in value) > 1:
        return f"Only one tree grow plugin can be selected. Choose one from the following: {', '.join(map(repr, _GROWERS))}"
    return None


def _check_objective(value: str, others: Values) -> str | None:
    if value in _MULTICLASS and others.get("num_class") is None:
        return "Require input for parameter 'num_class' for multi-classification"
    return None


def _check_classes(value: int, others: Values) -> str | None:
    if others.get("objective", "reg:squarederror") not in _MULTICLASS:
        return "Do not need to setup parameter 'num_class' for learning task other than multi-classification."
    return None


def _is_metric(name: str) -> bool:
    base, found, threshold = name.partition("@")
    if not found:
        return name in _METRICS
    try:
        float(threshold.rstrip("-"))
    except ValueError:
        return False
    return base.strip() in _WITH_THRESHOLD


def _check_metric(value: list[str], others: Values) -> str | None:
    objective = str(others.get("objective", ""))
    if "auc" in value and objective and not objective.startswith(("binary:", "rank:", "multi:", "reg:logistic")):  # fmt: skip
        return "Metric 'auc' can only be applied for classification and ranking problems."
    if "aft-nloglik" in value and objective != "survival:aft":
        return "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."
    return None


def _needs_tree_method(name: str, *methods: str) -> Any:
    listed = " or ".join((", ".join(map(repr, methods[:-1])), repr(methods[-1])))

    def check(value: Any, others: Values) -> str | None:
        if others.get("tree_method") not in methods:
            return f"{name} can be used only when the tree_method parameter is set to either {listed}."
        return None

    return check


_SIGNS = (-1, 0, 1)
_TABLE: tuple[Hyperparameter, ...] = (
    integer("num_round", 1, required=True),
    integer("csv_weights", 0, 1),
    integer("early_stopping_rounds", 1),
    choice("booster", ("gbtree", "gblinear", "dart")),
    integer("verbosity", 0, 3),
    integer("nthread", 1),
    integer("seed", -(2**31), 2**31 - 1, open_=True),
    real("eta", 0, 1),
    real("learning_rate", 0, 1),
    real("gamma", 0),
    real("min_split_loss", 0),
    integer("max_depth", 0),
    real("min_child_weight", 0),
    real("max_delta_step", 0),
    real("subsample", 0, 1, open_low=True),
    real("colsample_bytree", 0, 1, open_low=True),
    real("colsample_bylevel", 0, 1, open_low=True),
    real("colsample_bynode", 0, 1, open_low=True),
    real("lambda", 0),
    real("reg_lambda", 0),
    real("alpha", 0),
    real("reg_alpha", 0),
    choice("tree_method", ("auto", "exact", "approx", "hist", "gpu_hist")),
    real("sketch_eps", 0, 1, open_low=True, open_high=True),
    real("scale_pos_weight", 0, open_low=True),
    words(
        "updater",
        (*_TREE_UPDATERS, *_LINEAR_UPDATERS).__contains__,
        str([*_TREE_UPDATERS, *_LINEAR_UPDATERS]),
        _check_updater,
    ),
    choice("dsplit", ("row", "col")),
    integer("refresh_leaf", 0, 1),
    choice("process_type", ("default", "update")),
    choice("grow_policy", ("depthwise", "lossguide")),
    integer("max_leaves", 0),
    integer("max_bin", 0),
    choice("predictor", ("auto", "cpu_predictor", "gpu_predictor")),
    structure(
        "monotone_constraints",
        1,
        _SIGNS.__contains__,
        str(list(_SIGNS)),
        _needs_tree_method("monotone_constraints", "exact", "hist"),
    ),
    structure(
        "interaction_constraints",
        2,
        lambda item: item >= 0,
        "[0, +inf)",
        _needs_tree_method("interaction_constraints", "exact", "hist", "approx"),
    ),
    choice("sample_type", ("uniform", "weighted")),
    choice("normalize_type", ("tree", "forest")),
    real("rate_drop", 0, 1),
    integer("one_drop", 0, 1),
    real("skip_drop", 0, 1),
    real("lambda_bias", 0, 1),
    real("tweedie_variance_power", 1, 2, open_low=True, open_high=True),
    choice("objective", OBJECTIVES, _check_objective),
    Hyperparameter(
        **{
            key: getattr(integer("num_class", 2), key)
            for key in ("name", "convert", "holds", "shown", "required")
        },
        check=_check_classes,
    ),
    real("base_score", 0),
    integer("_kfold", 2),
    integer("_num_cv_round", 1),
    choice("_tuning_objective_metric", [f"validation:{name}" for name in _METRICS]),
    words("eval_metric", _is_metric, str(list(_METRICS)), _check_metric),
    integer("num_parallel_tree", 1),
    choice("save_model_on_termination", ("true", "false")),
    choice("aft_loss_distribution", ("normal", "logistic", "extreme")),
    real("aft_loss_distribution_scale", 0, open_low=True),
    choice("deterministic_histogram", ("true", "false")),
    choice("sampling_method", ("uniform", "gradient_based")),
    integer("prob_buffer_row", 1),
    choice("use_dask_gpu_training", ("true", "false")),
)
_SILENT = integer("silent", 0, 1)


def table(version: Version) -> dict[str, Hyperparameter]:
    """The hyperparameters of a container's version by name."""
    known = (*_TABLE, _SILENT) if version.takes_silent else _TABLE
    return {item.name: item for item in known}


def read(given: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """A job's hyperparameters as values; those of SageMaker's toolkit (``sagemaker_*``) are left out.

    Raises:
        ClientError: See `ranges.parse`.
    """
    return parse(table(version), {name: value for name, value in given.items() if not name.startswith("sagemaker_")})  # fmt: skip


def library_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for the library: everything but the container's own, in the forms that it reads."""
    found = {name: value for name, value in values.items() if name not in _CONTROL}
    if "updater" in found:
        found["updater"] = ",".join(found["updater"])
    if "monotone_constraints" in found:
        found["monotone_constraints"] = f"({','.join(map(str, found['monotone_constraints']))})"
    if found.get("objective") == "reg:linear":
        # Its old name: the library takes it still, but cannot cut such a model back to its best round.
        found["objective"] = "reg:squarederror"
    if values.get("silent"):
        found.setdefault("verbosity", 0)
    if "interaction_constraints" in found:
        found["interaction_constraints"] = str(found["interaction_constraints"])
    return found
