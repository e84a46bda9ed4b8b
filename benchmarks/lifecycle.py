"""How long a person waits: from a request to the first log line, to the end of a job, to an endpoint in service."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers import Peer, engine
from benchmarks.report import Row
from benchmarks.wire import IMAGE, SERVE, pack, training_request, wait

PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-{}:2.3-cpu-py311"
# A script that works for about a second, so that what a job adds stands out against a real run.
SCRIPT = b"""
import hashlib, os, time
print("first line", flush=True)
end = time.perf_counter() + 1.0
while time.perf_counter() < end:
    hashlib.sha256(bytes(4096)).digest()
open(os.path.join(os.environ.get("SM_MODEL_DIR", "."), "model.txt"), "w").write("done")
"""
TORCH_SERVE = b"""
import torch


def model_fn(model_dir):
    return torch.nn.Linear(2, 1)
"""


def _bare() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.py"
        path.write_bytes(SCRIPT)
        begin = time.perf_counter()
        subprocess.run([sys.executable, str(path)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin


def _job(peer: Peer, name: str) -> tuple[float, float]:
    """Seconds from CreateTrainingJob to the first log line and to Completed, as a client sees them."""
    sagemaker, logs = peer.client("sagemaker"), peer.client("logs")
    begin = time.perf_counter()
    sagemaker.create_training_job(**training_request(peer, name, "s3://bench/slow.tar.gz"))
    first = None
    while True:
        if first is None:
            found = _first_line(logs, name)
            first = time.perf_counter() - begin if found else None
        answer = sagemaker.describe_training_job(TrainingJobName=name)
        if answer["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(0.01)
    if answer["TrainingJobStatus"] != "Completed":
        raise RuntimeError(answer.get("FailureReason"))
    total = time.perf_counter() - begin
    return first if first is not None else total, total


def _first_line(logs: object, name: str) -> bool:
    try:
        streams = logs.describe_log_streams(  # type: ignore[attr-defined]
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
        )["logStreams"]
    except Exception as error:
        if "ResourceNotFound" in type(error).__name__:
            return False
        raise
    return any("firstEventTimestamp" in stream for stream in streams)


def _endpoint(peer: Peer, name: str, image: str, code: bytes) -> float:
    s3, sagemaker = peer.client("s3"), peer.client("sagemaker")
    s3.put_object(Bucket="bench", Key=f"{name}.tar.gz", Body=pack({"code/inference.py": code}))
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=peer.role_arn,
        PrimaryContainer={
            "Image": image, "ModelDataUrl": f"s3://bench/{name}.tar.gz", "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        },
    )  # fmt: skip
    variant = {
        "VariantName": "A",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    begin = time.perf_counter()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    ended = wait(
        lambda: sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus", {"InService", "Failed"}
    )
    seconds = time.perf_counter() - begin
    if ended["EndpointStatus"] != "InService":
        raise RuntimeError(ended.get("FailureReason"))
    sagemaker.delete_endpoint(EndpointName=name)
    return seconds


def main(repeats: int = 5) -> tuple[str, str, list[Row]]:
    """Medians of ``repeats`` runs."""
    with engine() as ours:
        s3 = ours.client("s3")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="slow.tar.gz", Body=pack({"train.py": SCRIPT}))
        bare, first, whole = [], [], []
        for n in range(repeats):
            bare.append(_bare())
            seen, total = _job(ours, f"life-{n}")
            first.append(seen)
            whole.append(total)
        plain = [_endpoint(ours, f"plain-{n}", IMAGE, SERVE) for n in range(repeats)]
        torch = [_endpoint(ours, f"torch-{n}", PYTORCH.format("inference"), TORCH_SERVE) for n in range(3)]
    median = statistics.median
    rows = [
        Row("bare script", "s", median(bare), None),
        Row(
            "the same script as a training job, CreateTrainingJob to Completed",
            "s",
            median(whole),
            median(bare),
            None,
            higher=False,
        ),
        Row(
            "what the job adds",
            "s",
            median(b - a for a, b in zip(bare, whole, strict=True)),
            None,
            0.5,
            higher=False,
        ),
        Row("CreateTrainingJob to the first log line", "s", median(first), None),
        Row("CreateEndpoint to InService, scikit-learn container", "s", median(plain), None),
        Row("CreateEndpoint to InService, PyTorch container", "s", median(torch), None),
    ]
    return "Waiting, against the bare script in the same run", "bare script", rows
