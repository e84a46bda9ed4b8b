"""LinearLearner's hyperparameters: names, types, ranges and defaults as in the developer guide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from algorithms.builtin.failures import ClientError
from algorithms.builtin.hyperparameters import AUTO, REQUIRED, boolean, choice, integer, parse, real

BINARY: Final = "binary_classifier"
MULTICLASS: Final = "multiclass_classifier"
REGRESSOR: Final = "regressor"

LOSSES: Final[Mapping[str, tuple[str, ...]]] = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""The losses of each predictor type; the first is what ``auto`` means."""

CRITERIA: Final = (
    "accuracy",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "loss_function",
)
OLD_CRITERIA: Final = {"f1": "f_beta", "cross_entropy_loss": "loss_function"}
"""Names of earlier versions that the SageMaker SDK v2 still lets through."""

_AUTO = (AUTO,)

PARAMETERS: Final = (
    choice("predictor_type", REQUIRED, (BINARY, MULTICLASS, REGRESSOR)),
    integer("num_classes", 1, 1, 1_000_000),
    integer("feature_dim", AUTO, 1, words=_AUTO),
    integer("mini_batch_size", 1000, 1),
    integer("epochs", 15, 1),
    choice("loss", AUTO, (AUTO, *(name for names in LOSSES.values() for name in names))),
    choice("optimizer", AUTO, (AUTO, "adam", "sgd", "rmsprop")),
    real("learning_rate", AUTO, above=0.0, words=_AUTO),
    real("wd", AUTO, 0.0, words=_AUTO),
    real("l1", AUTO, 0.0, words=_AUTO),
    real("momentum", AUTO, 0.0, below=1.0, words=_AUTO),
    real("beta_1", AUTO, 0.0, below=1.0, words=_AUTO),
    real("beta_2", AUTO, 0.0, below=1.0, words=_AUTO),
    real("bias_lr_mult", AUTO, above=0.0, words=_AUTO),
    real("bias_wd_mult", AUTO, 0.0, words=_AUTO),
    boolean("use_lr_scheduler", True),
    integer("lr_scheduler_step", AUTO, 1, words=_AUTO),
    real("lr_scheduler_factor", AUTO, above=0.0, below=1.0, words=_AUTO),
    real("lr_scheduler_minimum_lr", AUTO, above=0.0, words=_AUTO),
    boolean("use_bias", True),
    choice("init_method", "uniform", ("uniform", "normal")),
    real("init_scale", 0.07, above=0.0),
    real("init_sigma", 0.01, above=0.0),
    real("init_bias", 0.0),
    boolean("normalize_data", True, words=_AUTO),
    boolean("normalize_label", AUTO, words=_AUTO),
    boolean("unbias_data", AUTO, words=_AUTO),
    boolean("unbias_label", AUTO, words=_AUTO),
    integer("num_point_for_scaler", 10000, 1),
    integer("num_models", AUTO, 1, words=_AUTO),
    integer("num_calibration_samples", 10_000_000, 1, words=_AUTO),
    integer("early_stopping_patience", 3, 1),
    real("early_stopping_tolerance", 0.001, above=0.0),
    choice("binary_classifier_model_selection_criteria", "accuracy", (*CRITERIA, *OLD_CRITERIA)),
    real("target_recall", 0.8, 0.0, 1.0),
    real("target_precision", 0.8, 0.0, 1.0),
    real("positive_example_weight_mult", 1.0, above=0.0, words=("balanced", AUTO)),
    real("f_beta", 1.0, above=0.0),
    integer("accuracy_top_k", 3, 1),
    boolean("balance_multiclass_weights", False),
    real("huber_delta", 1.0, above=0.0),
    real("margin", 1.0, 0.0),
    real("loss_insensitivity", 0.01, above=0.0),
    real("quantile", 0.5, above=0.0, below=1.0),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The parsed hyperparameters; None stands for ``auto`` where a number or a flag may be left to the algorithm.

    Attributes:
        loss: Never ``auto``.
        criterion: One of `CRITERIA`.
        criterion_given: Whether the user named it; early stopping then watches it.
        num_models: None for ``auto``; 1 in a job that a tuning job started.
        tuning: Whether a tuning job started this one.
        positive_weight: A number, ``balanced`` or ``auto``.
    """

    predictor_type: str
    num_classes: int
    feature_dim: int | None
    mini_batch_size: int
    epochs: int
    loss: str
    optimizer: str
    learning_rate: float | None
    wd: float | None
    l1: float | None
    momentum: float | None
    beta_1: float | None
    beta_2: float | None
    bias_lr_mult: float | None
    bias_wd_mult: float | None
    use_lr_scheduler: bool
    lr_scheduler_step: int | None
    lr_scheduler_factor: float | None
    lr_scheduler_minimum_lr: float | None
    use_bias: bool
    init_method: str
    init_scale: float
    init_sigma: float
    init_bias: float
    normalize_data: bool
    normalize_label: bool
    unbias_data: bool
    unbias_label: bool
    num_point_for_scaler: int
    num_models: int | None
    num_calibration_samples: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    criterion: str
    criterion_given: bool
    target_recall: float
    target_precision: float
    positive_weight: float | str
    f_beta: float
    accuracy_top_k: int
    balance_multiclass_weights: bool
    huber_delta: float
    margin: float
    loss_insensitivity: float
    quantile: float
    tuning: bool

    @property
    def outputs(self) -> int:
        """Scores per row and model: the number of classes, or 1."""
        return self.num_classes if self.predictor_type == MULTICLASS else 1


def read(given: Mapping[str, Any]) -> Settings:
    """The settings in ``hyperparameters.json``.

    Raises:
        ClientError: An unknown name, a value outside its range, or values that do not fit each other.
    """
    values = parse(PARAMETERS, given)
    kind = values["predictor_type"]
    loss = values["loss"]
    if loss == AUTO:
        loss = LOSSES[kind][0]
    elif loss not in LOSSES[kind]:
        raise ClientError(
            f"loss '{loss}' cannot be used with predictor_type '{kind}'. Use one of: auto, {', '.join(LOSSES[kind])}."
        )
    if kind == MULTICLASS and values["num_classes"] < 3:
        raise ClientError(
            f"num_classes is {values['num_classes']}, but predictor_type 'multiclass_classifier' needs the number of classes: "
            "set num_classes to a value from 3 to 1000000 (for two classes use predictor_type 'binary_classifier')."
        )
    criterion = values["binary_classifier_model_selection_criteria"]
    tuning = bool(values["_tuning_objective_metric"])
    beta = 1.0 if criterion == "f1" else values["f_beta"]
    regression = kind == REGRESSOR
    unbias_data = values["use_bias"] if values["unbias_data"] == AUTO else values["unbias_data"]
    normalize_label = regression and (values["normalize_label"] in (AUTO, True))
    unbias_label = regression and (
        values["use_bias"] and normalize_label if values["unbias_label"] == AUTO else values["unbias_label"]
    )
    auto_free: dict[str, Any] = {name: None if value == AUTO else value for name, value in values.items()}
    return Settings(
        **{
            name: auto_free[name]
            for name in (
                "predictor_type",
                "num_classes",
                "feature_dim",
                "mini_batch_size",
                "epochs",
                "learning_rate",
                "wd",
                "l1",
                "momentum",
                "beta_1",
                "beta_2",
                "bias_lr_mult",
                "bias_wd_mult",
                "use_lr_scheduler",
                "lr_scheduler_step",
                "lr_scheduler_factor",
                "lr_scheduler_minimum_lr",
                "use_bias",
                "init_method",
                "init_scale",
                "init_sigma",
                "init_bias",
                "num_point_for_scaler",
                "early_stopping_patience",
                "early_stopping_tolerance",
                "target_recall",
                "target_precision",
                "accuracy_top_k",
                "balance_multiclass_weights",
                "huber_delta",
                "margin",
                "loss_insensitivity",
                "quantile",
            )
        },
        loss=loss,
        optimizer="adam" if values["optimizer"] == AUTO else values["optimizer"],
        normalize_data=values["normalize_data"] in (AUTO, True),
        normalize_label=normalize_label,
        unbias_data=bool(unbias_data),
        unbias_label=bool(unbias_label),
        num_models=1 if tuning else auto_free["num_models"],
        num_calibration_samples=auto_free["num_calibration_samples"] or 10_000_000,
        criterion=OLD_CRITERIA.get(criterion, criterion),
        criterion_given="binary_classifier_model_selection_criteria" in given,
        positive_weight=values["positive_example_weight_mult"],
        f_beta=beta,
        tuning=tuning,
    )


def defaults() -> dict[str, str]:
    """The defaults as texts, as the log's ``Reading default configuration`` line shows them."""
    return {
        parameter.name: str(parameter.default).lower()
        if isinstance(parameter.default, bool)
        else str(parameter.default)
        for parameter in PARAMETERS
        if parameter.default is not REQUIRED
    }
