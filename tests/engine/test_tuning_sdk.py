"""The SageMaker SDK's HyperparameterTuner, unmodified: launch, wait, best training job, warm start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.jobs import lines, put
from tests.engine.test_training_sdk import shell
from tests.engine.tuning import children

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--depth", type=int)
parser.add_argument("--kind")
parser.add_argument("--epochs", type=int)
told = parser.parse_args()
print("told", sorted(vars(told)))
for epoch in range(told.epochs):
    print(f"loss={(told.rate - 0.3) ** 2 + 0.01 * told.depth + len(told.kind) / (epoch + 1)};")
"""

PROGRAM = """
import sys
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.shapes import HyperParameterTuningJobWarmStartConfig, ParentHyperParameterTuningJob
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

source, data, role, image = sys.argv[1:]
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir=source, entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"epochs": 3, "depth": 1},
    base_job_name="sdk",
    role=role,
)
ranges = {
    "rate": ContinuousParameter(0.05, 0.5),
    "depth": IntegerParameter(1, 9),
    "kind": CategoricalParameter(["a", "bb"]),
}


def tune(jobs, **more):
    tuner = HyperparameterTuner(
        trainer, "loss", ranges, metric_definitions=[{"Name": "loss", "Regex": "loss=(.*?);"}], strategy="Random",
        objective_type="Minimize", max_jobs=jobs, max_parallel_jobs=2, **more,
    )
    tuner.tune(inputs=[InputData(channel_name="train", data_source=data)], wait=True)
    name = tuner.latest_tuning_job.hyper_parameter_tuning_job_name
    print("BEST", name, tuner.best_training_job())
    return name


parent = ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name=tune(4, base_tuning_job_name="one"))
for kind in ("TransferLearning", "IdenticalDataAndAlgorithm"):
    tune(2, base_tuning_job_name=kind[:5], warm_start_config=HyperParameterTuningJobWarmStartConfig(
        parent_hyper_parameter_tuning_jobs=[parent], warm_start_type=kind,
    ))
"""


def test_hyperparameter_tuner_of_the_sdk(engine: RunningEngine, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(TRAIN)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    data = put(engine, f"{jobs.fresh('sdk')}/train.csv", "1,2")
    done = subprocess.run(
        [sys.executable, str(program), str(source), data, engine.connection.role_arn, jobs.IMAGE],
        env=shell(engine, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("BEST ")]
    assert len(found) == 3
    for (name, best), count in zip(found, (4, 2, 2), strict=True):
        listed = children(engine, name, SortBy="FinalObjectiveMetricValue")
        assert len(listed) == count
        assert listed[0]["TrainingJobName"] == best
        assert "told ['depth', 'epochs', 'kind', 'rate']" in lines(engine, best)
        final = listed[0]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        given = listed[0]["TunedHyperParameters"]
        expected = (float(given["rate"]) - 0.3) ** 2 + 0.01 * int(given["depth"]) + len(given["kind"]) / 3
        assert abs(final - expected) < 1e-6
