"""Jobs against kill -9: of the engine, of the shim, of both."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.jobs import fetch, finish, lines, put, submit, unpack, until, until_line

Start = Callable[..., RunningEngine]

COUNTING = """
import os, time
go = os.environ["GO"]
for number in range(400):
    print(f"line {number}; value={number}", flush=True)
    time.sleep(0.002)
while not os.path.exists(go):
    time.sleep(0.01)
print("last line; value=1000", flush=True)
open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w").write("trained")
"""
METRICS = {"value": "value=([0-9]+)"}


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until_true(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def counted(engine: RunningEngine, name: str) -> float:
    """How many values of the job's metric the engine has."""
    from datetime import UTC, datetime, timedelta

    points = engine.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="value",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=datetime.now(UTC) - timedelta(minutes=30),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount"],
    )["Datapoints"]
    return float(sum(point["SampleCount"] for point in points))


@pytest.mark.parametrize("kills", [1, 3])
def test_killing_the_engine_loses_and_repeats_nothing(
    start_engine: Start, tmp_path: Path, kills: int
) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    name = submit(engine, COUNTING, Environment={"GO": str(go)}, metrics=METRICS)
    for number in range(kills):
        until_line(engine, name, f"line {20 + 100 * number};")
        engine.kill()
        engine = start_engine()
    go.touch()
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    printed = [line for line in lines(engine, name) if "value=" in line]
    assert printed == [f"line {number}; value={number}" for number in range(400)] + ["last line; value=1000"]
    assert [item["Value"] for item in job["FinalMetricDataList"]] == [1000.0]
    assert unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"])) == {"model": b"trained"}
    assert counted(engine, name) == 401
    assert not list((engine.data_dir / "jobs").iterdir())


def test_a_job_that_ends_while_no_engine_runs_is_finished_by_the_next(
    start_engine: Start, tmp_path: Path
) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    name = submit(engine, COUNTING, Environment={"GO": str(go)}, metrics=METRICS)
    until_line(engine, name, "line 399;")
    engine.kill()
    go.touch()
    until_true((engine.data_dir / "jobs" / name / "exit.json").exists)
    ended = json.loads((engine.data_dir / "jobs" / name / "exit.json").read_text())
    engine = start_engine()
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed"
    assert lines(engine, name)[-1] == "last line; value=1000"
    assert ended["code"] == 0


def test_an_engine_that_was_asked_to_end_leaves_its_jobs_running(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    name = submit(engine, COUNTING, Environment={"GO": str(go)})
    until_line(engine, name, "line 10;")
    assert engine.stop() == 0
    shim = json.loads((engine.data_dir / "jobs" / name / "shim.json").read_text())
    assert not gone(shim["pid"])
    go.touch()
    engine = start_engine()
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"


def test_killing_the_shim_fails_the_job_and_leaves_no_process(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    script = f"""
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        print("ready")
        time.sleep(600)
    """
    name = submit(engine, script)
    until_line(engine, name, "ready")
    os.kill(json.loads((engine.data_dir / "jobs" / name / "shim.json").read_text())["pid"], signal.SIGKILL)
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: ")
    for pid in (tmp_path / "pids").read_text().split():
        assert gone(int(pid))


def test_a_retry_strategy_starts_the_job_again(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    marker = tmp_path / "first"
    script = f"""
        import os, time
        if not os.path.exists({str(marker)!r}):
            open({str(marker)!r}, "w").close()
            print("first attempt")
            time.sleep(600)
        print("second attempt")
    """
    name = submit(engine, script, RetryStrategy={"MaximumRetryAttempts": 2})
    until_line(engine, name, "first attempt")
    os.kill(json.loads((engine.data_dir / "jobs" / name / "shim.json").read_text())["pid"], signal.SIGKILL)
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert "Restarting" in [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert "second attempt" in lines(engine, name)


def test_killing_engine_and_shim_together_fails_the_job_at_the_next_start(start_engine: Start) -> None:
    engine = start_engine()
    name = submit(engine, "import time; print('ready'); time.sleep(600)")
    until_line(engine, name, "ready")
    root = engine.data_dir / "jobs" / name
    shim, job_process = (json.loads((root / file).read_text())["pid"] for file in ("shim.json", "job.json"))
    engine.kill()
    os.kill(shim, signal.SIGKILL)
    engine = start_engine()
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: ")
    assert gone(job_process)


def test_a_stop_outlives_the_engine(start_engine: Start) -> None:
    """The grace period goes on without the engine, and the next one sees the job to its end."""
    engine = start_engine()
    script = """
        import os, signal, time
        stopped = []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
        print("ready")
        while not stopped:
            time.sleep(0.01)
        print("stopping")
        time.sleep(1)
        open(os.path.join(os.environ["SM_MODEL_DIR"], "saved"), "w").write("late")
    """
    name = submit(engine, script)
    until_line(engine, name, "ready")
    engine.client("sagemaker").stop_training_job(TrainingJobName=name)
    until_line(engine, name, "stopping")
    engine.kill()
    engine = start_engine()
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"])) == {"saved": b"late"}


def test_queued_jobs_wait_start_in_order_and_can_be_stopped(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    script = """
        import os, time
        print("started")
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
    """
    # Each takes half of the machine: two run, further ones wait.
    big = {"InstanceType": "ml.m5.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    width = 2 if (os.cpu_count() or 1) > 1 else 1
    running = [submit(engine, script, Environment={"GO": str(go)}, ResourceConfig=big) for _ in range(width)]
    for name in running:
        until(engine, name, lambda job: job["SecondaryStatus"] == "Training")
    waiting = [submit(engine, script, Environment={"GO": str(go)}, ResourceConfig=big) for _ in range(3)]
    for name in waiting:
        job = until(engine, name, lambda job: job["SecondaryStatus"] == "Pending")
        assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job waiting for capacity"
        assert "TrainingStartTime" not in job
    engine.client("sagemaker").stop_training_job(TrainingJobName=waiting[0])
    stopped = finish(engine, waiting[0])
    assert stopped["TrainingJobStatus"] == "Stopped"
    assert "BillableTimeInSeconds" not in stopped
    engine.kill()
    engine = start_engine()
    assert until(engine, waiting[1], lambda job: True)["SecondaryStatus"] in ("Starting", "Pending")
    go.touch()
    ended = [finish(engine, name) for name in [*running, *waiting[1:]]]
    assert {job["TrainingJobStatus"] for job in ended} == {"Completed"}
    assert ended[-2]["TrainingStartTime"] <= ended[-1]["TrainingStartTime"]


def test_a_reset_kills_every_job(start_engine: Start, tmp_path: Path) -> None:
    import urllib.request

    engine = start_engine()
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); print('ready'); time.sleep(600)"
    name = submit(engine, script)
    until_line(engine, name, "ready")
    urllib.request.urlopen(
        urllib.request.Request(f"{engine.url}/_engine/reset", method="POST"), timeout=30
    ).read()
    assert gone(int((tmp_path / "pid").read_text()))
    assert engine.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    put(engine, "after/reset", "works")
    again = submit(engine, "print('runs')")
    assert finish(engine, again)["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
def test_killing_the_engine_at_any_moment_of_the_start_or_end_is_made_good(
    start_engine: Start, delay: float
) -> None:
    engine = start_engine()
    name = submit(
        engine,
        "import os; open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m'); print('value=1')",
        metrics=METRICS,
    )
    time.sleep(delay)
    engine.kill()
    engine = start_engine()
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [line for line in lines(engine, name) if line.startswith("value")] == ["value=1"]
    assert unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"])) == {"m": b"m"}
    statuses = [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
