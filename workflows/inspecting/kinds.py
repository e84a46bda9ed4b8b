"""The kinds of resources that can be looked into, and what their operations are called."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.problem import Problem


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource. ``member`` names it in requests, ``create`` is the operation that makes one,
    ``sdk`` its class in ``sagemaker.core.resources`` of the SageMaker SDK v3 with the parameter ``sdk_name`` of ``get``."""

    id: str
    noun: str
    service: str
    describe: str
    member: str
    create: str = ""
    sdk: str = ""
    sdk_name: str = ""


KINDS = {
    kind.id: kind
    for kind in (
        Kind("job", "training job", "sagemaker", "describe_training_job", "TrainingJobName", "create_training_job", "TrainingJob", "training_job_name"),
        Kind("tuning-job", "tuning job", "sagemaker", "describe_hyper_parameter_tuning_job", "HyperParameterTuningJobName", "create_hyper_parameter_tuning_job", "HyperParameterTuningJob", "hyper_parameter_tuning_job_name"),
        Kind("transform", "transform job", "sagemaker", "describe_transform_job", "TransformJobName", "create_transform_job", "TransformJob", "transform_job_name"),
        Kind("model", "model", "sagemaker", "describe_model", "ModelName", "create_model", "Model", "model_name"),
        Kind("endpoint-config", "endpoint configuration", "sagemaker", "describe_endpoint_config", "EndpointConfigName", "create_endpoint_config", "EndpointConfig", "endpoint_config_name"),
        Kind("endpoint", "endpoint", "sagemaker", "describe_endpoint", "EndpointName", "create_endpoint", "Endpoint", "endpoint_name"),
        Kind("alarm", "alarm", "cloudwatch", "describe_alarms", "AlarmNames", "put_metric_alarm"),
    )
}  # fmt: skip


def find(kind: str) -> Kind:
    """The kind of an id.

    Raises:
        Problem: There is none.
    """
    if kind not in KINDS:
        raise Problem(f"There is no kind {kind!r} of resource.", f"Kinds: {', '.join(KINDS)}.", "kind")
    return KINDS[kind]
