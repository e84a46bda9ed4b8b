"""AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.engine import jobs
from tests.engine.conftest import RunningEngine


@pytest.fixture(scope="module")
def arn(engine: RunningEngine) -> str:
    """A resource to tag: a training job that has ended."""
    name = jobs.submit(engine, "print(1)", name=jobs.fresh("Tagged-Job"))
    return str(jobs.finish(engine, name)["TrainingJobArn"])


def tags(pairs: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def clear(client: Any, arn: str) -> None:
    found = [
        tag["Key"]
        for page in client.get_paginator("list_tags").paginate(ResourceArn=arn)
        for tag in page["Tags"]
    ]
    if found:
        client.delete_tags(ResourceArn=arn, TagKeys=found)


def test_tags_are_added_replaced_and_removed(engine: RunningEngine, arn: str) -> None:
    client = engine.client("sagemaker")
    clear(client, arn)
    assert client.add_tags(ResourceArn=arn, Tags=tags({"a": "1", "b": "2"}))["Tags"] == tags(
        {"a": "1", "b": "2"}
    )
    client.add_tags(ResourceArn=arn, Tags=tags({"b": "3", "c": ""}))
    assert client.list_tags(ResourceArn=arn)["Tags"] == tags({"a": "1", "b": "3", "c": ""})
    client.delete_tags(ResourceArn=arn, TagKeys=["b", "never there"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == tags({"a": "1", "c": ""})
    assert arn == arn.lower()


def test_a_resource_has_at_most_fifty(engine: RunningEngine, arn: str) -> None:
    client = engine.client("sagemaker")
    clear(client, arn)
    client.add_tags(ResourceArn=arn, Tags=tags({f"key-{number}": "v" for number in range(50)}))
    with pytest.raises(ClientError, match="at most 50"):
        client.add_tags(ResourceArn=arn, Tags=tags({"one more": "v"}))
    client.add_tags(ResourceArn=arn, Tags=tags({"key-1": "changed"}))
    assert len(client.list_tags(ResourceArn=arn)["Tags"]) == 50
    clear(client, arn)
    assert client.list_tags(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (tags({"aws:mine": "v"}), "reserved"),
        ([*tags({"a": "1"}), *tags({"a": "2"})], "Duplicate tag keys"),
        (tags({"bad\u0007key": "v"}), "1 validation error detected"),
        (tags({"k" * 129: "v"}), "1 validation error detected"),
        (tags({"k": "v" * 257}), "1 validation error detected"),
    ],
)
def test_what_aws_refuses_is_refused(
    engine: RunningEngine, arn: str, wanted: list[dict[str, str]], message: str
) -> None:
    client = engine.client("sagemaker", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as caught:
        client.add_tags(ResourceArn=arn, Tags=wanted)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("arn:aws:sagemaker:us-east-1:{account}:training-job/nowhere", "Could not find resource"),
        ("arn:aws:sagemaker:us-east-1:000000000001:training-job/x", "another account or region"),
        ("arn:aws:s3:::bucket", "1 validation error detected"),
    ],
)
def test_only_resources_that_are_there_have_tags(engine: RunningEngine, template: str, message: str) -> None:
    client = engine.client("sagemaker", config=Config(parameter_validation=False))
    arn = template.format(account=engine.connection.account_id)
    for call in (
        lambda: client.list_tags(ResourceArn=arn),
        lambda: client.add_tags(ResourceArn=arn, Tags=tags({"a": "1"})),
        lambda: client.delete_tags(ResourceArn=arn, TagKeys=["a"]),
    ):
        with pytest.raises(ClientError, match=message):
            call()


def test_tags_go_with_their_job(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = jobs.submit(engine, "print(1)", Tags=tags({"of": "the first"}))
    arn = jobs.finish(engine, name)["TrainingJobArn"]
    client.delete_training_job(TrainingJobName=name)
    jobs.submit(engine, "print(1)", name=name)
    assert client.list_tags(ResourceArn=arn)["Tags"] == []
    jobs.finish(engine, name)
