"""Pipe mode for scripts: a FIFO per channel and epoch, plain, unpacked or framed."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from algorithms.formats import recordio
from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import wait_for

SCRIPT = """
import hashlib, json, os, stat
data = os.environ["SM_INPUT_DIR"] + "/data"
config = json.load(open(os.environ["SM_INPUT_CONFIG_DIR"] + "/inputdataconfig.json"))
for name in sorted(config):
    print("mode", name, config[name]["TrainingInputMode"])
assert not os.path.isdir(data + "/train")
assert stat.S_ISFIFO(os.stat(data + "/train_0").st_mode)
for epoch in range(3):
    for name in ("train", "packed"):
        with open(f"{data}/{name}_{epoch}", "rb") as pipe:
            print("read", name, epoch, hashlib.sha256(pipe.read()).hexdigest())
with open(data + "/train_3", "rb") as pipe:
    pipe.read(10)
with open(data + "/train_4", "rb") as pipe:
    print("read", "train", 4, hashlib.sha256(pipe.read()).hexdigest())
with open(data + "/framed_0", "rb") as pipe:
    open(os.environ["SM_MODEL_DIR"] + "/framed", "wb").write(pipe.read())
print("files", sorted(os.listdir(data + "/plain")))
"""


def test_a_script_reads_epoch_after_epoch_from_fifos(engine: RunningEngine) -> None:
    import hashlib

    name = jobs.fresh("pipe")
    parts = [bytes([65 + number]) * (300_000 + number) for number in range(3)]
    for number, part in enumerate(parts):
        jobs.put(engine, f"{name}/part-{number}", part)
        jobs.put(engine, f"{name}-gz/part-{number}.gz", gzip.compress(part))
    bucket = engine.connection.default_bucket

    def channel(channel_: str, prefix: str, **more: Any) -> dict[str, Any]:
        return jobs.channel(f"s3://{bucket}/{prefix}/", channel_, **more)

    jobs.submit(
        engine,
        SCRIPT,
        name=name,
        AlgorithmSpecification={"TrainingImage": jobs.IMAGE, "TrainingInputMode": "Pipe"},
        InputDataConfig=[
            channel("train", name),
            channel("packed", f"{name}-gz", CompressionType="Gzip"),
            channel("framed", name, RecordWrapperType="RecordIO"),
            channel("plain", name, InputMode="File"),
        ],
    )
    found = jobs.finish(engine, name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    lines = jobs.lines(engine, name)
    whole = hashlib.sha256(b"".join(parts)).hexdigest()
    for epoch in range(3):
        assert f"read train {epoch} {whole}" in lines
        assert f"read packed {epoch} {whole}" in lines
    # An epoch that was left in the middle does not hold up the next one.
    assert f"read train 4 {whole}" in lines
    assert "mode train Pipe" in lines
    assert "mode plain File" in lines
    assert "files ['part-0', 'part-1', 'part-2']" in lines
    framed = jobs.unpack(jobs.fetch(engine, found["ModelArtifacts"]["S3ModelArtifacts"]))["framed"]
    assert list(recordio.payloads(io.BytesIO(framed))) == parts
    # The stored objects are as they were.
    assert jobs.fetch(engine, f"s3://{bucket}/{name}/part-1") == parts[1]


def test_a_job_whose_pipe_nobody_reads_ends_and_leaves_nothing(engine: RunningEngine) -> None:
    name = jobs.fresh("pipe")
    uri = jobs.put(engine, f"{name}/a", b"x" * 1_000_000)
    jobs.submit(
        engine,
        "import json, subprocess, sys\nprint('children', subprocess.run([sys.executable, '-c', 'print(1)']).returncode)\n",
        name=name,
        AlgorithmSpecification={"TrainingImage": jobs.IMAGE, "TrainingInputMode": "File"},
        InputDataConfig=[jobs.channel(uri, "train", InputMode="Pipe")],
    )
    found = jobs.finish(engine, name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert "children 0" in jobs.lines(engine, name)
    wait_for(lambda: not (engine.data_dir / "jobs" / name).exists())


def test_a_job_is_stopped_while_its_pipe_is_open(engine: RunningEngine) -> None:
    name = jobs.fresh("pipe")
    uri = jobs.put(engine, f"{name}/a", b"x" * 1_000_000)
    script = "import os, time\npipe = open(os.environ['SM_INPUT_DIR'] + '/data/train_0', 'rb')\npipe.read(1)\nprint('reading', flush=True)\ntime.sleep(600)\n"
    jobs.submit(engine, script, name=name, InputDataConfig=[jobs.channel(uri, "train", InputMode="Pipe")])
    jobs.until_line(engine, name, "reading")
    engine.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert jobs.finish(engine, name)["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize("size", [0, 1, 4, 5, 1 << 21])
def test_a_record_is_framed_as_readers_expect(tmp_path: Any, size: int) -> None:
    import os

    from engine.jobs import pipes

    (tmp_path / "a").write_bytes(b"y" * size)
    target = tmp_path / "out"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT)
    pipes._send(str(tmp_path / "a"), descriptor, wrapped=True)
    os.close(descriptor)
    assert list(recordio.payloads(io.BytesIO(target.read_bytes()))) == [b"y" * size]
