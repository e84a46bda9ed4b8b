"""Data capture: lines and keys as SageMaker writes them, samples, updates, and what a killed engine leaves."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import Clock
from engine.hosting.capture import Capture, Line, Writer
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique, wait_for

TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json", "application/x-Mine"]}


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


def config(bucket: str, prefix: str, share: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": share,
        "DestinationS3Uri": f"s3://{bucket}/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": TYPES,
        **more,
    }


def lines(deploy: Deployer, prefix: str, count: int) -> list[dict[str, Any]]:
    """So many captured lines below a prefix, once they are there."""

    def found() -> list[dict[str, Any]]:
        return [json.loads(line) for body in deploy.objects(prefix).values() for line in body.splitlines()]

    wait_for(lambda: len(found()) >= count)
    return found()


def test_lines_and_keys(deploy: Deployer) -> None:
    prefix = unique("capture")
    name = deploy.endpoint(deploy.model(), DataCaptureConfig=config(deploy.bucket, prefix + "/"))
    before = datetime.now(UTC).replace(microsecond=0)
    deploy.invoke(name, [1, 2], InferenceId="mine-1", CustomAttributes="trace=7")
    deploy.invoke(name, [3])
    first, second = lines(deploy, prefix, 2)
    assert list(first) == ["captureData", "eventMetadata", "eventVersion"]
    assert first["captureData"] == {
        "endpointInput": {
            "observedContentType": "application/json",
            "mode": "INPUT",
            "data": "[1, 2]",
            "encoding": "JSON",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": "[1, 2, 1, 2]",
            "encoding": "JSON",
        },
    }
    about = first["eventMetadata"]
    assert list(about) == ["eventId", "customAttributes", "inferenceId", "inferenceTime"]
    assert (about["customAttributes"], about["inferenceId"]) == (["trace=7"], "mine-1")
    assert uuid.UUID(about["eventId"]) and first["eventVersion"] == "0"
    moment = datetime.strptime(about["inferenceTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= moment <= datetime.now(UTC)
    assert set(second["eventMetadata"]) == {"eventId", "inferenceTime"}
    hour = moment.strftime("%Y/%m/%d/%H")
    for key in deploy.objects(prefix):
        assert re.fullmatch(rf"{prefix}/{name}/A/{hour}/\d\d-\d\d-\d\d\d-[0-9a-f-]{{36}}\.jsonl", key)
    told = deploy.status(name)["DataCaptureConfig"]
    assert told == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{deploy.bucket}/{prefix}/",
        "KmsKeyId": "",
    }


def test_only_the_output_and_only_what_succeeded(deploy: Deployer) -> None:
    prefix = unique("capture")
    name = deploy.endpoint(
        deploy.model(),
        DataCaptureConfig=config(deploy.bucket, prefix, CaptureOptions=[{"CaptureMode": "Output"}]),
    )
    with pytest.raises(deploy.runtime.exceptions.ModelError):
        deploy.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=b"no json")
    deploy.invoke(name, [5])
    (line,) = lines(deploy, prefix, 1)
    assert list(line["captureData"]) == ["endpointOutput"]


def test_nothing_is_kept_of_what_is_not_in_the_sample_and_deleting_flushes(deploy: Deployer) -> None:
    prefix = unique("capture")
    model = deploy.model()
    silent = deploy.endpoint(model, DataCaptureConfig=config(deploy.bucket, prefix, share=0))
    off = deploy.endpoint(model, DataCaptureConfig=config(deploy.bucket, prefix, EnableCapture=False))
    deploy.invoke(silent, [1])
    deploy.invoke(off, [1])
    assert deploy.status(off)["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    name = deploy.endpoint(model, DataCaptureConfig=config(deploy.bucket, prefix))
    deploy.invoke(name, [1])
    deploy.delete(name)
    (key,) = deploy.objects(prefix)
    assert f"/{name}/A/" in key


def test_an_update_changes_or_keeps_what_is_captured(deploy: Deployer) -> None:
    first, second = unique("capture"), unique("capture")
    model = deploy.model()
    name = deploy.endpoint(model, DataCaptureConfig=config(deploy.bucket, first))
    other = deploy.config(model, DataCaptureConfig=config(deploy.bucket, second, share=50))
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=other, RetainAllVariantProperties=True)
    deploy.in_service(name)
    assert deploy.status(name)["DataCaptureConfig"]["DestinationS3Uri"].endswith(first)
    deploy.invoke(name, [1])
    assert len(lines(deploy, first, 1)) == 1
    third = deploy.config(model, DataCaptureConfig=config(deploy.bucket, second))
    deploy.sm.update_endpoint(
        EndpointName=name,
        EndpointConfigName=third,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DataCaptureConfig"}],
    )
    deploy.in_service(name)
    deploy.invoke(name, [1])
    assert len(lines(deploy, second, 1)) == 1


def test_a_killed_engine_loses_nothing_that_was_written(start_engine: Callable[..., RunningEngine]) -> None:
    # Declared minutes stay minutes: nothing is in S3 when the engine is killed.
    engine = start_engine("--time-scale", "1")
    deploy = Deployer(engine)
    name = deploy.endpoint(deploy.model(), DataCaptureConfig=config(deploy.bucket, "kept"))
    for number in range(20):
        deploy.invoke(name, [number])
    journals = engine.data_dir / "captures"
    wait_for(lambda: sum(len(p.read_bytes().splitlines()) - 1 for p in journals.glob("*")) == 20)
    assert not deploy.objects("kept")
    engine.kill()
    engine = start_engine("--time-scale", "1")
    deploy = Deployer(engine)
    captured = lines(deploy, "kept", 20)
    assert [json.loads(line["captureData"]["endpointInput"]["data"]) for line in captured] == [
        [n] for n in range(20)
    ]
    assert not list(journals.glob("*"))
    deploy.in_service(name)
    deploy.invoke(name, ["last"])
    engine.stop()
    engine = start_engine("--time-scale", "1")
    assert len(lines(Deployer(engine), "kept", 21)) == 21


def captured(content_type: str, data: bytes) -> dict[str, Any]:
    """The input of a line that captures this body."""
    engine = cast(Any, SimpleNamespace(clock=Clock()))
    capture = Capture(Writer(engine, Path("/nonexistent")), "e", config("b", "p"))
    event = capture.begin({"content-type": content_type} if content_type else {}, data)
    line = capture.line(Line(capture, "A", event, content_type, data))
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    found: dict[str, Any] = json.loads(line)["captureData"]["endpointInput"]
    return found


@given(st.binary(max_size=200), st.sampled_from(["text/csv", "text/csv; charset=utf-8", "application/X-MINE", "image/png", ""]))  # fmt: skip
def test_every_body_can_be_read_back(data: bytes, content_type: str) -> None:
    found = captured(content_type, data)
    assert found["observedContentType"] == (content_type or "application/octet-stream")
    if found["encoding"] == "BASE64":
        assert base64.b64decode(found["data"]) == data
    else:
        assert found["data"].encode() == data
        assert found["encoding"] == ("CSV" if "csv" in content_type else "JSON")
    if content_type in ("image/png", ""):
        assert found["encoding"] == "BASE64"


def test_what_is_not_text_is_base64_whatever_it_says_it_is() -> None:
    assert captured("text/csv", b"\xff,1")["encoding"] == "BASE64"
    assert captured("text/csv", "é,1".encode())["data"] == "é,1"


class TestShadow:
    SLOW = """
import json, time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    time.sleep(0.3)
    if json.loads(data) == [9]: raise ValueError("the shadow fails")
    return "shadow"
"""

    @pytest.fixture(scope="class")
    def prefix(self) -> str:
        return unique("shadow")

    @pytest.fixture(scope="class")
    def endpoint(self, deploy: Deployer, prefix: str) -> str:
        return deploy.endpoint(
            deploy.model(),
            DataCaptureConfig=config(deploy.bucket, prefix),
            ShadowProductionVariants=[
                {
                    "VariantName": "S",
                    "ModelName": deploy.model(self.SLOW),
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1.0,
                }
            ],
        )

    def test_gets_copies_and_is_never_seen(self, deploy: Deployer, endpoint: str, prefix: str) -> None:
        for number in (1, 2, 9):
            assert deploy.invoke(endpoint, [number], InferenceId=f"i-{number}") == [number, number]
        wait_for(lambda: deploy.metric(endpoint, "Invocations", "S") == 3)
        assert deploy.metric(endpoint, "Invocation5XXErrors", "S") == 1
        assert deploy.metric(endpoint, "Invocations", "A") == 3
        assert deploy.metric(endpoint, "Invocation5XXErrors", "A") == 0
        assert deploy.metric(endpoint, "ModelLatency", "S", "Minimum") >= 300_000
        assert deploy.metric(endpoint, "ModelLatency", "A", "Minimum") < 300_000
        mine, theirs = (
            lines(deploy, f"{prefix}/{endpoint}/A/", 3),
            lines(deploy, f"{prefix}/{endpoint}/S/", 2),
        )
        pairs = {line["eventMetadata"]["eventId"]: line["captureData"] for line in mine}
        for line in theirs:
            twin = pairs[line["eventMetadata"]["eventId"]]
            assert twin["endpointInput"] == line["captureData"]["endpointInput"]
            assert line["captureData"]["endpointOutput"]["data"] == "shadow"

    def test_cannot_be_asked_by_name(self, deploy: Deployer, endpoint: str) -> None:
        with pytest.raises(Exception, match="Variant S of endpoint"):
            deploy.invoke(endpoint, [1], TargetVariant="S")

    def test_is_described_apart_and_can_be_turned_down(self, deploy: Deployer, endpoint: str) -> None:
        found = deploy.status(endpoint)
        (shadow,) = found["ShadowProductionVariants"]
        assert (shadow["VariantName"], shadow["CurrentWeight"], shadow["CurrentInstanceCount"]) == (
            "S",
            1.0,
            1,
        )
        assert [item["VariantName"] for item in found["ProductionVariants"]] == ["A"]
        deploy.sm.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "S", "DesiredWeight": 0.0}]
        )
        deploy.in_service(endpoint)
        before = deploy.metric(endpoint, "Invocations", "S")
        count = deploy.metric(endpoint, "Invocations", "A")
        for _ in range(5):
            deploy.invoke(endpoint, [1])
        wait_for(lambda: deploy.metric(endpoint, "Invocations", "A") == count + 5)
        assert deploy.metric(endpoint, "Invocations", "S") == before
        assert deploy.status(endpoint)["ShadowProductionVariants"][0]["CurrentWeight"] == 0.0
