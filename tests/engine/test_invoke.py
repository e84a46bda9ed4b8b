"""InvokeEndpoint over HTTP: real models, headers both ways, errors in SageMaker's words, metrics."""

from __future__ import annotations

import io
import json
import math
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import PYTORCH, WHO, Deployer, refused, unique, wait_for


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


ECHO = """
import json, sys
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept, context):
    data = data.encode() if isinstance(data, str) else data
    if data == b"fail": raise ValueError("the model says no")
    if data == b"exit": sys.stdout.flush(); __import__("os")._exit(9)
    print("asked", len(data))
    headers = {key.lower(): value for key, value in context.get_all_request_header(0).items()}
    told = {key: value for key, value in headers.items() if key.startswith("x-amzn")}
    return json.dumps({"type": content_type, "accept": accept, "size": len(data), "headers": told}), "application/x-echo"
"""


@pytest.fixture(scope="module")
def echo(deploy: Deployer) -> str:
    return deploy.endpoint(deploy.model(ECHO))


def test_a_real_scikit_learn_model(deploy: Deployer) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    points = rng.normal(size=(100, 2))
    model = LogisticRegression().fit(points, (points[:, 0] > points[:, 1]).astype(int))
    stored = io.BytesIO()
    joblib.dump(model, stored)
    code = "import joblib, os\ndef model_fn(d): return joblib.load(os.path.join(d, 'model.joblib'))\n"
    name = deploy.endpoint(deploy.model(code, files={"model.joblib": stored.getvalue()}))
    assert deploy.invoke(name, points[:20].tolist()) == model.predict(points[:20]).tolist()
    stream = io.BytesIO()
    np.save(stream, points)
    answer = deploy.runtime.invoke_endpoint(
        EndpointName=name, ContentType="application/x-npy", Accept="application/x-npy", Body=stream.getvalue()
    )
    assert answer["ContentType"] == "application/x-npy"
    assert np.array_equal(np.load(io.BytesIO(answer["Body"].read())), model.predict(points))
    error = _error(deploy, EndpointName=name, ContentType="application/xml", Body=b"<a/>")
    assert error["OriginalStatusCode"] == 415
    assert error["Error"]["Message"].startswith(
        'Received client error (415) from primary with message "Content type'
    )
    error = _error(
        deploy, EndpointName=name, ContentType="application/json", Accept="image/png", Body=b"[[1, 2]]"
    )
    assert error["OriginalStatusCode"] == 406
    error = _error(deploy, EndpointName=name, ContentType="application/json", Body=b"[[1, 2")
    assert error["OriginalStatusCode"] == 400


def test_a_real_pytorch_model(deploy: Deployer) -> None:
    import torch

    layer = torch.nn.Linear(3, 2)
    stored = io.BytesIO()
    torch.jit.save(torch.jit.trace(layer, torch.zeros(1, 3)), stored)
    name = deploy.endpoint(deploy.model("", image=PYTORCH, files={"model.pt": stored.getvalue()}))
    points = [[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]]
    expected = layer(torch.tensor(points)).detach().numpy()
    assert np.allclose(deploy.invoke(name, points), expected, atol=1e-5)


def _error(deploy: Deployer, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        deploy.runtime.invoke_endpoint(**parameters)
    return caught.value.response


def test_headers_go_both_ways(deploy: Deployer, echo: str) -> None:
    answer = deploy.runtime.invoke_endpoint(
        EndpointName=echo,
        ContentType="text/x-mine",
        Accept="text/x-yours",
        CustomAttributes="trace=1, b=2",
        InferenceId="inference-7",
        SessionId="NEW_SESSION",
        Body=b"12345",
    )
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/x-echo", "A")
    assert answer["CustomAttributes"] == "trace=1, b=2"
    told = json.loads(answer["Body"].read())
    assert (told["type"], told["accept"], told["size"]) == ("text/x-mine", "text/x-yours", 5)
    assert told["headers"]["x-amzn-sagemaker-inference-id"] == "inference-7"
    assert told["headers"]["x-amzn-sagemaker-session-id"] == "NEW_SESSION"
    assert answer["ResponseMetadata"]["RequestId"]


def test_a_failing_model_is_a_model_error(deploy: Deployer, echo: str) -> None:
    error = _error(deploy, EndpointName=echo, Body=b"fail")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"].startswith("the model says no\nTraceback")
    group = f"/aws/sagemaker/Endpoints/{echo}"
    assert error["LogStreamArn"] == f"arn:aws:logs:us-east-1:{deploy.account}:log-group:{group}"
    message = error["Error"]["Message"]
    assert message.startswith('Received server error (500) from primary with message "the model says no')
    assert message.endswith(
        '". See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1'
        f"#logEventViewer:group={group} in account {deploy.account} for more information."
    )


def test_a_process_that_dies_of_a_request_is_replaced(deploy: Deployer, echo: str) -> None:
    error = _error(deploy, EndpointName=echo, Body=b"exit")
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 0
    answer = deploy.runtime.invoke_endpoint(EndpointName=echo, Body=b"1")
    assert json.loads(answer["Body"].read())["size"] == 1


def test_bodies_up_to_the_limit(deploy: Deployer, echo: str) -> None:
    answer = deploy.runtime.invoke_endpoint(EndpointName=echo, Body=bytes(6_291_456))
    assert json.loads(answer["Body"].read())["size"] == 6_291_456
    message = refused(
        "ValidationError", deploy.runtime.invoke_endpoint, EndpointName=echo, Body=bytes(6_291_457)
    )
    assert "less than or equal to 6291456" in message
    empty = deploy.runtime.invoke_endpoint(EndpointName=echo, Body=b"")
    assert json.loads(empty["Body"].read())["size"] == 0


def test_endpoints_and_variants_that_are_not_there(deploy: Deployer, echo: str) -> None:
    call = deploy.runtime.invoke_endpoint
    missing = unique("missing")
    message = refused("ValidationError", call, EndpointName=missing, Body=b"1")
    assert message == f"Endpoint {missing} of account {deploy.account} not found."
    message = refused("ValidationError", call, EndpointName=echo, TargetVariant="Z", Body=b"1")
    assert message.startswith(f"Variant Z of endpoint {echo}")
    message = refused("ValidationError", call, EndpointName=echo, TargetModel="m.tar.gz", Body=b"1")
    assert (
        message == f"Endpoint {echo} is not a multi-model endpoint and does not support target model header."
    )
    refused("ValidationError", call, EndpointName=echo, InferenceComponentName="c", Body=b"1")
    refused("ValidationError", call, EndpointName=echo, TargetContainerHostname="c", Body=b"1")
    assert "customAttributes" in refused(
        "ValidationError", call, EndpointName=echo, CustomAttributes="é", Body=b"1"
    )
    for name in ("-bad-", "a.b", "a" * 64):
        assert "endpointName" in refused("ValidationError", call, EndpointName=name, Body=b"1")


def test_who_did_not_sign_is_refused(deploy: Deployer, echo: str) -> None:
    request = urllib.request.Request(
        f"{deploy.engine.url}/endpoints/{echo}/invocations", data=b"1", method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 403
    other = deploy.engine.client("sagemaker-runtime", aws_secret_access_key="x" * 40)
    refused("InvalidSignatureException", other.invoke_endpoint, EndpointName=echo, Body=b"1")


class TestVariants:
    @pytest.fixture(scope="class")
    def pair(self, deploy: Deployer) -> str:
        return deploy.endpoint(deploy.model(WHO, WORD="a"), deploy.model(WHO, WORD="b"), weights=(3.0, 1.0))

    def test_traffic_is_shared_by_weight(self, deploy: Deployer, pair: str) -> None:
        def ask(count: int) -> Counter[str]:
            runtime = deploy.engine.client("sagemaker-runtime")
            seen: Counter[str] = Counter()
            for _ in range(count):
                answer = runtime.invoke_endpoint(EndpointName=pair, Body=b"1")
                assert answer["Body"].read().decode().split()[0] == answer["InvokedProductionVariant"].lower()
                seen[answer["InvokedProductionVariant"]] += 1
            return seen

        with ThreadPoolExecutor(4) as pool:
            seen = sum(pool.map(ask, [150] * 4), Counter())
        expected, spread = 600 * 0.75, math.sqrt(600 * 0.75 * 0.25)
        assert abs(seen["A"] - expected) < 4 * spread

    def test_a_target_variant_gets_every_request(self, deploy: Deployer, pair: str) -> None:
        for _ in range(10):
            answer = deploy.runtime.invoke_endpoint(EndpointName=pair, TargetVariant="B", Body=b"1")
            assert answer["InvokedProductionVariant"] == "B"

    def test_weight_zero_is_reached_by_name_only(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model(WHO, WORD="a"), deploy.model(WHO, WORD="b"), weights=(1.0, 0.0))
        assert {deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")["InvokedProductionVariant"] for _ in range(20)} == {"A"}  # fmt: skip
        answer = deploy.runtime.invoke_endpoint(EndpointName=name, TargetVariant="B", Body=b"1")
        assert answer["Body"].read().startswith(b"b ")

    def test_instances_share_the_work(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model(WHO), count=2)
        barrier = threading.Barrier(4)

        def ask(_: int) -> set[str]:
            runtime = deploy.engine.client("sagemaker-runtime")
            barrier.wait(20)
            return {
                runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read().decode()
                for _ in range(40)
            }

        with ThreadPoolExecutor(4) as pool:
            seen = set().union(*pool.map(ask, range(4)))
        assert len(seen) == 2


def test_many_clients_at_once(deploy: Deployer, echo: str) -> None:
    def ask(number: int) -> int:
        runtime = deploy.engine.client("sagemaker-runtime")
        return sum(
            json.loads(runtime.invoke_endpoint(EndpointName=echo, Body=bytes(number))["Body"].read())["size"]
            for _ in range(25)
        )

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(1, 17))) == [25 * number for number in range(1, 17)]


def test_output_is_in_the_log_as_it_happens(deploy: Deployer) -> None:
    name = deploy.endpoint(deploy.model(ECHO))
    deploy.runtime.invoke_endpoint(EndpointName=name, Body=bytes(777))
    group = f"/aws/sagemaker/Endpoints/{name}"

    def lines() -> list[str]:
        events = deploy.logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    wait_for(lambda: "asked 777" in lines())
    (stream,) = deploy.logs.describe_log_streams(logGroupName=group)["logStreams"]
    variant, _, instance = stream["logStreamName"].partition("/")
    assert variant == "A"
    assert len(instance) == 19 and instance.startswith("i-") and int(instance[2:], 16)


def test_every_invocation_is_counted(deploy: Deployer) -> None:
    import datetime

    name = deploy.endpoint(deploy.model(ECHO))
    for _ in range(7):
        deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")
    for _ in range(2):
        refused("ModelError", deploy.runtime.invoke_endpoint, EndpointName=name, Body=b"fail")
    cloudwatch = deploy.engine.client("cloudwatch")
    now = datetime.datetime.now(datetime.UTC)

    def statistics(metric: str, *names: str) -> dict[str, float]:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "A"}],
            StartTime=now - datetime.timedelta(minutes=5),
            EndTime=now + datetime.timedelta(minutes=5),
            Period=600,
            Statistics=list(names),
        )["Datapoints"]
        return {key: sum(point[key] for point in found) for key in names}

    wait_for(lambda: statistics("Invocations", "Sum")["Sum"] == 9)
    assert statistics("InvocationsPerInstance", "Sum")["Sum"] == 9
    assert statistics("Invocation5XXErrors", "Sum")["Sum"] == 2
    assert statistics("Invocation4XXErrors", "Sum")["Sum"] == 0
    assert statistics("InvocationModelErrors", "Sum")["Sum"] == 2
    latency = statistics("ModelLatency", "SampleCount", "Minimum", "Maximum")
    assert latency["SampleCount"] == 9
    assert 10 < latency["Minimum"] <= latency["Maximum"] < 60e6
    assert statistics("OverheadLatency", "SampleCount")["SampleCount"] == 9
