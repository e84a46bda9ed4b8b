"""Constraints of the models, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ServiceError
from engine.protocol import models, patterns
from engine.protocol.models import SERVICES
from engine.protocol.validate import validate

_FAILED = "failed to satisfy constraint: "
_JOB: dict[str, Any] = {
    "TrainingJobName": "a-job",
    "RoleArn": "arn:aws:iam::123456789012:role/a",
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def _said(service: str, operation: str, params: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ServiceError) as refused:
        validate(SERVICES[service], operation, params)
    return refused.value.code, refused.value.message


def test_a_valid_request_passes() -> None:
    validate(SERVICES["sagemaker"], "CreateTrainingJob", _JOB)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"TrainingJobName": "a_job"},
            f"Value 'a_job' at 'trainingJobName' {_FAILED}Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        ({"TrainingJobName": "a\n"}, f"Value 'a\n' at 'trainingJobName' {_FAILED}Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}"),
        ({"RoleArn": None}, f"Value null at 'roleArn' {_FAILED}Member must not be null"),
        ({"OutputDataConfig": {}}, f"Value null at 'outputDataConfig.s3OutputPath' {_FAILED}Member must not be null"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            f"Value '0' at 'stoppingCondition.maxRuntimeInSeconds' {_FAILED}Member must have value greater than or equal to 1",
        ),
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "Tape"}},
            f"Value 'Tape' at 'algorithmSpecification.trainingInputMode' {_FAILED}Member must satisfy enum value set: [Pipe, File, FastFile]",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "train", "DataSource": {}}, {"ChannelName": "a b", "DataSource": {}}]},
            f"Value 'a b' at 'inputDataConfig.2.member.channelName' {_FAILED}Member must satisfy regular expression pattern: "
            r"[A-Za-z0-9\.\-_]+",
        ),
        ({"InputDataConfig": [None]}, f"Value null at 'inputDataConfig.1.member' {_FAILED}Member must not be null"),
        (
            {"InputDataConfig": []},
            f"Value '[]' at 'inputDataConfig' {_FAILED}Member must have length greater than or equal to 1",
        ),
        (
            {"HyperParameters": {"a": "b" * 2501}},
            f"Value '{{a={'b' * 1021}...' at 'hyperParameters' {_FAILED}Map value must satisfy constraint: "
            "[Member must have length less than or equal to 2500, Member must satisfy regular expression pattern: .*]",
        ),
        (
            {"HyperParameters": {"k" * 257: "b"}},
            f"Value '{{{'k' * 257}=b}}' at 'hyperParameters' {_FAILED}Map keys must satisfy constraint: "
            "[Member must have length less than or equal to 256, Member must satisfy regular expression pattern: .*]",
        ),
    ],
)  # fmt: skip
def test_one_broken_constraint(change: dict[str, Any], said: str) -> None:
    assert _said("sagemaker", "CreateTrainingJob", {**_JOB, **change}) == (
        "ValidationException",
        f"1 validation error detected: {said}",
    )


def test_several_are_joined() -> None:
    code, message = _said("sagemaker", "ListTrainingJobs", {"MaxResults": 101, "SortBy": "Colour"})
    assert code == "ValidationException"
    assert message == (
        f"2 validation errors detected: Value '101' at 'maxResults' {_FAILED}Member must have value less than or equal to 100; "
        f"Value 'Colour' at 'sortBy' {_FAILED}Member must satisfy enum value set: [Name, CreationTime, Status]"
    )


def test_items_of_a_list_are_reported_by_the_list() -> None:
    _, message = _said(
        "sagemaker",
        "DeleteTags",
        {"ResourceArn": "arn:aws:sagemaker:r:123456789012:x/y", "TagKeys": ["", "b"]},
    )
    assert (
        f"Value '[, b]' at 'tagKeys' {_FAILED}Member must satisfy constraint: [Member must have length less than or equal to 128, "
        in message
    )


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("logs", "DescribeLogGroups", {"limit": 1000}, "InvalidParameterException"),
        ("cloudwatch", "PutMetricData", {}, "ValidationError"),
        ("iam", "GetRole", {"RoleName": "a b"}, "ValidationError"),
        ("sts", "AssumeRole", {"RoleArn": "x", "RoleSessionName": "s"}, "ValidationError"),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "a_b"}, "ValidationError"),
        ("s3", "GetObject", {"Bucket": "b"}, "InvalidArgument"),
    ],
)
def test_each_service_has_its_code(service: str, operation: str, params: dict[str, Any], code: str) -> None:
    assert _said(service, operation, params)[0] == code


def test_secrets_are_not_repeated() -> None:
    _, message = _said("cloudwatch", "PutMetricData", {})
    assert "null" in message
    shape = models.operation("lambda", "UpdateFunctionConfiguration").input_shape
    assert shape.members["Environment"].members["Variables"].metadata.get("sensitive")


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_can_be_read(service: str) -> None:
    unread = {
        shape["pattern"]
        for shape in models.description(service)["shapes"].values()
        if "pattern" in shape
        and shape["pattern"] not in patterns._ANYTHING
        and patterns.compiled(shape["pattern"]) is None
    }
    # The one exception: a quantifier after an anchor, which no engine but Java's accepts.
    assert all("$" + "{1," in pattern for pattern in unread), unread


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["Größe 1", "数据:x", "a@b", ""], ["a#b", "tab\t"]),
        (r"\P{Cc}+", ["a"], ["\x01"]),
        (r"[\w-_]*", ["a-b_c"], ["a.b", "é"]),
        (r"\A\S[\p{Print}]*\z", ["a b"], [" a", "a\n"]),
        (
            r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*",
            ["a\U0001f600\n"],
            ["\x00", "\ud800"],
        ),
    ],
)
def test_patterns_written_for_java(pattern: str, good: list[str], bad: list[str]) -> None:
    compiled = patterns.compiled(pattern)
    assert compiled is not None
    assert [text for text in good if not compiled.fullmatch(text)] == []
    assert [text for text in bad if compiled.fullmatch(text)] == []


def test_the_table_of_services_agrees_with_their_models() -> None:
    for service in SERVICES.values():
        told = models.description(service.name)["metadata"]
        assert service.scope == told.get("signingName", told["endpointPrefix"])
        assert service.wire == models.model(service.name).resolved_protocol
        assert service.target == told.get("targetPrefix", "")
        if service.wire == "json":
            assert service.json_version == told["jsonVersion"]
        if service.version:
            assert service.version == told["apiVersion"]
        assert service.query_errors == ("awsQueryCompatible" in told)
