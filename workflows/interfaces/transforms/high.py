"""Batch transform through the SageMaker SDK v3: its Transformer starts the job, its resources tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows.interfaces.base import JobLog
from workflows.interfaces.resources import described, found
from workflows.interfaces.streams import AccountLog
from workflows.observe.logs import LogReader
from workflows.observe.transform_rows import TransformDetail
from workflows.observe.transforms import detail

if TYPE_CHECKING:
    from workflows.platform import Platform
    from workflows.transforms.request import TransformRequest


class HighTransforms:
    """See `workflows.interfaces.transforms.base.Transforms` for what each method does."""

    def __init__(self, platform: Platform, session: Any) -> None:
        self._platform = platform
        self._session = session
        self._where: dict[str, Any] = {"session": platform.session, "region": platform.region}

    def create(self, request: TransformRequest) -> str:
        from sagemaker.core.transformer import Transformer

        transformer = Transformer(
            model_name=request.model,
            instance_count=request.instance_count,
            instance_type=request.instance_type,
            strategy=request.strategy or None,
            assemble_with=request.assemble,
            output_path=request.output,
            accept=request.accepted or None,
            max_concurrent_transforms=request.max_concurrent,
            max_payload=request.max_payload_mb,
            tags=[{"Key": key, "Value": value} for key, value in request.tags.items()] or None,
            env=dict(request.environment) or None,
            sagemaker_session=self._session,
        )
        transformer.transform(
            data=request.input,
            data_type=request.data_type,
            content_type=request.content_type or None,
            compression_type=request.compression,
            split_type=request.split,
            job_name=request.name,
            input_filter=request.input_filter or None,
            output_filter=request.output_filter or None,
            join_source=request.join if request.join != "None" else None,
            wait=False,
            logs=False,
        )
        return request.name

    def find(self, name: str) -> list[str]:
        from sagemaker.core.resources import TransformJob

        jobs = TransformJob.get_all(
            name_contains=name, sort_by="CreationTime", sort_order="Descending", **self._where
        )
        names = [str(job.transform_job_name) for job in jobs]
        return [item for item in names if item.startswith(name)]

    def describe(self, name: str) -> TransformDetail | None:
        job = self._job(name)
        return detail(described(job)) if job is not None else None

    def stop(self, name: str) -> None:
        job = self._job(name)
        if job is not None and job.transform_job_status == "InProgress":
            job.stop()

    def log(self, name: str) -> JobLog:
        return AccountLog(self._platform, LogReader.of_transform(name))

    def _job(self, name: str) -> Any:
        from sagemaker.core.resources import TransformJob

        return found(TransformJob, self._where, transform_job_name=name)
