"""An account for measurements: thousands of training jobs that have ended, and a tuning job, written into an engine's store."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import Store

JOBS = 5_000
ENDED = 3.5 * 3600
"""Seconds since the newest job began: an age of minutes is written anew once a minute, and at rest nothing is to change. Hours do not for half an hour."""
TUNING, TRIALS = "bench-tuning", 100


def seed(folder: Path, jobs: int = JOBS) -> None:
    """Jobs of the last weeks in the own store of an engine that does not run yet; the newest are the trials of a tuning job."""
    from engine.jobs import record
    from engine.layout import Layout
    from engine.store import Store

    layout = Layout(folder)
    layout.prepare()
    store = Store(layout.database)
    now = time.time() - ENDED
    for number in range(jobs):
        name, begin = f"bench-job-{number:05}", now - (jobs - number) * 300.0
        document = {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
            "CreationTime": begin,
            "TrainingJobStatus": "InProgress",
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "HyperParameters": {"epochs": "300"},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/MLConsoleExecutionRole",
            "OutputDataConfig": {"S3OutputPath": "s3://bench/"},
        }
        record.move(document, "Starting", begin)
        document["TrainingStartTime"] = begin + 2
        status = "Failed" if number % 50 == 0 else "Completed"
        record.end(
            document, status, status, begin + 44, "AlgorithmError: exit code 1" if status == "Failed" else ""
        )
        store.create(record.KIND, name, document, now=begin, status=status)
        store.update(record.KIND, name, lambda _: None, now=begin + 44)
    _seed_tuning(store, now, min(TRIALS, jobs), jobs)
    store.close()


def seed_endpoints(folder: Path, number: int) -> None:
    """Endpoints whose creation failed: they are listed and described as others are, and have no process."""
    from engine.hosting.supervisor import KIND
    from engine.layout import Layout
    from engine.store import Store

    store = Store(Layout(folder).database)
    begin = time.time() - number * 600.0
    for one in range(number):
        name = f"bench-endpoint-{one:03}"
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": "bench",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        document = {
            "EndpointArn": f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}",
            "EndpointConfigName": name,
            "config": {"ProductionVariants": [variant]},
            "models": {},
            "counts": {"AllTraffic": 0},
            "weights": {"AllTraffic": 1.0},
            "images": {"AllTraffic": []},
            "FailureReason": "The primary container did not pass the ping health check.",
        }
        store.create(KIND, name, document, now=begin + one * 600.0, status="Failed")
    store.close()


def _seed_tuning(store: Store, now: float, many: int, jobs: int) -> None:
    """A tuning job that has ended; its trials are the newest of the jobs."""
    from engine.tuning import record

    draw = random.Random(7)
    begin = now - many * 300.0
    trials = []
    for number in range(1, many + 1):
        rate, depth = 10 ** draw.uniform(-3, -0.3), draw.randint(1, 10)
        trial = record.Trial(
            name=f"bench-job-{jobs - number:05}",
            number=number,
            definition=0,
            parameters={"eta": repr(rate), "max_depth": str(depth), "subsample": repr(draw.uniform(0.5, 1))},
            created=begin + number,
            launched=True,
            status="Completed",
            value=round(3 + abs(math.log10(rate) + 1) + 0.1 * abs(depth - 5) + draw.gauss(0, 0.1), 4),
            started=begin + number + 2,
            ended=begin + number + 44,
        )
        record.add(store, TUNING, trial)
        trials.append(trial)
    objective = {"Type": "Minimize", "MetricName": "validation:rmse"}
    document = {
        "HyperParameterTuningJobName": TUNING,
        "HyperParameterTuningJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/{TUNING}",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": many, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "eta", "MinValue": "0.001", "MaxValue": "0.5", "ScalingType": "Logarithmic"},
                    {"Name": "subsample", "MinValue": "0.5", "MaxValue": "1", "ScalingType": "Linear"},
                ],
                "IntegerParameterRanges": [
                    {"Name": "max_depth", "MinValue": "1", "MaxValue": "10", "ScalingType": "Auto"}
                ],
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"epochs": "300"},
            "AlgorithmSpecification": {"TrainingImage": "bench", "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/MLConsoleExecutionRole",
            "OutputDataConfig": {"S3OutputPath": "s3://bench/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
        "HyperParameterTuningJobStatus": "Completed",
        "CreationTime": begin,
        "LastModifiedTime": now,
        "HyperParameterTuningEndTime": now,
        **record.counters(trials),
    }
    store.create(record.KIND, TUNING, document, now=begin, status="Completed")
