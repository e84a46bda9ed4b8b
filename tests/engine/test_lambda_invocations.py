"""Functions that run: what they get, what they answer, how they fail, what is measured of them."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.engine import lambdas
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import wait_for
from tests.engine.lambdas import Workbench

KITCHEN = """
import json, logging, os, sys, time

logging.getLogger().setLevel("INFO")
LOADED = time.time()


def handler(event, context):
    do = (event or {}).get("do")
    print("asked", do)
    if do == "raise":
        logging.info("about to fail")
        raise ValueError("no such review")
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "exit":
        os._exit(3)
    if do == "die":
        os.kill(os.getpid(), 9)
    if do == "unserialisable":
        return {1}
    if do == "big":
        return "x" * event["bytes"]
    if do == "remember":
        hold = bytearray(event["bytes"])
        hold[::4096] = b"x" * len(hold[::4096])
        time.sleep(20)
    if do == "aws":
        import boto3
        return boto3.client("sts").get_caller_identity()["Arn"]
    if do == "numpy":
        import numpy
    return {
        "pid": os.getpid(), "loaded": LOADED, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
        "name": context.function_name, "version": context.function_version, "memory": context.memory_limit_in_mb,
        "stream": context.log_stream_name, "group": context.log_group_name, "root": os.environ["LAMBDA_TASK_ROOT"] == os.getcwd(),
        "client": context.client_context.custom if context.client_context else None, "variable": os.environ.get("ENDPOINT"),
        "runtime": os.environ["AWS_EXECUTION_ENV"], "zone": time.tzname[0],
    }
"""


@pytest.fixture(scope="module")
def bench(engine: RunningEngine) -> Iterator[Workbench]:
    yield from lambdas.bench(engine)


@pytest.fixture(scope="module")
def kitchen(bench: Workbench) -> str:
    return bench.function(KITCHEN, Environment={"Variables": {"ENDPOINT": "reviews"}})


def test_a_handler_gets_lambdas_context_and_stays_warm(bench: Workbench, kitchen: str) -> None:
    first = bench.call(kitchen)
    context = base64.b64encode(json.dumps({"custom": {"a": 1}}).encode()).decode()
    second = bench.call(kitchen, ClientContext=context)
    assert (first["pid"], first["loaded"]) == (second["pid"], second["loaded"])
    assert first["id"] != second["id"]
    assert (second["name"], second["version"], second["memory"]) == (kitchen, "$LATEST", "128")
    assert 0 < second["left"] <= 60_000
    assert second["group"] == f"/aws/lambda/{kitchen}" and "[$LATEST]" in second["stream"]
    assert second["root"] and second["client"] == {"a": 1} and second["variable"] == "reviews"
    assert (second["runtime"], second["zone"]) == ("AWS_Lambda_python3.12", "UTC")


def test_errors_are_documents_and_log_lines(bench: Workbench, kitchen: str) -> None:
    reply = bench.lambdas.invoke(FunctionName=kitchen, Payload=b'{"do": "raise"}', LogType="Tail")
    assert (reply["StatusCode"], reply["FunctionError"], reply["ExecutedVersion"]) == (
        200,
        "Unhandled",
        "$LATEST",
    )
    document = json.loads(reply["Payload"].read())
    assert list(document) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (document["errorMessage"], document["errorType"]) == ("no such review", "ValueError")
    assert document["stackTrace"][0].startswith('  File "/var/task/app.py", line ')
    tail = base64.b64decode(reply["LogResult"]).decode()
    request = document["requestId"]
    lines = tail.splitlines(keepends=False)
    wanted = [
        f"START RequestId: {request} Version: $LATEST",
        "asked raise",
        f"\t{request}\tabout to fail",
        "[ERROR] ValueError: no such review",
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: ",
    ]
    places = [next(i for i, line in enumerate(lines) if text in line) for text in wanted]
    assert places == sorted(places)
    assert "Memory Size: 128 MB\tMax Memory Used: " in tail
    logs = bench.engine.client("logs")
    found = logs.filter_log_events(logGroupName=f"/aws/lambda/{kitchen}", filterPattern='"no such review"')
    assert any("Traceback" in event["message"] for event in found["events"])


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        ({"do": "exit"}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ({"do": "die"}, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        (
            {"do": "unserialisable"},
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
        ({"do": "big", "bytes": 6_300_000}, "Function.ResponseSizeTooLarge", "(6291556 bytes)"),
        ({"do": "remember", "bytes": 300_000_000}, "Runtime.ExitError", "signal: killed"),
        ({"do": "numpy"}, "ModuleNotFoundError", "No module named 'numpy'"),
    ],
)
def test_failures_and_the_next_invocation(
    bench: Workbench, kitchen: str, event: dict[str, object], kind: str, text: str
) -> None:
    document = bench.failing(kitchen, event)
    assert document["errorType"] == kind
    assert text in document["errorMessage"]
    assert bench.call(kitchen)["name"] == kitchen


def test_a_function_that_takes_too_long_is_killed(bench: Workbench) -> None:
    name = bench.function(KITCHEN, Timeout=1)
    document = bench.failing(name, {"do": "sleep", "seconds": 30})
    assert document["errorType"] == "Sandbox.Timedout"
    assert document["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert bench.call(name)["name"] == name


@pytest.mark.parametrize(
    ("code", "handler", "kind", "text"),
    [
        (
            "import nothing_here\n",
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named",
        ),
        (
            "def handler(:\n",
            "app.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': invalid syntax",
        ),
        ("x = 1\n", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        (
            "x = 1\n",
            "handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler': not enough values to unpack",
        ),
        ("1 / 0\n", "app.handler", "ZeroDivisionError", "division by zero"),
    ],
)
def test_modules_that_do_not_load(bench: Workbench, code: str, handler: str, kind: str, text: str) -> None:
    document = bench.failing(bench.function(code, Handler=handler))
    assert document["errorType"] == kind
    assert document["errorMessage"].startswith(text)
    assert document["requestId"]


def test_a_handler_that_closes_its_output_still_answers(bench: Workbench) -> None:
    code = "import os, sys\ndef handler(e, c):\n    sys.stdout.close()\n    os.close(1)\n    return 'done'\n"
    name = bench.function(code)
    assert bench.call(name) == "done"


def test_boto3_in_a_function_speaks_as_its_role(bench: Workbench, kitchen: str) -> None:
    role = bench.role.rpartition("/")[2]
    account = bench.engine.connection.account_id
    assert bench.call(kitchen, {"do": "aws"}) == f"arn:aws:sts::{account}:assumed-role/{role}/{kitchen}"


def test_invocations_at_once_have_environments_of_their_own(bench: Workbench, kitchen: str) -> None:
    def sleep(_: int) -> int:
        return int(bench.call(kitchen, {"do": "sleep", "seconds": 1})["pid"])

    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(sleep, range(3)))) == 3


def test_reserved_concurrency_throttles(bench: Workbench) -> None:
    name = bench.function(KITCHEN)
    bench.lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    bench.call(name)
    refusals = 0

    def visit(_: int) -> str:
        nonlocal refusals
        while True:
            try:
                return str(bench.call(name, {"do": "sleep", "seconds": 0.5})["name"])
            except bench.lambdas.exceptions.TooManyRequestsException:
                refusals += 1
                time.sleep(0.1)

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(visit, range(3))) == [name] * 3
    assert refusals


def test_requests_that_are_refused(bench: Workbench, kitchen: str) -> None:
    aws = bench.lambdas
    with pytest.raises(
        aws.exceptions.InvalidRequestContentException, match="Could not parse request body into json"
    ):
        aws.invoke(FunctionName=kitchen, Payload=b"{no json")
    with pytest.raises(ClientError) as caught:
        aws.invoke(FunctionName=kitchen, Payload=b'"' + b"x" * (6 * 2**20) + b'"')
    assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert caught.value.response["Error"]["Message"] == (
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    )
    assert aws.invoke(FunctionName=kitchen, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(aws.exceptions.ResourceNotFoundException):
        aws.invoke(FunctionName=kitchen, Qualifier="7", InvocationType="DryRun")


def test_asynchronous_invocations_are_tried_three_times(bench: Workbench) -> None:
    # Each try leaves an object: a process knows nothing of the ones before it.
    code = """
import boto3, time
def handler(event, context):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=event["bucket"], Key=f"{event['prefix']}/{time.time_ns()}", Body=context.aws_request_id.encode())
    if event["fail"]:
        raise RuntimeError("again")
"""
    name = bench.function(code)
    s3, bucket = bench.engine.client("s3"), bench.engine.connection.default_bucket

    def tries(prefix: str) -> list[str]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        return [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read().decode() for one in found]

    for prefix, fail in ((f"{name}/good", False), (f"{name}/bad", True)):
        event = {"bucket": bucket, "prefix": prefix, "fail": fail}
        reply = bench.lambdas.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
        assert (reply["StatusCode"], reply["Payload"].read()) == (202, b"")
    wait_for(lambda: len(tries(f"{name}/bad")) == 3)
    assert len(set(tries(f"{name}/bad"))) == 1  # one request id for all tries
    assert len(tries(f"{name}/good")) == 1


def test_metrics_count_what_ran(bench: Workbench) -> None:
    name = bench.function(KITCHEN)
    bench.call(name)
    bench.failing(name, {"do": "raise"})
    watch = bench.engine.client("cloudwatch")

    def total(metric: str, statistic: str = "Sum") -> float:
        now = datetime.now(UTC)
        found = watch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=3600,
            Statistics=[statistic],
        )
        return sum(point[statistic] for point in found["Datapoints"])

    assert (total("Invocations"), total("Errors"), total("Throttles")) == (2, 1, 0)
    assert total("Duration", "Maximum") > 0
    assert total("ConcurrentExecutions", "Maximum") == 1


def test_killed_engine_and_killed_worker_lose_no_function(start_engine, tmp_path) -> None:  # type: ignore[no-untyped-def]
    running = start_engine()
    bench = Workbench(running)
    name = bench.function(KITCHEN)
    api = bench.api()
    api.lambda_method(api.root, "POST", bench.function(lambdas.WEB, FunctionName="web"))
    api.permit("web")
    api.deploy()
    worker = bench.call(name)["pid"]
    os.kill(worker, signal.SIGKILL)
    second = bench.call(name)["pid"]
    assert second != worker
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(bench.failing, name, {"do": "sleep", "seconds": 50})
        time.sleep(0.3)
        os.kill(second, signal.SIGKILL)
        assert waiting.result()["errorType"] == "Runtime.ExitError"
    bench.lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    bench.lambdas.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"do": "event"}')
    third = bench.call("web", {})
    assert third["statusCode"] == 200
    running.kill()
    again = start_engine()
    bench = Workbench(again)
    bench.lambdas.delete_function_concurrency(FunctionName=name)
    assert bench.call(name)["name"] == name
    logs = again.client("logs")
    # The event that was waiting when the engine was killed is run by the next one.
    wait_for(
        lambda: logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern='"asked event"')[
            "events"
        ]
    )
    api.bench = bench
    assert api.send("POST", "/", b"still here").document["body"] == "still here"
