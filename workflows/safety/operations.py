"""Which AWS operations only look. An operation that is not known to look counts as a change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LOOKING = re.compile(
    r"^(Describe|List|Get|Head|Search|BatchGet|BatchDescribe|Query|Scan|Select|Filter|Lookup|Decode|Simulate|Validate|Estimate)[A-Z0-9]"
)
_ALSO_LOOKING = frozenset(
    {
        ("sagemaker", "QueryLineage"),
        ("logs", "StartQuery"),
        ("logs", "StopQuery"),
        ("logs", "StartLiveTail"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "AssumeRoleWithSAML"),
        ("sso", "GetRoleCredentials"),
    }
)
_CHANGING_ALTHOUGH = frozenset({("secretsmanager", "GetRandomPassword")})
DATA = frozenset(
    {
        ("sagemaker-runtime", "InvokeEndpoint"),
        ("sagemaker-runtime", "InvokeEndpointAsync"),
        ("sagemaker-runtime", "InvokeEndpointWithResponseStream"),
        ("lambda", "Invoke"),
        ("s3", "UploadPart"),
        ("cloudwatch", "PutMetricData"),
        ("logs", "PutLogEvents"),
    }
)
"""Operations that carry data, thousands of them where a replay runs: refused in read-only mode as every change, but not in the audit
log one by one, as CloudTrail leaves data events out. What starts a replay is in it."""

_NAMES = (
    "EndpointName", "EndpointConfigName", "ModelName", "TrainingJobName", "HyperParameterTuningJobName", "TransformJobName",
    "ProcessingJobName", "AlarmName", "AlarmNames", "FunctionName", "RoleName", "RestApiId", "restApiId", "ApiId", "ResourceArn",
    "ResourceId", "resourceArn", "resource", "LogGroupName", "logGroupName", "PolicyName", "name", "Name",
)  # fmt: skip


def looks(service: str, operation: str) -> bool:
    """Whether an operation changes nothing and bills nothing worth a question."""
    pair = (service, operation)
    if pair in _CHANGING_ALTHOUGH:
        return False
    return pair in _ALSO_LOOKING or bool(_LOOKING.match(operation))


def resource(service: str, parameters: Mapping[str, Any]) -> str:
    """What a call is about: the name in its parameters, ``s3://bucket/key`` for S3, else empty."""
    if service == "s3":
        bucket = str(parameters.get("Bucket") or "")
        key = str(parameters.get("Key") or "")
        objects = (parameters.get("Delete") or {}).get("Objects") or () if not key else ()
        if objects:
            key = str(objects[0].get("Key", "")) + (
                f" and {len(objects) - 1} more" if len(objects) > 1 else ""
            )
        return f"s3://{bucket}/{key}" if bucket else ""
    for name in _NAMES:
        value = parameters.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list | tuple) and value:
            return ", ".join(map(str, value))
    return ""
