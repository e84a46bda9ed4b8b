"""``kill -9`` of the engine while it transforms: the next engine goes on with what is left, and nothing is half there."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import wait_for
from tests.engine.transforming import GROUP, Transformer

# Writes down what it was sent; waits at the line that says so until it may go on.
WAITING = """
import os, time

def model_fn(folder):
    return None

def transform_fn(model, data, content_type, accept):
    text = data.decode() if isinstance(data, bytes) else data
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(text.splitlines()[0] + "\\n")
    while "wait" in text and not os.path.exists(os.environ["SEEN"] + ".go"):
        time.sleep(0.02)
    return text
"""

Start = Callable[..., RunningEngine]


def staged(engine: RunningEngine) -> list[str]:
    """What lies in the store without being an object."""
    return [path.name for path in (engine.data_dir / "s3" / "staging").iterdir()]


def followers(root: Path) -> list[int]:
    """Processes that work below a directory."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(root) in part for part in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def test_a_killed_engine_goes_on_with_what_is_left(start_engine: Start, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    engine = start_engine()
    job = Transformer(engine)
    large = "".join(
        f"wait {number:06d} {'x' * 100}\n" for number in range(30_000)
    )  # 3 mini-batches of 1 MB and more
    files = {"a.csv": "a1\na2\n", "b.csv": "b1\n", "c.csv": large, "d.csv": "d1\nd2\n"}
    source = job.put(files)
    model = job.model(WAITING, SEEN=str(seen))
    name = job.begin(model, source, MaxPayloadInMB=1)
    wait_for(lambda: "wait" in seen.read_text() and len(job.outputs(name)) == 2)
    root = engine.data_dir / "transforms" / name
    assert followers(root)
    engine.kill()
    wait_for(lambda: not followers(root))
    begun = seen.read_text()

    engine = start_engine()
    job = Transformer(engine)
    # Before it goes on there is nothing but what was done.
    assert sorted(job.outputs(name)) == ["a.csv.out", "b.csv.out"]
    assert staged(engine) == []
    assert job.describe(name)["TransformJobStatus"] == "InProgress"
    Path(f"{seen}.go").touch()
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Completed", found.get("FailureReason")
    assert job.outputs(name) == {f"{key}.out": data.encode() for key, data in files.items()}
    again = seen.read_text().removeprefix(begun).splitlines()
    assert "a1" not in again
    assert "b1" not in again
    assert "d1" in again
    # One instance, before and after; its log goes on where it was.
    assert len(job.streams(name)) == 2
    assert not root.exists()
    assert staged(engine) == []

    def highest(metric: str) -> float:
        from datetime import UTC, datetime, timedelta

        now = datetime.now(UTC)
        points: list[dict[str, Any]] = job.cloudwatch.get_metric_statistics(
            Namespace=GROUP, MetricName=metric, Dimensions=[{"Name": "TransformJobName", "Value": name}],
            StartTime=now - timedelta(minutes=30), EndTime=now + timedelta(minutes=1), Period=60, Statistics=["Maximum"],
        )["Datapoints"]  # fmt: skip
        return max((float(point["Maximum"]) for point in points), default=0)

    # What was done before the kill counts.
    records = sum(data.count("\n") for data in files.values())
    wait_for(lambda: highest("RecordsProcessed") == records)
    assert highest("BytesProcessed") == highest("BytesTotal") == sum(map(len, files.values()))


def test_a_stop_that_was_under_way_is_done(start_engine: Start, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    engine = start_engine()
    job = Transformer(engine)
    name = job.begin(job.model(WAITING, SEEN=str(seen)), job.put({"a.csv": "wait\n"}))
    wait_for(lambda: seen.read_text())
    job.sm.stop_transform_job(TransformJobName=name)
    engine.kill()
    job = Transformer(start_engine())
    assert job.ended(name)["TransformJobStatus"] == "Stopped"
    assert job.outputs(name) == {}


def test_an_engine_that_is_stopped_and_started_goes_on(start_engine: Start, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    engine = start_engine()
    job = Transformer(engine)
    name = job.begin(job.model(WAITING, SEEN=str(seen)), job.put({"a.csv": "1\n", "b.csv": "wait\n"}))
    wait_for(lambda: "wait" in seen.read_text())
    began = time.monotonic()
    assert engine.stop() == 0
    assert time.monotonic() - began < 20
    assert not followers(engine.data_dir / "transforms")
    job = Transformer(start_engine())
    Path(f"{seen}.go").touch()
    assert job.ended(name)["TransformJobStatus"] == "Completed"
    assert job.outputs(name) == {"a.csv.out": b"1\n", "b.csv.out": b"wait\n"}
    assert seen.read_text().splitlines().count("1") == 1


def test_a_reset_forgets_jobs_that_run(own_engine: RunningEngine, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    job = Transformer(own_engine)
    job.begin(job.model(WAITING, SEEN=str(seen)), job.put({"a.csv": "wait\n"}))
    wait_for(lambda: seen.read_text())
    request = urllib.request.Request(f"{own_engine.url}/_engine/reset", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    assert job.sm.list_transform_jobs()["TransformJobSummaries"] == []
    assert not followers(own_engine.data_dir / "transforms")
    # Names and the machine are free again.
    Path(f"{seen}.go").touch()
    source = job.put({"a.csv": "1\n"})
    assert job.run(job.model(WAITING, SEEN=str(seen)), source) == {"a.csv.out": b"1\n"}
