"""InvokeEndpoint through the router beside the same worker called directly, and beside bare uvicorn, in one run.

The direct calls go to the worker's own unix socket, without a signature and without the engine; uvicorn answers the same body from an
application of four lines. Two models: one that returns what it was sent (nothing hides the router there), and XGBoost. At the end, what
ten endpoints with two variants each cost while nobody calls them.
"""

from __future__ import annotations

import contextlib
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import Result, drive
from benchmarks.peers import Peer, engine
from benchmarks.report import Row
from benchmarks.wire import IMAGE, SERVE, pack, wait

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROUNDS = 3
OVERHEAD_MS = 0.5
DIRECT_SHARE = 0.6
IDLE_ENDPOINTS, IDLE_SECONDS, IDLE_PERCENT = 10, 20.0, 2.0
BARE = """
import socket, sys, uvicorn
async def app(scope, receive, send):
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-type", b"text/csv"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", loop="uvloop", http="httptools")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


@contextlib.contextmanager
def bare_uvicorn() -> Iterator[str]:
    """An echo on uvicorn with uvloop and httptools; its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", BARE, str(listener.fileno())], pass_fds=[listener.fileno()]
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def boosted(peer: Peer) -> str:
    """Train XGBoost on scikit-learn's diabetes data; where its artefact is."""
    import numpy as np
    from sklearn.datasets import load_diabetes

    features, target = load_diabetes(return_X_y=True)
    text = io.StringIO()
    np.savetxt(text, np.column_stack([target, features]), delimiter=",")
    settings = {"objective": "reg:squarederror", "num_round": "100", "max_depth": "4"}
    return train(peer, "boosted", text.getvalue().encode(), "text/csv", settings)


def train(peer: Peer, name: str, rows: bytes, content_type: str, hyperparameters: dict[str, str]) -> str:
    """Train XGBoost on the channel ``train``; where its artefact is.

    Raises:
        RuntimeError: The job failed.
    """
    peer.client("s3").put_object(Bucket="bench", Key=f"{name}/train/rows", Body=rows)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bench/{name}/train/"}
    sagemaker = peer.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        RoleArn=peer.role_arn,
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": content_type, "DataSource": {"S3DataSource": source}}
        ],
        OutputDataConfig={"S3OutputPath": "s3://bench/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters=hyperparameters,
    )
    done = wait(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        "TrainingJobStatus", {"Completed", "Failed", "Stopped"},
    )  # fmt: skip
    if done["TrainingJobStatus"] != "Completed":
        raise RuntimeError(f"XGBoost did not train: {done.get('FailureReason')}")
    return str(done["ModelArtifacts"]["S3ModelArtifacts"])


def deploy(peer: Peer, name: str, image: str, artefact: str, variants: int = 1) -> None:
    """An endpoint of one model, in service, with its variants ``v0``, ``v1`` ..."""
    sagemaker = peer.client("sagemaker")
    container = {"Image": image, "ModelDataUrl": artefact}
    if image == IMAGE:
        container["Environment"] = {"SAGEMAKER_PROGRAM": "inference.py"}  # type: ignore[assignment]
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=peer.role_arn, PrimaryContainer=container)
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": f"v{number}",
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
            for number in range(variants)
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    state = wait(
        lambda: sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus", {"InService", "Failed"}
    )
    if state["EndpointStatus"] != "InService":
        raise RuntimeError(f"endpoint {name}: {state.get('FailureReason')}")


def worker_sockets(peer: Peer) -> set[str]:
    """The sockets of the serving processes that the engine has started."""
    import psutil

    found = set()
    for process in psutil.Process(peer.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            path = process.environ().get("SAGEMAKER_BIND_TO_SOCKET", "")
            if path and Path(path).exists():
                found.add(path)
    return found


def plain(body: bytes) -> bytes:
    """The request as a container gets it."""
    head = f"POST /invocations HTTP/1.1\r\nhost: worker\r\ncontent-type: text/csv\r\naccept: text/csv\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def compare(
    peer: Peer, bare: str, name: str, title: str, path: str, body: bytes, share: float | None, seconds: float
) -> list[Row]:
    """One endpoint's rows: the three ways take turns, the best of `ROUNDS` each.

    Args:
        share: The part of the direct throughput that eight connections must reach through the router. An echo has none: it takes
            25 microseconds, less than checking one signature.
    """
    signed = peer.signed(
        "sagemaker", "POST", f"/endpoints/{name}/invocations",
        {"Content-Type": "text/csv", "Accept": "text/csv"}, body,
    )  # fmt: skip
    ways = {
        "router": (peer.url, signed),
        "direct": (f"unix:{path}", plain(body)),
        "uvicorn": (bare, plain(body)),
    }
    rows = []
    for connections in (1, 8):
        results: dict[str, list[Result]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, (url, request) in ways.items():
                results[way].append(drive(url, [request], connections=connections, seconds=seconds))
        for way, found in results.items():
            if errors := sum(result.errors for result in found):
                raise RuntimeError(f"{title}, {way}: {errors} answers were errors")
        best = {way: max(found, key=lambda result: result.rate) for way, found in results.items()}
        router, direct = best["router"], best["direct"]
        label = f"{title}, c={connections}"
        rows += [
            Row(label, "1/s", router.rate, direct.rate, share if connections == 8 else None),
            Row(f"… against bare uvicorn, c={connections}", "1/s", router.rate, best["uvicorn"].rate),
            Row(f"… p50, c={connections}", "ms", router.p50, direct.p50, higher=False),
            Row(f"… p99, c={connections}", "ms", router.p99, direct.p99, higher=False),
        ]
        if connections == 1:
            overhead = min(
                ours.p50 - theirs.p50
                for ours, theirs in zip(results["router"], results["direct"], strict=True)
            )
            rows.append(
                Row(f"{title}: router's overhead, p50", "ms", overhead, None, OVERHEAD_MS, higher=False)
            )
    return rows


def idle(peer: Peer, artefact: str) -> Row:
    """CPU of engine and workers while ten endpoints with two variants wait, in percent of one core."""
    import psutil

    for number in range(IDLE_ENDPOINTS):
        deploy(peer, f"idle-{number}", IMAGE, artefact, variants=2)
    time.sleep(3)
    root = psutil.Process(peer.pid)
    watched = [root, *root.children(recursive=True)]

    def used() -> float:
        total = 0.0
        for process in watched:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    before, began = used(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    percent = 100 * (used() - before) / (time.monotonic() - began)
    return Row(
        f"CPU of {IDLE_ENDPOINTS} idle endpoints x 2 variants", "%", percent, None, IDLE_PERCENT, higher=False
    )


def main(seconds: float = 3.0) -> tuple[str, str, list[Row]]:
    with engine() as peer, bare_uvicorn() as bare:
        storage = peer.client("s3")
        storage.create_bucket(Bucket="bench")
        storage.put_object(Bucket="bench", Key="model.tar.gz", Body=pack({"code/inference.py": SERVE}))
        echo = "s3://bench/model.tar.gz"
        rows: list[Row] = []
        models = (
            ("echo", "an echo", IMAGE, echo, b"0.5,1.25,-0.75", None),
            (
                "boosted",
                "XGBoost, 100 trees",
                XGBOOST,
                boosted(peer),
                b",".join([b"0.05"] * 10),
                DIRECT_SHARE,
            ),
        )
        for name, title, image, artefact, body, share in models:
            before = worker_sockets(peer)
            deploy(peer, name, image, artefact)
            (path,) = worker_sockets(peer) - before
            rows += compare(peer, bare, name, title, path, body, share, seconds)
        rows.append(idle(peer, echo))
    return "InvokeEndpoint, against the worker called directly in the same run", "direct", rows
