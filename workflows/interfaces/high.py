"""SageMaker through its Python SDK, version 3: ModelTrainer, ModelBuilder and the resources of sagemaker.core."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.interfaces import objects
from workflows.interfaces.absence import absent
from workflows.interfaces.base import (
    EndpointRequest,
    EndpointState,
    JobLog,
    ModelRequest,
    TrainingRequest,
    TrainingState,
    Transition,
)
from workflows.interfaces.hosting import VARIANT
from workflows.interfaces.low import VOLUME_GB
from workflows.interfaces.resources import found as found_resource
from workflows.interfaces.rollouts.high import HighRollouts
from workflows.interfaces.streams import AccountLog
from workflows.interfaces.transforms.high import HighTransforms
from workflows.interfaces.tuning.high import HighTuning
from workflows.observe.logs import LogReader

if TYPE_CHECKING:
    from workflows.builtin.request import AlgorithmRequest
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.interfaces.transforms.base import Transforms
    from workflows.interfaces.tuning.base import Tuning
    from workflows.platform import Platform


class High:
    """The high-level interface; see `workflows.interfaces.base.Interface` for what each method does.

    The platform's environment must be applied: importing the SDK makes a session from it.
    """

    name = "high"

    def __init__(self, platform: Platform) -> None:
        from sagemaker.core.helper.session_helper import Session

        logging.getLogger("sagemaker").setLevel(logging.WARNING)
        self._platform = platform
        self._boto: Any = platform.session
        self._session: Any = Session(
            boto_session=platform.session,
            sagemaker_client=platform.client("sagemaker"),
            sagemaker_runtime_client=platform.client("sagemaker-runtime"),
            default_bucket=platform.bucket,
        )
        self._s3: Any = platform.client("s3")
        self.tuning: Tuning = HighTuning(platform, self._session)
        self.transforms: Transforms = HighTransforms(platform, self._session)
        self.rollouts: Rollouts = HighRollouts(platform, self._session)

    def upload(self, path: Path, prefix: str) -> str:
        bucket, start = objects.parts(prefix)
        objects.ensure_bucket(self._s3, bucket, self._platform.region)
        return str(self._session.upload_data(str(path), bucket=bucket, key_prefix=start))

    def download(self, uri: str, path: Path) -> None:
        objects.download(self._s3, uri, path)

    def object_exists(self, uri: str) -> bool:
        return objects.exists(self._s3, uri)

    def train(self, request: TrainingRequest) -> str:
        from sagemaker.core.shapes import OutputDataConfig
        from sagemaker.core.training.configs import (
            Compute,
            InputData,
            MetricDefinition,
            SourceCode,
            StoppingCondition,
            Tag,
        )
        from sagemaker.train import ModelTrainer

        trainer = ModelTrainer(
            sagemaker_session=self._session,
            role=self._platform.role_arn,
            training_image=request.image,
            source_code=SourceCode(source_dir=str(request.source), entry_script=request.entry_point),
            compute=Compute(
                instance_type=request.instance_type, instance_count=1, volume_size_in_gb=VOLUME_GB
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=request.max_seconds),
            output_data_config=OutputDataConfig(s3_output_path=f"{request.prefix}/output"),
            hyperparameters=dict(request.hyperparameters),
            base_job_name=request.name,
            input_s3_key_prefix=objects.parts(request.prefix)[1],
            tags=[Tag(key=key, value=value) for key, value in request.tags.items()],
        ).with_metric_definitions(
            [MetricDefinition(name=metric.name, regex=metric.regex) for metric in request.metrics]
        )
        inputs = [
            InputData(channel_name=channel, data_source=uri, content_type=request.content_type)
            for channel, uri in request.inputs.items()
        ]
        trainer.train(input_data_config=inputs, wait=False, logs=False)
        return str(trainer._latest_training_job.training_job_name)

    def train_algorithm(self, request: AlgorithmRequest) -> str:
        from sagemaker.core.shapes import OutputDataConfig, S3DataSource
        from sagemaker.core.training.configs import Compute, InputData, StoppingCondition, Tag
        from sagemaker.train import ModelTrainer

        trainer = ModelTrainer(
            sagemaker_session=self._session,
            role=self._platform.role_arn,
            training_image=request.image,
            compute=Compute(
                instance_type=request.instance_type, instance_count=1, volume_size_in_gb=VOLUME_GB
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=request.max_seconds),
            output_data_config=OutputDataConfig(s3_output_path=request.output),
            hyperparameters=dict(request.hyperparameters),
            base_job_name=request.name,
            tags=[Tag(key=key, value=value) for key, value in request.tags.items()],
        )
        inputs = []
        for item in request.channels:
            source = S3DataSource(
                s3_data_type=item.data_type, s3_uri=item.uri, s3_data_distribution_type="FullyReplicated"
            )
            told = {"content_type": item.content_type} if item.content_type else {}
            inputs.append(InputData(channel_name=item.name, data_source=source, **told))
        trainer.train(input_data_config=inputs, wait=False, logs=False)
        return str(trainer._latest_training_job.training_job_name)

    def find_training(self, name: str) -> list[str]:
        from sagemaker.core.resources import TrainingJob

        found = TrainingJob.get_all(
            name_contains=name,
            session=self._boto,
            region=self._platform.region,
            sort_by="CreationTime",
            sort_order="Descending",
        )
        return [job.training_job_name for job in found if job.training_job_name.startswith(name)]

    def describe_training(self, name: str) -> TrainingState | None:
        from sagemaker.core.resources import TrainingJob

        job = self._found(TrainingJob, training_job_name=name)
        return _training_state(job) if job is not None else None

    def stop_training(self, name: str) -> None:
        from sagemaker.core.resources import TrainingJob

        job = self._found(TrainingJob, training_job_name=name)
        if job is not None and job.training_job_status == "InProgress":
            job.stop()

    def training_log(self, name: str) -> JobLog:
        return AccountLog(self._platform, LogReader.of_job(name))

    def make_model(self, request: ModelRequest) -> None:
        from sagemaker.core.resources import Model
        from sagemaker.core.shapes import ContainerDefinition, Tag

        Model.create(
            model_name=request.name,
            execution_role_arn=request.role or self._platform.role_arn,
            primary_container=ContainerDefinition(
                image=request.image, model_data_url=request.model_uri, environment=dict(request.environment)
            ),
            tags=[Tag(key=key, value=value) for key, value in request.tags.items()],
            session=self._boto,
            region=self._platform.region,
        )

    def model_exists(self, name: str) -> bool:
        from sagemaker.core.resources import Model

        return self._found(Model, model_name=name) is not None

    def deploy(self, request: EndpointRequest) -> None:
        from sagemaker.core.resources import Endpoint, EndpointConfig
        from sagemaker.core.shapes import ProductionVariant, Tag
        from sagemaker.serve import ModelBuilder

        # Without a model_path, the SDK works below /tmp/sagemaker, which belongs to whoever of this machine came first.
        with tempfile.TemporaryDirectory(prefix="mlconsole-model-") as folder:
            ModelBuilder(
                image_uri=request.image,
                s3_model_data_url=request.model_uri,
                model_path=folder,
                env_vars=dict(request.environment),
                role_arn=request.role or self._platform.role_arn,
                sagemaker_session=self._session,
                instance_type=request.instance_type,
            ).build(
                model_name=request.name,
                tags=[{"Key": key, "Value": value} for key, value in request.tags.items()],
            )
        tags = [Tag(key=key, value=value) for key, value in request.tags.items()]
        variant = ProductionVariant(
            variant_name=VARIANT,
            model_name=request.name,
            instance_type=request.instance_type,
            initial_instance_count=1,
            initial_variant_weight=1.0,
        )
        where = {"session": self._boto, "region": self._platform.region}
        EndpointConfig.create(
            endpoint_config_name=request.name, production_variants=[variant], tags=tags, **where
        )
        Endpoint.create(endpoint_name=request.name, endpoint_config_name=request.name, tags=tags, **where)

    def describe_endpoint(self, name: str) -> EndpointState | None:
        from sagemaker.core.resources import Endpoint

        found = self._found(Endpoint, endpoint_name=name)
        if found is None:
            return None
        return EndpointState(name, found.endpoint_arn, found.endpoint_status, _text(found.failure_reason))

    def endpoint_log(self, name: str) -> JobLog:
        # Why it fails may stand in any variant's stream, which begins when it likes.
        return AccountLog(self._platform, LogReader.of_endpoint(name, relist=1))

    def invoke(self, name: str, body: bytes, content_type: str, accept: str) -> bytes:
        from sagemaker.core.resources import Endpoint

        where = {"session": self._boto, "region": self._platform.region}
        answer = Endpoint(endpoint_name=name).invoke(
            body=body, content_type=content_type, accept=accept, **where
        )
        content = answer.body
        return bytes(content.read() if hasattr(content, "read") else content)

    def delete_endpoint(self, name: str) -> bool:
        from sagemaker.core.resources import Endpoint

        return self._deleted(Endpoint, endpoint_name=name)

    def delete_endpoint_config(self, name: str) -> bool:
        from sagemaker.core.resources import EndpointConfig

        return self._deleted(EndpointConfig, endpoint_config_name=name)

    def delete_model(self, name: str) -> bool:
        from sagemaker.core.resources import Model

        return self._deleted(Model, model_name=name)

    def delete_objects(self, prefix: str) -> int:
        return objects.delete(self._s3, prefix)

    def remaining(self, name: str, prefix: str) -> list[str]:
        from sagemaker.core.resources import Endpoint, EndpointConfig, Model

        where = {"session": self._boto, "region": self._platform.region}
        left = [
            f"{what} {item.get_name()}"
            for what, resource in (
                ("endpoint", Endpoint),
                ("endpoint configuration", EndpointConfig),
                ("model", Model),
            )
            for item in resource.get_all(name_contains=name, **where)
            if item.get_name().startswith(name)
        ]
        states = (self.describe_training(job) for job in self.find_training(name))
        left += [f"running training job {state.name}" for state in states if state and not state.ended]
        return left + [
            f"object s3://{objects.parts(prefix)[0]}/{key}" for key in objects.keys(self._s3, prefix)
        ]

    def _found(self, resource: Any, **name: str) -> Any:
        return found_resource(resource, {"session": self._boto, "region": self._platform.region}, **name)

    def _deleted(self, resource: Any, **name: str) -> bool:
        from botocore.exceptions import ClientError

        found = self._found(resource, **name)
        if found is None:
            return False
        try:
            found.delete()
        except ClientError as error:
            if absent(error):
                return False
            raise
        return True


def _training_state(job: Any) -> TrainingState:
    artifacts = job.model_artifacts
    return TrainingState(
        name=job.training_job_name,
        arn=job.training_job_arn,
        status=job.training_job_status,
        secondary=job.secondary_status,
        failure=_text(job.failure_reason),
        model_uri=_text(artifacts.s3_model_artifacts) if artifacts else "",
        transitions=tuple(
            Transition(
                item.status,
                _text(item.status_message),
                item.start_time.timestamp(),
                item.end_time.timestamp() if item.end_time else 0.0,
            )
            for item in job.secondary_status_transitions or []
        ),
        train_seconds=float(job.training_time_in_seconds or 0),
        billable_seconds=float(job.billable_time_in_seconds or 0),
        metrics={item.metric_name: float(item.value) for item in job.final_metric_data_list or []},
    )


def _text(value: Any) -> str:
    """The text, or nothing for the SDK's "unassigned"."""
    return str(value) if value else ""
