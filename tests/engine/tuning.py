"""Tuning jobs as tests make them: a tiny script whose objective is a known function, and waiting for the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.engine.conftest import RunningEngine
from tests.engine.jobs import IMAGE, fresh, pack, put

ENDED = ("Completed", "Failed", "Stopped")

# Prints a falling objective that ends at f(x); FAIL, SLEEP and GO in the environment make it fail, take long, or wait for a file.
SCRIPT = """
import argparse, os, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("-x", "--x", type=float, default=0.0)
parser.add_argument("-n", "--n", type=int, default=0)
parser.add_argument("-c", "--c", default="a")
parser.add_argument("--epochs", type=int, default=2)
told = parser.parse_args()
goal = (told.x - 0.3) ** 2 + 0.01 * told.n + {"a": 0.0, "b": 0.5}.get(told.c, 1.0)
fail = os.environ.get("FAIL", "")
if fail:
    sys.exit(fail)
go = os.environ.get("GO", "")
for epoch in range(told.epochs):
    if not os.environ.get("SILENT"):
        print(f"epoch={epoch} objective={goal + 1.0 / (epoch + 1) - 1.0 / told.epochs!r};", flush=True)
    time.sleep(float(os.environ.get("SLEEP", "0")))
while go and not os.path.exists(go):
    time.sleep(0.02)
"""
METRICS = [{"Name": "objective", "Regex": "objective=([-0-9.e]+);"}]


def continuous(name: str, low: float, high: float, scaling: str = "Auto") -> dict[str, Any]:
    """A ContinuousParameterRange."""
    return {"Name": name, "MinValue": repr(low), "MaxValue": repr(high), "ScalingType": scaling}


def integer(name: str, low: int, high: int, scaling: str = "Auto") -> dict[str, Any]:
    """An IntegerParameterRange."""
    return {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}


def categorical(name: str, *values: str) -> dict[str, Any]:
    """A CategoricalParameterRange."""
    return {"Name": name, "Values": list(values)}


def ranges(*items: Mapping[str, Any]) -> dict[str, Any]:
    """A ParameterRanges structure of what `continuous`, `integer` and `categorical` made."""
    found: dict[str, Any] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for item in items:
        if "Values" in item:
            found["CategoricalParameterRanges"].append(item)
        else:
            whole = item["MinValue"].lstrip("-").isdigit()
            found["IntegerParameterRanges" if whole else "ContinuousParameterRanges"].append(item)
    return found


def definition(engine: RunningEngine, **changes: Any) -> dict[str, Any]:
    """A TrainingJobDefinition that runs `SCRIPT`; ``changes`` replace its members, None takes one away."""
    source = put(engine, "code/tuning/sourcedir.tar.gz", pack({"train.py": SCRIPT}))
    bucket = engine.connection.default_bucket
    static = {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}
    found = {
        "StaticHyperParameters": static | changes.pop("static", {}),
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": METRICS,
        },
        "RoleArn": engine.connection.role_arn,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuning"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def config(
    strategy: str = "Random",
    jobs: int | None = 4,
    parallel: int = 2,
    *items: Mapping[str, Any],
    **changes: Any,
) -> dict[str, Any]:
    """A HyperParameterTuningJobConfig; without ranges it searches ``x`` from 0 to 1."""
    limits: dict[str, Any] = {"MaxParallelTrainingJobs": parallel}
    if jobs is not None:
        limits["MaxNumberOfTrainingJobs"] = jobs
    found = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "objective"},
        "ResourceLimits": limits,
        "ParameterRanges": ranges(*(items or [continuous("x", 0.0, 1.0)])),
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def tune(engine: RunningEngine, settings: Mapping[str, Any], name: str | None = None, **changes: Any) -> str:
    """Start a tuning job; its name."""
    name = name or fresh("t")[:32]
    request: dict[str, Any] = {"HyperParameterTuningJobName": name, "HyperParameterTuningJobConfig": settings}
    if "TrainingJobDefinition" not in changes and "TrainingJobDefinitions" not in changes:
        request["TrainingJobDefinition"] = definition(engine)
    engine.client("sagemaker").create_hyper_parameter_tuning_job(**request, **changes)
    return name


def until(
    engine: RunningEngine, name: str, condition: Callable[[dict[str, Any]], Any], seconds: float = 180
) -> dict[str, Any]:
    """Describe a tuning job until a condition holds."""
    client = engine.client("sagemaker")
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if condition(found):
            return found
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{name} is still {found['HyperParameterTuningJobStatus']}: {json.dumps(found, default=str)}"
            )
        time.sleep(0.02)


def finish(engine: RunningEngine, name: str, seconds: float = 180) -> dict[str, Any]:
    """Wait for a tuning job's end."""
    return until(engine, name, lambda found: found["HyperParameterTuningJobStatus"] in ENDED, seconds)


def children(engine: RunningEngine, name: str, **options: Any) -> list[dict[str, Any]]:
    """The training jobs of a tuning job, all pages."""
    client = engine.client("sagemaker")
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **options
    )
    return [item for page in pages for item in page["TrainingJobSummaries"]]


def tuned(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The searched values of training jobs."""
    return [dict(item["TunedHyperParameters"]) for item in found]
