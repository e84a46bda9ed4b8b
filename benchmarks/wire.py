"""Requests a second and megabytes a second of the engine beside moto's server, in one run.

The engine verifies every signature, keeps everything on disk and really serves the model; moto answers from memory, checks no signature
and returns a canned text from InvokeEndpoint.
"""

from __future__ import annotations

import io
import tarfile
import time
from typing import Any

from benchmarks.load import Result, drive
from benchmarks.peers import Peer, engine, moto
from benchmarks.report import Row

IMAGE = "246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SCRIPT = b"print('bench:score=1.0;')\n"
SERVE = b"""
def model_fn(model_dir):
    return None


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    return data


def output_fn(prediction, accept):
    return prediction
"""
COUNT = 10


def pack(files: dict[str, bytes]) -> bytes:
    """A gzipped tar archive of the files, by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def training_request(peer: Peer, name: str, code: str) -> dict[str, Any]:
    """CreateTrainingJob's parameters for a script-mode job on one instance."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": peer.role_arn,
        "OutputDataConfig": {"S3OutputPath": "s3://bench/output"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": code},
    }


def wait(describe: Any, field: str, ended: set[str], seconds: float = 120) -> dict[str, Any]:
    """Poll ``describe`` every 20 ms until ``field`` is one of ``ended``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer: dict[str, Any] = describe()
        if answer[field] in ended:
            return answer
        time.sleep(0.02)
    raise RuntimeError(f"{field} stayed {answer[field]}")


def prepare(peer: Peer) -> None:
    """The same ten ended training jobs, bucket, model and endpoint on a peer."""
    s3, sagemaker = peer.client("s3"), peer.client("sagemaker")
    s3.create_bucket(Bucket="bench")
    s3.put_object(Bucket="bench", Key="code.tar.gz", Body=pack({"train.py": SCRIPT}))
    s3.put_object(Bucket="bench", Key="model.tar.gz", Body=pack({"code/inference.py": SERVE}))
    names = [f"bench-{n}" for n in range(COUNT)]
    for name in names:
        sagemaker.create_training_job(**training_request(peer, name, "s3://bench/code.tar.gz"))
    for name in names:
        wait(
            lambda name=name: sagemaker.describe_training_job(TrainingJobName=name),
            "TrainingJobStatus", {"Completed", "Failed", "Stopped"},
        )  # fmt: skip
    sagemaker.create_model(
        ModelName="bench", ExecutionRoleArn=peer.role_arn,
        PrimaryContainer={
            "Image": IMAGE, "ModelDataUrl": "s3://bench/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        },
    )  # fmt: skip
    variant = {
        "VariantName": "AllTraffic", "ModelName": "bench", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
    }  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    wait(lambda: sagemaker.describe_endpoint(EndpointName="bench"), "EndpointStatus", {"InService", "Failed"})


def requests(peer: Peer) -> dict[str, list[bytes]]:
    """Signed requests by row."""
    target = {"X-Amz-Target": "SageMaker.ListTrainingJobs", "Content-Type": "application/x-amz-json-1.1"}
    body = b"0.5,1.25,-0.75"
    return {
        "ListTrainingJobs, 10 rows": [peer.signed("sagemaker", "POST", "/", target, b"{}")],
        "InvokeEndpoint": [
            peer.signed(
                "sagemaker",
                "POST",
                "/endpoints/bench/invocations",
                {"Content-Type": "text/csv", "Accept": "text/csv"},
                body,
            )
        ],
        "PutObject 1 KB": [
            peer.signed("s3", "PUT", f"/bench/small/{n:04d}", {"Content-Type": "text/plain"}, b"x" * 1024)
            for n in range(400)
        ],
        "GetObject 1 KB": [peer.signed("s3", "GET", f"/bench/small/{n:04d}", {}, b"") for n in range(400)],
    }


TARGETS = {
    ("ListTrainingJobs, 10 rows", 1): 6.0, ("ListTrainingJobs, 10 rows", 8): 8.0,
    ("InvokeEndpoint", 1): 5.0, ("InvokeEndpoint", 8): 10.0,
    ("PutObject 1 KB", 8): 3.0,
}  # fmt: skip


def rates(seconds: float) -> list[Row]:
    """Requests a second of every row at one and at eight connections, the peers taking turns (best of three)."""
    rows = []
    with engine() as ours, moto() as theirs:
        idle = ours.rss_mb(), theirs.rss_mb()
        prepare(ours)
        prepare(theirs)
        sets = requests(ours), requests(theirs)
        for name in sets[0]:
            for connections in (1, 8):
                results: tuple[list[Result], list[Result]] = ([], [])
                for _ in range(3):
                    for peer, wanted, found in zip((ours, theirs), sets, results, strict=True):
                        found.append(drive(peer.url, wanted[name], connections=connections, seconds=seconds))
                best = [max(found, key=lambda r: r.rate) for found in results]
                if best[0].errors:
                    raise RuntimeError(f"{name}: {best[0].errors} answers were errors")
                rows.append(
                    Row(
                        f"{name}, c={connections}",
                        "1/s",
                        best[0].rate,
                        best[1].rate,
                        TARGETS.get((name, connections)),
                    )
                )
                rows.append(
                    Row(f"… p99, c={connections}", "ms", best[0].p99, best[1].p99, None, higher=False)
                )
        rows += transfers(ours, theirs)
        rows.append(Row("RSS idle", "MB", idle[0], None, 80, higher=False))
        rows.append(Row("RSS idle beside", "MB", idle[0], idle[1], None, higher=False))
        rows.append(Row("RSS after all this", "MB", ours.rss_mb(), theirs.rss_mb(), None, higher=False))
    return rows


def transfers(ours: Peer, theirs: Peer, size_mb: int = 100) -> list[Row]:
    """One object of 100 MB up and down with boto3 (single PUT, streamed GET), best of three."""
    data = bytes(range(256)) * (size_mb * 4096)
    times: dict[str, list[float]] = {}
    for peer in (ours, theirs):
        client = peer.client("s3")
        for _ in range(3):
            begin = time.perf_counter()
            client.put_object(Bucket="bench", Key="large", Body=data)
            middle = time.perf_counter()
            body = client.get_object(Bucket="bench", Key="large")["Body"]
            while body.read(1 << 20):
                pass
            times.setdefault(f"{peer.name} put", []).append(middle - begin)
            times.setdefault(f"{peer.name} get", []).append(time.perf_counter() - middle)
    speed = {name: size_mb / min(found) for name, found in times.items()}
    return [
        Row(f"PutObject {size_mb} MB", "MB/s", speed["engine put"], speed["moto put"]),
        Row(f"GetObject {size_mb} MB", "MB/s", speed["engine get"], speed["moto get"]),
    ]


def main(seconds: float = 3.0) -> tuple[str, str, list[Row]]:
    return "Requests, against moto_server 5.2.5 in the same run", "moto", rates(seconds)
