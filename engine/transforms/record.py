"""A transform job's document: what Describe answers, its states, and AWS's words for how it ends.

Keys that begin with an underscore are the engine's own and are never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KIND = "transform-job"
GROUP = "/aws/sagemaker/TransformJobs"
"""The log group and the metrics' namespace."""
FAILURE_LIMIT = 1024

SEE_LOGS = "See job logs for more information"
NO_PING = (
    "AlgorithmError: Model container failed to respond to ping; please ensure /ping endpoint is implemented and responds "
    "with an HTTP 200 status code"
)
INTERNAL = "InternalServerError: We encountered an internal error.  Please try again. (%s)"

_KEPT = (
    "TransformJobName", "ModelName", "MaxConcurrentTransforms", "ModelClientConfig", "MaxPayloadInMB", "BatchStrategy",
    "Environment", "TransformInput", "TransformOutput", "DataCaptureConfig", "TransformResources", "DataProcessing",
    "ExperimentConfig",
)  # fmt: skip


def new(params: Mapping[str, Any], arn: str, model: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The document of a job that is about to start.

    Args:
        model: The model's document: the job goes on when the model is deleted.
    """
    document = {key: params[key] for key in _KEPT if params.get(key) is not None}
    # The service model allows empty filters, and clients send them for "none": they mean what leaving them out means.
    processing = {key: value for key, value in params.get("DataProcessing", {}).items() if value}
    return document | {
        "TransformJobArn": arn,
        "TransformJobStatus": "InProgress",
        "CreationTime": round(now, 3),
        "TransformInput": {"CompressionType": "None", "SplitType": "None"} | params["TransformInput"],
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": ""} | params["TransformOutput"],
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"} | processing,
        "_model": dict(model),
    }


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that AWS answers."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def end(document: dict[str, Any], status: str, now: float, reason: str = "") -> None:
    """Enter a final status."""
    document["TransformJobStatus"] = status
    document["TransformEndTime"] = round(now, 3)
    if reason:
        document["FailureReason"] = reason[:FAILURE_LIMIT]
