"""Batch transform through boto3 alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows.interfaces.absence import absent
from workflows.interfaces.base import JobLog
from workflows.interfaces.streams import AccountLog
from workflows.observe.gateway import Gateway
from workflows.observe.logs import LogReader
from workflows.observe.transform_rows import TransformDetail
from workflows.observe.transforms import detail
from workflows.transforms import documents

if TYPE_CHECKING:
    from workflows.transforms.request import TransformRequest


class LowTransforms:
    """See `workflows.interfaces.transforms.base.Transforms` for what each method does.

    ``gateway`` may be a platform, or what the hub hands to an action: then nothing but `create` is called.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sagemaker: Any = gateway.client("sagemaker")

    def create(self, request: TransformRequest) -> str:
        self._sagemaker.create_transform_job(**documents.creation(request))
        return request.name

    def find(self, name: str) -> list[str]:
        pages = self._sagemaker.get_paginator("list_transform_jobs").paginate(
            NameContains=name, SortBy="CreationTime", SortOrder="Descending"
        )
        found = [item["TransformJobName"] for page in pages for item in page["TransformJobSummaries"]]
        return [item for item in found if item.startswith(name)]

    def describe(self, name: str) -> TransformDetail | None:
        from botocore.exceptions import ClientError

        try:
            return detail(self._sagemaker.describe_transform_job(TransformJobName=name))
        except ClientError as error:
            if absent(error):
                return None
            raise

    def stop(self, name: str) -> None:
        found = self.describe(name)
        if found is not None and found.row.status == "InProgress":
            self._sagemaker.stop_transform_job(TransformJobName=name)

    def log(self, name: str) -> JobLog:
        return AccountLog(self._gateway, LogReader.of_transform(name))
