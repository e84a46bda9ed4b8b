"""The check of calls itself: it finds what AWS would refuse, and lets through what AWS takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.validity import violations

ROLE = "arn:aws:iam::123456789012:role/Execution"


@pytest.mark.parametrize(
    ("operation", "parameters", "wrong"),
    [
        ("CreateModel", {"ModelName": "a_b"}, "CreateModel.ModelName is 'a_b', which does not match"),
        ("CreateModel", {"ModelName": "a", "ExecutionRoleArn": "Execution"}, "ExecutionRoleArn"),
        ("CreateModel", {"ModelName": "a", "Nonsense": 1}, 'Unknown parameter in input: "Nonsense"'),
        ("CreateModel", {"ModelName": "a", "PrimaryContainer": {"Mode": "Both"}}, "none of SingleModel"),
        ("CreateModel", {"ModelName": "a" * 64}, "longer (64) than 63"),
        ("DeleteEndpoint", {}, 'Missing required parameter in input: "EndpointName"'),
        ("ListModels", {"MaxResults": 101}, "is more (101) than 100"),
        ("ListModels", {"MaxResults": "10"}, "Invalid type for parameter MaxResults"),
        (
            "AddTags",
            {"ResourceArn": "arn:x", "Tags": [{"Key": "k", "Value": "v"}] * 51},
            "longer (51) than 50",
        ),
    ],
)
def test_what_aws_would_refuse_is_found(operation: str, parameters: dict[str, Any], wrong: str) -> None:
    assert any(wrong in text for text in violations("sagemaker", operation, parameters))


def test_what_aws_takes_is_let_through_also_from_a_trace() -> None:
    model = {
        "ModelName": "moons-1",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": "x", "Environment": {"SAGEMAKER_PROGRAM": "train.py"}},
    }
    assert violations("sagemaker", "CreateModel", model) == []
    asked = {"EndpointName": "moons-1", "Body": "(12 bytes)", "ContentType": "text/csv", "Accept": "text/csv"}
    assert violations("sagemaker-runtime", "InvokeEndpoint", asked) == []
    keys = [{"Key": f"{number}"} for number in range(20)]
    cut = {"Bucket": "bucket", "Delete": {"Objects": [*keys, "… (900 items)"]}}
    assert violations("s3", "DeleteObjects", cut) == []
