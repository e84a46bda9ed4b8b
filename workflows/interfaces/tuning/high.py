"""Hyperparameter tuning through the SageMaker SDK v3: HyperparameterTuner where it can say what is asked for, else the
resource that it is built on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.interfaces.absence import absent
from workflows.interfaces.resources import described, found
from workflows.observe import tuning_documents
from workflows.observe.tuning import finished
from workflows.observe.tuning_rows import Range, TrialRow, TuningDetail
from workflows.tuning import documents
from workflows.tuning.training import training_job

if TYPE_CHECKING:
    from workflows.platform import Platform
    from workflows.tuning.request import Template, TuningRequest


class HighTuning:
    """See `workflows.interfaces.tuning.base.Tuning` for what each method does."""

    def __init__(self, platform: Platform, session: Any) -> None:
        self._session = session
        self._where: dict[str, Any] = {"session": platform.session, "region": platform.region}

    def create(self, request: TuningRequest) -> str:
        if sayable(request):
            self._tune(request)
        elif request.random_seed == 0 or request.target == 0:
            # The SDK's serializer drops zeros; its session's client does not.
            self._session.sagemaker_client.create_hyper_parameter_tuning_job(**documents.creation(request))
        else:
            from sagemaker.core.resources import HyperParameterTuningJob
            from sagemaker.core.utils.code_injection.codec import transform

            asked = transform(documents.creation(request), "CreateHyperParameterTuningJobRequest")
            HyperParameterTuningJob.create(**asked, **self._where)
        return request.name

    def find(self, name: str) -> list[str]:
        from sagemaker.core.resources import HyperParameterTuningJob

        jobs = HyperParameterTuningJob.get_all(
            name_contains=name, sort_by="CreationTime", sort_order="Descending", **self._where
        )
        names = [str(job.hyper_parameter_tuning_job_name) for job in jobs]
        return [item for item in names if item.startswith(name)]

    def describe(self, name: str) -> TuningDetail | None:
        job = self._job(name)
        return tuning_documents.detail(described(job)) if job is not None else None

    def trials(self, name: str) -> tuple[TrialRow, ...]:
        from sagemaker.core.utils.utils import serialize

        job = self._job(name)
        if job is None:
            return ()
        rows = [
            tuning_documents.trial(serialize(item), name) for item in job.get_all_training_jobs(**self._where)
        ]
        return finished(tuning_documents.detail(described(job)), rows, 0.0)

    def stop(self, name: str) -> None:
        job = self._job(name)
        if job is not None and job.hyper_parameter_tuning_job_status == "InProgress":
            job.stop()

    def delete(self, name: str) -> bool:
        from botocore.exceptions import ClientError

        job = self._job(name)
        if job is None:
            return False
        try:
            job.delete()
        except ClientError as error:
            if absent(error):
                return False
            raise
        return True

    def run(
        self, name: str, template: Template, hyperparameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        from sagemaker.core.resources import TrainingJob
        from sagemaker.core.utils.code_injection.codec import transform

        asked = training_job(name, template, hyperparameters, tags)
        TrainingJob.create(**transform(asked, "CreateTrainingJobRequest"), **self._where)
        return name

    def _job(self, name: str) -> Any:
        from sagemaker.core.resources import HyperParameterTuningJob

        return found(HyperParameterTuningJob, self._where, hyper_parameter_tuning_job_name=name)

    def _tune(self, request: TuningRequest) -> None:
        from sagemaker.core.shapes import (
            Channel,
            HyperParameterTuningJobWarmStartConfig,
            OutputDataConfig,
            TuningJobCompletionCriteria,
        )
        from sagemaker.core.training.configs import Compute, StoppingCondition, Tag
        from sagemaker.core.utils.code_injection.codec import transform
        from sagemaker.train import ModelTrainer
        from sagemaker.train.tuner import HyperparameterTuner

        (template,) = request.templates
        asked = documents.creation(request)
        config, definition = asked["HyperParameterTuningJobConfig"], asked["TrainingJobDefinition"]
        trainer = ModelTrainer(
            sagemaker_session=self._session,
            role=template.role,
            training_image=template.image,
            training_input_mode=template.input_mode,
            compute=Compute(
                instance_type=template.instance_type,
                instance_count=template.instance_count,
                volume_size_in_gb=template.volume_gb,
                enable_managed_spot_training=bool(template.more.get("EnableManagedSpotTraining")),
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=template.max_seconds),
            output_data_config=OutputDataConfig(s3_output_path=template.output),
            hyperparameters=dict(template.static),
            environment=dict(template.environment),
            base_job_name=request.name,
        )
        criteria = config.get("TuningJobCompletionCriteria")
        warm = asked.get("WarmStartConfig")
        tuner = HyperparameterTuner(
            model_trainer=trainer,
            objective_metric_name=template.objective.name,
            objective_type=template.objective.direction,
            hyperparameter_ranges={item.name: _parameter(item) for item in template.ranges},
            metric_definitions=definition["AlgorithmSpecification"].get("MetricDefinitions"),
            strategy=request.strategy,
            max_jobs=request.most_jobs,
            max_parallel_jobs=request.parallel,
            max_runtime_in_seconds=request.max_seconds or None,
            early_stopping_type="Auto" if request.early_stopping else "Off",
            random_seed=request.random_seed,
            completion_criteria_config=TuningJobCompletionCriteria(
                **transform(criteria, "TuningJobCompletionCriteria")
            )
            if criteria
            else None,
            warm_start_config=HyperParameterTuningJobWarmStartConfig(
                **transform(warm, "HyperParameterTuningJobWarmStartConfig")
            )
            if warm
            else None,
            tags=[Tag(key=key, value=value) for key, value in request.tags.items()] or None,
        )
        inputs = [
            Channel(**transform(document, "Channel")) for document in definition.get("InputDataConfig", ())
        ]
        tuner.tune(inputs=inputs, job_name=request.name, wait=False)


def sayable(request: TuningRequest) -> bool:
    """Whether HyperparameterTuner says all of a request: it knows one definition, drops zeros and the resources of Hyperband, makes one trial where no number is given, and sends neither Autotune's parameters nor what else a definition
    may have."""
    template = request.templates[0]
    return (
        len(request.templates) == 1
        and not template.name
        and not request.autotune
        and not template.retries
        and set(template.more) <= {"EnableManagedSpotTraining"}
        and request.random_seed != 0
        and request.target != 0
        and request.resource is None
        and (request.most_jobs is not None or request.strategy == "Grid")
    )


def _parameter(item: Range) -> Any:
    from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter

    if item.kind == "categorical":
        return CategoricalParameter(list(item.values))
    if item.kind == "integer":
        return IntegerParameter(int(item.low), int(item.high), item.scaling)
    return ContinuousParameter(item.low, item.high, item.scaling)
