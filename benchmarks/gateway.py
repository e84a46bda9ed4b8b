"""A web page's path, API Gateway → Lambda → endpoint, beside the endpoint called directly, in one run.

The function does what the lessons' one does: it makes a bag of 5,000 words of a review, invokes the endpoint through boto3 and rounds the
answer. Beside it: a function that only answers, and a method without any function, which show what each part costs. At the end a
hundred visitors at once, and again while the function's processes are killed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import threading
import time
import zipfile
from typing import Any

from benchmarks.endpoints import deploy
from benchmarks.load import Result, drive
from benchmarks.peers import Peer, engine
from benchmarks.report import Row
from benchmarks.wire import IMAGE, pack

ROUNDS = 3
VISITORS = 100
REVIEW = b"This film was a wonderful surprise: great acting, a good story, and not one dull minute. " * 8
MODEL = b"""
def model_fn(model_dir):
    return None


def input_fn(body, content_type):
    return sum(float(item) for item in body.split(","))


def predict_fn(data, model):
    return data


def output_fn(prediction, accept):
    return "0.8"
"""
FUNCTION = """
import os, re
import boto3

VOCABULARY = {f"word{i}": i for i in range(4990)} | {w: 4990 + i for i, w in enumerate(
    "film wonderful surprise great acting good story not dull minute".split())}
runtime = boto3.client("sagemaker-runtime")


def handler(event, context):
    bag = [0] * len(VOCABULARY)
    for word in re.findall(r"[a-z]+", event["body"].lower()):
        if word in VOCABULARY:
            bag[VOCABULARY[word]] += 1
    answer = runtime.invoke_endpoint(EndpointName="reviews", ContentType="text/csv", Body=",".join(map(str, bag)))
    verdict = round(float(answer["Body"].read()))
    return {"statusCode": 200, "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"}, "body": str(verdict)}
"""
ANSWER = """
def handler(event, context):
    return {"statusCode": 200, "body": "1"}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def _function(peer: Peer, name: str, code: str, role: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", code)
    aws = peer.client("lambda")
    aws.create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="app.handler", Timeout=20, MemorySize=512,
        Code={"ZipFile": data.getvalue()},
    )  # fmt: skip
    aws.add_permission(
        FunctionName=name, StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
    )  # fmt: skip


def _api(peer: Peer) -> str:
    """An API with a resource per function and one without; the path of its stage."""
    aws = peer.client("apigateway")
    account = peer.client("sts").get_caller_identity()["Account"]
    made = aws.create_rest_api(name="bench")
    api = {"restApiId": made["id"]}
    for name in ("reviews", "answer", "mock"):
        part = aws.create_resource(**api, parentId=made["rootResourceId"], pathPart=name)["id"]
        where = {**api, "resourceId": part, "httpMethod": "POST"}
        aws.put_method(**where, authorizationType="NONE")
        if name == "mock":
            aws.put_integration(**where, type="MOCK", requestTemplates={"text/plain": '{"statusCode": 200}'})
            aws.put_method_response(**where, statusCode="200")
            aws.put_integration_response(**where, statusCode="200")
            continue
        arn = f"arn:aws:lambda:{peer.region}:{account}:function:{name}"
        uri = f"arn:aws:apigateway:{peer.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
        aws.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    aws.create_deployment(**api, stageName="prod")
    return f"/restapis/{made['id']}/prod/_user_request_"


def _plain(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _workers(peer: Peer) -> list[int]:
    """The processes of functions."""
    import psutil

    found = []
    for process in psutil.Process(peer.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("bootstrap.py" in item for item in process.cmdline()):
                found.append(process.pid)
    return found


def _compare(peer: Peer, ways: dict[str, bytes], seconds: float) -> list[Row]:
    """Each way's rate and latencies beside the endpoint's own; the ways take turns, the best of `ROUNDS` each."""
    rows = []
    for connections in (1, 8):
        results: dict[str, list[Result]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, request in ways.items():
                results[way].append(drive(peer.url, [request], connections=connections, seconds=seconds))
        for way, found in results.items():
            if errors := sum(result.errors for result in found):
                raise RuntimeError(f"{way}, c={connections}: {errors} answers were errors")
        best = {way: max(found, key=lambda result: result.rate) for way, found in results.items()}
        direct = best.pop("endpoint")
        for way, result in best.items():
            rows.append(Row(f"{way}, c={connections}", "1/s", result.rate, direct.rate))
            rows.append(Row(f"… p50, c={connections}", "ms", result.p50, direct.p50, higher=False))
            rows.append(Row(f"… p99, c={connections}", "ms", result.p99, direct.p99, higher=False))
    return rows


def _crowd(peer: Peer, request: bytes, seconds: float, *, killing: bool) -> tuple[Result, int]:
    """A hundred visitors at once; with ``killing`` a process of the function dies every two seconds. How many died."""
    over = threading.Event()
    killed = 0

    def kill() -> None:
        nonlocal killed
        while not over.wait(2.0):
            for pid in _workers(peer)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1

    thread = threading.Thread(target=kill)
    if killing:
        thread.start()
    try:
        return drive(peer.url, [request], connections=VISITORS, seconds=seconds), killed
    finally:
        over.set()
        if killing:
            thread.join()


def main(seconds: float = 3.0) -> tuple[str, str, list[Row]]:
    with engine() as peer:
        s3: Any = peer.client("s3")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="reviews.tar.gz", Body=pack({"code/inference.py": MODEL}))
        deploy(peer, "reviews", IMAGE, "s3://bench/reviews.tar.gz")
        role = peer.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))
        for name, code in (("reviews", FUNCTION), ("answer", ANSWER)):
            _function(peer, name, code, role["Role"]["Arn"])
        stage = _api(peer)
        bag = ",".join(["0"] * 5000).encode()
        ways = {
            "endpoint": peer.signed(
                "sagemaker", "POST", "/endpoints/reviews/invocations", {"Content-Type": "text/csv"}, bag
            ),
            "gateway → Lambda → endpoint": _plain(f"{stage}/reviews", REVIEW),
            "gateway → Lambda": _plain(f"{stage}/answer", REVIEW),
            "Lambda (Invoke)": peer.signed(
                "lambda", "POST", "/2015-03-31/functions/answer/invocations", {}, b"{}"
            ),
            "gateway (MOCK)": _plain(f"{stage}/mock", REVIEW),
        }
        begin = time.perf_counter()
        drive(peer.url, [ways["gateway → Lambda → endpoint"]], connections=1, seconds=0.1)
        cold = 1000 * (time.perf_counter() - begin)
        rows = _compare(peer, ways, seconds)
        rows.append(Row("first request of a new function", "ms", cold, None))
        for killing in (False, True):
            found, killed = _crowd(peer, ways["gateway → Lambda → endpoint"], 2 * seconds, killing=killing)
            what = f"{VISITORS} visitors" + (f", {killed} processes killed" if killing else "")
            rows += [
                Row(what, "1/s", found.rate, None),
                Row("… p50", "ms", found.p50, None),
                Row("… p99", "ms", found.p99, None),
                # One invocation dies with its process: Lambda's 502. Everybody else is answered.
                Row("… answers that were errors", "", found.errors, None, killed, higher=False),
            ]
    return "API Gateway and Lambda", "the endpoint, directly", rows
