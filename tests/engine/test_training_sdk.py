"""The SageMaker SDK's ModelTrainer, unmodified, and real PyTorch, in both ways to give a job its /opt/ml."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import jobs
from tests.engine.conftest import RunningEngine, engine_process
from tests.engine.jobs import channel, fetch, finish, lines, put, submit, unpack

TRAIN = """
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--rate", type=float)
parser.add_argument("--name")
told = vars(parser.parse_args())
told["data"] = open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv")).read()
told["host"] = os.environ["SM_CURRENT_HOST"]
print("told", json.dumps(told))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "told.json"), "w") as file:
    json.dump(told, file)
"""

PROGRAM = """
import sys
from sagemaker.core.shapes import StoppingCondition
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

source, data, role, image = sys.argv[1:]
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir=source, entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"epochs": 3, "rate": 0.5, "name": "a b"},
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    base_job_name="sdk",
    role=role,
)
trainer.train(input_data_config=[InputData(channel_name="train", data_source=data)], wait=True, logs=True)
job = trainer._latest_training_job
job.refresh()
print("JOB", job.training_job_name, job.training_job_status, job.model_artifacts.s3_model_artifacts)
"""

TORCH = """
import os, torch
torch.manual_seed(0)
x = torch.randn(200, 2)
y = (x[:, 0] * x[:, 1] > 0).float()
net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50, num_workers=1)
for epoch in range(10):
    for a, b in loader:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(a).squeeze(1), b)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(f"epoch={epoch}; loss={loss.item():.4f};")
print("threads", torch.get_num_threads())
torch.save(net.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pth"))
"""


@pytest.fixture(scope="module", params=["namespaces", pytest.param("rewriting", marks=pytest.mark.slow)])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningEngine]:
    patch = pytest.MonkeyPatch()
    if request.param == "rewriting":
        patch.setenv("MLCONSOLE_NO_NAMESPACES", "1")
    with engine_process(tmp_path_factory.mktemp(request.param) / "data") as running:
        yield running
    patch.undo()


def shell(engine: RunningEngine, home: Path) -> dict[str, str]:
    """The environment of a shell that took over what ``engine env`` prints."""
    command = [sys.executable, "-m", "engine", "env", "--json", "--data-dir", str(engine.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    base = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    found: dict[str, str] = json.loads(done.stdout)["set"]
    return base | {"HOME": str(home)} | found


def test_model_trainer_of_the_sdk_trains(engine: RunningEngine, tmp_path: Path) -> None:
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
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, name, status, uri = next(line for line in done.stdout.splitlines() if line.startswith("JOB ")).split()
    assert status == "Completed"
    expected = {"epochs": 3, "rate": 0.5, "name": "a b", "data": "1,2", "host": "algo-1"}
    assert json.loads(unpack(fetch(engine, uri))["told.json"]) == expected
    assert f"told {json.dumps(expected)}" in lines(engine, name)


def test_pytorch_trains_with_worker_processes(engine: RunningEngine) -> None:
    import io

    import torch

    name = submit(
        engine,
        TORCH,
        metrics={"train:loss": "loss=([0-9.]+);"},
        InputDataConfig=[channel(put(engine, "t/x", "1"))],
    )
    job = finish(engine, name, seconds=150)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["FinalMetricDataList"][0]["Value"] < 0.6
    state = torch.load(
        io.BytesIO(unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))["model.pth"])
    )
    assert state["0.weight"].shape == (16, 2)
