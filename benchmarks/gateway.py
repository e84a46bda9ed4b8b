"""A web page's path, API Gateway → Lambda → endpoint, beside the endpoint called directly with the same reviews, in one run.

The web app is the one that `mlconsole webapp create` makes: the function with page and vocabulary, the REST API, before the lessons' XGBoost on film
reviews. Beside it: boto3 straight to the endpoint, one caller after another; a function that only answers, and a method without any function,
which show what each part costs. At the end a hundred visitors at once, and again while the function's processes are killed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import statistics
import tempfile
import threading
import time
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import Any

from algorithms.reviews import bag
from benchmarks.load import Result, drive
from benchmarks.peers import Peer, engine
from benchmarks.report import Row
from benchmarks.reviews import LIBSVM, Hosted, host

ROUNDS = 3
VISITORS = 100
WHOLE = "gateway → Lambda → endpoint"
LEAST = 0.7
"""Share of right verdicts below which something else than the model was measured."""
RATE, BURST = 10_000.0, 5_000
"""What the stage lets through: here it must not be the bound."""
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
    for name in ("answer", "mock"):
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


@dataclass(frozen=True)
class Here:
    """The peer as a gateway that a web app is made through."""

    peer: Peer
    account: str
    target: str = "embedded"

    @property
    def region(self) -> str:
        return self.peer.region

    @property
    def endpoint_url(self) -> str:
        return self.peer.url

    def client(self, service: str) -> Any:
        return self.peer.client(service)


def _webapp(peer: Peer, hosted: Hosted) -> str:
    """The lessons' web app before the endpoint; the path of its resource that judges."""
    from workflows.webapp import creation
    from workflows.webapp.definition import RESOURCE, WebApp

    account = peer.client("sts").get_caller_identity()["Account"]
    app = WebApp(
        name="reviews",
        endpoint="reviews",
        content_type=LIBSVM,
        vocabulary=hosted.vocabulary.version,
        rate=RATE,
        burst=BURST,
    )
    with tempfile.TemporaryDirectory() as folder:  # its record: nothing of the person's own is touched
        os.environ["MLCONSOLE_STATE_DIR"] = folder
        url = creation.create(Here(peer, account), app, hosted.vocabulary).url
    return f"{url.removeprefix(peer.url)}{RESOURCE}"


def _plain(path: str, body: bytes, kind: str = "text/plain") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
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


def _boto3(peer: Peer, bodies: list[bytes]) -> float:
    """Milliseconds of a call of boto3, one after another: the median."""
    client = peer.client("sagemaker-runtime")
    found = []
    for body in bodies * 3:
        begin = time.perf_counter()
        client.invoke_endpoint(EndpointName="reviews", ContentType=LIBSVM, Accept="text/csv", Body=body)[
            "Body"
        ].read()
        found.append(time.perf_counter() - begin)
    return 1000 * statistics.median(found)


def _right(peer: Peer, path: str, hosted: Hosted) -> float:
    """The share of the reviews whose verdict is right, through the whole path."""
    right = 0
    for text, label in zip(hosted.texts, hosted.labels, strict=True):
        request = urllib.request.Request(f"{peer.url}{path}", text.encode(), {"Content-Type": "text/plain"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            right += json.load(answer)["verdict"] == ("negative", "positive")[label]
    return right / len(hosted.texts)


def _compare(peer: Peer, ways: dict[str, list[bytes]], seconds: float) -> list[Row]:
    """Each way's rate and latencies beside the endpoint's own; the ways take turns, the best of `ROUNDS` each."""
    rows = []
    for connections in (1, 8):
        results: dict[str, list[Result]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, requests in ways.items():
                results[way].append(drive(peer.url, requests, connections=connections, seconds=seconds))
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


def _crowd(peer: Peer, requests: list[bytes], seconds: float, *, killing: bool) -> tuple[Result, int]:
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
        return drive(peer.url, requests, connections=VISITORS, seconds=seconds), killed
    finally:
        over.set()
        if killing:
            thread.join()


def main(seconds: float = 3.0) -> tuple[str, str, list[Row]]:
    with engine() as peer:
        peer.client("s3").create_bucket(Bucket="bench")
        hosted = host(peer, "reviews")
        judged = _webapp(peer, hosted)
        role = peer.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))
        _function(peer, "answer", ANSWER, role["Role"]["Arn"])
        stage = _api(peer)
        texts = [text.encode() for text in hosted.texts]
        bags = [bag.libsvm(hosted.vocabulary.count(text)).encode() for text in hosted.texts]
        headers = {"Content-Type": LIBSVM, "Accept": "text/csv"}
        whole = [_plain(judged, text) for text in texts]
        ways = {
            "endpoint": [
                peer.signed("sagemaker", "POST", "/endpoints/reviews/invocations", headers, body)
                for body in bags
            ],
            WHOLE: whole,
            "gateway → Lambda": [_plain(f"{stage}/answer", text) for text in texts],
            "Lambda (Invoke)": [
                peer.signed("lambda", "POST", "/2015-03-31/functions/answer/invocations", {}, b"{}")
            ],
            "gateway (MOCK)": [_plain(f"{stage}/mock", text) for text in texts],
        }
        begin = time.perf_counter()
        drive(peer.url, whole[:1], connections=1, seconds=0.1)
        cold = 1000 * (time.perf_counter() - begin)
        right = _right(peer, judged, hosted)
        if right < LEAST:
            raise RuntimeError(f"{right:.2f} of the verdicts are right: that is no model of reviews")
        rows = _compare(peer, ways, seconds)
        rows.append(Row("boto3 straight to the endpoint, one caller, p50", "ms", _boto3(peer, bags), None))
        rows.append(Row("first request of a new function", "ms", cold, None))
        rows.append(Row(f"right verdicts of {len(texts)}, {hosted.data} reviews", "", right, None))
        for killing in (False, True):
            found, killed = _crowd(peer, whole, 2 * seconds, killing=killing)
            what = f"{VISITORS} visitors" + (f", {killed} processes killed" if killing else "")
            rows += [
                Row(what, "1/s", found.rate, None),
                Row("… p50", "ms", found.p50, None),
                Row("… p99", "ms", found.p99, None),
                # One invocation dies with its process: Lambda's 502. Everybody else is answered.
                Row("… answers that were errors", "", found.errors, None, killed, higher=False),
            ]
    return "The web app's whole path", "the endpoint, directly", rows
