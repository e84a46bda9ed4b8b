"""Hyperparameter tuning through boto3 alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.interfaces.absence import absent
from workflows.observe import tuning_documents
from workflows.observe.gateway import Gateway
from workflows.observe.tuning import finished
from workflows.observe.tuning_rows import TrialRow, TuningDetail
from workflows.tuning import documents
from workflows.tuning.training import training_job

if TYPE_CHECKING:
    from workflows.tuning.request import Template, TuningRequest


class LowTuning:
    """See `workflows.interfaces.tuning.base.Tuning` for what each method does.

    ``gateway`` may be a platform, or what the hub hands to an action: then nothing but `create` and `run` is called.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._sagemaker: Any = gateway.client("sagemaker")

    def create(self, request: TuningRequest) -> str:
        self._sagemaker.create_hyper_parameter_tuning_job(**documents.creation(request))
        return request.name

    def find(self, name: str) -> list[str]:
        pages = self._sagemaker.get_paginator("list_hyper_parameter_tuning_jobs").paginate(
            NameContains=name, SortBy="CreationTime", SortOrder="Descending"
        )
        found = [
            item["HyperParameterTuningJobName"]
            for page in pages
            for item in page["HyperParameterTuningJobSummaries"]
        ]
        return [item for item in found if item.startswith(name)]

    def describe(self, name: str) -> TuningDetail | None:
        described = self._called("describe_hyper_parameter_tuning_job", name)
        return tuning_documents.detail(described) if described is not None else None

    def trials(self, name: str) -> tuple[TrialRow, ...]:
        detail = self.describe(name)
        if detail is None:
            return ()
        pages = self._sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name
        )
        rows = [tuning_documents.trial(item, name) for page in pages for item in page["TrainingJobSummaries"]]
        return finished(detail, rows, 0.0)

    def stop(self, name: str) -> None:
        detail = self.describe(name)
        if detail is not None and detail.row.status == "InProgress":
            self._called("stop_hyper_parameter_tuning_job", name)

    def delete(self, name: str) -> bool:
        if self.describe(name) is None:
            return False
        return self._called("delete_hyper_parameter_tuning_job", name) is not None

    def run(
        self, name: str, template: Template, hyperparameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        self._sagemaker.create_training_job(**training_job(name, template, hyperparameters, tags))
        return name

    def _called(self, method: str, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            answer: dict[str, Any] = getattr(self._sagemaker, method)(HyperParameterTuningJobName=name)
        except ClientError as error:
            if absent(error):
                return None
            raise
        return answer
