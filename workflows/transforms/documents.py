"""A transform request as the parameters of CreateTransformJob."""

from __future__ import annotations

from typing import Any

from workflows.transforms.request import TransformRequest


def creation(request: TransformRequest) -> dict[str, Any]:
    """The parameters of the call that creates a transform job; nothing is sent that was not asked for."""
    given: dict[str, Any] = {
        "DataSource": {"S3DataSource": {"S3DataType": request.data_type, "S3Uri": request.input}},
        "SplitType": request.split,
        "CompressionType": request.compression,
    }
    if request.content_type:
        given["ContentType"] = request.content_type
    wanted: dict[str, Any] = {"S3OutputPath": request.output, "AssembleWith": request.assemble}
    if request.accepted:
        wanted["Accept"] = request.accepted
    asked: dict[str, Any] = {
        "TransformJobName": request.name,
        "ModelName": request.model,
        "TransformInput": given,
        "TransformOutput": wanted,
        "TransformResources": {
            "InstanceType": request.instance_type,
            "InstanceCount": request.instance_count,
        },
    }
    if request.strategy:
        asked["BatchStrategy"] = request.strategy
    if request.max_payload_mb is not None:
        asked["MaxPayloadInMB"] = request.max_payload_mb
    if request.max_concurrent is not None:
        asked["MaxConcurrentTransforms"] = request.max_concurrent
    if request.environment:
        asked["Environment"] = dict(request.environment)
    if processing := _processing(request):
        asked["DataProcessing"] = processing
    if request.tags:
        asked["Tags"] = [{"Key": key, "Value": value} for key, value in request.tags.items()]
    return asked


def _processing(request: TransformRequest) -> dict[str, str]:
    found = {"InputFilter": request.input_filter, "OutputFilter": request.output_filter}
    document = {name: value for name, value in found.items() if value}
    if request.join != "None":
        document["JoinSource"] = request.join
    return document
