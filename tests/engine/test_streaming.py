"""InvokeEndpointWithResponseStream over HTTP: parts as the container writes them, and what ends a stream early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, refused, unique, wait_for

STREAM = """
import os, time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept, context):
    word, _, rest = (data.decode() if isinstance(data, bytes) else data).partition(" ")
    if word == "refuse": raise ValueError("not that")
    def parts():
        if word == "early": raise ValueError("before the first part")
        yield f"{accept}|"
        if word in ("wait", "die"):
            deadline = time.time() + 30
            while not os.path.exists(rest) and time.time() < deadline: time.sleep(0.01)
        if word == "break": raise ValueError("in the middle")
        if word == "die": os._exit(9)
        if word == "big":
            for _ in range(int(rest)): yield bytes(65536)
            return
        for letter in rest: yield letter
    return parts(), "text/x-parts"
"""


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


@pytest.fixture(scope="module")
def endpoint(deploy: Deployer) -> str:
    return deploy.endpoint(deploy.model(STREAM))


def stream(deploy: Deployer, name: str, body: bytes, **more: Any) -> Any:
    return deploy.runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=body, **more)


def read(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def test_parts_arrive_while_the_container_writes(deploy: Deployer, endpoint: str, tmp_path: Any) -> None:
    signal = tmp_path / "go"
    answer = stream(deploy, endpoint, f"wait {signal}".encode(), Accept="text/plain", CustomAttributes="a=1")
    assert answer["ContentType"] == "text/x-parts"
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("A", "a=1")
    events = iter(answer["Body"])
    assert next(events) == {"PayloadPart": {"Bytes": b"text/plain|"}}
    signal.touch()
    assert b"".join(event["PayloadPart"]["Bytes"] for event in events) == str(signal).encode()
    assert b"".join(read(stream(deploy, endpoint, b"big 100"))).endswith(bytes(100 * 65536))


def test_a_whole_answer_is_a_stream_too_and_a_stream_a_whole_answer(deploy: Deployer, endpoint: str) -> None:
    whole = deploy.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"say abc", Accept="text/plain")
    assert (whole["Body"].read(), whole["ContentType"]) == (b"text/plain|abc", "text/x-parts")
    plain = deploy.endpoint(deploy.model())
    answer = stream(deploy, plain, b"[1, 2]", ContentType="application/json")
    assert (answer["ContentType"], b"".join(read(answer))) == ("application/json", b"[1, 2, 1, 2]")


def test_what_fails_before_the_first_part_is_a_model_error(deploy: Deployer, endpoint: str) -> None:
    for word in (b"refuse", b"early"):
        with pytest.raises(ClientError) as caught:
            stream(deploy, endpoint, word)
        response = caught.value.response
        assert response["Error"]["Code"] == "ModelError"
        assert response["OriginalStatusCode"] == 500
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424


@pytest.mark.parametrize("word", ["break", "die"])
def test_what_fails_in_the_middle_ends_the_stream(
    deploy: Deployer, endpoint: str, word: str, tmp_path: Any
) -> None:
    signal = tmp_path / "go"
    answer = stream(deploy, endpoint, f"{word} {signal}".encode(), Accept="text/plain")
    events = iter(answer["Body"])
    assert next(events) == {"PayloadPart": {"Bytes": b"text/plain|"}}
    signal.touch()
    with pytest.raises(EventStreamError) as caught:
        list(events)
    assert caught.value.response["Error"]["Code"] == "ModelStreamError"
    assert "closed before the inference response was complete" in str(caught.value)
    assert b"".join(read(stream(deploy, endpoint, b"say on", Accept="text/plain"))) == b"text/plain|on"


def test_who_leaves_early_keeps_nobody_busy(deploy: Deployer, endpoint: str) -> None:
    for _ in range(3):
        answer = stream(deploy, endpoint, b"big 1000")
        next(iter(answer["Body"]))
        answer["Body"].close()
    assert b"".join(read(stream(deploy, endpoint, b"say on"))).endswith(b"on")


def test_what_does_not_exist(deploy: Deployer, endpoint: str) -> None:
    call = deploy.runtime.invoke_endpoint_with_response_stream
    refused("ValidationError", call, EndpointName=unique("none"), Body=b"1")
    refused("ValidationError", call, EndpointName=endpoint, Body=b"1", TargetVariant="Z")


def test_a_stream_is_counted(deploy: Deployer) -> None:
    name = deploy.endpoint(deploy.model(STREAM))
    read(stream(deploy, name, b"say abc"))
    with pytest.raises(EventStreamError):
        read(stream(deploy, name, b"break"))
    wait_for(lambda: deploy.metric(name, "Invocations") == 2)
    assert deploy.metric(name, "InvocationModelErrors") == 1
    assert deploy.metric(name, "ModelLatency", statistic="SampleCount") == 2
