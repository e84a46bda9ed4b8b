"""Serverless variants: cold starts, the limit on concurrency, idle workers that end; and sessions, which stick to a worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import WHO, Deployer, refused, unique, wait_for

HELD = """
import os, time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    path = data.decode() if isinstance(data, bytes) else data
    if path.startswith("/"):
        open(f"{path}.{os.getpid()}", "w").close()
        deadline = time.time() + 60
        while not os.path.exists(path) and time.time() < deadline: time.sleep(0.01)
    return str(os.getpid())
"""


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


def serverless(deploy: Deployer, model: str, concurrency: int = 5, provisioned: int = 0) -> str:
    """An endpoint in service."""
    name = unique("config")
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": concurrency}
    if provisioned:
        config["ProvisionedConcurrency"] = provisioned
    deploy.sm.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "A", "ModelName": model, "ServerlessConfig": config}],
    )
    endpoint = deploy.create(name)
    deploy.in_service(endpoint)
    return endpoint


def ask(deploy: Deployer, name: str, body: bytes = b"1") -> str:
    runtime = deploy.engine.client("sagemaker-runtime")
    return str(runtime.invoke_endpoint(EndpointName=name, Body=body)["Body"].read().decode())


def workers(deploy: Deployer, name: str) -> int:
    """How many workers an endpoint has: each has a folder."""
    return len(list((deploy.engine.data_dir / "endpoints" / name / "workers" / "A").glob("*/pid")))


def test_workers_come_and_go_with_requests(deploy: Deployer) -> None:
    name = serverless(deploy, deploy.model(WHO, WORD="w"))
    (variant,) = deploy.status(name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 5}
    assert variant["CurrentInstanceCount"] == 0
    assert "DesiredInstanceCount" not in variant and "DesiredServerlessConfig" not in variant
    first = ask(deploy, name)
    # 300 declared seconds, a hundredth of that here.
    wait_for(lambda: workers(deploy, name) == 0)
    before = deploy.metric(name, "ModelSetupTime", statistic="SampleCount")
    second = ask(deploy, name)
    assert second.startswith("w ") and second != first
    wait_for(lambda: deploy.metric(name, "ModelSetupTime", statistic="SampleCount") > before)
    assert deploy.metric(name, "ModelSetupTime", statistic="Minimum") > 10_000
    wait_for(lambda: deploy.metric(name, "Invocations") == 2)


def test_no_more_requests_at_a_time_than_allowed(deploy: Deployer, tmp_path: Path) -> None:
    name = serverless(deploy, deploy.model(HELD), concurrency=2)
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(ask, deploy, name, str(gate).encode()) for _ in range(2)]
        wait_for(lambda: len(list(tmp_path.glob("gate.*"))) == 2)
        with pytest.raises(ClientError) as caught:
            deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        gate.touch()
        assert len({future.result() for future in held}) == 2  # a worker of its own for each
    ask(deploy, name)
    wait_for(lambda: deploy.metric(name, "Invocation4XXErrors") == 1)
    assert deploy.metric(name, "InvocationModelErrors") == 0


def test_what_is_provisioned_stays_and_can_be_changed(deploy: Deployer) -> None:
    name = serverless(deploy, deploy.model(WHO), provisioned=1)
    update = deploy.sm.update_endpoint_weights_and_capacities

    def change(**config: int) -> dict[str, Any]:
        wish = [{"VariantName": "A", "ServerlessUpdateConfig": config}]
        update(EndpointName=name, DesiredWeightsAndCapacities=wish)
        (variant,) = deploy.in_service(name)["ProductionVariants"]
        found: dict[str, Any] = variant["CurrentServerlessConfig"]
        return found

    assert change(MaxConcurrency=10, ProvisionedConcurrency=2) == {
        "MemorySizeInMB": 1024,
        "MaxConcurrency": 10,
        "ProvisionedConcurrency": 2,
    }
    wait_for(lambda: workers(deploy, name) == 2)
    wish = [{"VariantName": "A", "ServerlessUpdateConfig": {"MaxConcurrency": 1}}]
    message = refused("ValidationException", update, EndpointName=name, DesiredWeightsAndCapacities=wish)
    assert "ProvisionedConcurrency 2" in message
    wish = [{"VariantName": "A", "DesiredInstanceCount": 2}]  # type: ignore[dict-item]
    refused("ValidationException", update, EndpointName=name, DesiredWeightsAndCapacities=wish)
    time.sleep(4)  # longer than an idle worker is kept
    assert workers(deploy, name) == 2


def test_what_is_too_large_or_does_not_start(deploy: Deployer) -> None:
    name = serverless(deploy, deploy.model(WHO))
    ask(deploy, name, bytes(4 * 2**20))
    call = deploy.runtime.invoke_endpoint
    message = refused("ValidationError", call, EndpointName=name, Body=bytes(4 * 2**20 + 1))
    assert "less than or equal to 4194304" in message
    broken = unique("config")
    model = deploy.model("raise ValueError('does not load')")
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    deploy.sm.create_endpoint_config(
        EndpointConfigName=broken,
        ProductionVariants=[{"VariantName": "A", "ModelName": model, "ServerlessConfig": config}],
    )
    found = deploy.settled(deploy.create(broken))
    assert found["EndpointStatus"] == "Failed" and "does not load" in found["FailureReason"]


def test_from_instances_to_serverless_and_through_a_kill(start_engine: Callable[..., RunningEngine]) -> None:
    engine = start_engine()
    deploy = Deployer(engine)
    model = deploy.model(WHO, WORD="w")
    name = deploy.endpoint(model)
    deploy.sm.create_endpoint_config(
        EndpointConfigName="serverless",
        ProductionVariants=[
            {"VariantName": "A", "ModelName": model, "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 3}}
        ],
    )  # fmt: skip
    # There are no instances to keep, in either direction.
    keep = {"RetainAllVariantProperties": True}
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName="serverless", **keep)
    (variant,) = deploy.in_service(name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MaxConcurrency"] == 3
    assert ask(deploy, name).startswith("w ")
    engine.kill()
    deploy = Deployer(start_engine())
    wait_for(lambda: deploy.status(name)["EndpointStatus"] == "InService")
    assert ask(deploy, name).startswith("w ")
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=deploy.config(model), **keep)
    (variant,) = deploy.in_service(name)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 1
    assert ask(deploy, name).startswith("w ")


SESSIONS = """
import json, os
HELD = set()
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept, context):
    session = context.get_request_header(0, "x-amzn-sagemaker-session-id")
    if session == "NEW_SESSION":
        session = f"s-{os.getpid()}"
        HELD.add(session)
        context.set_response_header(0, "X-Amzn-SageMaker-New-Session-Id", f"{session}; Expires=2030-01-01T00:00:00Z")
    elif (data if isinstance(data, bytes) else data.encode()) == b"close":
        HELD.discard(session)
        context.set_response_header(0, "X-Amzn-SageMaker-Closed-Session-Id", session)
    return json.dumps([os.getpid(), session in HELD])
"""


def test_a_session_stays_with_the_worker_that_opened_it(deploy: Deployer) -> None:
    name = deploy.endpoint(deploy.model(SESSIONS), deploy.model(SESSIONS), count=2)
    call = deploy.runtime.invoke_endpoint
    opened = call(EndpointName=name, Body=b"open", SessionId="NEW_SESSION")
    session, _, expires = opened["NewSessionId"].partition("; ")
    pid = json.loads(opened["Body"].read())[0]
    assert (session, expires) == (f"s-{pid}", "Expires=2030-01-01T00:00:00Z")
    for _ in range(12):
        answer = call(EndpointName=name, Body=b"go on", SessionId=session)
        assert json.loads(answer["Body"].read()) == [pid, True]
        assert answer["InvokedProductionVariant"] == opened["InvokedProductionVariant"]
    closed = call(EndpointName=name, Body=b"close", SessionId=session)
    assert closed["ClosedSessionId"] == session
    seen = {
        json.loads(call(EndpointName=name, Body=b"again", SessionId=session)["Body"].read())[1]
        for _ in range(4)
    }
    assert seen == {False}
