"""The models that a lesson may train on its subject, behind one interface: XGBoost, and an LSTM that reads reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from workflows.lessons.channels import Files
from workflows.lessons.subject import Kind, Subject
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.parameters import Parameter, ParameterError

XGBOOST, LSTM, BOTH = "xgboost", "lstm", "both"
MODEL = Parameter(
    "model", "choice", XGBOOST, "What is trained.",
    choices=(
        (XGBOOST, "SageMaker's own XGBoost, on counts of words or on columns"),
        (LSTM, "a recurrent net of your own code (PyTorch), which reads reviews word by word; reviews only"),
    ),
)  # fmt: skip


class Learner(Protocol):
    """A module that knows how a model is trained and served.

    ``NAME`` is its value of the parameter ``model``, ``TITLE`` what people read, ``UNIT`` a step of its training.
    """

    NAME: str
    TITLE: str
    UNIT: str

    def write(self, context: Context, found: Subject) -> Files:
        """The files of its channels and its test rows, below the work folder."""

    def hyperparameters(self, context: Context, kind: Kind) -> dict[str, str]:
        """A run's hyperparameters as SageMaker takes them."""

    def image(self, context: Context) -> str:
        """The image that trains."""

    def serving(self, context: Context) -> tuple[str, dict[str, str]]:
        """The image that serves, and its environment."""

    def code(self, context: Context) -> str:
        """SHA-256 of the code that is uploaded; empty: none is."""

    def job_on(self, context: Context, name: str, files: Files, kind: Kind, label: str = "") -> training.Job:
        """Uploads the channels, and the job on them as `training.train_all` takes it."""

    def best_round(self, series: dict[str, list[float]], kind: Kind) -> tuple[int, float]:
        """The step (from 0) that the job keeps, and ``kind.metric`` of the validation rows then; ValueError: the log told none."""

    def curves(self, series: dict[str, list[float]], kind: Kind) -> tuple[str, dict[str, list[float]]]:
        """What is drawn of the training: its name, and the values by set."""


def names(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The models of a run, by name; of a lesson without that choice XGBoost."""
    chosen = str(parameters.get("model", XGBOOST))
    return (XGBOOST, LSTM) if chosen == BOTH else (chosen,)


def chosen(context: Context) -> tuple[Learner, ...]:
    """The models of a run."""
    from workflows.lessons import boosted, recurrent

    known: dict[str, Learner] = {XGBOOST: boosted, LSTM: recurrent}
    return tuple(known[name] for name in names(context.run.parameters))


def check(parameters: Mapping[str, Any]) -> None:
    """Refuse what does not go together, before anything is begun.

    Raises:
        ParameterError: The LSTM was asked for with another subject than reviews, or to be broken by a vocabulary that it has not.
    """
    if LSTM not in names(parameters):
        return
    if parameters["subject"] != "reviews":
        raise ParameterError(
            f"model {parameters['model']} needs reviews: an LSTM reads words, and subject {parameters['subject']} has columns of numbers. "
            "Set subject=reviews, or model=xgboost."
        )
    if parameters.get("mishap") == "wrong-vocabulary":
        raise ParameterError(
            "mishap wrong-vocabulary needs model=xgboost: the LSTM's dictionary lies in its artefact and cannot be another one. "
            "Choose another mishap."
        )
