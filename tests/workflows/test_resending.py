"""Calls on AWS whose answer is lost after they were done, over a real socket: they are sent again, and what was done counts as done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.aws.account import _training, searching
from tests.console.faulty import FORGETFUL, LOSING, Faulty
from tests.workflows.reviewing import WORDS, drop, host
from workflows import embedded, resending
from workflows import platform as platforms
from workflows.configuration import Configuration
from workflows.explain import explain
from workflows.interfaces import objects
from workflows.platform import Platform, open_platform
from workflows.resending import Try, covers
from workflows.safety import auditlog
from workflows.webapp import creation, removal


@pytest.fixture
def between(on_engine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """What stands between a target ``aws`` and the one that answers: an engine, which refuses as SageMaker does."""
    engine = embedded.ensure()
    faulty = Faulty(engine.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", engine.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", engine.secret_key)
    monkeypatch.setattr(platforms, "READ_TIMEOUT", 3)
    yield faulty
    faulty.close()


@pytest.fixture
def aws(between: Faulty) -> Platform:
    engine = embedded.ensure()
    opened = open_platform(
        Configuration(target="aws", region=engine.region, role=engine.role_arn, bucket=engine.bucket)
    )
    objects.ensure_bucket(opened.client("s3"), engine.bucket, engine.region)
    for key in ("model.tar.gz", "data/train.csv"):
        opened.client("s3").put_object(Bucket=engine.bucket, Key=f"lost/{key}", Body=b"1,0.5,0.25")
    return opened


def named(what: str) -> str:
    return f"{what}-{time.time_ns()}"


def model(name: str) -> dict[str, Any]:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    return {
        "ModelName": name,
        "ExecutionRoleArn": embedded.ensure().role_arn,
        "PrimaryContainer": {
            "Image": image,
            "ModelDataUrl": f"s3://{embedded.ensure().bucket}/lost/model.tar.gz",
            "Environment": {"A": "1"},
        },
        "Tags": [{"Key": "a", "Value": "b"}],
    }


def job(name: str) -> dict[str, Any]:
    found = {"TrainingJobName": name} | _training(embedded.ensure().role_arn)
    found["AlgorithmSpecification"]["TrainingImage"] = (
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    )
    place = f"s3://{embedded.ensure().bucket}/lost"
    found["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"{place}/data/"
    found["OutputDataConfig"] = {"S3OutputPath": place}
    return found


@pytest.mark.parametrize("fault", FORGETFUL)
def test_what_was_made_and_not_answered_is_made(between: Faulty, aws: Platform, fault: str) -> None:
    sagemaker, name = aws.client("sagemaker"), named("lost")
    between.fails(fault)
    made = sagemaker.create_model(**model(name))
    assert made["ModelArn"].endswith(f"/{name}") and made["ResponseMetadata"]["RetryAttempts"] == 1
    assert between.asked == 1
    assert [
        (entry.operation, entry.result) for entry in auditlog.entries() if entry.service == "sagemaker"
    ] == [("CreateModel", "ok")]
    between.fails(fault)
    assert sagemaker.delete_model(ModelName=name)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_every_kind_of_thing(between: Faulty, aws: Platform) -> None:
    sagemaker, name = aws.client("sagemaker"), named("lost")
    sagemaker.create_model(**model(name))
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}  # fmt: skip
    for config in (name, f"{name}-2"):
        between.fails("cut")
        made = sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
        assert made["EndpointConfigArn"].endswith(config)
    between.fails("cut")
    assert sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)["EndpointArn"].endswith(name)
    between.fails("cut")
    assert sagemaker.create_training_job(**job(name))["TrainingJobArn"].endswith(name)
    between.fails("cut")
    sagemaker.stop_training_job(TrainingJobName=name)
    deadline = time.monotonic() + 60
    while sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for call, thing in (
        ("endpoint", "EndpointName"),
        ("endpoint_config", "EndpointConfigName"),
        ("model", "ModelName"),
    ):
        between.fails("cut")
        getattr(sagemaker, f"delete_{call}")(**{thing: name})
        assert between.asked == 1


def test_searches_and_transforms(between: Faulty, aws: Platform) -> None:
    sagemaker, name = aws.client("sagemaker"), named("lost")
    sagemaker.create_model(**model(name))
    place = f"s3://{embedded.ensure().bucket}/lost"
    between.fails("cut")
    training = job(name)
    made = sagemaker.create_hyper_parameter_tuning_job(**searching(name[:32], training))
    assert made["HyperParameterTuningJobArn"].endswith(name[:32]) and between.asked == 1
    between.fails("cut")
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name[:32])
    assert between.asked == 1
    between.fails("cut")
    made = sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{place}/data/"}}
        },
        TransformOutput={"S3OutputPath": f"{place}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    assert made["TransformJobArn"].endswith(name) and between.asked == 1
    sagemaker.delete_model(ModelName=name)


def test_what_others_made_under_the_name_is_theirs(between: Faulty, aws: Platform) -> None:
    sagemaker, name = aws.client("sagemaker"), named("taken")
    sagemaker.create_model(**model(name))
    between.fails("cut")
    with pytest.raises(ClientError, match="already existing"):
        sagemaker.create_model(**model(name) | {"PrimaryContainer": {"Image": "another"}})
    with pytest.raises(ClientError, match="already existing"):  # sent once: as ever
        sagemaker.create_model(**model(name))
    sagemaker.delete_model(ModelName=name)


def test_what_was_there_before_is_not_what_was_lost() -> None:
    from datetime import UTC, datetime

    class Client:
        @staticmethod
        def describe_model(**_: Any) -> dict[str, Any]:
            return {"ModelArn": "arn", "ModelName": "m", "CreationTime": datetime.fromtimestamp(1000, UTC)}

    check = resending._CHECKS["sagemaker", "CreateModel"]
    assert check(lambda _: Client, Try("CreateModel", {"ModelName": "m"}, 1000.0)) == {"ModelArn": "arn"}
    assert check(lambda _: Client, Try("CreateModel", {"ModelName": "m"}, 1000.1)) is None


def test_an_update_that_goes_on_is_the_one_that_was_asked_for() -> None:
    from datetime import UTC, datetime

    told: dict[str, Any] = {
        "EndpointArn": "arn", "EndpointConfigName": "old", "LastModifiedTime": datetime.fromtimestamp(1000, UTC),
        "PendingDeploymentSummary": {"EndpointConfigName": "new"},
        "ProductionVariants": [{"VariantName": "a", "DesiredWeight": 0.25, "CurrentWeight": 1.0}],
    }  # fmt: skip

    class Client:
        @staticmethod
        def describe_endpoint(**_: Any) -> dict[str, Any]:
            return told

    def done(operation: str, since: float = 999.0, **asked: Any) -> bool:
        sent = Try(operation, {"EndpointName": "e"} | asked, since)
        return resending._CHECKS["sagemaker", operation](lambda _: Client, sent) is not None

    assert done("UpdateEndpoint", EndpointConfigName="new")
    assert not done("UpdateEndpoint", EndpointConfigName="third")
    assert not done("UpdateEndpoint", 1001.0, EndpointConfigName="new")
    weigh = "UpdateEndpointWeightsAndCapacities"
    assert done(weigh, DesiredWeightsAndCapacities=[{"VariantName": "a", "DesiredWeight": 0.25}])
    assert not done(weigh, DesiredWeightsAndCapacities=[{"VariantName": "a", "DesiredWeight": 0.5}])


def test_one_more_each_time_is_not_sent_twice(between: Faulty, aws: Platform) -> None:
    gateway, name = aws.client("apigateway"), named("api")
    between.fails("cut")
    with pytest.raises(Exception) as caught:
        gateway.create_rest_api(name=name)
    problem = explain(caught.value)
    assert problem.code == "unreachable" and "CreateRestApi was not answered" in problem.sentence
    assert "may have been done" in problem.sentence and "Look whether it was done" in problem.remedy
    found = [one["id"] for one in gateway.get_rest_apis()["items"] if one["name"] == name]
    assert len(found) == 1
    gateway.delete_rest_api(restApiId=found[0])


def test_what_is_never_answered_may_have_been_done(between: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "ATTEMPTS", 1)
    monkeypatch.setattr(platforms, "READ_TIMEOUT", 1)
    for prompt in (False, True):
        monkeypatch.setattr(platforms, "PROMPT_READ", 1)
        opened = open_platform(
            Configuration(target="aws", region="us-east-1", role="arn:aws:iam::1:role/x"), prompt=prompt
        )
        name = named("silent")
        between.fails("mute")
        with pytest.raises(ReadTimeoutError) as caught:
            opened.client("sagemaker").create_model(**model(name))
        assert (
            "CreateModel was not answered in time, and may have been done" in explain(caught.value).sentence
        )
        between.fails("mute")
        with pytest.raises(ReadTimeoutError) as caught:
            opened.client("sagemaker").describe_model(ModelName=name)
        assert explain(caught.value).sentence == "AWS gave no answer in time."
        opened.client("sagemaker").delete_model(ModelName=name)


def test_a_description_covers_what_was_asked() -> None:
    asked = {"A": {"B": 1, "C": [{"D": "x"}]}, "Tags": [1]}
    assert covers({"A": {"B": 1.0, "C": [{"D": "x", "E": 2}], "F": 0}, "G": 1}, asked)
    assert not covers({"A": {"B": 2, "C": [{"D": "x"}]}}, asked)
    assert not covers({"A": {"B": 1, "C": []}}, asked)


def test_a_web_app_is_made_and_taken_away_although_every_answer_is_lost_once(
    platform: Platform, between: Faulty, aws: Platform
) -> None:
    name = f"lost-{time.time_ns() % 10**8}"
    app = host(platform, name)
    between.fails(LOSING)
    found = creation.create(aws, app, WORDS)
    lost = between.asked
    assert found.state == "ready" and len(found.apis) == 1 and lost > 20
    assert {row.state for row in removal.remove(aws, name)} == {"deleted"}
    assert between.asked >= lost + 5
    between.fails("")
    drop(platform, name)


def test_objects_that_s3_did_not_delete_are_not_counted() -> None:
    class Storage:
        @staticmethod
        def get_paginator(_: str) -> Any:
            return Storage

        @staticmethod
        def paginate(**_: Any) -> list[Any]:
            return [{"Contents": [{"Key": "a/1"}, {"Key": "a/2"}]}]

        @staticmethod
        def delete_objects(**_: Any) -> Any:
            return {"Errors": [{"Key": "a/2", "Code": "AccessDenied", "Message": "Access Denied"}]}

    assert objects.delete(Storage, "s3://b/a") == 1


def test_lines_read_before_a_refusal_come_with_the_next_reading() -> None:
    from workflows.interfaces.streams import AccountLog
    from workflows.observe.logs import LogReader

    refused = {"b"}

    class Logs:
        @staticmethod
        def describe_log_streams(**_: Any) -> Any:
            return {"logStreams": [{"logStreamName": "a"}, {"logStreamName": "b"}]}

        @staticmethod
        def get_log_events(logStreamName: str, nextToken: str = "", **_: Any) -> Any:
            if logStreamName in refused:
                refused.discard(logStreamName)
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetLogEvents")
            events = [] if nextToken else [{"timestamp": 1000, "message": logStreamName}]
            return {"events": events, "nextForwardToken": "f"}

    class Account:
        target, region, account = "embedded", "eu-central-1", "000000000000"

        @staticmethod
        def client(_: str) -> Any:
            return Logs

    log = AccountLog(Account(), LogReader("group"))
    with pytest.raises(ClientError):
        log.read()
    assert [line.text for line in log.read()] == ["a", "b"] and log.read() == []


def test_a_study_reads_all_of_a_long_log_and_the_streams_that_begin_between_two_looks() -> None:
    from workflows.interfaces.streams import AccountLog
    from workflows.observe.logs import LogReader

    pages, streams = 45, ["AllTraffic/i-1"]

    class Logs:
        @staticmethod
        def describe_log_streams(**_: Any) -> Any:
            return {"logStreams": [{"logStreamName": name} for name in streams]}

        @staticmethod
        def get_log_events(logStreamName: str, nextToken: str = "0", **_: Any) -> Any:
            page = int(nextToken)
            # Every third page is empty and not the end: a token that comes back unchanged is.
            events = (
                [{"timestamp": page, "message": f"{logStreamName} {page}"}]
                if page % 3 and page < pages
                else []
            )
            return {"events": events, "nextForwardToken": str(min(page + 1, pages))}

    class Account:
        target, region, account = "embedded", "eu-central-1", "000000000000"

        @staticmethod
        def client(_: str) -> Any:
            return Logs

    log = AccountLog(Account(), LogReader.of_endpoint("e", relist=1))
    assert [line.text for line in log.read()] == [
        f"AllTraffic/i-1 {page}" for page in range(pages) if page % 3
    ]
    streams.append("Other/i-1")
    assert [line.text for line in log.read()] == [f"Other/i-1 {page}" for page in range(pages) if page % 3]
