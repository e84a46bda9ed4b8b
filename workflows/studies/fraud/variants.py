"""The four LinearLearner jobs of the lesson: what each is told, and what it must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.interfaces.base import MetricDefinition
from workflows.studies.fraud.requirement import Requirement
from workflows.studies.scores import Confusion

CRITERION = "binary_classifier_model_selection_criteria"
NAMES = ("simple", "recall", "balanced", "precision")
_QUALITY = r"#quality_metric: host=\S+, "
_OBJECTIVE = r"binary_classification_cross_entropy_objective <loss>=(\S+)"
METRICS = (
    MetricDefinition("validation:objective_loss", rf"{_QUALITY}epoch=\S+, validation {_OBJECTIVE}"),
    MetricDefinition("validation:precision", rf"{_QUALITY}validation precision <score>=(\S+)"),
    MetricDefinition("validation:recall", rf"{_QUALITY}validation recall <score>=(\S+)"),
)
"""What LinearLearner's log tells, with the expressions that SageMaker itself uses."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One training job: a title, hyperparameters, and its target (``recall`` or ``precision``; empty: none)."""

    name: str
    title: str
    hyperparameters: dict[str, str]
    metric: str = ""
    target: float = 0.0


@dataclass(frozen=True, slots=True)
class Printed:
    """What a notebook printed for a variant on its test set. ``about`` says whose it was."""

    about: str
    variant: str
    counts: Confusion


NOTEBOOK = (
    Printed("notebook", "simple", Confusion(tn=85269, fp=33, fn=32, tp=109)),
    Printed("notebook", "recall", Confusion(tn=81913, fp=3389, fn=10, tp=131)),
    Printed("notebook", "balanced", Confusion(tn=84277, fp=1025, fn=12, tp=129)),
    Printed("notebook", "precision", Confusion(tn=85276, fp=26, fn=31, tp=110)),
    Printed("a rerun in 2020", "precision", Confusion(tn=34463, fp=50838, fn=0, tp=141)),
    Printed("a rerun in 2021", "precision", Confusion(tn=929, fp=84379, fn=0, tp=135)),
)
"""Printed by the course's notebook (test set 85,443 rows, 141 frauds) and by two later runs of its fourth variant."""


def targets(parameters: Mapping[str, Any], requirement: Requirement) -> tuple[float, float]:
    """Target recall and target precision of the jobs: the requirement's where it is one of the two, else the parameters'."""
    recall = requirement.share if requirement.kind == "catch" else float(parameters["target-recall"])
    precision = requirement.share if requirement.kind == "precise" else float(parameters["target-precision"])
    return recall, precision


def variants(
    parameters: Mapping[str, Any], requirement: Requirement, weight: float, rows: int
) -> list[Variant]:
    """The chosen jobs, in the lesson's order.

    Where valid rows stand for several transactions, LinearLearner, which knows no weights of rows, is told to weigh a fraud
    less by as much: the loss is the population's but for a factor. ``balanced`` means the same in sample and population.

    Args:
        weight: How many transactions a valid training row stands for.
        rows: Training rows.
    """
    recall, precision = targets(parameters, requirement)
    base = {
        "predictor_type": "binary_classifier",
        "epochs": str(parameters["epochs"]),
        "mini_batch_size": str(min(int(parameters["mini-batch-size"]), rows)),
    }
    population = {"positive_example_weight_mult": f"{1 / weight:.8g}"} if weight > 1 else {}
    balanced = {"positive_example_weight_mult": "balanced"}
    at_recall = {CRITERION: "precision_at_target_recall", "target_recall": f"{recall:g}"}
    at_precision = {CRITERION: "recall_at_target_precision", "target_precision": f"{precision:g}"}
    found = (
        Variant("simple", "simple", base | population),
        Variant("recall", f"recall {recall:g}", base | population | at_recall, "recall", recall),
        Variant("balanced", f"recall {recall:g}, balanced", base | balanced | at_recall, "recall", recall),
        Variant(
            "precision",
            f"precision {precision:g}, balanced",
            base | balanced | at_precision,
            "precision",
            precision,
        ),
    )
    wanted = chosen(str(parameters["variants"]))
    return [item for item in found if item.name in wanted]


def chosen(text: str) -> tuple[str, ...]:
    """The names of a list with commas; ``all`` is all of them.

    Raises:
        ParameterError: A name is unknown, or there is none.
    """
    from workflows.studies.parameters import ParameterError

    if text.strip() == "all":
        return NAMES
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise ParameterError(
            f"variants cannot be {text!r}: it is all, or some of {', '.join(NAMES)} with commas between them."
        )
    return names
