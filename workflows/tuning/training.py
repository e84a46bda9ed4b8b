"""One training job as a trial of a tuning job would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.tuning import documents
from workflows.tuning.request import Template

_NOT_OF_TRAINING = frozenset(
    {"DefinitionName", "HyperParameterTuningResourceConfig", "StaticHyperParameters"}
)


def training_job(
    name: str, template: Template, hyperparameters: Mapping[str, str], tags: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters of CreateTrainingJob."""
    document = {
        member: value
        for member, value in documents.definition(template, alone=True).items()
        if member not in _NOT_OF_TRAINING
    }
    return {
        **document,
        "TrainingJobName": name,
        "HyperParameters": dict(hyperparameters),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
