"""Asynchronous endpoints: answers and failures in S3, the queue that survives, what is refused, what is measured."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import DOUBLE, Deployer, refused, unique, wait_for

SLOW = """
import json, os, time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept, context):
    data = data.encode() if isinstance(data, str) else data
    word, _, rest = data.partition(b" ")
    if word == b"fail": raise ValueError("no such thing")
    if word == b"exit": os._exit(3)
    if word == b"sleep": time.sleep(3)
    if word == b"wait":
        deadline = time.time() + 60
        while not os.path.exists(rest.decode()) and time.time() < deadline: time.sleep(0.02)
    with open(os.environ["SEEN"], "a") as seen: seen.write(word.decode() + "\\n")
    return json.dumps([len(data), content_type, accept, context.get_request_header(0, "x-amzn-sagemaker-inference-id")]), "application/x-done"
"""


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


def config(deploy: Deployer, prefix: str, **more: Any) -> dict[str, Any]:
    return {
        "OutputConfig": {
            "S3OutputPath": f"s3://{deploy.bucket}/{prefix}/out",
            "S3FailurePath": f"s3://{deploy.bucket}/{prefix}/failed/",
            **more,
        }
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("async") / "seen"


@pytest.fixture(scope="module")
def prefix() -> str:
    return unique("async")


@pytest.fixture(scope="module")
def endpoint(deploy: Deployer, seen: Any, prefix: str) -> str:
    topic = "arn:aws:sns:us-east-1:123456789012:done"
    told = {"NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic}}
    return deploy.endpoint(
        deploy.model(SLOW, SEEN=str(seen)), AsyncInferenceConfig=config(deploy, prefix, **told)
    )


def place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def result(deploy: Deployer, uri: str) -> Any:
    """The object, once it is there."""

    def found() -> Any:
        try:
            return deploy.s3.get_object(**place(uri))
        except deploy.s3.exceptions.NoSuchKey:
            return None

    return wait_for(found)


def test_an_input_in_s3(deploy: Deployer, endpoint: str, prefix: str) -> None:
    uri = deploy.upload(b"x" * 7_000_000)
    answer = deploy.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=uri, ContentType="text/x-mine", Accept="text/x-yours"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    identity = answer["InferenceId"]
    assert answer["OutputLocation"] == f"s3://{deploy.bucket}/{prefix}/out/{identity}.out"
    assert answer["FailureLocation"] == f"s3://{deploy.bucket}/{prefix}/failed/{identity}-error.out"
    done = result(deploy, answer["OutputLocation"])
    assert done["ContentType"] == "application/x-done"
    assert json.loads(done["Body"].read()) == [7_000_000, "text/x-mine", "text/x-yours", identity]
    # Without a content type of its own the request has that of its object.
    deploy.s3.put_object(Bucket=deploy.bucket, Key=f"{prefix}/in.csv", Body=b"1,2", ContentType="text/csv")
    answer = deploy.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=f"s3://{deploy.bucket}/{prefix}/in.csv"
    )
    assert json.loads(result(deploy, answer["OutputLocation"])["Body"].read())[:2] == [3, "text/csv"]


def test_an_input_in_the_request_and_names_of_ones_own(deploy: Deployer, endpoint: str, prefix: str) -> None:
    answer = deploy.runtime.invoke_endpoint_async(
        EndpointName=endpoint,
        Body=b"inline",
        ContentType="text/plain",
        InferenceId="mine",
        S3OutputPathExtension="2026/11",
        Filename="answer.json",
    )
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"] == f"s3://{deploy.bucket}/{prefix}/out/2026/11/answer.json"
    assert answer["FailureLocation"].endswith("/failed/2026/11/answer-error.json")
    assert json.loads(result(deploy, answer["OutputLocation"])["Body"].read())[3] == "mine"


def test_failures_are_objects_too(deploy: Deployer, endpoint: str, seen: Any) -> None:
    invoke = deploy.runtime.invoke_endpoint_async
    failed = invoke(EndpointName=endpoint, Body=b"fail now", InferenceId="broken-1")
    missing = invoke(EndpointName=endpoint, InputLocation=f"s3://{deploy.bucket}/not/there")
    deadly = invoke(EndpointName=endpoint, Body=b"exit")
    hung = invoke(EndpointName=endpoint, Body=b"sleep", InvocationTimeoutSeconds=1)
    text = result(deploy, failed["FailureLocation"])["Body"].read().decode()
    assert text.startswith('Received server error (500) from primary with message "no such thing')
    text = result(deploy, missing["FailureLocation"])["Body"].read().decode()
    assert f"s3://{deploy.bucket}/not/there" in text and "no such object" in text
    assert "did not answer" in result(deploy, deadly["FailureLocation"])["Body"].read().decode()
    assert "timed out" in result(deploy, hung["FailureLocation"])["Body"].read().decode()
    after = invoke(EndpointName=endpoint, Body=b"after")
    result(deploy, after["OutputLocation"])
    group = f"/aws/sagemaker/Endpoints/{endpoint}"

    def logged() -> list[str]:
        events = deploy.logs.filter_log_events(logGroupName=group)["events"]
        return [item["message"] for item in events if item["logStreamName"].endswith("/data-log")]

    wait_for(lambda: any("[broken-1] Received server error (500)" in line for line in logged()))
    wait_for(lambda: any("sns:us-east-1:123456789012:done was not delivered" in line for line in logged()))


def test_what_is_measured_and_captured(deploy: Deployer, seen: Any) -> None:
    captured = unique("captured")
    name = deploy.endpoint(
        deploy.model(SLOW, SEEN=str(seen)),
        AsyncInferenceConfig=config(deploy, unique("async")),
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{deploy.bucket}/{captured}",
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    uri = deploy.upload(b"two")
    deploy.runtime.invoke_endpoint_async(EndpointName=name, Body=b"one", ContentType="text/csv")
    deploy.runtime.invoke_endpoint_async(EndpointName=name, InputLocation=uri, ContentType="text/csv")
    deploy.runtime.invoke_endpoint_async(EndpointName=name, Body=b"fail")
    wait_for(lambda: deploy.metric(name, "InvocationFailures") == 1)
    wait_for(lambda: deploy.metric(name, "InvocationsProcesssed") == 2)
    assert deploy.metric(name, "ModelLatency", statistic="SampleCount") == 3
    assert deploy.metric(name, "TotalProcessingTime", statistic="Minimum") > 0
    wait_for(lambda: deploy.metric(name, "ApproximateBacklogSize", "", "SampleCount") >= 1)
    assert deploy.metric(name, "HasBacklogWithoutCapacity", "") == 0
    assert deploy.metric(name, "Invocations") == 0

    def lines() -> list[dict[str, Any]]:
        return [json.loads(text) for body in deploy.objects(captured).values() for text in body.splitlines()]

    wait_for(lambda: len(lines()) == 2)
    inputs = [line["captureData"]["endpointInput"]["data"] for line in lines()]
    assert sorted(inputs) == ["one", "two"]
    assert all(line["eventMetadata"]["inferenceId"] for line in lines())


def test_each_kind_of_endpoint_has_its_call(deploy: Deployer, endpoint: str) -> None:
    for call in (deploy.runtime.invoke_endpoint, deploy.runtime.invoke_endpoint_with_response_stream):
        message = refused("ValidationError", call, EndpointName=endpoint, Body=b"1")
        assert "asynchronous" in message
    plain = deploy.endpoint(deploy.model(DOUBLE))
    call = deploy.runtime.invoke_endpoint_async
    assert "not an asynchronous" in refused("ValidationError", call, EndpointName=plain, Body=b"1")
    refused("ValidationError", call, EndpointName=unique("none"), Body=b"1")
    assert "Exactly one" in refused("ValidationError", call, EndpointName=endpoint)
    both = {"Body": b"1", "InputLocation": "s3://b/k"}
    assert "Exactly one" in refused("ValidationError", call, EndpointName=endpoint, **both)
    loose = deploy.engine.client("sagemaker-runtime", config=Config(parameter_validation=False))
    message = refused(
        "ValidationError", loose.invoke_endpoint_async, EndpointName=endpoint, Body=b"1", RequestTTLSeconds=59
    )
    assert "greater than or equal to 60" in message
    described = deploy.status(endpoint)["AsyncInferenceConfig"]["OutputConfig"]
    assert described["NotificationConfig"]["SuccessTopic"].endswith(":done")
    other = deploy.config(deploy.model(DOUBLE))
    message = refused(
        "ValidationException", deploy.sm.update_endpoint, EndpointName=endpoint, EndpointConfigName=other
    )
    assert "between real-time and asynchronous" in message


def test_no_instances_then_one(deploy: Deployer, seen: Any) -> None:
    name = deploy.endpoint(
        deploy.model(SLOW, SEEN=str(seen)), AsyncInferenceConfig=config(deploy, unique("async"))
    )

    def scale(count: int) -> None:
        wish = [{"VariantName": "A", "DesiredInstanceCount": count}]
        deploy.sm.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wish)
        (variant,) = deploy.in_service(name)["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == count

    scale(0)
    answer = deploy.runtime.invoke_endpoint_async(EndpointName=name, Body=b"later")
    wait_for(lambda: deploy.metric(name, "HasBacklogWithoutCapacity", "", "Maximum") == 1)
    scale(1)
    result(deploy, answer["OutputLocation"])


def test_the_queue_survives_a_kill(start_engine: Callable[..., RunningEngine], tmp_path: Any) -> None:
    engine = start_engine()
    deploy = Deployer(engine)
    gate, record = tmp_path / "gate", tmp_path / "seen"
    name = deploy.endpoint(
        deploy.model(SLOW, SEEN=str(record)), AsyncInferenceConfig=config(deploy, "survives")
    )
    invoke = deploy.runtime.invoke_endpoint_async
    locations = [
        invoke(EndpointName=name, Body=f"wait {gate}".encode())["OutputLocation"],
        *(invoke(EndpointName=name, Body=f"n{n}".encode())["OutputLocation"] for n in range(12)),
    ]
    late = invoke(EndpointName=name, Body=b"late", RequestTTLSeconds=60)
    engine.kill()
    with sqlite3.connect(engine.data_dir / "store.db") as store:
        # A minute later.
        rows = store.execute("SELECT name, document FROM resources WHERE kind='async-invocation'").fetchall()
        assert len(rows) == 14
        for key, text in rows:
            document = json.loads(text)
            if document["Body"] == "bGF0ZQ==":
                document["Expires"] = time.time() - 1
                changed = (json.dumps(document), key)
                store.execute("UPDATE resources SET document=? WHERE name=?", changed)
    gate.touch()
    engine = start_engine()
    deploy = Deployer(engine)
    for location in locations:
        result(deploy, location)
    assert "expired in the queue" in result(deploy, late["FailureLocation"])["Body"].read().decode()
    wait_for(lambda: deploy.metric(name, "ExpiredRequests") == 1)
    words = record.read_text().splitlines()
    assert set(words) == {"wait", *(f"n{n}" for n in range(12))}

    def pending() -> int:
        with sqlite3.connect(f"file:{engine.data_dir / 'store.db'}?mode=ro", uri=True) as store:
            query = "SELECT count(*) FROM resources WHERE kind='async-invocation'"
            return int(store.execute(query).fetchone()[0])

    wait_for(lambda: pending() == 0)
    gate.unlink()
    deploy.runtime.invoke_endpoint_async(EndpointName=name, Body=f"wait {gate}".encode())
    deploy.delete(name)
    assert pending() == 0
