"""A tuning job of 20 XGBoost trainings, two at a time, beside the same trainings run bare: what the tuner, the engine and its jobs add.

The bare trainings are the container's own command with the trial's hyperparameters on the same files, one after another, one thread
each, as the jobs have. Half of their sum is what two at a time cannot be faster than; what the machine itself loses by running
two at a time (cores that share caches, or are hyper-threads) is told by the bare trainings run two at a time.
"""

from __future__ import annotations

import functools
import io
import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer, adopt, cpu_seconds, engine
from benchmarks.report import Row
from benchmarks.wire import wait
from engine.images import resolve

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
STATIC = {"objective": "reg:squarederror", "num_round": "120", "nthread": "1", "tree_method": "hist"}
RANGES = {
    "IntegerParameterRanges": [
        {"Name": "max_depth", "MinValue": "3", "MaxValue": "12"},
        {"Name": "min_child_weight", "MinValue": "2", "MaxValue": "8"},
    ],
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"},
        {"Name": "subsample", "MinValue": "0.5", "MaxValue": "0.9"},
        {"Name": "gamma", "MinValue": "0", "MaxValue": "10"},
    ],
    "CategoricalParameterRanges": [],
}
TRIALS, PARALLEL = 20, 2
ROWS = 60_000


def _data(folder: Path) -> None:
    """Regression on 20 features with interactions, label first: a training takes about two seconds."""
    import numpy as np

    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, 20))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + x[:, 3:6].sum(1) + random.normal(scale=0.3, size=ROWS)
    table = np.column_stack([y, x])
    for name, part in (("train", table[: ROWS * 4 // 5]), ("validation", table[ROWS * 4 // 5 :])):
        (folder / name).mkdir()
        text = io.StringIO()
        np.savetxt(text, part, delimiter=",", fmt="%.6g")
        (folder / name / "data.csv").write_text(text.getvalue())


def _channel(name: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://bench/{name}/",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


@dataclass(frozen=True)
class Tuned:
    """A tuning job: seconds as a client sees them, CPU seconds of all processes, the trials' hyperparameters, the best objective."""

    seconds: float
    cpu: float
    trials: list[dict[str, str]]
    best: float


def _tune(peer: Peer, strategy: str) -> Tuned:
    sagemaker = peer.client("sagemaker")
    name = f"bench-{strategy.lower()}"
    begin, used = time.perf_counter(), cpu_seconds()
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": TRIALS, "MaxParallelTrainingJobs": PARALLEL},
            "ParameterRanges": RANGES,
            "RandomSeed": 1,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": STATIC,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": peer.role_arn,
            "InputDataConfig": [_channel("train"), _channel("validation")],
            "OutputDataConfig": {"S3OutputPath": "s3://bench/output"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    ended = wait(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        "HyperParameterTuningJobStatus", {"Completed", "Failed", "Stopped"}, seconds=900,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    cpu = cpu_seconds() - used
    if ended["HyperParameterTuningJobStatus"] != "Completed":
        raise RuntimeError(ended.get("FailureReason"))
    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100
    )["TrainingJobSummaries"]
    best = ended["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return Tuned(seconds, cpu, [trial["TunedHyperParameters"] for trial in trials], best)


def _bare(data: Path, hyperparameters: dict[str, str]) -> tuple[float, float]:
    """Seconds and CPU seconds of the container's command on its own."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for part in ("input/config", "model", "output/data"):
            (base / part).mkdir(parents=True)
        (base / "input" / "data").symlink_to(data)
        config = base / "input" / "config"
        (config / "hyperparameters.json").write_text(json.dumps(STATIC | hyperparameters))
        inputs = {name: {"ContentType": "text/csv"} for name in ("train", "validation")}
        (config / "inputdataconfig.json").write_text(json.dumps(inputs))
        begin = time.perf_counter()
        process = subprocess.Popen(
            resolve(IMAGE).train or (),
            env=os.environ | {"SAGEMAKER_BASE_DIR": folder, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a bare training ended with exit status {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime


def main() -> tuple[str, str, list[Row]]:
    """Random first, then Bayesian: their difference is what the suggestions cost."""
    rows = []
    adopt()
    with tempfile.TemporaryDirectory() as folder, engine() as ours:
        data = Path(folder)
        _data(data)
        s3 = ours.client("s3")
        s3.create_bucket(Bucket="bench")
        for name in ("train", "validation"):
            s3.upload_file(str(data / name / "data.csv"), "bench", f"{name}/data.csv")
        for strategy in ("Random", "Bayesian"):
            tuned = _tune(ours, strategy)
            bare = [_bare(data, trial) for trial in tuned.trials]
            half = sum(seconds for seconds, _ in bare) / PARALLEL
            begin = time.perf_counter()
            with ThreadPoolExecutor(PARALLEL) as pool:
                list(pool.map(functools.partial(_bare, data), tuned.trials))
            together = time.perf_counter() - begin
            rows += [
                Row(f"{strategy}, {TRIALS} jobs, {PARALLEL} at a time, create to Completed", "s", tuned.seconds, half, 1 / 1.5, higher=False),
                Row(f"{strategy}, beside the same trainings run bare {PARALLEL} at a time", "s", tuned.seconds, together, higher=False),
                Row(f"{strategy}, CPU of the engine, its jobs and the advisor, against the same trainings bare", "s", tuned.cpu, sum(cpu for _, cpu in bare), 1 / 1.5, higher=False),
                Row(f"{strategy}: best validation:rmse", "", tuned.best, None, higher=False),
            ]  # fmt: skip
    return "Tuning, against half the sum of the same trainings run bare", "bare / 2", rows
