"""Objects that do not fit in memory: neither the engine nor the processes that work for it grow with them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.transforming import ECHO, ENDED, Transformer

MB = 2**20
LINE = b"0.123456," * 11 + b"1.5\n"

# Answers a request of any size with as many lines as it has: the answer is small, whatever the input.
FIRST = """
def model_fn(folder):
    return None

def transform_fn(model, data, content_type, accept):
    data = data if isinstance(data, bytes) else data.encode()
    return b"1.5\\n" * data.count(b"\\n")
"""


@pytest.fixture
def job(own_engine: RunningEngine) -> Iterator[Transformer]:
    yield Transformer(own_engine)


def upload(job: Transformer, folder: Path, megabytes: int) -> tuple[str, int]:
    """An object of so many MB; its URI and its number of lines."""
    path = folder / "large.csv"
    block = LINE * (MB // len(LINE))
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(block)
    job.s3.upload_file(str(path), job.bucket, "large/large.csv")
    path.unlink()
    return f"s3://{job.bucket}/large/large.csv", megabytes * (MB // len(LINE))


def watch(job: Transformer, name: str, seconds: float) -> Counter[str]:
    """The most that engine, feeder and workers held in memory until the job's end, in bytes."""
    engine = psutil.Process(job.engine.process.pid)
    peaks: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    while job.describe(name)["TransformJobStatus"] not in ENDED:
        assert time.monotonic() < deadline
        for process in [engine, *engine.children(recursive=True)]:
            try:
                command = " ".join(process.cmdline())
                resident = process.memory_info().rss
            except psutil.Error:
                continue
            kind = "feeder" if "feeder" in command else "worker" if "container.serve" in command else "engine"
            peaks[kind] = max(peaks[kind], resident)
        time.sleep(0.05)
    found = job.describe(name)
    assert found["TransformJobStatus"] == "Completed", (found.get("FailureReason"), job.data_log(name))
    return peaks


def transform(
    job: Transformer, folder: Path, megabytes: int, model: str, *, worker: int = 250, **changes: Any
) -> Counter[str]:
    """Transform so much, and see that nobody holds it; the peaks.

    Args:
        worker: The most MB that the container may need.
    """
    source, lines = upload(job, folder, megabytes)
    before = psutil.Process(job.engine.process.pid).memory_info().rss
    name = job.begin(model, source, **changes)
    peaks = watch(job, name, seconds=1500)
    assert peaks["engine"] - before < 20 * MB, peaks
    assert peaks["feeder"] < 350 * MB, peaks
    assert peaks["worker"] < worker * MB, peaks
    [item] = job.s3.list_objects_v2(Bucket=job.bucket, Prefix=f"out/{name}/")["Contents"]
    body = job.s3.get_object(Bucket=job.bucket, Key=item["Key"])["Body"]
    counted = sum(chunk.count(b"\n") for chunk in body.iter_chunks(MB))
    assert counted == lines
    return peaks


def test_200_mb_pass_through(job: Transformer, tmp_path: Path) -> None:
    transform(job, tmp_path, 200, job.model(ECHO), MaxConcurrentTransforms=4)


def test_100_mb_in_one_request(job: Transformer, tmp_path: Path) -> None:
    # The container takes a request as a whole; who sends it needs no more than for a small one.
    whole = {"MaxPayloadInMB": 0, "input": {"SplitType": "None"}}
    assert transform(job, tmp_path, 100, job.model(FIRST), worker=1000, **whole)["feeder"] < 60 * MB


def test_60_mb_filtered_and_joined(job: Transformer, tmp_path: Path) -> None:
    transform(
        job,
        tmp_path,
        60,
        job.model(FIRST),
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        output={"Accept": "text/csv"},
    )


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_2_gb_pass_through(job: Transformer, tmp_path: Path) -> None:
    transform(job, tmp_path, 2048, job.model(ECHO), MaxConcurrentTransforms=4)
